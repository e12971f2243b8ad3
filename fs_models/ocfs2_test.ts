// The model of ocfs2 against SEMANTICS.md (e).

import { assertEquals } from "@std/assert";
import {
  EIO,
  ENOMEM,
  type Kernel,
  random,
  READ,
  SCHEDULE,
  type Task,
} from "../core/mod.ts";
import type { MemoryDevice } from "../devices/mod.ts";
import { ClusterLock, LEVEL_EXCLUSIVE, LEVEL_SHARED } from "./cluster_lock.ts";
import type { FileLayout } from "./model.ts";
import { Ocfs2, type Ocfs2Options } from "./ocfs2.ts";
import type { Ocfs2Inode } from "./ocfs2_inode.ts";
import {
  BLOCK,
  contextsOf,
  Mounted,
  type MountedOptions,
  SLOW,
  unwritten,
  written,
} from "./testdata/mounted.ts";

const BUFFERED: Ocfs2Options = { fullCoherency: false };

function ocfs2(
  layout: FileLayout,
  options: MountedOptions = {},
  how: Ocfs2Options = {},
): Mounted<Ocfs2, Ocfs2Inode> {
  const mount = (kernel: Kernel, device: MemoryDevice) =>
    new Ocfs2(kernel, device, how);
  return new Mounted(mount, layout, options);
}

Deno.test("lock-handover: the rw lock is held from submission to end_io, and let go of in the interrupt", () => {
  const rig = ocfs2(written(1), { device: SLOW });
  let held = 0;
  rig.task(rig.async());
  rig.task((function* (): Task<void> {
    while (rig.results.length === 0) {
      held = Math.max(held, rig.inode.rwLock.holders);
      yield* rig.kernel.sleep(10_000);
    }
  })());
  assertEquals(rig.finish(), [BLOCK]);
  assertEquals([held, rig.inode.rwLock.holders], [1, 0]);
  assertEquals(contextsOf(rig.events("end_io")), ["softirq"]);
});

Deno.test("lock-handover: when nothing was submitted the submitter lets go of the lock", () => {
  const rig = ocfs2(written(1), { allocFaults: [{ what: "dio", nth: 1 }] });
  rig.task((function* (): Task<void> {
    yield* rig.sync();
    yield* rig.sync({ rw: READ });
  })());
  assertEquals(rig.finish(), [-ENOMEM, BLOCK]);
  assertEquals(rig.inode.rwLock.holders, 0);
});

Deno.test("lock-handover: a read of a hole is never submitted, and its lock is let go of", () => {
  const rig = ocfs2({ size: BLOCK, extents: [] });
  rig.task(rig.async({ rw: READ }));
  assertEquals(rig.finish(), [BLOCK]);
  assertEquals(rig.events("submit_bio"), []);
});

Deno.test("lock-handover: the lock is let go of once, whichever bio fails and whoever is last (seeds 1 to 200)", () => {
  const layout: FileLayout = {
    size: 3 * BLOCK,
    extents: [0, 1, 2].map((i) => ({
      offset: i * BLOCK,
      bytes: BLOCK,
      state: "written",
    })),
  };
  for (let seed = 1; seed <= 200; seed++) {
    const rig = ocfs2(layout, {
      strategy: random(seed),
      device: { faults: [{ nth: 1 + seed % 3 }] },
    });
    rig.task(rig.async({ bytes: 3 * BLOCK }));
    assertEquals(rig.finish(), [-EIO], `random(${seed})`);
  }
});

for (const [how, together] of [[{}, 1], [BUFFERED, 2]] as const) {
  Deno.test(`lock-handover: with ${together === 1 ? "full" : "buffered"} coherency ${together} direct writes are in flight at once`, () => {
    const rig = ocfs2(written(2), { device: SLOW }, how);
    rig.task(rig.async());
    rig.task(rig.async({ offset: BLOCK }));
    let most = 0;
    rig.task((function* (): Task<void> {
      while (rig.results.length < 2) {
        most = Math.max(most, rig.inode.iDioCount);
        yield* rig.kernel.sleep(10_000);
      }
    })());
    assertEquals(rig.finish(), [BLOCK, BLOCK]);
    assertEquals(most, together);
  });
}

Deno.test("sub-block-zeroing-serialised: asynchronous writes of parts of blocks come one after the other (DIO-112)", () => {
  const rig = ocfs2(written(2), { device: SLOW }, BUFFERED);
  for (const offset of [0, 512, 1024]) {
    rig.task(rig.async({ offset, bytes: 512 }));
  }
  let most = 0;
  rig.task((function* (): Task<void> {
    while (rig.results.length < 3) {
      most = Math.max(most, rig.inode.ipUnalignedAio);
      yield* rig.kernel.sleep(10_000);
    }
  })());
  assertEquals(rig.finish(), [512, 512, 512]);
  assertEquals([most, rig.inode.ipUnalignedAio], [1, 0]);
});

for (
  const [name, layout, offset] of [
    ["makes the file longer", written(1), BLOCK],
    ["fills a hole", { size: BLOCK, extents: [] }, 0],
    ["meets unwritten blocks", unwritten(1), 0],
  ] as const
) {
  Deno.test(`partial-progress: a write that ${name} goes through the page cache, and is on the device when it returns`, () => {
    const rig = ocfs2(layout);
    rig.task(rig.async({ offset, fill: 7 }));
    assertEquals(rig.finish(), [BLOCK]);
    assertEquals(rig.events("direct_IO"), []);
    const { state, device } = rig.inode.extents.lookup(offset / BLOCK);
    assertEquals(state, "written");
    assertEquals(rig.device.store[device * BLOCK], 7);
    assertEquals(rig.inode.rwLock.holders, 0);
  });
}

Deno.test("queued-code-kept: an asynchronous write to a file that is written synchronously is left alone once it is queued (DIO-119)", () => {
  const rig = ocfs2(written(1), { device: SLOW });
  rig.inode.sync = true;
  rig.task(rig.async());
  assertEquals(rig.finish(), [BLOCK]);
  assertEquals(rig.events("aio_complete").length, 1);
  assertEquals(rig.events("generic_write_sync").length, 1);
});

Deno.test("truncate-waits: a truncate waits for the rw lock of the write in flight (seeds 1 to 100)", () => {
  for (let seed = 1; seed <= 100; seed++) {
    const options = { strategy: random(seed), device: SLOW };
    const rig = ocfs2(written(2), options);
    rig.task(rig.async({ bytes: 2 * BLOCK }));
    rig.task(rig.truncate(0));
    rig.finish();
    const freed = rig.events("truncate_return")[0]!.seq;
    const late = rig.events("bio_endio").filter(({ seq }) => seq > freed);
    const submitted = rig.events("submit_bio").filter(({ seq }) => seq < freed);
    if (submitted.length > 0) assertEquals(late, [], `random(${seed})`);
  }
});

Deno.test("lock-handover: a ClusterLock is shared or exclusive, and belongs to nobody", () => {
  for (let seed = 1; seed <= 100; seed++) {
    const rig = ocfs2(written(1), { strategy: random(seed) });
    const lock = new ClusterLock(rig.kernel, "lock");
    let shared = 0;
    let exclusive = 0;
    for (
      const level of [LEVEL_SHARED, LEVEL_EXCLUSIVE, LEVEL_SHARED] as const
    ) {
      rig.task((function* (): Task<void> {
        yield* lock.lock(level);
        if (level === LEVEL_EXCLUSIVE) exclusive++;
        else shared++;
        assertEquals(exclusive === 0 || shared + exclusive === 1, true);
        yield SCHEDULE;
        if (level === LEVEL_EXCLUSIVE) exclusive--;
        else shared--;
        rig.kernel.raise("softirq", { irq: () => lock.unlock(level) }, null);
      })());
    }
    rig.finish();
    assertEquals(lock.holders, 0);
  }
});

Deno.test("lock-handover: a ClusterLock that nobody holds cannot be released", () => {
  const rig = ocfs2(written(1));
  rig.task(new ClusterLock(rig.kernel, "lock").unlock(LEVEL_SHARED));
  assertEquals(rig.kernel.run().bug?.rule, "lock-handover/unlock-by-owner");
});

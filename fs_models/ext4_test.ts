// The model of ext4 against SEMANTICS.md (c).

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  EIO,
  ENOMEM,
  ENOSPC,
  type Kernel,
  random,
  READ,
  SCHEDULE,
  type Task,
} from "../core/mod.ts";
import type { MemoryDevice } from "../devices/mod.ts";
import { Ext4, type Ext4Options } from "./ext4.ts";
import { EXT4_IO_END_UNWRITTEN, type Ext4Inode } from "./ext4_inode.ts";
import { Ext4MountError } from "./ext4_io_end.ts";
import type { FileLayout } from "./model.ts";
import {
  BLOCK,
  contextsOf,
  Mounted,
  type MountedOptions,
  SLOW,
  unwritten,
  written,
} from "./testdata/mounted.ts";

const NOLOCK: Ext4Options = { dioreadNolock: true };

function ext4(
  layout: FileLayout,
  options: MountedOptions = {},
  how: Ext4Options = {},
): Mounted<Ext4, Ext4Inode> {
  const mount = (kernel: Kernel, device: MemoryDevice) =>
    new Ext4(kernel, device, how);
  return new Mounted(mount, layout, options);
}

Deno.test("size-after-data: a write behind the end makes the file an orphan until its sizes follow", () => {
  const rig = ext4(written(1));
  const seen: boolean[] = [];
  rig.task(rig.async({ offset: BLOCK, bytes: 2 * BLOCK }));
  rig.task((function* (): Task<void> {
    while (rig.results.length === 0) {
      seen.push(rig.inode.isOrphan);
      yield SCHEDULE;
    }
  })());
  assertEquals(rig.finish(), [2 * BLOCK]);
  assert(seen.includes(true));
  const { iSize, iDisksize, isOrphan } = rig.inode;
  assertEquals([iSize, iDisksize, isOrphan], [3 * BLOCK, 3 * BLOCK, false]);
});

Deno.test("size-after-data: a write behind the end that fails leaves no blocks there", () => {
  const rig = ext4(written(1), { device: { faults: [{ nth: 1 }] } });
  rig.task(rig.sync({ offset: BLOCK, bytes: 2 * BLOCK }));
  assertEquals(rig.finish(), [-EIO]);
  const { iSize, iDisksize, isOrphan, extents } = rig.inode;
  assertEquals([iSize, iDisksize, isOrphan], [BLOCK, BLOCK, false]);
  assertEquals(extents.lookup(1).state, "hole");
});

Deno.test("a write behind the end waits for the commit that frees blocks before it gives -ENOSPC", () => {
  const small = { device: { sizeBytes: 4 * BLOCK } };
  const freed = ext4(written(3), small);
  freed.task((function* () {
    yield* freed.truncate(0);
    yield* freed.sync({ bytes: 3 * BLOCK });
  })());
  assertEquals(freed.finish(), [3 * BLOCK]);

  const full = ext4(written(3), small);
  full.task(full.sync({ offset: 3 * BLOCK, bytes: 3 * BLOCK }));
  assertEquals(full.finish(), [-ENOSPC]);
});

/** Holds `i_mutex` until a request has come to its end; says if it did. */
function* holdsMutex(rig: Mounted<Ext4, Ext4Inode>): Task<boolean> {
  yield* rig.inode.iMutex.lock(rig.kernel);
  for (let i = 0; i < 1000 && rig.results.length === 0; i++) yield SCHEDULE;
  rig.inode.iMutex.unlock(rig.kernel);
  return rig.results.length > 0;
}

for (
  const [how, blocked, passes] of [
    [{}, 0, false],
    [NOLOCK, 0, true],
    [NOLOCK, 1, false],
  ] as const
) {
  const { dioreadNolock = false } = how as Ext4Options;
  Deno.test(`truncate-waits: a read ${passes ? "goes" : "does not go"} without i_mutex when dioread_nolock is ${dioreadNolock} and forbidden ${blocked} times (DIO-085)`, () => {
    const rig = ext4(written(2), {}, how);
    let passed = false;
    rig.inode.dioreadLock = blocked;
    rig.task((function* () {
      passed = yield* holdsMutex(rig);
    })());
    rig.task(rig.sync({ rw: READ }));
    rig.run();
    rig.inode.dioreadLock = 0;
    assertEquals(rig.finish(), [BLOCK]);
    assertEquals(passed, passes);
    assertEquals(rig.inode.iDioCount, 0);
  });
}

Deno.test("lock-handover: an overwrite lets go of i_mutex while it is in flight, any other write does not", () => {
  for (
    const [layout, how, lets] of [
      [written(2), NOLOCK, true],
      [written(2), {}, false],
      [unwritten(2), NOLOCK, false],
    ] as const
  ) {
    const rig = ext4(layout, {}, how);
    let free = false;
    rig.task(rig.sync());
    rig.task((function* (): Task<void> {
      while (rig.results.length === 0) {
        free ||= rig.inode.iDioCount > 0 && rig.inode.iMutex.owner === null;
        yield SCHEDULE;
      }
    })());
    assertEquals(rig.finish(), [BLOCK]);
    assertEquals(free, lets);
  }
});

Deno.test("truncate-waits: an overwrite holds i_dio_count from before it lets go of i_mutex (DIO-083; seeds 1 to 200)", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const options = { strategy: random(seed), device: SLOW };
    const rig = ext4(written(2), options, NOLOCK);
    rig.task(rig.async({ bytes: 2 * BLOCK, fill: 1 }));
    rig.task(rig.truncate(0));
    rig.finish();
    const freed = rig.events("truncate_return")[0]!.seq;
    const begun = rig.events("inode_dio_begin")[0]!.seq;
    const ends = rig.events("bio_endio").filter(({ seq }) => seq > freed);
    if (begun < freed) assertEquals(ends, [], `random(${seed})`);
  }
});

Deno.test("dio-count-balanced: an asynchronous overwrite publishes no io_end, and a write beside it keeps its own (seeds 1 to 200)", () => {
  const layout: FileLayout = {
    size: 2 * BLOCK,
    extents: [
      { offset: 0, bytes: BLOCK, state: "written" },
      { offset: BLOCK, bytes: BLOCK, state: "unwritten" },
    ],
  };
  for (let seed = 1; seed <= 200; seed++) {
    const rig = ext4(layout, { strategy: random(seed) }, NOLOCK);
    rig.task(rig.async());
    rig.task(rig.async({ offset: BLOCK }));
    assertEquals(rig.finish(), [BLOCK, BLOCK]);
    const { iUnwritten, iIoendCount, extents } = rig.inode;
    assertEquals([iUnwritten, iIoendCount], [0, 0]);
    assertEquals(extents.lookup(1).state, "written", `random(${seed})`);
  }
});

/** How many bios were in flight at once. */
function mostInFlight(rig: Mounted<Ext4, Ext4Inode>): number {
  let inFlight = 0;
  let most = 0;
  for (const { ev } of rig.kernel.trace.events()) {
    if (ev === "submit_bio") most = Math.max(most, ++inFlight);
    if (ev === "bio_endio") inFlight--;
  }
  return most;
}

for (
  const [first, second, together] of [
    [512, BLOCK, 1],
    [BLOCK, 512, 1],
    [512, 512, 1],
    [BLOCK, BLOCK, 2],
  ] as const
) {
  Deno.test(`sub-block-zeroing-serialised: of asynchronous writes of ${first} and ${second} bytes to a new block ${together} at once (DIO-088)`, () => {
    const rig = ext4(unwritten(1), { device: SLOW });
    rig.task(rig.async({ bytes: first }));
    rig.task(rig.async({ bytes: second }));
    assertEquals(rig.finish().toSorted(), [first, second].toSorted());
    assertEquals(mostInFlight(rig), together);
  });
}

Deno.test("sub-block-zeroing-serialised: what begins in the last block of the file is not behind its end (DIO-089)", () => {
  const rig = ext4({ ...written(2), size: BLOCK + 512 });
  const { fs, inode } = rig;
  assertEquals(fs.ext4UnalignedAio(inode, BLOCK + 512, 512), true);
  assertEquals(fs.ext4UnalignedAio(inode, 2 * BLOCK, 512), false);
  assertEquals(fs.ext4UnalignedAio(inode, 0, BLOCK), false);
});

/** Follows a write of writeback from its end in an interrupt. */
function* writesBack(
  rig: Mounted<Ext4, Ext4Inode>,
  isReserved: boolean,
): Task<void> {
  const { fs, inode, kernel } = rig;
  const ioEnd = (yield* fs.ext4InitIoEnd(inode))!;
  yield* fs.ext4SetIoUnwrittenFlag(inode, ioEnd);
  ioEnd.size = BLOCK;
  ioEnd.handle = isReserved;
  assertEquals(ioEnd.flag, EXT4_IO_END_UNWRITTEN);
  kernel.raise("softirq", { irq: () => fs.ext4PutIoEndDefer(ioEnd) }, null);
}

Deno.test("no-sleep-in-interrupt: writeback leaves its conversion to ext4-rsv-conversion, and sync_fs waits for it", () => {
  const rig = ext4(unwritten(1));
  rig.task(writesBack(rig, true));
  rig.run();
  rig.task((function* () {
    yield* rig.fs.syncFs(rig.fs.sb);
    assertEquals(rig.inode.extents.lookup(0).state, "written");
  })());
  rig.finish();
  assertEquals(contextsOf(rig.events("convert_unwritten")), ["kworker"]);
  const sleeps = rig.events("might_sleep").filter(({ ctx }) =>
    ctx === "softirq"
  );
  assertEquals(sleeps, []);
});

Deno.test("no-double-deferral: only reserved conversions get onto the list", () => {
  const rig = ext4(unwritten(1));
  rig.task(writesBack(rig, false));
  assertEquals(
    rig.kernel.run().bug?.rule,
    "no-double-deferral/reserved-only",
  );
});

Deno.test("completion-resources: a reserved conversion cannot fail for lack of memory", () => {
  const rig = ext4(unwritten(1), {
    allocFaults: [{ what: "jbd2_handle", nth: 1 }],
  });
  rig.task(writesBack(rig, true));
  rig.finish();
  assertEquals(rig.inode.extents.lookup(0).state, "written");
});

Deno.test("released-once: an io_end is released when end_io never ran, and without memory nothing is left", () => {
  for (
    const [what, layout] of [
      ["ext4_io_end", unwritten(1)],
      ["dio", unwritten(1)],
      ["jbd2_handle", { size: BLOCK, extents: [] }],
    ] as const
  ) {
    const rig = ext4(layout, { allocFaults: [{ what, nth: 1 }] });
    rig.task(rig.async());
    assertEquals(rig.finish(), [-ENOMEM], what);
    const { iUnwritten, iIoendCount, iDioCount } = rig.inode;
    assertEquals([iUnwritten, iIoendCount, iDioCount], [0, 0, 0]);
  }
});

Deno.test("convert-only-written: a write that failed is not converted since 4.6, and the counter drops all the same (DIO-014, DIO-086)", () => {
  for (const profile of ["v4.10", "v6.1"] as const) {
    const rig = ext4(unwritten(1), {
      profile,
      device: { faults: [{ nth: 1 }] },
    });
    rig.task(rig.async());
    assertEquals(rig.finish(), [-EIO]);
    assertEquals(rig.inode.extents.lookup(0).state, "unwritten");
    assertEquals(rig.inode.iUnwritten, 0);
  }
});

Deno.test("a mount without memory for its workqueue fails and leaves nothing", () => {
  const error = assertThrows(
    () =>
      ext4(written(1), {
        allocFaults: [{ what: "ext4-rsv-conversion", nth: 1 }],
      }),
    Ext4MountError,
    "no memory for ext4-rsv-conversion",
  );
  assertEquals(error.errno, -ENOMEM);
});

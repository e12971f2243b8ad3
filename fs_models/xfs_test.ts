// The model of XFS against SEMANTICS.md (d).

import { assert, assertEquals } from "@std/assert";
import { EINVAL, EIO, ENOMEM, ENOSPC, random, READ } from "../core/mod.ts";
import type { MemoryDevice } from "../devices/mod.ts";
import type { Kernel } from "../core/mod.ts";
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
import { Xfs } from "./xfs.ts";
import type { XfsInode } from "./xfs_inode.ts";

const mount = (kernel: Kernel, device: MemoryDevice) => new Xfs(kernel, device);

function xfs(
  layout: FileLayout,
  options: MountedOptions = {},
): Mounted<Xfs, XfsInode> {
  return new Mounted(mount, layout, options);
}

Deno.test("size-after-data: an asynchronous write between the size on disk and the size in memory updates the former in a kworker (DIO-010)", () => {
  const layout = { ...written(3), diskSize: BLOCK };
  for (const completion of ["softirq", "hardirq"] as const) {
    const rig = xfs(layout, { device: { completion } });
    rig.task(rig.async({ offset: BLOCK, bytes: BLOCK }));
    assertEquals(rig.finish(), [BLOCK]);
    assertEquals([rig.inode.iSize, rig.inode.diSize], [3 * BLOCK, 2 * BLOCK]);
    assertEquals(contextsOf(rig.events("end_io")), ["kworker"]);
  }
});

Deno.test("size-after-data: a write below the size on disk needs no kworker", () => {
  const rig = xfs({ ...written(3), diskSize: BLOCK });
  rig.task(rig.async({ offset: 0, bytes: BLOCK }));
  assertEquals(rig.finish(), [BLOCK]);
  assertEquals(rig.inode.diSize, BLOCK);
  assertEquals(contextsOf(rig.events("end_io")), ["softirq"]);
});

Deno.test("size-after-data: an append is converted before either size grows (DIO-097)", () => {
  const rig = xfs(written(1));
  rig.task(rig.async({ offset: BLOCK, bytes: 2 * BLOCK }));
  assertEquals(rig.finish(), [2 * BLOCK]);
  assertEquals([rig.inode.iSize, rig.inode.diSize], [3 * BLOCK, 3 * BLOCK]);
  const [converted] = rig.events("convert_unwritten");
  const [grown] = rig.events("i_size_write");
  const [end] = rig.events("end_io_return");
  assert(converted !== undefined && grown !== undefined && end !== undefined);
  // The size is written while the range is converted, under one lock.
  assert(grown.seq < end.seq && converted.seq < end.seq);
  assertEquals(rig.inode.extents.lookup(1).state, "written");
});

Deno.test("size-after-data: of two appends the size is that of the one that ends last, in every order (DIO-098; seeds 1 to 200)", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const rig = xfs(written(1), { strategy: random(seed) });
    rig.task(rig.async({ offset: BLOCK }));
    rig.task(rig.async({ offset: 3 * BLOCK }));
    assertEquals(rig.finish(), [BLOCK, BLOCK]);
    const { iSize, diSize } = rig.inode;
    assertEquals([iSize, diSize], [4 * BLOCK, 4 * BLOCK], `random(${seed})`);
  }
});

for (
  const states of [["written", "unwritten"], ["unwritten", "written"]] as const
) {
  Deno.test(`completion-order: a write to [${states}] is converted, whichever mapping comes last (SEMANTICS.md (d), mapper)`, () => {
    const rig = xfs({
      size: 2 * BLOCK,
      extents: states.map((state, i) => ({
        offset: i * BLOCK,
        bytes: BLOCK,
        state,
      })),
    });
    rig.task(rig.async({ bytes: 2 * BLOCK }));
    assertEquals(rig.finish(), [2 * BLOCK]);
    const { extents } = rig.inode;
    assertEquals([0, 1].map((at) => extents.lookup(at).state), [
      "written",
      "written",
    ]);
  });
}

Deno.test("read-within-size: unwritten blocks read as zeros, and nothing is read behind the size", () => {
  const rig = xfs({ ...unwritten(2), size: BLOCK + 512 });
  const iov = rig.buffer({ bytes: 2 * BLOCK, fill: 7 });
  rig.task(rig.sync({ rw: READ, bytes: 2 * BLOCK }, iov));
  assertEquals(rig.finish(), [BLOCK + 512]);
  const bytes = rig.kernel.memory.bytes(iov.base, BLOCK + 512);
  assert(bytes.every((byte) => byte === 0));
  assertEquals(rig.events("submit_bio"), []);
});

Deno.test("a transfer that is not made of sectors gives -EINVAL, a read at the very end 0", () => {
  const size = BLOCK + 100;
  const rig = xfs({ ...written(2), size });
  rig.task((function* () {
    yield* rig.sync({ offset: 100, bytes: 512 });
    yield* rig.sync({ offset: 512, bytes: 100 });
    yield* rig.sync({ rw: READ, offset: 100, bytes: 512 });
    yield* rig.sync({ rw: READ, offset: size, bytes: 512 });
    yield* rig.sync({ bytes: 0 });
  })());
  assertEquals(rig.finish(), [-EINVAL, -EINVAL, -EINVAL, 0, 0]);
});

Deno.test("lock-handover: whole blocks share the iolock; parts of blocks wait for all that is in flight", () => {
  const inFlight = (bytes: number): number => {
    const rig = xfs(written(4));
    let most = 0;
    const count = () => {
      most = Math.max(most, rig.inode.iDioCount);
      return 0;
    };
    const { writeOps } = rig.fs;
    const getBlock = writeOps.getBlock.bind(writeOps);
    Object.assign(writeOps, {
      getBlock: (...args: Parameters<typeof getBlock>) => {
        count();
        return getBlock(...args);
      },
    });
    for (let i = 0; i < 2; i++) {
      rig.task(rig.async({ offset: 2 * i * BLOCK, bytes }));
    }
    assertEquals(rig.finish(), [bytes, bytes]);
    return most;
  };
  assertEquals([inFlight(BLOCK), inFlight(512)], [2, 1]);
});

Deno.test("released-once: the ioend is released when nothing was submitted", () => {
  const full = xfs({ size: 4 * BLOCK, extents: [] }, {
    device: { sizeBytes: BLOCK },
  });
  full.task(full.async({ bytes: 4 * BLOCK }));
  assertEquals(full.finish(), [-ENOSPC]);

  for (const what of ["xfs_ioend", "dio", "jbd2_handle"]) {
    const rig = xfs({ size: BLOCK, extents: [] }, {
      allocFaults: [{ what, nth: 1 }],
    });
    rig.task(rig.async());
    assertEquals(rig.finish(), [-ENOMEM], what);
  }
});

Deno.test("error-reported: a conversion that fails is the result since 4.6 (DIO-013)", () => {
  for (const profile of ["v3.12", "v4.10", "v6.1"] as const) {
    const rig = xfs(unwritten(1), {
      profile,
      allocFaults: [{ what: "jbd2_handle", nth: 1 }],
    });
    rig.task(rig.async());
    assertEquals(rig.finish(), [profile === "v3.12" ? BLOCK : -ENOMEM]);
    assertEquals(rig.inode.extents.lookup(0).state, "unwritten");
  }
});

Deno.test("convert-only-written: a write that failed converts nothing and grows nothing since 4.6 (DIO-014)", () => {
  for (const profile of ["v4.10", "v6.1"] as const) {
    const rig = xfs(unwritten(1), {
      profile,
      device: { faults: [{ nth: 1 }] },
    });
    rig.task(rig.async());
    assertEquals(rig.finish(), [-EIO]);
    assertEquals(rig.inode.extents.lookup(0).state, "unwritten");
  }
});

Deno.test("a filesystem that was shut down does no more I/O, and what ends then is not converted", () => {
  const rig = xfs(unwritten(2));
  rig.task(rig.async());
  rig.task((function* () {
    yield* [];
    rig.fs.forcedShutdown = true;
    yield* rig.sync({ offset: BLOCK });
    yield* rig.sync({ rw: READ });
  })());
  rig.run();
  assertEquals(rig.results.filter((ret) => ret === -EIO).length >= 2, true);
  assertEquals(rig.inode.extents.lookup(0).state, "unwritten");
});

Deno.test("truncate-waits: a truncate waits for the write before it frees blocks (seeds 1 to 100)", () => {
  for (let seed = 1; seed <= 100; seed++) {
    const options = { strategy: random(seed), device: SLOW };
    const rig = xfs(unwritten(3), options);
    rig.task(rig.async({ bytes: 3 * BLOCK }));
    rig.task(rig.truncate(BLOCK));
    rig.finish();
    const late = rig.events("convert_unwritten").filter(({ seq }) =>
      seq > rig.events("truncate_return")[0]!.seq
    );
    const begun = rig.events("dio_alloc")[0]!.seq;
    if (begun < rig.events("inode_dio_wait")[0]!.seq) {
      assertEquals(late, [], `random(${seed})`);
    }
  }
});

import { assertEquals } from "@std/assert";
import { READ, type Rw, submitBio, WRITE } from "./bio.ts";
import { DIO_LOCKING } from "./dio_flags.ts";
import { EINVAL, EIOCBQUEUED, ENOMEM } from "./errno.ts";
import type { Task } from "./step.ts";
import { random } from "./strategy.ts";
import {
  FILE_BYTES,
  PROFILES,
  reversedBlock,
  Rig,
  type RigOptions,
  seeds,
} from "./testdata/identity_fs.ts";

/** What a request must not have done when it was turned away. */
const TRACES = ["dio_alloc", "inode_dio_begin", "submit_bio", "dio_free"];

Deno.test.each<[string, 512 | 4096, number, number, number]>([
  ["an offset within a sector", 512, 100, 4096, 0],
  ["a length of part of a sector", 512, 0, 4000, 0],
  ["an address within a sector", 512, 0, 4096, 8],
  ["an offset within a 4096 byte block", 4096, 512, 4096, 0],
  ["a length of part of a 4096 byte block", 4096, 0, 512, 0],
  ["an address within a 4096 byte block", 4096, 0, 4096, 512],
])(
  "mapping-and-bios: blockdevDirectIO() answers %s with -EINVAL before it allocates anything",
  (_name, logicalBlockSize, offset, len, shift) => {
    for (const profile of PROFILES) {
      for (const rw of [READ, WRITE] as const) {
        const rig = new Rig({ profile, device: { logicalBlockSize } });
        const { base } = rig.buffer(16384);
        const iov = [{ base: base + shift, len }];
        assertEquals(rig.result({ rw, offset, iov }), -EINVAL);
        assertEquals(rig.order(...TRACES, "alloc_workqueue"), []);
      }
    }
  },
);

Deno.test("mapping-and-bios: blockdevDirectIO() tests every segment's alignment", () => {
  const rig = new Rig();
  const iov = [rig.buffer(4096), rig.buffer(100), rig.buffer(4096)];
  assertEquals(rig.result({ iov }), -EINVAL);
});

Deno.test("mapping-and-bios: blockdevDirectIO() transfers sectors within a block, and sectors are 512 bytes", () => {
  for (const profile of PROFILES) {
    const rig = new Rig({ profile });
    const iov = [rig.buffer(1024, 5)];
    assertEquals(rig.result({ offset: 4608, iov }), 1024);
    assertEquals(
      rig.events("submit_bio").map(({ sector, size }) => [sector, size]),
      [[9, 1024]],
    );
    assertEquals(rig.device.store.indexOf(5), 4608);
    assertEquals(rig.device.store.lastIndexOf(5), 5631);
  }
});

Deno.test("read-within-size: blockdevDirectIO() of no bytes reads nothing and allocates nothing", () => {
  const rig = new Rig();
  assertEquals(rig.result({ rw: READ, iov: [] }), 0);
  assertEquals(rig.order(...TRACES), []);
});

Deno.test("dio-count-balanced: blockdevDirectIO() answers -ENOMEM when there is no dio, and counts nothing", () => {
  for (const profile of PROFILES) {
    const rig = new Rig({ profile, allocFaults: [{ what: "dio", nth: 1 }] });
    assertEquals(rig.result(), -ENOMEM);
    assertEquals(rig.order(...TRACES), []);
  }
});

Deno.test.each<[string, Rw, number, number, number]>([
  ["inside the file", READ, FILE_BYTES, 4096, 4096],
  ["that crosses the end of the file", READ, 5000, 8192, 5000],
  ["that crosses the end of an unaligned file", READ, 512, 4096, 512],
])(
  "read-within-size: blockdevDirectIO() of a read %s gives what the file holds",
  (_name, rw, iSize, bytes, expected) => {
    for (const profile of PROFILES) {
      const rig = new Rig({ profile, iSize });
      rig.submit({ rw, bytes, data: 1 });
      rig.submitSync({ rw, bytes, data: 2 });
      assertEquals(rig.finish().map(({ res }) => res), [expected, expected]);
    }
  },
);

Deno.test("read-within-size: a read at or past the end of the file gives 0", () => {
  for (const profile of PROFILES) {
    for (const offset of [8192, 16384]) {
      const rig = new Rig({ profile, iSize: 8192 });
      assertEquals(rig.result({ rw: READ, offset }), 0);
    }
  }
});

/** Which way a request went: queued or waited for. */
function way(
  request: { rw: Rw; offset: number; bytes: number },
  options: RigOptions,
): {
  res: number;
  returned: unknown;
} {
  const rig = new Rig(options);
  const res = rig.result(request);
  return { res, returned: rig.events("direct_IO_return")[0]?.ret };
}

Deno.test("partial-progress: blockdevDirectIO() waits for an extending write, whatever the caller asked", () => {
  for (const profile of PROFILES) {
    const write = (offset: number, bytes: number): unknown =>
      way({ rw: WRITE, offset, bytes }, { profile, iSize: 8192 }).returned;
    assertEquals(write(0, 8192), -EIOCBQUEUED);
    assertEquals(write(4096, 8192), 8192);
    assertEquals(write(8192, 4096), 4096);
  }
});

Deno.test("partial-progress: blockdevDirectIO() waits for a write that met a hole, and returns what it did", () => {
  for (const profile of PROFILES) {
    assertEquals(
      way({ rw: WRITE, offset: 0, bytes: 12288 }, {
        profile,
        ops: {
          getBlock: (inode, iblock, bh) =>
            iblock === 2 ? 0 : reversedBlock(inode, iblock, bh),
        },
      }),
      { res: 8192, returned: 8192 },
    );
  }
});

Deno.test("partial-progress: blockdevDirectIO() of a write to a hole alone does nothing", () => {
  for (const profile of PROFILES) {
    assertEquals(
      way({ rw: WRITE, offset: 0, bytes: 4096 }, {
        profile,
        ops: { getBlock: () => 0 },
      }),
      { res: 0, returned: 0 },
    );
  }
});

Deno.test("partial-progress: blockdevDirectIO() does not wait for a read that stops at the end of the file", () => {
  for (const profile of PROFILES) {
    assertEquals(
      way({ rw: READ, offset: 0, bytes: 16384 }, {
        profile,
        iSize: 5000,
        ops: {
          getBlock: (inode, iblock, bh) =>
            iblock > 1 ? 0 : reversedBlock(inode, iblock, bh),
        },
      }),
      // Two blocks were mapped; the rest is no part of the file.
      { res: 5000, returned: -EIOCBQUEUED },
    );
  }
});

Deno.test("dioBioSubmit() hands bios to the filesystem's submitIo(), if it has one, with where they begin", () => {
  for (const profile of PROFILES) {
    const seen: number[][] = [];
    const rig = new Rig({
      profile,
      ops: {
        getBlock: reversedBlock,
        submitIo(bio, inode, offset) {
          seen.push([inode.iIno, offset, bio.biSize]);
          return submitBio(bio);
        },
      },
    });
    assertEquals(rig.result({ offset: 512, bytes: 8192 }), 8192);
    assertEquals(seen, [[12, 512, 3584], [12, 4096, 4096], [12, 8192, 512]]);
  }
});

Deno.test("DIO_LOCKING makes a read wait for i_mutex while it is mapped, and not for its bios", () => {
  const order = [DIO_LOCKING, 0].map((flags) => {
    const rig = new Rig({ flags, device: { latency: { baseNs: 10_000 } } });
    const { kernel, inode } = rig;
    const seen: string[] = [];
    kernel.spawn(
      "holder",
      (function* (): Task<void> {
        yield* inode.iMutex.lock(kernel);
        yield* kernel.sleep(1000);
        seen.push(`${rig.order("submit_bio").length} bios`);
        inode.iMutex.unlock(kernel);
        yield* kernel.sleep(1000);
        seen.push(`owner ${inode.iMutex.owner?.comm ?? "nobody"}`);
      })(),
    );
    rig.submitSync({ rw: READ });
    rig.finish();
    return seen;
  });
  assertEquals(order, [["0 bios", "owner nobody"], ["1 bios", "owner nobody"]]);
});

Deno.test("truncate-waits: blockdevDirectIO() counts a request from its submission to its end (seeds 1 to 100)", () => {
  for (const seed of seeds(100)) {
    const rig = new Rig({ strategy: random(seed) });
    rig.submit({ bytes: 8192 });
    rig.submit({ offset: 8192, rw: READ });
    rig.submitSync({ offset: 16384 });
    rig.finish();
    const counts = new Map<unknown, string[]>();
    for (
      const { ev, dio } of rig.events(
        "inode_dio_begin",
        "submit_bio",
        "bio_endio",
        "inode_dio_done",
      )
    ) {
      counts.set(dio, [...counts.get(dio) ?? [], ev]);
    }
    assertEquals(counts.size, 3);
    for (const events of counts.values()) {
      assertEquals(events[0], "inode_dio_begin");
      assertEquals(events.at(-1), "inode_dio_done");
      assertEquals(events.filter((ev) => ev.startsWith("inode")).length, 2);
    }
  }
});

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { READ, type Rw, WRITE } from "./bio.ts";
import type { BufferHead } from "./buffer_head.ts";
import { DIO_SKIP_HOLES } from "./dio_flags.ts";
import { ENOSPC } from "./errno.ts";
import type { Inode } from "./fs.ts";
import type { Iovec } from "./iov_iter.ts";
import type { Task } from "./step.ts";
import { fifo, random } from "./strategy.ts";
import {
  identityBlock,
  PROFILES,
  reversedBlock,
  Rig,
  seeds,
} from "./testdata/identity_fs.ts";

const SEED = 20137;

/** Maps some blocks of a file; the others are holes. */
function sparse(...mapped: number[]) {
  return (inode: Inode, iblock: number, bh: BufferHead): number =>
    mapped.includes(iblock) ? reversedBlock(inode, iblock, bh) : 0;
}

/** Each bio's first sector and size. */
function bios(rig: Rig): unknown[] {
  return rig.events("submit_bio").map(({ sector, size }) => [sector, size]);
}

Deno.test("mapping-and-bios: blocks that lie together go into one bio, others into bios of their own", () => {
  for (const profile of PROFILES) {
    const together = new Rig({ profile });
    assertEquals(together.result({ bytes: 16384 }), 16384);
    assertEquals(bios(together), [[0, 16384]]);
    const apart = new Rig({ profile, ops: { getBlock: reversedBlock } });
    assertEquals(apart.result({ bytes: 8192 }), 8192);
    assertEquals(bios(apart), [[2040, 4096], [2032, 4096]]);
  }
});

Deno.test("mapping-and-bios: blocks that lie together on the device but not in the file go into bios of their own", () => {
  const rig = new Rig({
    ops: {
      getBlock(_inode, iblock, bh) {
        if (iblock !== 1) bh.map(iblock === 0 ? 10 : 11, 4096);
        return 0;
      },
    },
  });
  assertEquals(rig.result({ rw: READ, bytes: 12288 }), 12288);
  assertEquals(bios(rig), [[80, 4096], [88, 4096]]);
});

Deno.test("mapping-and-bios: a bio is sent when it is full, at 256 pages", () => {
  const rig = new Rig();
  const page = rig.buffer(4096, 3);
  const iov = Array.from({ length: 512 }, () => ({ ...page, len: 2048 }));
  assertEquals(rig.result({ iov }), 1 << 20);
  assertEquals(bios(rig), [[0, 1 << 19], [1024, 1 << 19]]);
});

Deno.test("mapping-and-bios: getMoreBlocks() asks for what is left, and once for each mapping", () => {
  const asked: number[][] = [];
  const rig = new Rig({
    ops: {
      getBlock(_inode, iblock, bh) {
        asked.push([iblock, bh.bSize]);
        bh.map(100 + iblock, 8192);
        return 0;
      },
    },
  });
  assertEquals(rig.result({ offset: 4096, bytes: 16384 }), 16384);
  assertEquals(asked, [[1, 16384], [3, 8192]]);
});

Deno.test("mapping-and-bios: getMoreBlocks() rounds a request within blocks up to whole ones", () => {
  const asked: number[][] = [];
  const rig = new Rig({
    ops: {
      getBlock(inode, iblock, bh) {
        asked.push([iblock, bh.bSize]);
        return identityBlock(inode, iblock, bh);
      },
    },
  });
  assertEquals(rig.result({ offset: 3584, bytes: 1024 }), 1024);
  assertEquals(asked, [[0, 8192]]);
  assertEquals(bios(rig), [[7, 1024]]);
});

Deno.test("mapping-and-bios: a block size that changes while a request is mapped is not looked at again", () => {
  for (const profile of PROFILES) {
    const asked: number[][] = [];
    const rig = new Rig({
      profile,
      ops: {
        getBlock(inode, iblock, bh) {
          asked.push([iblock, bh.bSize]);
          inode.iBlkbits = 9;
          return reversedBlock(inode, iblock, bh);
        },
      },
    });
    assertEquals(rig.result({ bytes: 8192 }), 8192);
    assertEquals(asked, [[0, 8192], [1, 4096]]);
    assertEquals(bios(rig), [[2040, 4096], [2032, 4096]]);
  }
});

Deno.test.each<[string, Rw, number, number, boolean]>([
  ["a read", READ, 0, 0, false],
  ["a write without DIO_SKIP_HOLES", WRITE, 0, 0, true],
  ["a write with it inside the file", WRITE, 0, DIO_SKIP_HOLES, false],
  ["a write with it past the end", WRITE, 8192, DIO_SKIP_HOLES, true],
])(
  "getMoreBlocks() sets create as it has to be for %s",
  (_name, rw, offset, flags, expected) => {
    for (const profile of PROFILES) {
      const creates: boolean[] = [];
      const rig = new Rig({
        profile,
        flags,
        iSize: 8192,
        ops: {
          getBlock(inode, iblock, bh, create) {
            creates.push(create);
            return identityBlock(inode, iblock, bh);
          },
        },
      });
      assertEquals(rig.result({ rw, offset }), 4096);
      assertEquals(creates, [expected]);
    }
  },
);

Deno.test("error-reported: getMoreBlocks() that fails in the second piece ends the request with its error, after the bio of the first", () => {
  for (const profile of PROFILES) {
    for (const strategy of [fifo, () => random(1), () => random(2)]) {
      const rig = new Rig({
        profile,
        strategy: strategy(),
        device: { faults: [{ nth: 1 }] },
        ops: {
          getBlock: (inode, iblock, bh) =>
            iblock === 1 ? -ENOSPC : reversedBlock(inode, iblock, bh),
        },
      });
      // The submit error comes before that of the bio.
      assertEquals(rig.result({ bytes: 8192 }), -ENOSPC);
      assertEquals(rig.order("bio_endio", "dio_complete"), [
        "bio_endio",
        "dio_complete",
      ]);
    }
  }
});

Deno.test("getMoreBlocks() waits for a mapping function that sleeps (seeds 1 to 50)", () => {
  for (const seed of seeds(50)) {
    const rig: Rig = new Rig({
      strategy: random(seed),
      ops: {
        *getBlock(inode, iblock, bh): Task<number> {
          yield* rig.kernel.sleep(500);
          return reversedBlock(inode, iblock, bh);
        },
      },
    });
    assertEquals(rig.result({ bytes: 12288 }), 12288);
    assertEquals(bios(rig).length, 3);
  }
});

Deno.test("dioHole() gives a read zeros where the file has holes, and data around them", () => {
  for (const profile of PROFILES) {
    const rig = new Rig({ profile, ops: { getBlock: sparse(0, 3) } });
    rig.device.store.fill(7);
    const buffer = rig.buffer(16384, 0xff);
    assertEquals(rig.result({ rw: READ, iov: [buffer] }), 16384);
    const bytes = rig.kernel.memory.bytes(buffer.base, buffer.len);
    const pages = [0, 1, 2, 3].map((i) =>
      new Set(bytes.subarray(i * 4096, (i + 1) * 4096))
    );
    assertEquals(pages, [7, 0, 0, 7].map((value) => new Set([value])));
  }
});

Deno.test("one-completion: dioHole() of a read that meets holes only completes in the submitter", () => {
  const rig = new Rig({ ops: { getBlock: sparse() } });
  assertEquals(rig.result({ rw: READ, bytes: 8192 }), 8192);
  assertEquals(rig.order("submit_bio", "dio_complete"), ["dio_complete"]);
});

Deno.test(`blockdevDirectIO() brings any pieces of memory to the device and back, however the file lies there (seed ${SEED})`, () => {
  const piece = fc.record({ shift: fc.nat(7), sectors: fc.nat(20) });
  fc.assert(
    fc.property(
      fc.array(piece, { minLength: 1, maxLength: 5 }),
      fc.array(piece, { minLength: 1, maxLength: 5 }),
      fc.nat(40),
      fc.boolean(),
      fc.integer(),
      (out, back, sector, reversed, seed) => {
        const rig = new Rig({
          strategy: random(seed),
          ops: { getBlock: reversed ? reversedBlock : identityBlock },
        });
        const bytes = out.reduce((sum, { sectors }) => sum + sectors * 512, 0);
        const written = pieces(rig, out);
        fillWithPattern(rig, written);
        rig.submitSync({ iov: written, offset: sector * 512 });
        assertEquals(rig.finish()[0]?.res, bytes);
        const read = [...pieces(rig, back), rig.buffer(bytes)];
        rig.submitSync({ rw: READ, iov: read, offset: sector * 512 });
        rig.finish();
        assertEquals(gather(rig, read).slice(0, bytes), gather(rig, written));
      },
    ),
    { seed: SEED, numRuns: 60 },
  );
});

/** Buffers of the user that start and end anywhere on a sector. */
function pieces(
  rig: Rig,
  shapes: readonly { shift: number; sectors: number }[],
): Iovec[] {
  return shapes.map(({ shift, sectors }) => ({
    base: rig.kernel.memory.alloc(sectors * 512, shift * 512),
    len: sectors * 512,
  }));
}

function fillWithPattern(rig: Rig, iov: readonly Iovec[]): void {
  let next = 1;
  for (const { base, len } of iov) {
    const bytes = rig.kernel.memory.bytes(base, len);
    for (let i = 0; i < len; i++) bytes[i] = next++ % 251;
  }
}

function gather(rig: Rig, iov: readonly Iovec[]): number[] {
  return iov.flatMap(({ base, len }) => [
    ...rig.kernel.memory.bytes(base, len),
  ]);
}

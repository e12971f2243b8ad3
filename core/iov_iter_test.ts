import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Iovec, IovIter } from "./iov_iter.ts";
import { PAGE_SIZE } from "./page.ts";

const SEED = 20135;

const RUNS = { numRuns: 500 };

/** Pieces of a buffer, some of them empty. */
const iovs: fc.Arbitrary<Iovec[]> = fc.array(
  fc.record({
    base: fc.integer({ min: 0, max: 1 << 16 }),
    len: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3 * PAGE_SIZE })),
  }),
  { maxLength: 6 },
);

/** An iterator that has gone on by some bytes, and the addresses of the rest. */
function advanced(iov: readonly Iovec[], done: number) {
  const iter = new IovIter();
  iter.reset(iov);
  advance(iter, done);
  const addresses = iov.flatMap(({ base, len }) =>
    Array.from({ length: len }, (_, i) => base + i)
  );
  return { iter, rest: addresses.slice(done) };
}

function advance(iter: IovIter, bytes: number): void {
  for (let left = bytes; left > 0;) {
    const step = Math.min(left, iter.contiguous);
    iter.advance(step);
    left -= step;
  }
}

/** A buffer, and how far the iterator over it has gone. */
const positions = iovs.chain((iov) => {
  const total = iov.reduce((sum, { len }) => sum + len, 0);
  return fc.record({
    iov: fc.constant(iov),
    done: fc.integer({ min: 0, max: total }),
    back: fc.integer({ min: 0, max: total }),
  });
});

Deno.test("IovIter.npages() counts the pages of each piece that is left", () => {
  fc.assert(
    fc.property(positions, fc.integer({ min: 0, max: 20 }), (at, max) => {
      const { iter } = advanced(at.iov, at.done);
      let pages = 0;
      let skip = at.done;
      for (const { base, len } of at.iov) {
        const from = Math.min(skip, len);
        skip -= from;
        const touched = new Set(
          Array.from(
            { length: len - from },
            (_, i) => Math.floor((base + from + i) / PAGE_SIZE),
          ),
        );
        pages += touched.size;
      }
      assertEquals(iter.npages(max), Math.min(pages, max));
    }),
    { numRuns: 300 },
  );
});

Deno.test("IovIter.npages() of a cut iterator counts what the cut leaves", () => {
  const iter = new IovIter();
  iter.reset([{ base: 0, len: 3 * PAGE_SIZE }, { base: 0, len: PAGE_SIZE }]);
  iter.count = 2 * PAGE_SIZE;
  assertEquals(iter.npages(100), 2);
});

Deno.test("IovIter.revert() undoes advance(), across pieces", () => {
  fc.assert(
    fc.property(positions, ({ iov, done, back }) => {
      const { iter } = advanced(iov, done);
      const bytes = Math.min(back, done);
      iter.revert(bytes);
      const { iter: fresh, rest } = advanced(iov, done - bytes);
      assertEquals(iter.count, fresh.count);
      if (iter.count === 0) return;
      assertEquals([iter.address, iter.contiguous], [
        fresh.address,
        fresh.contiguous,
      ]);
      assertEquals(iter.address, rest[0]);
    }),
    RUNS,
  );
});

Deno.test("IovIter.reset() starts behind empty segments", () => {
  const iter = new IovIter();
  iter.reset([{ base: 0x1000, len: 0 }, { base: 0x2000, len: 512 }]);
  assertEquals([iter.address, iter.contiguous, iter.count], [0x2000, 512, 512]);
});

Deno.test("IovIter.reset() of no bytes at all leaves nothing to walk", () => {
  const iter = new IovIter();
  iter.reset([]);
  assertEquals(iter.count, 0);
  iter.reset([{ base: 0x1000, len: 0 }]);
  assertEquals(iter.count, 0);
});

Deno.test("IovIter.reset() forgets where an earlier walk was", () => {
  const iter = new IovIter();
  iter.reset([{ base: 0x1000, len: 512 }, { base: 0x2000, len: 512 }]);
  iter.advance(512);
  iter.advance(256);
  iter.reset([{ base: 0x5000, len: 1024 }]);
  assertEquals([iter.address, iter.count], [0x5000, 1024]);
});

Deno.test(`IovIter.advance() visits every byte once, in order, empty segments or not (seed ${SEED})`, () => {
  const segment = fc.record({
    base: fc.nat(1 << 20),
    len: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 20 })),
  });
  const steps = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 });
  fc.assert(
    fc.property(fc.array(segment), steps, (iov, sizes) => {
      const wanted = iov.flatMap(({ base, len }) =>
        Array.from({ length: len }, (_, i) => base + i)
      );
      const iter = new IovIter();
      iter.reset(iov);
      const seen: number[] = [];
      for (let i = 0; iter.count > 0; i++) {
        assertEquals(iter.contiguous > 0, true);
        const size = Math.min(sizes[i % sizes.length] ?? 1, iter.contiguous);
        for (let b = 0; b < size; b++) seen.push(iter.address + b);
        iter.advance(size);
      }
      assertEquals(seen, wanted);
    }),
    { seed: SEED },
  );
});

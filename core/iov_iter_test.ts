import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Iovec, IovIter, PAGE_SIZE } from "./page.ts";

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

import { assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { Kernel } from "./kernel.ts";
import { fifo, indexToOption, optionToIndex, random } from "./strategy.ts";
import { doing, seeds } from "./testdata/identity_fs.ts";
import { storm, traceOf } from "./testdata/storm.ts";

const SEED = 20133;

Deno.test("random() gives the same trace for the same seed and others for others", () => {
  assertEquals(traceOf(storm(random(7))), traceOf(storm(random(7))));
  assertNotEquals(traceOf(storm(random(7))), traceOf(storm(random(8))));
});

Deno.test("fifo() lets contexts run in the order of their arrival, without steps", () => {
  const kernel = new Kernel({ strategy: fifo() });
  const order: string[] = [];
  for (const name of ["a", "b", "c"]) {
    kernel.spawn(
      name,
      doing(() => {
        order.push(name);
      }),
    );
  }
  kernel.run();
  assertEquals(order, ["a", "b", "c"]);
  assertEquals([kernel.stepping, kernel.choices], [false, []]);
});

Deno.test("fifo() lets no open fault strike", () => {
  assertEquals(storm(fifo()).results.map(({ res }) => res), [
    4096,
    4096,
    4096,
    4096,
  ]);
});

Deno.test("random() lets an open fault strike in some runs and not in others", () => {
  const outcomes = new Set(
    seeds(20).map((seed) =>
      storm(random(seed)).results.some(({ res }) => res < 0)
    ),
  );
  assertEquals(outcomes, new Set([true, false]));
});

Deno.test(`optionToIndex() is the inverse of indexToOption(), and 0 is the current one (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.nat(50), fc.integer({ min: -1, max: 50 }), (i, current) => {
      const option = indexToOption(i, current);
      assertEquals(optionToIndex(option, current), i);
      assertEquals(option === 0, i === Math.max(current, 0));
    }),
    { seed: SEED },
  );
});

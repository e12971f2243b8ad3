import { assertEquals, assertThrows } from "@std/assert";
import { Kernel } from "./kernel.ts";
import { pct, pctProbability } from "./pct.ts";
import { replay } from "./replay.ts";
import { type Task, writeStep } from "./step.ts";
import type { Strategy } from "./strategy.ts";

const STEPS = 60;
const NOISE = 4;

/**
 * Two contexts and some that only take time. The bug needs two preemptions:
 * `a` between its two halves, and `b` between its own.
 */
function bugShows(strategy: Strategy): boolean {
  const kernel = new Kernel({ strategy, tracing: false });
  const addr = kernel.newAddr();
  let shared = 0;
  let shown = false;
  const a = function* (): Task<void> {
    for (let i = 0; i < 15; i++) yield writeStep(addr);
    shared = 1;
    yield writeStep(addr);
    if (shared === 2) shown = true;
    shared = 0;
  };
  const b = function* (): Task<void> {
    for (let i = 0; i < 15; i++) yield writeStep(addr);
    if (shared === 1) {
      yield writeStep(addr);
      shared = 2;
    }
  };
  const noise = function* (): Task<void> {
    for (let i = 0; i < 7; i++) yield writeStep(addr);
  };
  kernel.spawn("a", a());
  kernel.spawn("b", b());
  for (let i = 0; i < NOISE; i++) kernel.spawn(`noise${i}`, noise());
  kernel.run();
  return shown;
}

function runsUntilFound(make: (seed: number) => Strategy): number {
  for (let seed = 1; seed <= 20_000; seed++) {
    if (bugShows(make(seed))) return seed;
  }
  return Infinity;
}

Deno.test("pct() finds a bug of depth 2 within the runs that its probability promises", () => {
  const promised = 1 / pctProbability(2 + NOISE, STEPS, 2);
  const needed = runsUntilFound((seed) =>
    pct({ seed, depth: 2, steps: STEPS })
  );
  assertEquals([needed <= promised, needed], [true, needed]);
});

Deno.test("pct() gives the same run for the same seed, and one that can be replayed", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const run = (strategy: Strategy) => {
      const kernel = new Kernel({ strategy });
      const addr = kernel.newAddr();
      const order: number[] = [];
      const body = function* (me: number): Task<void> {
        for (let i = 0; i < 5; i++) {
          yield writeStep(addr);
          order.push(me);
        }
      };
      for (let me = 0; me < 3; me++) kernel.spawn(`t${me}`, body(me));
      kernel.run();
      return { order, choices: kernel.choices };
    };
    const first = run(pct({ seed, depth: 3, steps: 20 }));
    assertEquals(run(pct({ seed, depth: 3, steps: 20 })), first);
    assertEquals(run(replay(first.choices)).order, first.order);
  }
});

Deno.test("pct() refuses a depth or a length below 1", () => {
  for (const options of [{ depth: 0, steps: 1 }, { depth: 1, steps: NaN }]) {
    assertThrows(
      () => pct({ seed: 1, ...options }),
      RangeError,
      "must be 1 or more",
    );
  }
});

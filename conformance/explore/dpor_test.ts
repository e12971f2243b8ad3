import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  Kernel,
  readStep,
  SCHEDULE,
  SpinLock,
  type Strategy,
  type Task,
  WaitQueue,
  writeStep,
} from "../../core/mod.ts";
import { ExhaustiveStrategy } from "./dpor.ts";

const SEED = 20130710;
const PROGRAMS = 150;
/** Plain enumeration of more orders than this takes too long. */
const MOST_ORDERS = 1500;

/** What all runs of a program come to, and how many there are. */
interface Explored {
  readonly outcomes: readonly string[];
  readonly schedules: number;
  readonly pruned: number;
}

function explore(
  reduce: boolean,
  run: (strategy: Strategy) => string,
  limit = Infinity,
): Explored | null {
  const strategy = new ExhaustiveStrategy({ reduce });
  const outcomes = new Set<string>();
  do {
    strategy.begin();
    const outcome = run(strategy);
    if (!strategy.blocked) outcomes.add(outcome);
    if (strategy.schedules > limit) return null;
  } while (strategy.end());
  const { schedules, pruned } = strategy;
  return { outcomes: [...outcomes].sort(), schedules, pruned };
}

/** One access of a generated program. */
type Access =
  | { readonly do: "read" | "write"; readonly object: number }
  | { readonly do: "locked"; readonly object: number }
  | { readonly do: "wait" | "signal" }
  | { readonly do: "choose" };

/** Runs a generated program; its outcome is what it read and left. */
function runProgram(
  strategy: Strategy,
  program: readonly (readonly Access[])[],
): string {
  const kernel = new Kernel({ strategy, tracing: false });
  const addr = kernel.newAddr(2);
  const values = [0, 0];
  const locks = [0, 1].map((i) => new SpinLock(kernel, `lock ${i}`));
  const queue = new WaitQueue(kernel, "signal");
  const flag = { addr: kernel.newAddr(), set: false };
  const seen: number[][] = program.map(() => []);
  const body = function* (me: number, accesses: readonly Access[]): Task<void> {
    for (const access of accesses) {
      switch (access.do) {
        case "read":
          yield readStep(addr + access.object);
          seen[me]!.push(values[access.object]!);
          break;
        case "write":
          yield writeStep(addr + access.object);
          values[access.object] = values[access.object]! * 3 + me + 1;
          break;
        case "locked": {
          const lock = locks[access.object]!;
          yield* lock.lock(kernel);
          yield readStep(addr + access.object);
          const before = values[access.object]!;
          yield writeStep(addr + access.object);
          seen[me]!.push(values[access.object]! - before);
          values[access.object] = before + me + 1;
          lock.unlock(kernel);
          break;
        }
        case "wait":
          for (;;) {
            yield queue.step;
            queue.prepareToWait(kernel);
            yield readStep(flag.addr);
            if (flag.set) break;
            yield SCHEDULE;
          }
          queue.finishWait(kernel);
          break;
        case "signal":
          yield writeStep(flag.addr);
          flag.set = true;
          yield queue.step;
          queue.wakeUp(kernel);
          break;
        case "choose":
          seen[me]!.push(kernel.choose(2, "a coin"));
      }
    }
  };
  program.forEach((accesses, me) => kernel.spawn(`t${me}`, body(me, accesses)));
  const { hung } = kernel.run();
  return JSON.stringify({ values, seen, hung: hung !== null });
}

const access: fc.Arbitrary<Access> = fc.oneof(
  fc.record({
    do: fc.constantFrom("read" as const, "write" as const),
    object: fc.nat({ max: 1 }),
  }),
  fc.record({ do: fc.constant("locked" as const), object: fc.nat({ max: 1 }) }),
  fc.record({ do: fc.constantFrom("wait" as const, "signal" as const) }),
  fc.record({ do: fc.constant("choose" as const) }),
);

Deno.test(`ExhaustiveStrategy reaches with reduction what plain enumeration reaches, in ${PROGRAMS} generated programs (seed ${SEED})`, () => {
  let compared = 0;
  fc.assert(
    fc.property(
      fc.array(fc.array(access, { minLength: 1, maxLength: 3 }), {
        minLength: 2,
        maxLength: 3,
      }),
      (program) => {
        const plain = explore(
          false,
          (strategy) => runProgram(strategy, program),
          MOST_ORDERS,
        );
        if (plain === null) return;
        compared++;
        const reduced = explore(
          true,
          (strategy) => runProgram(strategy, program),
        );
        assertEquals(reduced?.outcomes, plain.outcomes);
      },
    ),
    { seed: SEED, numRuns: PROGRAMS },
  );
  assertEquals([compared > PROGRAMS / 3, compared], [true, compared]);
});

function writers(n: number, objects: number): (strategy: Strategy) => string {
  return (strategy) => {
    const kernel = new Kernel({ strategy, tracing: false });
    const addr = kernel.newAddr(objects);
    const order: string[] = new Array(objects).fill("");
    const body = function* (me: string): Task<void> {
      for (let i = 0; i < objects; i++) {
        yield writeStep(addr + i);
        order[i] += me;
      }
    };
    for (let i = 0; i < n; i++) kernel.spawn(`t${i}`, body(String(i)));
    kernel.run();
    return order.join();
  };
}

// Each object is written in any of the n! orders, whatever the others saw.
for (
  const [n, objects, schedules] of [[2, 1, 2], [2, 2, 4], [3, 1, 6], [
    3,
    2,
    36,
  ]] as const
) {
  Deno.test(`ExhaustiveStrategy runs ${n} writers of ${objects} objects in each of the ${schedules} orders once`, () => {
    const explored = explore(true, writers(n, objects));
    assertEquals(explored?.schedules, schedules);
    assertEquals(explored?.pruned, 0);
    assertEquals(explored?.outcomes.length, schedules);
  });
}

Deno.test("ExhaustiveStrategy runs contexts that share nothing once", () => {
  const explored = explore(true, (strategy) => {
    const kernel = new Kernel({ strategy, tracing: false });
    const addr = kernel.newAddr(4);
    const body = function* (i: number): Task<void> {
      yield writeStep(addr + i);
      yield readStep(addr + i);
    };
    for (let i = 0; i < 4; i++) kernel.spawn(`t${i}`, body(i));
    kernel.run();
    return "";
  });
  assertEquals(explored, { outcomes: [""], schedules: 1, pruned: 0 });
});

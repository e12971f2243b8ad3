/**
 * Work items and wake-ups that do not disturb each other need not be run in
 * every order; those that do have to be.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  allocWorkqueue,
  Kernel,
  readStep,
  SCHEDULE,
  type Strategy,
  type Task,
  WaitQueue,
  WorkItem,
  type Workqueue,
  WQ_UNBOUND,
  writeStep,
} from "../../core/mod.ts";
import { explore } from "./testdata/explore.ts";

const SEED = 20130710;
const PROGRAMS = 120;
/** Plain enumeration of more orders than this takes too long. */
const MOST_ORDERS = 2500;
const ITEMS = 3;

/** What a task of a generated program does. */
type Op =
  | { readonly do: "queue"; readonly item: number }
  | { readonly do: "flush" | "read" | "write" };

/** A queue, its items, and one object that everybody reads or writes. */
class Program {
  readonly kernel: Kernel;
  readonly seen: string[] = [];
  readonly #wq: Workqueue;
  readonly #items: readonly WorkItem[];
  readonly #addr: number;
  #value = 0;

  constructor(strategy: Strategy, maxActive: number) {
    this.kernel = new Kernel({ strategy, tracing: false });
    this.#wq = allocWorkqueue(this.kernel, "wq", WQ_UNBOUND, maxActive)!;
    this.#addr = this.kernel.newAddr();
    this.#items = Array.from({ length: ITEMS }, (_, i) => {
      const item = new WorkItem();
      item.init(`item ${i}`, () => this.#access(`item ${i}`, i > 0));
      return item;
    });
  }

  *task(me: string, ops: readonly Op[]): Task<void> {
    for (const op of ops) {
      if (op.do === "queue") {
        const queued = yield* this.#wq.queueWork(this.#items[op.item]!);
        this.seen.push(`${me} queued ${queued}`);
      } else if (op.do === "flush") yield* this.#wq.flush();
      else yield* this.#access(me, op.do === "write");
    }
  }

  *#access(me: string, isWrite: boolean): Task<void> {
    yield (isWrite ? writeStep : readStep)(this.#addr);
    if (isWrite) this.#value = this.#value * 3 + 1;
    this.seen.push(`${me} ${this.#value}`);
  }
}

function runProgram(
  strategy: Strategy,
  maxActive: number,
  tasks: readonly (readonly Op[])[],
): string {
  const program = new Program(strategy, maxActive);
  tasks.forEach((ops, i) =>
    program.kernel.spawn(`t${i}`, program.task(`t${i}`, ops))
  );
  const { hung } = program.kernel.run();
  return JSON.stringify([program.seen.sort(), hung !== null]);
}

const op: fc.Arbitrary<Op> = fc.oneof(
  fc.record({ do: fc.constant("queue" as const), item: fc.nat(ITEMS - 1) }),
  fc.record({ do: fc.constantFrom("flush" as const, "read", "write") }),
);

Deno.test(`ExhaustiveStrategy reaches with reduction what plain enumeration reaches, in ${PROGRAMS} generated programs with a workqueue (seed ${SEED})`, () => {
  let compared = 0;
  const tasks = fc.array(fc.array(op, { minLength: 1, maxLength: 3 }), {
    minLength: 1,
    maxLength: 2,
  });
  fc.assert(
    fc.property(fc.constantFrom(1, 2, 3, 0), tasks, (maxActive, tasks) => {
      const run = (strategy: Strategy) =>
        runProgram(strategy, maxActive, tasks);
      const plain = explore(false, run, MOST_ORDERS);
      if (plain === null) return;
      compared++;
      assertEquals(explore(true, run)?.outcomes, plain.outcomes);
    }),
    { seed: SEED, numRuns: PROGRAMS },
  );
  assertEquals([compared > PROGRAMS / 3, compared], [true, compared]);
});

// With room for all of them no order of two items makes a difference; one that
// has to wait for another one's end does.
for (const [maxActive, schedules] of [[0, 1], [1, 6]] as const) {
  Deno.test(`ExhaustiveStrategy runs three items that share nothing in ${schedules} orders when max_active is ${maxActive}`, () => {
    const explored = explore(true, (strategy) => {
      const kernel = new Kernel({ strategy, tracing: false });
      const wq = allocWorkqueue(kernel, "wq", WQ_UNBOUND, maxActive)!;
      const ended: number[] = [];
      const addr = kernel.newAddr(3);
      for (let i = 0; i < 3; i++) {
        const item = new WorkItem();
        item.init("item", function* (): Task<void> {
          yield writeStep(addr + i);
          ended.push(i);
        });
        kernel.spawn(`t${i}`, wq.queueWork(item));
      }
      kernel.run();
      return maxActive === 1 ? ended.join() : String(ended.length);
    });
    assertEquals(explored?.outcomes.length, schedules);
    if (maxActive !== 1) assertEquals(explored?.schedules, schedules);
  });
}

Deno.test("ExhaustiveStrategy runs wake-ups that find nobody asleep in one order, and those that wake somebody in all", () => {
  const wakes = (sleeper: boolean) =>
    explore(true, (strategy) => {
      const kernel = new Kernel({ strategy, tracing: false });
      const queue = new WaitQueue(kernel, "signal");
      const woken: string[] = [];
      if (sleeper) {
        kernel.spawn(
          "sleeper",
          (function* (): Task<void> {
            yield queue.step;
            queue.prepareToWait(kernel);
            yield SCHEDULE;
            queue.finishWait(kernel);
          })(),
        );
      }
      for (const name of ["a", "b"]) {
        kernel.spawn(
          name,
          (function* (): Task<void> {
            yield queue.wakeStep;
            const isAsleep = queue.active;
            queue.wakeUp(kernel);
            if (isAsleep) woken.push(name);
          })(),
        );
      }
      const { hung } = kernel.run();
      return `${woken} ${hung !== null}`;
    });
  assertEquals(wakes(false)?.schedules, 1);
  assertEquals(wakes(true)?.outcomes, [
    " true",
    "a false",
    "a,b false",
    "b false",
    "b,a false",
  ]);
});

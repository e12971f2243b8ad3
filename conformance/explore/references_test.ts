/**
 * References: which of several is dropped first makes no difference, but who
 * drops the last one does.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  Kernel,
  notLast,
  readStep,
  type Strategy,
  type Task,
  writeStep,
} from "../../core/mod.ts";
import { explore } from "./testdata/explore.ts";

const SEED = 20130710;
const PROGRAMS = 150;
/** Plain enumeration of more orders than this takes too long. */
const MOST_ORDERS = 2500;

/** What a context does with the object, or with a value beside it. */
type Op = "take" | "drop" | "read" | "write";

/** An object with references, which may well be too few, and a value. */
class Program {
  readonly seen: string[] = [];
  readonly #kernel: Kernel;
  readonly #step: number;
  readonly #valueAddr: number;
  #references: number;
  #value = 0;

  constructor(kernel: Kernel, references: number) {
    this.#kernel = kernel;
    this.#references = references;
    this.#step = writeStep(kernel.newAddr());
    this.#valueAddr = kernel.newAddr();
  }

  *task(me: string, ops: readonly Op[]): Task<void> {
    for (const op of ops) {
      if (op === "take" || op === "drop") yield* this.#count(me, op);
      else yield* this.#access(me, op === "write");
    }
  }

  *#count(me: string, op: "take" | "drop"): Task<void> {
    yield this.#step;
    const before = this.#references;
    if (before === 0) {
      this.seen.push(`${me} comes too late`);
      return;
    }
    this.#references += op === "take" ? 1 : -1;
    if (this.#references > 0) {
      if (op === "drop") notLast(this.#kernel, this.#references);
      return;
    }
    this.seen.push(`${me} is the last`);
    yield* this.#access(me, true);
  }

  *#access(me: string, isWrite: boolean): Task<void> {
    yield (isWrite ? writeStep : readStep)(this.#valueAddr);
    if (isWrite) this.#value = this.#value * 3 + 1;
    this.seen.push(`${me} ${this.#value}`);
  }
}

function runProgram(
  strategy: Strategy,
  references: number,
  tasks: readonly (readonly Op[])[],
): string {
  const kernel = new Kernel({ strategy, tracing: false });
  const program = new Program(kernel, references);
  tasks.forEach((ops, i) => kernel.spawn(`t${i}`, program.task(`t${i}`, ops)));
  kernel.run();
  return JSON.stringify(program.seen.sort());
}

Deno.test(`ExhaustiveStrategy reaches with reduction what plain enumeration reaches, in ${PROGRAMS} generated programs with references (seed ${SEED})`, () => {
  let compared = 0;
  const op: fc.Arbitrary<Op> = fc.constantFrom("take", "drop", "drop", "read");
  const tasks = fc.array(fc.array(op, { minLength: 1, maxLength: 3 }), {
    minLength: 2,
    maxLength: 4,
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), tasks, (references, tasks) => {
      const run = (strategy: Strategy) =>
        runProgram(strategy, references, tasks);
      const plain = explore(false, run, MOST_ORDERS);
      if (plain === null) return;
      compared++;
      assertEquals(explore(true, run)?.outcomes, plain.outcomes);
    }),
    { seed: SEED, numRuns: PROGRAMS },
  );
  assertEquals([compared > PROGRAMS / 3, compared], [true, compared]);
});

for (const n of [2, 3, 4, 5]) {
  Deno.test(`ExhaustiveStrategy runs ${n} drops of as many references in ${n} orders, one for each that can be the last`, () => {
    const run = (strategy: Strategy) =>
      runProgram(strategy, n, new Array(n).fill(["drop"]));
    const explored = explore(true, run);
    assertEquals([explored?.outcomes.length, explored?.schedules], [n, n]);
  });
}

/**
 * Small programs for the tests of exploration, generated ones among them, and
 * what tells two of their runs apart.
 *
 * @module
 */

import fc from "fast-check";
import {
  type Context,
  Kernel,
  notLast,
  readStep,
  RwSemaphore,
  SCHEDULE,
  SpinLock,
  stepAddr,
  stepKind,
  type StepWatcher,
  type Strategy,
  type Task,
  TASK_RUNNING,
  TASK_UNINTERRUPTIBLE,
  writeStep,
} from "../../../core/mod.ts";

/** What a task of a program does, with one of two objects or locks. */
export interface Action {
  /**
   * Reads or writes an object; writes the other one under a lock; takes a lock
   * for a moment; reads the other object under a semaphore that is shared, or
   * writes it under one that is not; waits for a flag, or sets it; gives up the
   * processor; raises an interrupt that writes an object; tosses a coin, and
   * writes an object or not; takes a reference on an object, or drops one, the
   * last of which writes the other object in the same step.
   */
  readonly do:
    | "read"
    | "write"
    | "locked"
    | "lock"
    | "shared"
    | "alone"
    | "wait"
    | "signal"
    | "yield"
    | "raise"
    | "toss"
    | "take"
    | "drop";
  /** The object or the lock. */
  readonly object: 0 | 1;
}

/** What each task of a program does. */
export type Program = readonly (readonly Action[])[];

const action: fc.Arbitrary<Action> = fc.record({
  do: fc.constantFrom(
    "read",
    "write",
    "locked",
    "lock",
    "shared",
    "alone",
    "wait",
    "signal",
    "yield",
    "raise",
    "toss",
    "take",
    "drop",
  ),
  object: fc.constantFrom(0, 1),
});

/** Programs of two or three tasks. */
export const program: fc.Arbitrary<Program> = fc.array(
  fc.array(action, { minLength: 1, maxLength: 3 }),
  { minLength: 2, maxLength: 3 },
);

/** The objects of a run. */
class Memory {
  readonly kernel: Kernel;
  readonly addr: number;
  readonly locks: readonly SpinLock[];
  readonly semaphores: readonly RwSemaphore[];
  /** Who waits for the flag; every access to the list is declared. */
  readonly waiters: Set<Context> = new Set();
  readonly waitersAddr: number;
  readonly flagAddr: number;
  isSet = false;
  /** References on each object; there may well be too few of them. */
  readonly references: number[] = [2, 3];
  readonly referencesAddr: number;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
    this.addr = kernel.newAddr(2);
    this.locks = [0, 1].map((i) => new SpinLock(kernel, `lock ${i}`));
    this.semaphores = [0, 1].map((i) => new RwSemaphore(kernel, `sem ${i}`));
    this.waitersAddr = kernel.newAddr();
    this.flagAddr = kernel.newAddr();
    this.referencesAddr = kernel.newAddr(2);
  }

  /** A task's code. */
  *run(actions: readonly Action[]): Task<void> {
    for (const action of actions) yield* this.#do(action);
  }

  *#do({ do: what, object }: Action): Task<void> {
    const { kernel, addr } = this;
    const lock = this.locks[object] as SpinLock;
    const semaphore = this.semaphores[object] as RwSemaphore;
    switch (what) {
      case "read":
        return void (yield readStep(addr + object));
      case "write":
        return void (yield writeStep(addr + object));
      case "locked":
        yield* lock.lock(kernel);
        yield writeStep(addr + 1 - object);
        return lock.unlock(kernel);
      case "lock":
        yield* lock.lock(kernel);
        return lock.unlock(kernel);
      case "shared":
        yield* semaphore.downRead(kernel);
        yield readStep(addr + 1 - object);
        return semaphore.upRead(kernel);
      case "alone":
        yield* semaphore.downWrite(kernel);
        yield writeStep(addr + 1 - object);
        return semaphore.upWrite(kernel);
      case "wait":
        return yield* this.#wait();
      case "signal":
        yield writeStep(this.flagAddr);
        this.isSet = true;
        yield writeStep(this.waitersAddr);
        for (const ctx of this.waiters) kernel.wakeUpProcess(ctx);
        return;
      case "yield":
        return void (yield SCHEDULE);
      case "raise":
        return kernel.raise("softirq", this, object);
      case "toss":
        if (kernel.choose(2, "a coin") === 1) yield writeStep(addr + object);
        return;
      case "take":
        yield writeStep(this.referencesAddr + object);
        if (this.references[object] !== 0) this.references[object]!++;
        return;
      case "drop":
        yield writeStep(this.referencesAddr + object);
        this.#drop(object);
    }
  }

  #drop(object: 0 | 1): void {
    const { kernel, references } = this;
    if (references[object] === 0) return;
    const left = --references[object]!;
    if (left > 0) notLast(kernel, left);
    else kernel.touch(writeStep(this.addr + 1 - object));
  }

  /** The interrupt. */
  *irq(object: number): Task<void> {
    yield writeStep(this.addr + object);
  }

  *#wait(): Task<void> {
    const { kernel, waiters, waitersAddr } = this;
    const ctx = kernel.current;
    for (;;) {
      yield writeStep(waitersAddr);
      waiters.add(ctx);
      ctx.state = TASK_UNINTERRUPTIBLE;
      yield readStep(this.flagAddr);
      if (this.isSet) break;
      yield SCHEDULE;
    }
    kernel.touch(writeStep(waitersAddr));
    waiters.delete(ctx);
    ctx.state = TASK_RUNNING;
  }
}

/** Runs a program once. */
export function runProgram(strategy: Strategy, program: Program): Kernel {
  const kernel = new Kernel({ strategy, tracing: false });
  const memory = new Memory(kernel);
  program.forEach((actions, i) => kernel.spawn(`t${i}`, memory.run(actions)));
  kernel.run();
  return kernel;
}

/**
 * Decides as another strategy does, and records the Mazurkiewicz trace of the
 * run: which steps there were, and which of those that touch one object came
 * before which. Two runs with the same trace differ in nothing that matters.
 * Objects must be there before the run.
 */
export class TraceRecorder implements Strategy, StepWatcher {
  readonly name = "recorder";
  readonly stepping = true;
  readonly timeless = true;
  readonly watcher: StepWatcher = this;
  readonly #strategy: Strategy;
  /** Contexts by who started them: numbers differ from run to run. */
  readonly #names: Map<number, string> = new Map();
  readonly #started: Map<string, number> = new Map();
  readonly #counts: Map<string, number> = new Map();
  /** For each object the last step that wrote it, and those that read since. */
  readonly #objects: Map<number, { write: string; reads: string[] }> =
    new Map();
  readonly #steps: string[][] = [];
  /** What the running step touches; known when the next one begins. */
  readonly #accesses: number[] = [];

  constructor(strategy: Strategy) {
    this.#strategy = strategy;
  }

  /** The trace, in one text; the run is over. */
  get trace(): string {
    this.#settle();
    return this.#steps.map(([step, ...links]) =>
      `${step} after ${links.sort().join()}`
    ).sort().join("\n");
  }

  pick(runnable: readonly Context[], current: number): number {
    return this.#strategy.pick(runnable, current);
  }

  choose(options: number, what: string): number {
    const option = this.#strategy.choose(options, what);
    this.#steps.at(-1)?.push(`option ${option}`);
    return option;
  }

  resumed(ctx: Context): void {
    this.#settle();
    const name = this.#names.get(ctx.id) as string;
    const count = this.#counts.get(name) ?? 0;
    this.#counts.set(name, count + 1);
    this.#steps.push([`${name}.${count}`]);
    this.#accesses.push(ctx.step);
    this.#strategy.watcher?.resumed(ctx);
  }

  enabled(ctx: Context, by: Context): void {
    if (!this.#names.has(ctx.id)) {
      const parent = this.#names.get(by.id) ?? "";
      const nth = this.#started.get(parent) ?? 0;
      this.#started.set(parent, nth + 1);
      this.#names.set(ctx.id, `${parent}/${nth}`);
    }
    this.#strategy.watcher?.enabled(ctx, by);
  }

  released(step: number): void {
    this.#strategy.watcher?.released(step);
  }

  touched(step: number): void {
    this.#accesses.push(step);
    this.#strategy.watcher?.touched(step);
  }

  notLast(ctx: Context, left: number): void {
    this.#accesses[0] = readStep(stepAddr(ctx.step));
    this.#strategy.watcher?.notLast?.(ctx, left);
  }

  #settle(): void {
    for (const step of this.#accesses) this.#touch(step);
    this.#accesses.length = 0;
  }

  #touch(step: number): void {
    const addr = stepAddr(step);
    if (addr === 0) return;
    const links = this.#steps.at(-1) as string[];
    const me = links[0] as string;
    const object = this.#objects.get(addr) ?? { write: "", reads: [] };
    links.push(`${addr}: ${object.write}`);
    if (stepKind(step) === 0) object.reads.push(me);
    else {
      links.push(...object.reads.map((read) => `${addr}: ${read}`));
      object.write = me;
      object.reads = [];
    }
    this.#objects.set(addr, object);
  }
}

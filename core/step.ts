/**
 * Steps: what a context is about to touch.
 *
 * Kernel code runs as generators. `yield` is the only place where another
 * context can run, and what is yielded says which shared object the code will
 * touch next and how. A step is a plain number, `address * 4 + kind`, so that
 * making one costs nothing.
 *
 * Code yields a step only while somebody decides about every one of them
 * (`kernel.stepping`); otherwise a context runs until it has to wait.
 *
 * @module
 */

/** The shared access that a context is about to make, as a number. */
export type Step = number;

/**
 * Code that runs in some context of the simulated kernel: yields {@link Step}s
 * and returns its result.
 */
export type Task<T> = Generator<Step, T, void>;

/** What a function may give back that usually need not wait. */
export type MaybeTask<T> = T | Task<T>;

/** The context will read the object. */
export const STEP_READ: number = 0;
/** The context will write the object, or read and modify it in one go. */
export const STEP_WRITE: number = 1;
/** The context will take the lock, and waits until that is possible. */
export const STEP_LOCK: number = 2;
/** The context gives up the processor (`schedule()`). */
export const STEP_SCHEDULE: number = 3;

/** The step of `schedule()`: it touches no object. */
export const SCHEDULE: Step = STEP_SCHEDULE;

/**
 * The step before a read of the object at `addr`.
 *
 * @param addr The object's address, from {@linkcode Kernel.newAddr}.
 * @returns The step to yield.
 *
 * @example
 * ```ts
 * import { readStep, stepAddr, stepKind, STEP_READ } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const step = readStep(7);
 * assertEquals([stepAddr(step), stepKind(step)], [7, STEP_READ]);
 * ```
 */
export function readStep(addr: number): Step {
  return addr * 4;
}

/**
 * The step before a write, or an atomic read-modify-write, of the object at
 * `addr`.
 *
 * @param addr The object's address, from {@linkcode Kernel.newAddr}.
 * @returns The step to yield.
 *
 * @example
 * ```ts
 * import { stepKind, STEP_WRITE, writeStep } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(stepKind(writeStep(7)), STEP_WRITE);
 * ```
 */
export function writeStep(addr: number): Step {
  return addr * 4 + STEP_WRITE;
}

/**
 * The address of the object that a step touches; 0 for `schedule()`.
 *
 * @param step A step.
 * @returns The address.
 *
 * @example
 * ```ts
 * import { stepAddr, writeStep } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(stepAddr(writeStep(3)), 3);
 * ```
 */
export function stepAddr(step: Step): number {
  return (step - (step & 3)) / 4;
}

/**
 * How a step touches its object: {@linkcode STEP_READ},
 * {@linkcode STEP_WRITE}, {@linkcode STEP_LOCK} or {@linkcode STEP_SCHEDULE}.
 *
 * @param step A step.
 * @returns The kind.
 *
 * @example
 * ```ts
 * import { SCHEDULE, stepKind, STEP_SCHEDULE } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(stepKind(SCHEDULE), STEP_SCHEDULE);
 * ```
 */
export function stepKind(step: Step): number {
  return step & 3;
}

/**
 * Whether the order of two steps can matter: they touch one object, and at
 * least one of them does more than read it.
 *
 * @param a A step of one context.
 * @param b A step of another.
 * @returns True when they are dependent.
 *
 * @example
 * ```ts
 * import { dependent, readStep, writeStep } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(dependent(readStep(1), writeStep(1)), true);
 * assertEquals(dependent(readStep(1), readStep(1)), false);
 * assertEquals(dependent(writeStep(1), writeStep(2)), false);
 * ```
 */
export function dependent(a: Step, b: Step): boolean {
  const addr = stepAddr(a);
  return addr !== 0 && addr === stepAddr(b) &&
    ((a & 3) !== STEP_READ || (b & 3) !== STEP_READ);
}

/** A task that has nothing to do and has ended already. */
export const NOTHING: Task<void> = nothing();
NOTHING.next();

function* nothing(): Task<void> {}

/**
 * Runs what a function gave back to its end: the value itself, or the task
 * that produces it.
 *
 * @param value A value, or a task.
 * @returns The value.
 *
 * @example
 * ```ts
 * import { finish } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(finish(3).next(), { done: true, value: 3 });
 * ```
 */
export function* finish<T extends number | boolean | void>(
  value: MaybeTask<T>,
): Task<T> {
  return typeof value === "object" ? yield* value : value;
}

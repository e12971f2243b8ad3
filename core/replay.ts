/**
 * Replay: repeats a run from its recorded choices, and says where it no longer
 * fits the program; or repeats how a run began, and goes on otherwise.
 *
 * @module
 */

import {
  type Choices,
  mixPrint,
  printDigit,
  printWhole,
  type RunPrint,
} from "./choices.ts";
import type { Context } from "./context.ts";
import { type Step, stepKind } from "./step.ts";
import { optionToIndex, type StepWatcher, type Strategy } from "./strategy.ts";

/**
 * A recorded schedule does not fit the program that it is replayed on.
 *
 * @example
 * ```ts
 * import { Kernel, replay, ReplayError } from "@endio/dio/core";
 * import { assertThrows } from "@std/assert";
 *
 * const kernel = new Kernel({ strategy: replay([{ point: 0, option: 2 }]) });
 * kernel.spawn("a", (function* () {})());
 * kernel.spawn("b", (function* () {})());
 * assertThrows(() => kernel.run(), ReplayError, "option 2 of 2");
 * ```
 */
export class ReplayError extends Error {
  /** The class, for messages. */
  override readonly name = "ReplayError";

  /**
   * The error that the program is not the one that was recorded.
   *
   * @param what What cannot be replayed, and why.
   * @returns The error; its message says what to do.
   */
  static ofChange(what: string): ReplayError {
    return new ReplayError(
      `${what}; the program is not the one that was recorded: search for the failure anew`,
    );
  }
}

/** How a schedule is replayed; see {@linkcode replay}. */
export interface ReplayOptions {
  /** What the recorded run was like; a run that is not like it is given up. */
  readonly print?: RunPrint;
  /** Who decides after the replayed choices, instead of the default order. */
  readonly then?: Strategy;
  /**
   * How many choices of the run are replayed, default ones included, before
   * `then` takes over.
   *
   * @default {up to the last one in the schedule}
   */
  readonly length?: number;
  /**
   * The name of the strategy, for reports.
   *
   * @default {"replay"}
   */
  readonly name?: string;
  /**
   * Whether the strategy that found the run was {@linkcode Strategy.timeless}.
   *
   * @default {false}
   */
  readonly timeless?: boolean;
}

/**
 * Repeats a run from its recorded choices. After the last one, contexts run
 * in the default order (the current one as long as it can, then first come,
 * first served), or as another strategy decides.
 *
 * @param choices The choices, from {@linkcode Kernel.choices} or
 * {@linkcode decodeChoices}.
 * @param options What the run was like, and how it goes on.
 * @returns The strategy, for one run.
 * @throws {ReplayError} While it runs, at the first choice from which it can
 * be told that the program is not the one that was recorded.
 *
 * @example
 * ```ts
 * import { Kernel, random, replay, type Task } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * function run(strategy = random(1)) {
 *   const kernel = new Kernel({ strategy });
 *   for (const name of ["a", "b", "c"]) {
 *     kernel.spawn(name, (function* (): Task<void> {})());
 *   }
 *   kernel.run();
 *   return kernel;
 * }
 * const { choices, print } = run();
 * const strategy = replay(choices, { print });
 * assertEquals(run(strategy).choices, choices);
 * strategy.finish();
 * ```
 *
 * @example Goes on at random after the first two choices
 * ```ts
 * import { Kernel, random, replay } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const then = random(7);
 * const strategy = replay([{ point: 1, option: 1 }], { then, length: 2 });
 * assertEquals(new Kernel({ strategy }).run().hung, null);
 * ```
 */
export function replay(
  choices: Choices,
  options: ReplayOptions = {},
): ReplayStrategy {
  return new ReplayStrategy(choices, options);
}

const CONTEXT = "which context runs";

/**
 * The strategy of {@linkcode replay}.
 *
 * @example
 * ```ts
 * import { Kernel, ReplayStrategy } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const strategy = new ReplayStrategy([]);
 * new Kernel({ strategy }).run();
 * strategy.finish();
 * assertEquals(strategy.name, "replay");
 * ```
 */
export class ReplayStrategy implements Strategy, StepWatcher {
  /** Its name, for reports. */
  readonly name: string;
  /** It decides at every step. */
  readonly stepping = true;
  /** It counts the steps. */
  readonly watcher: StepWatcher = this;
  /** Whether virtual time orders nothing. */
  readonly timeless: boolean;
  readonly #choices: Choices;
  readonly #expected: RunPrint | null;
  readonly #then: Strategy | null;
  readonly #length: number;
  /** How many deviations have been taken. */
  #taken = 0;
  /** How many choice points have passed. */
  #points = 0;
  #steps = 0;
  #print = 0;
  /** The last step up to which the run is known to be the recorded one. */
  #fitted = 0;
  /** Who follows the steps that are not replayed any more. */
  #follower: StepWatcher | undefined = undefined;

  /**
   * Use {@linkcode replay}.
   *
   * @param choices The recorded choices.
   * @param options What the run was like, and how it goes on.
   */
  constructor(choices: Choices, options: ReplayOptions = {}) {
    const { print, then, name, timeless } = options;
    const last = choices.at(-1)?.point ?? -1;
    this.#length = options.length ?? last + 1;
    this.#choices = choices.filter(({ point }) => point < this.#length);
    this.#expected = print ?? null;
    this.#then = then ?? null;
    this.name = name ?? "replay";
    this.timeless = timeless ?? then?.timeless ?? false;
  }

  /**
   * Picks the context that goes next; see {@linkcode Strategy}.
   *
   * @param runnable The contexts that can run.
   * @param current Where the one that ran last stands.
   * @returns An index into `runnable`, or what the next strategy says.
   */
  pick(runnable: readonly Context[], current: number): number {
    const options = runnable.length;
    if (this.#isOver()) {
      const then = this.#then as Strategy;
      this.#follower = then.watcher;
      return options > 1 || then.watcher !== undefined
        ? then.pick(runnable, current)
        : 0;
    }
    const option = options > 1 ? this.#next() : 0;
    if (option >= options) {
      this.#fail(CONTEXT, `option ${option} of ${options} is taken`, runnable);
    }
    const index = optionToIndex(option, current);
    const { id, step } = runnable[index] as Context;
    this.#print = mixPrint(this.#print, options, id, stepKind(step));
    if (option !== 0) this.#verify(options, CONTEXT, runnable);
    return index;
  }

  /**
   * Decides something that is not about contexts; see {@linkcode Strategy}.
   *
   * @param options How many options there are.
   * @param what What is decided.
   * @returns An option.
   */
  choose(options: number, what: string): number {
    if (this.#isOver()) return (this.#then as Strategy).choose(options, what);
    const option = this.#next();
    if (option >= options) {
      this.#fail(what, `option ${option} of ${options} is taken`);
    }
    this.#print = mixPrint(this.#print, options, 0, option & 3);
    if (option !== 0) this.#verify(options, what);
    return option;
  }

  /**
   * Ends the run: it must have made every choice of the schedule and, if that
   * is known, have come to the same end.
   *
   * @throws {ReplayError} If it has not.
   */
  finish(): void {
    const steps = this.#steps;
    const next = this.#choices[this.#taken];
    const ended =
      `the run ended at step ${steps} after ${this.#points} choices`;
    if (next !== undefined) {
      throw ReplayError.ofChange(
        `Cannot replay choice ${next.point}: ${ended}`,
      );
    }
    if (this.#then !== null && !this.#isOver()) {
      throw new ReplayError(
        `Cannot go on after ${this.#length} choices: ${ended}`,
      );
    }
    if (this.#then !== null || this.#expected === null) return;
    const expected = this.#expected;
    const sameSteps = steps === expected.steps;
    if (sameSteps && printWhole(this.#print) === expected.whole) return;
    throw ReplayError.ofChange(
      `Cannot replay to the end: the run has ${steps} steps, the recorded one ${
        sameSteps ? "as many but others" : expected.steps
      }, and they part after step ${this.#fitted}`,
    );
  }

  /**
   * A context goes on.
   *
   * @param ctx The context.
   */
  resumed(ctx: Context): void {
    this.#steps++;
    this.#follower?.resumed(ctx);
  }

  /**
   * A context was made runnable.
   *
   * @param ctx The context.
   * @param by Who did it.
   */
  enabled(ctx: Context, by: Context): void {
    this.#follower?.enabled(ctx, by);
  }

  /**
   * The running context has let go of a lock.
   *
   * @param step The step of the lock.
   */
  released(step: Step): void {
    this.#follower?.released(step);
  }

  /**
   * The running context touches one more object.
   *
   * @param step The access.
   */
  touched(step: Step): void {
    this.#follower?.touched(step);
  }

  /**
   * The running step dropped one of several references.
   *
   * @param ctx The context.
   * @param left How many references are left.
   */
  notLast(ctx: Context, left: number): void {
    this.#follower?.notLast?.(ctx, left);
  }

  #isOver(): boolean {
    return this.#then !== null && this.#points >= this.#length;
  }

  /** The option that the schedule takes at the next choice point. */
  #next(): number {
    const deviation = this.#choices[this.#taken];
    if (deviation?.point !== this.#points++) return 0;
    this.#taken++;
    return deviation.option;
  }

  /** The run must still be the recorded one at the deviation just taken. */
  #verify(options: number, what: string, runnable?: readonly Context[]): void {
    const expected = this.#expected?.deviations[this.#taken - 1];
    if (expected !== undefined && expected !== printDigit(this.#print)) {
      const where =
        `the run parts from the recorded one after step ${this.#fitted}`;
      this.#fail(what, `${where}, and has ${options} options here`, runnable);
    }
    this.#fitted = this.#steps;
  }

  #fail(what: string, why: string, runnable: readonly Context[] = []): never {
    const list = runnable.map(({ label }) => label).join(", ");
    throw ReplayError.ofChange(
      `Cannot replay choice ${
        this.#points - 1
      } at step ${this.#steps} (${what}): ${why}${list && `: ${list}`}`,
    );
  }
}

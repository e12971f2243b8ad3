/**
 * Strategies: who decides which runnable context goes next.
 *
 * @module
 */

import { Prng } from "./prng.ts";
import type { Context } from "./context.ts";
import type { Choices } from "./choices.ts";
import type { Step } from "./step.ts";

/** Follows a run step by step. */
export interface StepWatcher {
  /**
   * A context goes on; `ctx.step` is what it touches first.
   *
   * @param ctx The context.
   */
  resumed(ctx: Context): void;
  /**
   * A context was made runnable: started or woken.
   *
   * @param ctx The context.
   * @param by Who did it: the running one or, outside a run, the boot context.
   */
  enabled(ctx: Context, by: Context): void;
  /**
   * The running context has let go of a lock.
   *
   * @param step The step of the lock.
   */
  released(step: Step): void;
  /**
   * The running context touches one more object.
   *
   * @param step The access.
   */
  touched(step: Step): void;
}

/**
 * Decides every choice of a run. One object drives one run.
 */
export interface Strategy {
  /** Its name, for reports: `fifo`, `random-7`. */
  readonly name: string;
  /**
   * Whether it wants to decide at every step. If not, a context runs until it
   * has to wait, and steps cost nothing.
   */
  readonly stepping: boolean;
  /** Follows the run, if anybody does. */
  readonly watcher?: StepWatcher;
  /**
   * Whether virtual time orders nothing: what is due later may happen at any
   * time.
   *
   * @default {false}
   */
  readonly timeless?: boolean;
  /**
   * Picks the context that goes next.
   *
   * @param runnable The contexts that can run, in the order in which they
   * became runnable; at least two, or one if somebody follows the run.
   * @param current Where the one that ran last stands in `runnable`, or -1
   * when it cannot go on.
   * @returns An index into `runnable`, or -1 to end the run here.
   */
  pick(runnable: readonly Context[], current: number): number;
  /**
   * Decides something that is not about contexts: whether an open fault
   * strikes.
   *
   * @param options How many options there are, at least two; 0 is the
   * ordinary one.
   * @param what What is decided, for reports.
   * @returns An option.
   */
  choose(options: number, what: string): number;
}

/**
 * First come, first served: a context runs until it has to wait, and nothing
 * goes wrong that was left open. The fastest strategy, and the default.
 *
 * @returns The strategy.
 *
 * @example
 * ```ts
 * import { fifo } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(fifo().stepping, false);
 * ```
 */
export function fifo(): Strategy {
  return FIFO;
}

const FIFO: Strategy = {
  name: "fifo",
  stepping: false,
  pick: (_runnable, current) => Math.max(current, 0),
  choose: () => 0,
};

/**
 * A uniformly random choice at every step.
 *
 * @param seed The seed; the same seed gives the same run.
 * @returns The strategy, for one run.
 *
 * @example
 * ```ts
 * import { Kernel, random } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel({ strategy: random(7) });
 * assertEquals(kernel.strategy.name, "random-7");
 * ```
 */
export function random(seed: number): Strategy {
  return new RandomStrategy(seed);
}

class RandomStrategy implements Strategy {
  readonly name: string;
  readonly stepping = true;
  readonly #prng: Prng;

  constructor(seed: number) {
    this.name = `random-${seed}`;
    this.#prng = new Prng(seed);
  }

  pick(runnable: readonly Context[]): number {
    return this.#prng.below(runnable.length);
  }

  choose(options: number): number {
    return this.#prng.below(options);
  }
}

/**
 * A recorded schedule does not fit the program that it is replayed on.
 *
 * @example
 * ```ts
 * import { ReplayError } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new ReplayError("Cannot replay choice 3").name, "ReplayError");
 * ```
 */
export class ReplayError extends Error {
  /** The class, for messages. */
  override readonly name = "ReplayError";
}

/**
 * Repeats a run from its recorded choices. After the last one, contexts run
 * in the default order (the current one as long as it can, then first come,
 * first served).
 *
 * @param choices The choices, from {@linkcode Kernel.choices} or
 * {@linkcode decodeChoices}.
 * @returns The strategy, for one run.
 * @throws {ReplayError} While it runs, if a choice names an option that is
 * not there: the program is not the one that was recorded.
 *
 * @example
 * ```ts
 * import { decodeChoices, Kernel, replay } from "@endio/dio/core";
 *
 * const kernel = new Kernel({ strategy: replay(decodeChoices("I")) });
 * kernel.run();
 * ```
 */
export function replay(choices: Choices): Strategy {
  return new ReplayStrategy(choices);
}

class ReplayStrategy implements Strategy {
  readonly name = "replay";
  readonly stepping = true;
  readonly #choices: Choices;
  #next = 0;
  #point = 0;

  constructor(choices: Choices) {
    this.#choices = choices;
  }

  pick(runnable: readonly Context[], current: number): number {
    const option = this.choose(runnable.length, "which context runs");
    return optionToIndex(option, current);
  }

  choose(options: number, what: string): number {
    const deviation = this.#choices[this.#next];
    if (deviation === undefined || deviation.point !== this.#point++) return 0;
    this.#next++;
    if (deviation.option >= options) {
      throw new ReplayError(
        `Cannot replay choice ${deviation.point} (${what}): the schedule takes option ${deviation.option} of ${options}; it was recorded on another program`,
      );
    }
    return deviation.option;
  }
}

/**
 * The option number of a context: 0 is the default one, that is the current
 * context if it can go on, else the first; the others follow in order.
 *
 * @param index The context's place among the runnable ones.
 * @param current The place of the current context, or -1.
 * @returns The option number.
 *
 * @example
 * ```ts
 * import { indexToOption } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([0, 1, 2].map((i) => indexToOption(i, 1)), [1, 0, 2]);
 * ```
 */
export function indexToOption(index: number, current: number): number {
  if (current < 0 || index > current) return index;
  return index === current ? 0 : index + 1;
}

/**
 * The inverse of {@linkcode indexToOption}.
 *
 * @param option The option number.
 * @param current The place of the current context, or -1.
 * @returns The context's place among the runnable ones.
 *
 * @example
 * ```ts
 * import { optionToIndex } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([1, 0, 2].map((o) => optionToIndex(o, 1)), [0, 1, 2]);
 * ```
 */
export function optionToIndex(option: number, current: number): number {
  if (current < 0 || option > current) return option;
  return option === 0 ? current : option - 1;
}

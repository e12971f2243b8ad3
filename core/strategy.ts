/**
 * Strategies: who decides which runnable context goes next.
 *
 * @module
 */

import { Prng } from "./prng.ts";
import type { Context } from "./context.ts";
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
  /**
   * The running step dropped one of several references on the object of its
   * own access, and learned only that this was not the last one.
   *
   * @param ctx The context.
   * @param left How many references are left.
   */
  notLast?(ctx: Context, left: number): void;
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
  /**
   * Called by whoever runs a program to its end, when it has come there.
   *
   * @throws {Error} If the run was not what the strategy was made for.
   */
  finish?(): void;
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

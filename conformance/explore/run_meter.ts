/**
 * How long the runs of a program are, as {@linkcode pct} counts.
 *
 * @module
 */

import { type Context, random, type Strategy } from "../../core/mod.ts";

/** How long a run is. */
export interface RunLength {
  /** How often one of several contexts was picked. */
  readonly steps: number;
  /** How many contexts there were. */
  readonly contexts: number;
}

/** Random runs by which the length of runs is estimated. */
const SAMPLE = 32;

/** A strategy that decides as another one does, and measures the run. */
export class RunMeter implements Strategy {
  /** The other one's name. */
  readonly name: string;
  /** It decides at every step. */
  readonly stepping = true;
  /** Whether virtual time orders nothing. */
  readonly timeless: boolean;
  readonly #strategy: Strategy;
  #steps = 0;
  #contexts = 1;

  /**
   * Measures one run.
   *
   * @param strategy Who decides; one that follows no steps.
   */
  constructor(strategy: Strategy) {
    this.name = strategy.name;
    this.timeless = strategy.timeless ?? false;
    this.#strategy = strategy;
  }

  /** How long the run has been so far. */
  get length(): RunLength {
    return { steps: this.#steps, contexts: this.#contexts };
  }

  /**
   * Picks the context that goes next; see {@linkcode Strategy}.
   *
   * @param runnable The contexts that can run.
   * @param current Where the one that ran last stands.
   * @returns An index into `runnable`.
   */
  pick(runnable: readonly Context[], current: number): number {
    this.#steps++;
    // Contexts are numbered in the order in which they start; the boot
    // context, which is never picked, is 1.
    for (let i = 0; i < runnable.length; i++) {
      const { id } = runnable[i] as Context;
      if (id > this.#contexts + 1) this.#contexts = id - 1;
    }
    return this.#strategy.pick(runnable, current);
  }

  /**
   * Decides something that is not about contexts; see {@linkcode Strategy}.
   *
   * @param options How many options there are.
   * @param what What is decided.
   * @returns An option.
   */
  choose(options: number, what: string): number {
    return this.#strategy.choose(options, what);
  }
}

/**
 * Estimates how long the runs of a program are: the longest of a few random
 * ones. The same program and seed give the same estimate.
 *
 * @param run Runs the program once.
 * @param seed Seed of the first run.
 * @returns The most steps and the most contexts that a run had.
 *
 * @example
 * ```ts
 * import { measureRuns } from "@endio/dio/conformance";
 * import { Kernel, SCHEDULE, type Task } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const length = measureRuns((strategy) => {
 *   const kernel = new Kernel({ strategy });
 *   for (const name of ["a", "b", "c"]) {
 *     kernel.spawn(name, (function* (): Task<void> {})());
 *   }
 *   kernel.run();
 * });
 * assertEquals(length, { steps: 2, contexts: 3 });
 * ```
 */
export function measureRuns(
  run: (strategy: Strategy) => void,
  seed: number = 1,
): RunLength {
  let steps = 1;
  let contexts = 1;
  for (let i = 0; i < SAMPLE; i++) {
    const meter = new RunMeter(random(seed + i));
    run(meter);
    steps = Math.max(steps, meter.length.steps);
    contexts = Math.max(contexts, meter.length.contexts);
  }
  return { steps, contexts };
}

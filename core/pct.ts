/**
 * Probabilistic concurrency testing: random priorities, and a few random
 * points at which the running context loses its own.
 *
 * Burckhardt, Kothari, Musuvathi and Nagarakatte, "A randomized scheduler with
 * probabilistic guarantees of finding bugs" (ASPLOS 2010).
 *
 * @module
 */

import type { Context } from "./context.ts";
import { Prng } from "./prng.ts";
import { SCHEDULE } from "./step.ts";
import type { Strategy } from "./strategy.ts";

/** What a run is expected to be like. */
export interface PctOptions {
  /** The seed; the same seed gives the same run. */
  readonly seed: number;
  /**
   * The depth of the bugs that are looked for: how many orderings have to
   * come together, one more than the preemptions that a bug needs.
   */
  readonly depth: number;
  /** How many steps a run has, at most. */
  readonly steps: number;
}

/**
 * Picks the runnable context with the highest priority. Every context gets a
 * random one when it is first seen; at `depth - 1` random steps the context
 * that would run drops below all others. So does one that gives up the
 * processor of itself: it may be waiting for somebody whom it keeps from
 * running.
 *
 * A bug of that depth is found by one run with at least the probability that
 * {@linkcode pctProbability} tells, whatever the program.
 *
 * @param options Seed, depth, and length of a run.
 * @returns The strategy, for one run.
 * @throws {RangeError} If depth or steps is less than 1.
 *
 * @example
 * ```ts
 * import { Kernel, pct } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const strategy = pct({ seed: 7, depth: 3, steps: 100 });
 * assertEquals(new Kernel({ strategy }).strategy.name, "pct-7-3");
 * ```
 */
export function pct(options: PctOptions): Strategy {
  return new PctStrategy(options);
}

/**
 * The least probability that one run of {@linkcode pct} finds a bug:
 * `1 / (contexts * steps^(depth - 1))`.
 *
 * @param contexts How many contexts a run has.
 * @param steps How many steps a run has, at most.
 * @param depth The depth of the bug.
 * @returns A probability.
 *
 * @example
 * ```ts
 * import { pctProbability } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(pctProbability(4, 50, 2), 1 / 200);
 * ```
 */
export function pctProbability(
  contexts: number,
  steps: number,
  depth: number,
): number {
  return 1 / (contexts * steps ** (depth - 1));
}

class PctStrategy implements Strategy {
  readonly name: string;
  readonly stepping = true;
  readonly #prng: Prng;
  readonly #changes: Set<number> = new Set();
  readonly #priorities: Map<number, number> = new Map();
  #step = 0;
  #lowest = 0;
  /** Who was picked last. */
  #last: Context | null = null;

  constructor({ seed, depth, steps }: PctOptions) {
    if (!(depth >= 1) || !(steps >= 1)) {
      throw new RangeError(
        `Cannot make pct strategy: depth ${depth} and steps ${steps} must be 1 or more`,
      );
    }
    this.name = `pct-${seed}-${depth}`;
    this.#prng = new Prng(seed);
    const changes = Math.min(depth - 1, steps);
    while (this.#changes.size < changes) {
      this.#changes.add(this.#prng.below(steps));
    }
  }

  pick(runnable: readonly Context[]): number {
    const last = this.#last;
    if (last !== null && gaveUp(last) && runnable.includes(last)) {
      this.#lower(last);
    }
    let index = this.#highest(runnable);
    if (this.#changes.has(this.#step++)) {
      this.#lower(runnable[index] as Context);
      index = this.#highest(runnable);
    }
    this.#last = runnable[index] as Context;
    return index;
  }

  choose(options: number): number {
    return this.#prng.below(options);
  }

  #lower({ id }: Context): void {
    this.#priorities.set(id, --this.#lowest);
  }

  #highest(runnable: readonly Context[]): number {
    let best = 0;
    for (let i = 1; i < runnable.length; i++) {
      const [a, b] = [runnable[i] as Context, runnable[best] as Context];
      if (this.#priority(a) > this.#priority(b)) best = i;
    }
    return best;
  }

  #priority({ id }: Context): number {
    let priority = this.#priorities.get(id);
    if (priority === undefined) {
      priority = this.#prng.next();
      this.#priorities.set(id, priority);
    }
    return priority;
  }
}

/** Whether a context called schedule() without having to wait. */
function gaveUp({ step, waitingOn }: Context): boolean {
  return step === SCHEDULE && waitingOn === null;
}

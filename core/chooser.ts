/**
 * Asks the strategy, and keeps what it decided.
 *
 * @module
 */

import type { Deviation } from "./choices.ts";
import type { Context } from "./context.ts";
import { indexToOption, type Strategy } from "./strategy.ts";

/** The choices of one run. */
export class Chooser {
  /** The strategy. */
  readonly strategy: Strategy;
  /** The choices so far that were not the default ones. */
  readonly deviations: Deviation[] = [];
  #points = 0;

  constructor(strategy: Strategy) {
    this.strategy = strategy;
  }

  /**
   * Which of the runnable contexts goes next; `last` is the one that ran.
   * Undefined ends the run.
   */
  pick(
    runnable: readonly Context[],
    last: Context | null,
  ): Context | undefined {
    const current = last === null ? -1 : runnable.indexOf(last);
    let index = Math.max(current, 0);
    const { stepping, watcher } = this.strategy;
    if (stepping && (runnable.length > 1 || watcher !== undefined)) {
      index = this.strategy.pick(runnable, current);
      if (runnable.length > 1) this.#note(indexToOption(index, current));
    }
    return runnable[index];
  }

  /** Decides something that is not about contexts. */
  choose(options: number, what: string): number {
    if (options < 2) return 0;
    const option = this.strategy.choose(options, what);
    this.#note(option);
    return option;
  }

  #note(option: number): void {
    const point = this.#points++;
    if (option !== 0) this.deviations.push({ point, option });
  }
}

/**
 * Asks the strategy, and keeps what it decided.
 *
 * @module
 */

import {
  type Deviation,
  mixPrint,
  printDigit,
  printWhole,
  type RunPrint,
} from "./choices.ts";
import type { Context } from "./context.ts";
import { stepKind } from "./step.ts";
import { indexToOption, type Strategy } from "./strategy.ts";

/** The choices of one run. */
export class Chooser {
  /** The strategy. */
  readonly strategy: Strategy;
  /** The choices so far that were not the default ones. */
  readonly deviations: Deviation[] = [];
  readonly #digits: number[] = [];
  #points = 0;
  #print = 0;

  constructor(strategy: Strategy) {
    this.strategy = strategy;
  }

  /** What the run was like, when it has had so many steps. */
  print(steps: number): RunPrint {
    return { steps, deviations: this.#digits, whole: printWhole(this.#print) };
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
    const { stepping, watcher } = this.strategy;
    if (!stepping) return runnable[Math.max(current, 0)];
    const options = runnable.length;
    const index = options > 1 || watcher !== undefined
      ? this.strategy.pick(runnable, current)
      : 0;
    const ctx = runnable[index];
    if (ctx === undefined) return undefined;
    this.#print = mixPrint(this.#print, options, ctx.id, stepKind(ctx.step));
    if (options > 1) this.#note(indexToOption(index, current));
    return ctx;
  }

  /** Decides something that is not about contexts. */
  choose(options: number, what: string): number {
    if (options < 2) return 0;
    const option = this.strategy.choose(options, what);
    this.#print = mixPrint(this.#print, options, 0, option & 3);
    this.#note(option);
    return option;
  }

  #note(option: number): void {
    const point = this.#points++;
    if (option === 0) return;
    this.deviations.push({ point, option });
    this.#digits.push(printDigit(this.#print));
  }
}

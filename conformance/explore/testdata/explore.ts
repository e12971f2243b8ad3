/**
 * Runs a program under every order, reduced or not.
 *
 * @module
 */

import type { Strategy } from "../../../core/mod.ts";
import { ExhaustiveStrategy } from "../dpor.ts";

/**
 * What all runs come to, and how many there are.
 *
 * @param reduce Whether runs are left out that make no difference.
 * @param run Runs the program once; gives what it came to.
 * @param limit How many runs are too many.
 * @returns Null when there are.
 */
export function explore(
  reduce: boolean,
  run: (strategy: Strategy) => string,
  limit: number = Infinity,
): { outcomes: string[]; schedules: number } | null {
  const strategy = new ExhaustiveStrategy({ reduce });
  const outcomes = new Set<string>();
  do {
    strategy.begin();
    const outcome = run(strategy);
    if (!strategy.blocked) outcomes.add(outcome);
    if (strategy.schedules > limit) return null;
  } while (strategy.end());
  return { outcomes: [...outcomes].sort(), schedules: strategy.schedules };
}

/**
 * Where the trunk of an exploration has to end, so that there are enough units
 * to be shared out, and none of them holds nearly everything.
 *
 * @module
 */

import { ExhaustiveStrategy } from "./dpor.ts";

/** A trunk; see {@linkcode Part}. */
export interface Split {
  /** How many branchings a level has. */
  readonly depth: number;
  /** For each level, which of its ends the next one goes on. */
  readonly levels: readonly (readonly number[])[];
  /** How many units there are. */
  readonly units: number;
}

/** No trunk: everything is one unit. */
export const UNDIVIDED: Split = { depth: 0, levels: [], units: 1 };

/** Large units that there should be, at least, if there are as many. */
export const DEFAULT_UNITS = 64;
/** Branchings of a level. */
const DEPTH = 4;
/** A unit with more runs than this is large. */
const LARGE = 8;

/**
 * Finds a trunk that has enough units with more than a few runs, or many of
 * any size. It depends on nothing but the program, the bound, and how many
 * units there are to be.
 *
 * @param run Runs the program once.
 * @param options How many preemptions a run has at most, and how many large
 * units there should be.
 * @returns The trunk.
 *
 * @example
 * ```ts
 * import { findSplit } from "@endio/dio/conformance";
 * import { Kernel, type Task, writeStep } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const split = findSplit((strategy) => {
 *   const kernel = new Kernel({ strategy });
 *   const addr = kernel.newAddr();
 *   for (let i = 0; i < 5; i++) {
 *     kernel.spawn(`writer ${i}`, (function* (): Task<void> {
 *       yield writeStep(addr);
 *     })());
 *   }
 *   kernel.run();
 * }, { units: 3 });
 * assertEquals(split.units > 3, true);
 * ```
 */
export function findSplit(
  run: (strategy: ExhaustiveStrategy) => void,
  options: { readonly bound?: number; readonly units?: number } = {},
): Split {
  const { bound = Infinity, units = DEFAULT_UNITS } = options;
  const levels: number[][] = [];
  for (;;) {
    const probe = probeLevel(run, bound, levels);
    const { large } = probe;
    if (
      large.length === 0 || Math.max(large.length, probe.units / 8) >= units
    ) {
      return { depth: DEPTH, levels, units: probe.units };
    }
    levels.push(large);
  }
}

/** Finds the large units behind the last level, and counts all units. */
function probeLevel(
  run: (strategy: ExhaustiveStrategy) => void,
  bound: number,
  levels: readonly (readonly number[])[],
): { large: number[]; units: number } {
  const large: number[] = [];
  let at = -1;
  let runs = 0;
  const part = {
    depth: DEPTH,
    levels: levels.map((ends) => new Set(ends)),
    owns: (_unit: number, level: number, end: number): boolean => {
      at = end;
      runs = 0;
      return level === levels.length;
    },
  };
  const strategy = new ExhaustiveStrategy({ bound, part });
  let more = true;
  while (more) {
    strategy.begin();
    run(strategy);
    more = strategy.end();
    if (strategy.isForeign || ++runs <= LARGE) continue;
    large.push(at);
    more = strategy.leaveUnit();
  }
  return { large, units: strategy.units };
}

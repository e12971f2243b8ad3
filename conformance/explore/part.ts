/**
 * Parts of an exploration that can be run apart from each other: together they
 * are the whole, and no two of them have a run in common.
 *
 * The runs begin in a trunk. In its states every way to go on is tried, save
 * for contexts that sleep, so that the trunk is the same for all parts: what
 * has to be run the other way round for a race further on has its branch in
 * the trunk already. What is behind an end of the trunk is a unit. Units are
 * numbered in the order in which they are met, and a part runs some of them;
 * of the others it sees only how they begin.
 *
 * The trunk has levels. Each goes on from ends of the one before, where there
 * is more behind them than behind others, until some more states have been
 * passed that have more than one way to go on.
 *
 * @module
 */

/**
 * Which part of an exploration is run.
 *
 * @example The odd units of a trunk of three branchings
 * ```ts
 * import { ExhaustiveStrategy, type Part } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * const part: Part = {
 *   depth: 3,
 *   levels: [],
 *   owns: (unit) => unit % 2 === 1,
 * };
 * const strategy = new ExhaustiveStrategy({ part });
 * assertEquals(strategy.units, 0);
 * ```
 */
export interface Part {
  /**
   * How many states with more than one way to go on a level of the trunk has.
   */
  readonly depth: number;
  /** For each level, which of its ends, counted from 0, the next goes on. */
  readonly levels: readonly ReadonlySet<number>[];
  /**
   * Whether a unit is run.
   *
   * @param unit Its number, from 0.
   * @param level The level of the trunk that it is behind, or -1 for a run that
   * ended in the trunk.
   * @param end Behind which end of that level.
   */
  owns(unit: number, level: number, end: number): boolean;
}

/** One of several shards: those that have the same `count` are the whole. */
export interface Shard {
  /** Which one, from 0. */
  readonly index: number;
  /** How many there are. */
  readonly count: number;
}

/** Everything. */
export const WHOLE: Shard = { index: 0, count: 1 };

/**
 * How many of the first `items` belong to a shard; they are dealt out in turn.
 *
 * @param items How many there are.
 * @param shard The shard.
 * @returns How many are its own.
 *
 * @example
 * ```ts
 * import { shareOf } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * const shares = [0, 1, 2].map((index) => shareOf(8, { index, count: 3 }));
 * assertEquals(shares, [3, 3, 2]);
 * ```
 */
export function shareOf(items: number, { index, count }: Shard): number {
  return Math.max(0, Math.ceil((items - index) / count));
}

/**
 * A shard of a shard: every shard can be divided again.
 *
 * @param shard What is divided.
 * @param index Which piece of it, from 0.
 * @param count Into how many pieces.
 * @returns The piece, as a shard of the whole.
 *
 * @example
 * ```ts
 * import { subShard } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(subShard({ index: 1, count: 3 }, 1, 2), { index: 4, count: 6 });
 * ```
 */
export function subShard(shard: Shard, index: number, count: number): Shard {
  return {
    index: shard.index + index * shard.count,
    count: shard.count * count,
  };
}

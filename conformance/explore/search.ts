/**
 * How the schedules of a scenario are looked for: all of them, or some at
 * random. A search gives one strategy after the other, can be written down
 * between two runs, and gone on with.
 *
 * @module
 */

import { pct, pctProbability, random, type Strategy } from "../../core/mod.ts";
import { ExhaustiveStrategy } from "./dpor.ts";
import { type RunLength, RunMeter } from "./run_meter.ts";
import { type Shard, shareOf } from "./part.ts";
import type { SavedExploration } from "./saved.ts";
import { type Split, UNDIVIDED } from "./split.ts";

/** Every order that can make a difference. */
export interface ExhaustiveSearch {
  /** The kind of search. */
  readonly strategy: "exhaustive";
  /**
   * How many preemptions a run has at most.
   *
   * @default {no limit}
   */
  readonly bound?: number;
  /**
   * The trunk, which says what shards there are: that of {@linkcode findSplit}.
   *
   * @default {none: everything is in shard 0}
   */
  readonly split?: Split;
}

/** Orders at random. */
export interface RandomSearch {
  /** The kind of search. */
  readonly strategy: "random";
  /**
   * Seed of the first run; the next ones follow.
   *
   * @default {1}
   */
  readonly seed?: number;
}

/** Orders at random, with few preemptions: {@linkcode pct}. */
export interface PctSearch {
  /** The kind of search. */
  readonly strategy: "pct";
  /**
   * Seed of the first run; the next ones follow.
   *
   * @default {1}
   */
  readonly seed?: number;
  /** How many orderings the bugs need that are looked for. */
  readonly depth: number;
  /** How long runs are expected to be: what {@linkcode measureRuns} gave. */
  readonly length: RunLength;
}

/** How schedules are looked for. */
export type Search = ExhaustiveSearch | RandomSearch | PctSearch;

/** What is known of samples that were drawn with {@linkcode pct}. */
export interface PctOdds {
  /** How many orderings the bugs need that are looked for. */
  readonly depth: number;
  /** How many steps a run was expected to have at most. */
  readonly steps: number;
  /** How many contexts a run had, at most. */
  readonly contexts: number;
  /** How many runs were longer than expected: nothing is stated of them. */
  readonly longer: number;
  /** The least probability that one of the others finds such a bug. */
  readonly probability: number;
}

/** A search between two runs. */
export type SavedSearch =
  | {
    readonly strategy: "exhaustive";
    /** Null before the first run. */
    readonly exploration: SavedExploration | null;
    readonly isDone: boolean;
  }
  | {
    readonly strategy: "random" | "pct";
    /** How many runs of the shard there were. */
    readonly runs: number;
    readonly contexts: number;
    readonly longer: number;
  };

/** One search. */
export interface Searcher {
  /** Runs that were given up because they could only repeat another one. */
  readonly pruned: number;
  /** Runs that are known to be left, at least; null when nobody can know. */
  readonly left: number | null;
  /** Whether runs were left out for their preemptions. */
  readonly hitBound: boolean;
  /** The chances of what was drawn, if they can be stated. */
  readonly odds: PctOdds | null;
  /** Whether there is another run. */
  readonly hasNext: boolean;
  /** The strategy of the next run; there must be one. */
  begin(): Strategy;
  /** The run has ended. Tells whether it counts. */
  end(): boolean;
  /** What is needed to go on later. */
  save(): SavedSearch;
}

/**
 * Makes a search.
 *
 * @param search How schedules are looked for.
 * @param shard Which of them.
 * @param saved What {@linkcode Searcher.save} gave, to go on from there.
 * @returns The search.
 */
export function searcherOf(
  search: Search,
  shard: Shard,
  saved?: SavedSearch,
): Searcher {
  return search.strategy === "exhaustive"
    ? new Explorer(search, shard, saved)
    : new Sampler(search, shard, saved);
}

/** Runs every order of a shard. */
class Explorer implements Searcher {
  readonly odds = null;
  #hasNext = true;
  readonly #strategy: ExhaustiveStrategy;
  readonly #units: number;
  readonly #shard: Shard;

  constructor(
    { bound, split = UNDIVIDED }: ExhaustiveSearch,
    shard: Shard,
    saved?: SavedSearch,
  ) {
    const { index, count } = shard;
    const resume = saved?.strategy === "exhaustive" ? saved : null;
    this.#hasNext = !resume?.isDone;
    this.#units = split.units;
    this.#shard = shard;
    this.#strategy = new ExhaustiveStrategy({
      part: {
        depth: split.depth,
        levels: split.levels.map((ends) => new Set(ends)),
        owns: (unit) => unit % count === index,
      },
      ...(bound !== undefined && { bound }),
      ...(resume?.exploration && { resume: resume.exploration }),
    });
  }

  get hasNext(): boolean {
    return this.#hasNext;
  }

  get pruned(): number {
    return this.#strategy.pruned;
  }

  get hitBound(): boolean {
    return this.#strategy.hitBound;
  }

  get left(): number {
    if (!this.#hasNext) return 0;
    const { units, left } = this.#strategy;
    // Units are counted when they begin.
    const begun = shareOf(units, this.#shard);
    return left + Math.max(0, shareOf(this.#units, this.#shard) - begun);
  }

  begin(): Strategy {
    this.#strategy.begin();
    return this.#strategy;
  }

  end(): boolean {
    this.#hasNext = this.#strategy.end();
    return !this.#strategy.blocked;
  }

  save(): SavedSearch {
    const isDone = !this.#hasNext;
    return {
      strategy: "exhaustive",
      exploration: this.#strategy.save(),
      isDone,
    };
  }
}

/** Runs some orders, one for each seed of a shard. */
class Sampler implements Searcher {
  readonly pruned = 0;
  readonly left = null;
  readonly hitBound = false;
  readonly hasNext = true;
  readonly #search: RandomSearch | PctSearch;
  readonly #shard: Shard;
  #runs = 0;
  #contexts = 0;
  #longer = 0;
  #meter: RunMeter | null = null;

  constructor(
    search: RandomSearch | PctSearch,
    shard: Shard,
    saved?: SavedSearch,
  ) {
    this.#search = search;
    this.#shard = shard;
    if (saved === undefined || saved.strategy === "exhaustive") return;
    this.#runs = saved.runs;
    this.#contexts = saved.contexts;
    this.#longer = saved.longer;
  }

  get odds(): PctOdds | null {
    if (this.#search.strategy !== "pct") return null;
    const { depth, length } = this.#search;
    return oddsOf(
      depth,
      length.steps,
      Math.max(this.#contexts, length.contexts),
      this.#longer,
    );
  }

  begin(): Strategy {
    const { strategy, seed: first = 1 } = this.#search;
    const { index, count } = this.#shard;
    const seed = first + index + this.#runs * count;
    if (strategy === "random") return random(seed);
    const { depth, length } = this.#search;
    const { steps } = length;
    return this.#meter = new RunMeter(pct({ seed, depth, steps }));
  }

  end(): boolean {
    this.#runs++;
    if (this.#search.strategy === "pct" && this.#meter !== null) {
      const { steps, contexts } = this.#meter.length;
      this.#contexts = Math.max(this.#contexts, contexts);
      if (steps > this.#search.length.steps) this.#longer++;
    }
    return true;
  }

  save(): SavedSearch {
    return {
      strategy: this.#search.strategy,
      runs: this.#runs,
      contexts: this.#contexts,
      longer: this.#longer,
    };
  }
}

/** States the chances of a sample. */
export function oddsOf(
  depth: number,
  steps: number,
  contexts: number,
  longer: number,
): PctOdds {
  const probability = pctProbability(contexts, steps, depth);
  return { depth, steps, contexts, longer, probability };
}

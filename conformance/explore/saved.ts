/**
 * An exploration as data, to be written down and gone on with later.
 *
 * @module
 */

/** A choice inside a step: how many options it has, and which one is taken. */
export type SavedChoice = readonly [options: number, taken: number];

/** A state in which one of several contexts goes on. */
export interface SavedNode {
  /** Contexts that can go on. */
  readonly enabled: readonly number[];
  /** Those that are to be tried. */
  readonly backtrack: readonly number[];
  /** Those that have been tried. */
  readonly tried: readonly number[];
  /** Those that sleep, each with what its step touches. */
  readonly sleep: readonly number[];
  /** The one that goes on in the next run. */
  readonly chosen: number;
  /** The one that can go on without a preemption, or -1. */
  readonly current: number;
  /** Preemptions before it. */
  readonly preemptions: number;
  /** Whether it has more than one way to go on. */
  readonly branches: boolean;
  /** States before it that have, on its level of the trunk. */
  readonly branchings: number;
  /** Its level of the trunk. */
  readonly level: number;
  /** Whether it is in a unit. */
  readonly isInUnit: boolean;
  /** What the step of `chosen` touched under other choices. */
  readonly formerAccesses: readonly number[];
  /** Whether it let go of a lock that it had before. */
  readonly freed: boolean;
  /** What is decided inside the step. */
  readonly choices: readonly SavedChoice[];
}

/** How many units were begun. */
export interface SavedTrunk {
  /** Units, also those of other parts. */
  readonly units: number;
  /** Ends of each level of the trunk. */
  readonly ends: readonly number[];
}

/** An exploration between two runs: what was run, and what comes next. */
export interface SavedExploration {
  /** Runs that came to their end. */
  readonly schedules: number;
  /** Runs that were given up. */
  readonly pruned: number;
  /** Whether runs were left out for their preemptions. */
  readonly hitBound: boolean;
  /** Where the counting of units stands; null when there are no parts. */
  readonly trunk: SavedTrunk | null;
  /** What is decided outside of any step. */
  readonly outside: readonly SavedChoice[];
  /** The states of the next run, from its first on. */
  readonly nodes: readonly SavedNode[];
}

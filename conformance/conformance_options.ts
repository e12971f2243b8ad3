/**
 * How a model is checked, and what that comes to.
 *
 * @module
 */

import type { ProfileName } from "../core/mod.ts";
import type { Rule, Violation } from "./rule.ts";
import type { RunOptions, RunReport } from "./run.ts";
import type { Scenario } from "./scenario.ts";
import type { Shrunk } from "./shrink/shrink.ts";

/**
 * How a model is checked; see {@linkcode checkConformance}. Budgets are for
 * each scenario.
 */
export interface ConformanceOptions {
  /**
   * Whose semantics are in force.
   *
   * @default {"v3.12"}
   */
  readonly profile?: ProfileName;
  /**
   * How many schedules are run at most to cover every order that can make a
   * difference. A scenario that needs more is sampled as well. 0 for none.
   *
   * @default {1000}
   */
  readonly exhaustive?: number;
  /**
   * How many preemptions a schedule has at most that is run to cover every
   * order: how often a context that could go on has to let another one go.
   * What is left out by that makes a scenario bounded.
   *
   * @default {no limit}
   */
  readonly preemptions?: number;
  /**
   * How many random schedules a sampled scenario is run under, besides the
   * default one.
   *
   * @default {50, or no limit with `seconds`}
   */
  readonly runs?: number;
  /**
   * For how long a scenario is run at most, in seconds: what is not covered
   * exhaustively by then is sampled until then.
   *
   * @default {no limit}
   */
  readonly seconds?: number;
  /**
   * Samples with {@linkcode pct} instead of {@linkcode random}: how many
   * orderings have to come together for the bugs that are looked for, one more
   * than the preemptions they need.
   */
  readonly depth?: number;
  /**
   * Seed of the first random schedule; the next ones follow.
   *
   * @default {1}
   */
  readonly seed?: number;
  /**
   * The scenarios.
   *
   * @default {all}
   */
  readonly scenarios?: readonly Scenario[];
  /**
   * The rules that are checked.
   *
   * @default {all}
   */
  readonly rules?: readonly Rule[];
  /**
   * Tokens of runs to begin with, which failed before. One that does not fit
   * the program any more is passed over, and listed as stale.
   *
   * @default {none}
   */
  readonly first?: readonly string[];
  /**
   * Repeats the run of a token, and nothing else. A token that goes on, such
   * as `…+exhaustive@40`, repeats how its run began.
   */
  readonly replay?: string;
  /**
   * How many runs it may take to shrink a failure; 0 not to.
   *
   * @default {2000}
   */
  readonly shrink?: number;
  /** A variant of the direct-I/O core, to put in place of the real one. */
  readonly directIo?: RunOptions["directIo"];
}

/** Which of its schedules a scenario was run under. */
export type Coverage =
  /** All that can make a difference. */
  | "exhaustive"
  /** All of those that have no more preemptions than were asked for. */
  | "bounded"
  /** Some, chosen at random; a schedule that fails may be left. */
  | "sampled"
  /** That of a token, or those that begin like it. */
  | "replayed"
  /** None. */
  | "skipped";

/** What a scenario came to. */
export interface ScenarioReport {
  /** The scenario. */
  readonly scenario: Scenario;
  /** Why it was not run, or null. */
  readonly skipped: string | null;
  /** How many schedules it was run under. */
  readonly runs: number;
  /** Runs given up because they could only repeat another one. */
  readonly pruned: number;
  /** Which ones. */
  readonly coverage: Coverage;
  /** The failing run with the fewest choices, or null. */
  readonly failure: RunReport | null;
  /** What that was shrunk to, or null. */
  readonly shrunk: Shrunk | null;
  /** Why tokens of `first` could not be repeated. */
  readonly stale: readonly string[];
  /** How often each rule had something to say, by id. */
  readonly exercised: ReadonlyMap<string, number>;
}

/** What the suite came to. */
export interface ConformanceReport {
  /** The model's name. */
  readonly model: string;
  /** Whose semantics were in force. */
  readonly profile: ProfileName;
  /** Every scenario. */
  readonly scenarios: readonly ScenarioReport[];
  /** What the failing runs broke. */
  readonly violations: readonly Violation[];
  /** How often each rule had something to say, by id. */
  readonly exercised: ReadonlyMap<string, number>;
}

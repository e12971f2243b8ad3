/**
 * Shrinking: from a failing run to the simplest scenario and the simplest
 * schedule that were found to break the same rule.
 *
 * @module
 */

import { pct, random, replay, type Strategy } from "../../core/mod.ts";
import type { ModelSpec } from "../../fs_models/mod.ts";
import { replayRun } from "../replay.ts";
import type { RunOptions, RunReport } from "../run.ts";
import type { Scenario } from "../scenario.ts";
import { isTimeless, parseToken } from "../token.ts";
import { Follower, simplerPlans } from "./plan.ts";
import { reduceScenario, reductions } from "./reductions.ts";
import { fewestChoices, isSimpler } from "./search.ts";
import { type Failing, Trials } from "./trials.ts";

/** How a failing run is shrunk; see {@linkcode shrinkFailure}. */
export interface ShrinkOptions extends Pick<RunOptions, "directIo" | "rules"> {
  /**
   * How many runs it may take at most; one of more than 5000 steps counts as
   * several.
   *
   * @default {2000}
   */
  readonly runs?: number;
}

/** A failing run that was shrunk. */
export interface Shrunk {
  /** The run; its scenario and its token are the simple ones. */
  readonly report: RunReport;
  /** How often a context is kept from going on by another one. */
  readonly preemptions: number;
  /** How many choices are not the default ones, preemptions included. */
  readonly choices: number;
  /** How many runs it took. */
  readonly runs: number;
  /**
   * Whether every simpler schedule of the scenario was run and keeps the rule:
   * fewer preemptions, or as many with fewer choices.
   */
  readonly isLeast: boolean;
}

/** Default of {@linkcode ShrinkOptions.runs}. */
const DEFAULT_RUNS = 2000;
/** Seeds under which a candidate is run that its old schedule does not fit. */
const SEEDS = 6;
/** Steps of a run that pct expects when it is not known. */
const PCT_STEPS = 300;

/**
 * Shrinks a failing run: fewer tasks, calls, faults, flags and bytes, then
 * fewer preemptions and fewer choices, as long as the rule that was broken
 * first stays broken. The same run gives the same result.
 *
 * @param spec The model.
 * @param report The failing run.
 * @param options Budget, and what else the run was made with.
 * @returns What it was shrunk to.
 * @throws {RangeError} If the run breaks no rule.
 * @throws {ReplayError} If the run cannot be repeated.
 *
 * @example
 * ```ts
 * import { checkScenario, scenarioById, shrinkFailure } from "@endio/dio/conformance";
 * import { type Dio, DirectIo } from "@endio/dio/core";
 * import { MODELS } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * class Leaks extends DirectIo {
 *   override dioFree(_dio: Dio): void {}
 * }
 * const model = MODELS[0]!;
 * const options = { directIo: (kernel: DirectIo["kernel"]) => new Leaks(kernel) };
 * const { failure } = checkScenario(model, scenarioById("aio-write-many"), options);
 * const { report, preemptions } = shrinkFailure(model, failure!, options);
 * assertEquals([report.scenario.tasks.length, preemptions], [1, 0]);
 * ```
 */
export function shrinkFailure(
  spec: ModelSpec,
  report: RunReport,
  options: ShrinkOptions = {},
): Shrunk {
  const [violation] = report.violations;
  if (violation === undefined) {
    throw new RangeError(
      `Cannot shrink the run of ${report.scenario.id}: it breaks no rule`,
    );
  }
  const { runs = DEFAULT_RUNS, ...others } = options;
  const token = parseToken(report.token);
  const { profile } = report;
  const trials = new Trials(
    spec,
    violation.rule,
    { ...others, profile },
    isTimeless(token.strategy),
    runs - 1,
  );
  const shrinker = new Shrinker(trials, report);
  const isLeast = shrinker.shrink();
  const { best, scenario } = shrinker;
  return {
    report: replayRun(
      spec,
      scenario,
      { ...parseToken(best.token), scenario: scenario.id },
      others,
    ),
    preemptions: best.preemptions,
    choices: best.choices.length,
    runs: trials.runs + 1,
    isLeast,
  };
}

/** Shrinks one run. */
class Shrinker {
  /** The simplest failing run so far. */
  best: Failing;
  readonly #trials: Trials;
  readonly #base: Scenario;
  /** The reductions that lead from the base to the best scenario. */
  readonly #path: number[] = [];

  constructor(trials: Trials, { scenario, token: text }: RunReport) {
    this.#trials = trials;
    this.#base = scenario;
    const token = parseToken(text);
    const { choices, strategy } = token;
    this.best = {
      scenario,
      token: text,
      choices,
      // As many at most.
      preemptions: choices.length,
      plan: null,
    };
    if (strategy === "fifo" && choices.length === 0) return;
    if (trials.left <= 0) return;
    // Runs it again, for its plan and its preemptions.
    this.best = trials.run(scenario, replay(choices)).failing ?? this.best;
  }

  /** The scenario of the best run, with the name that says how it came about. */
  get scenario(): Scenario {
    return this.#path.length === 0
      ? this.#base
      : reduceScenario(this.#base, this.#path);
  }

  /** Shrinks; tells whether the schedule is the simplest there is. */
  shrink(): boolean {
    for (;;) {
      this.best = this.#simplify(this.best);
      const { preemptions } = this.best;
      const isReduced = this.#reduce();
      this.best = this.#simplify(this.best);
      if (this.#trials.left <= 0) return false;
      if (isReduced && this.best.preemptions < preemptions) continue;
      const { failing, isLeast } = fewestChoices(this.#trials, this.best);
      const isBetter = failing.preemptions < this.best.preemptions;
      this.best = failing;
      if (!isBetter || this.#trials.left <= 0) return isLeast;
    }
  }

  /** Takes away of the scenario what can be taken away. */
  #reduce(): boolean {
    const before = this.#path.length;
    let candidates = reductions(this.best.scenario);
    let place = 0;
    for (let idle = 0; idle < candidates.length;) {
      if (this.#trials.left <= 0) break;
      place %= candidates.length;
      const failing = this.#attempt(candidates[place] as Scenario);
      if (failing === null) {
        idle++;
        place++;
        continue;
      }
      this.best = failing;
      this.#path.push(place);
      candidates = reductions(failing.scenario);
      idle = 0;
    }
    return this.#path.length > before;
  }

  /** A failing run of a candidate whose schedule is not more complicated. */
  #attempt(scenario: Scenario): Failing | null {
    const { preemptions } = this.best;
    for (const strategy of this.#strategies()) {
      if (this.#trials.left <= 0) return null;
      const { failing } = strategy === null
        ? this.#trials.runDefault(scenario)
        : this.#trials.run(scenario, strategy);
      if (failing === null) continue;
      if (failing.preemptions <= preemptions) return failing;
      const simple = this.#simplify(failing);
      if (simple.preemptions <= preemptions) return simple;
    }
    return null;
  }

  /** What may show the violation in a candidate; null is the default. */
  *#strategies(): Generator<Strategy | null, void, void> {
    const { choices, plan, preemptions } = this.best;
    yield null;
    yield replay([]);
    if (choices.length === 0) return;
    if (plan !== null) yield new Follower(plan);
    const depth = preemptions + 1;
    for (let seed = 1; seed <= SEEDS; seed++) {
      yield random(seed);
      yield pct({ seed, depth, steps: PCT_STEPS });
    }
  }

  /** Makes the plan of a failing run simpler, as long as it fails. */
  #simplify(failing: Failing): Failing {
    let best = failing;
    for (let isSimpler = true; isSimpler;) {
      const next = this.#simplerRun(best);
      isSimpler = next !== null;
      best = next ?? best;
    }
    return best;
  }

  #simplerRun(failing: Failing): Failing | null {
    const { scenario, plan } = failing;
    if (plan === null) return null;
    for (const simpler of simplerPlans(plan)) {
      if (this.#trials.left <= 0) return null;
      const next = this.#trials.run(scenario, new Follower(simpler)).failing;
      if (next !== null && isSimpler(next, failing)) return next;
    }
    return null;
  }
}

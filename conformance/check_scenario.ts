/**
 * One scenario of a model, under every schedule or a sample of them.
 *
 * @module
 */

import {
  fifo,
  InvariantError,
  pct,
  random,
  ReplayError,
  type Strategy,
} from "../core/mod.ts";
import type { ModelSpec } from "../fs_models/mod.ts";
import type {
  ConformanceOptions,
  Coverage,
  ScenarioReport,
} from "./conformance_options.ts";
import {
  compareRuns,
  DETERMINISM_RULE,
  nondeterminism,
} from "./determinism.ts";
import { ExhaustiveStrategy } from "./explore/dpor.ts";
import { replayRun, type ReplayRunOptions } from "./replay.ts";
import {
  mountForQuestions,
  RunArena,
  type RunOptions,
  type RunReport,
  runScenario,
  whyNot,
} from "./run.ts";
import { withViolations } from "./run_report.ts";
import type { Violation } from "./rule.ts";
import type { Scenario } from "./scenario.ts";
import { shrinkFailure, type Shrunk } from "./shrink/shrink.ts";
import { parseToken, type RunToken } from "./token.ts";

/** Defaults of {@linkcode ConformanceOptions}. */
const DEFAULT_EXHAUSTIVE = 1000;
const DEFAULT_RUNS = 50;
const DEFAULT_SEED = 1;
/** Failing runs that are looked at for the one with the fewest choices. */
const FAILURES = 5;

/**
 * Checks one scenario of a model.
 *
 * First it is run twice under one schedule: if the two differ, nothing else
 * that it does can be relied on. Then it is run under every schedule that can
 * make a difference, if the budget allows, and under some else.
 *
 * @param spec The model.
 * @param scenario The scenario.
 * @param options Profile, budget, rules.
 * @returns What it came to.
 * @throws {Error} If the model throws what is no bug of a kernel; the message
 * says under which schedule.
 *
 * @example
 * ```ts
 * import { checkScenario, scenarioById } from "@endio/dio/conformance";
 * import { MODELS } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const report = checkScenario(MODELS[0]!, scenarioById("aio-write"), {
 *   exhaustive: 0,
 *   runs: 3,
 * });
 * assertEquals([report.coverage, report.runs, report.failure], ["sampled", 4, null]);
 * ```
 */
export function checkScenario(
  spec: ModelSpec,
  scenario: Scenario,
  options: ConformanceOptions = {},
): ScenarioReport {
  const profile = options.profile ?? "v3.12";
  const check = new ScenarioCheck(spec, scenario, options);
  const skipped = whyNot(mountForQuestions(spec), scenario, profile);
  if (skipped !== null) return check.report("skipped", skipped);
  const steps = check.runTwice();
  if (steps === null) return check.report("sampled");
  check.runFirst();
  const coverage = check.explore();
  if (coverage !== null) return check.report(coverage);
  check.sample(steps);
  return check.report("sampled");
}

/**
 * Repeats the run of a token, or those that begin like it.
 *
 * @param spec The model.
 * @param scenario The token's scenario.
 * @param token What the token says.
 * @param options Budget for a token that goes on exhaustively, rules.
 * @returns What it came to.
 * @throws {ReplayError} If the token does not fit the program.
 *
 * @example
 * ```ts
 * import { parseToken, replayScenario, scenarioById } from "@endio/dio/conformance";
 * import { MODELS } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const token = parseToken("endio1:v3.12:plain:aio-write:replay:+exhaustive");
 * const report = replayScenario(MODELS[0]!, scenarioById("aio-write"), token);
 * assertEquals([report.coverage, report.runs > 1], ["replayed", true]);
 * ```
 */
export function replayScenario(
  spec: ModelSpec,
  scenario: Scenario,
  token: RunToken,
  options: ConformanceOptions = {},
): ScenarioReport {
  const { profile } = token;
  const check = new ScenarioCheck(spec, scenario, { ...options, profile });
  if (token.then?.strategy === "exhaustive") check.explore(token);
  else check.repeat(token);
  return check.report("replayed");
}

/** The runs of one scenario, and what they come to. */
class ScenarioCheck {
  readonly #spec: ModelSpec;
  readonly #scenario: Scenario;
  readonly #options: ConformanceOptions;
  readonly #deadline: number;
  readonly #exercised: Map<string, number> = new Map();
  readonly #stale: string[] = [];
  #runs = 0;
  #pruned = 0;
  #failures = 0;
  #failure: RunReport | null = null;
  /** The run that was made twice. */
  #twice: RunReport | null = null;

  constructor(
    spec: ModelSpec,
    scenario: Scenario,
    options: ConformanceOptions,
  ) {
    this.#spec = spec;
    this.#scenario = scenario;
    this.#options = options;
    this.#deadline = performance.now() + (options.seconds ?? Infinity) * 1000;
  }

  /**
   * Runs it twice under one random schedule. Gives the number of steps, or
   * null when the two runs differ.
   */
  runTwice(): number | null {
    const seed = this.#options.seed ?? DEFAULT_SEED;
    const first = this.#run(random(seed));
    const violation = compareRuns(first, this.#run(random(seed)));
    this.#twice = first;
    if (violation === null) return parseToken(first.token).print?.steps ?? 1;
    this.#giveUp(first, violation);
    return null;
  }

  /** Repeats the runs that failed before. */
  runFirst(): void {
    for (const text of this.#options.first ?? []) {
      const token = parseToken(text);
      if (!this.#concerns(token)) continue;
      try {
        this.repeat(token);
      } catch (error) {
        if (!(error instanceof ReplayError)) throw error;
        this.#stale.push(error.message);
      }
    }
  }

  /** Repeats one run. */
  repeat(token: RunToken): void {
    this.#add(this.#repeat(token));
  }

  /**
   * Runs it in every order that can make a difference, or only in those that
   * begin like the run of a token. Null when the budget was not enough.
   */
  explore(begin?: RunToken): "exhaustive" | "bounded" | null {
    const budget = this.#options.exhaustive ?? DEFAULT_EXHAUSTIVE;
    const limit = this.#runs + budget;
    const { preemptions } = this.#options;
    const explorer = new ExhaustiveStrategy(
      preemptions === undefined ? {} : { bound: preemptions },
    );
    const arena = new RunArena(this.#scenario);
    while (this.#runs + this.#pruned < limit && !this.#isOver()) {
      explorer.begin();
      const report = begin
        ? this.#repeat(begin, { arena, explorer })
        : this.#runAgain(explorer, arena);
      if (report === null) return null;
      if (explorer.blocked) this.#pruned++;
      else this.#add(report);
      if (!explorer.end()) return explorer.hitBound ? "bounded" : "exhaustive";
    }
    return null;
  }

  /** Runs it in the default order, then in random ones. */
  sample(steps: number): void {
    const { seconds, depth, seed = DEFAULT_SEED } = this.#options;
    const runs = this.#options.runs ??
      (seconds === undefined ? DEFAULT_RUNS : Infinity);
    if (!this.#isOver()) this.#add(this.#run(fifo()));
    for (let i = 0; i < runs && !this.#isOver(); i++) {
      const strategy = depth === undefined
        ? random(seed + i)
        : pct({ seed: seed + i, depth, steps });
      this.#add(this.#run(strategy));
    }
  }

  /** What all runs came to. */
  report(coverage: Coverage, skipped: string | null = null): ScenarioReport {
    const shrunk = coverage === "replayed" ? null : this.#shrink();
    return {
      scenario: this.#scenario,
      skipped,
      runs: this.#runs,
      pruned: this.#pruned,
      coverage,
      failure: this.#failure,
      shrunk,
      stale: this.#stale,
      exercised: this.#exercised,
    };
  }

  #shrink(): Shrunk | null {
    const failure = this.#failure;
    const { shrink: runs, directIo, rules } = this.#options;
    if (failure === null || runs === 0) return null;
    if (failure.violations[0]?.rule === DETERMINISM_RULE) return null;
    try {
      return shrinkFailure(this.#spec, failure, {
        ...(runs !== undefined && { runs }),
        ...(directIo && { directIo }),
        ...(rules && { rules }),
      });
    } catch (error) {
      if (!(error instanceof ReplayError)) throw error;
      this.#giveUp(
        failure,
        nondeterminism(`the run to be the same again: ${error.message}`, []),
      );
      return null;
    }
  }

  /** A run of an exploration; null if it does not begin like the last one. */
  #runAgain(explorer: Strategy, arena: RunArena): RunReport | null {
    try {
      return this.#run(explorer, { arena });
    } catch (error) {
      if (!(error instanceof ReplayError) || this.#twice === null) throw error;
      const expected =
        `the same in every run that begins with the same choices: ${error.message}`;
      this.#giveUp(this.#twice, nondeterminism(expected, []));
      return null;
    }
  }

  /** What one run shows says nothing about another one: this is the result. */
  #giveUp(report: RunReport, violation: Violation): void {
    this.#add(report);
    this.#failures = FAILURES;
    this.#failure = withViolations(report, [violation]);
  }

  #concerns({ scenario, model, profile }: RunToken): boolean {
    return scenario === this.#scenario.id && model === this.#spec.name &&
      profile === (this.#options.profile ?? "v3.12");
  }

  /** Whether more runs would say nothing new, or take too long. */
  #isOver(): boolean {
    return this.#failures >= FAILURES || performance.now() >= this.#deadline;
  }

  #add(report: RunReport): void {
    this.#runs++;
    for (const [id, count] of report.exercised) {
      this.#exercised.set(id, (this.#exercised.get(id) ?? 0) + count);
    }
    if (report.violations.length === 0) return;
    this.#failures++;
    const shortest = this.#failure;
    if (shortest === null || report.token.length < shortest.token.length) {
      this.#failure = report;
    }
  }

  #repeat(token: RunToken, more: ReplayRunOptions = {}): RunReport {
    const options = { ...this.#runOptions(), ...more };
    return replayRun(this.#spec, this.#scenario, token, options);
  }

  #run(strategy: Strategy, more: RunOptions = {}): RunReport {
    const options = { ...this.#runOptions(), ...more, strategy };
    try {
      return runScenario(this.#spec, this.#scenario, options);
    } catch (error) {
      if (error instanceof ReplayError || error instanceof InvariantError) {
        throw error;
      }
      throw new Error(
        `Cannot run scenario ${this.#scenario.id} of ${this.#spec.name} under ${strategy.name}: ${
          error instanceof Error ? error.message : error
        }`,
        { cause: error },
      );
    }
  }

  #runOptions(): RunOptions {
    const { profile, rules, directIo } = this.#options;
    return {
      ...(profile && { profile }),
      ...(rules && { rules }),
      ...(directIo && { directIo }),
    };
  }
}

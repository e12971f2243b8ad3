/**
 * The suite as a value: every scenario of a model, under several schedules.
 *
 * @module
 */

import { fifo, type ProfileName, random, type Strategy } from "../core/mod.ts";
import type { ModelSpec } from "../fs_models/mod.ts";
import { ExhaustiveStrategy } from "./explore/dpor.ts";
import type { Rule, Violation } from "./rule.ts";
import {
  mountForQuestions,
  RunArena,
  type RunOptions,
  type RunReport,
  runScenario,
  whyNot,
} from "./run.ts";
import type { Scenario } from "./scenario.ts";
import { SCENARIOS } from "./scenarios.ts";
import { parseToken, strategyOfToken } from "./token.ts";

/** How a model is checked; see {@linkcode checkConformance}. */
export interface ConformanceOptions {
  /**
   * Whose semantics are in force.
   *
   * @default {"v3.12"}
   */
  readonly profile?: ProfileName;
  /**
   * How many schedules of a scenario are run at most to cover every order
   * that can make a difference. A scenario that needs more is sampled instead.
   *
   * @default {0}
   */
  readonly exhaustive?: number;
  /**
   * How many random schedules a sampled scenario is run under, besides the
   * default one.
   *
   * @default {50}
   */
  readonly runs?: number;
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
  /** Repeats one run, from the token that its failure printed. */
  readonly replay?: string;
  /** A variant of the direct-I/O core, to put in place of the real one. */
  readonly directIo?: RunOptions["directIo"];
}

/** What a scenario came to. */
export interface ScenarioReport {
  /** The scenario. */
  readonly scenario: Scenario;
  /** Why it was not run, or null. */
  readonly skipped: string | null;
  /** How many schedules it was run under. */
  readonly runs: number;
  /**
   * Whether they were all that can make a difference, or a sample of them.
   */
  readonly coverage: "exhaustive" | "sampled" | "replayed" | "skipped";
  /** The failing run with the fewest choices, or null. */
  readonly failure: RunReport | null;
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

/** Default of {@linkcode ConformanceOptions.runs}. */
const DEFAULT_RUNS = 50;
/** Failing runs that are looked at for the one with the fewest choices. */
const FAILURES = 5;

/**
 * Checks a filesystem model: runs every scenario that it is able to run, and
 * collects what it breaks.
 *
 * @param spec The model.
 * @param options Profile, budget, scenarios, rules.
 * @returns What the suite came to; `violations` is empty for a model that
 * conforms.
 * @throws {SyntaxError} If `replay` is not a token.
 * @throws {RangeError} If `replay` names another model, or a scenario that is
 * not among `scenarios`.
 *
 * @example
 * ```ts
 * import { checkConformance } from "@endio/dio/conformance";
 * import { MODELS } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * for (const model of MODELS) {
 *   assertEquals(checkConformance(model, { runs: 5 }).violations, []);
 * }
 * ```
 */
export function checkConformance(
  spec: ModelSpec,
  options: ConformanceOptions = {},
): ConformanceReport {
  const scenarios = options.replay === undefined
    ? (options.scenarios ?? SCENARIOS).map((scenario) =>
      checkScenario(spec, scenario, options)
    )
    : [replayScenario(spec, options.replay, options)];
  const exercised: Map<string, number> = new Map();
  for (const report of scenarios) addCounts(exercised, report.exercised);
  return {
    model: spec.name,
    profile: options.profile ?? "v3.12",
    scenarios,
    violations: scenarios.flatMap(({ failure }) => failure?.violations ?? []),
    exercised,
  };
}

/**
 * Checks one scenario of a model.
 *
 * @param spec The model.
 * @param scenario The scenario.
 * @param options Profile, budget, rules.
 * @returns What it came to.
 *
 * @example
 * ```ts
 * import { checkScenario, scenarioById } from "@endio/dio/conformance";
 * import { MODELS } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const report = checkScenario(MODELS[0]!, scenarioById("aio-write"), { runs: 3 });
 * assertEquals([report.runs, report.failure], [4, null]);
 * ```
 */
export function checkScenario(
  spec: ModelSpec,
  scenario: Scenario,
  options: ConformanceOptions = {},
): ScenarioReport {
  const profile = options.profile ?? "v3.12";
  const skipped = whyNot(mountForQuestions(spec), scenario, profile);
  const tally = new Tally(scenario);
  if (skipped !== null) return tally.report("skipped", skipped);
  if (tryAll(spec, scenario, options, tally)) return tally.report("exhaustive");
  const budget = tally.runs + 1 + (options.runs ?? DEFAULT_RUNS);
  for (let i = 0; tally.runs < budget && !tally.enough; i++) {
    tally.add(run(spec, scenario, strategyOf(i, options), options));
  }
  return tally.report("sampled");
}

/** Runs every schedule, if the budget allows. */
function tryAll(
  spec: ModelSpec,
  scenario: Scenario,
  options: ConformanceOptions,
  tally: Tally,
): boolean {
  const budget = options.exhaustive ?? 0;
  if (budget === 0) return false;
  const strategy = new ExhaustiveStrategy();
  const arena = new RunArena(scenario);
  do {
    strategy.begin();
    const report = run(spec, scenario, strategy, options, arena);
    if (!strategy.blocked) tally.add(report);
    if (tally.enough) return false;
    if (strategy.schedules + strategy.pruned >= budget) return false;
  } while (strategy.end());
  return true;
}

/** What the runs of a scenario come to. */
class Tally {
  /** How many runs there were. */
  runs = 0;
  readonly #scenario: Scenario;
  readonly #exercised: Map<string, number> = new Map();
  #failure: RunReport | null = null;
  #failures = 0;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
  }

  /** Whether so many runs have failed that more would say nothing new. */
  get enough(): boolean {
    return this.#failures >= FAILURES;
  }

  add(report: RunReport): void {
    this.runs++;
    addCounts(this.#exercised, report.exercised);
    if (report.violations.length === 0) return;
    this.#failures++;
    const shortest = this.#failure;
    if (shortest === null || report.token.length < shortest.token.length) {
      this.#failure = report;
    }
  }

  report(
    coverage: ScenarioReport["coverage"],
    skipped: string | null = null,
  ): ScenarioReport {
    return {
      scenario: this.#scenario,
      skipped,
      runs: this.runs,
      coverage,
      failure: this.#failure,
      exercised: this.#exercised,
    };
  }
}

function replayScenario(
  spec: ModelSpec,
  text: string,
  options: ConformanceOptions,
): ScenarioReport {
  const token = parseToken(text);
  const scenario = (options.scenarios ?? SCENARIOS).find(({ id }) =>
    id === token.scenario
  );
  if (token.model !== spec.name || scenario === undefined) {
    throw new RangeError(
      `Cannot replay ${text}: this is model ${spec.name}, and its scenarios ${
        scenario === undefined ? "do not include" : "include"
      } ${token.scenario}`,
    );
  }
  const { profile } = token;
  const strategy = strategyOfToken(token);
  const report = run(spec, scenario, strategy, { ...options, profile });
  return {
    scenario,
    skipped: null,
    runs: 1,
    coverage: "replayed",
    failure: report.violations.length > 0 ? report : null,
    exercised: report.exercised,
  };
}

/** The default schedule first, then random ones. */
function strategyOf(run: number, options: ConformanceOptions): Strategy {
  return run === 0 ? fifo() : random((options.seed ?? 1) + run - 1);
}

function run(
  spec: ModelSpec,
  scenario: Scenario,
  strategy: Strategy,
  { profile, rules, directIo }: ConformanceOptions,
  arena?: RunArena,
): RunReport {
  return runScenario(spec, scenario, {
    strategy,
    ...(arena && { arena }),
    ...(profile && { profile }),
    ...(rules && { rules }),
    ...(directIo && { directIo }),
  });
}

function addCounts(
  into: Map<string, number>,
  counts: ReadonlyMap<string, number>,
): void {
  for (const [id, count] of counts) into.set(id, (into.get(id) ?? 0) + count);
}

/**
 * Trials: runs of candidates that may or may not still break the rule.
 *
 * @module
 */

import {
  type Choices,
  fifo,
  InvariantError,
  type Strategy,
} from "../../core/mod.ts";
import type { ModelSpec } from "../../fs_models/mod.ts";
import { RunArena, type RunOptions, runScenario } from "../run.ts";
import type { Scenario } from "../scenario.ts";
import { parseToken, replayName } from "../token.ts";
import { type ChoicePoint, type Plan, Planner } from "./plan.ts";

/** A run that breaks the rule. */
export interface Failing {
  /** The scenario. */
  readonly scenario: Scenario;
  /** What repeats it. */
  readonly token: string;
  /** Its choices that are not the default ones. */
  readonly choices: Choices;
  /** How often a context was kept from going on by another one. */
  readonly preemptions: number;
  /** Who ran when; null for the default strategy, which makes no steps. */
  readonly plan: Plan | null;
}

/** What a trial came to. */
export interface Trial {
  /** The run, if it breaks the rule. */
  readonly failing: Failing | null;
  /** Its choice points. */
  readonly points: readonly ChoicePoint[];
}

/** What all trials share. */
export type TrialOptions = Pick<RunOptions, "profile" | "directIo" | "rules">;

/** A run of so many steps counts as one more: one that spins takes long. */
const LONG_RUN = 5000;

/** Runs candidates, and counts the runs. */
export class Trials {
  /** How many runs there were, long ones counted as several. */
  runs = 0;
  readonly #spec: ModelSpec;
  readonly #rule: string;
  readonly #options: TrialOptions;
  readonly #timeless: boolean;
  readonly #budget: number;
  #arena: { readonly scenario: Scenario; readonly arena: RunArena } | null =
    null;

  constructor(
    spec: ModelSpec,
    rule: string,
    options: TrialOptions,
    timeless: boolean,
    budget: number,
  ) {
    this.#spec = spec;
    this.#rule = rule;
    this.#options = options;
    this.#timeless = timeless;
    this.#budget = budget;
  }

  /** How many runs are left. */
  get left(): number {
    return this.#budget - this.runs;
  }

  /** Runs a scenario under a strategy. */
  run(scenario: Scenario, strategy: Strategy): Trial {
    this.runs++;
    if (!strategy.stepping) return this.#try(scenario, strategy, null);
    const timeless = this.#timeless;
    const planner = new Planner(strategy, replayName(timeless), timeless);
    return this.#try(scenario, planner, planner);
  }

  /** Runs a scenario under the default strategy. */
  runDefault(scenario: Scenario): Trial {
    return this.run(scenario, fifo());
  }

  #try(
    scenario: Scenario,
    strategy: Strategy,
    planner: Planner | null,
  ): Trial {
    const token = this.#tokenOfFailure(scenario, strategy);
    const points = planner?.points ?? [];
    const { choices, print } = token === null
      ? { choices: [], print: undefined }
      : parseToken(token);
    const steps = planner?.steps ?? print?.steps ?? 0;
    this.runs += Math.floor(steps / LONG_RUN);
    if (token === null) return { failing: null, points };
    const preemptions = planner?.preemptions ?? 0;
    return {
      failing: { scenario, token, choices, preemptions, plan: planner },
      points,
    };
  }

  /** Null for a run that keeps the rule, or a scenario that makes no sense. */
  #tokenOfFailure(scenario: Scenario, strategy: Strategy): string | null {
    if (this.#arena?.scenario !== scenario) {
      this.#arena = { scenario, arena: new RunArena(scenario) };
    }
    const { arena } = this.#arena;
    const options = { ...this.#options, strategy, arena };
    try {
      const report = runScenario(this.#spec, scenario, options);
      const breaks = report.violations.some(({ rule }) => rule === this.#rule);
      return breaks ? report.token : null;
    } catch (error) {
      if (error instanceof InvariantError) throw error;
      return null;
    }
  }
}

/**
 * The kill matrix: which rules find which mutant, and how soon.
 *
 * @module
 */

import {
  checkTrace,
  mountForQuestions,
  RunArena,
  type RunOptions,
  runScenario,
  type Scenario,
  SCENARIOS,
  whyNot,
} from "../../conformance/mod.ts";
import { fifo, random, type Strategy } from "../../core/mod.ts";
import type { ModelSpec } from "../../fs_models/mod.ts";
import { modelsOf, type Mutant } from "./mutant.ts";

/** Schedules of every scenario: the default one, and random ones. */
export const SCHEDULES = 5;
/** Schedules of those scenarios that are there for the rule that must find it. */
export const MORE_SCHEDULES = 100;

/** A run in which a rule found something first. */
export interface Kill {
  /** How many runs of the mutant broke the rule. */
  readonly runs: number;
  /** The scenario of the first of them. */
  readonly scenario: string;
  /** The model. */
  readonly model: string;
  /** Which schedule of that scenario it was, from 1. */
  readonly schedule: number;
}

/** What all runs of a mutant came to. */
export interface MatrixRow {
  /** The mutant. */
  readonly mutant: Mutant;
  /** How many times it was run. */
  readonly runs: number;
  /** The rules that found it. */
  readonly kills: ReadonlyMap<string, Kill>;
  /** The rules that failing runs broke together: their ids, with blanks. */
  readonly together: ReadonlySet<string>;
}

/**
 * Runs one mutant.
 *
 * Every scenario that its models are able to run is run under
 * {@linkcode SCHEDULES} schedules. Those that are there for the expected rule
 * are run under more, until that rule has found it.
 *
 * @param mutant The mutant.
 * @returns What found it.
 */
export function matrixRow(mutant: Mutant): MatrixRow {
  const row = new Row(mutant);
  for (const model of modelsOf(mutant)) {
    const fs = mountForQuestions(model);
    const { profile = "v3.12" } = mutant;
    const scenarios = SCENARIOS.filter((scenario) =>
      whyNot(fs, scenario, profile) === null
    );
    for (const scenario of scenarios) row.run(model, scenario, 0, SCHEDULES);
    for (const scenario of scenarios) {
      if (row.isFound) break;
      if (!scenario.rules.includes(mutant.rule)) continue;
      row.run(model, scenario, SCHEDULES, MORE_SCHEDULES);
    }
  }
  return row;
}

/** A row that is being filled. */
class Row implements MatrixRow {
  readonly mutant: Mutant;
  runs = 0;
  readonly kills: Map<string, Kill> = new Map();
  readonly together: Set<string> = new Set();

  constructor(mutant: Mutant) {
    this.mutant = mutant;
  }

  /** Whether the rule that must find it has done so. */
  get isFound(): boolean {
    return this.kills.has(this.mutant.rule);
  }

  /** Runs some schedules of a scenario. */
  run(model: ModelSpec, scenario: Scenario, from: number, to: number): void {
    const { Device, profile, directIo } = this.mutant;
    const arena = new RunArena(scenario, Device);
    const options: RunOptions = {
      arena,
      ...(profile && { profile }),
      ...(directIo && { directIo }),
    };
    for (let i = from; i < to; i++) {
      const rules = this.#rulesBroken(model, scenario, options, schedule(i));
      this.runs++;
      this.#note(rules, { scenario: scenario.id, model: model.name, at: i });
      if (from > 0 && this.isFound) return;
    }
  }

  #rulesBroken(
    model: ModelSpec,
    scenario: Scenario,
    options: RunOptions,
    strategy: Strategy,
  ): Set<string> {
    const { record } = this.mutant;
    const report = runScenario(model, scenario, { ...options, strategy });
    const { violations } = record === undefined
      ? report
      : checkTrace(record(report.events), { profile: report.profile });
    return new Set(violations.map(({ rule }) => rule));
  }

  #note(
    rules: ReadonlySet<string>,
    { scenario, model, at }: { scenario: string; model: string; at: number },
  ): void {
    if (rules.size === 0) return;
    this.together.add([...rules].sort().join(" "));
    for (const rule of rules) {
      const kill = this.kills.get(rule);
      this.kills.set(
        rule,
        kill === undefined
          ? { runs: 1, scenario, model, schedule: at + 1 }
          : { ...kill, runs: kill.runs + 1 },
      );
    }
  }
}

/** The schedules of a scenario: the default one first. */
function schedule(index: number): Strategy {
  return index === 0 ? fifo() : random(index);
}

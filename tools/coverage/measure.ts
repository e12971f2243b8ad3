/**
 * Runs the suite and counts what it meets.
 *
 * @module
 */

import {
  mountForQuestions,
  runScenario,
  type Scenario,
  SCENARIOS,
  whyNot,
} from "../../conformance/mod.ts";
import { fifo, PROFILE_NAMES, random } from "../../core/mod.ts";
import { MODELS } from "../../fs_models/mod.ts";
import { shapesOf } from "./shape.ts";
import { Tally } from "./tally.ts";

/** Random schedules of a scenario, a model and a profile. */
const SCHEDULES = 4;

/** What the suite meets. */
export interface Coverage {
  /** Requests, by what they were. */
  readonly tally: Tally;
  /** The rules that had something to say, by id. */
  readonly rules: ReadonlySet<string>;
  /** Of those, the ones that each scenario has exercised. */
  readonly scenarios: ReadonlyMap<Scenario, ReadonlySet<string>>;
  /** How often a scenario was run. */
  readonly runs: number;
}

/**
 * Runs scenarios on every model and profile under a few schedules.
 *
 * @param scenarios The scenarios.
 * @returns What they met.
 */
export function measureCoverage(
  scenarios: readonly Scenario[] = SCENARIOS,
): Coverage {
  const tally = new Tally();
  const rules: Set<string> = new Set();
  const met = new Map(
    scenarios.map((scenario) => [scenario, new Set<string>()] as const),
  );
  let runs = 0;
  for (const model of MODELS) {
    const fs = mountForQuestions(model);
    for (const profile of PROFILE_NAMES) {
      for (const scenario of scenarios) {
        if (whyNot(fs, scenario, profile) !== null) continue;
        for (let i = 0; i <= SCHEDULES; i++) {
          const strategy = i === 0
            ? fifo()
            : random(seedOf(`${i} ${model.name} ${profile} ${scenario.id}`));
          const run = runScenario(model, scenario, { profile, strategy });
          for (const shape of shapesOf(run.events, profile)) tally.add(shape);
          for (const [id, n] of run.exercised) {
            if (n === 0) continue;
            rules.add(id);
            met.get(scenario)?.add(id);
          }
          runs++;
        }
      }
    }
  }
  return { tally, rules, scenarios: met, runs };
}

/**
 * A seed of its own for each run, so that open choices come out differently;
 * another scenario does not change it.
 */
function seedOf(run: string): number {
  let hash = 0;
  for (const char of run) {
    hash = (Math.imul(hash, 31) + (char.codePointAt(0) ?? 0)) >>> 0;
  }
  return hash;
}

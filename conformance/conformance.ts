/**
 * The suite as a value: every scenario of a model, under several schedules.
 *
 * @module
 */

import type { ModelSpec } from "../fs_models/mod.ts";
import { checkScenario, replayScenario } from "./check_scenario.ts";
import type {
  ConformanceOptions,
  ConformanceReport,
} from "./conformance_options.ts";
import { scenarioOfToken } from "./replay.ts";
import { SCENARIOS } from "./scenarios.ts";
import { parseToken } from "./token.ts";

/**
 * Checks a filesystem model: runs every scenario that it is able to run, and
 * collects what it breaks. What fails is shrunk.
 *
 * @param spec The model.
 * @param options Profile, budget, scenarios, rules.
 * @returns What the suite came to; `violations` is empty for a model that
 * conforms.
 * @throws {SyntaxError} If `replay` is not a token.
 * @throws {RangeError} If `replay` names another model, or a scenario that is
 * not among `scenarios`.
 * @throws {ReplayError} If `replay` does not fit the program any more.
 *
 * @example
 * ```ts
 * import { checkConformance } from "@endio/dio/conformance";
 * import { MODELS } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * for (const model of MODELS) {
 *   const options = { exhaustive: 0, runs: 5 };
 *   assertEquals(checkConformance(model, options).violations, []);
 * }
 * ```
 */
export function checkConformance(
  spec: ModelSpec,
  options: ConformanceOptions = {},
): ConformanceReport {
  const { replay, scenarios = SCENARIOS } = options;
  const token = replay === undefined ? null : parseToken(replay);
  const reports = token === null
    ? scenarios.map((scenario) => checkScenario(spec, scenario, options))
    : [
      replayScenario(spec, scenarioOfToken(token, scenarios), token, options),
    ];
  const exercised: Map<string, number> = new Map();
  for (const report of reports) {
    for (const [id, count] of report.exercised) {
      exercised.set(id, (exercised.get(id) ?? 0) + count);
    }
  }
  return {
    model: spec.name,
    profile: token?.profile ?? options.profile ?? "v3.12",
    scenarios: reports,
    violations: reports.flatMap(({ failure }) => failure?.violations ?? []),
    exercised,
  };
}

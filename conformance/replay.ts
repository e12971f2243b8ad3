/**
 * Repeats the run of a token on a model, or says that it no longer can.
 *
 * @module
 */

import { ReplayError, type Strategy } from "../core/mod.ts";
import type { ModelSpec } from "../fs_models/mod.ts";
import { type RunOptions, type RunReport, runScenario } from "./run.ts";
import type { Scenario } from "./scenario.ts";
import { SCENARIOS } from "./scenarios.ts";
import { reduceScenario, splitReducedId } from "./shrink/reductions.ts";
import { parseToken, type RunToken, strategyOfToken } from "./token.ts";

/**
 * The scenario of a token; that of a shrunk run is made from the one that it
 * was shrunk from.
 *
 * @param token What the token says.
 * @param scenarios Where to look for it.
 * @returns The scenario.
 * @throws {RangeError} If it is not there, or is not any more what it was.
 *
 * @example
 * ```ts
 * import { parseToken, scenarioOfToken } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * const token = parseToken("endio1:v6.1:plain:aio-read:random-7:I");
 * assertEquals(scenarioOfToken(token).id, "aio-read");
 * ```
 */
export function scenarioOfToken(
  token: RunToken,
  scenarios: readonly Scenario[] = SCENARIOS,
): Scenario {
  const scenario = findScenario(token.scenario, scenarios);
  if (scenario !== undefined) return scenario;
  throw new RangeError(
    `Cannot replay a run of ${token.scenario}: there is no scenario of that name`,
  );
}

/** By its name, or by that of the one that it was shrunk from. */
function findScenario(
  name: string,
  scenarios: readonly Scenario[],
): Scenario | undefined {
  const scenario = scenarios.find(({ id }) => id === name);
  const reduced = splitReducedId(name);
  if (scenario !== undefined || reduced === null) return scenario;
  const base = findScenario(reduced.base, scenarios);
  return base && reduceScenario(base, reduced.path);
}

/** What else a run is repeated with; profile and strategy are the token's. */
export interface ReplayRunOptions extends Omit<RunOptions, "strategy"> {
  /** Who goes on where the token says `+exhaustive`. */
  readonly explorer?: Strategy;
}

/**
 * Repeats the run of a token.
 *
 * @param spec The model, the one that the token names.
 * @param scenario The scenario, see {@linkcode scenarioOfToken}.
 * @param token What the token says.
 * @param options What else the run was made with.
 * @returns What it came to.
 * @throws {ReplayError} If the token does not fit the program.
 * @throws {RangeError} If the token stands for many runs, or names another
 * model.
 *
 * @example
 * ```ts
 * import { parseToken, replayRun, runScenario, scenarioById } from "@endio/dio/conformance";
 * import { random } from "@endio/dio/core";
 * import { MODELS } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const scenario = scenarioById("aio-write");
 * const run = runScenario(MODELS[0]!, scenario, { strategy: random(7) });
 * const again = replayRun(MODELS[0]!, scenario, parseToken(run.token));
 * assertEquals(again.events, run.events);
 * ```
 */
export function replayRun(
  spec: ModelSpec,
  scenario: Scenario,
  token: RunToken,
  options: ReplayRunOptions = {},
): RunReport {
  if (token.model !== spec.name) {
    throw new RangeError(
      `Cannot replay a run of model ${token.model}: this is model ${spec.name}`,
    );
  }
  const { explorer, ...others } = options;
  const { profile, print } = token;
  const strategy = strategyOfToken(token, explorer);
  const report = runScenario(spec, scenario, { ...others, profile, strategy });
  // The default strategy looks at nothing while it runs.
  if (strategy.stepping || print === undefined) return report;
  const { steps } = parseToken(report.token).print ?? print;
  if (steps === print.steps) return report;
  throw ReplayError.ofChange(
    `Cannot replay to the end: the run has ${steps} steps, the recorded one ${print.steps}`,
  );
}

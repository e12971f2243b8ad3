/**
 * Tells of a failure that `explore.ts` has found, as simply as it can be had.
 *
 * @module
 */

import { ReplayError } from "../core/mod.ts";
import {
  type BrokenRule,
  checkScenario,
  DETERMINISM_RULE,
  type ExploreReport,
  formatFailure,
  formatShrunk,
  parseToken,
  replayRun,
  replayScenario,
  RULES,
  scenarioOfToken,
  shrinkFailure,
} from "../conformance/mod.ts";
import type { ModelSpec } from "../fs_models/mod.ts";
import {
  EXIT_OK,
  EXIT_VIOLATED,
  type Io,
  lookUp,
  type Options,
  UserError,
} from "./cli.ts";
import { checkReplayOptions, findModel } from "./explore_plan.ts";

/**
 * The first failure of a report: what it breaks, shrunk, and how to repeat it.
 *
 * @param report The report.
 * @param spec The model.
 * @returns Several lines; nothing if there is no failure that can be repeated.
 */
export function tellFailure(report: ExploreReport, spec: ModelSpec): string {
  const broken = report.scenarios.flatMap(({ broken }) => broken);
  const undetermined = broken.find(({ rule }) => rule === DETERMINISM_RULE);
  if (undetermined) return tellUndetermined(undetermined, spec);
  const [first] = broken;
  if (first === undefined) return "";
  const token = parseToken(first.token);
  const rules = RULES.filter(({ id }) => id === first.rule);
  const failure = replayRun(spec, scenarioOfToken(token), token, { rules });
  return formatShrunk(failure, shrinkFailure(spec, failure, { rules }));
}

/** What differs between two runs; nothing if it does not this time. */
function tellUndetermined(broken: BrokenRule, spec: ModelSpec): string {
  const token = parseToken(broken.token);
  const { failure } = checkScenario(spec, scenarioOfToken(token), {
    profile: token.profile,
    rules: [],
    shrink: 0,
  });
  return failure === null ? "" : formatFailure(failure);
}

/**
 * `--replay`: repeats a run from its token.
 *
 * @param text The token.
 * @param options The other options.
 * @param io Its world.
 * @param models The models there are.
 * @returns The exit status.
 */
export async function replay(
  text: string,
  options: Options,
  io: Io,
  models: readonly ModelSpec[],
): Promise<number> {
  checkReplayOptions(options);
  try {
    const token = parseToken(text);
    const found = await findModel(options, models);
    const all = new Map(models.map((model) => [model.name, model]));
    const spec = found?.spec ?? lookUp("filesystem", token.model, all);
    if (token.model !== spec.name) {
      throw new UserError(
        `Cannot replay a run of ${token.model} on ${spec.name}: leave out ${
          options.values.has("fs") ? "--fs" : "--model"
        }`,
      );
    }
    const scenario = scenarioOfToken(token);
    const { failure, runs } = replayScenario(spec, scenario, token);
    const { model, profile } = token;
    if (options.flags.has("json")) {
      const violations = failure?.violations ?? [];
      const result = {
        endio: 1,
        report: "replay",
        model,
        profile,
        scenario: token.scenario,
        token: failure?.token ?? text,
        runs,
        violations,
      };
      await io.out.write(`${JSON.stringify(result)}\n`);
    } else {
      await io.out.write(
        failure === null
          ? `✓ no rule broken in ${runs} run${
            runs === 1 ? "" : "s"
          } of ${token.scenario} on ${model}, profile ${profile}\n`
          : `${formatFailure(failure)}\n`,
      );
    }
    return failure === null ? EXIT_OK : EXIT_VIOLATED;
  } catch (error) {
    const isHis = error instanceof SyntaxError ||
      error instanceof RangeError || error instanceof ReplayError;
    throw isHis ? new UserError(error.message) : error;
  }
}

/**
 * What has to be known of a scenario before its schedules can be shared out:
 * whether the model can run it, whether it is determined by its schedule at
 * all, how large it is, and where to divide it.
 *
 * @module
 */

import { random, ReplayError, type Strategy } from "../../core/mod.ts";
import type { ModelSpec } from "../../fs_models/mod.ts";
import { compareRuns, DETERMINISM_RULE } from "../determinism.ts";
import {
  mountForQuestions,
  RunArena,
  type RunReport,
  runScenario,
  whyNot,
} from "../run.ts";
import type { Scenario } from "../scenario.ts";
import {
  Campaign,
  type CampaignOptions,
  type CampaignResult,
} from "./campaign.ts";
import { measureRuns } from "./run_meter.ts";
import type { Search } from "./search.ts";
import { findSplit } from "./split.ts";
import { NO_RUNS } from "./tally.ts";

/** What is to be done with a scenario. */
export interface PrepareOptions
  extends Pick<CampaignOptions, "profile" | "rules" | "directIo"> {
  /** How schedules are looked for. */
  readonly strategy: Search["strategy"];
  /**
   * How many preemptions a run of an exhaustive search has at most.
   *
   * @default {no limit}
   */
  readonly bound?: number;
  /**
   * How many schedules of an exhaustive search are run at most.
   *
   * @default {no limit}
   */
  readonly runs?: number;
  /**
   * Into how many large units an exhaustive search is divided, at least.
   *
   * @default {64}
   */
  readonly units?: number;
  /**
   * Seed of the first run of a search at random.
   *
   * @default {1}
   */
  readonly seed?: number;
  /**
   * How many orderings the bugs need that `pct` looks for.
   *
   * @default {3}
   */
  readonly depth?: number;
}

/** A scenario that can be shared out. */
export interface Prepared {
  /** Why it is not run, or null. */
  readonly skipped: string | null;
  /** How its schedules are looked for; null when that is over. */
  readonly search: Search | null;
  /**
   * What it came to, if so little is left to do that shards would not pay:
   * everything, unless {@linkcode CampaignResult.left} says otherwise.
   */
  readonly result: CampaignResult | null;
}

/** An exhaustive search of fewer schedules than this is not shared out. */
export const SMALL = 2000;
const DEFAULT_DEPTH = 3;
const DEFAULT_SEED = 1;

/**
 * Finds out how a scenario is to be shared out. The same for every shard.
 *
 * @param spec The model.
 * @param scenario The scenario.
 * @param options How its schedules are looked for.
 * @returns How, and what is known already. `result` may be there together with
 * `search`: what the first runs of a large exhaustive search came to.
 *
 * @example A small scenario has been run when it has been prepared
 * ```ts
 * import { prepareCampaign, scenarioById } from "@endio/dio/conformance";
 * import { MODELS } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const strategy = "exhaustive";
 * const { search, result } = prepareCampaign(
 *   MODELS[0]!,
 *   scenarioById("aio-write"),
 *   { strategy },
 * );
 * assertEquals([search, result?.schedules, result?.left], [null, 10, 0]);
 * ```
 */
export function prepareCampaign(
  spec: ModelSpec,
  scenario: Scenario,
  options: PrepareOptions,
): Prepared {
  const { profile = "v3.12", rules, directIo, strategy } = options;
  const skipped = whyNot(mountForQuestions(spec), scenario, profile);
  if (skipped !== null) return { skipped, search: null, result: null };
  const common = {
    profile,
    ...(rules && { rules }),
    ...(directIo && { directIo }),
  };
  const run = (strategy: Strategy, arena?: RunArena) =>
    runScenario(spec, scenario, {
      ...common,
      strategy,
      ...(arena && { arena }),
    });
  const { seed = DEFAULT_SEED } = options;
  const first = run(random(seed));
  if (compareRuns(first, run(random(seed))) !== null) {
    return undetermined(first);
  }
  const arena = new RunArena(scenario);
  if (strategy === "exhaustive") {
    try {
      return prepareExhaustive(spec, scenario, options, (strategy) => {
        run(strategy, arena);
      });
    } catch (error) {
      if (error instanceof ReplayError) return undetermined(first);
      throw error;
    }
  }
  if (strategy === "random") {
    return { skipped, search: { strategy, seed }, result: null };
  }
  const length = measureRuns((strategy) => void run(strategy, arena), seed);
  const { depth = DEFAULT_DEPTH } = options;
  return { skipped, search: { strategy, seed, depth, length }, result: null };
}

/** Runs a small scenario, and divides a large one. */
function prepareExhaustive(
  spec: ModelSpec,
  scenario: Scenario,
  options: PrepareOptions,
  run: (strategy: Strategy) => void,
): Prepared {
  const { profile, rules, directIo, bound, units } = options;
  const { runs = Infinity } = options;
  const search: Search = {
    strategy: "exhaustive",
    ...(bound !== undefined && { bound }),
  };
  const campaign = new Campaign(spec, scenario, {
    search,
    ...(profile && { profile }),
    ...(rules && { rules }),
    ...(directIo && { directIo }),
  });
  const most = Math.min(SMALL, runs);
  while (campaign.schedules < most && campaign.step());
  const result = campaign.result();
  if (result.left === 0 || result.left === null || runs <= most) {
    return { skipped: null, search: null, result };
  }
  const split = findSplit(run, { ...search, ...(units && { units }) });
  return { skipped: null, search: { ...search, split }, result };
}

/** What one run shows says nothing about the next one: this is the result. */
function undetermined({ token }: RunReport): Prepared {
  const broken = [{ rule: DETERMINISM_RULE, schedules: 1, token }];
  const result = { ...NOTHING, schedules: 1, failing: 1, broken };
  return { skipped: null, search: null, result };
}

const NOTHING: CampaignResult = {
  ...NO_RUNS,
  shard: { index: 0, count: 1 },
  pruned: 0,
  left: null,
  hitBound: false,
  odds: null,
};

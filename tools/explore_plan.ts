/**
 * The command line of `explore.ts`, and what it asks for.
 *
 * @module
 */

import { PROFILE_NAMES, type ProfileName } from "../core/mod.ts";
import {
  type ExploreQuery,
  mountForQuestions,
  type PrepareOptions,
  type Scenario,
  SCENARIOS,
  type Shard,
  whyNot,
} from "../conformance/mod.ts";
import { ALL_MODELS, type ModelSpec } from "../fs_models/mod.ts";
import { lookUp, type Options, UserError } from "./cli.ts";

/** The options that explore, replay and nothing else. */
export const OPTION_NAMES = {
  string: [
    "fs",
    "model",
    "profile",
    "strategy",
    "bound",
    "depth",
    "runs",
    "seconds",
    "seed",
    "units",
    "shard",
    "jobs",
    "checkpoint",
    "replay",
  ],
  list: ["scenario"],
  boolean: ["json"],
} as const;

/** Options that say what is explored, and how. */
const SEARCH_OPTIONS = [
  "strategy",
  "bound",
  "depth",
  "runs",
  "seconds",
  "seed",
  "units",
  "shard",
  "jobs",
  "checkpoint",
] as const;

/** Runs of a scenario that is sampled, when nothing else is said. */
const DEFAULT_RUNS = 1000;
const DEFAULT_SEED = 1;
const DEFAULT_DEPTH = 3;
const DEFAULT_UNITS = 64;
const MOST_JOBS = 256;

/** The model, as it can be handed to a worker. */
export interface ModelName {
  /** Its name. */
  readonly name: string;
  /** The module that has it; null for one of endio's own. */
  readonly file: string | null;
}

/** What is to be explored. */
export interface ExplorePlan {
  /** The model. */
  readonly spec: ModelSpec;
  /** How a worker finds it. */
  readonly model: ModelName;
  /** The scenarios. */
  readonly scenarios: readonly Scenario[];
  /** Whether large scenarios are left after their first runs. */
  readonly isSmallOnly: boolean;
  /** What is asked for, for the report. */
  readonly query: ExploreQuery;
  /** Which shard of it. */
  readonly shard: Shard;
  /** How many workers there are. */
  readonly jobs: number;
  /** Where it is written down; null if it is not. */
  readonly checkpoint: string | null;
}

/**
 * Finds the model that the options name.
 *
 * @param options The options.
 * @param models The models there are.
 * @returns The model.
 * @throws {UserError} If there is none of that name, or no such module.
 */
export async function findModel(
  { values }: Options,
  models: readonly ModelSpec[],
): Promise<{ spec: ModelSpec; model: ModelName } | null> {
  const fs = values.get("fs");
  const file = values.get("model");
  if (fs !== undefined && file !== undefined) {
    throw new UserError("Cannot use --fs with --model: leave out one of them");
  }
  if (file !== undefined) {
    const spec = await loadModel(file);
    return { spec, model: { name: spec.name, file } };
  }
  if (fs === undefined) return null;
  const all = new Map(models.map((model) => [model.name, model]));
  return {
    spec: lookUp("filesystem", fs, all),
    model: { name: fs, file: null },
  };
}

/**
 * Finds a model again, in a worker.
 *
 * @param model The model.
 * @returns The model.
 */
export async function modelOf({ name, file }: ModelName): Promise<ModelSpec> {
  if (file !== null) return await loadModel(file);
  return ALL_MODELS.find((model) => model.name === name) as ModelSpec;
}

/** Imports a module of the user's, and finds the model that it exports. */
async function loadModel(file: string): Promise<ModelSpec> {
  const url = new URL(file, `file://${Deno.cwd()}/`);
  const exported: Record<string, unknown> = await import(url.href).catch(
    (error) => {
      const [why = ""] = String(error?.message ?? error).split("\n");
      const [, lacking] = /^Requires read access to "(.*)"/.exec(why) ?? [];
      throw new UserError(
        lacking === undefined
          ? `Cannot use --model ${file}: ${why}`
          : `Cannot read ${lacking}: Deno may not; add --allow-read=${lacking}`,
      );
    },
  );
  const found = Object.values(exported).filter(isModel);
  const [spec] = found;
  if (spec === undefined || found.length > 1) {
    throw new UserError(
      `Cannot use --model ${file}: it exports ${
        found.length || "no"
      } models, where one is expected: an object with a name and mount()`,
    );
  }
  return spec;
}

function isModel(value: unknown): value is ModelSpec {
  return typeof value === "object" && value !== null &&
    "name" in value && typeof value.name === "string" &&
    "mount" in value && typeof value.mount === "function";
}

/**
 * What the options ask for.
 *
 * @param options The options.
 * @param models The models there are.
 * @returns The plan.
 * @throws {UserError} If they make no sense.
 */
export async function planOf(
  options: Options,
  models: readonly ModelSpec[],
): Promise<ExplorePlan> {
  const found = await findModel(options, models);
  if (found === null) {
    throw new UserError(
      "Option --fs is missing: 'trace.ts list fs' shows all filesystems",
    );
  }
  const { values } = options;
  const named = scenariosOf(options);
  const query = queryOf(options, found.model.name);
  if (named !== null && named !== SCENARIOS) {
    checkRunnable(found.spec, named, query.profile);
  }
  const jobs = numberOf(options, "jobs", 1, MOST_JOBS) ?? 1;
  return {
    ...found,
    scenarios: named ?? SCENARIOS,
    isSmallOnly: named === null && query.strategy === "exhaustive" &&
      query.runs === null && query.seconds === null,
    query,
    shard: shardOf(values.get("shard") ?? "0/1"),
    jobs,
    checkpoint: values.get("checkpoint") ?? null,
  };
}

/** The scenarios that were named; null if none was. */
function scenariosOf({ lists }: Options): readonly Scenario[] | null {
  const ids = lists.get("scenario");
  if (ids === undefined) return null;
  if (ids.includes("all")) return SCENARIOS;
  const all = new Map(SCENARIOS.map((one) => [one.id, one]));
  const hint = "'trace.ts list scenarios' shows all";
  return [...new Set(ids)].map((id) => lookUp("scenario", id, all, hint));
}

/** Whoever names a scenario wants it to be run. */
function checkRunnable(
  spec: ModelSpec,
  scenarios: readonly Scenario[],
  profile: ProfileName,
): void {
  const fs = mountForQuestions(spec);
  for (const scenario of scenarios) {
    const reason = whyNot(fs, scenario, profile);
    if (reason === null) continue;
    throw new UserError(
      `Cannot run ${scenario.id} on ${spec.name}, profile ${profile}: ${reason}`,
    );
  }
}

/** What each strategy takes besides. */
const OF_STRATEGY: Readonly<Record<string, readonly string[]>> = {
  exhaustive: ["bound", "units"],
  random: ["seed"],
  pct: ["seed", "depth"],
};

function queryOf(options: Options, model: string): ExploreQuery {
  const { values } = options;
  const strategy = lookUp(
    "strategy",
    values.get("strategy") ?? "exhaustive",
    STRATEGIES,
  );
  for (const name of ["bound", "units", "seed", "depth"]) {
    if (!values.has(name) || OF_STRATEGY[strategy]?.includes(name)) continue;
    const of = Object.keys(OF_STRATEGY).filter((strategy) =>
      OF_STRATEGY[strategy]?.includes(name)
    );
    throw new UserError(
      `Cannot use --${name} with --strategy ${strategy}: it is for ${
        of.join(" and ")
      }`,
    );
  }
  const isExhaustive = strategy === "exhaustive";
  const seconds = secondsOf(values.get("seconds"));
  const runs = numberOf(options, "runs", 1);
  const isOpen = isExhaustive || seconds !== null;
  return {
    model,
    profile: lookUp("profile", values.get("profile") ?? "v3.12", PROFILES),
    strategy,
    bound: numberOf(options, "bound", 0),
    units: isExhaustive ? numberOf(options, "units", 1) ?? DEFAULT_UNITS : null,
    seed: isExhaustive ? null : numberOf(options, "seed", 0) ?? DEFAULT_SEED,
    depth: strategy === "pct"
      ? numberOf(options, "depth", 1) ?? DEFAULT_DEPTH
      : null,
    runs: runs ?? (isOpen ? null : DEFAULT_RUNS),
    seconds,
  };
}

const PROFILES: ReadonlyMap<string, ProfileName> = new Map(
  PROFILE_NAMES.map((name) => [name, name]),
);

const STRATEGIES: ReadonlyMap<string, PrepareOptions["strategy"]> = new Map([
  ["exhaustive", "exhaustive"],
  ["random", "random"],
  ["pct", "pct"],
]);

function numberOf(
  { values }: Options,
  name: string,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): number | null {
  const text = values.get(name);
  if (text === undefined) return null;
  const number = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (number >= least && number <= most) return number;
  throw new UserError(
    `Cannot use --${name} ${text}: it is not an integer from ${least}${
      most < Number.MAX_SAFE_INTEGER ? ` to ${most}` : ""
    }`,
  );
}

function secondsOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const seconds = /^\d{1,9}(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (seconds > 0) return seconds;
  throw new UserError(
    `Cannot use --seconds ${text}: it is not a number greater than 0`,
  );
}

function shardOf(text: string): Shard {
  const [index, count] = /^(\d{1,6})\/(\d{1,6})$/.exec(text)?.slice(1)
    .map(Number) ?? [];
  if (index !== undefined && count !== undefined && index < count) {
    return { index, count };
  }
  throw new UserError(
    `Cannot use --shard ${text}: write I/N, where I goes from 0 to N - 1`,
  );
}

/**
 * A replay takes no options that say what is explored.
 *
 * @param options The options.
 * @throws {UserError} If one of them does.
 */
export function checkReplayOptions({ values, lists }: Options): void {
  const names = [...SEARCH_OPTIONS, "profile"] as const;
  const extra = lists.has("scenario")
    ? "scenario"
    : names.find((name) => values.has(name));
  if (extra === undefined) return;
  throw new UserError(
    `Cannot use --${extra} with --replay, whose token says everything: leave out --${extra}`,
  );
}

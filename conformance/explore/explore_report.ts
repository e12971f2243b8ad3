/**
 * What exploring a model has come to, as data that is written down by one
 * program and read by another. Reports of shards add up to the report of the
 * whole.
 *
 * @module
 */

import { PROFILE_NAMES, type ProfileName } from "../../core/mod.ts";
import type { CampaignResult } from "./campaign.ts";
import type { Shard } from "./part.ts";
import { oddsOf, type PctOdds, type Search } from "./search.ts";
import { type BrokenRule, RunTally } from "./tally.ts";

/** Version of the report's shape. */
const VERSION = 1;

/** What was asked for. */
export interface ExploreQuery {
  /** The model's name. */
  readonly model: string;
  /** Whose semantics were in force. */
  readonly profile: ProfileName;
  /** How schedules were looked for. */
  readonly strategy: Search["strategy"];
  /** How many preemptions a run had at most; null for no limit. */
  readonly bound: number | null;
  /** Into how many large units a search was divided, at least; null if not. */
  readonly units: number | null;
  /** Seed of the first run; null if nothing was left to chance. */
  readonly seed: number | null;
  /** How many orderings the bugs need that `pct` looked for, or null. */
  readonly depth: number | null;
  /** How many schedules of a scenario were asked for; null for no limit. */
  readonly runs: number | null;
  /** How many seconds a scenario was given; null for no limit. */
  readonly seconds: number | null;
}

/** Which schedules of a scenario were run. */
export type ExploreCoverage =
  /** All that can make a difference. */
  | "exhaustive"
  /** All of those with a bounded number of preemptions. */
  | "bounded"
  /** Some, out of nobody knows how many. */
  | "sampled";

/** What a scenario has come to. */
export interface ExploredScenario {
  /** Its name. */
  readonly scenario: string;
  /** Why it was not run, or null. */
  readonly skipped: string | null;
  /** Which of its schedules were run; null if none. */
  readonly coverage: ExploreCoverage | null;
  /** How many schedules were run to their end. */
  readonly schedules: number;
  /** How many runs were given up because they could only repeat another. */
  readonly pruned: number;
  /**
   * How many runs are known to be left, at least; null when nobody can know.
   */
  readonly left: number | null;
  /** Whether schedules were left out for their preemptions. */
  readonly hitBound: boolean;
  /** How many schedules broke a rule. */
  readonly failing: number;
  /** The rules they broke, by id, each with the shortest token. */
  readonly broken: readonly BrokenRule[];
  /** How often each rule had something to say: id and count, by id. */
  readonly exercised: readonly (readonly [rule: string, count: number])[];
  /** The chances of what was drawn with `pct`, or null. */
  readonly odds: PctOdds | null;
}

/** What exploring a model has come to. */
export interface ExploreReport extends ExploreQuery {
  /** The version of this shape. */
  readonly endio: 1;
  /** What this is. */
  readonly report: "explore";
  /** How many shards the whole has, and which of them are in this report. */
  readonly shards: { readonly count: number; readonly done: readonly number[] };
  /** Every scenario that was asked for. */
  readonly scenarios: readonly ExploredScenario[];
}

/** What the parts of a scenario came to. */
export interface ScenarioParts {
  /** The scenario's name. */
  readonly scenario: string;
  /** Why it was not run, or null. */
  readonly skipped: string | null;
  /** What each part came to. */
  readonly parts: readonly Omit<CampaignResult, "shard">[];
}

/**
 * Puts a report together.
 *
 * @param query What was asked for.
 * @param shard Which shard was run.
 * @param scenarios What came of it, scenario by scenario.
 * @returns The report.
 *
 * @example
 * ```ts
 * import { Campaign, exploreReport, scenarioById } from "@endio/dio/conformance";
 * import { MODELS } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const campaign = new Campaign(MODELS[0]!, scenarioById("aio-write"));
 * while (campaign.step());
 * const query = {
 *   model: "plain", profile: "v3.12" as const, strategy: "exhaustive" as const,
 *   bound: null, units: null, seed: null, depth: null, runs: null, seconds: null,
 * };
 * const { scenarios } = exploreReport(query, { index: 0, count: 1 }, [
 *   { scenario: "aio-write", skipped: null, parts: [campaign.result()] },
 * ]);
 * assertEquals(scenarios[0]?.coverage, "exhaustive");
 * ```
 */
export function exploreReport(
  query: ExploreQuery,
  shard: Shard,
  scenarios: readonly ScenarioParts[],
): ExploreReport {
  const { model, profile, strategy, bound, units } = query;
  const { seed, depth, runs, seconds } = query;
  const isWhole = shard.count === 1;
  return {
    endio: VERSION,
    report: "explore",
    model,
    profile,
    strategy,
    bound,
    units,
    seed,
    depth,
    runs,
    seconds,
    shards: { count: shard.count, done: [shard.index] },
    scenarios: scenarios.map((parts) => addUp(parts, strategy, isWhole)),
  };
}

/**
 * Puts reports of shards together.
 *
 * @param reports The reports, in any order.
 * @returns Their sum; with all shards of a whole, the same report as that of
 * the whole.
 * @throws {RangeError} If they are not of one whole, or a shard is there twice.
 *
 * @example
 * ```ts
 * import { exploreReport, mergeReports } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * const query = {
 *   model: "plain", profile: "v3.12" as const, strategy: "exhaustive" as const,
 *   bound: null, units: 64, seed: null, depth: null, runs: null, seconds: null,
 * };
 * const shards = [0, 1].map((index) => exploreReport(query, { index, count: 2 }, []));
 * assertEquals(mergeReports(shards).shards, { count: 1, done: [0] });
 * ```
 */
export function mergeReports(
  reports: readonly ExploreReport[],
): ExploreReport {
  const [first] = reports;
  if (first === undefined) {
    throw new RangeError("Cannot merge reports: there are none");
  }
  for (const report of reports) checkLike(first, report);
  const done = reports.flatMap(({ shards }) => shards.done)
    .sort((a, b) => a - b);
  const twice = done.find((index, i) => index === done[i + 1]);
  if (twice !== undefined) {
    throw new RangeError(
      `Cannot merge reports: shard ${twice}/${first.shards.count} is there twice`,
    );
  }
  const isWhole = done.length === first.shards.count;
  return {
    ...first,
    shards: isWhole
      ? { count: 1, done: [0] }
      : { count: first.shards.count, done },
    scenarios: first.scenarios.map(({ scenario, skipped }, at) => {
      const parts = reports.map(({ scenarios }) =>
        scenarios[at] as ExploredScenario
      );
      return addUp({ scenario, skipped, parts }, first.strategy, isWhole);
    }),
  };
}

/**
 * Reads a report.
 *
 * @param text The report, as JSON.
 * @returns The report.
 * @throws {SyntaxError} If it is none.
 *
 * @example
 * ```ts
 * import { parseReport } from "@endio/dio/conformance";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => parseReport("{}"), SyntaxError, "no report of explore");
 * ```
 */
export function parseReport(text: string): ExploreReport {
  const value: unknown = JSON.parse(text);
  const isReport = isObject(value) && value["report"] === "explore";
  if (!isReport) throw new SyntaxError("it is no report of explore");
  if (value["endio"] !== VERSION) {
    throw new SyntaxError(
      `it is a report of version ${value["endio"]}, not ${VERSION}`,
    );
  }
  const { shards, scenarios, profile } = value as Partial<ExploreReport>;
  const isWhole = PROFILE_NAMES.some((name) => name === profile) &&
    Array.isArray(shards?.done) && Array.isArray(scenarios) &&
    scenarios.every((one: unknown) => isObject(one) && isScenario(one));
  if (!isWhole) throw new SyntaxError("parts of the report are missing");
  return value as unknown as ExploreReport;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isScenario(one: Record<string, unknown>): boolean {
  return typeof one["scenario"] === "string" &&
    ["schedules", "pruned", "failing"].every((name) =>
      typeof one[name] === "number"
    ) && Array.isArray(one["broken"]) && Array.isArray(one["exercised"]);
}

function addUp(
  { scenario, skipped, parts }: ScenarioParts,
  strategy: Search["strategy"],
  isWhole: boolean,
): ExploredScenario {
  const tally = new RunTally();
  let pruned = 0;
  let left: number | null = 0;
  for (const part of parts) {
    tally.addAll(part);
    pruned += part.pruned;
    left = left === null || part.left === null ? null : left + part.left;
  }
  const hitBound = parts.some((part) => part.hitBound);
  const isAll = strategy === "exhaustive" && left === 0 && isWhole;
  const coverage = isAll ? hitBound ? "bounded" : "exhaustive" : "sampled";
  return {
    scenario,
    skipped,
    coverage: skipped === null ? coverage : null,
    ...tally.result(),
    pruned,
    left,
    hitBound,
    odds: addOdds(parts.flatMap(({ odds }) => odds ?? [])),
  };
}

function addOdds(odds: readonly PctOdds[]): PctOdds | null {
  const [first] = odds;
  if (first === undefined) return null;
  const contexts = Math.max(...odds.map(({ contexts }) => contexts));
  const longer = odds.reduce((sum, { longer }) => sum + longer, 0);
  return oddsOf(first.depth, first.steps, contexts, longer);
}

const QUERY = [
  "model",
  "profile",
  "strategy",
  "bound",
  "units",
  "seed",
  "depth",
  "runs",
  "seconds",
] as const;

/** Two reports must be of one whole to be put together. */
function checkLike(first: ExploreReport, other: ExploreReport): void {
  for (const name of QUERY) {
    if (first[name] === other[name]) continue;
    throw new RangeError(
      `Cannot merge reports: ${name} is ${first[name]} in one, ${
        other[name]
      } in another`,
    );
  }
  if (first.shards.count !== other.shards.count) {
    throw new RangeError(
      `Cannot merge reports: one is of ${first.shards.count} shards, another of ${other.shards.count}`,
    );
  }
  const names = ({ scenarios }: ExploreReport): string =>
    scenarios.map(({ scenario }) => scenario).join(", ");
  if (names(first) !== names(other)) {
    throw new RangeError(
      `Cannot merge reports: one is of ${names(first)}, another of ${
        names(other)
      }`,
    );
  }
}

import { assertEquals, assertThrows } from "@std/assert";
import { ALL_MODELS } from "../../fs_models/mod.ts";
import { runScenario } from "../run.ts";
import { scenarioById } from "../scenarios.ts";
import { Campaign, type CampaignResult } from "./campaign.ts";
import {
  type ExploreQuery,
  type ExploreReport,
  exploreReport,
  mergeReports,
  parseReport,
} from "./explore_report.ts";
import type { Search } from "./search.ts";
import { findSplit } from "./split.ts";
import { RunTally } from "./tally.ts";

const QUERY: ExploreQuery = {
  model: "blkdev-2016",
  profile: "v3.12",
  strategy: "exhaustive",
  bound: null,
  units: 4,
  seed: null,
  depth: null,
  runs: null,
  seconds: null,
};
const SCENARIO = scenarioById("aio-two-writes");
const SPEC = ALL_MODELS.find(({ name }) => name === "blkdev-2016")!;

/** The report of one shard. */
function reportOf(
  index: number,
  count: number,
  search: Search,
  query: ExploreQuery = QUERY,
): ExploreReport {
  const shard = { index, count };
  const campaign = new Campaign(SPEC, SCENARIO, { search, shard, runs: 400 });
  while (campaign.step());
  const parts = [campaign.result()];
  return exploreReport(query, shard, [
    { scenario: SCENARIO.id, skipped: null, parts },
    { scenario: "other", skipped: "it is about v6.1", parts: [] },
  ]);
}

const split = findSplit((strategy) => {
  runScenario(SPEC, SCENARIO, { strategy });
}, { units: 4 });

for (
  const search of [
    { strategy: "exhaustive", split },
    { strategy: "random", seed: 5 },
    { strategy: "pct", depth: 2, length: { steps: 12, contexts: 3 } },
  ] as const
) {
  Deno.test(`mergeReports() of ${search.strategy} shards in any order gives the report of the whole`, () => {
    const query = { ...QUERY, strategy: search.strategy };
    const whole = reportOf(0, 1, search, query);
    const shards = [2, 0, 3, 1].map((i) => reportOf(i, 4, search, query));
    const text = JSON.stringify(whole);
    const odds = whole.scenarios[0]?.odds;
    assertEquals(odds && odds.longer > 0, search.strategy === "pct" || null);
    assertEquals(JSON.stringify(mergeReports(shards)), text);
    const [a, b, c, d] = shards as [
      ExploreReport,
      ExploreReport,
      ExploreReport,
      ExploreReport,
    ];
    const pairs = [mergeReports([d, a]), mergeReports([c, b])];
    assertEquals(pairs[0]?.shards, { count: 4, done: [1, 2] });
    assertEquals(pairs[0]?.scenarios[0]?.coverage, "sampled");
    assertEquals(JSON.stringify(mergeReports(pairs)), text);
  });
}

const EMPTY: CampaignResult = {
  ...new RunTally().result(),
  shard: { index: 0, count: 1 },
  pruned: 0,
  left: 0,
  hitBound: false,
  odds: null,
};

Deno.test("a report says exhaustive only of what is", () => {
  const coverage = (
    result: Partial<CampaignResult>,
    query: Partial<ExploreQuery> = {},
    count = 1,
  ) =>
    exploreReport({ ...QUERY, ...query }, { index: 0, count }, [
      { scenario: "a", skipped: null, parts: [{ ...EMPTY, ...result }] },
    ]).scenarios[0]?.coverage;
  assertEquals(coverage({}), "exhaustive");
  assertEquals(coverage({}, { bound: 3 }), "exhaustive");
  assertEquals(coverage({ hitBound: true }, { bound: 3 }), "bounded");
  assertEquals(coverage({ left: 1 }), "sampled");
  assertEquals(coverage({ left: 1, hitBound: true }), "sampled");
  assertEquals(coverage({}, {}, 2), "sampled");
  assertEquals(coverage({ left: null }, { strategy: "random" }), "sampled");
});

const SHARD = exploreReport(QUERY, { index: 1, count: 3 }, []);
const MISTAKES: [reports: ExploreReport[], message: string][] = [
  [[], "there are none"],
  [[SHARD, SHARD], "shard 1/3 is there twice"],
  [[SHARD, { ...SHARD, model: "xfs" }], "model is blkdev-2016 in one, xfs"],
  [[SHARD, { ...SHARD, bound: 2 }], "bound is null in one, 2 in another"],
  [
    [SHARD, exploreReport(QUERY, { index: 0, count: 2 }, [])],
    "one is of 3 shards, another of 2",
  ],
  [
    [SHARD, {
      ...exploreReport(QUERY, { index: 0, count: 3 }, [
        { scenario: "a", skipped: null, parts: [] },
      ]),
    }],
    "one is of , another of a",
  ],
];

for (const [reports, message] of MISTAKES) {
  Deno.test(`mergeReports() refuses reports: ${message}`, () => {
    assertThrows(() => mergeReports(reports), RangeError, message);
  });
}

Deno.test("parseReport() reads what was written, and nothing else", () => {
  assertEquals(parseReport(JSON.stringify(SHARD)), SHARD);
  const { scenarios: _, ...rest } = SHARD;
  const broken = { ...SHARD, scenarios: [{ scenario: "a" }] };
  for (
    const [value, message] of [
      [{}, "no report of explore"],
      [null, "no report of explore"],
      [{ ...SHARD, endio: 2 }, "version 2, not 1"],
      [rest, "parts of the report are missing"],
      [broken, "parts of the report are missing"],
    ] as const
  ) {
    const text = JSON.stringify(value);
    assertThrows(() => parseReport(text), SyntaxError, message);
  }
  assertThrows(() => parseReport("{"), SyntaxError);
});

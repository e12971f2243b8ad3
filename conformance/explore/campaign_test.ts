// A campaign that is written down, forgotten and gone on with, at any time,
// comes to what it would have come to.

import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Prng, ReplayError } from "../../core/mod.ts";
import { ALL_MODELS, type ModelSpec } from "../../fs_models/mod.ts";
import { runScenario } from "../run.ts";
import type { Scenario } from "../scenario.ts";
import { scenarioById, SCENARIOS } from "../scenarios.ts";
import { Campaign, type CampaignOptions } from "./campaign.ts";
import { prepareCampaign } from "./prepare.ts";
import type { Search } from "./search.ts";
import { findSplit } from "./split.ts";

const SEED = 20130710;
const STOPS = 12;

function modelOf(name: string): ModelSpec {
  return ALL_MODELS.find((model) => model.name === name)!;
}

/** Runs a campaign to its end. */
function finish(campaign: Campaign): Campaign {
  while (campaign.step());
  return campaign;
}

/** Runs a campaign that is stopped now and then, after so many runs. */
function finishInPieces(
  spec: ModelSpec,
  scenario: Scenario,
  options: CampaignOptions,
  stops: readonly number[],
): Campaign {
  let campaign = new Campaign(spec, scenario, options);
  for (const runs of stops) {
    for (let i = 0; i < runs && campaign.step(); i++);
    const resume = JSON.parse(JSON.stringify(campaign.save()));
    campaign = new Campaign(spec, scenario, { ...options, resume });
  }
  return finish(campaign);
}

/** Two bios, any of which may fail. */
const MAY_FAIL: Scenario = {
  ...scenarioById("aio-write-error"),
  id: "may-fail",
  faults: [{ nth: 1, open: true }, { nth: 2, open: true }],
};

const LENGTH = { steps: 40, contexts: 4 };
const MANY = scenarioById("aio-write-many");
const CASES: [
  name: string,
  scenario: Scenario,
  search: Search,
  runs?: number,
][] = [
  ["plain", MANY, { strategy: "exhaustive" }],
  ["plain", MAY_FAIL, { strategy: "exhaustive" }],
  ["ext4", MANY, { strategy: "exhaustive", bound: 1 }],
  [
    "blkdev-2016",
    scenarioById("aio-two-writes"),
    { strategy: "exhaustive" },
  ],
  ["plain", MANY, { strategy: "random", seed: 7 }, 80],
  ["plain", MANY, { strategy: "pct", depth: 2, length: LENGTH }, 80],
];

for (const [name, scenario, plan, runs] of CASES) {
  const what = "bound" in plan ? "bounded" : plan.strategy;
  Deno.test(`a campaign (${what}) of ${scenario.id} on ${name} comes to the same however often it is stopped (seed ${SEED})`, () => {
    const spec = modelOf(name);
    const split = findSplit((strategy) => {
      runScenario(spec, scenario, { strategy });
    }, { units: 4, ...("bound" in plan && { bound: plan.bound ?? 0 }) });
    const search = plan.strategy === "exhaustive" ? { ...plan, split } : plan;
    const shard = { index: 1, count: 2 };
    const options = { search, shard, ...(runs && { runs }) };
    const whole = finish(new Campaign(spec, scenario, options));
    const expected = whole.result();
    assert(expected.schedules > 10);
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 60 }), { minLength: 1, maxLength: 6 }),
        (stops) => {
          const pieces = finishInPieces(spec, scenario, options, stops);
          assertEquals(pieces.result(), expected);
          assertEquals(pieces.save(), whole.save());
        },
      ),
      { seed: SEED, numRuns: STOPS },
    );
  });
}

Deno.test("a campaign that is over has no run left", () => {
  const campaign = new Campaign(modelOf("plain"), scenarioById("aio-write"));
  finish(campaign);
  const { schedules, left } = campaign.result();
  assertEquals([schedules, left, campaign.step()], [10, 0, false]);
  const again = new Campaign(modelOf("plain"), scenarioById("aio-write"), {
    resume: campaign.save(),
  });
  assertEquals([again.step(), again.result()], [false, campaign.result()]);
});

Deno.test("a campaign that is not over knows of runs that are left", () => {
  const campaign = new Campaign(
    modelOf("plain"),
    scenarioById("aio-write-many"),
    { runs: 20 },
  );
  let runs = 0;
  while (campaign.step()) {
    runs++;
    assert((campaign.left ?? 0) > 0);
  }
  const { schedules, pruned } = campaign.result();
  assertEquals([schedules, schedules + pruned], [20, runs]);
});

Deno.test("a shard that was not begun has all of its units left", () => {
  const spec = modelOf("plain");
  const split = findSplit((strategy) => {
    runScenario(spec, MANY, { strategy });
  }, { units: 4 });
  const left = [0, 1, 2].map((index) => {
    const shard = { index, count: 3 };
    const search = { strategy: "exhaustive", split } as const;
    return new Campaign(spec, MANY, { search, shard }).left ?? 0;
  });
  assertEquals(left.reduce((a, b) => a + b), split.units);
  assert(Math.min(...left) > 1);
});

Deno.test("shards of a sample are the sample", () => {
  const spec = modelOf("plain");
  const scenario = scenarioById("aio-write-many");
  const sample = (index: number, count: number) => {
    const campaign = new Campaign(spec, scenario, {
      search: { strategy: "random", seed: 3 },
      shard: { index, count },
      runs: 50,
      rules: [],
    });
    return finish(campaign).schedules;
  };
  assertEquals([sample(0, 1), sample(0, 3), sample(1, 3), sample(2, 3)], [
    50,
    17,
    17,
    16,
  ]);
});

Deno.test("a campaign does not go on with another program", () => {
  const spec = modelOf("plain");
  const [one, two] = ["aio-write-many", "aio-write"].map(scenarioById);
  const campaign = new Campaign(spec, one!);
  for (let i = 0; i < 20; i++) campaign.step();
  const other = new Campaign(spec, two!, { resume: campaign.save() });
  assertThrows(
    () => finish(other),
    ReplayError,
    "under the same choices the program does something else",
  );
});

/** Plain, with one context more from some run on. */
function moodyFrom(run: number): ModelSpec {
  let mounts = 0;
  return {
    name: "moody",
    mount: (kernel, bdev) => {
      if (++mounts > run) kernel.spawn("late", kernel.sleep(1));
      return modelOf("plain").mount(kernel, bdev);
    },
  };
}

Deno.test("a campaign whose program changes on the way ends with that, and is not exhaustive", () => {
  const scenario = scenarioById("aio-write-many");
  const campaign = new Campaign(moodyFrom(10), scenario);
  const { broken: [broken], schedules, pruned, failing, left } = finish(
    campaign,
  ).result();
  assertEquals([broken?.rule, schedules + pruned, failing, left], [
    "determinism/same-trace",
    11,
    1,
    null,
  ]);
  const resume = campaign.save();
  assertEquals(new Campaign(moodyFrom(0), scenario, { resume }).step(), false);
});

Deno.test("prepareCampaign() says why a scenario is not run", () => {
  const prepared = prepareCampaign(
    modelOf("plain"),
    scenarioById("append-no-space"),
    { strategy: "exhaustive" },
  );
  assertEquals([prepared.search, prepared.result], [null, null]);
  assert(prepared.skipped !== null);
});

Deno.test("prepareCampaign() finds hidden nondeterminism", () => {
  let mounts = 0;
  const prng = new Prng(1);
  const spec: ModelSpec = {
    name: "moody",
    mount: (kernel, bdev) => {
      const fs = modelOf("plain").mount(kernel, bdev);
      for (let i = 0; i < mounts++ % 3; i++) kernel.newAddr(prng.below(3));
      if (mounts % 2 === 0) kernel.spawn("moody", (function* () {})());
      return fs;
    },
  };
  const { search, result } = prepareCampaign(
    spec,
    scenarioById("aio-write-many"),
    { strategy: "exhaustive" },
  );
  assertEquals(search, null);
  assertEquals(result?.broken.map(({ rule }) => rule), [
    "determinism/same-trace",
  ]);
  assertEquals(result?.left, null);
});

Deno.test("prepareCampaign() finds nondeterminism while it divides a large scenario", () => {
  const { search, result } = prepareCampaign(
    moodyFrom(2100),
    scenarioById("sync-read-many"),
    { strategy: "exhaustive" },
  );
  assertEquals([search, result?.broken[0]?.rule], [
    null,
    "determinism/same-trace",
  ]);
});

Deno.test("prepareCampaign() runs small scenarios, and divides large ones", () => {
  const spec = modelOf("plain");
  const small = prepareCampaign(spec, scenarioById("aio-write"), {
    strategy: "exhaustive",
  });
  assertEquals([small.search, small.result?.left], [null, 0]);
  const large = prepareCampaign(spec, scenarioById("sync-read-many"), {
    strategy: "exhaustive",
  });
  assert((large.result?.left ?? 0) > 0);
  const { search } = large;
  assert(search?.strategy === "exhaustive" && search.split!.units > 64);
});

Deno.test("prepareCampaign() measures runs for pct, the same every time", () => {
  const prepare = () =>
    prepareCampaign(modelOf("ext4"), SCENARIOS[4]!, { strategy: "pct" }).search;
  const search = prepare();
  assert(search?.strategy === "pct" && search.length.steps > 10);
  assertEquals(prepare(), search);
});

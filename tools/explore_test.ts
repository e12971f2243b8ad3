import {
  assert,
  assertEquals,
  assertLessOrEqual,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  type ExploreReport,
  parseReport,
  type Violation,
} from "../conformance/mod.ts";
import type { ModelSpec } from "../fs_models/mod.ts";
import { UserError } from "./cli.ts";
import { explore } from "./explore.ts";
import { fakeIo } from "./testdata/fake_io.ts";
import { LEAKY } from "./testdata/leaky_model.ts";

const WRITE = ["--fs", "ext4", "--scenario", "aio-write"];
const MODELS = { models: [LEAKY] };
const LEAK = "released-once/no-leak";
const FAILING = ["--fs", "leaky", "--scenario", "aio-write"];

/** What the tool writes when no rule is broken. */
async function outputOf(...args: string[]): Promise<string> {
  const io = fakeIo();
  assertEquals([await explore(args, io), io.stderr()], [0, ""]);
  return io.stdout();
}

async function reportOf(...args: string[]): Promise<ExploreReport> {
  return parseReport(await outputOf(...args, "--json"));
}

for (const command of [[], ["merge"]]) {
  Deno.test(`explore.ts ${command} --help fits a terminal and has an example`, async () => {
    const help = await outputOf(...command, "--help");
    const lines = help.trimEnd().split("\n");
    assertLessOrEqual(lines.length, 45);
    for (const line of lines) assertLessOrEqual(line.length, 80);
    assertStringIncludes(help, "Example: deno run ");
    assertStringIncludes(help, "Exit status: ");
  });
}

const MISTAKES: [args: string[], message: string][] = [
  [[], "Option --fs is missing: 'trace.ts list fs' shows all filesystems"],
  [["x"], "Unexpected 'x': options only, or merge and files; see --help"],
  [["--fs", "ext5"], "Unknown filesystem 'ext5': did you mean ext4?"],
  [["--fs", "ext4", "--model", "x.ts"], "Cannot use --fs with --model"],
  [
    ["--fs", "ext4", "--scenario", "aio-wrte"],
    "Unknown scenario 'aio-wrte': did you mean aio-write?",
  ],
  [
    ["--fs", "ext4", "--scenario", "x"],
    "Unknown scenario 'x': 'trace.ts list scenarios' shows all",
  ],
  [
    ["--fs", "plain", "--scenario", "aio-write-unwritten"],
    "Cannot run aio-write-unwritten on plain, profile v3.12: the model lacks unwritten",
  ],
  [[...WRITE, "--profile", "v5"], "Unknown profile 'v5'"],
  [
    [...WRITE, "--strategy", "dfs"],
    "Unknown strategy 'dfs': choose exhaustive, random, pct",
  ],
  [[...WRITE, "--runs", "0"], "--runs 0: it is not an integer from 1"],
  [[...WRITE, "--runs", "1e3"], "--runs 1e3: it is not an integer from 1"],
  [[...WRITE, "--bound", "x"], "--bound x: it is not an integer from 0"],
  [[...WRITE, "--seconds", "0"], "--seconds 0: it is not a number greater"],
  [[...WRITE, "--jobs", "257"], "--jobs 257: it is not an integer from 1 to"],
  [[...WRITE, "--shard", "4/4"], "--shard 4/4: write I/N"],
  [[...WRITE, "--shard", "1"], "--shard 1: write I/N"],
  [
    [...WRITE, "--seed", "1"],
    "Cannot use --seed with --strategy exhaustive: it is for random and pct",
  ],
  [
    [...WRITE, "--strategy", "random", "--bound", "1"],
    "Cannot use --bound with --strategy random: it is for exhaustive",
  ],
  [[...WRITE, "--sed", "1"], "Unknown option --sed: did you mean --seed?"],
  [["--replay", "x"], "Cannot read schedule token: it begins with 'x'"],
  [
    ["--replay", "endio1:v3.12:ext4:aio-write:fifo:", "--seed", "1"],
    "Cannot use --seed with --replay, whose token says everything",
  ],
  [
    ["--replay", "endio1:v3.12:ext4:aio-write:fifo:", "--fs", "xfs"],
    "Cannot replay a run of ext4 on xfs: leave out --fs",
  ],
  [
    ["--replay", "endio1:v3.12:ext4:nothing:fifo:"],
    "Cannot replay a run of nothing: there is no scenario of that name",
  ],
  [
    ["--replay", "endio1:v3.12:ext4:aio-write:random-1:G"],
    "Cannot replay choice ",
  ],
  [["merge"], "No reports: name the files, see merge --help"],
];

for (const [args, message] of MISTAKES) {
  Deno.test(`explore.ts refuses '${args.join(" ")}'`, async () => {
    const error = await assertRejects(
      () => explore(args, fakeIo()),
      UserError,
    );
    assertStringIncludes(error.message, message);
    assertEquals(error.message.includes("\n"), false);
  });
}

Deno.test("explore.ts runs every order of a scenario", async () => {
  const text = await outputOf(...WRITE);
  assertStringIncludes(text, "ext4, profile v3.12, exhaustive\n");
  assertMatch(text, /✓ aio-write +exhaustive +\d+ +0 +0\n/);
  assertMatch(text, /✓ no rule broken in \d+ schedules of 1 scenario\n$/);
  const { scenarios, shards } = await reportOf(...WRITE);
  assertEquals(scenarios.map(({ coverage }) => coverage), ["exhaustive"]);
  assertEquals(shards, { count: 1, done: [0] });
});

Deno.test("explore.ts runs several scenarios, in the order they were named", async () => {
  const { scenarios } = await reportOf(
    ...["--fs", "plain", "--scenario", "aio-read", "--scenario", "aio-write"],
    ...["--scenario=aio-read"],
  );
  assertEquals(scenarios.map(({ scenario }) => scenario), [
    "aio-read",
    "aio-write",
  ]);
});

Deno.test("explore.ts runs all small scenarios if none is named, and says how much is left of others", async () => {
  const { scenarios } = await reportOf("--fs", "blkdev");
  const run = scenarios.filter(({ skipped }) => skipped === null);
  assert(run.some(({ coverage }) => coverage === "exhaustive"));
  for (const { coverage, left, failing } of run) {
    assertEquals(coverage === "exhaustive", left === 0);
    assertEquals(failing, 0);
  }
  const text = await outputOf("--fs", "blkdev");
  assertStringIncludes(text, "  – not run, the model lacks truncate: ");
  for (const line of text.split("\n")) assertLessOrEqual(line.length, 80);
});

Deno.test("explore.ts calls a bounded search exhaustive only if the bound left nothing out", async () => {
  const search = [...WRITE, "--bound"];
  assertStringIncludes(await outputOf(...search, "0"), "bounded: 0 preempt");
  const [scenario] = (await reportOf(...search, "0")).scenarios;
  assertEquals([scenario?.coverage, scenario?.hitBound], ["bounded", true]);
  const all = (await reportOf(...search, "99")).scenarios[0];
  assertEquals([all?.coverage, all?.hitBound], ["exhaustive", false]);
});

Deno.test("explore.ts tells of a model that does not do the same under the same choices", async () => {
  for (const change of [0, 10]) {
    let mounts = 0;
    const moody: ModelSpec = {
      ...LEAKY,
      name: "moody",
      mount(kernel, bdev) {
        if (++mounts > change && mounts % 2 === 0) {
          kernel.spawn("late", kernel.sleep(1));
        }
        return LEAKY.mount(kernel, bdev);
      },
    };
    const io = fakeIo();
    const args = ["--fs", "moody", "--scenario", "aio-write-many"];
    assertEquals(await explore(args, io, { models: [moody] }), 1);
    const output = io.stdout();
    assertMatch(output, /aio-write-many +sampled/);
    assertStringIncludes(output, "\ndeterminism/same-trace: The same schedule");
  }
});

for (const runs of [100, 2000, 2500]) {
  Deno.test(`explore.ts says how many schedules are left after ${runs} runs`, async () => {
    const { scenarios } = await reportOf(
      ...["--fs", "plain", "--scenario", "sync-read-many"],
      ...["--runs", String(runs)],
    );
    const { coverage, schedules, left } = scenarios[0]!;
    assertEquals([coverage, schedules], ["sampled", runs]);
    assert((left ?? 0) > 0);
  });
}

Deno.test("explore.ts ends a search in time", async () => {
  const { scenarios, seconds } = await reportOf(
    ...["--fs", "plain", "--scenario", "aio-write", "--strategy", "random"],
    ...["--seconds", "0.2"],
  );
  assertEquals([seconds, scenarios[0]?.coverage], [0.2, "sampled"]);
  assert((scenarios[0]?.schedules ?? 0) > 1);
});

Deno.test("explore.ts samples at random, the same for a seed", async () => {
  const sample = [...WRITE, "--strategy", "random", "--runs", "40"];
  const text = await outputOf(...sample);
  assertMatch(text, /random from seed 1\n[^]*sampled +40 +0 +unknown\n/);
  assertEquals(await outputOf(...sample, "--seed", "1"), text);
});

Deno.test("explore.ts states the chances of pct", async () => {
  const sample = [...WRITE, "--strategy", "pct", "--depth", "2", "--runs"];
  const text = await outputOf(...sample, "30");
  assertMatch(
    text,
    /a bug of depth 2 is found with a probability of at least 0\.\d+ by one run \(\d+ contexts, \d+ steps\), 0\.\d+ by 30/,
  );
  const odds = (await reportOf(...sample, "30")).scenarios[0]?.odds;
  assert(odds !== null && odds !== undefined);
  const { contexts, steps, probability } = odds;
  assertEquals(probability, 1 / (contexts * steps));
});

Deno.test("explore.ts ends with 1 for a violation, and names the run, which --replay repeats", async () => {
  const io = fakeIo();
  assertEquals(await explore(FAILING, io, MODELS), 1);
  const text = io.stdout();
  assertMatch(text, /✗ aio-write +exhaustive/);
  assertMatch(text, /✗ rules broken in (\d+) of \1 schedules of 1 scenario/);
  assertStringIncludes(text, `aio-write: ${LEAK} in `);
  assertStringIncludes(text, "Shrunk in ");
  const [token] = /endio1:v3\.12:leaky:aio-write:\S+/.exec(text) ?? [];
  const again = fakeIo();
  assertEquals(await explore(["--replay", token!], again, MODELS), 1);
  assertStringIncludes(again.stdout(), LEAK);
  const json = fakeIo();
  const args = ["--replay", token!, "--json"];
  assertEquals(await explore(args, json, MODELS), 1);
  const { violations, runs } = JSON.parse(json.stdout());
  const rules: string[] = violations.map(({ rule }: Violation) => rule);
  assertEquals([rules.includes(LEAK), runs], [true, 1]);
});

Deno.test("explore.ts --json writes nothing but the report to its output", async () => {
  const io = fakeIo();
  assertEquals(await explore([...FAILING, "--json"], io, MODELS), 1);
  const { scenarios } = parseReport(io.stdout());
  const broken = scenarios[0]?.broken.find(({ rule }) => rule === LEAK);
  assertEquals(broken?.schedules, scenarios[0]?.schedules);
  assertStringIncludes(io.stderr(), "Shrunk in ");
});

Deno.test("explore.ts --replay says that no rule is broken", async () => {
  assertEquals(
    await outputOf("--replay", "endio1:v3.12:ext4:aio-write:fifo:"),
    "✓ no rule broken in 1 run of aio-write on ext4, profile v3.12\n",
  );
});

Deno.test("explore.ts draws progress on a terminal only, and wipes it", async () => {
  const args = [
    ...["--fs", "plain", "--scenario", "sync-read-many", "--runs", "2500"],
  ];
  const io = fakeIo();
  assertEquals(await explore(args, io, { isTerminal: true }), 0);
  assertMatch(
    io.stderr(),
    // deno-lint-ignore no-control-regex
    /^(\r\x1b\[Ksync-read-many: \d+ schedules(, \d+ pruned)?, \d+ or more left, \d+\/s)+\r\x1b\[K$/,
  );
});

Deno.test("explore.ts --jobs says which permission it lacks", {
  permissions: "none",
}, async () => {
  const error = await assertRejects(
    () => explore([...WRITE, "--jobs", "2"], fakeIo()),
    UserError,
  );
  assertStringIncludes(error.message, "add --allow-read=");
});

Deno.test("explore.ts --checkpoint says which permission it lacks", {
  permissions: "none",
}, async () => {
  const error = await assertRejects(
    () => explore([...WRITE, "--checkpoint", "c.json"], fakeIo()),
    UserError,
  );
  assertEquals(
    error.message,
    "Cannot use checkpoint c.json: Deno may not; add --allow-read=c.json,c.json.tmp --allow-write=c.json,c.json.tmp",
  );
});

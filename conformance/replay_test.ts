import {
  assert,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import { fifo, random, ReplayError, type Strategy } from "../core/mod.ts";
import { MODELS, type ModelSpec } from "../fs_models/mod.ts";
import { replayScenario } from "./check_scenario.ts";
import { ExhaustiveStrategy } from "./explore/dpor.ts";
import { replayRun, scenarioOfToken } from "./replay.ts";
import { runScenario } from "./run.ts";
import type { Scenario } from "./scenario.ts";
import { scenarioById } from "./scenarios.ts";
import { formatToken, parseToken, type RunToken } from "./token.ts";

const plain = MODELS.find(({ name }) => name === "plain")!;
const ext4 = MODELS.find(({ name }) => name === "ext4")!;
/** Any of its bios may fail: there is more than one outcome. */
const UNSURE: Scenario = {
  ...scenarioById("aio-write-many"),
  id: "unsure",
  faults: [{ nth: 1, open: true }, { nth: 3, open: true }],
};

function tokenOf(strategy: Strategy, scenario = UNSURE): RunToken {
  return parseToken(runScenario(plain, scenario, { strategy }).token);
}

/** A random run with so many choices, the first one from some seed on. */
function longToken(scenario: Scenario, length: number, seed = 1): RunToken {
  for (;; seed++) {
    const token = tokenOf(random(seed), scenario);
    if ((token.choices.at(-1)?.point ?? 0) >= length) return token;
  }
}

Deno.test("replayRun() gives the run of a token, and the same token (seeds 1 to 50)", () => {
  const strategies = [
    fifo(),
    ...Array.from({ length: 50 }, (_, i) => random(i)),
  ];
  for (const strategy of strategies) {
    const run = runScenario(plain, UNSURE, { strategy });
    const again = replayRun(plain, UNSURE, parseToken(run.token));
    assertEquals([again.events, again.token], [run.events, run.token]);
  }
});

/** A model with a thread that sleeps: in an exploration, for no time at all. */
const sleepy: ModelSpec = {
  name: "sleepy",
  mount: (kernel, bdev) => {
    kernel.spawn("flusher", kernel.sleep(100_000));
    return plain.mount(kernel, bdev);
  },
};

Deno.test("replayRun() gives the runs of an exploration, in which time orders nothing", () => {
  const strategy = new ExhaustiveStrategy();
  let runs = 0;
  do {
    strategy.begin();
    const run = runScenario(sleepy, UNSURE, { strategy });
    if (strategy.blocked) continue;
    const again = replayRun(sleepy, UNSURE, parseToken(run.token));
    assertEquals([again.events, again.token], [run.events, run.token]);
  } while (++runs < 50 && strategy.end());
});

Deno.test("replayRun() refuses a scenario that has changed, and says where", () => {
  const token = longToken(UNSURE, 30);
  const changes: readonly Partial<Scenario>[] = [
    { tasks: UNSURE.tasks.slice(0, 1) },
    { tasks: [...UNSURE.tasks, { comm: "more", ops: [{ op: "fsync" }] }] },
    { file: { ...UNSURE.file, size: 0 } },
    { dsync: true },
    { faults: [] },
  ];
  for (const change of changes) {
    const error = assertThrows(
      () => replayRun(plain, { ...UNSURE, ...change }, token),
      ReplayError,
    );
    assert(
      /^Cannot replay (choice \d+ at step \d+ \(|choice \d+: the run ended at step \d+|to the end: )/
        .test(error.message),
      error.message,
    );
  }
});

Deno.test("replayRun() refuses another scenario also in the default order, which has no choices", () => {
  const token = tokenOf(fifo());
  const error = assertThrows(
    () => replayRun(plain, { ...UNSURE, dsync: true }, token),
    ReplayError,
  );
  assert(
    /^Cannot replay to the end: the run has \d+ steps, the recorded one \d+; /
      .test(error.message),
    error.message,
  );
});

Deno.test("replayRun() refuses a token of another model, and one that stands for many runs", () => {
  const token = tokenOf(fifo());
  assertThrows(
    () => replayRun(ext4, UNSURE, token),
    RangeError,
    "Cannot replay a run of model plain: this is model ext4",
  );
  assertThrows(
    () =>
      replayRun(plain, UNSURE, { ...token, then: { strategy: "exhaustive" } }),
    RangeError,
    "as one run: +exhaustive stands for many",
  );
});

for (const then of ["fifo", "random-7", "pct-7-3"]) {
  Deno.test(`replayRun() goes on with ${then} behind the first choices, and gives a token of the whole`, () => {
    const recorded = longToken(UNSURE, 30);
    const token = { ...recorded, then: { strategy: then, after: 12 } };
    const run = replayRun(plain, UNSURE, token);
    const whole = parseToken(run.token);
    assertEquals(beginning(whole, 12), beginning(recorded, 12));
    assertNotEquals(beginning(recorded, 12), "[]");
    assertEquals(whole.then, undefined);
    assertEquals(replayRun(plain, UNSURE, whole).events, run.events);
    const rest = whole.choices.some(({ point }) => point >= 12);
    assertEquals(rest, then !== "fifo");
  });
}

/** Small enough for plain enumeration: 792 orders. */
const SMALL: Scenario = {
  id: "small",
  title: "A write of one bio that may fail",
  rules: [],
  faults: [{ nth: 1, open: true }],
  file: { size: 512, extents: [{ offset: 0, bytes: 4096, state: "written" }] },
  tasks: [{
    comm: "writer",
    ops: [
      { op: "aio_write", offset: 0, bytes: 512 },
      { op: "getevents", min: 1 },
    ],
  }],
};

/** The choices that a run begins with, to be compared. */
function beginning({ choices }: RunToken, length: number): string {
  return JSON.stringify(choices.filter(({ point }) => point < length));
}

Deno.test("replayRun() of a token that goes on exhaustively reaches what plain enumeration reaches from there", () => {
  const plainly = new ExhaustiveStrategy({ reduce: false });
  const runs: { readonly token: RunToken; readonly outcome: string }[] = [];
  do {
    plainly.begin();
    const { token, results } = runScenario(plain, SMALL, { strategy: plainly });
    const outcome = JSON.stringify(results);
    runs.push({ token: parseToken(token), outcome });
  } while (plainly.end());
  const seen = new Set<number>();
  for (const seed of [1, 2, 3, 4]) {
    const recorded = longToken(SMALL, 6, 10 * seed);
    for (const after of [0, 2, 4, 6]) {
      const explorer = new ExhaustiveStrategy();
      const token = { ...recorded, then: { strategy: "exhaustive", after } };
      const outcomes = new Set<string>();
      do {
        explorer.begin();
        const run = replayRun(plain, SMALL, token, { explorer });
        if (!explorer.blocked) outcomes.add(JSON.stringify(run.results));
      } while (explorer.end());
      const expected = runs.filter(({ token }) =>
        beginning(token, after) === beginning(recorded, after)
      );
      assertEquals(outcomes, new Set(expected.map(({ outcome }) => outcome)));
      seen.add(outcomes.size);
    }
  }
  assertEquals(seen, new Set([1, 2]));
});

Deno.test("replayScenario() counts the runs that begin like the one of a token", () => {
  const begin = longToken(SMALL, 6);
  const runs = [0, 3, 6].map((after) => {
    const token = { ...begin, then: { strategy: "exhaustive", after } };
    const report = replayScenario(plain, SMALL, token);
    assertEquals(report.coverage, "replayed");
    return report.runs;
  });
  assert(runs[0]! > runs[1]! && runs[1]! >= runs[2]!, runs.join());
});

Deno.test("scenarioOfToken() finds a scenario, and makes one that it was shrunk to", () => {
  const token = tokenOf(fifo());
  assertEquals(scenarioOfToken(token, [UNSURE]), UNSURE);
  const reduced = scenarioOfToken({ ...token, scenario: "unsure~1~0" }, [
    UNSURE,
  ]);
  assertEquals([reduced.id, reduced.tasks.length], ["unsure~1~0", 1]);
  assertThrows(
    () => scenarioOfToken(token),
    RangeError,
    "Cannot replay a run of unsure: there is no scenario of that name",
  );
});

Deno.test("parseToken() reads what formatToken() writes", () => {
  const token: RunToken = {
    profile: "v6.1",
    model: "ext4",
    scenario: "aio-write~0.12",
    strategy: "random-7",
    choices: [{ point: 3, option: 2 }],
    print: { steps: 120, deviations: [17], whole: 4711 },
    then: { strategy: "pct-3-2", after: 40 },
  };
  const { print: _, then: __, ...short } = token;
  const { after: ___, ...then } = token.then!;
  for (const one of [token, short, { ...token, then }]) {
    assertEquals(parseToken(formatToken(one)), one);
  }
});

Deno.test.each([
  ["shuttle1:x", "it begins with 'shuttle1', expected 'endio1'"],
  ["endio1:v9:ext4:a:fifo:", "expected endio1:PROFILE:MODEL"],
  ["endio1:v3.12:ext4", "expected endio1:PROFILE:MODEL"],
  ["endio1:v3.12:ext4:aio-write:fifo:%", "'%' at position 0 is no digit"],
  ["endio1:v3.12:ext4:aio-write:replay:A.AA", "its print is cut short"],
  [
    "endio1:v3.12:ext4:aio-write:replay:A.A.A",
    "CHOICES[.PRINT][+THEN[@AFTER]]",
  ],
  ["endio1:v3.12:ext4:aio-write:replay:A+lifo", "it goes on with 'lifo'"],
  ["endio1:v3.12:ext4:aio-write:replay:A+fifo@", "it goes on with 'fifo@'"],
  ["endio1:v3.12:ext4:aio-write:replay:A+pct-1-0", "it goes on with 'pct-1-0'"],
])("parseToken() refuses '%s'", (text, message) => {
  assertThrows(() => parseToken(text), SyntaxError, message);
});

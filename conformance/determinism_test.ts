import { assertEquals, assertStringIncludes } from "@std/assert";
import type { BlockDevice, Kernel } from "../core/mod.ts";
import {
  type FilesystemModel,
  MODELS,
  type ModelSpec,
} from "../fs_models/mod.ts";
import { checkConformance } from "./conformance.ts";
import { checkScenario } from "./check_scenario.ts";
import { ConformanceError } from "./describe.ts";
import { compareRuns, DETERMINISM_RULE } from "./determinism.ts";
import { runScenario } from "./run.ts";
import { scenarioById } from "./scenarios.ts";

const plain = MODELS.find(({ name }) => name === "plain")!;
const aioWrite = scenarioById("aio-write");

/** The plain filesystem with something done after it was mounted. */
function plainWith(
  name: string,
  mounted: (kernel: Kernel, fs: FilesystemModel) => void,
): ModelSpec {
  return {
    name,
    mount: (kernel: Kernel, bdev: BlockDevice) => {
      const fs = plain.mount(kernel, bdev);
      mounted(kernel, fs);
      return fs;
    },
  };
}

/** Sleeps for a time of its own before it takes part. */
function napping(name: string, nap: () => number): ModelSpec {
  return plainWith(name, (kernel) => {
    kernel.spawn("flusher", kernel.sleep(nap()));
  });
}

let mounts = 0;
const HIDDEN: readonly ModelSpec[] = [
  napping("dice", () => Math.floor(Math.random() * 2 ** 30)),
  napping("clock", () => performance.now() * 1e6),
  plainWith("counter", (kernel) => {
    const task = kernel.spawn("flusher", kernel.sleep(1));
    task.comm = `flusher/${++mounts}`;
  }),
];

for (const model of HIDDEN) {
  Deno.test(`determinism: checkScenario() finds what the schedule of ${model.name} does not decide, and does not go on`, () => {
    const report = checkScenario(model, aioWrite);
    assertEquals(report.failure?.violations.map(({ rule }) => rule), [
      DETERMINISM_RULE,
    ]);
    assertEquals([report.runs, report.coverage], [1, "sampled"]);
    assertEquals(report.shrunk, null);
  });
}

Deno.test("determinism: checkScenario() finds what changes in the middle of an exploration", () => {
  for (const first of [5, 8, 13]) {
    let runs = 0;
    const tired = plainWith("tired", (kernel) => {
      if (++runs > first) kernel.spawn("late", kernel.sleep(1));
    });
    const { failure } = checkScenario(tired, scenarioById("aio-write-many"));
    assertEquals(failure?.violations.map(({ rule }) => rule), [
      DETERMINISM_RULE,
    ]);
  }
});

Deno.test("determinism: the message names the first event that differs, in both runs", () => {
  const [, , counter] = HIDDEN;
  const { failure } = checkScenario(counter!, aioWrite);
  const { message } = new ConformanceError(failure!);
  assertStringIncludes(
    message,
    "determinism/same-trace: The same schedule gives the same trace: nothing depends on Math.random(), Date,",
  );
  const shown =
    /the same event (\d+) in both runs.*;\n\s*the second run has '(.*)', the first '(.*)'/
      .exec(message);
  const [seq, second, first] = (shown ?? []).slice(1);
  assertEquals(first?.split(" ")[0], seq);
  const numbers = [first, second].map((event) =>
    Number(/flusher\/(\d+)/.exec(event ?? "")?.[1])
  );
  assertEquals(numbers[1], (numbers[0] ?? NaN) + 1);
});

Deno.test("determinism: checkConformance() counts it among the violations", () => {
  const scenarios = [aioWrite];
  const { violations } = checkConformance(HIDDEN[0]!, { scenarios });
  assertEquals(violations.map(({ rule }) => rule), [DETERMINISM_RULE]);
});

Deno.test("determinism: compareRuns() finds an event that is missing, one that is more, and results that differ", () => {
  const { events, results } = runScenario(plain, aioWrite);
  const run = { events, results };
  const shorter = { ...run, events: events.slice(0, -1) };
  const last = `${events.length - 1}`;
  const expected = (a: typeof run, b: typeof run) =>
    compareRuns(a, b)?.expected ?? "";
  assertEquals(compareRuns(run, { ...run, events: [...events] }), null);
  assertStringIncludes(expected(run, shorter), `event ${last} in both runs`);
  assertStringIncludes(expected(run, shorter), "the second run has none");
  assertStringIncludes(expected(shorter, run), "the first none");
  assertStringIncludes(
    expected(run, { ...run, results: [[0]] }),
    "the same results in both runs of one schedule; the second run has [[0]]",
  );
});

for (const model of MODELS) {
  Deno.test(`determinism: ${model.name} does the same twice in every scenario`, () => {
    const options = { exhaustive: 0, runs: 0 };
    const { violations } = checkConformance(model, options);
    assertEquals(
      violations.filter(({ rule }) => rule === DETERMINISM_RULE),
      [],
    );
  });
}

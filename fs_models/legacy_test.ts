// The models before the 2013 patch: which rules they keep, and which they
// cannot.

import { assertEquals } from "@std/assert";
import { checkScenario, ruleClass, SCENARIOS } from "../conformance/mod.ts";
import { LEGACY_MODELS, type ModelSpec } from "./mod.ts";

/** What changed: rules that a filesystem of that time cannot keep, and why. */
const BROKEN: Readonly<Record<string, string>> = {
  "completion-order/end-io-before-dio-done":
    "end_io drops the count itself, as nearly the last thing it does",
  "completion-order/end-io-before-aio-complete":
    "end_io calls the AIO callback itself, as the last thing it does",
  "completion-order/free-last":
    "the core frees the dio when end_io returns, and a worker of the filesystem goes on",
  "dio-count-balanced/per-request":
    "the core frees the dio when end_io returns, and a worker of the filesystem drops the count",
  "no-double-deferral/end-io-finishes":
    "end_io leaves the conversion to a workqueue of the filesystem",
  "no-sleep-in-interrupt/asked-for-deferral": "the core does not know deferral",
  "dsync-durable/synced": "nobody syncs an asynchronous O_DSYNC write",
  "completion-order/write-sync-between":
    "nobody syncs an asynchronous O_DSYNC write",
};

/** What a user sees: it was right before the patch, but for O_DSYNC. */
const SEEN: ReadonlySet<string> = new Set([
  "completion-after-last-bio",
  "convert-only-written",
  "error-reported",
  "liveness",
  "one-completion",
  "released-once",
  "size-after-data",
  "truncate-waits",
]);

/** The rules that a model breaks and those that it has something to do with. */
function check(model: ModelSpec): { broken: string[]; exercised: string[] } {
  const broken: Set<string> = new Set();
  const exercised: Set<string> = new Set();
  for (const scenario of SCENARIOS) {
    // A power cut shows a user what the rules on O_DSYNC say.
    if (scenario.id.endsWith("power-cut")) continue;
    for (let seed = 1; seed <= 20; seed += 2) {
      const options = { exhaustive: 0, runs: 2, seed, shrink: 0 };
      const report = checkScenario(model, scenario, options);
      for (const id of report.exercised.keys()) exercised.add(id);
      for (const { rule } of report.failure?.violations ?? []) broken.add(rule);
    }
  }
  return { broken: [...broken].sort(), exercised: [...exercised] };
}

for (const model of LEGACY_MODELS) {
  Deno.test(`${model.name} breaks only rules that it cannot keep, and none about what a user sees`, () => {
    const { broken, exercised } = check(model);
    assertEquals(broken.filter((rule) => !(rule in BROKEN)), []);
    assertEquals(broken.filter((rule) => SEEN.has(ruleClass(rule))), []);
    const classes = new Set(exercised.map(ruleClass));
    assertEquals([...SEEN].filter((name) => !classes.has(name)), []);
    assertEquals(
      broken.includes("completion-order/end-io-before-dio-done"),
      true,
    );
  });
}

/**
 * The block device's direct I/O as merged in 2016: the suite finds each of its
 * mistakes, by a rule of its class, in a run of two bios at most.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { BlkdevDirectIo, Kernel } from "../core/mod.ts";
import {
  Blkdev,
  BlkdevDirectIo2016,
  HISTORIC_MODELS,
  type Mistake2016,
  MISTAKES_2016,
  MODELS,
  type ModelSpec,
} from "../fs_models/mod.ts";
import { checkScenario } from "./check_scenario.ts";
import { formatShrunk } from "./report.ts";
import { ruleById } from "./rules/mod.ts";
import { scenarioById } from "./scenarios.ts";

const profile = "v4.10";

const blkdev = MODELS.find(({ name }) => name === "blkdev")!;
const merged = HISTORIC_MODELS.find(({ name }) => name === "blkdev-2016")!;

/** The block device with some of the mistakes. */
function withMistakes(mistakes: readonly Mistake2016[]): ModelSpec {
  class Mistaken extends Blkdev {
    override init(kernel: Kernel): BlkdevDirectIo {
      return new BlkdevDirectIo2016(kernel, mistakes);
    }
  }
  const name = ["blkdev", ...mistakes].join("+");
  return { name, mount: (kernel, bdev) => new Mistaken(kernel, bdev) };
}

/** Which rule finds a mistake in which scenario. */
const FOUND: readonly [Mistake2016, rule: string, scenario: string][] = [
  ["DIO-001", "error-reported/every-bio", "blkdev-sync-error"],
  ["DIO-001", "error-reported/every-bio", "blkdev-aio-write-many"],
  ["DIO-002", "no-use-after-release/slab", "blkdev-aio-write-inline"],
  ["DIO-002", "no-use-after-release/slab", "blkdev-aio-write-many"],
  ["DIO-003", "mapping-and-bios/sectors-of-512", "blkdev-4096"],
  ["DIO-004", "position-once/as-reported", "blkdev-sync-many"],
  ["DIO-005", "error-reported/every-bio", "blkdev-fault"],
  ["DIO-005", "result-precedence/block-device", "blkdev-fault"],
  ["DIO-006", "released-once/no-leak", "blkdev-vector-fault"],
  ["DIO-007", "partial-progress/whole-buffer", "blkdev-vector"],
  ["DIO-008", "poll-single-bio/one-bio", "blkdev-poll-many"],
  ["DIO-008", "liveness/blocked-for-ever", "blkdev-poll-many"],
  ["DIO-157", "error-reported/every-bio", "blkdev-aio-write-many"],
  ["DIO-157", "no-use-after-release/slab", "blkdev-aio-write-many"],
];

Deno.test("blkdev-2016: every mistake is found by a rule", () => {
  const found = new Set(FOUND.map(([bug]) => bug));
  assertEquals(found, new Set(MISTAKES_2016));
});

for (const [bug, rule, id] of FOUND) {
  const options = { profile, rules: [ruleById(rule)] } as const;
  const scenario = scenarioById(id);

  Deno.test(`${rule}: checkScenario() finds ${bug} in ${id} of blkdev-2016, shrinks it to two bios, and names it`, () => {
    const { failure, shrunk } = checkScenario(merged, scenario, options);
    assert(failure !== null && shrunk !== null, "nothing was found");
    const { violations, events } = shrunk.report;
    assertEquals(violations[0]?.rule, rule);
    const bios = events.filter(({ ev }) => ev === "submit_bio");
    assert(bios.length <= 2, `${bios.length} bios are left`);
    assertStringIncludes(formatShrunk(failure, shrunk), bug);
  });

  Deno.test(`${rule}: checkScenario() finds ${bug} in ${id} when it is the only mistake, and nothing without it`, () => {
    // A page that cannot be pinned is told by the bio, whose error is lost.
    const mistakes: Mistake2016[] = bug === "DIO-005"
      ? ["DIO-001", bug]
      : [bug];
    const found = checkScenario(withMistakes(mistakes), scenario, options);
    assertEquals(found.failure?.violations[0]?.rule, rule);
    for (const model of [withMistakes([]), blkdev]) {
      const clean = checkScenario(model, scenario, { profile });
      assertEquals(clean.failure?.violations ?? [], []);
      assertEquals(clean.coverage, "exhaustive");
    }
  });
}

Deno.test("liveness: the hang of a request that is polled for by the wrong cookie says who waits for what", () => {
  const rules = [ruleById("liveness/blocked-for-ever")];
  const scenario = scenarioById("blkdev-poll-many");
  const { failure } = checkScenario(merged, scenario, { profile, rules });
  const hung = failure?.events.find(({ ev }) => ev === "hung_task");
  assertStringIncludes(
    String(hung?.["msg"]),
    "for the bios of dio 1 to end, 1 in flight",
  );
});

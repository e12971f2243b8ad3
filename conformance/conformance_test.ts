import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type Dio,
  DirectIo,
  PROFILE_NAMES,
  random,
  replay,
} from "../core/mod.ts";
import { MODELS } from "../fs_models/mod.ts";
import { checkScenario } from "./check_scenario.ts";
import { checkConformance } from "./conformance.ts";
import { describeConformance } from "./describe.ts";
import { formatFailure } from "./report.ts";
import { ruleById, RULES } from "./rules/mod.ts";
import { runScenario } from "./run.ts";
import { scenarioById, SCENARIOS } from "./scenarios.ts";
import { parseToken } from "./token.ts";

/** Frees every dio twice. */
class FreesTwice extends DirectIo {
  override dioFree(dio: Dio): void {
    super.dioFree(dio);
    super.dioFree(dio);
  }
}

const plain = MODELS.find(({ name }) => name === "plain")!;
const ext4 = MODELS.find(({ name }) => name === "ext4")!;
const blkdev = MODELS.find(({ name }) => name === "blkdev")!;
const broken = {
  directIo: (kernel: DirectIo["kernel"]) => new FreesTwice(kernel),
};

describeConformance(plain, { runs: 20 });
describeConformance(ext4, { runs: 20 });
describeConformance(ext4, { runs: 20, profile: "v6.1" });
for (const profile of PROFILE_NAMES) {
  describeConformance(blkdev, { runs: 20, profile });
}

Deno.test("every rule is exercised by the scenarios of the shipped models", () => {
  const counts: Map<string, number> = new Map();
  for (const profile of PROFILE_NAMES) {
    for (const model of MODELS) {
      const options = { profile, exhaustive: 0, runs: 5 };
      for (const [id, n] of checkConformance(model, options).exercised) {
        counts.set(id, (counts.get(id) ?? 0) + n);
      }
    }
  }
  const idle = RULES.map(({ id }) => id).filter((id) => !counts.get(id));
  assertEquals(idle, []);
});

for (const scenario of SCENARIOS) {
  Deno.test(`scenario ${scenario.id} exercises the rules that it names`, () => {
    const idle = new Set(scenario.rules.map((id) => ruleById(id).id));
    for (const model of MODELS) {
      for (const profile of PROFILE_NAMES.toReversed()) {
        if (idle.size === 0) return;
        const options = { profile, exhaustive: 0, runs: 10 };
        const { exercised } = checkScenario(model, scenario, options);
        for (const [id, n] of exercised) if (n > 0) idle.delete(id);
      }
    }
    assertEquals([...idle], []);
  });
}

Deno.test("ids of rules and scenarios are unique", () => {
  const ids = [...RULES.map(({ id }) => id), ...SCENARIOS.map(({ id }) => id)];
  assertEquals(ids.length, new Set(ids).size);
});

for (const id of ["aio-write-unwritten-many", "two-writers-unwritten"]) {
  Deno.test(`runScenario() gives the same trace for the same token of ${id}`, () => {
    const scenario = scenarioById(id);
    for (let seed = 1; seed <= 50; seed++) {
      const first = runScenario(ext4, scenario, { strategy: random(seed) });
      const { choices } = parseToken(first.token);
      const again = runScenario(ext4, scenario, { strategy: replay(choices) });
      assertEquals([seed, again.events], [seed, first.events]);
    }
  });
}

Deno.test("checkConformance() skips what a model is not able to do, and says why", () => {
  const { scenarios } = checkConformance(plain, { runs: 0 });
  const skipped = scenarios.find(({ scenario }) =>
    scenario.id === "aio-write-unwritten"
  );
  assertEquals(skipped?.skipped, "the model lacks unwritten");
  assertEquals(skipped?.runs, 0);
});

Deno.test("checkConformance() repeats a failure from its token", () => {
  const scenarios = [scenarioById("aio-write-many")];
  const [found] = checkConformance(ext4, { ...broken, scenarios }).scenarios;
  const token = found?.failure?.token ?? "";
  const again = checkConformance(ext4, { ...broken, replay: token });
  assertEquals(again.scenarios[0]?.failure?.events, found?.failure?.events);
  assertEquals(again.violations, found?.failure?.violations);
});

Deno.test("checkConformance() refuses a token of another model", () => {
  const { token } = runScenario(plain, scenarioById("aio-write"));
  assertThrows(
    () => checkConformance(ext4, { replay: token }),
    RangeError,
    "this is model ext4",
  );
});

Deno.test("formatFailure() names rule, place, scenario and how to repeat it", () => {
  const { failure } = checkScenario(ext4, scenarioById("aio-write"), broken);
  assert(failure !== null);
  const text = formatFailure(failure);
  for (
    const part of [
      "released-once/dio: Every dio is freed once.",
      "expected one dio_free",
      "also broken: released-once/double-free",
      "dio_free dio=1",
      "In scenario aio-write of ext4, profile v3.12",
      `replay: "${failure.token}"`,
    ]
  ) {
    assertEquals([part, text.includes(part)], [part, true]);
  }
});

/**
 * The completion of direct I/O as it was from Linux 4.7 to 4.19: the suite
 * finds the error that it loses.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { HISTORIC_MODELS, MODELS } from "../fs_models/mod.ts";
import { checkScenario } from "./check_scenario.ts";
import { ruleById } from "./rules/mod.ts";
import type { Scenario } from "./scenario.ts";
import { scenarioById } from "./scenarios.ts";

const RULE = "error-reported/every-bio";
const options = { profile: "v4.10", rules: [ruleById(RULE)] } as const;
const merged = HISTORIC_MODELS.find(({ name }) => name === "plain-2016")!;
const plain = MODELS.find(({ name }) => name === "plain")!;

const failing = scenarioById("aio-write-error");
const SCENARIOS: readonly Scenario[] = [failing, {
  ...failing,
  id: "aio-write-error-dsync",
  dsync: true,
}];

for (const scenario of SCENARIOS) {
  Deno.test(`${RULE}: checkScenario() finds the lost error in ${scenario.id} of plain-2016, and nothing in plain`, () => {
    const { failure } = checkScenario(merged, scenario, options);
    assert(failure !== null, "nothing was found");
    assertEquals(failure.violations[0]?.rule, RULE);
    assertEquals(checkScenario(plain, scenario, options).failure, null);
  });
}

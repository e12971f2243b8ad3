// What a failure is shrunk to must not break a rule by itself: then the rule,
// or the scenario, would be wrong, and not the model.

import { assertEquals } from "@std/assert";
import { MODELS } from "../../fs_models/mod.ts";
import { mountForQuestions, runScenario, whyNot } from "../run.ts";
import { SCENARIOS } from "../scenarios.ts";
import { reductions } from "./reductions.ts";

for (const model of MODELS) {
  Deno.test(`reductions() of every scenario that ${model.name} runs break no rule and hang nowhere`, () => {
    const fs = mountForQuestions(model);
    for (const scenario of SCENARIOS) {
      if (whyNot(fs, scenario, "v3.12") !== null) continue;
      for (const reduced of reductions(scenario)) {
        const { violations } = runScenario(model, reduced);
        assertEquals([reduced, violations], [reduced, []]);
      }
    }
  });
}

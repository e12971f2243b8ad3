import { assert, assertEquals } from "@std/assert";
import { checkConformance, ruleClass } from "../conformance/mod.ts";
import { PROFILE_NAMES } from "../core/mod.ts";
import { MODELS } from "../fs_models/mod.ts";
import { MUTANTS } from "./mutants/mod.ts";
import { modelsOf, type Mutant } from "./mutants/mutant.ts";

/** Random schedules a scenario; the unmutated code is clean under the same. */
const RUNS = 100;

function rulesBroken(mutant: Mutant): Set<string> {
  const options = {
    runs: RUNS,
    ...(mutant.directIo && { directIo: mutant.directIo }),
  };
  return new Set(
    modelsOf(mutant).flatMap((model) =>
      checkConformance(model, options).violations.map(({ rule }) => rule)
    ),
  );
}

for (const mutant of MUTANTS) {
  Deno.test(`${mutant.ruleClass}: checkConformance() finds ${mutant.id}, where ${mutant.mistake}`, () => {
    const broken = [...rulesBroken(mutant)];
    assert(
      broken.some((rule) => ruleClass(rule) === mutant.ruleClass),
      `no rule of ${mutant.ruleClass} is among those broken: ${
        broken.join(", ") || "none"
      }`,
    );
  });
}

for (const profile of PROFILE_NAMES) {
  for (const model of MODELS) {
    Deno.test(`checkConformance() finds nothing in ${model.name} under ${profile}`, () => {
      const { violations } = checkConformance(model, { profile, runs: RUNS });
      assertEquals(violations, []);
    });
  }
}

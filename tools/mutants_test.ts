import { assert, assertEquals } from "@std/assert";
import {
  checkConformance,
  checkScenario,
  type ConformanceOptions,
  ruleById,
  ruleClass,
  type Scenario,
  SCENARIOS,
} from "../conformance/mod.ts";
import { PROFILE_NAMES } from "../core/mod.ts";
import { MODELS } from "../fs_models/mod.ts";
import { MUTANTS } from "./mutants/mod.ts";
import { modelsOf, type Mutant } from "./mutants/mutant.ts";

/** The unmutated code is clean under the same schedules. */
const BUDGET: ConformanceOptions = { exhaustive: 0, runs: 100, shrink: 0 };

/** Scenarios, those first that are there for a rule. */
function scenariosFor(rule: string): Scenario[] {
  return SCENARIOS.toSorted((a, b) =>
    Number(b.rules.includes(rule)) - Number(a.rules.includes(rule))
  );
}

/** The rules that a mutant is found to break, up to the one expected. */
function rulesBroken({ rule, profile, directIo, ...mutant }: Mutant): string[] {
  const options = {
    ...BUDGET,
    ...(profile && { profile }),
    ...(directIo && { directIo }),
  };
  const broken: Set<string> = new Set();
  for (const scenario of scenariosFor(rule)) {
    for (const model of modelsOf(mutant)) {
      const { failure } = checkScenario(model, scenario, options);
      for (const { rule } of failure?.violations ?? []) broken.add(rule);
      if (broken.has(rule)) return [...broken].sort();
    }
  }
  return [...broken].sort();
}

for (const mutant of MUTANTS) {
  const { id, rule, mistake } = mutant;
  Deno.test(`${rule}: the suite finds ${id}, where ${mistake}`, () => {
    const broken = rulesBroken(mutant);
    assert(
      broken.includes(ruleById(rule).id),
      `${rule} is not among those broken: ${broken.join(", ") || "none"}`,
    );
    // What really ran is a trace that makes sense, whatever is wrong with it.
    const senseless = broken.filter((rule) =>
      ruleClass(rule) === "trace-well-formed"
    );
    assertEquals(senseless, []);
  });
}

Deno.test("ids of mutants are unique", () => {
  const ids = MUTANTS.map(({ id }) => id);
  assertEquals(ids.length, new Set(ids).size);
});

for (const profile of PROFILE_NAMES) {
  for (const model of MODELS) {
    Deno.test(`checkConformance() finds nothing in ${model.name} under ${profile}`, () => {
      const { violations } = checkConformance(model, { ...BUDGET, profile });
      assertEquals(violations, []);
    });
  }
}

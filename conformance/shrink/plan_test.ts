import { assert, assertEquals } from "@std/assert";
import { random } from "../../core/mod.ts";
import { MODELS } from "../../fs_models/mod.ts";
import { runScenario } from "../run.ts";
import { scenarioById } from "../scenarios.ts";
import { Follower, type Plan, Planner, simplerPlans } from "./plan.ts";
import { reduceScenario } from "./reductions.ts";

const ext4 = MODELS.find(({ name }) => name === "ext4")!;
const scenario = {
  ...scenarioById("aio-write-unwritten-many"),
  faults: [{ nth: 2, open: true }],
};

/** Runs a scenario at random, and makes a plan of it. */
function planned(seed: number) {
  const planner = new Planner(random(seed), "replay", false);
  const { events, token } = runScenario(ext4, scenario, { strategy: planner });
  return { planner, events, token };
}

Deno.test("Follower repeats the run that Planner made the plan of (seeds 1 to 100)", () => {
  for (let seed = 1; seed <= 100; seed++) {
    const { planner, events } = planned(seed);
    const strategy = new Follower(planner);
    assertEquals(runScenario(ext4, scenario, { strategy }).events, events);
  }
});

Deno.test("Planner changes nothing of what it watches (seeds 1 to 20)", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { events, token } = planned(seed);
    const alone = runScenario(ext4, scenario, { strategy: random(seed) });
    assertEquals(alone.events, events);
    assertEquals(alone.token.replace(`random-${seed}`, "replay"), token);
  }
});

Deno.test("Follower goes on in the default order where the plan is about contexts that are not there", () => {
  const reduced = reduceScenario(scenario, [1]);
  const { planner } = planned(3);
  assert(planner.segments.some(({ who }) => who.startsWith("task truncater")));
  const strategy = new Follower(planner);
  const { violations, bug } = runScenario(ext4, reduced, { strategy });
  assertEquals([violations, bug], [[], null]);
});

Deno.test("simplerPlans() have fewer parts, or as many in another order, or fewer decisions", () => {
  const plan: Plan = {
    segments: ["a", "b", "a", "c", "b"].map((who) => ({ who, steps: 1 })),
    decisions: [0, 2],
  };
  const parts = ({ segments }: Plan) => segments.map(({ who }) => who).join("");
  const all = [...simplerPlans(plan)];
  for (const simpler of all) {
    const isShorter = simpler.segments.length < plan.segments.length;
    const isMoved = parts(simpler) !== parts(plan);
    const decidesLess = simpler.decisions.every((option) => option === 0);
    assert(isShorter || isMoved || decidesLess, parts(simpler));
  }
  // Nothing; all but two, one after the other; without one; moved together.
  assertEquals(all.map(parts), [
    "",
    "abacb",
    "abacb",
    "aba",
    "acb",
    "abac",
    "abab",
    "abcb",
    "aacb",
    "bacb",
    "aabcb",
    "baacb",
    "abbac",
    "aacbb",
  ]);
});

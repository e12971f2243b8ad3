// The suite against mistakes: every mutant is found by the rule that must find
// it, and what has no mistake is not.

import { assert, assertEquals } from "@std/assert";
import {
  bugById,
  BUGS,
  RULE_CLASSES,
  ruleById,
  ruleClass,
  RULES,
} from "../conformance/mod.ts";
import { PROFILE_NAMES } from "../core/mod.ts";
import { MODELS } from "../fs_models/mod.ts";
import { type MatrixRow, matrixRow } from "./mutants/matrix.ts";
import { INEXPRESSIBLE } from "./mutants/inexpressible.ts";
import { summarize } from "./mutants/matrix_report.ts";
import { kindOf, MUTANTS } from "./mutants/mod.ts";
import type { Mutant } from "./mutants/mutant.ts";

const rows: Map<Mutant, MatrixRow> = new Map();

/** The row of a mutant, which is run once for all tests. */
function rowOf(mutant: Mutant): MatrixRow {
  const row = rows.get(mutant) ?? matrixRow(mutant);
  rows.set(mutant, row);
  return row;
}

for (const mutant of MUTANTS) {
  const { id, rule, mistake } = mutant;
  Deno.test(`${rule}: the suite finds ${id}, where ${mistake}`, () => {
    const { kills } = rowOf(mutant);
    const broken = [...kills.keys()].sort();
    assert(
      kills.has(ruleById(rule).id),
      `${rule} is not among those broken: ${broken.join(", ") || "none"}`,
    );
    // What really ran is a trace that makes sense, whatever is wrong with it.
    const senseless = broken.filter((rule) =>
      ruleClass(rule) === "trace-well-formed"
    );
    if (kindOf(mutant) !== "recorder") assertEquals(senseless, []);
  });
}

Deno.test("ids of mutants are unique", () => {
  const ids = MUTANTS.map(({ id }) => id);
  assertEquals(ids.length, new Set(ids).size);
});

Deno.test("every mutant is found by a rule of a class that its bugs break", () => {
  const strays = MUTANTS.filter(({ rule, bugs }) =>
    bugs.length > 0 &&
    !bugs.some((bug) => bugById(bug).classes.includes(ruleClass(rule)))
  );
  assertEquals(strays.map(({ id }) => id), []);
});

Deno.test("every bug is a mutant, or it is said why not, and 80 are mutants", () => {
  const expressed = new Set(MUTANTS.flatMap(({ bugs }) => bugs));
  const told = BUGS.map(({ id }) => [
    id,
    Number(expressed.has(id)) + Number(INEXPRESSIBLE.has(id)),
  ]);
  assertEquals(told, BUGS.map(({ id }) => [id, 1]));
  assertEquals(expressed.size + INEXPRESSIBLE.size, BUGS.length);
  assert(expressed.size >= 80, `${expressed.size} bugs are mutants`);
});

Deno.test("rules and scenarios name bugs that there are, of their classes", () => {
  for (const { id, bugs } of RULES) {
    assert(RULE_CLASSES.has(ruleClass(id)), `${id} is of no class`);
    for (const bug of bugs) bugById(bug);
  }
});

Deno.test("every rule finds a mutant", () => {
  const { idle } = summarize(MUTANTS.map(rowOf));
  assertEquals(idle, []);
});

Deno.test("without any rule a mistake goes unnoticed, or other rules imply it", () => {
  // What a recorder has left out can break anything.
  const failures = MUTANTS.filter((mutant) => kindOf(mutant) !== "recorder")
    .flatMap((mutant) => [...rowOf(mutant).together])
    .map((rules) => rules.split(" "));
  const { needed } = summarize(MUTANTS.map(rowOf));
  for (const { id, impliedBy = [] } of RULES) {
    const broken = failures.filter((rules) => rules.includes(id));
    const isAlone = needed.includes(id) ||
      broken.some((rules) => rules.length === 1);
    assertEquals(
      [id, isAlone || impliedBy.length > 0, isAlone && impliedBy.length > 0],
      [id, true, false],
    );
    if (isAlone) continue;
    const others = broken.filter((rules) =>
      !rules.some((rule) => impliedBy.includes(rule))
    );
    assertEquals([id, others], [id, []]);
  }
});

for (const profile of PROFILE_NAMES) {
  for (const model of MODELS) {
    Deno.test(`no rule finds anything in ${model.name} under ${profile}, in as many schedules`, () => {
      const id = `no mistake in ${model.name}`;
      const clean = { id, mistake: "", rule: "", bugs: [], model, profile };
      assertEquals([...matrixRow(clean).kills.keys()], []);
    });
  }
}

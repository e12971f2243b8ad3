// Every statement of the models that does something: the suite fails without
// it, by a rule that REMOVED_LINES.md names; or that page says why not.

import { assert, assertEquals } from "@std/assert";
import {
  ruleById,
  RunArena,
  runScenario,
  scenarioById,
} from "../conformance/mod.ts";
import { fifo, random } from "../core/mod.ts";
import { sourceOf } from "./line_mutants/load.ts";
import { changedModel, FILES } from "./line_mutants/models.ts";
import { keyOf, PAGE, type PageRow, rowsOf } from "./line_mutants/page.ts";
import { type Statement, statementsOf } from "./line_mutants/statements.ts";

/** Schedules that a statement is looked for in: the default one, and these. */
const SCHEDULES = 150;

const { state } = Deno.permissions.querySync({ name: "read", path: PAGE });
const ignore = state !== "granted";
const skipped = ignore ? " (skipped: needs --allow-read)" : "";
const rows = ignore ? [] : rowsOf(await Deno.readTextFile(PAGE));

function without({ first, end }: Statement): (source: string) => string {
  return (source) =>
    source.split("\n").toSpliced(first, end - first).join("\n");
}

/** Which rules are broken by a model without a statement, up to the one expected. */
async function broken(row: PageRow, statement: Statement): Promise<string[]> {
  const { file, rule, where } = row;
  assert(where !== null, "a rule finds it in a scenario");
  const change = without(statement);
  const model = await changedModel(where.model, { file, change });
  const scenario = scenarioById(where.scenario);
  const profile = scenario.profiles?.[0] ?? "v3.12";
  const arena = new RunArena(scenario);
  const found: Set<string> = new Set();
  for (let seed = 0; seed <= SCHEDULES; seed++) {
    const strategy = seed === 0 ? fifo() : random(seed);
    const options = { arena, profile, strategy, maxSteps: 20_000 };
    const { violations } = runScenario(model, scenario, options);
    for (const { rule } of violations) found.add(rule);
    if (rule !== null && found.has(rule)) break;
  }
  return [...found];
}

for (const file of FILES) {
  Deno.test({
    name:
      `the suite finds every statement that is taken out of ${file}${skipped}`,
    ignore,
    fn: async (t) => {
      const statements = statementsOf(await sourceOf(file));
      const mine = rows.filter((row) => row.file === file);
      assertEquals(
        mine.map((row) => keyOf(file, row)),
        statements.map((statement) => keyOf(file, statement)),
      );
      for (const [i, row] of mine.entries()) {
        const { rule, fn, text, why } = row;
        if (rule === null) {
          assert(
            why.length > 10,
            `${keyOf(file, row)}: no rule, and no reason`,
          );
          continue;
        }
        const { id } = ruleById(rule);
        await t.step(`${rule}: ${fn}() without ${text}`, async () => {
          const found = await broken(row, statements[i] as Statement);
          assert(found.includes(id), `found: ${found.join(", ") || "nothing"}`);
        });
      }
    },
  });
}

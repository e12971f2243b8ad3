/**
 * What is proved about the core and the shipped models: every order of one to
 * four bios, of which any may fail, against a truncate that waits.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { Strategy } from "../../core/mod.ts";
import { type ExtentLayout, MODELS } from "../../fs_models/mod.ts";
import { RunArena, runScenario } from "../run.ts";
import type { Scenario } from "../scenario.ts";
import { ExhaustiveStrategy } from "./dpor.ts";

const BLOCK = 4096;
const EIO = -5;

/** A write of so many bios, each of which may fail, against a truncate. */
function write(
  op: "aio_write" | "write",
  bios: number,
  state: ExtentLayout["state"],
): Scenario {
  const extents = Array.from({ length: bios }, (_, i) => ({
    offset: i * BLOCK,
    bytes: BLOCK,
    state,
  }));
  return {
    id: "any-subset-fails",
    title: "A write of which any bio may fail, against a truncate that waits",
    rules: [],
    file: { size: bios * BLOCK, extents },
    faults: extents.map((_, i) => ({ nth: i + 1, open: true })),
    tasks: [
      {
        comm: "writer",
        ops: [
          { op, offset: 0, bytes: bios * BLOCK },
          ...(op === "aio_write" ? [{ op: "getevents", min: 1 } as const] : []),
        ],
      },
      { comm: "truncater", ops: [{ op: "truncate", size: 0 }] },
    ],
  };
}

/** Up to how many bios: the first two whole, the others to show they differ. */
const MOST: Readonly<Record<string, number>> = {
  plain: 4,
  ext4: 4,
  "ext4-nolock": 2,
  xfs: 2,
  ocfs2: 2,
};

for (const model of MODELS) {
  for (const op of ["aio_write", "write"] as const) {
    for (let bios = 1; bios <= (MOST[model.name] ?? 0); bios++) {
      Deno.test(`no order of ${bios} bios of ${op} on ${model.name} breaks a rule, whichever of them fail, whenever the truncate comes`, async (t) => {
        const state = model.name === "ext4" ? "unwritten" : "written";
        const scenario = write(op, bios, state);
        const arena = new RunArena(scenario);
        const strategy = new ExhaustiveStrategy();
        const run = (strategy: Strategy) =>
          runScenario(model, scenario, { strategy, arena });
        const outcomes = new Set<number>();
        do {
          strategy.begin();
          const { violations, results, token } = run(strategy);
          if (strategy.blocked) continue;
          assertEquals([token, violations], [token, []]);
          outcomes.add(results[0]?.[0] ?? 0);
        } while (strategy.end());
        const { schedules, pruned } = strategy;
        await t.step(`${schedules} schedules, ${pruned} pruned`, () => {
          const seen = [...outcomes].sort((a, b) => a - b);
          assertEquals(seen, [EIO, bios * BLOCK]);
        });
      });
    }
  }
}

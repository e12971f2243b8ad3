/**
 * With reduction exploration reaches the same outcomes of a scenario as without
 * it: what system calls return, what is violated, what is left of the file, and
 * what happened in which context, whatever came first.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Inode } from "../../core/mod.ts";
import { MODELS, type ModelSpec } from "../../fs_models/mod.ts";
import { mountForQuestions, RunArena, runScenario, whyNot } from "../run.ts";
import type { Op, Scenario } from "../scenario.ts";
import { scenarioById, SCENARIOS } from "../scenarios.ts";
import { ExhaustiveStrategy } from "./dpor.ts";
import { happened } from "./testdata/happened.ts";

const SEED = 20130710;
const BLOCK = 4096;
/** What plain enumeration can do: steps of choice in a run, and runs. */
const MOST_CHOICES = 13;
const MOST_RUNS = 1000;
/** How many generated scenarios are drawn, and how many fit, at least. */
const DRAWN = 600;
const COMPARED = 50;

/** Counts the steps of choice of the longest run. */
class CountingStrategy extends ExhaustiveStrategy {
  most = 0;
  #choices = 0;

  override begin(): void {
    this.#choices = 0;
    super.begin();
  }

  override pick(
    ...[runnable, current]: Parameters<ExhaustiveStrategy["pick"]>
  ): number {
    if (runnable.length > 1) this.#count();
    return super.pick(runnable, current);
  }

  override choose(options: number): number {
    this.#count();
    return super.choose(options);
  }

  #count(): void {
    this.most = Math.max(this.most, ++this.#choices);
  }
}

/** The same model, which gives away the inodes of its files. */
function watched(model: ModelSpec, inodes: Inode[]): ModelSpec {
  return {
    ...model,
    mount(kernel, bdev) {
      const fs = model.mount(kernel, bdev);
      const { createFile } = fs;
      inodes.length = 0;
      fs.createFile = (layout) => {
        const inode = createFile.call(fs, layout);
        inodes.push(inode);
        return inode;
      };
      return fs;
    },
  };
}

/** What all runs come to; null when there are too many. */
function outcomes(
  model: ModelSpec,
  scenario: Scenario,
  reduce: boolean,
  mostChoices: number = MOST_CHOICES,
  mostRuns: number = MOST_RUNS,
): string[] | null {
  const inodes: Inode[] = [];
  const spec = watched(model, inodes);
  const arena = new RunArena(scenario);
  const strategy = new CountingStrategy({ reduce });
  const outcomes: Set<string> = new Set();
  do {
    strategy.begin();
    const { results, violations, events } = runScenario(spec, scenario, {
      strategy,
      arena,
    });
    if (!reduce && strategy.most > mostChoices) return null;
    if (strategy.schedules >= mostRuns) return null;
    if (strategy.blocked) continue;
    const left = inodes.map(({ iSize, iDioCount }) => [iSize, iDioCount]);
    const broken = violations.map(({ rule }) => rule);
    const { store } = arena.device;
    outcomes.add(
      JSON.stringify([
        results,
        broken,
        left,
        blocksOf(store),
        happened(events),
      ]),
    );
  } while (strategy.end());
  return [...outcomes].sort();
}

/** Blocks of a device that hold anything, and a sum of what they hold. */
function blocksOf(store: Uint8Array): number[][] {
  const blocks: number[][] = [];
  for (let at = 0; at < store.length; at += BLOCK) {
    let sum = 0;
    for (let i = 0; i < BLOCK; i += 64) {
      sum = (sum * 31 + (store[at + i] as number)) | 0;
    }
    if (sum !== 0) blocks.push([at / BLOCK, sum]);
  }
  return blocks;
}

for (const model of MODELS) {
  const fs = mountForQuestions(model);
  Deno.test(`ExhaustiveStrategy reaches with reduction what plain enumeration reaches, in every scenario of ${model.name} with at most ${MOST_CHOICES} steps of choice`, async (t) => {
    for (const scenario of SCENARIOS) {
      if (whyNot(fs, scenario, "v3.12") !== null) continue;
      const plain = outcomes(model, scenario, false);
      if (plain === null) continue;
      await t.step(scenario.id, () => {
        assertEquals(outcomes(model, scenario, true), plain);
      });
    }
  });
}

Deno.test("ExhaustiveStrategy reaches with reduction what plain enumeration reaches, when a flusher cleans the pages of a read", () => {
  const [plain] = MODELS as readonly [ModelSpec];
  const scenario = scenarioById("sync-read-flushed");
  const all = outcomes(plain, scenario, false, 30, 3000);
  assertEquals(outcomes(plain, scenario, true), all);
  assert((all?.length ?? 0) > 1);
});

const transfer: fc.Arbitrary<Op> = fc.record({
  op: fc.constantFrom("write", "read", "aio_write", "aio_read"),
  offset: fc.constantFrom(0, BLOCK),
  bytes: fc.constantFrom(BLOCK, 2 * BLOCK),
});
const other: fc.Arbitrary<Op> = fc.oneof(
  fc.record({ op: fc.constant("truncate"), size: fc.constantFrom(0, BLOCK) }),
  fc.record({ op: fc.constant("fsync") }),
);

/** Small scenarios of one or two tasks that may well get in each other's way. */
const scenario: fc.Arbitrary<Scenario> = fc.record({
  id: fc.constant("generated"),
  title: fc.constant("Whatever comes of it"),
  rules: fc.constant([]),
  dsync: fc.boolean(),
  completion: fc.constantFrom("softirq", "hardirq", "inline"),
  file: fc.array(fc.constantFrom("written", "written", "unwritten", null), {
    minLength: 1,
    maxLength: 2,
  }).map((states) => ({
    size: states.length * BLOCK,
    extents: states.flatMap((state, i) =>
      state === null ? [] : [{ offset: i * BLOCK, bytes: BLOCK, state }]
    ),
  })),
  faults: fc.array(
    fc.record({ nth: fc.integer({ min: 1, max: 3 }), open: fc.constant(true) }),
    { maxLength: 2 },
  ),
  tasks: fc.tuple(transfer, fc.option(fc.oneof(transfer, other))).map(
    (ops) =>
      ops.flatMap((op, i) =>
        op === null ? [] : [{ comm: `task${i}`, ops: [op] }]
      ),
  ),
});

/** What a model has to be able to do for a generated scenario. */
function withNeeds(scenario: Scenario): Scenario {
  const { file: { extents }, tasks } = scenario;
  const isUnwritten = extents.some(({ state }) => state === "unwritten");
  const truncates = tasks.some(({ ops }) => ops[0]?.op === "truncate");
  return {
    ...scenario,
    needs: [
      ...(isUnwritten ? ["unwritten" as const] : []),
      ...(truncates ? ["truncate" as const] : []),
    ],
  };
}

Deno.test(`ExhaustiveStrategy reaches with reduction what plain enumeration reaches, in more than ${COMPARED} generated scenarios (seed ${SEED})`, async (t) => {
  let compared = 0;
  let several = 0;
  const models = fc.constantFrom(...MODELS);
  fc.assert(
    fc.property(models, scenario, (model, generated) => {
      const scenario = withNeeds(generated);
      if (whyNot(mountForQuestions(model), scenario, "v3.12")) return;
      const plain = outcomes(model, scenario, false);
      if (plain === null) return;
      compared++;
      if (plain.length > 1) several++;
      assertEquals(outcomes(model, scenario, true), plain);
    }),
    { seed: SEED, numRuns: DRAWN },
  );
  await t.step(`${compared}, of which ${several} have several outcomes`, () => {
    assert(compared > COMPARED && several > COMPARED / 2);
  });
});

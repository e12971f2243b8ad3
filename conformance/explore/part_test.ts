// Shards are the whole, and no two of them have a schedule in common.

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { encodeChoices } from "../../core/mod.ts";
import { MODELS } from "../../fs_models/mod.ts";
import { RunArena, runScenario } from "../run.ts";
import { scenarioById } from "../scenarios.ts";
import { type ExhaustiveOptions, ExhaustiveStrategy } from "./dpor.ts";
import { type Shard, shareOf, subShard, WHOLE } from "./part.ts";
import { findSplit, type Split } from "./split.ts";
import { program, runProgram } from "./testdata/programs.ts";

const SEED = 20130710;
const PROGRAMS = 60;

/** Runs a program once, and gives its choices. */
type Run = (strategy: ExhaustiveStrategy) => string;

/** The schedules of a shard, and how many runs were given up. */
interface Explored {
  readonly schedules: readonly string[];
  readonly pruned: number;
}

/** Explores a shard of a split. */
function explore(
  run: Run,
  split: Split,
  { index, count }: Shard,
  options: ExhaustiveOptions = {},
): Explored {
  const part = {
    depth: split.depth,
    levels: split.levels.map((ends) => new Set(ends)),
    owns: (unit: number) => unit % count === index,
  };
  const strategy = new ExhaustiveStrategy({ ...options, part });
  const schedules: string[] = [];
  let more = true;
  while (more) {
    strategy.begin();
    const choices = run(strategy);
    more = strategy.end();
    if (!strategy.blocked) schedules.push(choices);
  }
  assertEquals(strategy.schedules, schedules.length);
  assertEquals(strategy.units, split.units);
  return { schedules, pruned: strategy.pruned };
}

/** Checks that shards add up, and gives how large each is. */
function checkShards(
  run: Run,
  split: Split,
  count: number,
  options: ExhaustiveOptions = {},
): number[] {
  const whole = explore(run, split, WHOLE, options);
  const shards = Array.from(
    { length: count },
    (_, index) => explore(run, split, { index, count }, options),
  );
  assertEquals(
    shards.flatMap(({ schedules }) => schedules).sort(),
    whole.schedules.toSorted(),
  );
  assertEquals(new Set(whole.schedules).size, whole.schedules.length);
  assertEquals(
    shards.reduce((sum, { pruned }) => sum + pruned, 0),
    whole.pruned,
  );
  return shards.map(({ schedules }) => schedules.length);
}

for (const bound of [Infinity, 1]) {
  Deno.test(`shards 0/3 to 2/3 are the whole, in ${PROGRAMS} generated programs with at most ${bound} preemptions (seed ${SEED})`, () => {
    let divided = 0;
    fc.assert(
      fc.property(program, fc.integer({ min: 2, max: 8 }), (program, units) => {
        const run = (strategy: ExhaustiveStrategy) =>
          encodeChoices(runProgram(strategy, program).choices);
        const split = findSplit(run, { bound, units });
        const sizes = checkShards(run, split, 3, { bound });
        if (Math.max(...sizes) < sizes.reduce((a, b) => a + b)) divided++;
      }),
      { seed: SEED, numRuns: PROGRAMS },
    );
    assert(divided > PROGRAMS / 3, String(divided));
  });
}

for (
  const [name, id, bound] of [
    ["plain", "aio-write-many", Infinity],
    ["ext4", "aio-write-error", Infinity],
    ["ext4", "aio-write-many", 1],
    ["xfs", "aio-write-unwritten-many", Infinity],
    ["blkdev", "aio-two-writes", Infinity],
    ["blkdev", "aio-two-writes", 2],
  ] as const
) {
  const limit = bound === Infinity ? "" : ` with at most ${bound} preemptions`;
  Deno.test(`shards 0/4 to 3/4 are the whole, in ${id} of ${name}${limit}`, () => {
    const model = MODELS.find((model) => model.name === name)!;
    const scenario = scenarioById(id);
    const arena = new RunArena(scenario);
    const run = (strategy: ExhaustiveStrategy) =>
      runScenario(model, scenario, { strategy, arena }).token;
    const split = findSplit(run, { bound, units: 32 });
    const sizes = checkShards(run, split, 4, { bound });
    const all = sizes.reduce((a, b) => a + b);
    assertEquals([sizes, Math.max(...sizes) < all / 2], [sizes, true]);
  });
}

Deno.test("a shard of a shard is a shard of the whole", () => {
  const whole = { index: 2, count: 3 };
  const numbers = (shard: Shard) =>
    Array.from({ length: 60 }, (_, i) => i)
      .filter((i) => i % shard.count === shard.index);
  const pieces = [0, 1, 2, 3].map((i) => subShard(whole, i, 4));
  assertEquals(
    pieces.flatMap(numbers).sort((a, b) => a - b),
    numbers(whole),
  );
  for (const shard of [whole, ...pieces]) {
    const first = numbers(shard).filter((i) => i < 23);
    assertEquals(shareOf(23, shard), first.length);
  }
});

// Exploration reaches every Mazurkiewicz trace: with reduction each of them
// once, with a bound those that have a run within the bound.

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { SCENARIOS } from "../scenarios.ts";
import { MODELS } from "../../fs_models/mod.ts";
import { mountForQuestions, RunArena, runScenario, whyNot } from "../run.ts";
import { type ExhaustiveOptions, ExhaustiveStrategy } from "./dpor.ts";
import {
  type Action,
  type Program,
  program,
  runProgram,
  TraceRecorder,
} from "./testdata/programs.ts";

const SEED = 20130710;
const PROGRAMS = 100;
/** Plain enumeration of more runs than this takes too long. */
const MOST_RUNS = 500;

/** The traces of all runs, in order; null when there are too many. */
function traces(
  program: Program,
  options: ExhaustiveOptions,
  most = MOST_RUNS,
): string[] | null {
  const strategy = new ExhaustiveStrategy(options);
  const traces: string[] = [];
  do {
    strategy.begin();
    const recorder = new TraceRecorder(strategy);
    runProgram(recorder, program);
    if (!strategy.blocked) traces.push(recorder.trace);
    if (traces.length > most) return null;
  } while (strategy.end());
  return traces;
}

Deno.test(`ExhaustiveStrategy runs each trace of ${PROGRAMS} generated programs once, and no other (seed ${SEED})`, () => {
  let compared = 0;
  fc.assert(
    fc.property(program, (program) => {
      const all = traces(program, { reduce: false });
      if (all === null) return;
      compared++;
      const once = [...new Set(all)].sort();
      assertEquals(traces(program, {})?.sort(), once);
    }),
    { seed: SEED, numRuns: PROGRAMS },
  );
  assert(compared > PROGRAMS / 3, String(compared));
});

for (const bound of [0, 1, 2, 3]) {
  Deno.test(`ExhaustiveStrategy runs every trace that takes ${bound} preemptions, in ${PROGRAMS} generated programs (seed ${SEED})`, () => {
    let compared = 0;
    fc.assert(
      fc.property(program, (program) => {
        const all = traces(program, { reduce: false, bound });
        if (all === null) return;
        compared++;
        const reduced = new Set(traces(program, { bound }));
        assertEquals([...reduced].sort(), [...new Set(all)].sort());
      }),
      { seed: SEED + bound, numRuns: PROGRAMS },
    );
    assert(compared > PROGRAMS / 3, String(compared));
  });
}

/** Writes a program with a word for each action: `write0 lock1`. */
function programOf(...tasks: string[]): Program {
  return tasks.map((words) =>
    words.split(" ").map((word) => ({
      do: word.slice(0, -1) as Action["do"],
      object: Number(word.slice(-1)) as Action["object"],
    }))
  );
}

// Rare ones, each of which one rule of preemptions.ts is needed for.
for (
  const [why, program] of [
    [
      "a race is with a context that sleeps",
      programOf("locked0 raise0", "read1 read0 wait0", "wait0"),
    ],
    [
      "a step lets go of a lock that others wait for",
      programOf("write0 lock0", "locked0 read0", "locked1 lock0"),
    ],
    [
      "a context has run since it was switched to",
      programOf("wait0 read0", "read0", "signal0 yield0 write0"),
    ],
  ] as const
) {
  Deno.test(`ExhaustiveStrategy runs every trace within a bound where ${why}`, () => {
    for (const bound of [0, 1]) {
      const all = new Set(traces(program, { reduce: false, bound }, Infinity));
      const reduced = new Set(traces(program, { bound }));
      assertEquals([...reduced].sort(), [...all].sort());
    }
  });
}

Deno.test("ExhaustiveStrategy tells whether the bound left something out", () => {
  const writers: Program = [1, 2, 3].map(() => [
    { do: "write", object: 0 },
    { do: "write", object: 1 },
  ]);
  const found = [0, 1, 2, 3, 4].map((bound) => {
    const strategy = new ExhaustiveStrategy({ bound });
    const traces = new Set<string>();
    do {
      strategy.begin();
      const recorder = new TraceRecorder(strategy);
      runProgram(recorder, writers);
      if (!strategy.blocked) traces.add(recorder.trace);
    } while (strategy.end());
    return [bound, traces.size, strategy.hitBound];
  });
  assertEquals(found, [
    [0, 6, true],
    [1, 24, true],
    [2, 36, true],
    [3, 36, true],
    [4, 36, false],
  ]);
});

// In the trunk of a split every way to go on is tried. If exploration missed a
// trace, or ran one twice, it would not be the same ones with a trunk.
for (const model of MODELS) {
  const fs = mountForQuestions(model);
  const scenarios = SCENARIOS.filter((scenario) =>
    whyNot(fs, scenario, "v3.12") === null
  );
  Deno.test(`ExhaustiveStrategy runs as many schedules of ${model.name} whatever it tries besides`, () => {
    for (const scenario of scenarios) {
      const arena = new RunArena(scenario);
      const count = (options: ExhaustiveOptions, most = Infinity) => {
        const strategy = new ExhaustiveStrategy(options);
        do {
          strategy.begin();
          runScenario(model, scenario, { strategy, arena });
        } while (strategy.schedules < most && strategy.end());
        return strategy;
      };
      const { schedules } = count({}, MOST_RUNS);
      if (schedules >= MOST_RUNS) continue;
      const part = { depth: 6, levels: [], owns: () => true };
      assertEquals(
        [scenario.id, count({ part }).schedules],
        [scenario.id, schedules],
      );
    }
  });
}

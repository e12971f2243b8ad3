import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  type Choices,
  decodeChoices,
  decodePrint,
  encodeChoices,
  encodePrint,
  type RunPrint,
} from "./choices.ts";
import type { Context } from "./context.ts";
import { Kernel } from "./kernel.ts";
import { replay, ReplayError, type ReplayOptions } from "./replay.ts";
import { readStep, type Task, writeStep } from "./step.ts";
import { random, type StepWatcher, type Strategy } from "./strategy.ts";
import { seeds } from "./testdata/identity_fs.ts";
import { storm, traceOf } from "./testdata/storm.ts";

const SEED = 20134;

Deno.test("replay() gives the trace of the random run that was recorded (seeds 1 to 100)", () => {
  for (const seed of seeds(100)) {
    const { kernel } = storm(random(seed));
    const token = encodeChoices(kernel.choices);
    const print = encodePrint(kernel.print);
    const choices = decodeChoices(token);
    const strategy = replay(choices, {
      print: decodePrint(print, choices.length),
    });
    const replayed = storm(strategy);
    strategy.finish();
    assertEquals(traceOf(replayed), traceOf(storm(random(seed))), `${seed}`);
    assertEquals(encodeChoices(replayed.kernel.choices), token);
    assertEquals(encodePrint(replayed.kernel.print), print);
  }
});

/** What each context of a generated program does: reads and writes. */
type Program = readonly (readonly ("read" | "write")[])[];

/** Runs a program; tells which context went on at each step, and how. */
function run(program: Program, strategy: Strategy) {
  const kernel = new Kernel({ strategy, tracing: false });
  const log: string[] = [];
  const body = function* (me: number): Task<void> {
    for (const access of program[me] ?? []) {
      yield access === "read" ? readStep(1) : writeStep(1);
      log.push(`${me} ${access}`);
    }
    kernel.choose(2, "a coin");
  };
  program.forEach((_, me) => kernel.spawn(`t${me}`, body(me)));
  kernel.run();
  return { log, choices: kernel.choices, print: kernel.print };
}

function recorded(program: Program, seed: number) {
  const { choices, print } = run(program, random(seed));
  return { choices, print };
}

const program: fc.Arbitrary<Program> = fc.array(
  fc.array(fc.constantFrom("read" as const, "write" as const), {
    minLength: 1,
    maxLength: 5,
  }),
  { minLength: 2, maxLength: 4 },
);

Deno.test(`replay() of a schedule on another program either throws or makes the same steps (seed ${SEED})`, () => {
  let refused = 0;
  fc.assert(
    fc.property(program, program, fc.nat(), (before, after, seed) => {
      const { choices, print } = recorded(before, seed);
      const strategy = replay(choices, { print });
      let log: string[];
      try {
        log = run(after, strategy).log;
        strategy.finish();
      } catch (error) {
        if (!(error instanceof ReplayError)) throw error;
        refused++;
        return;
      }
      assertEquals(log, run(before, random(seed)).log);
    }),
    { seed: SEED, numRuns: 1000 },
  );
  assertEquals([refused > 900, refused], [true, refused]);
});

const PROGRAM: Program = [["read", "write", "write"], ["write", "read"]];

/** Replays on a program what was recorded on {@linkcode PROGRAM}. */
function replayOn(
  changed: Program,
  { choices, print }: { choices: Choices; print: RunPrint },
): void {
  const strategy = replay(choices, { print });
  run(changed, strategy);
  strategy.finish();
}

Deno.test("replay() names the step and the contexts where the schedule takes an option that is not there", () => {
  const kernel = new Kernel({ strategy: replay([{ point: 0, option: 2 }]) });
  kernel.spawn("a", (function* (): Task<void> {})());
  kernel.spawn("b", (function* (): Task<void> {})());
  assertThrows(
    () => kernel.run(),
    ReplayError,
    "Cannot replay choice 0 at step 0 (which context runs): option 2 of 2 is taken: task a-10, task b-11; the program is not the one that was recorded",
  );
});

Deno.test("replay() names the fault in the message when the choice was about one", () => {
  const kernel = new Kernel({ strategy: replay([{ point: 0, option: 2 }]) });
  assertThrows(
    () => kernel.choose(2, "whether bio 1 fails"),
    ReplayError,
    "(whether bio 1 fails): option 2 of 2 is taken; ",
  );
});

Deno.test("replay() tells between which steps the run parts from the recorded one", () => {
  const { print } = run(PROGRAM, replay([{ point: 3, option: 1 }]));
  const changed: Program = [["read", "read", "write"], ["write", "read"]];
  assertThrows(
    () => replayOn(changed, { choices: [{ point: 3, option: 1 }], print }),
    ReplayError,
    "Cannot replay choice 3 at step 3 (which context runs): the run parts from the recorded one after step 0, and has 2 options here: task t1-11, task t0-10; ",
  );
});

Deno.test("replay() says so when another context is there", () => {
  const { print } = run(PROGRAM, replay([{ point: 1, option: 1 }]));
  assertThrows(
    () =>
      replayOn([...PROGRAM, ["read"]], {
        choices: [{ point: 1, option: 1 }],
        print,
      }),
    ReplayError,
    "has 3 options here: task t1-11, task t2-12, task t0-10; ",
  );
});

Deno.test("ReplayStrategy.finish() says so when the run has ended with choices of the schedule left", () => {
  const { print } = run(PROGRAM, replay([]));
  assertThrows(
    () => replayOn(PROGRAM, { choices: [{ point: 40, option: 1 }], print }),
    ReplayError,
    "Cannot replay choice 40: the run ended at step 7 after 6 choices; ",
  );
});

Deno.test("ReplayStrategy.finish() says so when the run has fewer steps", () => {
  const recording = { choices: [], print: run(PROGRAM, replay([])).print };
  assertThrows(
    () => replayOn([["read", "write"], ["write", "read"]], recording),
    ReplayError,
    "Cannot replay to the end: the run has 6 steps, the recorded one 7, and they part after step 0; ",
  );
});

Deno.test("ReplayStrategy.finish() says so when the run has as many steps but others", () => {
  const recording = { choices: [], print: run(PROGRAM, replay([])).print };
  assertThrows(
    () => replayOn([["read", "write", "write"], ["read", "read"]], recording),
    ReplayError,
    "the run has 7 steps, the recorded one as many but others, and they part after step 0; ",
  );
});

Deno.test("replay() with no choices keeps the current context going as long as it can", () => {
  assertEquals(run([["read", "write"], ["write", "read"]], replay([])).log, [
    "0 read",
    "0 write",
    "1 write",
    "1 read",
  ]);
});

/** Decides as another strategy does, and notes what it was asked. */
class Spy implements Strategy, StepWatcher {
  readonly name = "spy";
  readonly stepping = true;
  readonly watcher: StepWatcher = this;
  readonly asked: number[] = [];
  resumes = 0;
  pick(runnable: readonly Context[], current: number): number {
    this.asked.push(runnable.length);
    return Math.max(current, 0);
  }
  choose(): number {
    return 0;
  }
  resumed(): void {
    this.resumes++;
  }
  enabled(): void {}
  released(): void {}
  touched(): void {}
}

Deno.test("replay() lets another strategy go on after the last choice, or after so many", () => {
  const choices = [{ point: 1, option: 1 }];
  const asked = (options: Omit<ReplayOptions, "then">) => {
    const then = new Spy();
    const strategy = replay(choices, { ...options, then });
    run(PROGRAM, strategy);
    strategy.finish();
    return [then.asked, then.resumes];
  };
  // Seven steps: t0, t1 three times, t0 alone three times; the coin of t1 and
  // the one of t0 are choices as well.
  assertEquals(asked({}), [[2, 2, 1, 1, 1], 5]);
  assertEquals(asked({ length: 0 }), [[2, 2, 2, 2, 1, 1, 1], 7]);
  assertEquals(asked({ length: 5 }), [[1, 1, 1], 3]);
});

Deno.test("replay() goes on at random exactly as random() does from the start", () => {
  const whole = run(PROGRAM, random(7));
  const rest = run(PROGRAM, replay([], { then: random(7) }));
  assertEquals(rest, whole);
});

Deno.test("ReplayStrategy.finish() says so when the run ended before another strategy could go on", () => {
  const strategy = replay([], { then: random(1), length: 40 });
  run(PROGRAM, strategy);
  assertThrows(
    () => strategy.finish(),
    ReplayError,
    "Cannot go on after 40 choices: the run ended at step 7 after 6 choices",
  );
});

Deno.test("replay() does not mind the end of the recorded run when another strategy goes on", () => {
  const { choices, print } = recorded(PROGRAM, 3);
  const strategy = replay(choices, { print, then: random(5), length: 2 });
  run(PROGRAM, strategy);
  strategy.finish();
});

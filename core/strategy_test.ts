import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { READ, WRITE } from "./bio.ts";
import { decodeChoices, encodeChoices } from "./choices.ts";
import { Kernel } from "./kernel.ts";
import { Context } from "./context.ts";
import {
  fifo,
  indexToOption,
  optionToIndex,
  random,
  replay,
  ReplayError,
  type Strategy,
} from "./strategy.ts";
import { type Task, writeStep } from "./step.ts";
import { doing, Rig, seeds } from "./testdata/identity_fs.ts";

const SEED = 20133;

/** Four requests at once, one of which may fail. */
function storm(strategy: Strategy): Rig {
  const rig = new Rig({
    strategy,
    device: { faults: [{ nth: 2, open: true }] },
  });
  for (let i = 0; i < 4; i++) {
    rig.submit({ offset: i * 4096, rw: i === 3 ? READ : WRITE, data: i });
  }
  rig.finish();
  return rig;
}

function traceOf(rig: Rig): string {
  return JSON.stringify([...rig.kernel.trace.events()]);
}

Deno.test(`replay() gives the trace of the random run that was recorded (seeds 1 to 100)`, () => {
  for (const seed of seeds(100)) {
    const recorded = storm(random(seed));
    const token = encodeChoices(recorded.kernel.choices);
    const replayed = storm(replay(decodeChoices(token)));
    assertEquals(traceOf(replayed), traceOf(recorded), `random(${seed})`);
    assertEquals(encodeChoices(replayed.kernel.choices), token);
  }
});

Deno.test("random() gives the same trace for the same seed and others for others", () => {
  assertEquals(traceOf(storm(random(7))), traceOf(storm(random(7))));
  assertNotEquals(traceOf(storm(random(7))), traceOf(storm(random(8))));
});

Deno.test("fifo() lets contexts run in the order of their arrival, without steps", () => {
  const kernel = new Kernel({ strategy: fifo() });
  const order: string[] = [];
  for (const name of ["a", "b", "c"]) {
    kernel.spawn(
      name,
      doing(() => {
        order.push(name);
      }),
    );
  }
  kernel.run();
  assertEquals(order, ["a", "b", "c"]);
  assertEquals([kernel.stepping, kernel.choices], [false, []]);
});

Deno.test("fifo() lets no open fault strike", () => {
  assertEquals(storm(fifo()).results.map(({ res }) => res), [
    4096,
    4096,
    4096,
    4096,
  ]);
});

Deno.test("random() lets an open fault strike in some runs and not in others", () => {
  const outcomes = new Set(
    seeds(20).map((seed) =>
      storm(random(seed)).results.some(({ res }) => res < 0)
    ),
  );
  assertEquals(outcomes, new Set([true, false]));
});

Deno.test("replay() with no choices keeps the current context going as long as it can", () => {
  const kernel = new Kernel({ strategy: replay([]) });
  const order: string[] = [];
  function* body(name: string): Task<void> {
    for (let i = 0; i < 2; i++) {
      yield writeStep(1);
      order.push(name);
    }
  }
  kernel.spawn("a", body("a"));
  kernel.spawn("b", body("b"));
  kernel.run();
  assertEquals(order, ["a", "a", "b", "b"]);
});

Deno.test("replay() says that a schedule does not fit when it names an option that is not there", () => {
  const strategy = replay([{ point: 1, option: 3 }]);
  const three = [new Context(), new Context(), new Context()];
  assertEquals(strategy.pick(three, 0), 0);
  assertThrows(
    () => strategy.pick(three, 0),
    ReplayError,
    "Cannot replay choice 1 (which context runs): the schedule takes option 3 of 3; it was recorded on another program",
  );
});

Deno.test("Kernel.run() lets the ReplayError of an ill-fitting schedule out", () => {
  const kernel = new Kernel({ strategy: replay([{ point: 0, option: 2 }]) });
  kernel.spawn("a", (function* (): Task<void> {})());
  kernel.spawn("b", (function* (): Task<void> {})());
  assertThrows(() => kernel.run(), ReplayError, "option 2 of 2");
});

Deno.test("replay() names the fault in the message when the choice was about one", () => {
  const kernel = new Kernel({ strategy: replay([{ point: 0, option: 2 }]) });
  assertThrows(
    () => kernel.choose(2, "whether bio 1 fails"),
    ReplayError,
    "(whether bio 1 fails)",
  );
});

Deno.test(`optionToIndex() is the inverse of indexToOption(), and 0 is the current one (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.nat(50), fc.integer({ min: -1, max: 50 }), (i, current) => {
      const option = indexToOption(i, current);
      assertEquals(optionToIndex(option, current), i);
      assertEquals(option === 0, i === Math.max(current, 0));
    }),
    { seed: SEED },
  );
});

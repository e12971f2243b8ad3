import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  dependent,
  finish,
  readStep,
  SCHEDULE,
  STEP_READ,
  STEP_SCHEDULE,
  STEP_WRITE,
  stepAddr,
  stepKind,
  type Task,
  writeStep,
} from "./step.ts";

const SEED = 20131;

Deno.test(`stepAddr() and stepKind() take apart what readStep() and writeStep() made (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 50 }), (addr) => {
      assertEquals(stepAddr(readStep(addr)), addr);
      assertEquals(stepKind(readStep(addr)), STEP_READ);
      assertEquals(stepAddr(writeStep(addr)), addr);
      assertEquals(stepKind(writeStep(addr)), STEP_WRITE);
    }),
    { seed: SEED },
  );
});

Deno.test("dependent() says no for two reads of one object", () => {
  assertEquals(dependent(readStep(5), readStep(5)), false);
});

Deno.test("dependent() says yes when one of two accesses to one object is a write", () => {
  assertEquals(dependent(readStep(5), writeStep(5)), true);
  assertEquals(dependent(writeStep(5), readStep(5)), true);
  assertEquals(dependent(writeStep(5), writeStep(5)), true);
});

Deno.test("dependent() says no for two objects", () => {
  assertEquals(dependent(writeStep(5), writeStep(6)), false);
});

Deno.test("dependent() says no for schedule(), which touches nothing", () => {
  assertEquals(dependent(SCHEDULE, SCHEDULE), false);
  assertEquals(dependent(SCHEDULE, writeStep(1)), false);
  assertEquals([stepAddr(SCHEDULE), stepKind(SCHEDULE)], [0, STEP_SCHEDULE]);
});

Deno.test("finish() gives a value back at once", () => {
  assertEquals(finish(true).next(), { done: true, value: true });
  assertEquals(finish(undefined).next(), { done: true, value: undefined });
});

Deno.test("finish() runs a task through its steps", () => {
  function* body(): Task<number> {
    yield readStep(1);
    return 4;
  }
  assertEquals([...finish(body())], [readStep(1)]);
});

import { assertEquals } from "@std/assert";
import { readStep, writeStep } from "../../core/mod.ts";
import { IntList } from "./int_list.ts";
import { SleepSet } from "./sleep_set.ts";

function list(...items: number[]): IntList {
  const all = new IntList();
  for (const item of items) all.push(item);
  return all;
}

function sleepers(set: SleepSet): number[] {
  return [1, 2, 3, 4].filter((ctx) => set.has(ctx));
}

Deno.test("SleepSet.inherit() wakes whoever depends on the step, by either list", () => {
  const before = new SleepSet();
  before.add(1, list(readStep(5)), list());
  before.add(2, list(), list(readStep(7), writeStep(6)));
  before.add(3, list(), list());
  const afterRead = new SleepSet();
  afterRead.inherit(before, list(readStep(5), readStep(7)), list());
  assertEquals(sleepers(afterRead), [1, 2, 3]);
  const afterWrite = new SleepSet();
  afterWrite.inherit(before, list(writeStep(5)), list());
  assertEquals(sleepers(afterWrite), [2, 3]);
  const afterBoth = new SleepSet();
  afterBoth.inherit(before, list(writeStep(5)), list(readStep(6)));
  assertEquals(sleepers(afterBoth), [3]);
});

Deno.test("SleepSet.has() is not misled by what the steps of others touch", () => {
  const set = new SleepSet();
  set.add(4, list(1, 2), list(3));
  assertEquals(sleepers(set), [4]);
  set.clear();
  assertEquals(sleepers(set), []);
});

import { assertEquals } from "@std/assert";
import { type PsyncLayout, takeSlot } from "./psync_worker.ts";
import { patch } from "./testdata/patch.ts";

const RING = 8;
const LAYOUT: PsyncLayout = {
  started: 0,
  stop: 1,
  submitted: 2,
  taken: 3,
  reserved: 4,
  completed: 5,
  eventFd: 6,
  submissions: RING,
  completions: RING + 2,
  mask: 1,
  slots: RING + 4,
  slotWords: 1,
  op: 0,
  flags: 0,
  offset: 0,
  vector: 0,
  count: 0,
  result: 0,
};

/** Words of a queue in which slots 5 and 6 were submitted. */
function submitted(): Int32Array {
  const words = new Int32Array(new SharedArrayBuffer(64));
  words.set([5, 6], LAYOUT.submissions);
  words[LAYOUT.submitted] = 2;
  return words;
}

Deno.test("takeSlot() takes each slot once, in order, until the end", () => {
  const words = submitted();
  assertEquals([0, 1].map(() => takeSlot(words, LAYOUT)), [5, 6]);
  words[LAYOUT.stop] = 1;
  assertEquals(takeSlot(words, LAYOUT), -1);
});

Deno.test("takeSlot() keeps to a slot whose place is used again at once", () => {
  const words = submitted();
  // Others carry on while this thread stands still right after it has taken.
  using _ = patch(Atomics, "compareExchange", (original) => {
    return function (array: Int32Array, ...rest: [number, number, number]) {
      const found = original(array, ...rest);
      words[LAYOUT.submissions] = 7;
      return found;
    } as typeof original;
  });
  assertEquals(takeSlot(words, LAYOUT), 5);
});

Deno.test("takeSlot() takes another slot when somebody was faster", () => {
  const words = submitted();
  let isFirst = true;
  using _ = patch(Atomics, "compareExchange", (original) => {
    return function (array: Int32Array, ...rest: [number, number, number]) {
      if (isFirst) words[LAYOUT.taken] = 1;
      isFirst = false;
      return original(array, ...rest);
    } as typeof original;
  });
  assertEquals(takeSlot(words, LAYOUT), 6);
});

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Journal, NONE } from "./journal.ts";

const SEED = 20130710;

/** The numbers of a list. */
function numbers(journal: Journal, list: number): number[] {
  const all: number[] = [];
  for (; list !== NONE; list = journal.rest(list)) {
    all.push(journal.first(list));
  }
  return all;
}

Deno.test("Journal.get() of a slot that nothing was put in gives NONE", () => {
  const journal = new Journal();
  journal.set(2, 7);
  assertEquals([0, 2, 9].map((slot) => journal.get(slot)), [NONE, 7, NONE]);
});

Deno.test(`Journal.undo() takes slots and lists back to what they were at a mark (seed ${SEED})`, () => {
  const SLOTS = 4;
  const op = fc.record({
    do: fc.constantFrom("set" as const, "push", "mark", "undo"),
    slot: fc.nat(SLOTS - 1),
    value: fc.nat(9),
  });
  fc.assert(
    fc.property(fc.array(op, { maxLength: 40 }), (ops) => {
      const journal = new Journal();
      // Slots below SLOTS hold numbers, those above hold lists.
      const shown = () =>
        Array.from({ length: SLOTS }, (_, slot) => [
          journal.get(slot),
          numbers(journal, journal.get(SLOTS + slot)),
        ]);
      const marks: { at: number; then: unknown }[] = [];
      for (const { do: what, slot, value } of ops) {
        if (what === "set") journal.set(slot, value);
        else if (what === "push") {
          const list = journal.get(SLOTS + slot);
          journal.set(SLOTS + slot, journal.cons(value, list));
        } else if (what === "mark") {
          const then = shown();
          marks.push({ at: journal.mark(), then });
        } else {
          const mark = marks.pop();
          if (mark === undefined) continue;
          journal.undo(mark.at);
          assertEquals(shown(), mark.then);
        }
      }
    }),
    { seed: SEED },
  );
});

import { assert, assertEquals } from "@std/assert";
import { checkLong, longTrace } from "./check.ts";

const EVENTS = 2_000_000;
/** Tells what is kept for every request from what a collector leaves lying. */
const MOST_BYTES = 24 * 2 ** 20;

Deno.test("a long trace breaks no rule, and is checked in flat memory", () => {
  const { violations, grown } = checkLong(EVENTS);
  assertEquals(violations, 0);
  assert(grown < MOST_BYTES, `${grown} bytes more`);
});

Deno.test("longTrace() numbers events and lets time go on", () => {
  let [seq, ts] = [-1, -1];
  for (const event of longTrace(2000)) {
    assertEquals(event.seq, seq + 1);
    assert(event.ts >= ts);
    ({ seq, ts } = event);
  }
  assertEquals(seq, 1999);
});

import { assertEquals } from "@std/assert";
import { MAX_RW_COUNT, MAX_SEGMENTS } from "./engine.ts";
import { FreeSlots, isContinued, SlotVectors } from "./engine_slots.ts";
import { getUint64, setUint64 } from "./engine_words.ts";
import { Libc } from "./libc.ts";
import { fileTest } from "./testdata/temporary_file.ts";

const PAGE = 4096;

Deno.test("FreeSlots gives each slot once, and again when it is back", () => {
  const slots = new FreeSlots(3);
  assertEquals([slots.take(), slots.take(), slots.take()], [0, 1, 2]);
  assertEquals(slots.take(), -1);
  slots.give(1);
  assertEquals([slots.take(), slots.take()], [1, -1]);
});

Deno.test("isContinued() takes what touches, up to MAX_RW_COUNT", () => {
  assertEquals(isContinued(PAGE, PAGE, 2 * PAGE, PAGE), true);
  assertEquals(isContinued(PAGE, PAGE, 2 * PAGE + 1, PAGE), false);
  assertEquals(isContinued(2 * PAGE, PAGE, PAGE, PAGE), false);
  const rest = MAX_RW_COUNT - PAGE;
  assertEquals(isContinued(0, PAGE, PAGE, rest), true);
  assertEquals(isContinued(0, PAGE, PAGE, rest + 1), false);
});

Deno.test("setUint64() writes what getUint64() reads, up to 2^53", () => {
  const words = new Int32Array(4);
  const values = [
    0,
    1,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 47 + 5,
    2 ** 53 - 1,
  ];
  for (const value of values) {
    setUint64(words, 1, value);
    assertEquals(getUint64(words, 1), value);
    const bytes = new DataView(words.buffer);
    assertEquals(bytes.getBigUint64(4, true), BigInt(value));
    assertEquals([words[0], words[3]], [0, 0]);
  }
});

fileTest("SlotVectors keeps the vector of each slot, and its bounds", () => {
  using libc = Libc.open();
  const vectors = new SlotVectors(libc, 3);
  for (let i = 0; i < MAX_SEGMENTS; i++) {
    assertEquals(vectors.add(1, 2 * i * PAGE, PAGE), true);
  }
  assertEquals(vectors.count(1), MAX_SEGMENTS);
  // What touches the last one still has room; anything else has none.
  const last = 2 * (MAX_SEGMENTS - 1) * PAGE;
  assertEquals(vectors.add(1, last + PAGE, PAGE), true);
  assertEquals(vectors.add(1, 0, PAGE), false);
  assertEquals([vectors.count(0), vectors.count(2)], [0, 0]);
  assertEquals(vectors.addressOf(2) - vectors.addressOf(1), 16 * MAX_SEGMENTS);
  vectors.clear(1);
  assertEquals([vectors.count(1), vectors.add(1, 0, PAGE)], [0, true]);
});

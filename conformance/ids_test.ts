import { assertEquals } from "@std/assert";
import { Ids } from "./ids.ts";

Deno.test("Ids.was() knows what was seen, not what was passed over", () => {
  const ids = new Ids();
  ids.add(4);
  ids.add(7);
  const seen = [3, 4, 5, 6, 7, 8].map((id) => ids.was(id));
  assertEquals(seen, [false, true, false, false, true, false]);
  ids.add(6);
  assertEquals([ids.was(5), ids.was(6)], [false, true]);
  ids.reset();
  assertEquals([4, 6, 7].some((id) => ids.was(id)), false);
});

Deno.test("Ids keeps a bounded number in mind of those passed over", () => {
  const ids = new Ids();
  ids.add(1);
  ids.add(1e9);
  assertEquals([ids.was(2), ids.was(1e9 - 1)], [true, false]);
  for (let id = 2e9; id < 2e9 + 20_000; id += 2) ids.add(id);
  assertEquals([ids.was(1e9 - 1), ids.was(2e9 + 19_997)], [true, false]);
});

Deno.test("Ids.was() does not take one for seen that lies behind the first", () => {
  const ids = new Ids();
  ids.add(3);
  ids.add(1);
  assertEquals([ids.was(1), ids.was(2), ids.was(3)], [true, false, true]);
});

// Every row of the 2013 patch, before and after: SEEDS.md is the table.

import { assertEquals } from "@std/assert";
import { SEED_ROWS, seedRowsPage } from "./testdata/seed_rows.ts";

for (const { id, where, change, check } of SEED_ROWS) {
  Deno.test(`${id}: ${where}: ${change}`, check);
}

Deno.test("every row has a number of its own", () => {
  const ids = SEED_ROWS.map(({ id }) => id);
  assertEquals(new Set(ids).size, ids.length);
});

const PAGE = new URL("./SEEDS.md", import.meta.url);
const { state } = Deno.permissions.querySync({ name: "read", path: PAGE });

Deno.test({
  name: `SEEDS.md is the table of these tests${
    state === "granted" ? "" : " (skipped: needs --allow-read)"
  }`,
  ignore: state !== "granted",
  fn: async () => {
    assertEquals(await Deno.readTextFile(PAGE), seedRowsPage());
  },
});

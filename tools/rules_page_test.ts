import { assertEquals } from "@std/assert";
import { rulesPage } from "./rules_page.ts";

const PAGE = new URL("../conformance/RULES.md", import.meta.url);
const { state } = Deno.permissions.querySync({ name: "read", path: PAGE });
const reason = state === "granted" ? "" : " [ignored: needs --allow-read]";

Deno.test({
  name: `conformance/RULES.md says what the rules are${reason}`,
  ignore: state !== "granted",
  fn: async () => {
    // If it does not: deno run tools/rules_page.ts > conformance/RULES.md
    assertEquals(await Deno.readTextFile(PAGE), rulesPage());
  },
});

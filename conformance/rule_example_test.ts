// Every rule's example breaks that rule and no other one; in the order that it
// should have, it breaks none.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { checkTrace } from "./checker.ts";
import { EXAMPLES } from "./examples/mod.ts";
import { ruleExample } from "./rule_example.ts";
import { RULES } from "./rules/mod.ts";

for (const { id } of RULES) {
  Deno.test(`${id}: its example breaks it alone, and in the right order nothing`, () => {
    const { profile, broken, kept } = ruleExample(id);
    const rules = checkTrace(broken, { profile }).violations
      .map(({ rule }) => rule);
    assertEquals([...new Set(rules)], [id]);
    assertEquals(checkTrace(kept, { profile }).violations, []);
  });
}

Deno.test("every example is of a rule, and none has a line that says nothing", () => {
  assertEquals(
    [...EXAMPLES.keys()].sort(),
    RULES.map(({ id }) => id).sort(),
  );
  for (const { id } of RULES) {
    const { diff } = ruleExample(id);
    assert(diff.some((line) => line.startsWith("-")) || diff.length > 1, id);
  }
});

Deno.test("ruleExample() says which rules there are", () => {
  assertThrows(() => ruleExample("no/such"), RangeError, "list rules");
});

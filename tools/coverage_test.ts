// What the suite meets: every combination that is possible, every rule; and
// that a gap is seen.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { scenarioById } from "../conformance/mod.ts";
import { PROFILE_NAMES } from "../core/mod.ts";
import { IMPOSSIBLE } from "./coverage/impossible.ts";
import { measureCoverage } from "./coverage/measure.ts";
import { AXES } from "./coverage/shape.ts";
import { PAIRS, whyImpossible } from "./coverage/tally.ts";
import { gaps } from "./coverage/text.ts";

Deno.test("the suite meets every combination of two axes that is possible, exercises every rule, and has no idle scenario", () => {
  assertEquals(gaps(measureCoverage()), []);
});

Deno.test("measureCoverage() of one scenario has gaps of every kind", () => {
  const nothing = {
    ...scenarioById("aio-write"),
    id: "nothing",
    tasks: [{ comm: "idle", ops: [] }],
  };
  const found = gaps(measureCoverage([scenarioById("aio-write"), nothing]))
    .join("\n");
  for (
    const gap of [
      "no request is in: completer kworker, error none",
      "no scenario exercises rule error-reported/every-bio",
      "scenario nothing exercises no rule that it is there for",
    ]
  ) assertStringIncludes(found, gap);
});

Deno.test("every reason why combinations are impossible is of two axes, and needed", () => {
  for (const { are, why } of IMPOSSIBLE) {
    assertEquals([why, Object.keys(are).length], [why, 2]);
    assert(PAIRS.some((pair) => whyImpossible(pair) === why), why);
  }
});

Deno.test("the axis of profiles has all of them", () => {
  assertEquals(AXES.profile, PROFILE_NAMES);
});

// Recordings that were damaged on purpose are told from right ones.

import { assertEquals } from "@std/assert";
import { DAMAGES } from "../testdata/damage.ts";
import {
  noRecordings,
  readRecordings,
  recordingOf,
} from "../testdata/recordings.ts";
import { newSeed, numbersOf, setting } from "../testdata/setting.ts";

/** Of a kind and a recording so many are looked at; `ENDIO_DAMAGE=all`: all. */
const SAMPLES = setting("ENDIO_DAMAGE") === "all" ? Infinity : 1;
const seed = newSeed();

/** Some of those that come: each has the same chance. */
function sample<T>(from: Iterable<T>, next: (limit: number) => number): T[] {
  const kept: T[] = [];
  let count = 0;
  for (const one of from) {
    const at = next(++count);
    if (kept.length < SAMPLES) kept.push(one);
    else if (at < SAMPLES) kept[at] = one;
  }
  return kept;
}

Deno.test({
  name: `every kind of damage is flagged, seed ${seed}${
    noRecordings === "" ? "" : ` [ignored: ${noRecordings}]`
  }`,
  ignore: noRecordings !== "",
  async fn(t) {
    // Of one with missed probes nobody can say what it lacks besides.
    const files = readRecordings()
      .filter(({ outcome }) => outcome?.missed === 0);
    const next = numbersOf(seed);
    for (const { name, apply } of DAMAGES) {
      const missed: string[] = [];
      let flagged = 0;
      for (const { name: file, lines, outcome } of files) {
        for (const damage of sample(apply(lines), next)) {
          const damaged = damage();
          const { findings } = recordingOf(damaged, outcome);
          if (findings.length > 0) flagged++;
          else missed.push(`${file}: ${changeIn(lines, damaged)}`);
        }
      }
      const all = flagged + missed.length;
      await t.step(`${name}: ${flagged} of ${all}`, () => {
        assertEquals(missed, []);
      });
    }
  },
});

/** The first line that is another. */
function changeIn(before: readonly string[], after: readonly string[]): string {
  const at = before.findIndex((line, i) => line !== after[i]);
  return `line ${at + 1} ${before[at]?.trim()}`;
}

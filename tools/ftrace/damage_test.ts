// Recordings that were damaged on purpose are told from right ones.

import { assertEquals } from "@std/assert";
import { DAMAGES } from "../testdata/damage.ts";
import {
  noRecordings,
  readRecordings,
  recordingOf,
} from "../testdata/recordings.ts";

/** Damaged recordings of a kind and a recording that are looked at. */
const SAMPLES = 1;

const seed = Math.floor(Math.random() * 2 ** 31);

/** Numbers from 0 to 1 that a seed repeats. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = Math.imul(state ^ state >>> 15, 0x2c1b3c6d) + 0x9e3779b9 | 0;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Some of those that come: each has the same chance. */
function sample<T>(from: Iterable<T>, next: () => number): T[] {
  const kept: T[] = [];
  let count = 0;
  for (const one of from) {
    const at = Math.floor(next() * ++count);
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
    const next = chance(seed);
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

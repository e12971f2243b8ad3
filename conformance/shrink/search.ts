/**
 * The simplest schedule of a scenario: tries schedules in the order of their
 * preemptions, then of their choices.
 *
 * @module
 */

import { type Choices, replay } from "../../core/mod.ts";
import type { Failing, Trials } from "./trials.ts";

/** What the search came to. */
export interface Fewest {
  /** The simplest failing run that was found. */
  readonly failing: Failing;
  /** Whether every simpler schedule was run, and does not fail. */
  readonly isLeast: boolean;
}

/** A schedule that has not been run. */
interface Candidate {
  readonly choices: Choices;
  readonly preemptions: number;
}

/** Fewer preemptions, or as many and fewer choices. */
export function isSimpler(
  a: Pick<Failing, "preemptions" | "choices">,
  b: Pick<Failing, "preemptions" | "choices">,
): boolean {
  return a.preemptions < b.preemptions ||
    (a.preemptions === b.preemptions && a.choices.length < b.choices.length);
}

/**
 * Looks for the simplest schedule under which a scenario fails. A schedule is
 * run once; those with one choice more follow from what there was to choose
 * after its last one.
 */
export function fewestChoices(trials: Trials, failing: Failing): Fewest {
  const queue = new SimplestFirst(trials.left);
  queue.add({ choices: [], preemptions: 0 });
  for (;;) {
    const candidate = queue.take();
    if (candidate === undefined) return { failing, isLeast: true };
    if (!isSimpler(candidate, failing)) continue;
    if (trials.left <= 0) return { failing, isLeast: false };
    const { choices, preemptions } = candidate;
    const trial = trials.run(failing.scenario, replay(choices));
    if (trial.failing !== null) {
      return { failing: trial.failing, isLeast: true };
    }
    const first = (choices.at(-1)?.point ?? -1) + 1;
    for (let point = first; point < trial.points.length; point++) {
      const { options = 0, preempts = false } = trial.points[point] ?? {};
      for (let option = 1; option < options; option++) {
        const next: Candidate = {
          choices: [...choices, { point, option }],
          preemptions: preemptions + Number(preempts),
        };
        if (isSimpler(next, failing)) queue.add(next);
      }
    }
  }
}

/**
 * Candidates, the simplest first; no more than can be run. One that is dropped
 * could not have been run: as many that are no worse come before it.
 */
class SimplestFirst {
  /** By preemptions, then by choices. */
  readonly #buckets: Candidate[][][] = [];
  readonly #limit: number;
  #count = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(candidate: Candidate): void {
    const { preemptions, choices } = candidate;
    if (this.#count >= this.#limit && !this.#dropWorseThan(candidate)) return;
    const row = this.#buckets[preemptions] ??= [];
    (row[choices.length] ??= []).push(candidate);
    this.#count++;
  }

  take(): Candidate | undefined {
    for (const row of this.#buckets) {
      for (const bucket of row ?? []) {
        const candidate = bucket?.pop();
        if (candidate === undefined) continue;
        this.#count--;
        return candidate;
      }
    }
    return undefined;
  }

  /** Drops the worst candidate; false if the new one is the worst. */
  #dropWorseThan({ preemptions, choices }: Candidate): boolean {
    for (let p = this.#buckets.length - 1; p >= preemptions; p--) {
      const row = this.#buckets[p] ?? [];
      const least = p === preemptions ? choices.length + 1 : 0;
      for (let c = row.length - 1; c >= least; c--) {
        if (row[c]?.pop() === undefined) continue;
        this.#count--;
        return true;
      }
    }
    return false;
  }
}

/**
 * What many runs of a scenario come to: how many there were, which rules they
 * exercised, which they broke. Two of them can be added up, in any order.
 *
 * @module
 */

import type { RunReport } from "../run.ts";

/** A rule that was broken. */
export interface BrokenRule {
  /** The rule's id. */
  readonly rule: string;
  /** How many schedules broke it. */
  readonly schedules: number;
  /** The shortest token of a run that broke it. */
  readonly token: string;
}

/** What runs came to. */
export interface Tally {
  /** How many runs there were. */
  readonly schedules: number;
  /** How many broke a rule. */
  readonly failing: number;
  /** The rules that were broken, by id. */
  readonly broken: readonly BrokenRule[];
  /** How often each rule had something to say: pairs of id and count, by id. */
  readonly exercised: readonly (readonly [rule: string, count: number])[];
}

/** No runs. */
export const NO_RUNS: Tally = {
  schedules: 0,
  failing: 0,
  broken: [],
  exercised: [],
};

/** Adds up runs one by one. */
export class RunTally {
  #schedules: number;
  #failing: number;
  readonly #broken: Map<string, BrokenRule> = new Map();
  readonly #exercised: Map<string, number> = new Map();

  /**
   * Begins with what other runs came to.
   *
   * @param tally What they came to.
   */
  constructor(tally: Tally = NO_RUNS) {
    this.#schedules = tally.schedules;
    this.#failing = tally.failing;
    for (const broken of tally.broken) this.#broken.set(broken.rule, broken);
    for (const [rule, count] of tally.exercised) {
      this.#exercised.set(rule, count);
    }
  }

  /** How many runs there were. */
  get schedules(): number {
    return this.#schedules;
  }

  /** How many of them broke a rule. */
  get failing(): number {
    return this.#failing;
  }

  /**
   * Whether a run broke a rule.
   *
   * @param rule The rule's id.
   * @returns True when one did.
   */
  breaks(rule: string): boolean {
    return this.#broken.has(rule);
  }

  /**
   * Adds a run.
   *
   * @param report What it came to.
   */
  add({ violations, exercised, token }: RunReport): void {
    this.#schedules++;
    for (const [rule, count] of exercised) this.#exercise(rule, count);
    if (violations.length === 0) return;
    this.#failing++;
    const rules = new Set(violations.map(({ rule }) => rule));
    for (const rule of rules) this.#break({ rule, schedules: 1, token });
  }

  /**
   * Adds many.
   *
   * @param tally What they came to.
   */
  addAll({ schedules, failing, broken, exercised }: Tally): void {
    this.#schedules += schedules;
    this.#failing += failing;
    for (const [rule, count] of exercised) this.#exercise(rule, count);
    for (const one of broken) this.#break(one);
  }

  /**
   * What the runs came to.
   *
   * @returns The same whatever order they were added in.
   */
  result(): Tally {
    return {
      schedules: this.#schedules,
      failing: this.#failing,
      broken: [...this.#broken.values()]
        .sort((a, b) => compare(a.rule, b.rule)),
      exercised: [...this.#exercised].sort(([a], [b]) => compare(a, b)),
    };
  }

  #exercise(rule: string, count: number): void {
    if (count === 0) return;
    this.#exercised.set(rule, (this.#exercised.get(rule) ?? 0) + count);
  }

  #break({ rule, schedules, token }: BrokenRule): void {
    const before = this.#broken.get(rule);
    this.#broken.set(rule, {
      rule,
      schedules: (before?.schedules ?? 0) + schedules,
      token: before === undefined ? token : shorter(before.token, token),
    });
  }
}

function shorter(a: string, b: string): string {
  return (a.length - b.length || compare(a, b)) <= 0 ? a : b;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

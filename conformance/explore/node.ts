/**
 * The states of a run in which one of several contexts goes on: what an
 * exploration keeps between its runs.
 *
 * @module
 */

import { STEP_LOCK } from "../../core/mod.ts";
import { IntList } from "./int_list.ts";
import type { SavedChoice, SavedNode } from "./saved.ts";
import { SleepSet } from "./sleep_set.ts";

/** No context. */
const NOBODY = -1;

/** Something that is decided inside a step. */
export interface DataChoice {
  readonly options: number;
  taken: number;
}

/**
 * A state of the run in which one of several contexts goes on. It is used
 * again when another run comes to a state of the same depth.
 */
export class Node {
  /** Contexts that can go on here. */
  readonly enabled: IntList = new IntList();
  /** Contexts that are to be tried here. */
  readonly backtrack: IntList = new IntList();
  /** Contexts that have been tried here. */
  readonly tried: IntList = new IntList();
  /** Contexts that need not be tried. */
  readonly sleep: SleepSet = new SleepSet();
  /** The context that goes on in this run. */
  chosen = 0;
  /** The context that can go on without a preemption, or -1 for any. */
  current: number = NOBODY;
  /** How many preemptions come before it. */
  preemptions = 0;
  /** Whether it has more than one way to go on. */
  branches = false;
  /** How many states before it have that, on its level of the trunk. */
  branchings = 0;
  /** Its level of the trunk. */
  level = 0;
  /** Whether it is in a unit, and not in the trunk. */
  isInUnit = true;
  /** What its step touches. */
  readonly accesses: IntList = new IntList();
  /** What its step makes different for those that sleep. */
  readonly alarms: IntList = new IntList();
  /** What it touched under other choices. */
  readonly formerAccesses: IntList = new IntList();
  /** Contexts that it makes runnable. */
  readonly enables: IntList = new IntList();
  /** Locks that it lets go of. */
  readonly releases: IntList = new IntList();
  /** Whether, under any choice, it let go of a lock that it had before. */
  freed = false;
  /** What is decided inside its step. */
  readonly choices: DataChoice[] = [];

  /** Makes it a state that was not there before. */
  clear(): void {
    this.enabled.clear();
    this.backtrack.clear();
    this.tried.clear();
    this.sleep.clear();
    this.restart();
  }

  /** Another context is to go on. */
  restart(): void {
    this.formerAccesses.clear();
    if (this.choices.length > 0) this.choices.length = 0;
    this.freed = false;
    this.rerun();
  }

  /** The step is to run again, with another choice inside. */
  rerun(): void {
    this.accesses.clear();
    this.alarms.clear();
    this.enables.clear();
    this.releases.clear();
  }

  /** Whether a preemption lets the chosen context go on. */
  get preempts(): boolean {
    return this.current !== NOBODY && this.current !== this.chosen;
  }

  /**
   * Takes over what it has from the state before it.
   *
   * @param before That state; undefined for the first one.
   * @param isInUnit Whether the first one is in a unit.
   */
  follow(before: Node | undefined, isInUnit: boolean): void {
    this.preemptions = 0;
    this.branchings = 0;
    this.level = 0;
    this.isInUnit = isInUnit;
    if (before === undefined) return;
    this.preemptions = before.preemptions + (before.preempts ? 1 : 0);
    this.branchings = before.branchings + before.choices.length +
      (before.branches ? 1 : 0);
    this.level = before.level;
    this.isInUnit = before.isInUnit;
  }

  /**
   * Lets the context go on that has run last, else the first one that is
   * awake.
   *
   * @param current Where the one that ran last stands among those that can go
   * on, or -1.
   * @returns False when all sleep.
   */
  choose(current: number): boolean {
    const { enabled, sleep } = this;
    this.current = current < 0 ? NOBODY : enabled.at(current);
    let awake = 0;
    for (let i = 0; i < enabled.length; i++) {
      if (sleep.has(enabled.at(i))) continue;
      if (awake++ === 0 || i === current) this.chosen = enabled.at(i);
    }
    this.branches = awake > 1;
    return awake > 0;
  }

  /** Decides otherwise inside the step, if there is an option left. */
  nextChoice(): boolean {
    if (!advance(this.choices)) return false;
    this.formerAccesses.pushAll(this.accesses);
    this.#noteFreed();
    this.rerun();
    return true;
  }

  /**
   * Lets another context go on, if one is to be tried.
   *
   * @param bound How many preemptions a run has at most.
   * @returns False when all have been tried.
   */
  nextContext(bound: number): boolean {
    const { backtrack, tried, sleep } = this;
    tried.push(this.chosen);
    this.#noteFreed();
    if (bound === Infinity || this.chosen === this.current && !this.freed) {
      sleep.add(this.chosen, this.formerAccesses, this.accesses);
    }
    for (let i = 0; i < backtrack.length; i++) {
      this.chosen = backtrack.at(i);
      if (!this.#isOpen(this.chosen, bound)) continue;
      this.restart();
      return true;
    }
    return false;
  }

  /** How many ways to go on from here are known that have not been tried. */
  countOpen(bound: number): number {
    let open = countOptions(this.choices);
    for (let i = 0; i < this.backtrack.length; i++) {
      const ctx = this.backtrack.at(i);
      if (ctx !== this.chosen && this.#isOpen(ctx, bound)) open++;
    }
    return open;
  }

  /** Whether a context was not tried because of the bound. */
  hitBound(bound: number): boolean {
    for (let i = 0; i < this.backtrack.length; i++) {
      const ctx = this.backtrack.at(i);
      const isDone = this.tried.has(ctx) || this.sleep.has(ctx);
      if (!isDone && !this.#affords(ctx, bound)) return true;
    }
    return false;
  }

  /** What is needed to go on from here later. */
  save(): SavedNode {
    return {
      enabled: this.enabled.items(),
      backtrack: this.backtrack.items(),
      tried: this.tried.items(),
      sleep: this.sleep.save(),
      chosen: this.chosen,
      current: this.current,
      preemptions: this.preemptions,
      branches: this.branches,
      branchings: this.branchings,
      level: this.level,
      isInUnit: this.isInUnit,
      formerAccesses: this.formerAccesses.items(),
      freed: this.freed,
      choices: saveChoices(this.choices),
    };
  }

  /** Makes it a state that was saved. */
  load(saved: SavedNode): void {
    this.clear();
    for (const ctx of saved.enabled) this.enabled.push(ctx);
    for (const ctx of saved.backtrack) this.backtrack.push(ctx);
    for (const ctx of saved.tried) this.tried.push(ctx);
    this.sleep.load(saved.sleep);
    this.chosen = saved.chosen;
    this.current = saved.current;
    this.preemptions = saved.preemptions;
    this.branches = saved.branches;
    this.branchings = saved.branchings;
    this.level = saved.level;
    this.isInUnit = saved.isInUnit;
    for (const access of saved.formerAccesses) this.formerAccesses.push(access);
    this.freed = saved.freed;
    this.choices.push(...loadChoices(saved.choices));
  }

  #isOpen(ctx: number, bound: number): boolean {
    return !this.tried.has(ctx) && !this.sleep.has(ctx) &&
      this.#affords(ctx, bound);
  }

  #affords(ctx: number, bound: number): boolean {
    return this.preemptions < bound || this.current === NOBODY ||
      this.current === ctx;
  }

  #noteFreed(): void {
    const { accesses, releases } = this;
    for (let i = 0; i < releases.length; i++) {
      if (!accesses.has(releases.at(i) * 4 + STEP_LOCK)) this.freed = true;
    }
  }
}

/** Takes the next option of the last choice that has one. */
export function advance(choices: DataChoice[]): boolean {
  for (;;) {
    const last = choices.at(-1);
    if (last === undefined) return false;
    if (++last.taken < last.options) return true;
    choices.pop();
  }
}

/** How many options are left. */
export function countOptions(choices: readonly DataChoice[]): number {
  let open = 0;
  for (const { options, taken } of choices) open += options - 1 - taken;
  return open;
}

/** Choices as they are saved. */
export function saveChoices(choices: readonly DataChoice[]): SavedChoice[] {
  return choices.map(({ options, taken }) => [options, taken]);
}

/** Choices that were saved. */
export function loadChoices(saved: readonly SavedChoice[]): DataChoice[] {
  return saved.map(([options, taken]) => ({ options, taken }));
}

/**
 * Sleep sets: contexts that need not go on where they could.
 *
 * @module
 */

import { dependent } from "../../core/mod.ts";
import { IntList } from "./int_list.ts";

/**
 * Contexts that need not go on, because what they lead to has been run, and
 * what the step of each touches: a context wakes when that is touched by
 * another one.
 */
export class SleepSet {
  /** For each context: itself, how much its step touches, and what. */
  readonly #items: IntList = new IntList();

  /** Whether a context sleeps. */
  has(ctx: number): boolean {
    const items = this.#items;
    for (let i = 0; i < items.length; i += 2 + items.at(i + 1)) {
      if (items.at(i) === ctx) return true;
    }
    return false;
  }

  /** Puts a context to sleep, whose step touches all of two lists. */
  add(ctx: number, some: IntList, more: IntList): void {
    const items = this.#items;
    items.push(ctx);
    items.push(some.length + more.length);
    items.pushAll(some);
    items.pushAll(more);
  }

  /**
   * Takes over who slept before a step, except whom that step wakes by what it
   * touches or by what else it makes different.
   */
  inherit(before: SleepSet, accesses: IntList, alarms: IntList): void {
    const from = before.#items;
    for (let i = 0; i < from.length;) {
      const end = i + 2 + from.at(i + 1);
      const wakes = touched(from, i + 2, end, accesses) ||
        touched(from, i + 2, end, alarms);
      if (!wakes) {
        for (let j = i; j < end; j++) this.#items.push(from.at(j));
      }
      i = end;
    }
  }

  /** Who sleeps, to be written down. */
  save(): number[] {
    return this.#items.items();
  }

  /** Puts those to sleep who were saved. */
  load(saved: readonly number[]): void {
    for (const item of saved) this.#items.push(item);
  }

  /** Wakes all. */
  clear(): void {
    this.#items.clear();
  }
}

/** Whether a part of a list depends on a step that touches all of another. */
function touched(
  items: IntList,
  begin: number,
  end: number,
  accesses: IntList,
): boolean {
  for (let i = begin; i < end; i++) {
    for (let j = 0; j < accesses.length; j++) {
      if (dependent(items.at(i), accesses.at(j))) return true;
    }
  }
  return false;
}

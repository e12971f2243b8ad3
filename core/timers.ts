/**
 * Contexts that become runnable at a point of virtual time.
 *
 * @module
 */

import type { Context } from "./context.ts";

/** A context and its time. */
export interface Timer {
  /** When, in nanoseconds of virtual time. */
  readonly at: number;
  /** Who. */
  readonly ctx: Context;
}

/** Pending timers, earliest first; equal times in the order of arrival. */
export class Timers {
  readonly #pending: Timer[] = [];
  /** When the earliest one is due; Infinity when there is none. */
  due: number = Infinity;

  /** Adds a context. */
  add(at: number, ctx: Context): void {
    const pending = this.#pending;
    let i = pending.length;
    while (i > 0 && (pending[i - 1] as Timer).at > at) i--;
    pending.splice(i, 0, { at, ctx });
    if (i === 0) this.due = at;
  }

  /** Takes the earliest one. */
  next(): Timer | undefined {
    const first = this.#pending.shift();
    this.due = this.#pending[0]?.at ?? Infinity;
    return first;
  }
}

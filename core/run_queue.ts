/**
 * The contexts that can run, in the order in which they became runnable.
 *
 * @module
 */

import type { Context } from "./context.ts";

/** A ring of contexts; its capacity is a power of two. */
export class RunQueue {
  #ring: (Context | null)[] = new Array(16).fill(null);
  #head = 0;
  #count = 0;

  /** Adds a context at the end. */
  push(ctx: Context): void {
    if (this.#count === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.#count++) & (this.#ring.length - 1)] = ctx;
    ctx.queued = true;
  }

  /** Takes the first one. */
  shift(): Context | undefined {
    if (this.#count === 0) return undefined;
    const ctx = this.#ring[this.#head] as Context;
    this.#ring[this.#head] = null;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#count--;
    ctx.queued = false;
    return ctx;
  }

  /**
   * Lists those that can run, first one first.
   *
   * @param into Gets them; what it held is dropped.
   * @param test Which ones; all without it.
   */
  list(into: Context[], test?: (ctx: Context) => boolean): void {
    let n = 0;
    for (let i = 0; i < this.#count; i++) {
      const ctx = this.#at(i);
      if (test === undefined || test(ctx)) into[n++] = ctx;
    }
    into.length = n;
  }

  /** Takes one out, wherever it stands. */
  remove(ctx: Context): void {
    let i = 0;
    while (this.#at(i) !== ctx) i++;
    const mask = this.#ring.length - 1;
    for (; i < this.#count - 1; i++) {
      this.#ring[(this.#head + i) & mask] = this.#at(i + 1);
    }
    this.#count--;
    this.#ring[(this.#head + this.#count) & mask] = null;
    ctx.queued = false;
  }

  #at(i: number): Context {
    return this.#ring[(this.#head + i) & (this.#ring.length - 1)] as Context;
  }

  #grow(): void {
    const ring: (Context | null)[] = new Array(this.#ring.length * 2);
    for (let i = 0; i < ring.length; i++) {
      ring[i] = i < this.#count ? this.#at(i) : null;
    }
    this.#ring = ring;
    this.#head = 0;
  }
}

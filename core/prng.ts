/**
 * The one source of pseudo-randomness: seeded, small, the same everywhere.
 *
 * @module
 */

/**
 * A 32-bit generator (the mulberry32 recurrence), good enough to pick
 * schedules and fault sites, and exactly repeatable from its seed.
 *
 * @example
 * ```ts
 * import { Prng } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const [a, b] = [new Prng(7), new Prng(7)];
 * assertEquals(a.below(1000), b.below(1000));
 * ```
 */
export class Prng {
  #state: number;

  /**
   * Starts the sequence of a seed.
   *
   * @param seed Any number; its low 32 bits count.
   */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /**
   * The next 32 random bits.
   *
   * @returns An integer from 0 to 2^32 - 1.
   */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /**
   * A random integer below a bound.
   *
   * @param n The bound, 1 to 2^32.
   * @returns An integer from 0 to `n` - 1.
   */
  below(n: number): number {
    return Math.floor((this.next() / 0x100000000) * n);
  }
}

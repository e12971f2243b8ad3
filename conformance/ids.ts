/**
 * Identities in a trace.
 *
 * @module
 */

/** Those of one kind that have been given out, which only ever grow. */
export class Ids {
  #oldest = Infinity;
  #newest = 0;

  /** One is given out. */
  add(id: number): void {
    this.#oldest = Math.min(this.#oldest, id);
    this.#newest = Math.max(this.#newest, id);
  }

  /** Whether an identity has been seen to be given out. */
  was(id: number): boolean {
    return id >= this.#oldest && id <= this.#newest;
  }

  /** Forgets all. */
  reset(): void {
    this.#oldest = Infinity;
    this.#newest = 0;
  }
}

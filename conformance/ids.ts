/**
 * Identities in a trace.
 *
 * @module
 */

/** How many that have been passed over are kept in mind. */
const MAX_PASSED_OVER = 4096;

/** Those of one kind that have been given out, which only ever grow. */
export class Ids {
  #oldest = Infinity;
  #newest = 0;
  /** Given out, but nothing has been seen of them yet. */
  readonly #passedOver: Set<number> = new Set();

  /** One is seen for the first time. */
  add(id: number): void {
    if (this.#newest > 0 && id > this.#newest + 1) {
      this.#passOver(this.#newest + 1, id);
    } else if (id < this.#oldest) this.#passOver(id + 1, this.#oldest);
    else if (this.#passedOver.size > 0) this.#passedOver.delete(id);
    this.#oldest = Math.min(this.#oldest, id);
    this.#newest = Math.max(this.#newest, id);
  }

  /** Whether an identity has been seen. */
  was(id: number): boolean {
    return id >= this.#oldest && id <= this.#newest &&
      !this.#passedOver.has(id);
  }

  /** Forgets all. */
  reset(): void {
    this.#oldest = Infinity;
    this.#newest = 0;
    this.#passedOver.clear();
  }

  #passOver(first: number, next: number): void {
    if (next === Infinity) return;
    const from = Math.max(first, next - MAX_PASSED_OVER);
    for (let id = from; id < next; id++) this.#passedOver.add(id);
    for (const id of this.#passedOver) {
      if (this.#passedOver.size <= MAX_PASSED_OVER) return;
      this.#passedOver.delete(id);
    }
  }
}

/**
 * Short lists of numbers that are filled again and again.
 *
 * @module
 */

/** A list of numbers that keeps its memory when it is emptied. */
export class IntList {
  /** How many numbers it holds. */
  length = 0;
  readonly #items: number[] = [];

  /** One of its numbers; `i` is less than its length. */
  at(i: number): number {
    return this.#items[i] as number;
  }

  /** Whether it holds a number. */
  has(item: number): boolean {
    for (let i = 0; i < this.length; i++) {
      if (this.#items[i] === item) return true;
    }
    return false;
  }

  /** Puts another number in a place; `i` is less than its length. */
  set(i: number, item: number): void {
    this.#items[i] = item;
  }

  /** Adds a number at the end. */
  push(item: number): void {
    this.#items[this.length++] = item;
  }

  /** Adds all numbers of another list at the end. */
  pushAll(items: IntList): void {
    for (let i = 0; i < items.length; i++) this.push(items.at(i));
  }

  /** Adds those numbers of another list that it does not hold. */
  addMissing(items: IntList): void {
    for (let i = 0; i < items.length; i++) {
      if (!this.has(items.at(i))) this.push(items.at(i));
    }
  }

  /** Its numbers, as an array. */
  items(): number[] {
    return this.#items.slice(0, this.length);
  }

  /** Drops all numbers. */
  clear(): void {
    this.length = 0;
  }
}

/**
 * Numbers that can be taken back to what they were at an earlier time.
 *
 * @module
 */

/** What a slot holds that nothing was put in, and the empty list. */
export const NONE: number = -1;

/**
 * Slots that hold a number each, some of them a list of numbers. All of it
 * goes back to an earlier time at once, and leaves nothing to be collected.
 */
export class Journal {
  readonly #slots: number[] = [];
  /** Cells of lists, in turns: a number, and the rest of the list. */
  readonly #cells: number[] = [];
  #used = 0;
  /**
   * In turns: a slot that was set, and what it held before; or {@link NONE}
   * for a mark, and how much of the cells was in use.
   */
  readonly #log: number[] = [];
  #logged = 0;

  /** What a slot holds. */
  get(slot: number): number {
    const slots = this.#slots;
    return slot < slots.length ? slots[slot] as number : NONE;
  }

  /** Puts a number into a slot. */
  set(slot: number, value: number): void {
    const slots = this.#slots;
    while (slots.length <= slot) slots.push(NONE);
    this.#note(slot, slots[slot] as number);
    slots[slot] = value;
  }

  /** The list that begins with a number and goes on with a list. */
  cons(first: number, rest: number): number {
    const list = this.#used;
    this.#cells[list] = first;
    this.#cells[list + 1] = rest;
    this.#used += 2;
    return list;
  }

  /** The first number of a list that is not empty. */
  first(list: number): number {
    return this.#cells[list] as number;
  }

  /** What follows the first number of a list. */
  rest(list: number): number {
    return this.#cells[list + 1] as number;
  }

  /** The present time, for {@link undo}. */
  mark(): number {
    this.#note(NONE, this.#used);
    return this.#logged - 2;
  }

  /** Takes everything back that was set since a mark, and the mark itself. */
  undo(mark: number): void {
    const slots = this.#slots;
    const log = this.#log;
    while (this.#logged > mark) {
      this.#logged -= 2;
      const slot = log[this.#logged] as number;
      const before = log[this.#logged + 1] as number;
      if (slot === NONE) this.#used = before;
      else slots[slot] = before;
    }
  }

  #note(slot: number, value: number): void {
    this.#log[this.#logged] = slot;
    this.#log[this.#logged + 1] = value;
    this.#logged += 2;
  }
}

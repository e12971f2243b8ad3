/**
 * Small numbers for the names in a recording, found by their bytes, so that
 * a name costs no string each time it comes.
 *
 * @module
 */

/** How many names are told apart; all others are the name 0. */
const MAX_NAMES = 1 << 15;
const SLOTS = MAX_NAMES * 2;
/** Bytes of a name that count. */
const MAX_BYTES = 256;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The names that came, and a number from 1 for each. */
export class Names {
  /** Number of a name at each slot of the hash table, 0 where there is none. */
  readonly #slots: Int32Array = new Int32Array(SLOTS);
  readonly #bytes: Uint8Array[] = [new Uint8Array(0)];
  /** The text of each that somebody has asked for. */
  readonly #texts: (string | undefined)[] = [""];

  /**
   * The number of a name.
   *
   * @param text The name.
   * @returns Its number.
   */
  of(text: string): number {
    const bytes = encoder.encode(text);
    return this.at(bytes, 0, bytes.length);
  }

  /**
   * The number of the name that lies in a buffer.
   *
   * @param bytes The buffer.
   * @param from Where the name begins.
   * @param to Where it ends.
   * @returns Its number; 0 for an empty one, and for all that are too many.
   */
  at(bytes: Uint8Array, from: number, to: number): number {
    const end = Math.min(to, from + MAX_BYTES);
    if (from >= end) return 0;
    let hash = 0;
    for (let i = from; i < end; i++) {
      hash = (Math.imul(hash, 31) + (bytes[i] as number)) | 0;
    }
    let slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    for (;;) {
      const id = this.#slots[slot] as number;
      if (id === 0) return this.#add(bytes.slice(from, end), slot);
      if (this.#isAt(id, bytes, from, end)) return id;
      slot = (slot + 1) & (SLOTS - 1);
    }
  }

  /**
   * The name that has a number.
   *
   * @param id The number.
   * @returns The name.
   */
  text(id: number): string {
    const known = this.#texts[id];
    if (known !== undefined) return known;
    const bytes = this.#bytes[id];
    return bytes === undefined ? "" : this.#texts[id] = decoder.decode(bytes);
  }

  #isAt(id: number, bytes: Uint8Array, from: number, to: number): boolean {
    const known = this.#bytes[id] as Uint8Array;
    if (known.length !== to - from) return false;
    for (let i = 0; i < known.length; i++) {
      if (known[i] !== bytes[from + i]) return false;
    }
    return true;
  }

  #add(bytes: Uint8Array, slot: number): number {
    const id = this.#bytes.length;
    if (id === MAX_NAMES) return 0;
    this.#slots[slot] = id;
    this.#bytes.push(bytes);
    return id;
  }
}

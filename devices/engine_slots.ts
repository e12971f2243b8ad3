/**
 * What requests in a queue occupy: a slot each, and a vector of segments.
 *
 * @module
 */

import { AlignedMemory } from "./aligned_memory.ts";
import { MAX_RW_COUNT, MAX_SEGMENTS } from "./engine.ts";
import { at, getUint64, setUint64 } from "./engine_words.ts";
import type { Libc } from "./libc.ts";

/** `struct iovec`: its size, and where its length lies, in words. */
const IOVEC_WORDS = 4;
const IOV_LEN = 2;
const IOVEC_BYTES = 16;
const VECTOR_BYTES = MAX_SEGMENTS * IOVEC_BYTES;

/** The slots that no request occupies: a stack. */
export class FreeSlots {
  readonly #slots: Int32Array;
  #count: number;

  /** @param depth How many slots there are. */
  constructor(depth: number) {
    this.#slots = Int32Array.from({ length: depth }, (_, i) => depth - 1 - i);
    this.#count = depth;
  }

  /** Takes a slot; -1 when there is none. */
  take(): number {
    return this.#count === 0 ? -1 : at(this.#slots, --this.#count);
  }

  /** Gives a slot back. */
  give(slot: number): void {
    this.#slots[this.#count++] = slot;
  }
}

/** A vector of segments for each slot, where the kernel can read it. */
export class SlotVectors {
  readonly #words: Int32Array;
  readonly #address: number;
  readonly #counts: Int32Array;

  /**
   * @param libc The library that tells addresses.
   * @param depth How many slots there are.
   */
  constructor(libc: Libc, depth: number) {
    const { bytes, address } = new AlignedMemory(libc, depth * VECTOR_BYTES);
    this.#words = new Int32Array(
      bytes.buffer,
      bytes.byteOffset,
      bytes.length >> 2,
    );
    this.#address = address;
    this.#counts = new Int32Array(depth);
  }

  /** Empties the vector of a slot. */
  clear(slot: number): void {
    this.#counts[slot] = 0;
  }

  /** How many segments the vector of a slot has. */
  count(slot: number): number {
    return at(this.#counts, slot);
  }

  /** The real address of the vector of a slot. */
  addressOf(slot: number): number {
    return this.#address + slot * VECTOR_BYTES;
  }

  /**
   * Adds a segment to the vector of a slot, or makes the last one longer when
   * the new one begins where it ends.
   *
   * @returns Whether there was room.
   */
  add(slot: number, address: number, length: number): boolean {
    const count = at(this.#counts, slot);
    const end = (slot * MAX_SEGMENTS + count) * IOVEC_WORDS;
    if (count > 0 && this.#merge(end - IOVEC_WORDS, address, length)) {
      return true;
    }
    if (count === MAX_SEGMENTS) return false;
    setUint64(this.#words, end, address);
    setUint64(this.#words, end + IOV_LEN, length);
    this.#counts[slot] = count + 1;
    return true;
  }

  #merge(last: number, address: number, length: number): boolean {
    const words = this.#words;
    const lastLength = at(words, last + IOV_LEN);
    if (!isContinued(getUint64(words, last), lastLength, address, length)) {
      return false;
    }
    words[last + IOV_LEN] = lastLength + length;
    return true;
  }
}

/** Whether a second segment can be part of the first. */
export function isContinued(
  address: number,
  length: number,
  nextAddress: number,
  nextLength: number,
): boolean {
  return address + length === nextAddress &&
    length + nextLength <= MAX_RW_COUNT;
}

/**
 * A buffer of a task of a scenario: in one piece of user memory, or in many.
 *
 * @module
 */

import { type Iovec, PAGE_SIZE, type UserMemory } from "../core/mod.ts";
import type { Pieces } from "./scenario.ts";

/** What a transfer goes to or comes from. */
export class UserBuffer {
  /** Its pieces, as a system call takes them. */
  readonly iov: readonly Iovec[];
  readonly #memory: UserMemory;
  readonly #address: number;
  readonly #bytes: number;

  /**
   * @param memory Where it lies.
   * @param bytes How long it is.
   * @param pieces How it is cut; without it, not at all.
   * @param unmapped Its pages, counted from 0, that cannot be pinned; others,
   * of a transfer that was made shorter, are none of its own.
   */
  constructor(
    memory: UserMemory,
    bytes: number,
    pieces: Pieces = { bytes, stride: bytes },
    unmapped: readonly number[] = [],
  ) {
    const count = Math.ceil(bytes / pieces.bytes);
    this.#memory = memory;
    this.#bytes = bytes;
    const length = count * pieces.stride;
    this.#address = memory.alloc(length);
    this.iov = Array.from({ length: count }, (_, i) => ({
      base: this.#address + i * pieces.stride,
      len: Math.min(pieces.bytes, bytes - i * pieces.bytes),
    }));
    for (const page of unmapped) {
      const at = page * PAGE_SIZE;
      if (at < length) memory.unmap(this.#address + at, 1);
    }
  }

  /** What it holds, piece after piece. */
  get content(): Uint8Array {
    const [first] = this.iov;
    if (first?.len === this.#bytes) {
      return this.#memory.bytes(first.base, first.len);
    }
    const content = new Uint8Array(this.#bytes);
    this.#each((piece, at) => content.set(piece, at));
    return content;
  }

  /** Puts something into it; gives what whoever did that says. */
  load<T>(fill: (content: Uint8Array) => T): T {
    const { content } = this;
    const said = fill(content);
    if (this.iov.length > 1) {
      this.#each((piece, at) =>
        piece.set(content.subarray(at, at + piece.length))
      );
    }
    return said;
  }

  #each(visit: (piece: Uint8Array, at: number) => void): void {
    let at = 0;
    for (const { base, len } of this.iov) {
      visit(this.#memory.bytes(base, len), at);
      at += len;
    }
  }
}

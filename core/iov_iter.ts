/**
 * The vectors that describe a user's buffers, and how a transfer walks over
 * them.
 *
 * Source: include/linux/uio.h.
 *
 * @module
 */

import { PAGE_SHIFT, PAGE_SIZE } from "./page.ts";

/** One piece of a user's buffer. */
export interface Iovec {
  /** Its address. */
  readonly base: number;
  /** Its length in bytes. */
  readonly len: number;
}

/**
 * Walks over the pieces of a user's buffer.
 *
 * @example
 * ```ts
 * import { IovIter } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const iter = new IovIter();
 * iter.reset([{ base: 0x10000, len: 512 }, { base: 0x20000, len: 1024 }]);
 * iter.advance(512);
 * assertEquals([iter.address, iter.count], [0x20000, 1024]);
 * ```
 */
export class IovIter {
  /** Bytes that are left. */
  count = 0;
  /**
   * Whether the memory is a process's. Pages of the kernel's own (`ITER_BVEC`)
   * are never marked dirty.
   */
  userBacked = true;
  #iov: readonly Iovec[] = [];
  #segment = 0;
  #offset = 0;

  /** The pieces. */
  get iov(): readonly Iovec[] {
    return this.#iov;
  }

  /** Where the next byte is. */
  get address(): number {
    return (this.#iov[this.#segment] as Iovec).base + this.#offset;
  }

  /** How many bytes follow in the same piece. */
  get contiguous(): number {
    return (this.#iov[this.#segment] as Iovec).len - this.#offset;
  }

  /**
   * Starts at the beginning of a buffer.
   *
   * @param iov Its pieces.
   */
  reset(iov: readonly Iovec[]): void {
    this.#iov = iov;
    this.#segment = 0;
    this.#offset = 0;
    this.count = 0;
    for (let i = 0; i < iov.length; i++) this.count += (iov[i] as Iovec).len;
    this.#skipEmpty();
  }

  /**
   * Goes on.
   *
   * @param bytes By how much, at most {@linkcode count}.
   */
  advance(bytes: number): void {
    this.#offset += bytes;
    this.count -= bytes;
    this.#skipEmpty();
  }

  /**
   * Goes back (`iov_iter_revert()`).
   *
   * @param bytes By how much, at most what it has gone on.
   */
  revert(bytes: number): void {
    this.count += bytes;
    let left = bytes;
    for (; left > this.#offset; this.#segment--) {
      left -= this.#offset;
      this.#offset = (this.#iov[this.#segment - 1] as Iovec).len;
    }
    this.#offset -= left;
  }

  /**
   * How many pages the bytes that are left lie in (`iov_iter_npages()`); one
   * that two pieces lie in counts twice.
   *
   * @param max Where to stop counting.
   * @returns A number up to `max`.
   */
  npages(max: number): number {
    if (this.#iov.length === 1 && this.count > 0) {
      const start = this.address & (PAGE_SIZE - 1);
      return Math.min((start + this.count + PAGE_SIZE - 1) >> PAGE_SHIFT, max);
    }
    let pages = 0;
    let left = this.count;
    let offset = this.#offset;
    for (let i = this.#segment; left > 0 && pages < max; i++) {
      const { base, len } = this.#iov[i] as Iovec;
      const bytes = Math.min(len - offset, left);
      const start = (base + offset) & (PAGE_SIZE - 1);
      pages += Math.ceil((start + bytes) / PAGE_SIZE) * Math.sign(bytes);
      left -= bytes;
      offset = 0;
    }
    return Math.min(pages, max);
  }

  #skipEmpty(): void {
    while (this.count > 0) {
      const { len } = this.#iov[this.#segment] as Iovec;
      if (this.#offset < len) return;
      this.#offset -= len;
      this.#segment++;
    }
  }
}

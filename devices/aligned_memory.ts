/**
 * Memory whose real address is known and page-aligned, as direct I/O needs.
 *
 * @module
 */

import type { Libc } from "./libc.ts";

/** The page size that endio aligns to, in bytes. */
export const PAGE_SIZE_BYTES = 4096;

/** A huge page of x86-64, and of arm64 with pages of 4 KiB. */
const HUGE_PAGE_BYTES = 2 << 20;
const MADV_HUGEPAGE = 14;

/**
 * One page-aligned region that buffers of direct I/O live in.
 *
 * The region is an ArrayBuffer with an explicit backing store: a small typed
 * array made without one lives inside the garbage-collected heap and may move.
 */
export class AlignedMemory {
  /** The whole region; the first byte lies at {@linkcode address}. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The real address of the first byte, below 2^53. */
  readonly address: number;
  /** Its index among the registered buffers of an `io_uring`, or -1. */
  bufferIndex = -1;

  /**
   * Allocates a region.
   *
   * @param libc The library that tells addresses.
   * @param byteLength The size of the region in bytes, at least 1.
   * @param alignment What its address is to be a multiple of.
   * @throws {RangeError} If the size is not a positive integer.
   */
  constructor(
    libc: Libc,
    byteLength: number,
    alignment: number = PAGE_SIZE_BYTES,
  ) {
    if (!Number.isSafeInteger(byteLength) || byteLength < 1) {
      throw new RangeError(
        `Cannot allocate memory: ${byteLength} is not a positive integer`,
      );
    }
    const buffer = new ArrayBuffer(byteLength + alignment - 1);
    const start = libc.addressOf(new Uint8Array(buffer));
    const skip = (alignment - start % alignment) % alignment;
    this.bytes = new Uint8Array(buffer, skip, byteLength);
    this.address = start + skip;
  }

  /** Whether `length` bytes at `address` lie wholly inside the region. */
  holds(address: number, length: number): boolean {
    return address >= this.address &&
      address + length <= this.address + this.bytes.length;
  }
}

/**
 * Allocates a region for data. A large one asks for huge pages, which the
 * system may give or not: a large transfer from such pages is a few pieces to
 * the block layer, not hundreds.
 *
 * @param libc The library to call.
 * @param byteLength The size of the region in bytes, at least 1.
 * @returns The region.
 * @throws {RangeError} If the size is not a positive integer.
 */
export function allocateForData(libc: Libc, byteLength: number): AlignedMemory {
  const isLarge = byteLength >= HUGE_PAGE_BYTES;
  const alignment = isLarge ? HUGE_PAGE_BYTES : PAGE_SIZE_BYTES;
  const memory = new AlignedMemory(libc, byteLength, alignment);
  if (isLarge) libc.madvise(memory.address, byteLength, MADV_HUGEPAGE);
  return memory;
}

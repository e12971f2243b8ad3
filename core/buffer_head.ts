/**
 * The buffer head, as far as direct I/O uses it: the form in which a mapping
 * function answers.
 *
 * Source: include/linux/buffer_head.h.
 *
 * @module
 */

/** The block is mapped: `bBlocknr` is valid. */
export const BH_MAPPED: number = 1 << 0;
/** The block was just allocated. */
export const BH_NEW: number = 1 << 1;
/** The mapping that follows needs metadata that is not in memory yet. */
export const BH_BOUNDARY: number = 1 << 2;
/** The block is allocated but has never been written. */
export const BH_UNWRITTEN: number = 1 << 3;
/** The completion is to be deferred to the workqueue. */
export const BH_DEFER_COMPLETION: number = 1 << 4;

/**
 * A mapping: from a range of file blocks to a range of device blocks.
 *
 * @example
 * ```ts
 * import { BH_MAPPED, BufferHead } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const bh = new BufferHead();
 * bh.map(100, 8192);
 * assertEquals([bh.bState, bh.bBlocknr, bh.bSize], [BH_MAPPED, 100, 8192]);
 * ```
 */
export class BufferHead {
  /** State bits: {@linkcode BH_MAPPED} and the like. */
  bState = 0;
  /** First device block, in units of the filesystem's block size. */
  bBlocknr = 0;
  /**
   * Bytes: before the call how much is wanted, after it how much is mapped.
   */
  bSize = 0;
  /**
   * The filesystem's own. It is not cleared between the mapping calls of one
   * request, and its last value is handed to `end_io`.
   */
  bPrivate: unknown = null;

  /** Whether the range is mapped to device blocks. */
  get mapped(): boolean {
    return (this.bState & BH_MAPPED) !== 0;
  }

  /** Whether the blocks were just allocated. */
  get isNew(): boolean {
    return (this.bState & BH_NEW) !== 0;
  }

  /** Whether what follows the range needs metadata that is not in memory. */
  get boundary(): boolean {
    return (this.bState & BH_BOUNDARY) !== 0;
  }

  /** Whether the completion is to be deferred. */
  get deferCompletion(): boolean {
    return (this.bState & BH_DEFER_COMPLETION) !== 0;
  }

  /**
   * `map_bh()`: answers with a range of device blocks.
   *
   * @param block First device block.
   * @param bytes How much is mapped.
   */
  map(block: number, bytes: number): void {
    this.bState |= BH_MAPPED;
    this.bBlocknr = block;
    this.bSize = bytes;
  }
}

/**
 * `set_buffer_defer_completion()`: asks the core to run the completion of the
 * request in its workqueue, because `end_io` will have to sleep.
 *
 * @param bh The mapping that is being answered.
 *
 * @example
 * ```ts
 * import { BufferHead, setBufferDeferCompletion } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const bh = new BufferHead();
 * setBufferDeferCompletion(bh);
 * assertEquals(bh.deferCompletion, true);
 * ```
 */
export function setBufferDeferCompletion(bh: BufferHead): void {
  bh.bState |= BH_DEFER_COMPLETION;
}

/**
 * Where a file's blocks lie on the device, and an allocator that hands them
 * out.
 *
 * @module
 */

import {
  ENOSPC,
  type Kernel,
  KernelBug,
  type Step,
  writeStep,
} from "../core/mod.ts";
import type { ExtentState, FileLayout } from "./model.ts";

/** A run of file blocks that lies in one piece on the device. */
export interface Extent {
  /** First block of the file. */
  readonly start: number;
  /** How many blocks. */
  readonly count: number;
  /** First block of the device. */
  readonly device: number;
  /** Whether the blocks hold data. */
  readonly state: ExtentState;
}

/** What a file has at some block. */
export interface Mapping {
  /** The state, or a hole. */
  readonly state: ExtentState | "hole";
  /** The block on the device; -1 for a hole. */
  readonly device: number;
  /** For how many blocks this holds. */
  readonly count: number;
}

/**
 * Hands out device blocks: what was freed last first, because that is where a
 * write that comes too late does harm; then the lowest that were never used.
 *
 * @example
 * ```ts
 * import { BlockAllocator } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const allocator = new BlockAllocator(1, 8);
 * assertEquals(allocator.alloc(4), 1);
 * assertEquals(allocator.alloc(4), -1);
 * allocator.free(1, 4);
 * assertEquals(allocator.alloc(4), 1);
 * ```
 */
export class BlockAllocator {
  readonly #end: number;
  readonly #kernel: Kernel | null;
  readonly #step: Step;
  /** Freed runs, the last one freed last. */
  readonly #freed: Run[] = [];
  #next: number;
  #used = 0;

  /**
   * Makes an allocator over a range of blocks.
   *
   * @param first First block.
   * @param end Block behind the last one.
   * @param kernel The kernel whose contexts share it; without it, who gets
   * which block is not explored.
   */
  constructor(first: number, end: number, kernel: Kernel | null = null) {
    this.#next = first;
    this.#end = end;
    this.#kernel = kernel;
    this.#step = writeStep(kernel?.newAddr() ?? 0);
  }

  /**
   * Allocates consecutive blocks. Of blocks that were never used, the one
   * behind them stays free, so that what is allocated next does not continue
   * them.
   *
   * @param count How many.
   * @returns The first, or -1 when there is no space.
   */
  alloc(count: number): number {
    this.#kernel?.touch(this.#step);
    const block = this.#take(count);
    if (block >= 0) this.#used += count;
    return block;
  }

  #take(count: number): number {
    const freed = this.#freed;
    const at = freed.findLastIndex((run) => run.count >= count);
    const run = freed[at];
    if (run !== undefined) {
      freed.splice(at, 1);
      if (run.count > count) {
        freed.push({ first: run.first + count, count: run.count - count });
      }
      return run.first;
    }
    if (this.#next + count > this.#end) return -1;
    const block = this.#next;
    this.#next += count + 1;
    return block;
  }

  /**
   * Takes blocks back.
   *
   * @param first The first.
   * @param count How many.
   */
  free(first: number, count: number): void {
    this.#kernel?.touch(this.#step);
    this.#freed.push({ first, count });
    this.#used -= count;
  }

  /**
   * A file leaves memory, and its blocks stay.
   *
   * @param extents Where they lie.
   */
  evict(extents: ExtentMap): void {
    this.#used -= extents.blocks;
  }

  /**
   * The filesystem goes, as its files have gone before: what `fsck` would find
   * wrong is found here.
   *
   * @throws {KernelBug} If blocks are in no file and not free, or both.
   */
  destroy(): void {
    if (this.#used === 0) return;
    throw new KernelBug(
      "completion-resources/blocks-accounted",
      "allocator",
      this.#used > 0
        ? `${this.#used} blocks are in no file, and not free`
        : `${-this.#used} blocks are in a file, and free`,
    );
  }
}

/** Device blocks that follow each other. */
interface Run {
  readonly first: number;
  readonly count: number;
}

/**
 * The extents of one file.
 *
 * @example
 * ```ts
 * import { ExtentMap } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const map = new ExtentMap();
 * map.insert({ start: 4, count: 4, device: 100, state: "unwritten" });
 * assertEquals(map.lookup(0), { state: "hole", device: -1, count: 4 });
 * map.convert(5, 2);
 * assertEquals(map.lookup(5), { state: "written", device: 101, count: 2 });
 * ```
 */
export class ExtentMap {
  #extents: Extent[] = [];
  #preallocated = 0;

  /**
   * Makes the map of a new file.
   *
   * @param layout How the file is to lie.
   * @param blockSize Bytes in a block.
   * @param allocator Where its blocks come from.
   * @returns The map.
   * @throws {RangeError} If the layout is not made of whole blocks, or the
   * device has no space for it.
   */
  static from(
    layout: FileLayout,
    blockSize: number,
    allocator: BlockAllocator,
  ): ExtentMap {
    const map = new ExtentMap();
    for (const { offset, bytes, state } of layout.extents) {
      const device = allocator.alloc(bytes / blockSize);
      if (offset % blockSize !== 0 || bytes % blockSize !== 0 || device < 0) {
        throw new RangeError(
          `Cannot lay out ${bytes} bytes at ${offset}: ${
            device < 0 ? "the device is full" : `blocks have ${blockSize} bytes`
          }`,
        );
      }
      map.insert({
        start: offset / blockSize,
        count: bytes / blockSize,
        device,
        state,
      });
      const end = (offset + bytes) / blockSize;
      const isInside = end * blockSize < layout.size + blockSize;
      if (!isInside) map.#preallocated = Math.max(map.#preallocated, end);
    }
    return map;
  }

  /** First block behind those that the file was made with behind its end. */
  get preallocated(): number {
    return this.#preallocated;
  }

  /** How many blocks the file has. */
  get blocks(): number {
    return this.#extents.reduce((blocks, { count }) => blocks + count, 0);
  }

  /**
   * Adds an extent where there was a hole.
   *
   * @param extent The extent.
   */
  insert(extent: Extent): void {
    const at = this.#extents.findIndex((other) => other.start > extent.start);
    this.#extents.splice(at < 0 ? this.#extents.length : at, 0, extent);
  }

  /**
   * What the file has at a block.
   *
   * @param block The block.
   * @returns The mapping from there on; a hole behind the last extent is
   * endless.
   */
  lookup(block: number): Mapping {
    for (let i = 0; i < this.#extents.length; i++) {
      const { start, count, device, state } = this.#extents[i] as Extent;
      if (block < start) {
        return { state: "hole", device: -1, count: start - block };
      }
      if (block < start + count) {
        const skipped = block - start;
        return { state, device: device + skipped, count: count - skipped };
      }
    }
    return { state: "hole", device: -1, count: Infinity };
  }

  /**
   * Fills holes with unwritten blocks.
   *
   * @param first First block.
   * @param count How many.
   * @param allocator Where the blocks come from.
   * @returns 0, or `-ENOSPC` when it came only so far.
   */
  fill(first: number, count: number, allocator: BlockAllocator): number {
    for (let start = first; start < first + count;) {
      const found = this.lookup(start);
      const wanted = Math.min(found.count, first + count - start);
      if (found.state === "hole") {
        const device = allocator.alloc(wanted);
        if (device < 0) return -ENOSPC;
        this.insert({ start, count: wanted, device, state: "unwritten" });
      }
      start += wanted;
    }
    return 0;
  }

  /**
   * Marks blocks as written.
   *
   * @param first First block.
   * @param count How many.
   * @returns How many of them were unwritten.
   */
  convert(first: number, count: number): number {
    let converted = 0;
    this.#replace(first, count, (piece) => {
      if (piece.state === "unwritten") converted += piece.count;
      return { ...piece, state: "written" };
    });
    return converted;
  }

  /**
   * Makes a hole.
   *
   * @param first First block.
   * @param count How many.
   * @returns What was there; its blocks are the caller's to free.
   */
  remove(first: number, count: number): Extent[] {
    const removed: Extent[] = [];
    this.#replace(first, count, (piece) => {
      removed.push(piece);
      return null;
    });
    return removed;
  }

  /** Cuts extents at the borders of a range, and replaces what lies in it. */
  #replace(
    first: number,
    count: number,
    change: (piece: Extent) => Extent | null,
  ): void {
    const end = first + count;
    this.#extents = this.#extents.flatMap((extent) => {
      const stop = extent.start + extent.count;
      const inside = slice(
        extent,
        Math.max(first, extent.start),
        Math.min(end, stop),
      );
      return [
        slice(extent, extent.start, Math.min(first, stop)),
        inside === null ? null : change(inside),
        slice(extent, Math.max(end, extent.start), stop),
      ].filter((piece) => piece !== null);
    });
  }
}

/** The part of an extent between two file blocks, or null when it is empty. */
function slice(extent: Extent, from: number, to: number): Extent | null {
  if (from >= to) return null;
  return {
    start: from,
    count: to - from,
    device: extent.device + from - extent.start,
    state: extent.state,
  };
}

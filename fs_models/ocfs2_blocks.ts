/**
 * ocfs2's blocks: direct I/O never allocates any, the page cache does.
 *
 * Source: fs/ocfs2/aops.c, fs/ocfs2/file.c of Linux 3.12.
 *
 * @module
 */

import {
  BH_NEW,
  type BlockDevice,
  blockTruncatePage,
  type BufferHead,
  EV,
  filemapWriteAndWaitRange,
  type Filesystem,
  finish,
  type Inode,
  inodeDioWait,
  type IovIter,
  type Kernel,
  type Kiocb,
  type MaybeTask,
  type Rw,
  SuperBlock,
  type Task,
  truncatePagecacheRange,
} from "../core/mod.ts";
import { LEVEL_EXCLUSIVE } from "./cluster_lock.ts";
import { BlockAllocator } from "./extent_map.ts";
import { Journal } from "./journal.ts";
import type { Ocfs2Inode } from "./ocfs2_inode.ts";

/** Binary logarithm of ocfs2's block size; a cluster is one block here. */
export const OCFS2_BLOCK_BITS: number = 12;

/**
 * The part of ocfs2 that deals with blocks.
 *
 * @example
 * ```ts
 * import { BufferHead, Kernel } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { Ocfs2 } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * device.attach(kernel);
 * const fs = new Ocfs2(kernel, device);
 * const inode = fs.createFile({
 *   size: 4096,
 *   extents: [{ offset: 0, bytes: 4096, state: "unwritten" }],
 * });
 * const bh = new BufferHead();
 * bh.bSize = 4096;
 * assertEquals([fs.ocfs2DirectIOGetBlocks(inode, 0, bh), bh.mapped], [0, false]);
 * ```
 */
export abstract class Ocfs2Blocks implements Filesystem {
  /** Its name. */
  readonly name: string = "ocfs2";
  /** Its superblock. */
  readonly sb: SuperBlock;
  /** Its journal. */
  readonly journal: Journal;
  /** Its free blocks. */
  readonly allocator: BlockAllocator;

  /**
   * Mounts it.
   *
   * @param kernel The kernel.
   * @param bdev The device, attached to that kernel.
   */
  constructor(kernel: Kernel, bdev: BlockDevice) {
    this.sb = new SuperBlock(kernel, bdev, OCFS2_BLOCK_BITS, this);
    this.journal = new Journal(kernel);
    const blocks = bdev.sizeBytes >> OCFS2_BLOCK_BITS;
    this.allocator = new BlockAllocator(0, blocks, kernel);
  }

  /**
   * `ocfs2_direct_IO()`; see {@linkcode Filesystem}.
   *
   * @param rw Direction.
   * @param iocb The request.
   * @param iter The user's buffer.
   * @param offset First byte in the file.
   * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
   */
  abstract directIO(
    rw: Rw,
    iocb: Kiocb,
    iter: IovIter,
    offset: number,
  ): MaybeTask<number>;

  /**
   * `ocfs2_direct_IO_get_blocks()`: allocates nothing; unwritten blocks are a
   * hole.
   *
   * @param inode The file.
   * @param iblock First block.
   * @param bh The answer.
   * @returns 0.
   */
  ocfs2DirectIOGetBlocks(
    inode: Inode,
    iblock: number,
    bh: BufferHead,
  ): number {
    const { state, device, count } = (inode as Ocfs2Inode).extents
      .lookup(iblock);
    const bytes = Math.min(count, bh.bSize >> OCFS2_BLOCK_BITS) <<
      OCFS2_BLOCK_BITS;
    bh.bSize = bytes;
    if (state === "written") bh.map(device, bytes);
    return 0;
  }

  /**
   * `ocfs2_get_block()`, and what `ocfs2_write_begin()` does before it: maps
   * for the page cache, and for a write allocates what is missing.
   *
   * @param inode The file.
   * @param iblock First block.
   * @param bh The answer.
   * @param create Whether it is for a write.
   * @returns 0, `-ENOSPC`, or the error of the transaction.
   */
  *getBlock(
    inode: Inode,
    iblock: number,
    bh: BufferHead,
    create: boolean,
  ): Task<number> {
    const { extents } = inode as Ocfs2Inode;
    const { state, count } = extents.lookup(iblock);
    const wanted = Math.min(count, bh.bSize >> OCFS2_BLOCK_BITS);
    if (state === "written" || !create) {
      return this.ocfs2DirectIOGetBlocks(inode, iblock, bh);
    }
    const error = yield* this.journal.start();
    if (error !== 0) return error;
    const ret = extents.fill(iblock, wanted, this.allocator);
    if (ret === 0) extents.convert(iblock, wanted);
    this.journal.stop();
    if (ret !== 0) return ret;
    bh.bState |= BH_NEW;
    return this.ocfs2DirectIOGetBlocks(inode, iblock, bh);
  }

  /**
   * `ocfs2_setattr()`: the rw lock shuts out who has not begun, and those in
   * flight that hold none are waited for.
   *
   * @param inode The file, `i_mutex` held.
   * @param size The new size in bytes.
   * @returns 0 or a negative errno.
   */
  *truncate(inode: Inode, size: number): Task<number> {
    const first = Math.ceil(size / (1 << OCFS2_BLOCK_BITS));
    return yield* this.#changing(inode as Ocfs2Inode, size, function* (file) {
      yield* file.sizeWrite(size);
      return file.extents.remove(first, Infinity);
    });
  }

  /**
   * `ocfs2_remove_inode_range()`: makes a hole.
   *
   * @param inode The file, `i_mutex` held.
   * @param offset First byte, a whole number of blocks.
   * @param bytes How many, a whole number of blocks.
   * @returns 0 or a negative errno.
   */
  *punchHole(inode: Inode, offset: number, bytes: number): Task<number> {
    const first = offset >> OCFS2_BLOCK_BITS;
    return yield* this.#changing(inode as Ocfs2Inode, offset, function* (file) {
      yield* [];
      return file.extents.remove(first, bytes >> OCFS2_BLOCK_BITS);
    });
  }

  /**
   * Changes what a file has from an offset on, with nobody inside and nothing
   * cached; frees what that gives.
   */
  *#changing(
    file: Ocfs2Inode,
    offset: number,
    change: (file: Ocfs2Inode) => Task<{ device: number; count: number }[]>,
  ): Task<number> {
    yield* file.rwLock.lock(LEVEL_EXCLUSIVE);
    yield* inodeDioWait(file);
    yield* file.inodeLock.lock(LEVEL_EXCLUSIVE);
    const failed = yield* this.#dropCached(file, offset);
    const error = failed || (yield* this.journal.start());
    if (error === 0) {
      for (const { device, count } of yield* change(file)) {
        this.allocator.free(device, count);
      }
      this.journal.stop();
    }
    yield* file.inodeLock.unlock(LEVEL_EXCLUSIVE);
    yield* file.rwLock.unlock(LEVEL_EXCLUSIVE);
    return error;
  }

  /** What is cached must not be written to blocks that are free by then. */
  *#dropCached(file: Ocfs2Inode, offset: number): Task<number> {
    const error = (yield* blockTruncatePage(file, offset)) || (yield* finish(
      filemapWriteAndWaitRange(file, offset, Infinity),
    ));
    if (error === 0) yield* truncatePagecacheRange(file, offset, Infinity);
    return error;
  }

  /**
   * `ocfs2_dismount_volume()`.
   *
   * @param _sb The superblock.
   */
  putSuper(_sb: SuperBlock): void {
    this.journal.destroy();
    this.allocator.destroy();
  }

  /**
   * `ocfs2_allocate_unwritten_extents()`: fills holes with unwritten blocks.
   *
   * @param inode The file, `i_mutex` held.
   * @param offset First byte, a whole number of blocks.
   * @param bytes How many.
   * @returns 0 or a negative errno.
   */
  *fallocate(inode: Inode, offset: number, bytes: number): Task<number> {
    const { kernel } = this.sb;
    const file = inode as Ocfs2Inode;
    const first = Math.floor(offset / (1 << OCFS2_BLOCK_BITS));
    const end = Math.ceil((offset + bytes) / (1 << OCFS2_BLOCK_BITS));
    yield* file.rwLock.lock(LEVEL_EXCLUSIVE);
    yield* file.inodeLock.lock(LEVEL_EXCLUSIVE);
    let ret = yield* this.journal.start();
    if (ret === 0) {
      ret = file.extents.fill(first, end - first, this.allocator);
      this.journal.stop();
    }
    if (ret === 0 && offset + bytes > inode.iSize) {
      yield* inode.sizeWrite(offset + bytes);
    }
    yield* file.inodeLock.unlock(LEVEL_EXCLUSIVE);
    yield* file.rwLock.unlock(LEVEL_EXCLUSIVE);
    if (kernel.tracing) {
      kernel.emit(EV.fallocate, inode.iIno, offset, bytes, ret);
    }
    return ret;
  }
}

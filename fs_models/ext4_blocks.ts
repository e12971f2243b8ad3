/**
 * ext4's blocks: looking them up, allocating them, and giving them back.
 *
 * Source: fs/ext4/inode.c, fs/ext4/extents.c of Linux 3.12.
 *
 * @module
 */

import {
  BH_NEW,
  BH_UNWRITTEN,
  type BlockDevice,
  blockTruncatePage,
  type BufferHead,
  ENOSPC,
  EV,
  filemapWriteAndWaitRange,
  type Filesystem,
  finish,
  type Inode,
  inodeDioWait,
  type IovIter,
  type Kernel,
  type Kiocb,
  type Rw,
  SuperBlock,
  type Task,
  truncatePagecache,
  truncatePagecacheRange,
} from "../core/mod.ts";
import type { Ext4Inode } from "./ext4_inode.ts";
import { BlockAllocator } from "./extent_map.ts";
import { Journal } from "./journal.ts";

/** Binary logarithm of ext4's block size. */
export const EXT4_BLOCK_BITS: number = 12;
/** Commits that an allocation waits for before it gives up. */
const MAX_RETRIES = 3;

/**
 * The part of ext4 that deals with blocks.
 *
 * @example
 * ```ts
 * import { Kernel } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { Ext4, type Ext4Blocks } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * device.attach(kernel);
 * const fs = new Ext4(kernel, device);
 * const inode = fs.createFile({ size: 4096, extents: [] });
 * const blocks: Ext4Blocks = fs;
 * kernel.boot(blocks.fallocate(inode, 0, 4096));
 * assertEquals(inode.extents.lookup(0).state, "unwritten");
 * ```
 */
export abstract class Ext4Blocks implements Filesystem {
  /** Its name. */
  readonly name: string = "ext4";
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
    this.sb = new SuperBlock(kernel, bdev, EXT4_BLOCK_BITS, this);
    this.journal = new Journal(kernel);
    const blocks = bdev.sizeBytes >> EXT4_BLOCK_BITS;
    this.allocator = new BlockAllocator(0, blocks, kernel);
  }

  /**
   * `ext4_direct_IO()`; see {@linkcode Filesystem}.
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
  ): Task<number>;

  /**
   * `ext4_map_blocks()`: looks a range up, and allocates what is missing.
   *
   * @param inode The file.
   * @param iblock First block.
   * @param bh The answer.
   * @param create The state that blocks are made in or, for `"written"`,
   * brought to; null to make none and to hide unwritten ones.
   * @returns 0 or `-ENOSPC`.
   */
  *ext4MapBlocks(
    inode: Ext4Inode,
    iblock: number,
    bh: BufferHead,
    create: "written" | "unwritten" | null,
  ): Task<number> {
    const { kernel } = this.sb;
    yield* inode.iDataSem.downRead(kernel);
    const { state, device, count } = inode.extents.lookup(iblock);
    inode.iDataSem.upRead(kernel);
    const wanted = Math.min(count, bh.bSize >> EXT4_BLOCK_BITS);
    if (state === "written" || (state === "unwritten" && create === state)) {
      bh.map(device, wanted << EXT4_BLOCK_BITS);
      // A write to a part of it has to fill the rest with zeros, as if it were
      // new: the conversion is of whole blocks.
      if (state === "unwritten") bh.bState |= BH_UNWRITTEN | BH_NEW;
      return 0;
    }
    if (create === null) return 0;
    const error = yield* this.journal.start();
    if (error !== 0) return error;
    yield* inode.iDataSem.downWrite(kernel);
    const block = state === "hole" ? this.allocator.alloc(wanted) : device;
    if (state === "unwritten") inode.extents.convert(iblock, wanted);
    else if (block >= 0) {
      inode.extents.insert({
        start: iblock,
        count: wanted,
        device: block,
        state: create,
      });
    }
    inode.iDataSem.upWrite(kernel);
    this.journal.stop();
    if (block < 0) return -ENOSPC;
    bh.map(block, wanted << EXT4_BLOCK_BITS);
    bh.bState |= BH_NEW | (create === "unwritten" ? BH_UNWRITTEN : 0);
    return 0;
  }

  /**
   * `ext4_setattr()`: the size changes first, in memory and on disk, so that
   * new requests see it; then direct I/O, whose conversions count as part of
   * it, is waited for; and only then blocks are freed. Until they are, the file
   * is an orphan.
   *
   * @param inode The file, `i_mutex` held.
   * @param size The new size in bytes.
   * @returns 0 or a negative errno.
   */
  *truncate(inode: Inode, size: number): Task<number> {
    const file = inode as Ext4Inode;
    if (size < inode.iSize) {
      const error = yield* this.#shrink(file, size);
      if (error !== 0) return error;
      yield* file.blockUnlockedDio();
      yield* inodeDioWait(inode);
      yield* file.resumeUnlockedDio();
    } else yield* inode.sizeWrite(size);
    yield* truncatePagecache(inode, size);
    const error = yield* this.#ext4Truncate(file, size);
    file.isOrphan = false;
    return error;
  }

  /** The sizes of a file that gets shorter, in one transaction. */
  *#shrink(inode: Ext4Inode, size: number): Task<number> {
    const { kernel } = this.sb;
    const error = yield* this.journal.start();
    if (error !== 0) return error;
    inode.isOrphan = true;
    yield* inode.iDataSem.downWrite(kernel);
    inode.iDisksize = size;
    yield* inode.sizeWrite(size);
    inode.iDataSem.upWrite(kernel);
    this.journal.stop();
    return 0;
  }

  /**
   * `ext4_truncate()`: frees what is behind the end of the file. It cannot say
   * that it failed in Linux 3.12; the filesystem is in error then.
   */
  *#ext4Truncate(inode: Ext4Inode, size: number): Task<number> {
    const { kernel } = this.sb;
    const failed = yield* blockTruncatePage(inode, size);
    const error = failed || (yield* this.journal.start());
    if (error !== 0) return error;
    yield* inode.iDataSem.downWrite(kernel);
    inode.iDisksize = size;
    this.#removeFrom(inode, size);
    inode.iDataSem.upWrite(kernel);
    this.journal.stop();
    return 0;
  }

  /**
   * `ext4_truncate_failed_write()`: frees blocks behind the end of the file
   * that a failed write has allocated, and takes back what it has written
   * there to the block in which the file ends.
   *
   * @param inode The file.
   */
  *ext4TruncateFailedWrite(inode: Ext4Inode): Task<void> {
    const { kernel } = this.sb;
    yield* truncatePagecache(inode, inode.iSize);
    yield* blockTruncatePage(inode, inode.iSize);
    if ((yield* this.journal.start()) !== 0) return;
    yield* inode.iDataSem.downWrite(kernel);
    this.#removeFrom(inode, inode.iSize);
    inode.iDataSem.upWrite(kernel);
    this.journal.stop();
  }

  /**
   * `ext4_punch_hole()`: new requests wait for `i_mutex`, those in flight are
   * waited for, and only then blocks are freed.
   *
   * @param inode The file, `i_mutex` held.
   * @param offset First byte, a whole number of blocks.
   * @param bytes How many, a whole number of blocks.
   * @returns 0 or a negative errno.
   */
  *punchHole(inode: Inode, offset: number, bytes: number): Task<number> {
    const { kernel } = this.sb;
    const file = inode as Ext4Inode;
    const last = offset + bytes - 1;
    const failed = yield* finish(
      filemapWriteAndWaitRange(inode, offset, last),
    );
    if (failed !== 0) return failed;
    yield* file.blockUnlockedDio();
    yield* inodeDioWait(inode);
    yield* truncatePagecacheRange(inode, offset, last);
    const error = yield* this.journal.start();
    if (error === 0) {
      yield* file.iDataSem.downWrite(kernel);
      this.#remove(file, offset >> EXT4_BLOCK_BITS, bytes >> EXT4_BLOCK_BITS);
      file.iDataSem.upWrite(kernel);
      this.journal.stop();
    }
    yield* file.resumeUnlockedDio();
    return error;
  }

  #removeFrom(inode: Ext4Inode, size: number): void {
    this.#remove(inode, Math.ceil(size / (1 << EXT4_BLOCK_BITS)), Infinity);
  }

  #remove(inode: Ext4Inode, first: number, count: number): void {
    const removed = inode.extents.remove(first, count);
    this.journal.freeOnCommit(removed, this.allocator);
  }

  /**
   * `ext4_should_retry_alloc()`: whether it is worth trying again after
   * `-ENOSPC`, because a commit has freed blocks.
   *
   * @param retries How often that was done.
   * @returns True for another try.
   */
  *ext4ShouldRetryAlloc(retries: number): Task<boolean> {
    if (retries >= MAX_RETRIES) return false;
    return yield* this.journal.forceCommit();
  }

  /**
   * `ext4_fallocate()`: fills holes with unwritten blocks.
   *
   * @param inode The file.
   * @param offset First byte, a whole number of blocks.
   * @param bytes How many.
   * @returns 0 or a negative errno.
   */
  *fallocate(inode: Inode, offset: number, bytes: number): Task<number> {
    const { kernel } = this.sb;
    const file = inode as Ext4Inode;
    const end = Math.ceil((offset + bytes) / (1 << EXT4_BLOCK_BITS));
    const first = Math.floor(offset / (1 << EXT4_BLOCK_BITS));
    // What grows the file must not race with an append in flight.
    if (offset + bytes > inode.iSize) yield* inodeDioWait(inode);
    const error = yield* this.journal.start();
    if (error !== 0) return error;
    yield* file.iDataSem.downWrite(kernel);
    const ret = file.extents.fill(first, end - first, this.allocator);
    file.iDataSem.upWrite(kernel);
    this.journal.stop();
    if (ret === 0 && offset + bytes > inode.iSize) {
      yield* inode.sizeWrite(offset + bytes);
      file.iDisksize = offset + bytes;
    }
    if (kernel.tracing) {
      kernel.emit(EV.fallocate, inode.iIno, offset, bytes, ret);
    }
    return ret;
  }
}

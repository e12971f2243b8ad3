/**
 * XFS's blocks and sizes: looking blocks up, allocating them as unwritten,
 * converting them, giving them back.
 *
 * Source: fs/xfs/xfs_iomap.c, fs/xfs/xfs_iops.c, fs/xfs/xfs_aops.c of Linux
 * 3.12.
 *
 * @module
 */

import {
  BH_NEW,
  BH_UNWRITTEN,
  type BlockDevice,
  blockTruncatePage,
  type BufferHead,
  EIO,
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
  setBufferDeferCompletion,
  SuperBlock,
  type Task,
  truncatePagecache,
  truncatePagecacheRange,
} from "../core/mod.ts";
import { BlockAllocator } from "./extent_map.ts";
import { checkSizes } from "./fsck.ts";
import { Journal } from "./journal.ts";
import type { XfsInode } from "./xfs_inode.ts";

/** Binary logarithm of XFS's block size. */
export const XFS_BLOCK_BITS: number = 12;

/**
 * The part of XFS that deals with blocks and sizes.
 *
 * @example
 * ```ts
 * import { Kernel } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { Xfs } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * device.attach(kernel);
 * const fs = new Xfs(kernel, device);
 * const inode = fs.createFile({
 *   size: 4096,
 *   extents: [{ offset: 0, bytes: 4096, state: "unwritten" }],
 * });
 * kernel.spawn("a", fs.xfsIomapWriteUnwritten(inode, 0, 4096));
 * kernel.run();
 * assertEquals(inode.extents.lookup(0).state, "written");
 * ```
 */
export abstract class XfsBlocks implements Filesystem {
  /** Its name. */
  readonly name: string = "xfs";
  /** Its superblock. */
  readonly sb: SuperBlock;
  /** Its log. */
  readonly journal: Journal;
  /** Its free blocks. */
  readonly allocator: BlockAllocator;
  /** Whether it has been shut down after an error: nothing works any more. */
  forcedShutdown = false;

  /**
   * Mounts it.
   *
   * @param kernel The kernel.
   * @param bdev The device, attached to that kernel.
   */
  constructor(kernel: Kernel, bdev: BlockDevice) {
    this.sb = new SuperBlock(kernel, bdev, XFS_BLOCK_BITS, this);
    this.journal = new Journal(kernel);
    const blocks = bdev.sizeBytes >> XFS_BLOCK_BITS;
    this.allocator = new BlockAllocator(0, blocks, kernel);
  }

  /**
   * `xfs_vm_direct_IO()`; see {@linkcode Filesystem}.
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
   * `xfs_get_blocks_direct()`. For a write, holes become unwritten blocks,
   * and unwritten blocks are marked in `bPrivate` and ask for deferral; so do
   * blocks behind the size on disk, which has to follow. For a read, unwritten
   * blocks are a hole.
   *
   * @param inode The file.
   * @param iblock First block.
   * @param bh The answer.
   * @param create Whether it is for a write.
   * @returns 0 or a negative errno.
   */
  *xfsGetBlocksDirect(
    inode: XfsInode,
    iblock: number,
    bh: BufferHead,
    create: boolean,
  ): Task<number> {
    const { kernel } = this.sb;
    const offset = iblock * (1 << XFS_BLOCK_BITS);
    if (this.forcedShutdown) return -EIO;
    if (kernel.stepping) yield inode.sizeStep;
    const isBehind = offset >= inode.iSize;
    if (!create && isBehind) return 0;
    yield* inode.iLock.downRead(kernel);
    let found = inode.extents.lookup(iblock);
    inode.iLock.upRead(kernel);
    const isNew = create && found.state === "hole";
    const count = Math.min(found.count, bh.bSize >> XFS_BLOCK_BITS);
    if (isNew) {
      const error = yield* this.xfsIomapWriteDirect(inode, iblock, count);
      if (error !== 0) return error;
      found = inode.extents.lookup(iblock);
    }
    const isUnwritten = found.state === "unwritten";
    bh.bSize = count << XFS_BLOCK_BITS;
    if (found.state === "hole" || (isUnwritten && !create)) return 0;
    bh.map(found.device, bh.bSize);
    if (!create) return 0;
    if (isUnwritten) {
      bh.bPrivate = inode;
      bh.bState |= BH_UNWRITTEN;
    }
    if (isUnwritten || isBehind) bh.bState |= BH_NEW;
    if (this.xfsNeedsDefer(inode, offset + bh.bSize, isUnwritten)) {
      setBufferDeferCompletion(bh);
    }
    return 0;
  }

  /**
   * `xfs_get_blocks()`, for the page cache. Only truncates need that, so it
   * tells of written blocks and allocates none.
   *
   * @param inode The file.
   * @param iblock First block.
   * @param bh The answer.
   * @returns 0 or a negative errno.
   */
  *getBlock(inode: Inode, iblock: number, bh: BufferHead): Task<number> {
    const { kernel } = this.sb;
    const { iLock, extents } = inode as XfsInode;
    if (this.forcedShutdown) return -EIO;
    yield* iLock.downRead(kernel);
    const { state, device } = extents.lookup(iblock);
    iLock.upRead(kernel);
    if (state === "written") bh.map(device, 1 << XFS_BLOCK_BITS);
    return 0;
  }

  /**
   * Whether the end of a write will start a transaction, which sleeps. The
   * merged patch asked for unwritten blocks only, and so updated the size on
   * disk in an interrupt when it was behind the size in memory.
   *
   * @param inode The file.
   * @param end Where the mapping ends, in bytes.
   * @param isUnwritten Whether it is unwritten.
   * @returns True when it has to be deferred.
   */
  xfsNeedsDefer(inode: XfsInode, end: number, isUnwritten: boolean): boolean {
    return isUnwritten || end > inode.diSize;
  }

  /**
   * `xfs_iomap_write_direct()`: allocates unwritten blocks for a hole.
   *
   * @param inode The file.
   * @param first First block.
   * @param count How many.
   * @returns 0, `-ENOSPC`, or the error of the transaction.
   */
  *xfsIomapWriteDirect(
    inode: XfsInode,
    first: number,
    count: number,
  ): Task<number> {
    const { kernel } = this.sb;
    const error = yield* this.journal.start();
    if (error !== 0) return error;
    yield* inode.iLock.downWrite(kernel);
    const ret = inode.extents.fill(first, count, this.allocator);
    inode.iLock.upWrite(kernel);
    this.journal.stop();
    return ret;
  }

  /**
   * `xfs_iomap_write_unwritten()`: marks a range as written, in a
   * transaction. Only then do the sizes grow: a reader who sees the new size
   * sees the new data.
   *
   * @param inode The file.
   * @param offset First byte.
   * @param bytes How many.
   * @returns 0 or a negative errno.
   */
  *xfsIomapWriteUnwritten(
    inode: XfsInode,
    offset: number,
    bytes: number,
  ): Task<number> {
    const { kernel } = this.sb;
    const block = 1 << XFS_BLOCK_BITS;
    const first = Math.floor(offset / block);
    const end = Math.ceil((offset + bytes) / block);
    const error = yield* this.journal.start();
    if (error === 0) {
      yield* inode.iLock.downWrite(kernel);
      inode.extents.convert(first, end - first);
      this.#traceConvert(inode, offset, bytes, 0);
      yield* this.#raiseSizes(inode, offset + bytes);
      inode.iLock.upWrite(kernel);
      this.journal.stop();
    } else this.#traceConvert(inode, offset, bytes, error);
    return error;
  }

  /**
   * `xfs_setfilesize()`: the sizes follow what was written behind them.
   *
   * @param inode The file.
   * @param end Where the write ends, in bytes.
   * @returns 0 or the error of the transaction.
   */
  *xfsSetfilesize(inode: XfsInode, end: number): Task<number> {
    const { kernel } = this.sb;
    const error = yield* this.journal.start();
    if (error !== 0) return error;
    yield* inode.iLock.downWrite(kernel);
    yield* this.#raiseSizes(inode, end);
    inode.iLock.upWrite(kernel);
    this.journal.stop();
    return 0;
  }

  /** Under `i_lock`, so that of two writes the one that ends last counts. */
  *#raiseSizes(inode: XfsInode, end: number): Task<void> {
    if (this.sb.kernel.stepping) yield inode.sizeStep;
    if (end > inode.iSize) yield* inode.sizeWrite(end);
    if (end > inode.diSize) inode.diSize = end;
  }

  /**
   * `xfs_setattr_size()`: waits for direct I/O before it changes the size, and
   * zeroes what is behind it in its block.
   *
   * @param inode The file, `i_mutex` held.
   * @param size The new size in bytes.
   * @returns 0 or a negative errno.
   */
  *truncate(inode: Inode, size: number): Task<number> {
    const { kernel } = this.sb;
    const file = inode as XfsInode;
    yield* file.iIolock.downWrite(kernel);
    yield* inodeDioWait(inode);
    const failed = yield* blockTruncatePage(inode, size);
    const error = failed || (yield* this.journal.start());
    if (error === 0) {
      yield* inode.sizeWrite(size);
      yield* truncatePagecache(inode, size);
      yield* file.iLock.downWrite(kernel);
      file.diSize = size;
      const first = Math.ceil(size / (1 << XFS_BLOCK_BITS));
      this.#freeExtents(file, first, Infinity);
      file.iLock.upWrite(kernel);
      this.journal.stop();
    }
    file.iIolock.upWrite(kernel);
    return error;
  }

  /**
   * `xfs_free_file_space()`: shuts everybody out, waits for direct I/O, and
   * frees blocks.
   *
   * @param inode The file, `i_mutex` held.
   * @param offset First byte, a whole number of blocks.
   * @param bytes How many, a whole number of blocks.
   * @returns 0 or a negative errno.
   */
  *punchHole(inode: Inode, offset: number, bytes: number): Task<number> {
    const { kernel } = this.sb;
    const file = inode as XfsInode;
    yield* file.iIolock.downWrite(kernel);
    yield* inodeDioWait(inode);
    const failed = yield* finish(
      filemapWriteAndWaitRange(inode, offset, Infinity),
    );
    if (failed === 0) yield* truncatePagecacheRange(inode, offset, Infinity);
    const error = failed || (yield* this.journal.start());
    if (error === 0) {
      yield* file.iLock.downWrite(kernel);
      const first = offset >> XFS_BLOCK_BITS;
      this.#freeExtents(file, first, bytes >> XFS_BLOCK_BITS);
      file.iLock.upWrite(kernel);
      this.journal.stop();
    }
    file.iIolock.upWrite(kernel);
    return error;
  }

  #traceConvert(
    inode: XfsInode,
    offset: number,
    bytes: number,
    error: number,
  ): void {
    const { kernel } = this.sb;
    if (!kernel.tracing) return;
    kernel.emit(EV.convert_unwritten, inode.iIno, offset, bytes, error);
  }

  /** `xfs_bunmapi()`: frees the blocks of a range. */
  #freeExtents(inode: XfsInode, first: number, blocks: number): void {
    for (const { device, count } of inode.extents.remove(first, blocks)) {
      this.allocator.free(device, count);
    }
  }

  /**
   * `xfs_fs_put_super()`.
   *
   * @param _sb The superblock.
   */
  putSuper(_sb: SuperBlock): MaybeTask<void> {
    this.journal.destroy();
    this.allocator.destroy();
  }

  /**
   * `xfs_fs_evict_inode()`.
   *
   * @param inode The file.
   */
  evictInode(inode: Inode): void {
    const { extents, diSize } = inode as XfsInode;
    checkSizes(inode, diSize);
    this.allocator.evict(extents);
  }

  /**
   * `xfs_file_fallocate()`: fills holes with unwritten blocks. The iolock
   * keeps appending writes away while the size is looked at and raised.
   *
   * @param inode The file, `i_mutex` held.
   * @param offset First byte, a whole number of blocks.
   * @param bytes How many.
   * @returns 0 or a negative errno.
   */
  *fallocate(inode: Inode, offset: number, bytes: number): Task<number> {
    const { kernel } = this.sb;
    const file = inode as XfsInode;
    const block = 1 << XFS_BLOCK_BITS;
    const first = Math.floor(offset / block);
    const end = Math.ceil((offset + bytes) / block);
    yield* file.iIolock.downWrite(kernel);
    yield* inodeDioWait(inode);
    let ret = yield* this.xfsIomapWriteDirect(file, first, end - first);
    if (ret === 0) ret = yield* this.xfsSetfilesize(file, offset + bytes);
    file.iIolock.upWrite(kernel);
    if (kernel.tracing) {
      kernel.emit(EV.fallocate, inode.iIno, offset, bytes, ret);
    }
    return ret;
  }
}

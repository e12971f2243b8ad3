/**
 * What a filesystem gives the core.
 *
 * Source: include/linux/fs.h.
 *
 * @module
 */

import type { Kiocb } from "./aio.ts";
import type { Bio, Rw } from "./bio.ts";
import type { BufferHead } from "./buffer_head.ts";
import type { Inode, SuperBlock } from "./fs.ts";
import type { IovIter } from "./iov_iter.ts";
import type { MaybeTask, Task } from "./step.ts";

/**
 * What a filesystem hands to `blockdevDirectIO`: how to map, and what to do
 * at the end.
 */
export interface DioOps {
  /**
   * Maps a range of file blocks: `get_block_t`.
   *
   * @param inode The file.
   * @param iblock First block of the file, in blocks of `2^inode.iBlkbits`
   * bytes.
   * @param bh The answer; `bSize` says how many bytes are wanted.
   * @param create Whether to allocate blocks for a hole.
   * @returns 0 or a negative errno.
   */
  getBlock(
    inode: Inode,
    iblock: number,
    bh: BufferHead,
    create: boolean,
  ): MaybeTask<number>;
  /**
   * Called when all transfers of a request have ended: `dio_iodone_t`. It may
   * sleep only if the mapping asked for deferral.
   *
   * @param iocb The request.
   * @param offset First byte in the file.
   * @param bytes In profile `v3.12` the bytes that were attempted, later the
   * result: a count, or a negative errno.
   * @param priv What the mapping function left in `bPrivate`.
   * @returns 0, or (ignored in `v3.12`) an errno that replaces the result.
   */
  endIo?(
    iocb: Kiocb,
    offset: number,
    bytes: number,
    priv: unknown,
  ): MaybeTask<number | void>;
  /**
   * Submits a bio: `dio_submit_t`, for a filesystem that has more to do than
   * the block layer. By default that is handed the bio.
   *
   * @param bio The bio; not to be looked at once it is submitted.
   * @param inode The file.
   * @param offset Where in the file it begins, in bytes.
   * @returns What the device does inside the submission, or null.
   */
  submitIo?(bio: Bio, inode: Inode, offset: number): Task<unknown> | null;
  /**
   * What traces call the handler.
   *
   * @default {"end_io"}
   */
  readonly endIoName?: string;
}

/**
 * A filesystem as the core sees it: its address space, inode, file and super
 * operations in one object. Everything but `directIO` has a sensible default.
 */
export interface Filesystem {
  /** Its name, e.g. `ext4`. */
  readonly name: string;
  /**
   * The address space operation: transfers directly between the user's buffer
   * and the device.
   *
   * @param rw Direction.
   * @param iocb The request.
   * @param iter The user's buffer.
   * @param offset First byte in the file.
   * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
   */
  directIO(
    rw: Rw,
    iocb: Kiocb,
    iter: IovIter,
    offset: number,
  ): MaybeTask<number>;
  /**
   * Maps a range for the page cache, as {@linkcode DioOps.getBlock} does for
   * direct I/O. Without it, nothing goes through the cache: a direct transfer
   * that stops short stays short.
   */
  getBlock?: DioOps["getBlock"];
  /**
   * What the page cache has written back is on the device. Runs in an
   * interrupt; without it the pages are clean at once.
   *
   * @param inode The file.
   * @param offset First byte.
   * @param bytes How many.
   * @param end To be called once, in any context, when they are clean.
   */
  endWriteback?(
    inode: Inode,
    offset: number,
    bytes: number,
    end: () => void,
  ): MaybeTask<void>;
  /** The size of a file has grown, and the one on disk has to follow. */
  dirtyInode?(inode: Inode): MaybeTask<void>;
  /**
   * The file operation behind a write; without it the generic one.
   *
   * @param iocb The request.
   * @param iter The user's buffer.
   * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
   */
  aioWrite?(iocb: Kiocb, iter: IovIter): MaybeTask<number>;
  /**
   * The file operation behind a read; without it the generic one.
   *
   * @param iocb The request.
   * @param iter The user's buffer.
   * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
   */
  aioRead?(iocb: Kiocb, iter: IovIter): MaybeTask<number>;
  /** Finds the end of a polled request, to be run at once; or null. */
  iopoll?(iocb: Kiocb): Task<unknown> | null;
  /**
   * Changes the size of a file, under `i_mutex`. It waits for direct I/O
   * before it frees blocks.
   *
   * @param inode The file.
   * @param size The new size in bytes.
   * @returns 0 or a negative errno.
   */
  truncate?(inode: Inode, size: number): MaybeTask<number>;
  /**
   * Allocates unwritten blocks, under `i_mutex`.
   *
   * @param inode The file.
   * @param offset First byte.
   * @param bytes How many.
   * @returns 0 or a negative errno.
   */
  fallocate?(
    inode: Inode,
    offset: number,
    bytes: number,
  ): MaybeTask<number>;
  /**
   * Makes a hole, under `i_mutex`. It waits for direct I/O before it frees
   * blocks.
   *
   * @param inode The file.
   * @param offset First byte, a whole number of blocks.
   * @param bytes How many, a whole number of blocks.
   * @returns 0 or a negative errno.
   */
  punchHole?(
    inode: Inode,
    offset: number,
    bytes: number,
  ): MaybeTask<number>;
  /**
   * Makes a file's data, and the metadata needed to reach it, stable. Without
   * it the device is flushed.
   *
   * @param inode The file.
   * @returns 0 or a negative errno.
   */
  fsync?(inode: Inode): MaybeTask<number>;
  /** Writes everything back before the superblock goes away. */
  syncFs?(sb: SuperBlock): MaybeTask<void>;
  /** An inode leaves memory: nothing may be in flight on it. */
  evictInode?(inode: Inode): MaybeTask<void>;
  /** Takes the filesystem apart, after the completion workqueue is gone. */
  putSuper?(sb: SuperBlock): MaybeTask<void>;
}

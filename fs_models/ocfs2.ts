/**
 * ocfs2 as the 2013 patch left it: the cluster lock that a request takes is
 * handed on to its completion, and `end_io` lets go of it.
 *
 * Modelled are ocfs2_file_aio_read(), ocfs2_file_aio_write(),
 * ocfs2_direct_IO() and ocfs2_dio_end_io(), on one node. Where the merged code
 * was wrong, the model has what later commits made of it, or should have: a
 * write that was queued is left alone, also on a file that is written
 * synchronously, and a direct O_DSYNC write that is waited for is synced.
 *
 * Source: fs/ocfs2/aops.c, fs/ocfs2/file.c of Linux 3.12.
 *
 * @module
 */

import {
  blockdevDirectIO,
  type BlockDevice,
  type DioOps,
  EIOCBQUEUED,
  filemapWriteAndWaitRange,
  finish,
  genericFileAioRead,
  genericFileDirectWrite,
  genericPerformWrite,
  genericWriteSync,
  type Inode,
  type IovIter,
  type Kernel,
  KernelBug,
  type Kiocb,
  type MaybeTask,
  O_APPEND,
  type Rw,
  type Task,
  use,
} from "../core/mod.ts";
import {
  LEVEL_EXCLUSIVE,
  LEVEL_SHARED,
  type LockLevel,
} from "./cluster_lock.ts";
import { ExtentMap } from "./extent_map.ts";
import type { Feature, FileLayout, FilesystemModel } from "./model.ts";
import { OCFS2_BLOCK_BITS, Ocfs2Blocks } from "./ocfs2_blocks.ts";
import {
  OCFS2_IOCB_RW_LOCK,
  OCFS2_IOCB_SEM,
  OCFS2_IOCB_UNALIGNED_IO,
  Ocfs2Inode,
  ocfs2IocbBits,
  ocfs2IocbClear,
  ocfs2IocbLevel,
  ocfs2IocbSetRwLocked,
} from "./ocfs2_inode.ts";

const FIRST_INO = 517;

/** How ocfs2 is mounted. */
export interface Ocfs2Options {
  /**
   * Whether direct writes shut each other out across the cluster
   * (`coherency=full`), or only buffered ones do (`coherency=buffered`).
   *
   * @default {true}
   */
  readonly fullCoherency?: boolean;
}

/**
 * The ocfs2 model.
 *
 * @example
 * ```ts
 * import { Kernel } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { Ocfs2 } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * device.attach(kernel);
 * assertEquals(new Ocfs2(kernel, device).fullCoherency, true);
 * ```
 */
export class Ocfs2 extends Ocfs2Blocks implements FilesystemModel {
  /** What it is able to do. */
  readonly features: readonly Feature[] = [
    "unwritten",
    "truncate",
    "fallocate",
    "punch_hole",
  ];
  /** Whether direct writes shut each other out. */
  readonly fullCoherency: boolean;
  /** For reads and writes. */
  readonly ops: DioOps;
  #nextIno = FIRST_INO;

  /**
   * Mounts it.
   *
   * @param kernel The kernel.
   * @param bdev The device, attached to that kernel.
   * @param options How.
   */
  constructor(kernel: Kernel, bdev: BlockDevice, options: Ocfs2Options = {}) {
    super(kernel, bdev);
    this.fullCoherency = options.fullCoherency ?? true;
    this.ops = {
      endIoName: "ocfs2_dio_end_io",
      getBlock: (inode, iblock, bh) =>
        this.ocfs2DirectIOGetBlocks(inode, iblock, bh),
      endIo: (iocb) => this.ocfs2DioEndIo(iocb),
    };
  }

  /**
   * Makes a file; see {@linkcode FilesystemModel}.
   *
   * @param layout Its size and extents.
   * @returns Its inode.
   */
  createFile(layout: FileLayout): Ocfs2Inode {
    const map = ExtentMap.from(layout, 1 << OCFS2_BLOCK_BITS, this.allocator);
    return new Ocfs2Inode(this.sb, this.#nextIno++, layout.size, map);
  }

  /**
   * `ocfs2_file_aio_read()` for O_DIRECT: truncate is kept away by the rw
   * lock, until the end of the request.
   *
   * @param iocb The request; may be gone afterwards if it is queued.
   * @param _iter The user's buffer.
   * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
   */
  *aioRead(iocb: Kiocb, _iter: IovIter): Task<number> {
    const inode = iocb.kiFilp.fInode as Ocfs2Inode;
    iocb.private = OCFS2_IOCB_SEM;
    yield* inode.rwLock.lock(LEVEL_SHARED);
    ocfs2IocbSetRwLocked(iocb, LEVEL_SHARED);
    yield* inode.inodeLock.lock(LEVEL_SHARED);
    yield* inode.inodeLock.unlock(LEVEL_SHARED);
    const ret = yield* finish(genericFileAioRead(iocb));
    yield* this.#ocfs2Settle(iocb, inode, ret);
    return ret;
  }

  /**
   * `ocfs2_file_aio_write()` for O_DIRECT: directly, when the blocks are
   * there, or through the page cache.
   *
   * @param iocb The request; may be gone afterwards if it is queued.
   * @param iter The user's buffer.
   * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
   */
  *aioWrite(iocb: Kiocb, iter: IovIter): Task<number> {
    if (iter.count === 0) return 0;
    const { kernel } = this.sb;
    const inode = iocb.kiFilp.fInode as Ocfs2Inode;
    const level = this.fullCoherency ? LEVEL_EXCLUSIVE : LEVEL_SHARED;
    yield* inode.iMutex.lock(kernel);
    iocb.private = OCFS2_IOCB_SEM;
    yield* inode.rwLock.lock(level);
    if (this.fullCoherency) {
      // Other nodes drop what they have cached.
      yield* inode.inodeLock.lock(LEVEL_EXCLUSIVE);
      yield* inode.inodeLock.unlock(LEVEL_EXCLUSIVE);
    }
    if ((iocb.kiFilp.fFlags & O_APPEND) !== 0) {
      if (kernel.stepping) yield inode.sizeStep;
      iocb.kiPos = inode.iSize;
    }
    let ret: number;
    if (yield* this.ocfs2CanDoDirect(inode, iocb.kiPos, iter.count)) {
      ret = yield* this.#ocfs2WriteDirect(iocb, iter, inode, level);
    } else {
      yield* inode.rwLock.unlock(level);
      ret = yield* this.#ocfs2WriteBuffered(iocb, iter, inode);
    }
    inode.iMutex.unlock(kernel);
    if (ret <= 0 || !iocb.needsSync) return ret;
    const error = yield* genericWriteSync(iocb, iocb.kiPos - ret, ret);
    return error < 0 ? error : ret;
  }

  /**
   * `ocfs2_prepare_inode_for_write()`: whether a write can go directly. What
   * makes the file longer, or fills a hole, cannot.
   *
   * @param inode The file, `i_mutex` held.
   * @param offset First byte in the file.
   * @param bytes How many.
   * @returns False when it goes through the page cache.
   */
  *ocfs2CanDoDirect(
    inode: Ocfs2Inode,
    offset: number,
    bytes: number,
  ): Task<boolean> {
    yield* inode.inodeLock.lock(LEVEL_SHARED);
    let isWritten = offset + bytes <= inode.iSize;
    const end = Math.ceil((offset + bytes) / (1 << OCFS2_BLOCK_BITS));
    let block = Math.floor(offset / (1 << OCFS2_BLOCK_BITS));
    while (isWritten && block < end) {
      const { state, count } = inode.extents.lookup(block);
      isWritten = state === "written";
      block += count;
    }
    yield* inode.inodeLock.unlock(LEVEL_SHARED);
    return isWritten;
  }

  *#ocfs2WriteDirect(
    iocb: Kiocb,
    iter: IovIter,
    inode: Ocfs2Inode,
    level: LockLevel,
  ): Task<number> {
    const mask = (1 << OCFS2_BLOCK_BITS) - 1;
    const isUnaligned = ((iocb.kiPos | iter.count) & mask) !== 0;
    if (isUnaligned && !iocb.isSync) {
      yield* inode.aiodioWait();
      yield* inode.unalignedBegin();
      iocb.private = ocfs2IocbBits(iocb) | OCFS2_IOCB_UNALIGNED_IO;
    }
    ocfs2IocbSetRwLocked(iocb, level);
    const ret = yield* finish(genericFileDirectWrite(iocb));
    yield* this.#ocfs2Settle(iocb, inode, ret);
    return ret;
  }

  *#ocfs2WriteBuffered(
    iocb: Kiocb,
    iter: IovIter,
    inode: Ocfs2Inode,
  ): Task<number> {
    const { kiPos: pos } = iocb;
    ocfs2IocbClear(iocb, OCFS2_IOCB_SEM);
    yield* inode.rwLock.lock(LEVEL_EXCLUSIVE);
    let ret = yield* genericPerformWrite(iocb, iter, pos);
    if (ret > 0) {
      iocb.advance(ret);
      // The file is open for O_DIRECT: what is written is on the device.
      const end = pos + ret - 1;
      const error = yield* finish(filemapWriteAndWaitRange(inode, pos, end));
      if (error !== 0) ret = error;
    }
    yield* inode.rwLock.unlock(LEVEL_EXCLUSIVE);
    return ret;
  }

  /**
   * The submitter lets go of what `end_io` never will, because it was not
   * called. A request that is queued may be gone.
   */
  *#ocfs2Settle(iocb: Kiocb, inode: Ocfs2Inode, ret: number): Task<void> {
    if (ret === -EIOCBQUEUED) return;
    if ((ocfs2IocbBits(iocb) & OCFS2_IOCB_RW_LOCK) === 0) return;
    yield* this.#ocfs2Release(iocb, inode);
  }

  /** Lets go of everything that the private word of a request stands for. */
  *#ocfs2Release(iocb: Kiocb, inode: Ocfs2Inode): Task<void> {
    const bits = ocfs2IocbBits(iocb);
    const level = ocfs2IocbLevel(iocb);
    ocfs2IocbClear(
      iocb,
      OCFS2_IOCB_SEM | OCFS2_IOCB_UNALIGNED_IO | OCFS2_IOCB_RW_LOCK,
    );
    if ((bits & OCFS2_IOCB_UNALIGNED_IO) !== 0) yield* inode.unalignedDone();
    yield* inode.rwLock.unlock(level);
  }

  /**
   * `ocfs2_direct_IO()`: what appends, the page cache does.
   *
   * @param rw Direction.
   * @param iocb The request.
   * @param iter The user's buffer.
   * @param offset First byte in the file.
   * @returns Bytes, 0 for the page cache to do it, a negative errno, or
   * `-EIOCBQUEUED`.
   */
  directIO(
    rw: Rw,
    iocb: Kiocb,
    iter: IovIter,
    offset: number,
  ): MaybeTask<number> {
    const inode = iocb.kiFilp.fInode;
    if (inode.iSize <= offset) return 0;
    return blockdevDirectIO(rw, iocb, inode, iter, offset, this.ops, 0);
  }

  /**
   * `ocfs2_dio_end_io()`: lets go of the lock that the submitter took. It
   * sleeps nowhere.
   *
   * @param iocb The request.
   * @throws {KernelBug} If the lock is not held for it any more.
   */
  *ocfs2DioEndIo(iocb: Kiocb): Task<void> {
    if ((ocfs2IocbBits(use(iocb)) & OCFS2_IOCB_RW_LOCK) === 0) {
      throw new KernelBug(
        "lock-handover/unlock-by-owner",
        `iocb ${iocb.id}`,
        `the rw lock of iocb ${iocb.id} was released before its end_io could`,
      );
    }
    yield* this.#ocfs2Release(iocb, iocb.kiFilp.fInode as Ocfs2Inode);
  }

  /**
   * `ocfs2_evict_inode()`: nobody may hold a lock of it.
   *
   * @param inode The file.
   * @throws {KernelBug} If somebody does.
   */
  evictInode(inode: Inode): void {
    const { rwLock, inodeLock, extents } = inode as Ocfs2Inode;
    this.allocator.evict(extents);
    for (const { name, holders } of [rwLock, inodeLock]) {
      if (holders === 0) continue;
      throw new KernelBug(
        "lock-handover/unlock-by-owner",
        name,
        `${name} is still held ${holders} times when the inode goes`,
      );
    }
  }
}

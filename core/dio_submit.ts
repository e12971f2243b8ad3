/**
 * The submission side of direct I/O: from the filesystem's `directIO` to the
 * point where the submitter gives up its reference.
 *
 * Source: fs/direct-io.c.
 *
 * @module
 */

import type { Kiocb } from "./aio.ts";
import { READ, type Rw, WRITE } from "./bio.ts";
import { KernelBug } from "./bug.ts";
import type { Dio } from "./dio.ts";
import { DIO_SKIP_HOLES, DioMapping, END_OF_FILE } from "./dio_map.ts";
import { EINVAL, EIOCBQUEUED, ENOMEM, ENOTBLK } from "./errno.ts";
import { EV } from "./events.ts";
import type { DioOps, Inode } from "./fs.ts";
import type { IovIter } from "./page.ts";
import { use } from "./slab.ts";
import { finish, type MaybeTask, type Task } from "./step.ts";

/** The core takes `i_mutex` for reads; writes are entered with it held. */
export const DIO_LOCKING: number = 1;

/**
 * fs/direct-io.c: submission, and by inheritance completion.
 *
 * @example
 * ```ts
 * import { DirectIo, Kernel } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new Kernel().directIo instanceof DirectIo, true);
 * ```
 */
export class DirectIo extends DioMapping {
  /**
   * `do_blockdev_direct_IO()`: the entry checks. What passes them is mapped
   * and submitted, and either its last bio completes it or the submitter
   * waits and does.
   *
   * @param rw Direction.
   * @param iocb The request.
   * @param inode The file.
   * @param iter The user's buffer.
   * @param offset First byte in the file.
   * @param ops The filesystem's functions.
   * @param flags {@linkcode DIO_LOCKING}, {@linkcode DIO_SKIP_HOLES}.
   * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
   */
  blockdevDirectIO(
    rw: Rw,
    iocb: Kiocb,
    inode: Inode,
    iter: IovIter,
    offset: number,
    ops: DioOps,
    flags: number,
  ): MaybeTask<number> {
    if (!this.dioAligned(inode, iter, offset)) return -EINVAL;
    if (rw === READ && iter.count === 0) return 0;
    const dio = this.dioCache.alloc();
    if (dio === null) return -ENOMEM;
    dio.rw = rw;
    dio.flags = flags;
    dio.iocb = use(iocb);
    dio.inode = inode;
    dio.iter = iter;
    dio.ops = ops;
    dio.sdio.reset(offset, iter.count);
    return this.dioRun(dio);
  }

  /**
   * The life of a request up to the point where its submitter lets go of it:
   * entry, mapping, and what is decided after it. Each of them is a task only
   * when it has to wait.
   *
   * @param dio The request, not yet counted.
   * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
   */
  dioRun(dio: Dio): MaybeTask<number> {
    const entered = this.dioEnter(dio);
    if (typeof entered !== "number") return this.#dioRunLater(dio, entered);
    if (entered !== 0) return entered;
    const mapped = this.dioMap(dio);
    return typeof mapped === "number"
      ? this.dioLeave(dio, mapped)
      : this.#dioMapLater(dio, mapped);
  }

  *#dioRunLater(dio: Dio, entering: Task<number>): Task<number> {
    const entered = yield* entering;
    if (entered !== 0) return entered;
    return yield* this.#dioMapLater(dio, this.dioMap(dio));
  }

  *#dioMapLater(dio: Dio, mapping: MaybeTask<number>): Task<number> {
    const mapped = yield* finish(mapping);
    return yield* finish(this.dioLeave(dio, mapped));
  }

  /**
   * The entry: the lock where the core takes it, the sample of the file's
   * size, deferral, and the count that keeps truncate out.
   *
   * @param dio The request.
   * @returns 0, or a negative errno when it has been freed.
   */
  dioEnter(dio: Dio): MaybeTask<number> {
    if (this.kernel.stepping || this.dioLocksForRead(dio)) {
      return this.#dioEnterWaiting(dio);
    }
    const begun = this.dioBegin(dio);
    return typeof begun === "number"
      ? this.dioCount(dio, begun)
      : this.#dioBeginLater(dio, begun);
  }

  *#dioEnterWaiting(dio: Dio): Task<number> {
    const { kernel } = this;
    const { inode } = dio;
    if (this.dioLocksForRead(dio)) yield* inode.iMutex.lock(kernel);
    if (kernel.stepping) yield inode.sizeStep;
    return yield* this.#dioBeginLater(dio, this.dioBegin(dio));
  }

  *#dioBeginLater(dio: Dio, beginning: MaybeTask<number>): Task<number> {
    const begun = yield* finish(beginning);
    if (begun === 0 && this.kernel.stepping) yield dio.inode.dioCountStep;
    return this.dioCount(dio, begun);
  }

  /**
   * Whether the core takes `i_mutex`, until everything is submitted.
   *
   * @param dio The request.
   * @returns True for a read of a filesystem with the usual locking.
   */
  dioLocksForRead(dio: Dio): boolean {
    return dio.rw === READ && (dio.flags & DIO_LOCKING) !== 0;
  }

  /**
   * Samples the file's size, and prepares the deferral of an asynchronous
   * write.
   *
   * @param dio The request.
   * @returns 0 or `-ENOMEM`.
   */
  dioBegin(dio: Dio): MaybeTask<number> {
    this.dioInit(dio);
    return dio.isAsync && dio.rw === WRITE && this.dioMayDefer(dio)
      ? this.dioPrepareDeferral(dio)
      : 0;
  }

  /**
   * Counts a request on its inode.
   *
   * @param dio The request; freed if it cannot go on.
   * @param begun 0 or the error of {@linkcode dioBegin}.
   * @returns The same.
   */
  dioCount(dio: Dio, begun: number): number {
    if (begun === 0) dio.inode.dioCountUp(dio.id);
    else this.dioFree(dio);
    return begun;
  }

  /**
   * After the mapping: sends the last bio, lets go of the lock, and drops the
   * submitter's reference, at once or after all bios have ended.
   *
   * @param dio The request.
   * @param mapped What stopped the mapping, or 0.
   * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
   */
  dioLeave(dio: Dio, mapped: number): MaybeTask<number> {
    const last = dio.sdio.bio === null ? null : this.dioBioSubmit(dio);
    if (last !== null) return this.#dioLeaveLater(dio, mapped, last);
    const ret = this.dioUnlocked(dio, mapped);
    return ret !== -EIOCBQUEUED || dio.bioLock.mustWait(this.kernel)
      ? this.#dioDropLater(dio, ret)
      : this.dioDrop(dio, ret);
  }

  *#dioLeaveLater(
    dio: Dio,
    mapped: number,
    last: Task<unknown>,
  ): Task<number> {
    yield* last;
    return yield* this.#dioDropLater(dio, this.dioUnlocked(dio, mapped));
  }

  *#dioDropLater(dio: Dio, ret: number): Task<number> {
    const { kernel } = this;
    const { bioLock: lock } = dio;
    if (ret !== -EIOCBQUEUED) yield* this.dioAwaitCompletion(dio);
    if (lock.mustWait(kernel)) yield lock.request(kernel);
    return yield* finish(this.dioDrop(dio, ret));
  }

  /**
   * Lets go of the lock that the core took for a read.
   *
   * @param dio The request.
   * @param mapped What stopped the mapping, or 0.
   * @returns What the submission comes to.
   */
  dioUnlocked(dio: Dio, mapped: number): number {
    if (this.dioLocksForRead(dio)) dio.inode.iMutex.unlock(this.kernel);
    return this.dioSubmitted(dio, mapped);
  }

  /**
   * Drops the submitter's reference, and completes the request with the last
   * one.
   *
   * @param dio The request; not to be touched any more while bios hold it.
   * @param ret What the submission came to.
   * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
   */
  dioDrop(dio: Dio, ret: number): MaybeTask<number> {
    const { id, sdio: { begin } } = dio;
    if (this.dioDropRef(dio) === 0) {
      return this.dioComplete(dio, begin, ret, false);
    }
    if (ret === -EIOCBQUEUED) return ret;
    throw new KernelBug(
      "completion-after-last-bio/submitter",
      `dio ${id}`,
      `the submitter of dio ${id} waited for its bios, yet some hold references`,
    );
  }

  /**
   * What a submission comes to: an asynchronous request that was submitted
   * whole is left to its bios; every other one is waited for. A write that met
   * a hole counts what it did; the rest is the caller's. A read that stops at the
   * end of the file is whole.
   *
   * @param dio The request.
   * @param ret What stopped the mapping, or 0.
   * @returns 0, a negative errno, or `-EIOCBQUEUED`.
   */
  dioSubmitted(dio: Dio, ret: number): number {
    const error = ret === -ENOTBLK || ret === END_OF_FILE ? 0 : ret;
    const { begin, end } = dio.sdio;
    const queued = dio.isAsync && error === 0 && dio.result > 0 &&
      (dio.rw === READ || dio.result === end - begin);
    return queued ? -EIOCBQUEUED : error;
  }

  /**
   * Whether offset, addresses and lengths fit the filesystem's blocks, or at
   * least the device's.
   *
   * @param inode The file.
   * @param iter The user's buffer.
   * @param offset First byte in the file.
   * @returns False for `-EINVAL`.
   */
  dioAligned(inode: Inode, iter: IovIter, offset: number): boolean {
    const mask = inode.iSb.sBdev.logicalBlockSize - 1;
    if ((offset & mask) !== 0) return false;
    const { iov } = iter;
    for (let i = 0; i < iov.length; i++) {
      const piece = iov[i];
      if (piece !== undefined && ((piece.base | piece.len) & mask) !== 0) {
        return false;
      }
    }
    return true;
  }

  /**
   * Samples the file's size, and fixes with it whether the request is
   * asynchronous: an extending write never is, whatever the caller asked.
   *
   * @param dio The request.
   */
  dioInit(dio: Dio): void {
    const { kernel } = this;
    const { inode, iocb, ops } = dio;
    dio.iSize = inode.iSize;
    dio.isAsync = !iocb.isSync &&
      !(dio.rw === WRITE && dio.sdio.end > dio.iSize);
    dio.private = null;
    dio.mapBh.bPrivate = null;
    dio.pageErrors = 0;
    dio.ioError = 0;
    dio.deferCompletion = false;
    dio.refcount = 1;
    dio.bioList = null;
    dio.waiter = null;
    dio.overlay = "pages";
    dio.result = 0;
    if (!kernel.tracing) return;
    kernel.emit(
      EV.dio_alloc,
      dio.id,
      iocb.id,
      inode.iIno,
      dio.rw,
      kernel.trace.str(ops.endIo ? ops.endIoName ?? "end_io" : ""),
      Number(dio.isAsync),
      dio.iSize,
    );
  }
}

/**
 * `blockdev_direct_IO()`: direct I/O for a filesystem with the usual locking.
 * What a filesystem's `directIO` calls.
 *
 * @param rw Direction.
 * @param iocb The request.
 * @param inode The file.
 * @param iter The user's buffer.
 * @param offset First byte in the file.
 * @param ops The filesystem's functions.
 * @param flags {@linkcode DIO_LOCKING}, {@linkcode DIO_SKIP_HOLES}; 0 for a
 * filesystem that locks by itself.
 * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
 *
 * @example A filesystem whose file is the device
 * ```ts
 * import {
 *   blockdevDirectIO,
 *   type BufferHead,
 *   type Filesystem,
 *   type Inode,
 * } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const fs: Filesystem & { getBlock: (i: Inode, b: number, bh: BufferHead) => number } = {
 *   name: "identity",
 *   getBlock: (_inode, iblock, bh) => {
 *     bh.map(iblock, bh.bSize);
 *     return 0;
 *   },
 *   directIO: (rw, iocb, iter, offset) =>
 *     blockdevDirectIO(rw, iocb, iocb.kiFilp.fInode, iter, offset, fs),
 * };
 * assertEquals(fs.name, "identity");
 * ```
 */
export function blockdevDirectIO(
  rw: Rw,
  iocb: Kiocb,
  inode: Inode,
  iter: IovIter,
  offset: number,
  ops: DioOps,
  flags: number = DIO_LOCKING | DIO_SKIP_HOLES,
): MaybeTask<number> {
  const { directIo } = inode.iSb.kernel;
  return directIo.blockdevDirectIO(rw, iocb, inode, iter, offset, ops, flags);
}

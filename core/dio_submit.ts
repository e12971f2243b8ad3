/**
 * The submission side of direct I/O: from the filesystem's `directIO` to the
 * point where the submitter gives up its reference.
 *
 * Source: fs/direct-io.c.
 *
 * @module
 */

import type { Kiocb } from "./aio.ts";
import { READ, type Rw } from "./bio.ts";
import { KernelBug } from "./bug.ts";
import { type Dio, DioSubmit } from "./dio.ts";
import { DioEntry } from "./dio_entry.ts";
import { DIO_LOCKING, DIO_SKIP_HOLES } from "./dio_flags.ts";
import { END_OF_FILE } from "./dio_map.ts";
import { EINVAL, EIOCBQUEUED, ENOMEM, ENOTBLK } from "./errno.ts";
import type { DioOps } from "./filesystem.ts";
import type { Inode } from "./fs.ts";
import type { IovIter } from "./iov_iter.ts";
import { notLast } from "./references.ts";
import { use } from "./slab.ts";
import { finish, type MaybeTask, type Task } from "./step.ts";

/**
 * fs/direct-io.c: submission, and by inheritance completion.
 *
 * @example
 * ```ts
 * import { runScenario, scenarioById } from "@endio/dio/conformance";
 * import { type Dio, DirectIo } from "@endio/dio/core";
 * import { MODELS } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const seen: number[] = [];
 * class Watched extends DirectIo {
 *   override dioSubmitted(dio: Dio, error: number) {
 *     seen.push(error);
 *     return super.dioSubmitted(dio, error);
 *   }
 * }
 * runScenario(MODELS[0]!, scenarioById("aio-write"), {
 *   directIo: (kernel) => new Watched(kernel),
 * });
 * assertEquals(seen, [0, 0]);
 * ```
 */
export class DirectIo extends DioEntry {
  /** Stacks of submitters that are done. */
  readonly #stacks: DioSubmit[] = [];

  /**
   * `do_blockdev_direct_IO()`: what passes the entry checks is mapped and
   * submitted, and either its last bio completes it or the submitter waits and
   * does.
   *
   * @param rw Direction.
   * @param iocb The request.
   * @param inode The file.
   * @param iter The user's buffer.
   * @param offset First byte in the file.
   * @param ops The filesystem's functions.
   * @param flags {@linkcode DIO_LOCKING} and the like; those that the profile
   * does not know are ignored.
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
    const { entry } = this.kernel.profile;
    // The one time that it is read: it may change while the request is mapped.
    const { iBlkbits } = inode;
    const blkbits = entry.size === "first"
      ? iBlkbits
      : this.dioBlkbits(inode, iBlkbits, iter, offset);
    if (blkbits < 0) return -EINVAL;
    if (rw === READ && iter.count === 0) return 0;
    const dio = this.dioCache.alloc();
    if (dio === null) return -ENOMEM;
    dio.rw = rw;
    dio.flags = flags & entry.flags;
    dio.iocb = use(iocb);
    dio.inode = inode;
    dio.iter = iter;
    dio.ops = ops;
    const sdio = this.#stacks.pop() ?? new DioSubmit();
    sdio.reset(offset, iter.count);
    sdio.iBlkbits = iBlkbits;
    sdio.blkbits = blkbits;
    dio.sdio = sdio;
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
    if (entered !== 0) return this.#dioRefused(dio, entered);
    const mapped = this.dioMap(dio);
    return typeof mapped === "number"
      ? this.dioLeave(dio, mapped)
      : this.#dioMapLater(dio, mapped);
  }

  *#dioRunLater(dio: Dio, entering: Task<number>): Task<number> {
    const entered = yield* entering;
    if (entered !== 0) return this.#dioRefused(dio, entered);
    return yield* this.#dioMapLater(dio, this.dioMap(dio));
  }

  /** What a request comes to that was not let in: nothing, or an error. */
  #dioRefused({ sdio }: Dio, entered: number): number {
    this.#stacks.push(sdio);
    return Math.min(entered, 0);
  }

  *#dioMapLater(dio: Dio, mapping: MaybeTask<number>): Task<number> {
    const mapped = yield* finish(mapping);
    return yield* finish(this.dioLeave(dio, mapped));
  }

  /**
   * After the mapping: sends what is left, lets go of the lock, and drops the
   * submitter's reference, at once or after all bios have ended.
   *
   * @param dio The request.
   * @param mapped What stopped the mapping, or 0.
   * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
   */
  dioLeave(dio: Dio, mapped: number): MaybeTask<number> {
    // A write that met a hole counts what it did; the rest is the caller's. A
    // read that stops at the end of the file is whole.
    const error = mapped === -ENOTBLK || mapped === END_OF_FILE ? 0 : mapped;
    const sent = this.dioFlush(dio, error);
    if (typeof sent !== "number") return this.#dioLeaveLater(dio, sent);
    const ret = this.dioUnlocked(dio, sent);
    return ret !== -EIOCBQUEUED || dio.bioLock.mustWait(this.kernel)
      ? this.#dioDropLater(dio, ret)
      : this.dioDrop(dio, ret);
  }

  *#dioLeaveLater(dio: Dio, sending: Task<number>): Task<number> {
    const sent = yield* sending;
    return yield* this.#dioDropLater(dio, this.dioUnlocked(dio, sent));
  }

  *#dioDropLater(dio: Dio, ret: number): Task<number> {
    const { kernel } = this;
    const { bioLock: lock } = dio;
    if (ret !== -EIOCBQUEUED) yield* this.dioAwaitCompletion(dio);
    if (lock.mustWait(kernel)) yield lock.request(kernel);
    return yield* finish(this.dioDrop(dio, ret));
  }

  /**
   * Sends what the mapping has left behind: zeros for the rest of a new block,
   * the deferred section, the bio under construction.
   *
   * @param dio The request.
   * @param error What stopped the mapping, or 0.
   * @returns The same; or else the error of an earlier bio.
   */
  dioFlush(dio: Dio, error: number): MaybeTask<number> {
    const { sdio } = dio;
    if (sdio.iBlkbits !== sdio.blkbits) return this.#dioFlushLater(dio, error);
    const sent = sdio.curPage === null ? 0 : this.dioSendLast(dio);
    if (typeof sent !== "number") return this.#dioSendLater(dio, error, sent);
    const inline = sdio.bio === null ? null : this.dioBioSubmit(dio);
    return inline === null
      ? error || sent
      : this.#dioEndInline(error || sent, inline);
  }

  *#dioFlushLater(dio: Dio, error: number): Task<number> {
    yield* finish(this.dioZeroBlock(dio, true));
    const sending = dio.sdio.curPage === null ? 0 : this.dioSendLast(dio);
    return yield* this.#dioSendLater(dio, error, finish(sending));
  }

  *#dioSendLater(
    dio: Dio,
    error: number,
    sending: Task<number>,
  ): Task<number> {
    const sent = yield* sending;
    const inline = dio.sdio.bio === null ? null : this.dioBioSubmit(dio);
    if (inline !== null) yield* inline;
    return error || sent;
  }

  *#dioEndInline(error: number, inline: Task<unknown>): Task<number> {
    yield* inline;
    return error;
  }

  /**
   * Lets go of pages that were pinned for nothing, and of the lock that the
   * core took for a read: every mapping is done.
   *
   * @param dio The request.
   * @param error What went wrong with the submission, or 0.
   * @returns What the submission comes to.
   */
  dioUnlocked(dio: Dio, error: number): number {
    const { sdio, rw } = dio;
    if (sdio.head < sdio.tail) this.dioCleanup(dio);
    if (rw === READ && this.dioLocksForRead(dio)) {
      dio.inode.iMutex.unlock(this.kernel);
    }
    return this.dioSubmitted(dio, error);
  }

  /**
   * What a submission comes to: an asynchronous request that was submitted
   * whole is left to its bios; every other one is waited for.
   *
   * @param dio The request.
   * @param error What went wrong, or 0.
   * @returns 0, a negative errno, or `-EIOCBQUEUED`.
   */
  dioSubmitted(dio: Dio, error: number): number {
    const { begin, end } = dio.sdio;
    const queued = dio.isAsync && error === 0 && dio.result > 0 &&
      (dio.rw === READ || dio.result === end - begin);
    return queued ? -EIOCBQUEUED : error;
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
    const { id, sdio } = dio;
    const { begin } = sdio;
    this.#stacks.push(sdio);
    const remaining = this.dioDropRef(dio);
    if (remaining === 0) {
      dio.mayInvalidate = true;
      return this.dioComplete(dio, begin, ret, false);
    }
    if (ret === -EIOCBQUEUED) {
      if (this.kernel.stepping) notLast(this.kernel, remaining);
      return ret;
    }
    throw new KernelBug(
      "completion-after-last-bio/submitter",
      `dio ${id}`,
      `the submitter of dio ${id} waited for its bios, yet some hold references`,
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

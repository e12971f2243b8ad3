/**
 * The entry of a direct I/O: what is checked before anything is mapped, and
 * in which order.
 *
 * Source: fs/direct-io.c.
 *
 * @module
 */

import { READ, REQ_IDLE, REQ_NOWAIT, REQ_SYNC, WRITE } from "./bio.ts";
import type { Dio } from "./dio.ts";
import {
  DIO_ASYNC_EXTEND,
  DIO_LOCKING,
  DIO_SKIP_DIO_COUNT,
} from "./dio_flags.ts";
import { DioMapping, END_OF_FILE } from "./dio_map.ts";
import { EINVAL } from "./errno.ts";
import { EV } from "./events.ts";
import type { Inode } from "./fs.ts";
import type { IovIter } from "./iov_iter.ts";
import { filemapWriteAndWaitRange } from "./page_cache.ts";
import { IOCB_NOWAIT } from "./iocb_flags.ts";
import { finish, type MaybeTask, type Task } from "./step.ts";

/** More pages than any buffer has. */
const MAX_PAGES = 1 << 30;
/** Binary logarithm of the largest block. */
const MAX_BLKBITS = 16;

/**
 * The part of fs/direct-io.c that lets requests in.
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
 *   override dioSampleSize(dio: Dio) {
 *     super.dioSampleSize(dio);
 *     seen.push(dio.iSize);
 *   }
 * }
 * runScenario(MODELS[0]!, scenarioById("aio-read"), {
 *   directIo: (kernel) => new Watched(kernel),
 * });
 * assertEquals(seen, [4396]);
 * ```
 */
export class DioEntry extends DioMapping {
  /**
   * The entry: the lock where the core takes it, what is cached, the file's
   * size, deferral, and the count that keeps truncate out.
   *
   * @param dio The request.
   * @returns 0; or, when it has been freed, {@linkcode END_OF_FILE} for a read
   * of nothing, or a negative errno.
   */
  dioEnter(dio: Dio): MaybeTask<number> {
    const { kernel } = this;
    if (kernel.stepping || (dio.rw === READ && this.dioLocksForRead(dio))) {
      return this.#dioEnterWaiting(dio);
    }
    dio.iSize = dio.inode.iSize;
    if (kernel.profile.entry.size !== "by-caller") {
      const checked = this.dioCheckSize(dio);
      if (checked !== 0) return this.dioRefuse(dio, checked);
    }
    this.dioInit(dio);
    if (dio.isAsync && dio.rw === WRITE && this.dioMayDefer(dio)) {
      return this.#dioBeginLater(dio, this.dioPrepareDeferral(dio));
    }
    return this.dioCount(dio, 0);
  }

  *#dioEnterWaiting(dio: Dio): Task<number> {
    const { kernel } = this;
    const { inode, sdio: { begin, end } } = dio;
    const locks = this.dioLocksForRead(dio);
    const sizeFirst = kernel.profile.entry.size === "first";
    if (locks) yield* inode.iMutex.lock(kernel);
    let checked = 0;
    if (sizeFirst) {
      if (kernel.stepping) yield inode.sizeStep;
      checked = this.dioCheckSize(dio);
    }
    if (locks && checked === 0) {
      checked = yield* finish(filemapWriteAndWaitRange(inode, begin, end - 1));
    }
    if (!sizeFirst && checked === 0) {
      if (kernel.stepping) yield inode.sizeStep;
      checked = this.dioCheckSize(dio);
    }
    if (checked === 0) {
      return yield* this.#dioBeginLater(dio, this.dioBegin(dio));
    }
    if (locks) inode.iMutex.unlock(kernel);
    return this.dioRefuse(dio, checked);
  }

  *#dioBeginLater(dio: Dio, beginning: MaybeTask<number>): Task<number> {
    const { kernel } = this;
    const { inode } = dio;
    const begun = yield* finish(beginning);
    if (begun === 0 && kernel.stepping) yield inode.dioCountStep;
    const counted = this.dioCount(dio, begun);
    if (counted === 0 && dio.rw === READ) {
      // The read is cut to what the file holds now, not when it came in.
      if (kernel.stepping) yield inode.sizeStep;
      this.dioSampleSize(dio);
    }
    return counted;
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
   * Samples the file's size, and with it checks what a profile checks only
   * then.
   *
   * @param dio The request.
   * @returns 0, {@linkcode END_OF_FILE} for a read at the end or behind it, or
   * `-EINVAL`.
   */
  dioCheckSize(dio: Dio): number {
    const { inode, iter, sdio } = dio;
    const { size } = this.kernel.profile.entry;
    dio.iSize = inode.iSize;
    if (size === "by-caller") return 0;
    if (dio.rw === READ && sdio.begin >= dio.iSize) return END_OF_FILE;
    if (size === "first") {
      sdio.blkbits = this.dioBlkbits(inode, sdio.iBlkbits, iter, sdio.begin);
    }
    return Math.min(sdio.blkbits, 0);
  }

  /**
   * Samples the file's size again, where a profile does.
   *
   * @param dio The request, a read.
   */
  dioSampleSize(dio: Dio): void {
    const { kernel } = this;
    const { inode: { iSize } } = dio;
    if (kernel.profile.entry.size !== "by-caller" || dio.iSize === iSize) {
      return;
    }
    dio.iSize = iSize;
    if (kernel.tracing) kernel.emit(EV.dio_i_size, dio.id, iSize);
  }

  /**
   * Frees a request that is not let in, and that no trace has heard of.
   *
   * @param dio The request.
   * @param reason Why.
   * @returns The same.
   */
  dioRefuse(dio: Dio, reason: number): number {
    this.dioCache.free(dio);
    return reason;
  }

  /**
   * Which blocks a request is made of: the filesystem's; or the device's, when
   * offset, addresses and lengths do not fit those.
   *
   * @param inode The file.
   * @param iBlkbits Binary logarithm of the filesystem's block size.
   * @param iter The user's buffer.
   * @param offset First byte in the file.
   * @returns The binary logarithm of their size, or `-EINVAL` when they do not
   * fit the device's either.
   */
  dioBlkbits(
    inode: Inode,
    iBlkbits: number,
    iter: IovIter,
    offset: number,
  ): number {
    const { sBdev, kernel } = inode.iSb;
    // A piece without bytes has an address all the same.
    const empty = kernel.profile.segmentAtATime;
    let align = offset & ((1 << MAX_BLKBITS) - 1);
    for (let i = 0; i < iter.iov.length; i++) {
      const piece = iter.iov[i];
      if (piece !== undefined && (empty || piece.len > 0)) {
        align |= piece.base | piece.len;
      }
    }
    if ((align & ((1 << iBlkbits) - 1)) === 0) return iBlkbits;
    const { logicalBlockSize } = sBdev;
    return (align & (logicalBlockSize - 1)) === 0
      ? 31 - Math.clz32(logicalBlockSize)
      : -EINVAL;
  }

  /**
   * Fixes whether the request is asynchronous, and prepares the deferral of an
   * asynchronous write.
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
    if (begun !== 0) this.dioFree(dio);
    else if ((dio.flags & DIO_SKIP_DIO_COUNT) === 0) {
      dio.inode.dioCountUp(dio.id);
    }
    return begun;
  }

  /**
   * Fixes whether a request is asynchronous: an extending write is not,
   * whatever the caller asked, unless the filesystem can cope with it.
   *
   * @param dio The request, the size of its file sampled.
   */
  dioInit(dio: Dio): void {
    const { kernel } = this;
    const { iocb, iter, sdio } = dio;
    const isWrite = dio.rw === WRITE;
    const extends_ = isWrite && sdio.end > dio.iSize &&
      (dio.flags & DIO_ASYNC_EXTEND) === 0;
    dio.isAsync = !iocb.isSync && !extends_;
    dio.shouldDirty = !isWrite && iter.userBacked;
    dio.opf = isWrite ? REQ_SYNC | REQ_IDLE : 0;
    if (isWrite && (iocb.kiFlags & IOCB_NOWAIT) !== 0) dio.opf |= REQ_NOWAIT;
    dio.private = null;
    dio.pageErrors = 0;
    dio.ioError = 0;
    dio.deferCompletion = false;
    dio.refcount = 1;
    dio.bioList = null;
    dio.waiter = null;
    dio.overlay = "pages";
    dio.mayInvalidate = false;
    dio.result = 0;
    // Of the first and the last block a part may have to be zeroed.
    sdio.pagesInIo = iter.npages(MAX_PAGES) +
      (sdio.blkbits === sdio.iBlkbits ? 0 : 2);
    sdio.segmentEnd = iter.count > 0 && kernel.profile.segmentAtATime
      ? Math.min(sdio.begin + iter.contiguous, sdio.end)
      : sdio.end;
    if (kernel.tracing) this.#traceAlloc(dio);
  }

  #traceAlloc(dio: Dio): void {
    const { kernel } = this;
    const { iocb, inode, ops } = dio;
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

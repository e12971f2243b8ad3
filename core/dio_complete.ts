/**
 * The completion of a direct I/O: everything that happens to a dio from the
 * end of its first bio to its free.
 *
 * Whoever drops the last reference completes the request, in the context it is
 * in, or through the superblock's workqueue when the filesystem has to sleep.
 * Completion has one order: `end_io`, the drop of `i_dio_count`, the
 * write-sync, the AIO callback, the free.
 *
 * Every step of it is a method of its own, so that a variant can differ in
 * one of them.
 *
 * Source: fs/direct-io.c.
 *
 * @module
 */

import {
  type Bio,
  bioReleasePages,
  bioSetPagesDirty,
  READ,
  REQ_NOWAIT,
} from "./bio.ts";
import { Dio } from "./dio.ts";
import { DioReport } from "./dio_report.ts";
import { EAGAIN, EFAULT, EIO, EIOCBQUEUED } from "./errno.ts";
import { EV } from "./events.ts";
import { inodeDioDone } from "./inode_dio.ts";
import type { Kernel } from "./kernel.ts";
import { SpinLock } from "./lock.ts";
import { KmemCache, use } from "./slab.ts";
import {
  finish,
  type MaybeTask,
  NOTHING,
  readStep,
  type Task,
  writeStep,
} from "./step.ts";

/** Part of a dio that is shared on its own: `io_error`. */
const ADDR_IO_ERROR = 1;
const ADDRS = 2;

/** A part of the completion of a request. */
export type CompletionStage =
  | "result"
  | "end_io"
  | "inode_dio_done"
  | "aio_complete"
  | "free";

/** The one order of completion. */
const COMPLETION_ORDER: readonly CompletionStage[] = [
  "result",
  "end_io",
  "inode_dio_done",
  "aio_complete",
  "free",
];

/**
 * The completion side of fs/direct-io.c.
 *
 * @example A variant with a mistake
 * ```ts
 * import { type Dio, DirectIo, Kernel } from "@endio/dio/core";
 *
 * class LeakingDirectIo extends DirectIo {
 *   override dioFree(_dio: Dio): void {}
 * }
 * const kernel = new Kernel({ directIo: (k) => new LeakingDirectIo(k) });
 * kernel.run();
 * ```
 */
export class DioCompletion extends DioReport {
  /** Where dios come from. */
  readonly dioCache: KmemCache<Dio>;

  /**
   * Makes the cache of a kernel.
   *
   * @param kernel The kernel.
   */
  constructor(kernel: Kernel) {
    super(kernel);
    this.dioCache = new KmemCache(kernel, "dio", () => {
      const dio = new Dio();
      dio.bioLock = new SpinLock(kernel, "bio_lock");
      return dio;
    }, ADDRS);
  }

  /**
   * `dio_bio_end_aio()`: the end of a bio of an asynchronous request.
   *
   * @param bio The bio.
   * @returns What is left to be run in this context.
   */
  dioBioEndAio(bio: Bio): Task<unknown> {
    const { kernel } = this;
    const dio = use(bio.biPrivate as Dio);
    if (kernel.tracing) kernel.emit(EV.dio_bio_end_aio, dio.id, bio.id);
    if (bio.biError !== 0 || dio.bioLock.mustWait(kernel)) {
      return this.#dioBioEndAioWaiting(dio, bio);
    }
    this.dioBioRelease(dio, bio);
    return this.dioBioEnded(dio, this.dioDropRef(dio)) ?? NOTHING;
  }

  *#dioBioEndAioWaiting(dio: Dio, bio: Bio): Task<void> {
    const { kernel } = this;
    const lock = dio.bioLock;
    if (bio.biError !== 0) yield* this.dioNoteError(dio, bio);
    this.dioBioRelease(dio, bio);
    if (lock.mustWait(kernel)) yield lock.request(kernel);
    const rest = this.dioBioEnded(dio, this.dioDropRef(dio));
    if (rest !== null) yield* rest;
  }

  /**
   * A bio has dropped its reference. The last one completes the request here,
   * or in the workqueue if the filesystem has to sleep.
   *
   * @param dio The request; not to be touched while references are left.
   * @param remaining The references that are left.
   * @returns What is left to be run in this context, or null.
   */
  dioBioEnded(dio: Dio, remaining: number): Task<unknown> | null {
    if (remaining > 0) return null;
    if (use(dio).result > 0 && this.dioMustDefer(dio)) {
      return this.dioQueueCompletion(dio);
    }
    const done = this.dioComplete(dio, dio.iocb.kiPos, 0, true);
    return typeof done === "number" ? null : done;
  }

  /**
   * `dio_bio_end_io()`: the end of a bio of a request that is waited for. The
   * submitter processes it.
   *
   * @param bio The bio.
   */
  *dioBioEndIo(bio: Bio): Task<void> {
    const { kernel } = this;
    const dio = use(bio.biPrivate as Dio);
    const lock = dio.bioLock;
    if (kernel.tracing) kernel.emit(EV.dio_bio_end_io, dio.id, bio.id);
    if (lock.mustWait(kernel)) yield lock.request(kernel);
    bio.biNext = use(dio).bioList;
    dio.bioList = bio;
    this.dioDropRef(dio);
  }

  /**
   * Drops one reference and tells how many are left; wakes the submitter when
   * only its own is left. It is one critical section: a waiter can neither
   * miss the wake-up nor free the dio under the one who wakes it. The caller
   * has asked for the lock.
   *
   * @param dio The request.
   * @returns The references that are left. If none, the caller owns the
   * completion; else it must not touch the dio any more.
   */
  dioDropRef(dio: Dio): number {
    const { kernel } = this;
    const lock = dio.bioLock;
    lock.take(kernel, true);
    const remaining = --use(dio).refcount;
    if (remaining === 1 && dio.waiter !== null) {
      kernel.wakeUpProcess(dio.waiter);
    }
    lock.unlock(kernel);
    return remaining;
  }

  /**
   * `dio_aio_complete_work()`: the deferred completion.
   *
   * @param dio The request.
   */
  override *dioAioCompleteWork(dio: Dio): Task<void> {
    yield* finish(this.dioComplete(dio, use(dio).iocb.kiPos, 0, true));
  }

  /**
   * `dio_complete()`: all transfers have ended and nobody else refers to the
   * dio. Works out the result, runs the steps of completion in their order,
   * and frees the dio.
   *
   * @param dio The request.
   * @param offset First byte in the file.
   * @param ret What the submission came to: 0, a negative errno, or
   * `-EIOCBQUEUED`, which is no error.
   * @param isAsync Whether the result goes to the AIO callback and not to the
   * submitter.
   * @returns The result.
   */
  dioComplete(
    dio: Dio,
    offset: number,
    ret: number,
    isAsync: boolean,
  ): MaybeTask<number> {
    use(dio).offset = offset;
    dio.submitted = ret;
    dio.reported = isAsync;
    const order = this.completionOrder(dio);
    for (let i = 0; i < order.length; i++) {
      const { value } = dio;
      const rest = this.dioStage(dio, order[i]);
      if (rest !== null) return this.#dioCompleteLater(dio, order, i, rest);
      if (i === order.length - 1) return value;
    }
    return 0;
  }

  /** The completion from a stage on that takes its time. */
  *#dioCompleteLater(
    dio: Dio,
    order: readonly CompletionStage[],
    stage: number,
    rest: Task<void>,
  ): Task<number> {
    yield* rest;
    let { value } = dio;
    for (let i = stage + 1; i < order.length; i++) {
      ({ value } = dio);
      const task = this.dioStage(dio, order[i]);
      if (task !== null) yield* task;
    }
    return value;
  }

  /**
   * The stages of a completion, in order.
   *
   * @param _dio The request.
   * @returns Result, `end_io`, the drop of the count, the report, the free.
   */
  completionOrder(_dio: Dio): readonly CompletionStage[] {
    return COMPLETION_ORDER;
  }

  /**
   * One stage of a completion.
   *
   * @param dio The request.
   * @param stage The stage.
   * @returns What is left of it to be run in this context, or null.
   */
  dioStage(dio: Dio, stage: CompletionStage | undefined): Task<void> | null {
    const { kernel } = this;
    switch (stage) {
      case "result":
        if (kernel.stepping) return this.#dioResultStepping(dio);
        this.dioResult(dio);
        return null;
      case "end_io":
        return this.dioHasEndIo(dio) ? this.dioEndIo(dio) : null;
      case "inode_dio_done":
        if (kernel.stepping) return inodeDioDone(dio.inode, dio.id);
        dio.inode.dioDone(dio.id);
        return null;
      case "aio_complete":
        return dio.reported ? this.dioReport(dio) : null;
      default:
        this.dioFree(dio);
        return null;
    }
  }

  *#dioResultStepping(dio: Dio): Task<void> {
    yield readStep(dio.addr + ADDR_IO_ERROR);
    this.dioResult(use(dio));
  }

  /**
   * Works out what a request comes to: the error of the submission, else that
   * of a page, else that of a bio, else the count; for a read no more than
   * the file held when it began.
   *
   * @param dio The request.
   */
  dioResult(dio: Dio): void {
    const { kernel } = this;
    const { result, offset, iSize, submitted } = dio;
    if (kernel.tracing) this.#trace(dio);
    dio.transferred = result > 0 && dio.rw === READ && offset + result > iSize
      ? iSize - offset
      : result;
    let value = submitted === -EIOCBQUEUED ? 0 : submitted;
    if (
      value === -EFAULT && dio.transferred > 0 &&
      kernel.profile.faultedReadCounts
    ) value = 0;
    if (value === 0) value = dio.pageErrors;
    if (value === 0) value = dio.ioError;
    dio.value = value === 0 ? dio.transferred : value;
  }

  /**
   * Whether the filesystem's `end_io` is to be called: since 4.6 always when
   * there is one, before that only if bytes were submitted.
   *
   * @param dio The request.
   * @returns True when it is.
   */
  dioHasEndIo(dio: Dio): boolean {
    return dio.ops.endIo !== undefined &&
      (this.kernel.profile.endIoAlways || dio.result > 0);
  }

  /**
   * Calls the filesystem's `end_io`. Where the profile lets it, an error of
   * the handler becomes the result.
   *
   * @param dio The request.
   */
  *dioEndIo(dio: Dio): Task<void> {
    const { kernel } = this;
    const { ops, iocb, id, offset } = dio;
    const always = kernel.profile.endIoAlways;
    const bytes = always ? dio.value : dio.transferred;
    const name = ops.endIoName ?? "end_io";
    if (kernel.tracing) {
      kernel.emit(
        EV.end_io,
        id,
        iocb.id,
        dio.inode.iIno,
        kernel.trace.str(name),
        offset,
        bytes,
      );
    }
    const returned = ops.endIo?.(iocb, offset, bytes, dio.private);
    const error = (typeof returned === "object" ? yield* returned : returned) ??
      0;
    if (kernel.tracing) {
      kernel.emit(EV.end_io_return, id, iocb.id, kernel.trace.str(name), error);
    }
    if (always && error !== 0) use(dio).value = error;
  }

  /**
   * Frees a dio.
   *
   * @param dio The request.
   */
  dioFree(dio: Dio): void {
    const { kernel } = this;
    if (kernel.tracing) kernel.emit(EV.dio_free, dio.id);
    this.dioCache.free(dio);
  }

  /**
   * Notes that a bio failed. Comes before its reference is dropped, so that
   * whoever completes the request sees it.
   *
   * @param dio The request.
   * @param bio The bio.
   */
  *dioNoteError(dio: Dio, bio: Bio): Task<void> {
    const { kernel } = this;
    if (kernel.stepping) yield writeStep(dio.addr + ADDR_IO_ERROR);
    const again = kernel.profile.nowaitAgain && bio.biError === -EAGAIN &&
      (bio.biOpf & REQ_NOWAIT) !== 0;
    use(dio).ioError = again ? -EAGAIN : -EIO;
    if (kernel.tracing) kernel.emit(EV.dio_io_error, dio.id, dio.ioError);
  }

  /**
   * The second half of `dio_bio_complete()`: gives back a bio and its pages.
   * Pages of a read are dirty now.
   *
   * @param dio The request.
   * @param bio The bio.
   */
  dioBioRelease(dio: Dio, bio: Bio): void {
    if (dio.rw === READ && !dio.isAsync) bioSetPagesDirty(bio);
    bioReleasePages(bio);
    this.kernel.bios.put(bio);
  }

  #trace(dio: Dio): void {
    this.kernel.emit(
      EV.dio_complete,
      dio.id,
      dio.iocb.id,
      dio.offset,
      dio.submitted,
      dio.result,
      Number(dio.reported),
      dio.pageErrors,
      dio.ioError,
    );
  }
}

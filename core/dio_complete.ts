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

import { READ, WRITE } from "./bio.ts";
import { Dio } from "./dio.ts";
import { DIO_SKIP_DIO_COUNT } from "./dio_flags.ts";
import { DioReport } from "./dio_report.ts";
import { EFAULT, EIOCBQUEUED } from "./errno.ts";
import { EV } from "./events.ts";
import { inodeDioDone } from "./inode_dio.ts";
import {
  dioWarnStalePagecache,
  invalidateInodePages2Range,
} from "./page_cache.ts";
import type { Kernel } from "./kernel.ts";
import { SpinLock } from "./lock.ts";
import { PAGE_SIZE } from "./page.ts";
import { KmemCache, use } from "./slab.ts";
import { finish, type MaybeTask, readStep, type Task } from "./step.ts";

/** Part of a dio that is shared on its own: `io_error`. */
export const DIO_ADDR_IO_ERROR = 1;
const ADDRS = 2;

/** A part of the completion of a request. */
export type CompletionStage =
  | "result"
  | "end_io"
  | "invalidate"
  | "inode_dio_done"
  | "aio_complete"
  | "free";

/** The one order of completion. */
const COMPLETION_ORDER: readonly CompletionStage[] = [
  "result",
  "end_io",
  "invalidate",
  "inode_dio_done",
  "aio_complete",
  "free",
];

/**
 * The completion side of fs/direct-io.c.
 *
 * @example A variant with a mistake
 * ```ts
 * import { runScenario, scenarioById } from "@endio/dio/conformance";
 * import { type Dio, DirectIo } from "@endio/dio/core";
 * import { MODELS } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * class LeakingDirectIo extends DirectIo {
 *   override dioFree(_dio: Dio): void {}
 * }
 * const { violations } = runScenario(MODELS[0]!, scenarioById("aio-write"), {
 *   directIo: (kernel) => new LeakingDirectIo(kernel),
 * });
 * const rules = violations.map(({ rule }) => rule);
 * assertEquals(rules.includes("released-once/no-leak"), true);
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
   * `dio_aio_complete_work()`: the deferred completion.
   *
   * @param dio The request.
   */
  override *dioAioCompleteWork(dio: Dio): Task<void> {
    use(dio).mayInvalidate = true;
    yield* finish(this.dioComplete(dio, dio.iocb.kiPos, 0, true));
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
   * @returns Result, `end_io`, what is cached, the drop of the count, the
   * report, the free.
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
    switch (stage) {
      case "result":
        if (this.kernel.stepping) return this.#dioResultStepping(dio);
        this.dioResult(dio);
        return null;
      case "end_io":
        return this.dioHasEndIo(dio) ? this.dioEndIo(dio) : null;
      case "invalidate":
        return dio.mayInvalidate ? this.dioInvalidate(dio) : null;
      case "inode_dio_done":
        return this.#dioUncount(dio);
      case "aio_complete":
        return dio.reported ? this.dioReport(dio) : null;
      default:
        this.dioFree(dio);
        return null;
    }
  }

  #dioUncount(dio: Dio): Task<void> | null {
    if ((dio.flags & DIO_SKIP_DIO_COUNT) !== 0) return null;
    if (this.kernel.stepping) return inodeDioDone(dio.inode, dio.id);
    dio.inode.dioDone(dio.id);
    return null;
  }

  *#dioResultStepping(dio: Dio): Task<void> {
    yield readStep(dio.addr + DIO_ADDR_IO_ERROR);
    this.dioResult(use(dio));
  }

  /**
   * Works out what a request comes to: the error of the submission, else that
   * of a page, else that of a bio, else the count; for a read no more than
   * the file held when it began, which may be nothing at all.
   *
   * @param dio The request.
   */
  dioResult(dio: Dio): void {
    const { result, offset, iSize, submitted } = dio;
    if (this.kernel.tracing) this.#trace(dio);
    dio.transferred = result > 0 && dio.rw === READ && offset + result > iSize
      ? Math.max(iSize - offset, 0)
      : result;
    const error = submitted === 0 || submitted === -EIOCBQUEUED
      ? 0
      : this.#submitError(dio);
    dio.value = error || dio.pageErrors || dio.ioError || dio.transferred;
  }

  #submitError({ submitted, transferred }: Dio): number {
    const isCount = submitted === -EFAULT && transferred > 0 &&
      this.kernel.profile.faultedReadCounts;
    return isCount ? 0 : submitted;
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
   * Drops the cached pages of what was written: a buffered read may have
   * brought them in while the write was under way. It comes after `end_io`,
   * or a reader could cache zeros of blocks that are still unwritten.
   *
   * @param dio The request.
   * @returns What is left of it to be run in this context, or null.
   */
  dioInvalidate(dio: Dio): Task<void> | null {
    const { kernel } = this;
    if (!kernel.profile.invalidateAfter) return null;
    if (dio.value <= 0 || dio.rw !== WRITE) return null;
    return kernel.stepping || dio.inode.nrpages > 0
      ? this.#invalidate(dio)
      : null;
  }

  *#invalidate({ inode, iocb, offset, value }: Dio): Task<void> {
    if (this.kernel.stepping) yield inode.iMapping.readStep;
    if (inode.nrpages === 0) return;
    const error = yield* invalidateInodePages2Range(
      inode,
      Math.floor(offset / PAGE_SIZE),
      Math.floor((offset + value - 1) / PAGE_SIZE),
    );
    if (error !== 0) dioWarnStalePagecache(iocb.kiFilp);
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

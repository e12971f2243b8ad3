/**
 * Deferral: how a completion gets into a context that may sleep, and the life
 * of the workqueue that it goes through.
 *
 * Source: fs/direct-io.c.
 *
 * @module
 */

import { WRITE } from "./bio.ts";
import { KernelBug } from "./bug.ts";
import type { Dio } from "./dio.ts";
import { ENOMEM } from "./errno.ts";
import { EV } from "./events.ts";
import type { SuperBlock } from "./fs.ts";
import type { Kernel } from "./kernel.ts";
import type { Task } from "./step.ts";
import { allocWorkqueue, WQ_MEM_RECLAIM } from "./workqueue.ts";

/**
 * The part of fs/direct-io.c that defers completions.
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
 *   override dioMustDefer(dio: Dio) {
 *     const must = super.dioMustDefer(dio);
 *     seen.push(Number(must));
 *     return must;
 *   }
 * }
 * runScenario(MODELS[0]!, scenarioById("aio-write-dsync"), {
 *   directIo: (kernel) => new Watched(kernel),
 * });
 * assertEquals(seen, [1]);
 * ```
 */
export abstract class DioDeferral {
  /** The kernel. */
  readonly kernel: Kernel;

  /**
   * Binds it to a kernel.
   *
   * @param kernel The kernel.
   */
  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  /**
   * `dio_aio_complete_work()`: the deferred completion.
   *
   * @param dio The request.
   */
  abstract dioAioCompleteWork(dio: Dio): Task<void>;

  /**
   * Leaves the completion to the superblock's workqueue.
   *
   * @param dio The request.
   */
  *dioQueueCompletion(dio: Dio): Task<void> {
    const { completeWork, inode, id } = dio;
    const wq = inode.iSb.sDioDoneWq;
    if (wq === null) {
      throw new KernelBug(
        "workqueue-life/exists-when-queued",
        `dio ${id}`,
        `dio ${id} is queued but s_dio_done_wq of ${inode.iSb.sId} is NULL`,
      );
    }
    dio.overlay = "work";
    completeWork.init(
      "dio_aio_complete_work",
      () => this.dioAioCompleteWork(dio),
    );
    completeWork.dioId = id;
    yield* wq.queueWork(completeWork);
  }

  /**
   * Whether the completion has to run in the workqueue.
   *
   * @param dio The request.
   * @returns True when the mapping or O_DSYNC asked for it, and (since 4.14)
   * when a write finds cached pages.
   */
  dioMustDefer(dio: Dio): boolean {
    return dio.deferCompletion ||
      (this.kernel.profile.invalidateAfter && dio.rw === WRITE &&
        dio.inode.nrpages > 0);
  }

  /**
   * `dio_set_defer_completion()`: the completion of this request has to run
   * in the workqueue, which is made if there is none.
   *
   * @param dio The request.
   * @returns 0 or `-ENOMEM`.
   */
  *dioSetDeferCompletion(dio: Dio): Task<number> {
    const { kernel } = this;
    if (dio.deferCompletion) return 0;
    const sb = dio.inode.iSb;
    dio.deferCompletion = true;
    if (kernel.tracing) {
      kernel.emit(
        EV.dio_set_defer_completion,
        dio.id,
        kernel.trace.str(sb.sId),
      );
    }
    if (kernel.stepping) yield sb.wqReadStep;
    return sb.sDioDoneWq === null ? yield* this.sbInitDioDoneWq(sb) : 0;
  }

  /**
   * `sb_init_dio_done_wq()`: makes the superblock's workqueue. Several
   * requests may do so at once; one compare-and-swap decides whose stays, and
   * the others destroy their own.
   *
   * @param sb The filesystem.
   * @returns 0 or `-ENOMEM`.
   */
  *sbInitDioDoneWq(sb: SuperBlock): Task<number> {
    const { kernel } = this;
    const wq = allocWorkqueue(kernel, `dio/${sb.sId}`, WQ_MEM_RECLAIM, 0);
    if (wq === null) return -ENOMEM;
    if (kernel.stepping) yield sb.wqWriteStep;
    if (sb.sDioDoneWq === null) sb.sDioDoneWq = wq;
    else yield* wq.destroy();
    return 0;
  }

  /**
   * Whether an asynchronous write has something to prepare for deferral.
   *
   * @param dio The request.
   * @returns True for O_DSYNC, and since 4.14 for every one.
   */
  dioMayDefer(dio: Dio): boolean {
    return dio.iocb.needsSync || this.kernel.profile.invalidateAfter;
  }

  /**
   * For an asynchronous write: asks for deferral where O_DSYNC does, or (since
   * 4.14) makes the workqueue at least.
   *
   * @param dio The request.
   * @returns 0 or `-ENOMEM`.
   */
  *dioPrepareDeferral(dio: Dio): Task<number> {
    if (dio.iocb.needsSync) return yield* this.dioSetDeferCompletion(dio);
    const sb = dio.inode.iSb;
    if (this.kernel.stepping) yield sb.wqReadStep;
    return sb.sDioDoneWq === null ? yield* this.sbInitDioDoneWq(sb) : 0;
  }
}

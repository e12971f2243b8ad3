/**
 * The report of a completion: write-sync where the file asks for it, then the
 * AIO callback.
 *
 * Source: fs/direct-io.c.
 *
 * @module
 */

import { WRITE } from "./bio.ts";
import type { Dio } from "./dio.ts";
import { DioDeferral } from "./dio_defer.ts";
import type { Task } from "./step.ts";
import { genericWriteSync } from "./sync.ts";

/**
 * The part of fs/direct-io.c that reports.
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
 *   override dioReport(dio: Dio) {
 *     seen.push(dio.value);
 *     return super.dioReport(dio);
 *   }
 * }
 * runScenario(MODELS[0]!, scenarioById("aio-write"), {
 *   directIo: (kernel) => new Watched(kernel),
 * });
 * assertEquals(seen, [4096]);
 * ```
 */
export abstract class DioReport extends DioDeferral {
  /**
   * Reports an asynchronous request to the AIO layer.
   *
   * @param dio The request.
   * @returns What is left to be run in this context, or null.
   */
  dioReport(dio: Dio): Task<void> | null {
    const { kernel } = this;
    const { iocb } = dio;
    if (kernel.profile.kiPosInCompletion) iocb.kiPos += dio.transferred;
    if (dio.rw === WRITE && iocb.needsSync) return this.dioSyncAndReport(dio);
    if (kernel.stepping) return kernel.aio.aioComplete(iocb, dio.value);
    kernel.aio.complete(iocb, dio.value);
    return null;
  }

  /**
   * Reports an asynchronous write to a file that asks for write-sync. It comes
   * after the drop of `i_dio_count`, or an fsync that waits for the count
   * would wait for itself.
   *
   * @param dio The request.
   */
  *dioSyncAndReport(dio: Dio): Task<void> {
    const { profile, aio } = this.kernel;
    const { iocb, offset, transferred, value } = dio;
    let reported = value;
    if (profile.writeSync === "always" || value > 0) {
      const error = yield* genericWriteSync(iocb, offset, transferred);
      if (error < 0 && value > 0) reported = error;
    }
    yield* aio.aioComplete(iocb, reported);
  }
}

/**
 * The completion of direct I/O as it was from Linux 4.7 to 4.19: the result of
 * the write-sync becomes that of every asynchronous write, so that the error
 * of a write is lost. A write that asks for no write-sync "syncs" all that it
 * was given, and reports that. Kept because a suite has to find it.
 *
 * Source: "fs: simplify the generic_write_sync prototype" (e259221763a4);
 * mended by "fs: fix lost error code in dio_complete" (41e817bca3ac).
 *
 * @module
 */

import {
  type Dio,
  DirectIo,
  genericWriteSync,
  type Task,
  WRITE,
} from "../core/mod.ts";

/**
 * Direct I/O with that mistake.
 *
 * @example
 * ```ts
 * import { runScenario, scenarioById } from "@endio/dio/conformance";
 * import { DirectIo2016, MODELS } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const run = runScenario(MODELS[0]!, scenarioById("aio-write-error"), {
 *   profile: "v4.10",
 *   directIo: (kernel) => new DirectIo2016(kernel),
 * });
 * const rules = run.violations.map(({ rule }) => rule);
 * assertEquals(rules.includes("error-reported/every-bio"), true);
 * ```
 */
export class DirectIo2016 extends DirectIo {
  /**
   * Reports an asynchronous request; a write as if nothing had gone wrong.
   *
   * @param dio The request.
   * @returns What is left to be run in this context, or null.
   */
  override dioReport(dio: Dio): Task<void> | null {
    if (dio.rw === WRITE && !dio.iocb.needsSync) dio.value = dio.transferred;
    return super.dioReport(dio);
  }

  /**
   * Reports an asynchronous write that has to be synced, with what the
   * write-sync came to.
   *
   * @param dio The request.
   */
  override *dioSyncAndReport(dio: Dio): Task<void> {
    const { kernel } = this;
    const { iocb, offset, transferred } = dio;
    const error = yield* genericWriteSync(iocb, offset, transferred);
    yield* kernel.aio.aioComplete(iocb, error || transferred);
  }
}

/**
 * The submitter that waits for its bios.
 *
 * Source: fs/direct-io.c.
 *
 * @module
 */

import type { Bio } from "./bio.ts";
import { TASK_UNINTERRUPTIBLE } from "./context.ts";
import type { Dio } from "./dio.ts";
import { DioBioEnd } from "./dio_bio.ts";
import { EIO } from "./errno.ts";
import { use } from "./slab.ts";
import { readStep, SCHEDULE, stepAddr, type Task } from "./step.ts";

/** After so many bios, a submitter looks for finished ones. */
const REAP_INTERVAL = 64;

/**
 * The part of fs/direct-io.c that waits.
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
 *   override *dioAwaitCompletion(dio: Dio) {
 *     seen.push(dio.id);
 *     yield* super.dioAwaitCompletion(dio);
 *   }
 * }
 * runScenario(MODELS[0]!, scenarioById("sync-write"), {
 *   directIo: (kernel) => new Watched(kernel),
 * });
 * assertEquals(seen, [1, 2]);
 * ```
 */
export class DioAwait extends DioBioEnd {
  /**
   * `dio_await_completion()`: the submitter waits for every bio, and
   * processes those that nobody else does.
   *
   * @param dio The request.
   */
  *dioAwaitCompletion(dio: Dio): Task<void> {
    for (;;) {
      const bio = yield* this.dioAwaitOne(dio);
      if (bio === null) return;
      yield* this.dioBioComplete(dio, bio);
    }
  }

  /**
   * `dio_bio_complete()`: processes a bio that has ended.
   *
   * @param dio The request.
   * @param bio The bio.
   */
  *dioBioComplete(dio: Dio, bio: Bio): Task<void> {
    if (bio.biError !== 0) yield* this.dioNoteError(dio, bio);
    const rest = this.dioBioRelease(dio, bio);
    if (rest !== null) yield* rest;
  }

  /**
   * `dio_await_one()`: takes a finished bio off the list, and sleeps while
   * there is none but some are in flight.
   *
   * @param dio The request.
   * @returns The bio, or null when none is left.
   */
  *dioAwaitOne(dio: Dio): Task<Bio | null> {
    const { kernel } = this;
    const lock = dio.bioLock;
    if (lock.mustWait(kernel)) yield lock.request(kernel);
    lock.take(kernel, true);
    while (use(dio).refcount > 1 && dio.bioList === null) {
      const ctx = kernel.current;
      ctx.state = TASK_UNINTERRUPTIBLE;
      ctx.waitingOn = dio;
      dio.waiter = ctx;
      lock.unlock(kernel);
      kernel.mightSleep("io_schedule");
      yield SCHEDULE;
      if (lock.mustWait(kernel)) yield lock.request(kernel);
      lock.take(kernel, true);
      use(dio).waiter = null;
    }
    const bio = dio.bioList;
    if (bio !== null) {
      dio.bioList = bio.biNext;
      bio.biNext = null;
    }
    lock.unlock(kernel);
    return bio;
  }

  /**
   * Whether it is time to look for finished bios: now and then, so that they
   * do not pile up.
   *
   * @param dio The request.
   * @returns True for {@linkcode dioBioReap}.
   */
  dioReapDue(dio: Dio): boolean {
    const { bios } = dio.sdio;
    return bios > 0 && bios % REAP_INTERVAL === 0;
  }

  /**
   * `dio_bio_reap()`: processes the bios that have ended.
   *
   * @param dio The request.
   * @returns 0, or the error of one of them, which stops the submission.
   */
  *dioBioReap(dio: Dio): Task<number> {
    const { kernel } = this;
    let error = 0;
    for (;;) {
      // The end of a bio writes the list under the lock.
      if (kernel.stepping) yield readStep(stepAddr(dio.bioLock.step));
      if (dio.bioList === null) return error;
      const bio = yield* this.dioAwaitOne(dio);
      if (bio === null) return error;
      const { biError } = bio;
      yield* this.dioBioComplete(dio, bio);
      if (error === 0 && biError !== 0) {
        error = kernel.profile.reapsAsEio ? -EIO : biError;
      }
    }
  }
}

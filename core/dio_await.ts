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
import { DioCompletion } from "./dio_complete.ts";
import { use } from "./slab.ts";
import { SCHEDULE, type Task } from "./step.ts";

/** After so many bios, a submitter looks for finished ones. */
const REAP_INTERVAL = 64;

/**
 * The part of fs/direct-io.c that waits.
 *
 * @example
 * ```ts
 * import { DioAwait, Kernel } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new Kernel().directIo instanceof DioAwait, true);
 * ```
 */
export class DioAwait extends DioCompletion {
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
      if (bio.biError !== 0) yield* this.dioNoteError(dio, bio);
      this.dioBioRelease(dio, bio);
    }
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
    let error = 0;
    while (dio.bioList !== null) {
      const bio = yield* this.dioAwaitOne(dio);
      if (bio === null) break;
      if (bio.biError !== 0) {
        yield* this.dioNoteError(dio, bio);
        if (error === 0) error = dio.ioError;
      }
      this.dioBioRelease(dio, bio);
    }
    return error;
  }
}

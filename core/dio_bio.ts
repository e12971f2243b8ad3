/**
 * The ends of the bios of a direct I/O.
 *
 * Whoever drops the last reference completes the request, in the context it is
 * in, or through the superblock's workqueue when the filesystem has to sleep.
 *
 * Source: fs/direct-io.c.
 *
 * @module
 */

import { bioReleasePages } from "./bio_pages.ts";
import { type Bio, REQ_NOWAIT } from "./bio.ts";
import type { Dio } from "./dio.ts";
import { DIO_ADDR_IO_ERROR, DioCompletion } from "./dio_complete.ts";
import { EAGAIN, EIO } from "./errno.ts";
import { EV } from "./events.ts";
import { notLast } from "./references.ts";
import { use } from "./slab.ts";
import { NOTHING, type Task, writeStep } from "./step.ts";

/**
 * The part of fs/direct-io.c that ends bios.
 *
 * @example
 * ```ts
 * import { runScenario, scenarioById } from "@endio/dio/conformance";
 * import { type Bio, DirectIo } from "@endio/dio/core";
 * import { MODELS } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const seen: number[] = [];
 * class Watched extends DirectIo {
 *   override dioBioEndAio(bio: Bio) {
 *     seen.push(bio.biSize);
 *     return super.dioBioEndAio(bio);
 *   }
 * }
 * runScenario(MODELS[0]!, scenarioById("aio-write-many"), {
 *   directIo: (kernel) => new Watched(kernel),
 * });
 * assertEquals(seen, [4096, 4096, 4096]);
 * ```
 */
export class DioBioEnd extends DioCompletion {
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
    const release = this.dioBioRelease(dio, bio);
    if (release !== null) return this.#dioBioReleaseLater(dio, release);
    return this.dioBioEnded(dio, this.dioDropRef(dio)) ?? NOTHING;
  }

  *#dioBioEndAioWaiting(dio: Dio, bio: Bio): Task<void> {
    if (bio.biError !== 0) yield* this.dioNoteError(dio, bio);
    yield* this.#dioBioReleaseLater(dio, this.dioBioRelease(dio, bio));
  }

  *#dioBioReleaseLater(dio: Dio, release: Task<void> | null): Task<void> {
    const { kernel } = this;
    const lock = use(dio).bioLock;
    if (release !== null) yield* release;
    if (lock.mustWait(kernel)) yield lock.request(kernel);
    const rest = this.dioBioEnded(dio, this.dioDropRef(dio));
    if (rest !== null) yield* rest;
  }

  /**
   * A bio has dropped its reference. The last one completes the request here,
   * or in the workqueue if the filesystem has to sleep. A variant that acts on
   * how many are left has to say that every drop makes a difference, as
   * {@linkcode dioDropRef} does for a waiter.
   *
   * @param dio The request; not to be touched while references are left.
   * @param remaining The references that are left.
   * @returns What is left to be run in this context, or null.
   */
  dioBioEnded(dio: Dio, remaining: number): Task<unknown> | null {
    if (remaining > 0) {
      if (this.kernel.stepping) notLast(this.kernel, remaining);
      return null;
    }
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
   * has asked for the lock; without steps nobody else can come in between.
   *
   * @param dio The request.
   * @returns The references that are left. If none, the caller owns the
   * completion; else it must not touch the dio any more.
   */
  dioDropRef(dio: Dio): number {
    const { kernel } = this;
    if (!kernel.stepping && dio.waiter === null) return --use(dio).refcount;
    const lock = dio.bioLock;
    lock.take(kernel, true);
    const remaining = --use(dio).refcount;
    if (dio.waiter !== null) {
      // Who waits looks at the count: now every drop makes a difference.
      kernel.touch(lock.step);
      if (remaining === 1) kernel.wakeUpProcess(dio.waiter);
    }
    lock.unlock(kernel);
    return remaining;
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
    if (kernel.stepping) yield writeStep(dio.addr + DIO_ADDR_IO_ERROR);
    const again = kernel.profile.nowaitAgain && bio.biError === -EAGAIN &&
      (bio.biOpf & REQ_NOWAIT) !== 0;
    use(dio).ioError = again ? -EAGAIN : -EIO;
    if (kernel.tracing) kernel.emit(EV.dio_io_error, dio.id, dio.ioError);
  }

  /**
   * The second half of `dio_bio_complete()`: gives back a bio and its pages.
   * Pages of a read have to be dirty; of an asynchronous one they were when it
   * was submitted.
   *
   * @param dio The request.
   * @param bio The bio.
   * @returns What is left to be run in this context, or null.
   */
  dioBioRelease(dio: Dio, bio: Bio): Task<void> | null {
    const { bioDirty, bios } = this.kernel;
    if (dio.shouldDirty) {
      if (dio.isAsync) return bioDirty.bioCheckPagesDirty(bio);
      bioDirty.bioSetPagesDirty(bio);
    }
    bioReleasePages(bio);
    bios.put(bio);
    return null;
  }
}

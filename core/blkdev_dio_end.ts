/**
 * The end of the block device's direct I/O: what the end of each bio does, and
 * how the last one completes the request.
 *
 * The error of every bio is noted before its part is dropped. Otherwise the
 * last one could complete the request in between, and free it: that is what
 * was merged in 2016.
 *
 * Source: fs/block_dev.c of Linux 4.10: blkdev_bio_end_io(); block/fops.c of
 * Linux 6.1: blkdev_bio_end_io(), blkdev_bio_end_io_async().
 *
 * @module
 */

import { bioReleasePages } from "./bio_pages.ts";
import type { Bio } from "./bio.ts";
import type { BlkdevDio } from "./blkdev_dio.ts";
import { BlkdevSimple } from "./blkdev_dio_simple.ts";
import { EV } from "./events.ts";
import { use } from "./slab.ts";
import { NOTHING, readStep, type Task, writeStep } from "./step.ts";

/**
 * The part of the block device's direct I/O that completes.
 *
 * @example
 * ```ts
 * import { type BlkdevCompletion, BlkdevDirectIo, EIO, Kernel, READ } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel({ profile: "v6.1" });
 * const blkdev: BlkdevCompletion = new BlkdevDirectIo(kernel);
 * const device = new MemoryDevice({ sizeBytes: 8192 });
 * const dio = blkdev.pool.tryAlloc(READ, device)!;
 * const second = kernel.bios.alloc(READ, device, 8);
 * second.biError = -EIO;
 * blkdev.blkdevNoteError(dio, second);
 * assertEquals(dio.bio.biError, -EIO);
 * ```
 */
export class BlkdevCompletion extends BlkdevSimple {
  /**
   * `blkdev_bio_end_io()`: the end of a bio of a request that may have many.
   *
   * @param bio The bio.
   * @returns What is left to be run in this context.
   */
  blkdevBioEndIo(bio: Bio): Task<unknown> {
    const { kernel } = this;
    const dio = use(bio.biPrivate as BlkdevDio);
    this.#trace(dio, bio);
    if (kernel.stepping) return this.#endStepping(dio, bio);
    const { shouldDirty } = dio;
    if (bio.biError !== 0) this.blkdevNoteError(dio, bio);
    if (this.blkdevDropPart(dio)) {
      if (dio.isSync) this.blkdevWake(dio);
      else {
        kernel.aio.complete(dio.iocb, this.blkdevMove(dio));
        kernel.bios.put(dio.bio);
      }
    }
    return this.blkdevRelease(bio, shouldDirty) ?? NOTHING;
  }

  *#endStepping(dio: BlkdevDio, bio: Bio): Task<void> {
    const { shouldDirty } = dio;
    if (bio.biError !== 0) {
      yield writeStep(dio.errorAddr);
      this.blkdevNoteError(dio, bio);
    }
    if (dio.multiBio) yield writeStep(dio.refAddr);
    if (this.blkdevDropPart(dio)) yield* this.blkdevComplete(dio);
    yield writeStep(bio.addr);
    const rest = this.blkdevRelease(bio, shouldDirty);
    if (rest !== null) yield* rest;
  }

  /**
   * Notes that a bio failed: in the first one, unless another was there
   * before. The error of the first one itself is there already.
   *
   * @param dio The request.
   * @param bio The bio.
   */
  blkdevNoteError(dio: BlkdevDio, bio: Bio): void {
    const first = use(use(dio).bio);
    if (first.biError === 0) first.biError = bio.biError;
  }

  /**
   * Drops the part of a bio.
   *
   * @param dio The request.
   * @returns Whether it was the last one, so that the caller owns the
   * completion. If not, the request must not be touched any more, except
   * through a bio of it that still has its reference.
   */
  blkdevDropPart(dio: BlkdevDio): boolean {
    return !use(dio).multiBio || --dio.ref === 0;
  }

  /**
   * Completes a request whose bios have ended: reports it and drops the
   * reference of the report, or wakes who does both.
   *
   * @param dio The request.
   */
  *blkdevComplete(dio: BlkdevDio): Task<void> {
    const { kernel } = this;
    if (dio.isSync) {
      if (kernel.stepping) yield writeStep(dio.waiterAddr);
      this.blkdevWake(dio);
      return;
    }
    if (kernel.stepping) yield readStep(dio.errorAddr);
    const { iocb } = use(dio);
    yield* kernel.aio.aioComplete(iocb, this.blkdevMove(dio));
    if (kernel.stepping) yield writeStep(dio.bio.addr);
    kernel.bios.put(use(dio).bio);
  }

  /**
   * Moves the position of an asynchronous request, if it succeeded.
   *
   * @param dio The request.
   * @returns What it comes to: bytes or a negative errno.
   */
  blkdevMove(dio: BlkdevDio): number {
    const { iocb, size } = dio;
    const { biError } = use(dio.bio);
    use(iocb).private = null;
    if (biError !== 0) return biError;
    iocb.advance(size);
    return size;
  }

  /**
   * Gives back a bio that has ended, and its pages.
   *
   * @param bio The bio.
   * @param shouldDirty Whether it has read into user memory.
   * @returns What is left to be run in this context, or null.
   */
  blkdevRelease(bio: Bio, shouldDirty: boolean): Task<void> | null {
    const { kernel } = this;
    if (shouldDirty) return kernel.bioDirty.bioCheckPagesDirty(bio);
    bioReleasePages(bio);
    kernel.bios.put(bio);
    return null;
  }

  /**
   * `blkdev_bio_end_io_async()`: the end of the only bio of an asynchronous
   * request, which has no count and no second reference.
   *
   * @param bio The bio.
   * @returns What is left to be run in this context.
   */
  blkdevBioEndIoAsync(bio: Bio): Task<unknown> {
    const { kernel } = this;
    const dio = use(bio.biPrivate as BlkdevDio);
    this.#trace(dio, bio);
    if (kernel.stepping) return this.#endAsyncStepping(dio, bio);
    kernel.aio.complete(dio.iocb, this.blkdevMove(dio));
    return this.blkdevRelease(bio, dio.shouldDirty) ?? NOTHING;
  }

  *#endAsyncStepping(dio: BlkdevDio, bio: Bio): Task<void> {
    const { iocb } = dio;
    yield* this.kernel.aio.aioComplete(iocb, this.blkdevMove(dio));
    const rest = this.blkdevRelease(bio, use(dio).shouldDirty);
    if (rest !== null) yield* rest;
  }

  #trace(dio: BlkdevDio, bio: Bio): void {
    const { kernel } = this;
    if (kernel.tracing) {
      kernel.emit(EV.blkdev_bio_end_io, dio.id, bio.id, bio.biError);
    }
    // The device has just set the error of the bio: of the first one, that is
    // the error of the request.
    if (kernel.stepping && bio.biError !== 0 && bio === dio.bio) {
      kernel.touch(writeStep(dio.errorAddr));
    }
  }
}

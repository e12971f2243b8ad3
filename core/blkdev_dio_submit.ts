/**
 * The submission of the block device's direct I/O: which path a request takes,
 * and the paths that do not wait on the stack.
 *
 * Source: fs/block_dev.c of Linux 4.10: blkdev_direct_IO(),
 * __blkdev_direct_IO(); block/fops.c of Linux 6.1: those, and
 * __blkdev_direct_IO_async().
 *
 * @module
 */

import type { Kiocb } from "./aio.ts";
import { bioReleasePages } from "./bio_pages.ts";
import {
  type Bio,
  bioEndio,
  REQ_NOWAIT,
  REQ_POLLED,
  type Rw,
  submitBio,
} from "./bio.ts";
import type { BlkdevDio } from "./blkdev_dio.ts";
import { BlkdevCompletion } from "./blkdev_dio_end.ts";
import { sectorAt } from "./blkdev_dio_simple.ts";
import type { BlockDevice } from "./block_device.ts";
import { EAGAIN, EINVAL, EIO, EIOCBQUEUED } from "./errno.ts";
import { EV } from "./events.ts";
import { IOCB_NOWAIT } from "./iocb_flags.ts";
import type { IovIter } from "./iov_iter.ts";
import { use } from "./slab.ts";
import {
  finish,
  type MaybeTask,
  readStep,
  type Task,
  writeStep,
} from "./step.ts";

/** Not an errno: a NOWAIT request needs a second bio, and is gone. */
const REFUSED = 1;

/**
 * Direct I/O of block devices, with a pool of its own.
 *
 * @example
 * ```ts
 * import { BlkdevDirectIo, Kernel } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel({ profile: "v6.1" });
 * assertEquals(new BlkdevDirectIo(kernel).profile.asyncSingle, true);
 * ```
 */
export class BlkdevDirectIo extends BlkdevCompletion {
  readonly #endIo = (bio: Bio): Task<unknown> => this.blkdevBioEndIo(bio);
  readonly #endIoAsync = (bio: Bio): Task<unknown> =>
    this.blkdevBioEndIoAsync(bio);

  /**
   * `blkdev_direct_IO()`: sends a request down one of the paths.
   *
   * @param rw Direction.
   * @param iocb The request; its position is where it begins.
   * @param iter The user's buffer, inside the device.
   * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
   */
  blkdevDirectIO(rw: Rw, iocb: Kiocb, iter: IovIter): MaybeTask<number> {
    if (iter.count === 0) return 0;
    const bdev = this.blkdevOf(use(iocb));
    if (!this.blkdevAligned(bdev, iocb.kiPos, iter)) return -EINVAL;
    const max = this.kernel.bioMaxPages;
    const pages = iter.npages(max + 1);
    const single = pages <= max;
    if (single && iocb.isSync) {
      return this.blkdevDirectIOSimple(rw, iocb, iter, pages);
    }
    const dio = this.pool.tryAlloc(rw, bdev);
    return dio === null
      ? this.#allocLater(rw, iocb, iter, pages)
      : this.#directIO(dio, rw, iocb, iter, pages);
  }

  *#allocLater(
    rw: Rw,
    iocb: Kiocb,
    iter: IovIter,
    pages: number,
  ): Task<number> {
    const dio = yield* this.pool.alloc(rw, this.blkdevOf(iocb));
    return yield* finish(this.#directIO(dio, rw, iocb, iter, pages));
  }

  #directIO(
    dio: BlkdevDio,
    rw: Rw,
    iocb: Kiocb,
    iter: IovIter,
    pages: number,
  ): MaybeTask<number> {
    this.blkdevBegin(dio, rw, iocb, iter, pages);
    return pages <= this.kernel.bioMaxPages && this.profile.asyncSingle
      ? this.blkdevDirectIOAsync(dio, rw, iocb, iter, pages)
      : this.blkdevDirectIOMulti(dio, rw, iocb, iter);
  }

  /**
   * `__blkdev_direct_IO_async()`: an asynchronous request of one bio.
   *
   * @param dio The request.
   * @param rw Direction.
   * @param iocb The same for the AIO layer.
   * @param iter The user's buffer.
   * @param nrPages How many pages it needs, few enough for one bio.
   * @returns A negative errno, or `-EIOCBQUEUED`.
   */
  blkdevDirectIOAsync(
    dio: BlkdevDio,
    rw: Rw,
    iocb: Kiocb,
    iter: IovIter,
    nrPages: number,
  ): MaybeTask<number> {
    const { bio } = dio;
    bio.biSector = sectorAt(iocb.kiPos);
    bio.biPrivate = dio;
    bio.biEndIo = this.#endIoAsync;
    bio.biOpf = this.blkdevOpf(rw, iocb);
    const error = this.bioIovIterGetPages(bio, iter, nrPages);
    if (error !== 0) {
      this.kernel.bios.put(bio);
      return error;
    }
    dio.size = bio.biSize;
    if (dio.shouldDirty) this.kernel.bioDirty.bioSetPagesDirty(bio);
    if (this.blkdevPolls(iocb)) {
      bio.biOpf |= REQ_POLLED | REQ_NOWAIT;
      // Before the submission, in which it may end and take this back.
      iocb.private = bio;
    } else if ((iocb.kiFlags & IOCB_NOWAIT) !== 0) bio.biOpf |= REQ_NOWAIT;
    const inline = submitBio(bio);
    return inline === null ? -EIOCBQUEUED : ended(inline, -EIOCBQUEUED);
  }

  /**
   * `iocb_bio_iopoll()`: looks for the end of an asynchronous request that is
   * polled for.
   *
   * @param iocb The request.
   * @returns The end of what was found, to be run at once; or null.
   */
  iocbBioIopoll(iocb: Kiocb): Task<unknown> | null {
    const bio = use(iocb).private as Bio | null;
    if (bio === null) return null;
    const dio = use(bio).biPrivate as BlkdevDio;
    dio.cookie = bio.id;
    return this.blkPoll(dio);
  }

  /**
   * `__blkdev_direct_IO()`: a request of one bio or more.
   *
   * @param dio The request.
   * @param rw Direction.
   * @param iocb The same for the AIO layer, or for a system call that waits.
   * @param iter The user's buffer.
   * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
   */
  blkdevDirectIOMulti(
    dio: BlkdevDio,
    rw: Rw,
    iocb: Kiocb,
    iter: IovIter,
  ): MaybeTask<number> {
    // For whoever reads the result: the first bio holds it.
    this.kernel.bios.get(dio.bio);
    // After the last bio the request may be gone: it is not to be asked.
    const { isSync } = dio;
    const { kiPos } = iocb;
    const submitted = this.blkdevSubmit(dio, dio.bio, rw, iocb, iter, kiPos);
    return typeof submitted === "number"
      ? this.blkdevSubmitted(dio, iocb, isSync, submitted)
      : this.#submittedLater(dio, iocb, isSync, submitted);
  }

  *#submittedLater(
    dio: BlkdevDio,
    iocb: Kiocb,
    isSync: boolean,
    submission: Task<number>,
  ): Task<number> {
    const submitted = yield* submission;
    return yield* finish(this.blkdevSubmitted(dio, iocb, isSync, submitted));
  }

  /**
   * First sector of a bio.
   *
   * @param _bdev The device.
   * @param pos Where it goes to.
   * @returns The sector, of 512 bytes.
   */
  blkdevSector(_bdev: BlockDevice, pos: number): number {
    return sectorAt(pos);
  }

  /**
   * Makes and submits the bios of a request, from one on.
   *
   * @param dio The request.
   * @param bio The bio, without pages.
   * @param rw Direction.
   * @param iocb The request of the AIO layer.
   * @param iter What is left of the user's buffer.
   * @param pos Where it goes to.
   * @returns 0, the error of a page that could not be pinned, or the mark that
   * the request was refused and is gone.
   */
  blkdevSubmit(
    dio: BlkdevDio,
    bio: Bio,
    rw: Rw,
    iocb: Kiocb,
    iter: IovIter,
    pos: number,
  ): MaybeTask<number> {
    const { biBdev } = bio;
    for (;;) {
      bio.biSector = this.blkdevSector(biBdev, pos);
      bio.biPrivate = dio;
      bio.biEndIo = this.#endIo;
      const error = this.bioIovIterGetPages(bio, iter, bio.biMaxVecs);
      if (error !== 0) return this.blkdevPinFailed(dio, bio, error);
      const isLast = iter.count === 0;
      if (!isLast && (iocb.kiFlags & IOCB_NOWAIT) !== 0) {
        return this.#refuse(bio);
      }
      this.blkdevPrepare(dio, bio, rw, iocb, isLast);
      pos += bio.biSize;
      const inline = isLast ? submitBio(bio) : this.#submitPart(dio, bio);
      if (isLast) return inline === null ? 0 : ended(inline, 0);
      bio = this.kernel.bios.alloc(rw, biBdev, 0);
      bio.dioId = dio.id;
      if (inline !== null) {
        return this.#submitLater(inline, dio, bio, rw, iocb, iter, pos);
      }
    }
  }

  *#submitLater(
    inline: Task<unknown>,
    dio: BlkdevDio,
    bio: Bio,
    rw: Rw,
    iocb: Kiocb,
    iter: IovIter,
    pos: number,
  ): Task<number> {
    yield* inline;
    return yield* finish(this.blkdevSubmit(dio, bio, rw, iocb, iter, pos));
  }

  /**
   * Makes a bio ready that has its pages.
   *
   * @param dio The request.
   * @param bio The bio.
   * @param rw Direction.
   * @param iocb The request of the AIO layer.
   * @param isLast Whether nothing follows it.
   */
  blkdevPrepare(
    dio: BlkdevDio,
    bio: Bio,
    rw: Rw,
    iocb: Kiocb,
    isLast: boolean,
  ): void {
    bio.biOpf = this.blkdevOpf(rw, iocb);
    if ((iocb.kiFlags & IOCB_NOWAIT) !== 0) bio.biOpf |= REQ_NOWAIT;
    if (dio.shouldDirty) this.kernel.bioDirty.bioSetPagesDirty(bio);
    dio.size += bio.biSize;
    // A poller looks for one bio: others would end unseen.
    if (!isLast || bio !== dio.bio) return;
    if (!dio.isSync || !this.blkdevPolls(iocb)) return;
    bio.biOpf |= REQ_POLLED;
    dio.cookie = bio.id;
  }

  /**
   * Ends a bio whose pages could not be pinned, in place of a device.
   *
   * @param dio The request; not to be touched afterwards, unless it waits.
   * @param bio The bio.
   * @param error Why.
   * @returns The error.
   */
  blkdevPinFailed(
    dio: BlkdevDio,
    bio: Bio,
    error: number,
  ): MaybeTask<number> {
    const { kernel } = this;
    if (kernel.tracing) {
      kernel.emit(EV.dio_page_error, dio.id, error, bio.id);
    }
    bio.biError = this.profile.pinError === "eio" ? -EIO : error;
    return ended(bioEndio(bio), error);
  }

  /**
   * What follows the submission.
   *
   * @param dio The request; gone perhaps, unless it waits.
   * @param iocb The same for the AIO layer; gone perhaps, like it.
   * @param isSync Whether it waits.
   * @param submitted What the submission came to.
   * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
   */
  blkdevSubmitted(
    dio: BlkdevDio,
    iocb: Kiocb,
    isSync: boolean,
    submitted: number,
  ): MaybeTask<number> {
    if (submitted === REFUSED) return -EAGAIN;
    return isSync ? this.blkdevAwait(dio, iocb, submitted) : -EIOCBQUEUED;
  }

  /**
   * Waits for the bios of a request, and reads the result.
   *
   * @param dio The request; gone afterwards.
   * @param _iocb The same for the system call.
   * @param submitted 0, or the error of a page that could not be pinned, which
   * comes before that of a bio.
   * @returns Bytes or a negative errno.
   */
  *blkdevAwait(
    dio: BlkdevDio,
    _iocb: Kiocb,
    submitted: number,
  ): Task<number> {
    const { kernel } = this;
    yield* this.blkdevWait(dio);
    if (kernel.stepping) yield readStep(dio.errorAddr);
    const { bio, size } = use(dio);
    const error = submitted || use(bio).biError;
    if (kernel.stepping) yield writeStep(bio.addr);
    kernel.bios.put(bio);
    return error || size;
  }

  /** Counts the bio that follows, and submits one. */
  #submitPart(dio: BlkdevDio, bio: Bio): Task<unknown> | null {
    if (this.kernel.stepping) return this.#submitPartStepping(dio, bio);
    countNext(dio);
    return submitBio(bio);
  }

  *#submitPartStepping(dio: BlkdevDio, bio: Bio): Task<void> {
    yield writeStep(dio.refAddr);
    countNext(dio);
    const inline = submitBio(bio);
    if (inline !== null) yield* inline;
  }

  /** Gives a request back that has one bio, and needs more than it may. */
  #refuse(bio: Bio): number {
    const { bios } = this.kernel;
    bioReleasePages(bio);
    bios.put(bio);
    bios.put(bio);
    return REFUSED;
  }
}

/**
 * One more bio will follow. It is counted before the present one is
 * submitted, and keeps the request alive between them.
 */
function countNext(dio: BlkdevDio): void {
  if (use(dio).multiBio) dio.ref++;
  else {
    dio.multiBio = true;
    dio.ref = 2;
  }
}

function* ended(end: Task<unknown>, ret: number): Task<number> {
  yield* end;
  return ret;
}

/**
 * The block device's path for small requests that a system call waits for:
 * one bio, everything on the stack. And how the block device's paths wait.
 *
 * Source: fs/block_dev.c of Linux 4.10: __blkdev_direct_IO_simple(),
 * blkdev_bio_end_io_simple(); block/fops.c of Linux 6.1.
 *
 * @module
 */

import type { Kiocb } from "./aio.ts";
import { bioReleasePages } from "./bio_pages.ts";
import {
  type Bio,
  REQ_NOWAIT,
  REQ_POLLED,
  type Rw,
  SECTOR_SHIFT,
  submitBio,
} from "./bio.ts";
import { BlkdevDio } from "./blkdev_dio.ts";
import { BlkdevPages } from "./blkdev_dio_pages.ts";
import { TASK_RUNNING, TASK_UNINTERRUPTIBLE } from "./context.ts";
import { KernelBug } from "./bug.ts";
import { ENOMEM } from "./errno.ts";
import { EV } from "./events.ts";
import { IOCB_HIPRI, IOCB_NOWAIT } from "./iocb_flags.ts";
import type { Kernel } from "./kernel.ts";
import type { IovIter } from "./iov_iter.ts";
import { KmemCache, SlabObject, use } from "./slab.ts";
import {
  type MaybeTask,
  NOTHING,
  readStep,
  SCHEDULE,
  type Task,
  writeStep,
} from "./step.ts";

/** A vector of so many pages lies on the stack. */
const DIO_INLINE_BIO_VECS = 4;

/**
 * The vector of a bio that does not fit on the stack.
 *
 * @example
 * ```ts
 * import { BioVecs, KmemCache, Kernel } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const cache = new KmemCache(new Kernel(), "bio_vec", () => new BioVecs());
 * assertEquals(cache.alloc()?.live, true);
 * ```
 */
export class BioVecs extends SlabObject {}

/**
 * The sector that a position is in. Sectors have 512 bytes on every device.
 *
 * @param pos A position in bytes, a multiple of 512.
 * @returns The sector.
 *
 * @example
 * ```ts
 * import { sectorAt } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(sectorAt(8 * 4096), 64);
 * ```
 */
export function sectorAt(pos: number): number {
  // A shift would cut positions of 2 GiB and more.
  return pos / (1 << SECTOR_SHIFT);
}

/**
 * The part of the block device's direct I/O that waits.
 *
 * @example
 * ```ts
 * import { BlkdevDirectIo, type BlkdevSimple, Kernel } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel({ profile: "v6.1" });
 * const blkdev: BlkdevSimple = new BlkdevDirectIo(kernel);
 * const vecs = blkdev.vecCache.alloc();
 * assertEquals(blkdev.vecCache.liveIds(), [1]);
 * blkdev.blkdevFreeVecs(vecs, 0);
 * assertEquals(blkdev.vecCache.liveIds(), []);
 * ```
 */
export class BlkdevSimple extends BlkdevPages {
  /** Vectors that do not fit on the stack. */
  readonly vecCache: KmemCache<BioVecs>;
  /** Where stacks come from: what is used after its return is found. */
  readonly stackCache: KmemCache<BlkdevDio>;
  readonly #endIoSimple = (bio: Bio): Task<unknown> =>
    this.blkdevBioEndIoSimple(bio);

  /**
   * Makes the caches of a kernel.
   *
   * @param kernel The kernel.
   */
  constructor(kernel: Kernel) {
    super(kernel);
    this.vecCache = new KmemCache(kernel, "bio_vec", () => new BioVecs());
    this.stackCache = new KmemCache(
      kernel,
      "stack",
      () => new BlkdevDio(),
      undefined,
      kernel.directIo.dioCache,
    );
  }

  /**
   * `__blkdev_direct_IO_simple()`.
   *
   * @param rw Direction.
   * @param iocb The request; a system call waits for it.
   * @param iter The user's buffer.
   * @param nrPages How many pages it needs, few enough for one bio.
   * @returns Bytes or a negative errno.
   */
  blkdevDirectIOSimple(
    rw: Rw,
    iocb: Kiocb,
    iter: IovIter,
    nrPages: number,
  ): MaybeTask<number> {
    const vecs = nrPages > DIO_INLINE_BIO_VECS ? this.vecCache.alloc() : null;
    if (nrPages > DIO_INLINE_BIO_VECS && vecs === null) return -ENOMEM;
    const dio = this.#enter(rw, iocb, iter, nrPages);
    const { bio } = dio;
    bio.biOpf = this.blkdevOpf(rw, iocb);
    const ret = this.bioIovIterGetPages(bio, iter, nrPages);
    if (ret !== 0) {
      this.blkdevFreeVecs(vecs, ret);
      this.#leave(dio);
      return ret;
    }
    dio.size = bio.biSize;
    if ((iocb.kiFlags & IOCB_NOWAIT) !== 0) bio.biOpf |= REQ_NOWAIT;
    if (this.blkdevPolls(iocb)) {
      bio.biOpf |= REQ_POLLED;
      dio.cookie = bio.id;
    }
    return this.#submitAndWait(dio, vecs);
  }

  /**
   * `blkdev_bio_end_io_simple()`: wakes who waits, and touches nothing
   * afterwards, because the stack may be gone.
   *
   * @param bio The bio.
   * @returns What is left to be run in this context.
   */
  blkdevBioEndIoSimple(bio: Bio): Task<unknown> {
    const { kernel } = this;
    const dio = use(bio.biPrivate as BlkdevDio);
    if (kernel.tracing) {
      kernel.emit(EV.blkdev_bio_end_io, dio.id, bio.id, bio.biError);
    }
    if (kernel.stepping) return this.#wakeStepping(dio);
    this.blkdevWake(dio);
    return NOTHING;
  }

  *#wakeStepping(dio: BlkdevDio): Task<void> {
    yield writeStep(dio.waiterAddr);
    this.blkdevWake(dio);
  }

  /**
   * Wakes who waits for a request. The request may be gone afterwards.
   *
   * @param dio The request.
   * @throws {KernelBug} If nobody waits any more.
   */
  blkdevWake(dio: BlkdevDio): void {
    const { waiter } = use(dio);
    if (waiter === null) {
      throw new KernelBug(
        "one-completion/waiter",
        `dio ${dio.id}`,
        `the waiter of dio ${dio.id} is woken again: wake_up_process(NULL)`,
      );
    }
    dio.owner = null;
    this.kernel.wakeUpProcess(waiter);
  }

  /**
   * Frees the vector of a bio.
   *
   * @param vecs The vector, or null if it lies on the stack.
   * @param _error 0, or why the bio was not submitted.
   */
  blkdevFreeVecs(vecs: BioVecs | null, _error: number): void {
    if (vecs !== null) this.vecCache.free(vecs);
  }

  /**
   * Whether a request is polled for, as far as it has only one bio.
   *
   * @param iocb The request.
   * @returns True for `IOCB_HIPRI` where this kernel cares.
   */
  blkdevPolls(iocb: Kiocb): boolean {
    return (iocb.kiFlags & IOCB_HIPRI) !== 0 &&
      iocb.isSync === (this.profile.polls === "sync");
  }

  /**
   * Waits until the last bio of a request has ended, and polls for it if it
   * has a cookie.
   *
   * @param dio The request.
   */
  *blkdevWait(dio: BlkdevDio): Task<void> {
    const { kernel } = this;
    const ctx = kernel.current;
    for (;;) {
      ctx.state = TASK_UNINTERRUPTIBLE;
      ctx.waitingOn = dio;
      if (kernel.stepping) yield readStep(dio.waiterAddr);
      if (use(dio).waiter === null) break;
      const found = dio.cookie === 0 ? null : this.blkPoll(dio);
      if (found === null) {
        kernel.mightSleep("io_schedule");
        yield SCHEDULE;
      } else {
        ctx.state = TASK_RUNNING;
        yield* found;
      }
    }
    ctx.state = TASK_RUNNING;
    ctx.waitingOn = null;
  }

  /**
   * `blk_mq_poll()`: looks for the end of a bio.
   *
   * @param dio Its request.
   * @returns The end of what was found, to be run at once; or null.
   */
  blkPoll(dio: BlkdevDio): Task<unknown> | null {
    const { kernel } = this;
    const { biBdev } = dio.bio;
    const found = biBdev.poll?.(dio.cookie) ?? null;
    if (kernel.tracing) {
      const name = kernel.trace.str(biBdev.name);
      kernel.emit(EV.blk_poll, name, Number(found !== null), dio.id);
    }
    return found;
  }

  *#submitAndWait(dio: BlkdevDio, vecs: BioVecs | null): Task<number> {
    const { kernel } = this;
    const { bio, shouldDirty } = dio;
    const inline = submitBio(bio);
    if (inline !== null) yield* inline;
    yield* this.blkdevWait(dio);
    if (shouldDirty) kernel.bioDirty.bioSetPagesDirty(bio);
    bioReleasePages(bio);
    const ret = bio.biError === 0 ? dio.size : bio.biError;
    this.blkdevFreeVecs(vecs, 0);
    this.#leave(dio);
    return ret;
  }

  #enter(rw: Rw, iocb: Kiocb, iter: IovIter, nrPages: number): BlkdevDio {
    const dio = this.stackCache.alloc();
    if (dio === null) {
      throw new RangeError(
        "Cannot let an allocation of 'stack' fail: it is no allocation",
      );
    }
    const bdev = this.blkdevOf(iocb);
    dio.bio = this.kernel.bios.alloc(rw, bdev, sectorAt(iocb.kiPos));
    dio.bio.dioId = dio.id;
    dio.bio.biPrivate = dio;
    dio.bio.biEndIo = this.#endIoSimple;
    this.blkdevBegin(dio, rw, iocb, iter, nrPages);
    dio.multiBio = false;
    return dio;
  }

  #leave(dio: BlkdevDio): void {
    const { kernel } = this;
    kernel.bios.put(dio.bio);
    if (kernel.tracing) kernel.emit(EV.dio_free, dio.id);
    this.stackCache.free(dio);
  }
}

/**
 * The block device with its direct I/O as it was merged for Linux 4.10,
 * mistakes included. Kept because each of them has cost somebody data or a
 * machine, and a suite has to find it:
 *
 * | bug | mistake |
 * | --- | --- |
 * | DIO-001 | the error of the bio that ends last is not noted |
 * | DIO-002 | the submitter asks the request whether it waits, when it may be gone |
 * | DIO-003 | sectors are counted in logical blocks |
 * | DIO-004 | a request that is waited for moves its position, and its caller does too |
 * | DIO-005 | whether a page that could not be pinned is told depends on the order of ends |
 * | DIO-006 | the vector of a small request is lost when a page cannot be pinned |
 * | DIO-007 | pages are pinned from one piece of the buffer only |
 * | DIO-008 | all bios are polled for, by the cookie of the last |
 * | DIO-157 | an error is noted after the part was dropped |
 *
 * Source: "block: new direct I/O implementation" (542ff7bf18c6), and the small
 * path before it, as released in Linux 4.10.
 *
 * @module
 */

import {
  type Bio,
  type BioVecs,
  type BlkdevDio,
  BlkdevDirectIo,
  type BlkdevProfile,
  type BlockDevice,
  EV,
  finish,
  type IovIter,
  type Kernel,
  type Kiocb,
  profileOf,
  readStep,
  REQ_POLLED,
  type Rw,
  type Task,
  use,
  writeStep,
} from "../core/mod.ts";
import { Blkdev } from "./blkdev.ts";

/** Every mistake of 2016; see the list above. */
export const MISTAKES_2016 = [
  "DIO-001",
  "DIO-002",
  "DIO-003",
  "DIO-004",
  "DIO-005",
  "DIO-006",
  "DIO-007",
  "DIO-008",
  "DIO-157",
] as const;

/** A mistake of 2016. */
export type Mistake2016 = typeof MISTAKES_2016[number];

/**
 * Direct I/O of block devices as merged in 2016. It is that of 4.10 whatever
 * the profile.
 *
 * @example
 * ```ts
 * import { Kernel } from "@endio/dio/core";
 * import { BlkdevDirectIo2016 } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel({ profile: "v6.1" });
 * assertEquals(new BlkdevDirectIo2016(kernel).profile.asyncSingle, false);
 * ```
 */
export class BlkdevDirectIo2016 extends BlkdevDirectIo {
  readonly #mistakes: ReadonlySet<Mistake2016>;

  /**
   * Makes it, with its pool.
   *
   * @param kernel The kernel.
   * @param mistakes The mistakes that it makes; the others are corrected.
   * DIO-005 shows only with DIO-001 or DIO-157.
   */
  constructor(
    kernel: Kernel,
    mistakes: readonly Mistake2016[] = MISTAKES_2016,
  ) {
    super(kernel);
    this.#mistakes = new Set(mistakes);
  }

  /** What differs between versions. */
  override get profile(): BlkdevProfile {
    return profileOf("v4.10").blkdev as BlkdevProfile;
  }

  /**
   * DIO-003: right on a device with blocks of 512 bytes only.
   *
   * @param bdev The device.
   * @param pos Where the bio goes to.
   * @returns A number of logical blocks.
   */
  override blkdevSector(bdev: BlockDevice, pos: number): number {
    return this.#mistakes.has("DIO-003")
      ? pos / bdev.logicalBlockSize
      : super.blkdevSector(bdev, pos);
  }

  /**
   * DIO-007: pins pages of one piece of the buffer.
   *
   * @param bio The bio.
   * @param iter The user's buffer.
   * @param nrPages How many pages it takes.
   * @returns 0, or the error of the first page when it has none.
   */
  override bioIovIterGetPages(
    bio: Bio,
    iter: IovIter,
    nrPages: number,
  ): number {
    if (!this.#mistakes.has("DIO-007")) {
      return super.bioIovIterGetPages(bio, iter, nrPages);
    }
    const others = Math.max(iter.count - iter.contiguous, 0);
    iter.count -= others;
    const error = super.bioIovIterGetPages(bio, iter, nrPages);
    iter.count += others;
    iter.advance(0);
    return error;
  }

  /**
   * DIO-006: keeps the vector of a bio that has no pages.
   *
   * @param vecs The vector, or null.
   * @param error Why the bio was not submitted, or 0.
   */
  override blkdevFreeVecs(vecs: BioVecs | null, error: number): void {
    if (error !== 0 && this.#mistakes.has("DIO-006")) return;
    super.blkdevFreeVecs(vecs, error);
  }

  /**
   * DIO-008: every bio is one to be polled for, the last has the cookie.
   *
   * @param dio The request.
   * @param bio The bio.
   * @param rw Direction.
   * @param iocb The same for the AIO layer, or for a system call that waits.
   * @param isLast Whether nothing follows it.
   */
  override blkdevPrepare(
    dio: BlkdevDio,
    bio: Bio,
    rw: Rw,
    iocb: Kiocb,
    isLast: boolean,
  ): void {
    super.blkdevPrepare(dio, bio, rw, iocb, isLast);
    if (!this.#mistakes.has("DIO-008") || !this.blkdevPolls(iocb)) return;
    bio.biOpf |= REQ_POLLED;
    dio.cookie = bio.id;
  }

  /**
   * DIO-002: asks the request whether it waits. DIO-005: forgets the error of
   * a page that could not be pinned.
   *
   * @param dio The request; gone perhaps.
   * @param iocb The same for the AIO layer.
   * @param isSync Whether it waits.
   * @param submitted What the submission came to.
   * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
   */
  override *blkdevSubmitted(
    dio: BlkdevDio,
    iocb: Kiocb,
    isSync: boolean,
    submitted: number,
  ): Task<number> {
    let waits = isSync;
    if (this.#mistakes.has("DIO-002")) {
      if (this.kernel.stepping) yield readStep(dio.flagsAddr);
      waits = use(dio).isSync;
    }
    const error = this.#mistakes.has("DIO-005") ? 0 : submitted;
    return yield* finish(super.blkdevSubmitted(dio, iocb, waits, error));
  }

  /**
   * DIO-004: moves the position, as its caller does.
   *
   * @param dio The request; gone afterwards.
   * @param iocb The same for the system call.
   * @param submitted 0, or the error of a page that could not be pinned.
   * @returns Bytes or a negative errno.
   */
  override *blkdevAwait(
    dio: BlkdevDio,
    iocb: Kiocb,
    submitted: number,
  ): Task<number> {
    const ret = yield* super.blkdevAwait(dio, iocb, submitted);
    if (ret > 0 && this.#mistakes.has("DIO-004")) iocb.advance(ret);
    return ret;
  }

  /**
   * DIO-157: drops the part of the bio first, and notes its error afterwards.
   * DIO-001: not even that, if the bio is the last.
   *
   * @param bio The bio.
   * @returns What is left to be run in this context.
   */
  override blkdevBioEndIo(bio: Bio): Task<unknown> {
    const mistakes = this.#mistakes;
    return mistakes.has("DIO-157") || mistakes.has("DIO-001")
      ? this.#end(bio)
      : super.blkdevBioEndIo(bio);
  }

  *#end(bio: Bio): Task<void> {
    const { kernel } = this;
    const dio = use(bio.biPrivate as BlkdevDio);
    const { shouldDirty } = dio;
    if (kernel.tracing) {
      kernel.emit(EV.blkdev_bio_end_io, dio.id, bio.id, bio.biError);
    }
    if (kernel.stepping && bio.biError !== 0 && bio === dio.bio) {
      kernel.touch(writeStep(dio.errorAddr));
    }
    const isLate = this.#mistakes.has("DIO-157");
    if (!isLate) {
      if (kernel.stepping) yield readStep(dio.refAddr);
      yield* this.#note(dio, bio, dio.ref === 1);
    }
    if (kernel.stepping && dio.multiBio) yield writeStep(dio.refAddr);
    const isLast = this.blkdevDropPart(dio);
    if (isLate) yield* this.#note(dio, bio, isLast);
    if (isLast) yield* this.blkdevComplete(dio);
    if (kernel.stepping) yield writeStep(bio.addr);
    const rest = this.blkdevRelease(bio, shouldDirty);
    if (rest !== null) yield* rest;
  }

  *#note(dio: BlkdevDio, bio: Bio, isLast: boolean): Task<void> {
    if (bio.biError === 0) return;
    if (isLast && this.#mistakes.has("DIO-001")) return;
    if (this.kernel.stepping) yield writeStep(dio.errorAddr);
    this.blkdevNoteError(dio, bio);
  }
}

/**
 * The block device as of 2016.
 *
 * @example
 * ```ts
 * import { Kernel } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { Blkdev2016 } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel({ profile: "v4.10" });
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * device.attach(kernel);
 * assertEquals(new Blkdev2016(kernel, device).name, "blkdev-2016");
 * ```
 */
export class Blkdev2016 extends Blkdev {
  /** Its name. */
  override readonly name: string = "blkdev-2016";

  /**
   * Makes the direct I/O of 2016.
   *
   * @param kernel The kernel.
   * @returns It.
   */
  override init(kernel: Kernel): BlkdevDirectIo {
    return new BlkdevDirectIo2016(kernel);
  }
}

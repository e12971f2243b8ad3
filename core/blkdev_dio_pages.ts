/**
 * What the paths of the block device's direct I/O share: which requests fit
 * the device, and how a bio gets its pages.
 *
 * Source: fs/block_dev.c of Linux 4.10, block/fops.c of Linux 6.1,
 * block/bio.c.
 *
 * @module
 */

import type { Kiocb } from "./aio.ts";
import { type Bio, READ, REQ_FUA, REQ_IDLE, REQ_SYNC, type Rw } from "./bio.ts";
import { type BlkdevDio, BlkdevDioPool } from "./blkdev_dio.ts";
import type { BlkdevInode } from "./blkdev_file.ts";
import { type BlockDevice, DMA_ALIGNMENT } from "./block_device.ts";
import { EFAULT } from "./errno.ts";
import { EV } from "./events.ts";
import { IOCB_NOWAIT } from "./iocb_flags.ts";
import type { Kernel } from "./kernel.ts";
import type { Iovec, IovIter } from "./iov_iter.ts";
import { type Page, PAGE_SIZE, putPage } from "./page.ts";
import type { BlkdevProfile } from "./profile.ts";

/**
 * The part of the block device's direct I/O that makes bios.
 *
 * @example
 * ```ts
 * import { BlkdevDirectIo, type BlkdevPages, Kernel } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel({ profile: "v6.1" });
 * const blkdev: BlkdevPages = new BlkdevDirectIo(kernel);
 * assertEquals(blkdev.profile, kernel.profile.blkdev);
 * ```
 */
export class BlkdevPages {
  /** The kernel. */
  readonly kernel: Kernel;
  /** Where requests come from. */
  readonly pool: BlkdevDioPool;

  /**
   * Makes it, with its pool.
   *
   * @param kernel The kernel.
   */
  constructor(kernel: Kernel) {
    this.kernel = kernel;
    this.pool = new BlkdevDioPool(kernel);
  }

  /** What differs between versions; only where there is something. */
  get profile(): BlkdevProfile {
    return this.kernel.profile.blkdev as BlkdevProfile;
  }

  /**
   * Whether a request fits the device's logical blocks: position, lengths
   * and, as far as the device asks for it, addresses.
   *
   * @param bdev The device.
   * @param pos First byte.
   * @param iter The user's buffer, at its beginning.
   * @returns False for `-EINVAL`.
   */
  blkdevAligned(bdev: BlockDevice, pos: number, iter: IovIter): boolean {
    const blocks = bdev.logicalBlockSize - 1;
    const memory = this.profile.dmaAlignment
      ? (bdev.dmaAlignment ?? DMA_ALIGNMENT) - 1
      : blocks;
    if ((pos & blocks) !== 0) return false;
    let left = iter.count;
    for (let i = 0; left > 0; i++) {
      const { base, len } = iter.iov[i] as Iovec;
      const bytes = Math.min(len, left);
      if (((base & memory) | (bytes & blocks)) !== 0) return false;
      left -= bytes;
    }
    return true;
  }

  /**
   * `dio_bio_write_op()`. A write that has to be stable is so when its bio
   * ends, and its completion need not flush.
   *
   * @param rw Direction.
   * @param iocb The request.
   * @returns The flags of its bios.
   */
  blkdevOpf(rw: Rw, iocb: Kiocb): number {
    if (rw === READ) return 0;
    return REQ_SYNC | REQ_IDLE | (iocb.needsSync ? REQ_FUA : 0);
  }

  /**
   * `bio_iov_iter_get_pages()`: pins pages of the user's buffer into a bio,
   * from one piece after the other, as many as it takes or can be had. What is
   * not a whole logical block is given back.
   *
   * @param bio The bio.
   * @param iter The user's buffer.
   * @param nrPages How many pages it takes.
   * @returns 0, or the error of the first page when it has none.
   */
  bioIovIterGetPages(bio: Bio, iter: IovIter, nrPages: number): number {
    const { kernel } = this;
    let error = 0;
    while (iter.count > 0 && bio.biVcnt < nrPages && error === 0) {
      const page = kernel.memory.pin(iter.address);
      if (typeof page === "number") error = page;
      else addPiece(bio, iter, page);
    }
    const excess = bio.biSize & (bio.biBdev.logicalBlockSize - 1);
    if (excess > 0) trim(bio, iter, excess);
    if (bio.biSize === 0) return error || -EFAULT;
    if (error !== 0 && kernel.tracing) {
      kernel.emit(EV.dio_page_error, bio.dioId, error);
    }
    return 0;
  }

  /**
   * Begins a request on one of the paths.
   *
   * @param dio The request, with its first bio.
   * @param rw Direction.
   * @param iocb The request of the AIO layer, or of a system call that waits.
   * @param iter The user's buffer.
   * @param pages How many pages it needs.
   */
  blkdevBegin(
    dio: BlkdevDio,
    rw: Rw,
    iocb: Kiocb,
    iter: IovIter,
    pages: number,
  ): void {
    const { kernel } = this;
    dio.isSync = iocb.isSync;
    dio.owner = iocb.isSync ? kernel.current : iocb;
    dio.size = 0;
    dio.multiBio = this.profile.countsAlways;
    dio.ref = 1;
    dio.cookie = 0;
    // Every buffer here is a user's; the kernel's own are not to be dirtied.
    dio.shouldDirty = rw === READ;
    if (!kernel.tracing) return;
    kernel.emit(
      EV.blkdev_direct_IO,
      dio.id,
      iocb.id,
      rw,
      iocb.kiPos,
      iter.count,
      Number(iocb.isSync),
      pages,
      Number((iocb.kiFlags & IOCB_NOWAIT) !== 0),
    );
  }

  /**
   * The device of a request.
   *
   * @param iocb The request.
   * @returns The device, a partition perhaps.
   */
  blkdevOf(iocb: Kiocb): BlockDevice {
    return (iocb.kiFilp.fInode as BlkdevInode).bdev;
  }
}

/** The next piece of the buffer that lies in a page goes into a bio. */
function addPiece(bio: Bio, iter: IovIter, page: Page): void {
  const offset = iter.address & (PAGE_SIZE - 1);
  const bytes = Math.min(PAGE_SIZE - offset, iter.contiguous, iter.count);
  // A piece that continues the last one shares its pin.
  if (!bio.addPage(page, offset, bytes)) putPage(page);
  iter.advance(bytes);
}

/** Gives the end of a bio back to the buffer. */
function trim(bio: Bio, iter: IovIter, excess: number): void {
  iter.revert(excess);
  bio.biSize -= excess;
  for (let left = excess; left > 0;) {
    const last = bio.biVcnt - 1;
    const bytes = Math.min(left, bio.lengths[last] as number);
    bio.lengths[last] = (bio.lengths[last] as number) - bytes;
    left -= bytes;
    if (bio.lengths[last] !== 0) continue;
    putPage(bio.pages[last] as Page);
    bio.biVcnt--;
  }
}

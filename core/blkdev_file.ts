/**
 * Block devices as files: what a read or write of one does before and after
 * its direct I/O, and how a kernel gets to have them.
 *
 * Source: fs/block_dev.c of Linux 3.12 and 4.10, block/fops.c of Linux 6.1:
 * blkdev_read_iter(), blkdev_write_iter(), blkdev_init().
 *
 * @module
 */

import type { Kiocb } from "./aio.ts";
import { BlkdevDirectIo } from "./blkdev_dio_submit.ts";
import type { BlockDevice } from "./block_device.ts";
import { EIOCBQUEUED, ENOMEM, ENOSPC } from "./errno.ts";
import { genericFileAioRead } from "./filemap_read.ts";
import { genericFileDirectWrite } from "./filemap.ts";
import { directWriteFallback } from "./filemap_buffered.ts";
import { Inode, type SuperBlock } from "./fs.ts";
import type { Kernel } from "./kernel.ts";
import type { MaybeTask, Task } from "./step.ts";
import { genericWriteSync } from "./sync.ts";

/**
 * A block device as a file: `bd_inode`.
 *
 * @example
 * ```ts
 * import { BlkdevInode, Kernel, SuperBlock } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 8192 });
 * const sb = new SuperBlock(kernel, device, 12, {
 *   name: "bdev",
 *   directIO: () => 0,
 * });
 * assertEquals(new BlkdevInode(sb, 1, device).iSize, 8192);
 * ```
 */
export class BlkdevInode extends Inode {
  /** The device. */
  readonly bdev: BlockDevice;

  /**
   * Makes the file of a device.
   *
   * @param sb The filesystem that holds all devices.
   * @param ino Its number.
   * @param bdev The device.
   */
  constructor(sb: SuperBlock, ino: number, bdev: BlockDevice) {
    super(sb, ino, bdev.sizeBytes);
    this.bdev = bdev;
  }
}

/**
 * `blkdev_init()`: what a kernel needs for the direct I/O of block devices.
 *
 * @param kernel The kernel.
 * @returns It; or `-ENOMEM` when the kernel was told that the allocation of a
 * `bioset` fails.
 *
 * @example
 * ```ts
 * import { blkdevInit, ENOMEM, Kernel } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const allocFaults = [{ what: "bioset", nth: 1 }];
 * assertEquals(blkdevInit(new Kernel({ allocFaults })), -ENOMEM);
 * ```
 */
export function blkdevInit(kernel: Kernel): BlkdevDirectIo | number {
  if (kernel.shouldFailAlloc("bioset")) return -ENOMEM;
  return new BlkdevDirectIo(kernel);
}

/**
 * `blkdev_write_iter()`: a direct write, cut at the end of the device; what it
 * leaves undone goes through the page cache. One that is waited for, to a file
 * that asks for it, is made stable here as well.
 *
 * @param iocb The request.
 * @returns Bytes, a negative errno, or `-EIOCBQUEUED`; `-ENOSPC` at the end of
 * the device.
 *
 * @example At the end of the device
 * ```ts
 * import { blkdevWriteIter, ENOSPC, Kernel, O_DIRECT } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { Blkdev } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel({ profile: "v6.1" });
 * const device = new MemoryDevice({ sizeBytes: 4096 });
 * device.attach(kernel);
 * const fInode = new Blkdev(kernel, device).createFile({ size: 4096, extents: [] });
 * const iocb = kernel.aio.cache.alloc()!;
 * iocb.kiFilp = { fInode, fFlags: O_DIRECT };
 * iocb.kiPos = 4096;
 * iocb.iter.reset([{ base: kernel.memory.alloc(512), len: 512 }]);
 * assertEquals(blkdevWriteIter(iocb), -ENOSPC);
 * ```
 */
export function blkdevWriteIter(iocb: Kiocb): MaybeTask<number> {
  const room = iocb.kiFilp.fInode.iSize - iocb.kiPos;
  if (iocb.iter.count === 0) return 0;
  if (room <= 0) return -ENOSPC;
  const cut = truncate(iocb, room);
  const { count } = iocb.iter;
  const written = genericFileDirectWrite(iocb);
  if (typeof written !== "number") return writeLater(iocb, count, cut, written);
  // Most requests are queued, and may be gone.
  if (written === -EIOCBQUEUED) return written;
  return written < 0 || (written === count && !iocb.needsSync)
    ? reexpand(iocb, cut, written)
    : writeRest(iocb, count, cut, written);
}

function* writeLater(
  iocb: Kiocb,
  count: number,
  cut: number,
  writing: Task<number>,
): Task<number> {
  const written = yield* writing;
  return written < 0
    ? reexpand(iocb, cut, written)
    : yield* writeRest(iocb, count, cut, written);
}

/** What is left to do of a write that has come to so many bytes. */
function* writeRest(
  iocb: Kiocb,
  count: number,
  cut: number,
  direct: number,
): Task<number> {
  const { iter } = iocb;
  let written = direct;
  if (direct < count) {
    iter.revert(count - iter.count);
    iter.advance(direct);
    const buffered = yield* directWriteFallback(iocb, iter);
    written = buffered < 0 ? direct || buffered : direct + buffered;
  }
  reexpand(iocb, cut, written);
  if (written <= 0 || !iocb.needsSync) return written;
  const error = yield* genericWriteSync(iocb, iocb.kiPos - written, written);
  return error < 0 ? error : written;
}

/**
 * `blkdev_read_iter()`: a direct read, cut at the end of the device; what it
 * leaves undone comes from the page cache.
 *
 * @param iocb The request.
 * @returns Bytes, a negative errno, or `-EIOCBQUEUED`; 0 at the end of the
 * device.
 *
 * @example At the end of the device
 * ```ts
 * import { blkdevReadIter, Kernel, O_DIRECT } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { Blkdev } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel({ profile: "v6.1" });
 * const device = new MemoryDevice({ sizeBytes: 4096 });
 * device.attach(kernel);
 * const fInode = new Blkdev(kernel, device).createFile({ size: 4096, extents: [] });
 * const iocb = kernel.aio.cache.alloc()!;
 * iocb.kiFilp = { fInode, fFlags: O_DIRECT };
 * iocb.kiPos = 4096;
 * iocb.iter.reset([{ base: kernel.memory.alloc(512), len: 512 }]);
 * assertEquals(blkdevReadIter(iocb), 0);
 * ```
 */
export function blkdevReadIter(iocb: Kiocb): MaybeTask<number> {
  const room = iocb.kiFilp.fInode.iSize - iocb.kiPos;
  if (room <= 0) return 0;
  const cut = truncate(iocb, room);
  const read = genericFileAioRead(iocb);
  return typeof read === "number"
    ? reexpand(iocb, cut, read)
    : readLater(iocb, cut, read);
}

function* readLater(
  iocb: Kiocb,
  cut: number,
  reading: Task<number>,
): Task<number> {
  return reexpand(iocb, cut, yield* reading);
}

/** Cuts a buffer; gives by how much. */
function truncate({ iter }: Kiocb, room: number): number {
  const cut = Math.max(iter.count - room, 0);
  iter.count -= cut;
  return cut;
}

/** Undoes a cut, unless the request is queued: it may be gone then. */
function reexpand(iocb: Kiocb, cut: number, ret: number): number {
  if (ret !== -EIOCBQUEUED) iocb.iter.count += cut;
  return ret;
}

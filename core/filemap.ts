/**
 * The file operations that call a filesystem's `directIO`: locking, sizes,
 * positions, and what makes a write stable.
 *
 * Source: mm/filemap.c, fs/sync.c.
 *
 * @module
 */

import type { Kiocb } from "./aio.ts";
import { READ, type Rw, WRITE } from "./bio.ts";
import type { BlockDevice } from "./block_device.ts";
import { EV } from "./events.ts";
import type { Inode } from "./fs.ts";
import type { Kernel } from "./kernel.ts";
import type { Mutex } from "./lock.ts";
import { finish, type MaybeTask, type Task } from "./step.ts";

/**
 * `generic_file_aio_write()`: a direct write under `i_mutex`, which moves
 * position and size when bytes were written; and for O_DSYNC the write-sync
 * after it, unless the completion does that.
 *
 * @param iocb The request.
 * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
 *
 * @example
 * ```ts
 * import { genericFileAioWrite } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(typeof genericFileAioWrite, "function");
 * ```
 */
export function genericFileAioWrite(iocb: Kiocb): MaybeTask<number> {
  const { iMutex, iSb: { kernel } } = iocb.kiFilp.fInode;
  kernel.mightSleep("mutex_lock");
  return iMutex.mustWait(kernel)
    ? writeWaiting(iocb, iMutex, kernel)
    : writeLocked(iocb);
}

function* writeWaiting(
  iocb: Kiocb,
  iMutex: Mutex,
  kernel: Kernel,
): Task<number> {
  yield iMutex.request(kernel);
  return yield* finish(writeLocked(iocb));
}

/** The write, once `i_mutex` can be had. */
function writeLocked(iocb: Kiocb): MaybeTask<number> {
  const inode = iocb.kiFilp.fInode;
  const { kernel } = inode.iSb;
  inode.iMutex.take(kernel);
  const direct = genericFileDirectWrite(iocb);
  if (typeof direct !== "number") return writeUnlocking(iocb, inode, direct);
  inode.iMutex.unlock(kernel);
  return direct > 0 ? writeSyncing(iocb, direct) : direct;
}

function* writeUnlocking(
  iocb: Kiocb,
  inode: Inode,
  direct: Task<number>,
): Task<number> {
  const written = yield* direct;
  inode.iMutex.unlock(inode.iSb.kernel);
  return written > 0 ? yield* writeSyncing(iocb, written) : written;
}

/** The end of a write that has written bytes. */
function* writeSyncing(iocb: Kiocb, written: number): Task<number> {
  if (!iocb.needsSync) return written;
  const error = yield* genericWriteSync(iocb, iocb.kiPos - written, written);
  return error < 0 ? error : written;
}

/**
 * `generic_file_direct_write()`: a direct write under whatever lock the
 * filesystem has for it. Position and size move when bytes were written.
 *
 * @param iocb The request; may be gone afterwards if it is queued.
 * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
 *
 * @example
 * ```ts
 * import {
 *   genericFileDirectWrite,
 *   Inode,
 *   Kernel,
 *   O_DIRECT,
 *   SuperBlock,
 * } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * const fs = { name: "nofs", directIO: () => -5 };
 * const sb = new SuperBlock(kernel, device, 12, fs);
 * const iocb = kernel.aio.cache.alloc()!;
 * iocb.kiFilp = { fInode: new Inode(sb, 12, 0), fFlags: O_DIRECT };
 * assertEquals(genericFileDirectWrite(iocb), -5);
 * ```
 */
export function genericFileDirectWrite(iocb: Kiocb): MaybeTask<number> {
  const inode = iocb.kiFilp.fInode;
  const { kernel, fs } = inode.iSb;
  // A request that is queued may be gone when it is looked at again.
  const { id } = iocb;
  if (kernel.tracing) traceDirectIO(iocb, inode, WRITE);
  const direct = fs.directIO(WRITE, iocb, iocb.iter, iocb.kiPos);
  return typeof direct === "number"
    ? directWritten(iocb, id, inode, direct)
    : directWriting(iocb, id, inode, direct);
}

function* directWriting(
  iocb: Kiocb,
  id: number,
  inode: Inode,
  direct: Task<number>,
): Task<number> {
  return yield* finish(directWritten(iocb, id, inode, yield* direct));
}

/** What follows a direct write: nothing, unless it has written bytes. */
function directWritten(
  iocb: Kiocb,
  id: number,
  inode: Inode,
  written: number,
): MaybeTask<number> {
  const { kernel } = inode.iSb;
  if (kernel.tracing) {
    kernel.emit(EV.direct_IO_return, id, inode.iIno, written);
  }
  return written > 0 ? bytesWritten(iocb, inode, written) : written;
}

function* bytesWritten(
  iocb: Kiocb,
  inode: Inode,
  written: number,
): Task<number> {
  const end = iocb.kiPos + written;
  if (inode.iSb.kernel.stepping) yield inode.sizeStep;
  if (end > inode.iSize) yield* inode.sizeWrite(end);
  iocb.kiPos = end;
  return written;
}

/**
 * `generic_file_aio_read()` for O_DIRECT: reads below the end of the file
 * only.
 *
 * @param iocb The request.
 * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
 *
 * @example
 * ```ts
 * import { genericFileAioRead } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(typeof genericFileAioRead, "function");
 * ```
 */
export function genericFileAioRead(iocb: Kiocb): MaybeTask<number> {
  const inode = iocb.kiFilp.fInode;
  return inode.iSb.kernel.stepping
    ? readStepping(iocb, inode)
    : readBelowSize(iocb, inode);
}

function* readStepping(iocb: Kiocb, inode: Inode): Task<number> {
  yield inode.sizeStep;
  return yield* finish(readBelowSize(iocb, inode));
}

function readBelowSize(iocb: Kiocb, inode: Inode): MaybeTask<number> {
  const { kernel, fs } = inode.iSb;
  const { id, kiPos: offset } = iocb;
  if (offset >= inode.iSize) return 0;
  if (kernel.tracing) traceDirectIO(iocb, inode, READ);
  const direct = fs.directIO(READ, iocb, iocb.iter, offset);
  return typeof direct === "number"
    ? directRead(iocb, id, inode, direct)
    : directReading(iocb, id, inode, direct);
}

function* directReading(
  iocb: Kiocb,
  id: number,
  inode: Inode,
  direct: Task<number>,
): Task<number> {
  return directRead(iocb, id, inode, yield* direct);
}

/** What follows a direct read: the position, if it has read bytes. */
function directRead(
  iocb: Kiocb,
  id: number,
  inode: Inode,
  read: number,
): number {
  const { kernel } = inode.iSb;
  if (kernel.tracing) kernel.emit(EV.direct_IO_return, id, inode.iIno, read);
  if (read > 0) iocb.kiPos += read;
  return read;
}

/**
 * `generic_write_sync()`: makes a write stable, with the metadata that is
 * needed to reach it.
 *
 * @param iocb The request; its file or inode asks for it.
 * @param offset First byte in the file.
 * @param bytes How many.
 * @returns 0 or a negative errno.
 *
 * @example
 * ```ts
 * import { genericWriteSync } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(typeof genericWriteSync, "function");
 * ```
 */
export function* genericWriteSync(
  iocb: Kiocb,
  offset: number,
  bytes: number,
): Task<number> {
  const inode = iocb.kiFilp.fInode;
  const { kernel, fs, sBdev } = inode.iSb;
  kernel.mightSleep("vfs_fsync_range");
  const { id } = iocb;
  const ret = fs.fsync
    ? yield* finish(fs.fsync(inode))
    : yield* blkdevIssueFlush(kernel, sBdev);
  if (kernel.tracing) {
    kernel.emit(EV.generic_write_sync, id, inode.iIno, offset, bytes, ret);
  }
  return ret;
}

/**
 * `blkdev_issue_flush()`: makes everything stable that a device has written.
 *
 * @param kernel The kernel.
 * @param bdev The device.
 * @returns 0 or a negative errno.
 *
 * @example
 * ```ts
 * import { blkdevIssueFlush, Kernel } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 4096 });
 * kernel.spawn("sync", blkdevIssueFlush(kernel, device));
 * kernel.run();
 * ```
 */
export function* blkdevIssueFlush(
  kernel: Kernel,
  bdev: BlockDevice,
): Task<number> {
  kernel.mightSleep("blkdev_issue_flush");
  const flushed = bdev.flush();
  const ret = typeof flushed === "number" ? flushed : yield* flushed;
  if (kernel.tracing) {
    kernel.emit(EV.blkdev_issue_flush, kernel.trace.str(bdev.name), ret);
  }
  return ret;
}

function traceDirectIO(iocb: Kiocb, inode: Inode, rw: Rw): void {
  inode.iSb.kernel.emit(
    EV.direct_IO,
    iocb.id,
    inode.iIno,
    rw,
    iocb.kiPos,
    iocb.iter.count,
    Number(iocb.isSync),
    Number(iocb.needsSync),
  );
}

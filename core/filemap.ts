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
import { finish, type Task } from "./step.ts";

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
export function* genericFileAioWrite(iocb: Kiocb): Task<number> {
  const inode = iocb.kiFilp.fInode;
  const { kernel, fs } = inode.iSb;
  const { iMutex } = inode;
  const { id, kiPos: offset } = iocb;
  // A request that is queued may be gone when it is looked at again.
  const { needsSync } = iocb;
  kernel.mightSleep("mutex_lock");
  if (iMutex.mustWait(kernel)) yield iMutex.request(kernel);
  iMutex.take(kernel);
  if (kernel.tracing) traceDirectIO(iocb, inode, WRITE);
  const direct = fs.directIO(WRITE, iocb, iocb.iter, offset);
  const written = typeof direct === "number" ? direct : yield* direct;
  if (kernel.tracing) {
    kernel.emit(EV.direct_IO_return, id, inode.iIno, written);
  }
  if (written > 0) {
    if (kernel.stepping) yield inode.sizeStep;
    const end = offset + written;
    if (end > inode.iSize) yield* inode.sizeWrite(end);
    iocb.kiPos = end;
  }
  iMutex.unlock(kernel);
  if (written <= 0 || !needsSync) return written;
  const error = yield* genericWriteSync(iocb, offset, written);
  return error < 0 ? error : written;
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
export function* genericFileAioRead(iocb: Kiocb): Task<number> {
  const inode = iocb.kiFilp.fInode;
  const { kernel, fs } = inode.iSb;
  const offset = iocb.kiPos;
  if (kernel.stepping) yield inode.sizeStep;
  if (offset >= inode.iSize) return 0;
  const { id } = iocb;
  if (kernel.tracing) traceDirectIO(iocb, inode, READ);
  const direct = fs.directIO(READ, iocb, iocb.iter, offset);
  const read = typeof direct === "number" ? direct : yield* direct;
  if (kernel.tracing) kernel.emit(EV.direct_IO_return, id, inode.iIno, read);
  if (read > 0) iocb.kiPos = offset + read;
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

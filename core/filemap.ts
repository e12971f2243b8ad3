/**
 * Writes of a file, through its filesystem's `directIO` or the page cache:
 * locking, what is cached, sizes and positions.
 *
 * Source: mm/filemap.c.
 *
 * @module
 */

import type { Kiocb } from "./aio.ts";
import { WRITE } from "./bio.ts";
import { EBUSY, EINVAL } from "./errno.ts";
import {
  directWriteFallback,
  genericPerformWrite,
  iSizeExtend,
} from "./filemap_buffered.ts";
import {
  needsFallback,
  skipTo,
  traceDirectIO,
  traceReturn,
} from "./filemap_direct.ts";
import { type Inode, O_APPEND, O_DIRECT } from "./fs.ts";
import { IOCB_NOWAIT } from "./iocb_flags.ts";
import type { Kernel } from "./kernel.ts";
import type { Mutex } from "./lock.ts";
import { PAGE_SIZE } from "./page.ts";
import {
  dioWarnStalePagecache,
  filemapRangeHasPage,
  filemapWriteAndWaitRange,
  invalidateInodePages2Range,
} from "./page_cache.ts";
import { finish, type MaybeTask, type Task } from "./step.ts";
import { genericWriteSync } from "./sync.ts";

/**
 * `generic_file_aio_write()`: a write under `i_mutex`; and for O_DSYNC the
 * write-sync after it, unless the completion does that.
 *
 * @param iocb The request.
 * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
 *
 * @example
 * ```ts
 * import { runScenario, scenarioById } from "@endio/dio/conformance";
 * import { genericFileAioWrite as aioWrite } from "@endio/dio/core";
 * import { MODELS, type ModelSpec } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const mount: ModelSpec["mount"] = (...where) =>
 *   Object.assign(MODELS[0]!.mount(...where), { aioWrite });
 * const run = runScenario({ name: "mine", mount }, scenarioById("sync-write"));
 * assertEquals(run.results, [[4096, 4096]]);
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
  const done = genericFileAioWriteNolock(iocb);
  if (typeof done !== "number") return writeUnlocking(iocb, inode, done);
  inode.iMutex.unlock(kernel);
  return done > 0 ? writeSyncing(iocb, done) : done;
}

function* writeUnlocking(
  iocb: Kiocb,
  inode: Inode,
  writing: Task<number>,
): Task<number> {
  const written = yield* writing;
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
 * `__generic_file_aio_write()`: a write under `i_mutex`, which the caller has
 * taken. Directly, as far as that goes, and the rest through the page cache;
 * or all of it, for a file without O_DIRECT.
 *
 * @param iocb The request; may be gone afterwards if it is queued.
 * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
 *
 * @example
 * ```ts
 * import { genericFileAioWriteNolock, Inode, Kernel, O_DIRECT, SuperBlock } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * const fs = { name: "nofs", directIO: () => 0 };
 * const sb = new SuperBlock(kernel, device, 12, fs);
 * const iocb = kernel.aio.cache.alloc()!;
 * iocb.kiFilp = { fInode: new Inode(sb, 12, 0), fFlags: O_DIRECT };
 * iocb.iter.reset([]);
 * assertEquals(genericFileAioWriteNolock(iocb), 0);
 * ```
 */
export function genericFileAioWriteNolock(iocb: Kiocb): MaybeTask<number> {
  const { kiFilp: { fFlags, fInode }, iter } = iocb;
  const { count } = iter;
  const mode = fFlags & (O_APPEND | O_DIRECT);
  if (mode !== O_DIRECT) return writeOtherwise(iocb, mode);
  if (count === 0) return 0;
  const direct = genericFileDirectWrite(iocb);
  if (typeof direct !== "number") return writingDirectly(iocb, count, direct);
  return direct >= 0 && needsFallback(fInode, direct, count)
    ? writeRest(iocb, count, direct)
    : direct;
}

function* writeOtherwise(iocb: Kiocb, mode: number): Task<number> {
  const { kiFilp: { fInode }, iter } = iocb;
  const { kernel, fs } = fInode.iSb;
  if (iter.count === 0) return 0;
  if ((mode & O_APPEND) !== 0) {
    if (kernel.stepping) yield fInode.sizeStep;
    iocb.kiPos = fInode.iSize;
  }
  if ((mode & O_DIRECT) !== 0) {
    const { count } = iter;
    return yield* writingDirectly(iocb, count, genericFileDirectWrite(iocb));
  }
  if (fs.getBlock === undefined) return -EINVAL;
  const written = yield* genericPerformWrite(iocb, iter, iocb.kiPos);
  if (written > 0) iocb.advance(written);
  return written;
}

function* writingDirectly(
  iocb: Kiocb,
  count: number,
  writing: MaybeTask<number>,
): Task<number> {
  const inode = iocb.kiFilp.fInode;
  const direct = yield* finish(writing);
  return needsFallback(inode, direct, count)
    ? yield* writeRest(iocb, count, direct)
    : direct;
}

/** What was not written directly. */
function* writeRest(
  iocb: Kiocb,
  count: number,
  direct: number,
): Task<number> {
  skipTo(iocb.iter, count, direct);
  const buffered = yield* directWriteFallback(iocb, iocb.iter);
  return buffered < 0 ? direct || buffered : direct + buffered;
}

/**
 * `generic_file_direct_write()`: a direct write under whatever lock the
 * filesystem has for it. What is cached of the range is written back and
 * dropped before it, and dropped again after it. Position and size move when
 * bytes were written.
 *
 * @param iocb The request; may be gone afterwards if it is queued.
 * @returns Bytes, 0 also when a cached page could not be dropped; a negative
 * errno; or `-EIOCBQUEUED`.
 *
 * @example
 * ```ts
 * import { runScenario, scenarioById } from "@endio/dio/conformance";
 * import { genericFileDirectWrite as aioWrite } from "@endio/dio/core";
 * import { MODELS, type ModelSpec } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const mount: ModelSpec["mount"] = (...where) =>
 *   Object.assign(MODELS[0]!.mount(...where), { aioWrite });
 * const run = runScenario({ name: "mine", mount }, scenarioById("sync-write"));
 * assertEquals(run.results, [[4096, 4096]]);
 * ```
 */
export function genericFileDirectWrite(iocb: Kiocb): MaybeTask<number> {
  const { iMapping, iSb: { kernel } } = iocb.kiFilp.fInode;
  return kernel.stepping || iMapping.nrpages > 0 || iMapping.wbErr !== 0
    ? writeCached(iocb)
    : writeDirectly(iocb);
}

/** A direct write that looks into the cache first. */
function* writeCached(iocb: Kiocb): Task<number> {
  const inode = iocb.kiFilp.fInode;
  const { iMapping, iSb: { kernel } } = inode;
  const { kiPos: pos, iter: { count } } = iocb;
  const end = pos + count - 1;
  const error = yield* finish(
    (iocb.kiFlags & IOCB_NOWAIT) === 0
      ? filemapWriteAndWaitRange(inode, pos, end)
      : filemapRangeHasPage(inode, pos, end),
  );
  if (error !== 0) return error;
  if (kernel.stepping) yield iMapping.readStep;
  if (iMapping.nrpages > 0) {
    const busy = yield* invalidate(inode, pos, count);
    // All of it goes through the cache then.
    if (busy !== 0) return busy === -EBUSY ? 0 : busy;
  }
  return yield* finish(writeDirectly(iocb));
}

function invalidate(inode: Inode, pos: number, count: number): Task<number> {
  return invalidateInodePages2Range(
    inode,
    Math.floor(pos / PAGE_SIZE),
    Math.floor((pos + count - 1) / PAGE_SIZE),
  );
}

function writeDirectly(iocb: Kiocb): MaybeTask<number> {
  const inode = iocb.kiFilp.fInode;
  const { kernel, fs } = inode.iSb;
  // A request that is queued may be gone when it is looked at again.
  const { id, kiPos: pos, iter: { count } } = iocb;
  const { iSize } = inode;
  if (kernel.tracing) traceDirectIO(iocb, inode, WRITE);
  const direct = fs.directIO(WRITE, iocb, iocb.iter, pos);
  if (typeof direct !== "number") {
    return writeLater(iocb, id, inode, pos, count, iSize, direct);
  }
  traceReturn(inode, id, direct);
  return direct > 0 || kernel.stepping || inode.nrpages > 0
    ? bytesWritten(iocb, inode, pos, count, iSize, direct)
    : direct;
}

function* writeLater(
  iocb: Kiocb,
  id: number,
  inode: Inode,
  pos: number,
  count: number,
  iSize: number,
  writing: Task<number>,
): Task<number> {
  const written = yield* writing;
  traceReturn(inode, id, written);
  return yield* bytesWritten(iocb, inode, pos, count, iSize, written);
}

/**
 * What follows a direct write. Where its completion drops cached pages, only
 * those of filesystems that have no such completion are left to be dropped.
 *
 * The size follows a write that went behind `iSize`, the one before it. Linux
 * 3.12 looks only at the one after it: an overwrite of ext4, for which
 * `i_mutex` was released, undoes a truncate that came in between.
 */
function* bytesWritten(
  iocb: Kiocb,
  inode: Inode,
  pos: number,
  count: number,
  iSize: number,
  written: number,
): Task<number> {
  const { iMapping, iSb: { kernel } } = inode;
  const { invalidateAfter } = kernel.profile;
  if (kernel.stepping) yield iMapping.readStep;
  if (iMapping.nrpages > 0 && (written > 0 || !invalidateAfter)) {
    const busy = yield* invalidate(inode, pos, count);
    if (busy !== 0 && invalidateAfter) dioWarnStalePagecache(iocb.kiFilp);
  }
  if (written <= 0) return written;
  if (kernel.stepping) yield inode.sizeStep;
  const end = pos + written;
  if (end > iSize && end > inode.iSize) yield* iSizeExtend(inode, end);
  iocb.advance(written);
  return written;
}

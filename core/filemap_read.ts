/**
 * Reads of a file, through its filesystem's `directIO` or the page cache.
 *
 * Source: mm/filemap.c.
 *
 * @module
 */

import type { Kiocb } from "./aio.ts";
import { READ } from "./bio.ts";
import { EINVAL } from "./errno.ts";
import { doGenericFileRead } from "./filemap_buffered.ts";
import {
  needsFallback,
  skipTo,
  traceDirectIO,
  traceReturn,
} from "./filemap_direct.ts";
import { type Inode, O_DIRECT } from "./fs.ts";
import {
  filemapRangeNeedsWriteback,
  filemapWriteAndWaitRange,
} from "./page_cache.ts";
import { IOCB_NOWAIT } from "./iocb_flags.ts";
import { finish, type MaybeTask, type Task } from "./step.ts";

/**
 * `generic_file_aio_read()`: what the file holds, directly; what a direct read
 * leaves below the end of the file, and all of it for a file without O_DIRECT,
 * from the page cache.
 *
 * @param iocb The request.
 * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
 *
 * @example
 * ```ts
 * import { runScenario, scenarioById } from "@endio/dio/conformance";
 * import { genericFileAioRead as aioRead } from "@endio/dio/core";
 * import { MODELS, type ModelSpec } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const mount: ModelSpec["mount"] = (...where) =>
 *   Object.assign(MODELS[0]!.mount(...where), { aioRead });
 * const run = runScenario({ name: "mine", mount }, scenarioById("sync-write"));
 * assertEquals(run.results, [[4096, 4096]]);
 * ```
 */
export function genericFileAioRead(iocb: Kiocb): MaybeTask<number> {
  const { kiFilp: { fFlags, fInode: inode }, iter } = iocb;
  const { iMapping, iSb: { kernel, fs } } = inode;
  if (iter.count === 0) return 0;
  if ((fFlags & O_DIRECT) === 0) {
    return fs.getBlock ? doGenericFileRead(iocb, iter) : -EINVAL;
  }
  if (kernel.stepping || iMapping.nrpages > 0 || iMapping.wbErr !== 0) {
    return readCached(iocb, inode);
  }
  return isBehindEnd(iocb, inode) ? 0 : readDirectly(iocb);
}

/** Whether the caller has to find out that nothing is there to be read. */
function isBehindEnd({ kiPos }: Kiocb, inode: Inode): boolean {
  const { size } = inode.iSb.kernel.profile.entry;
  return size === "by-caller" && kiPos >= inode.iSize;
}

/** A direct read that looks into the cache first. */
function* readCached(iocb: Kiocb, inode: Inode): Task<number> {
  const { kernel } = inode.iSb;
  const { kiPos: pos, iter: { count } } = iocb;
  if (kernel.stepping) yield inode.sizeStep;
  if (isBehindEnd(iocb, inode)) return 0;
  const end = pos + count - 1;
  const error = yield* finish(
    (iocb.kiFlags & IOCB_NOWAIT) === 0
      ? filemapWriteAndWaitRange(inode, pos, end)
      : filemapRangeNeedsWriteback(inode, pos, end),
  );
  return error === 0 ? yield* finish(readDirectly(iocb)) : error;
}

function readDirectly(iocb: Kiocb): MaybeTask<number> {
  const inode = iocb.kiFilp.fInode;
  const { kernel, fs } = inode.iSb;
  const { id, iter: { count } } = iocb;
  if (kernel.tracing) traceDirectIO(iocb, inode, READ);
  const direct = fs.directIO(READ, iocb, iocb.iter, iocb.kiPos);
  return typeof direct === "number"
    ? directRead(iocb, id, inode, count, direct)
    : readLater(iocb, id, inode, count, direct);
}

function* readLater(
  iocb: Kiocb,
  id: number,
  inode: Inode,
  count: number,
  reading: Task<number>,
): Task<number> {
  const read = yield* reading;
  return yield* finish(directRead(iocb, id, inode, count, read));
}

/** What follows a direct read: the position, if it has read bytes. */
function directRead(
  iocb: Kiocb,
  id: number,
  inode: Inode,
  count: number,
  read: number,
): MaybeTask<number> {
  traceReturn(inode, id, read);
  if (read > 0) iocb.advance(read);
  return needsFallback(inode, read, count)
    ? readRest(iocb, inode, count, read)
    : read;
}

/** What was not read directly, if it is not behind the end of the file. */
function* readRest(
  iocb: Kiocb,
  inode: Inode,
  count: number,
  read: number,
): Task<number> {
  if (inode.iSb.kernel.stepping) yield inode.sizeStep;
  if (iocb.kiPos >= inode.iSize) return read;
  skipTo(iocb.iter, count, read);
  const buffered = yield* doGenericFileRead(iocb, iocb.iter);
  return buffered < 0 ? read || buffered : read + buffered;
}

/**
 * What makes a file stable.
 *
 * Source: fs/sync.c, block/blk-flush.c.
 *
 * @module
 */

import type { Kiocb } from "./aio.ts";
import type { BlockDevice } from "./block_device.ts";
import { EV } from "./events.ts";
import type { Inode, SuperBlock } from "./fs.ts";
import type { Kernel } from "./kernel.ts";
import { filemapWriteAndWaitRange, LLONG_MAX } from "./page_cache.ts";
import { finish, type Task } from "./step.ts";

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
 * import { runScenario, scenarioById } from "@endio/dio/conformance";
 * import { genericFileAioWrite, genericWriteSync } from "@endio/dio/core";
 * import { MODELS, type ModelSpec } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const model: ModelSpec = {
 *   name: "mine",
 *   mount: (kernel, bdev) => {
 *     const fs = MODELS[0]!.mount(kernel, bdev);
 *     fs.aioWrite = function* (iocb) {
 *       const written = genericFileAioWrite(iocb);
 *       const bytes = typeof written === "number" ? written : yield* written;
 *       return (yield* genericWriteSync(iocb, 0, bytes)) || bytes;
 *     };
 *     return fs;
 *   },
 * };
 * const { results } = runScenario(model, scenarioById("sync-write"));
 * assertEquals(results, [[4096, 4096]]);
 * ```
 */
export function* genericWriteSync(
  iocb: Kiocb,
  offset: number,
  bytes: number,
): Task<number> {
  const inode = iocb.kiFilp.fInode;
  const { kernel } = inode.iSb;
  kernel.mightSleep("vfs_fsync_range");
  const { id } = iocb;
  const ret = yield* vfsFsyncRange(inode, offset, offset + bytes - 1);
  if (kernel.tracing) {
    kernel.emit(EV.generic_write_sync, id, inode.iIno, offset, bytes, ret);
  }
  return ret;
}

/**
 * `vfs_fsync_range()`: makes a part of a file stable. A filesystem without an
 * fsync of its own has what is cached written back, and the device flushed.
 *
 * @param inode The file.
 * @param start First byte.
 * @param end Last byte.
 * @returns 0 or a negative errno.
 *
 * @example
 * ```ts
 * import { Inode, Kernel, SuperBlock, vfsFsyncRange } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * const fs = { name: "nofs", directIO: () => 0 };
 * const inode = new Inode(new SuperBlock(kernel, device, 12, fs), 12, 8192);
 * assertEquals(kernel.boot(vfsFsyncRange(inode, 0, 8191)), 0);
 * ```
 */
export function* vfsFsyncRange(
  inode: Inode,
  start: number,
  end: number,
): Task<number> {
  const { kernel, fs, sBdev } = inode.iSb;
  if (fs.fsync) return yield* finish(fs.fsync(inode));
  const error = yield* finish(filemapWriteAndWaitRange(inode, start, end));
  const ret = yield* blkdevIssueFlush(kernel, sBdev);
  return error || ret;
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
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 4096 });
 * assertEquals(kernel.boot(blkdevIssueFlush(kernel, device)), 0);
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

/**
 * `vfs_fsync()`: makes a file stable.
 *
 * @param inode The file.
 * @returns 0 or a negative errno.
 *
 * @example
 * ```ts
 * import { Kernel, vfsFsync } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { PlainFilesystem } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * device.attach(kernel);
 * const inode = new PlainFilesystem(kernel, device)
 *   .createFile({ size: 0, extents: [] });
 * assertEquals(kernel.boot(vfsFsync(inode)), 0);
 * ```
 */
export function* vfsFsync(inode: Inode): Task<number> {
  const { kernel } = inode.iSb;
  const ret = yield* vfsFsyncRange(inode, 0, LLONG_MAX);
  if (kernel.tracing) kernel.emit(EV.fsync, inode.iIno, ret);
  return ret;
}

/**
 * `sync_filesystem()`: writes back what is cached of every file, and lets the
 * filesystem come to an end of its own.
 *
 * @param sb The filesystem.
 *
 * @example
 * ```ts
 * import { Kernel, SuperBlock, syncFilesystem } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * let synced = 0;
 * const fs = { name: "nofs", directIO: () => 0, syncFs: () => void synced++ };
 * kernel.boot(syncFilesystem(new SuperBlock(kernel, device, 12, fs)));
 * assertEquals(synced, 1);
 * ```
 */
export function* syncFilesystem(sb: SuperBlock): Task<void> {
  const { fs } = sb;
  for (const inode of sb.inodes) {
    yield* finish(filemapWriteAndWaitRange(inode, 0, LLONG_MAX));
  }
  if (fs.syncFs) yield* finish(fs.syncFs(sb));
}

/**
 * `syncfs()`: makes everything stable that was reported before.
 *
 * @param sb The filesystem.
 * @returns 0 or a negative errno.
 *
 * @example
 * ```ts
 * import { Kernel, SuperBlock, syncfs } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * device.attach(kernel);
 * const fs = { name: "nofs", directIO: () => 0 };
 * const sb = new SuperBlock(kernel, device, 12, fs);
 * kernel.spawn("sync", (function* () {
 *   assertEquals(yield* syncfs(sb), 0);
 * })());
 * assertEquals(kernel.run().hung, null);
 * ```
 */
export function* syncfs(sb: SuperBlock): Task<number> {
  yield* syncFilesystem(sb);
  return yield* blkdevIssueFlush(sb.kernel, sb.sBdev);
}

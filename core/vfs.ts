/**
 * The system calls around a file that are not reads or writes.
 *
 * Source: fs/open.c.
 *
 * @module
 */

import { EOPNOTSUPP } from "./errno.ts";
import { EV } from "./events.ts";
import type { Inode } from "./fs.ts";
import { finish, type Task } from "./step.ts";

/**
 * `do_truncate()`: changes a file's size under `i_mutex`.
 *
 * @param inode The file.
 * @param size The new size in bytes.
 * @returns 0 or a negative errno; `-EOPNOTSUPP` if the filesystem cannot.
 *
 * @example
 * ```ts
 * import { doTruncate, Kernel } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { PlainFilesystem } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * device.attach(kernel);
 * const inode = new PlainFilesystem(kernel, device)
 *   .createFile({ size: 8192, extents: [] });
 * kernel.spawn("truncate", doTruncate(inode, 100));
 * kernel.run();
 * assertEquals(inode.iSize, 100);
 * ```
 */
export function* doTruncate(inode: Inode, size: number): Task<number> {
  const { kernel, fs } = inode.iSb;
  if (fs.truncate === undefined) return -EOPNOTSUPP;
  yield* inode.iMutex.lock(kernel);
  if (kernel.tracing) kernel.emit(EV.truncate, inode.iIno, size);
  const ret = yield* finish(fs.truncate(inode, size));
  if (kernel.tracing) kernel.emit(EV.truncate_return, inode.iIno, ret);
  inode.iMutex.unlock(kernel);
  return ret;
}

/**
 * `vfs_fallocate()`: allocates unwritten blocks under `i_mutex`.
 *
 * @param inode The file.
 * @param offset First byte.
 * @param bytes How many.
 * @returns 0 or a negative errno; `-EOPNOTSUPP` if the filesystem cannot.
 *
 * @example
 * ```ts
 * import { Kernel, vfsFallocate } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { Ext4 } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * device.attach(kernel);
 * const inode = new Ext4(kernel, device).createFile({ size: 0, extents: [] });
 * kernel.spawn("fallocate", vfsFallocate(inode, 0, 8192));
 * kernel.run();
 * assertEquals(inode.extents.lookup(0).state, "unwritten");
 * ```
 */
export function* vfsFallocate(
  inode: Inode,
  offset: number,
  bytes: number,
): Task<number> {
  const { kernel, fs } = inode.iSb;
  if (fs.fallocate === undefined) return -EOPNOTSUPP;
  yield* inode.iMutex.lock(kernel);
  const ret = yield* finish(fs.fallocate(inode, offset, bytes));
  inode.iMutex.unlock(kernel);
  return ret;
}

/**
 * `vfs_fallocate()` with `FALLOC_FL_PUNCH_HOLE`: gives blocks back from the
 * middle of a file, under `i_mutex`.
 *
 * @param inode The file.
 * @param offset First byte, a whole number of blocks.
 * @param bytes How many, a whole number of blocks.
 * @returns 0 or a negative errno; `-EOPNOTSUPP` if the filesystem cannot.
 *
 * @example
 * ```ts
 * import { Kernel, vfsPunchHole } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { PlainFilesystem } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * device.attach(kernel);
 * const inode = new PlainFilesystem(kernel, device).createFile({
 *   size: 8192,
 *   extents: [{ offset: 0, bytes: 8192, state: "written" }],
 * });
 * kernel.spawn("fallocate", vfsPunchHole(inode, 4096, 4096));
 * kernel.run();
 * assertEquals(inode.extents.lookup(1).state, "hole");
 * ```
 */
export function* vfsPunchHole(
  inode: Inode,
  offset: number,
  bytes: number,
): Task<number> {
  const { kernel, fs } = inode.iSb;
  if (fs.punchHole === undefined) return -EOPNOTSUPP;
  yield* inode.iMutex.lock(kernel);
  if (kernel.tracing) {
    kernel.emit(EV.punch_hole, inode.iIno, offset, bytes);
  }
  const ret = yield* finish(fs.punchHole(inode, offset, bytes));
  if (kernel.tracing) kernel.emit(EV.punch_hole_return, inode.iIno, ret);
  inode.iMutex.unlock(kernel);
  return ret;
}

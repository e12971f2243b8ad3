/**
 * The end of a mounted filesystem.
 *
 * Source: fs/super.c.
 *
 * @module
 */

import { EV } from "./events.ts";
import { checkUnpinned } from "./file.ts";
import type { SuperBlock } from "./fs.ts";
import {
  filemapWriteAndWaitRange,
  LLONG_MAX,
  truncatePagecache,
} from "./page_cache.ts";
import { finish, type Task } from "./step.ts";

/**
 * `generic_shutdown_super()`: what an unmount does, in its order. Inodes are
 * evicted, the completion workqueue is drained and destroyed, and only then
 * the filesystem is taken apart.
 *
 * @param sb The filesystem.
 * @throws {KernelBug} If somebody has a file of it open.
 *
 * @example
 * ```ts
 * import { genericShutdownSuper, Kernel, SuperBlock } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ name: "sda", sizeBytes: 1 << 20 });
 * const fs = { name: "nofs", directIO: () => 0 };
 * kernel.spawn("umount", genericShutdownSuper(new SuperBlock(kernel, device, 12, fs)));
 * kernel.run();
 * assertEquals(kernel.trace.event(kernel.trace.count - 1).ev, "put_super");
 * ```
 */
export function* genericShutdownSuper(sb: SuperBlock): Task<void> {
  const { kernel, fs } = sb;
  checkUnpinned(sb.openFiles, sb.sId);
  for (const inode of sb.inodes) {
    yield* finish(filemapWriteAndWaitRange(inode, 0, LLONG_MAX));
  }
  if (fs.syncFs) yield* finish(fs.syncFs(sb));
  if (kernel.tracing) kernel.emit(EV.evict_inodes, kernel.trace.str(sb.sId));
  for (const inode of sb.inodes) {
    yield* truncatePagecache(inode, 0);
    if (fs.evictInode) yield* finish(fs.evictInode(inode));
  }
  sb.inodes.length = 0;
  if (sb.sDioDoneWq !== null) {
    yield* sb.sDioDoneWq.destroy();
    sb.sDioDoneWq = null;
  }
  if (fs.putSuper) yield* finish(fs.putSuper(sb));
  if (kernel.tracing) kernel.emit(EV.put_super, kernel.trace.str(sb.sId));
}

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
import { truncatePagecache } from "./page_cache.ts";
import { finish, SCHEDULE, type Task } from "./step.ts";
import { syncFilesystem } from "./sync.ts";
import { WaitQueue } from "./wait.ts";

/**
 * `umount()` with `MNT_DETACH`: takes the filesystem apart when the last file
 * is closed, which may be a request in flight that keeps it open.
 *
 * @param sb The filesystem.
 *
 * @example
 * ```ts
 * import { filpClose, filpOpen, Inode, Kernel, O_DIRECT, SuperBlock, umount } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ name: "sda", sizeBytes: 1 << 20 });
 * const fs = { name: "nofs", directIO: () => 0 };
 * const sb = new SuperBlock(kernel, device, 12, fs);
 * const file = filpOpen(new Inode(sb, 12, 8192), O_DIRECT);
 * kernel.spawn("umount", umount(sb));
 * kernel.spawn("close", filpClose(file));
 * kernel.run();
 * const names = [...kernel.trace.events()].map(({ ev }) => ev);
 * assertEquals(names.indexOf("put_super") > names.indexOf("__fput"), true);
 * ```
 */
export function* umount(sb: SuperBlock): Task<void> {
  const { kernel } = sb;
  kernel.mightSleep("umount");
  if (kernel.stepping) yield sb.openFilesStep;
  const wait = sb.unpinned ??= new WaitQueue(
    kernel,
    `files of ${sb.sId} to be closed`,
    { state: () => `${sb.openFiles} are open` },
  );
  for (;;) {
    if (kernel.stepping) yield wait.step;
    wait.prepareToWait(kernel);
    if (kernel.stepping) yield sb.openFilesStep;
    if (sb.openFiles === 0) break;
    yield SCHEDULE;
  }
  wait.finishWait(kernel);
  yield* genericShutdownSuper(sb);
}

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
  yield* syncFilesystem(sb);
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

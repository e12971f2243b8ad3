/**
 * The simulated kernel in which `struct dio` lives: contexts, locks,
 * workqueues, bios, inodes, and the direct-I/O core itself.
 *
 * Modelled are fs/direct-io.c, the direct I/O of fs/block_dev.c (block/fops.c
 * today), and the parts of fs/aio.c, mm/filemap.c, fs/super.c and
 * kernel/workqueue.c that a completion meets, in the versions that
 * {@linkcode Profile} names. Not modelled: memory ordering below the level of
 * locks and atomics, the page cache and the allocator, multi-queue hardware,
 * and metadata beyond what completions touch.
 *
 * Nothing here touches a clock, a source of randomness or the outside world:
 * a run is determined by its inputs.
 *
 * @example One asynchronous write on a file that is the whole device
 * ```ts
 * import { blockdevDirectIO, Inode, Kernel, O_DIRECT, SuperBlock, WRITE } from "@endio/dio/core";
 * import type { BufferHead, DioOps, Filesystem } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const ops: DioOps = {
 *   getBlock(_inode: Inode, iblock: number, bh: BufferHead) {
 *     bh.map(iblock, bh.bSize);
 *     return 0;
 *   },
 * };
 * const fs: Filesystem = {
 *   name: "identity",
 *   directIO: (rw, iocb, iter, offset) =>
 *     blockdevDirectIO(rw, iocb, iocb.kiFilp.fInode, iter, offset, ops),
 * };
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ name: "sda", sizeBytes: 1 << 20 });
 * device.attach(kernel);
 * const inode = new Inode(new SuperBlock(kernel, device, 12, fs), 12, 1 << 20);
 * const ring = kernel.aio.ioSetup(1);
 * const events: { data: number; res: number }[] = [];
 * kernel.spawn("writer", (function* () {
 *   yield* kernel.aio.ioSubmit(ring, {
 *     file: { fInode: inode, fFlags: O_DIRECT },
 *     rw: WRITE,
 *     iov: [{ base: kernel.memory.alloc(4096), len: 4096 }],
 *     offset: 0,
 *     data: 7,
 *   });
 *   yield* kernel.aio.ioGetevents(ring, 1, events);
 * })());
 * kernel.run();
 * assertEquals(events, [{ data: 7, res: 4096 }]);
 * ```
 *
 * @module
 */

export * from "./address_space.ts";
export * from "./aio.ts";
export * from "./aio_ring.ts";
export * from "./bio.ts";
export * from "./bio_dirty.ts";
export * from "./bio_pages.ts";
export * from "./blkdev_dio.ts";
export * from "./blkdev_dio_end.ts";
export * from "./blkdev_dio_pages.ts";
export * from "./blkdev_dio_simple.ts";
export * from "./blkdev_dio_submit.ts";
export * from "./blkdev_file.ts";
export * from "./block_device.ts";
export * from "./buffer_head.ts";
export * from "./bug.ts";
export * from "./choices.ts";
export * from "./context.ts";
export * from "./dio.ts";
export * from "./dio_await.ts";
export * from "./dio_bio.ts";
export * from "./dio_complete.ts";
export * from "./dio_defer.ts";
export * from "./dio_entry.ts";
export * from "./dio_flags.ts";
export * from "./dio_map.ts";
export * from "./dio_pages.ts";
export * from "./dio_report.ts";
export * from "./dio_section.ts";
export * from "./dio_submit.ts";
export * from "./errno.ts";
export * from "./events.ts";
export * from "./file.ts";
export * from "./filemap.ts";
export * from "./filemap_buffered.ts";
export * from "./filemap_read.ts";
export * from "./filesystem.ts";
export * from "./freeze.ts";
export * from "./fs.ts";
export { waitGraph } from "./hang.ts";
export * from "./inode_dio.ts";
export * from "./iocb_flags.ts";
export * from "./iov_iter.ts";
export * from "./kernel.ts";
export * from "./kernel_options.ts";
export * from "./kioctx.ts";
export * from "./lock.ts";
export * from "./page.ts";
export * from "./page_cache.ts";
export { blockTruncatePage } from "./page_io.ts";
export * from "./partition.ts";
export * from "./pct.ts";
export * from "./prng.ts";
export * from "./profile.ts";
export * from "./references.ts";
export * from "./replay.ts";
export * from "./rwsem.ts";
export * from "./scheduler.ts";
export * from "./slab.ts";
export * from "./step.ts";
export * from "./strategy.ts";
export * from "./super.ts";
export * from "./sync.ts";
export * from "./trace_buffer.ts";
export * from "./vfs.ts";
export * from "./wait.ts";
export * from "./work_item.ts";
export * from "./workqueue.ts";

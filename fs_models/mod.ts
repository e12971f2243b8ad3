/**
 * Filesystem models: what ext4, XFS, ocfs2, a plain filesystem and a block
 * device are to direct I/O, as they were before the 2013 patch and as they were
 * merged where that was wrong, and the interface that a model of your own
 * implements.
 *
 * A model answers two questions of the core, where a piece of a file lies
 * (`getBlock`) and what is to be done when a transfer has ended (`endIo`, if
 * anything), and says how direct I/O enters it (`directIO`).
 *
 * `SEEDS.md` beside this file has the patch row by row, `REMOVED_LINES.md` which
 * rule finds it when a statement of a model is taken out. Scenarios with more
 * schedules than can be run are sampled, 10,000 each, with
 * `tools/explore.ts --fs ext4 --strategy random --runs 10000`.
 *
 * @example A complete minimal model
 * ```ts
 * import { BH_NEW, blockdevDirectIO, ENOSPC, Inode, SuperBlock } from "@endio/dio/core";
 * import type { BlockDevice, BufferHead, IovIter, Kernel, Kiocb, Rw } from "@endio/dio/core";
 * import { BlockAllocator, ExtentMap } from "@endio/dio/fs-models";
 * import type { FileLayout, FilesystemModel } from "@endio/dio/fs-models";
 * import { checkConformance } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * class MyFilesystem implements FilesystemModel {
 *   readonly name = "myfs";
 *   readonly sb: SuperBlock;
 *   readonly allocator: BlockAllocator;
 *   readonly files = new Map<Inode, ExtentMap>();
 *
 *   constructor(kernel: Kernel, bdev: BlockDevice) {
 *     this.sb = new SuperBlock(kernel, bdev, 12, this);
 *     this.allocator = new BlockAllocator(0, bdev.sizeBytes / 4096);
 *   }
 *
 *   createFile(layout: FileLayout): Inode {
 *     const inode = new Inode(this.sb, 12 + this.files.size, layout.size);
 *     this.files.set(inode, ExtentMap.from(layout, 4096, this.allocator));
 *     return inode;
 *   }
 *
 *   directIO(rw: Rw, iocb: Kiocb, iter: IovIter, offset: number) {
 *     return blockdevDirectIO(rw, iocb, iocb.kiFilp.fInode, iter, offset, this);
 *   }
 *
 *   getBlock(inode: Inode, iblock: number, bh: BufferHead, create: boolean) {
 *     const extents = this.files.get(inode)!;
 *     const { state, device, count } = extents.lookup(iblock);
 *     const blocks = Math.min(count, bh.bSize / 4096);
 *     if (state === "written") bh.map(device, blocks * 4096);
 *     else if (create) {
 *       const block = this.allocator.alloc(blocks);
 *       if (block < 0) return -ENOSPC;
 *       extents.insert({ start: iblock, count: blocks, device: block, state: "written" });
 *       bh.map(block, blocks * 4096);
 *       bh.bState |= BH_NEW; // What is not written of it is filled with zeros.
 *     }
 *     return 0;
 *   }
 * }
 *
 * const report = checkConformance({
 *   name: "myfs",
 *   mount: (kernel, bdev) => new MyFilesystem(kernel, bdev),
 * });
 * assertEquals(report.violations, []);
 * ```
 *
 * @module
 */

export * from "./blkdev.ts";
export * from "./blkdev_2016.ts";
export * from "./cluster_lock.ts";
export * from "./direct_io_2016.ts";
export * from "./ext4.ts";
export * from "./ext4_3_12.ts";
export * from "./ext4_blocks.ts";
export * from "./ext4_inode.ts";
export * from "./ext4_io_end.ts";
export * from "./ext4_mapping.ts";
export * from "./extent_map.ts";
export * from "./first_posted.ts";
export * from "./fsck.ts";
export * from "./journal.ts";
export * from "./legacy_direct_io.ts";
export * from "./legacy_ext4.ts";
export * from "./legacy_ocfs2.ts";
export * from "./legacy_xfs.ts";
export * from "./model.ts";
export * from "./models.ts";
export * from "./ocfs2.ts";
export * from "./ocfs2_blocks.ts";
export * from "./ocfs2_inode.ts";
export * from "./plain.ts";
export * from "./xfs.ts";
export * from "./xfs_3_12.ts";
export * from "./xfs_blocks.ts";
export * from "./xfs_inode.ts";

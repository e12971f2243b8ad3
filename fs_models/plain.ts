/**
 * A plain filesystem: block-mapped, without unwritten extents and without an
 * `end_io`, as JFS or FAT are to direct I/O.
 *
 * @module
 */

import {
  BH_NEW,
  blkdevIssueFlush,
  blockdevDirectIO,
  type BlockDevice,
  blockTruncatePage,
  type BufferHead,
  type DioOps,
  EIOCBQUEUED,
  ENOSPC,
  filemapWriteAndWaitRange,
  finish,
  Inode,
  inodeDioWait,
  type IovIter,
  type Kernel,
  type Kiocb,
  LLONG_MAX,
  type MaybeTask,
  readStep,
  type Rw,
  type Step,
  SuperBlock,
  type Task,
  truncatePagecache,
  truncatePagecacheRange,
  WRITE,
  writeStep,
} from "../core/mod.ts";
import { BlockAllocator, ExtentMap } from "./extent_map.ts";
import { checkNothingBehind } from "./fsck.ts";
import type { Feature, FileLayout, FilesystemModel } from "./model.ts";

const BLOCK_BITS = 12;
const FIRST_INO = 12;

/**
 * A file of the plain filesystem.
 *
 * @example
 * ```ts
 * import { Kernel } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { PlainFilesystem } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * device.attach(kernel);
 * const inode = new PlainFilesystem(kernel, device).createFile({
 *   size: 4096,
 *   extents: [{ offset: 0, bytes: 4096, state: "written" }],
 * });
 * assertEquals(inode.extents.lookup(0).state, "written");
 * ```
 */
export class PlainInode extends Inode {
  /** Where its blocks lie. */
  readonly extents: ExtentMap;
  /** Size in bytes that is on disk. */
  iDisksize: number;
  /** The step before `extents` is read. */
  readonly extentsReadStep: Step;
  /** The step before `extents` is changed. */
  readonly extentsStep: Step;

  /**
   * Makes a file.
   *
   * @param sb The filesystem.
   * @param ino Its number.
   * @param size Its size in bytes.
   * @param extents Where its blocks lie.
   */
  constructor(sb: SuperBlock, ino: number, size: number, extents: ExtentMap) {
    super(sb, ino, size);
    this.extents = extents;
    this.iDisksize = size;
    const addr = sb.kernel.newAddr();
    this.extentsReadStep = readStep(addr);
    this.extentsStep = writeStep(addr);
  }
}

/**
 * The plain filesystem. A hole inside the file is not filled directly; behind
 * the end of the file blocks are allocated, and the size grows only after the
 * data has been written, so nobody reads them before.
 *
 * @example
 * ```ts
 * import { Kernel } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { PlainFilesystem } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * device.attach(kernel);
 * const fs = new PlainFilesystem(kernel, device);
 * assertEquals(fs.createFile({ size: 100, extents: [] }).iSize, 100);
 * ```
 */
export class PlainFilesystem implements FilesystemModel, DioOps {
  /** Its name. */
  readonly name: string = "plain";
  /** What it is able to do. */
  readonly features: readonly Feature[] = [
    "truncate",
    "punch_hole",
    "buffered",
  ];
  /** Its superblock. */
  readonly sb: SuperBlock;
  /** Its free blocks. */
  readonly allocator: BlockAllocator;
  #nextIno = FIRST_INO;

  /**
   * Mounts it.
   *
   * @param kernel The kernel.
   * @param bdev The device, attached to that kernel.
   */
  constructor(kernel: Kernel, bdev: BlockDevice) {
    this.sb = new SuperBlock(kernel, bdev, BLOCK_BITS, this);
    const blocks = bdev.sizeBytes >> BLOCK_BITS;
    this.allocator = new BlockAllocator(0, blocks, kernel);
  }

  /**
   * Makes a file; see {@linkcode FilesystemModel}.
   *
   * @param layout Its size and extents.
   * @returns Its inode.
   */
  createFile(layout: FileLayout): PlainInode {
    const map = ExtentMap.from(layout, 1 << BLOCK_BITS, this.allocator);
    return new PlainInode(this.sb, this.#nextIno++, layout.size, map);
  }

  /**
   * `jfs_direct_IO()` and its like: all of it is the core's, but for blocks
   * behind the end of the file that a write has allocated before it failed.
   *
   * @param rw Direction.
   * @param iocb The request.
   * @param iter The user's buffer.
   * @param offset First byte in the file.
   * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
   */
  directIO(
    rw: Rw,
    iocb: Kiocb,
    iter: IovIter,
    offset: number,
  ): MaybeTask<number> {
    const inode = iocb.kiFilp.fInode;
    const end = offset + iter.count;
    const direct = blockdevDirectIO(rw, iocb, inode, iter, offset, this);
    return rw === WRITE && end > inode.iSize
      ? this.#directWriteExtending(inode, direct)
      : direct;
  }

  *#directWriteExtending(
    inode: Inode,
    direct: MaybeTask<number>,
  ): Task<number> {
    const ret = yield* finish(direct);
    if (ret < 0 && ret !== -EIOCBQUEUED) yield* this.writeFailed(inode);
    return ret;
  }

  /**
   * `jfs_write_failed()`: a write that was to make the file longer has failed.
   *
   * @param inode The file.
   */
  *writeFailed(inode: Inode): Task<void> {
    if (this.sb.kernel.stepping) yield inode.sizeStep;
    const { iSize } = inode;
    yield* truncatePagecache(inode, iSize);
    yield* this.#freeBehind(inode as PlainInode, iSize);
  }

  /**
   * Maps a range; see {@linkcode DioOps}.
   *
   * @param inode The file.
   * @param iblock First block.
   * @param bh The answer.
   * @param create Whether to allocate blocks for a hole.
   * @returns 0 or `-ENOSPC`.
   */
  getBlock(
    inode: Inode,
    iblock: number,
    bh: BufferHead,
    create: boolean,
  ): number {
    const { kernel } = this.sb;
    const { extents, extentsReadStep, extentsStep } = inode as PlainInode;
    kernel.touch(extentsReadStep);
    const { state, device, count } = extents.lookup(iblock);
    const wanted = Math.min(count, bh.bSize >> BLOCK_BITS);
    if (state !== "hole") {
      bh.map(device, wanted << BLOCK_BITS);
      return 0;
    }
    if (!create) return 0;
    const block = this.allocator.alloc(wanted);
    if (block < 0) return -ENOSPC;
    kernel.touch(extentsStep);
    extents.insert({
      start: iblock,
      count: wanted,
      device: block,
      state: "written",
    });
    bh.map(block, wanted << BLOCK_BITS);
    bh.bState |= BH_NEW;
    return 0;
  }

  /**
   * Changes a file's size: waits for direct I/O before it frees blocks.
   *
   * @param inode The file.
   * @param size The new size in bytes.
   * @returns 0 or a negative errno.
   */
  *truncate(inode: Inode, size: number): Task<number> {
    yield* inode.sizeWrite(size);
    yield* inodeDioWait(inode);
    yield* truncatePagecache(inode, size);
    return yield* this.#freeBehind(inode as PlainInode, size);
  }

  /** Frees what lies behind the end of a file. */
  *#freeBehind(inode: PlainInode, size: number): Task<number> {
    const error = yield* blockTruncatePage(inode, size);
    this.#free(inode, Math.ceil(size / (1 << BLOCK_BITS)), Infinity);
    return error;
  }

  /**
   * `jfs_fsync()`: what is cached, and the size, go to the disk.
   *
   * @param inode The file.
   * @returns 0 or a negative errno.
   */
  *fsync(inode: Inode): Task<number> {
    const { kernel, sBdev } = this.sb;
    const error = yield* finish(filemapWriteAndWaitRange(inode, 0, LLONG_MAX));
    if (kernel.stepping) yield inode.sizeStep;
    (inode as PlainInode).iDisksize = inode.iSize;
    return (yield* blkdevIssueFlush(kernel, sBdev)) || error;
  }

  /**
   * Makes a hole: waits for direct I/O before it frees blocks.
   *
   * @param inode The file.
   * @param offset First byte, a whole number of blocks.
   * @param bytes How many, a whole number of blocks.
   * @returns 0 or a negative errno.
   */
  *punchHole(inode: Inode, offset: number, bytes: number): Task<number> {
    const end = offset + bytes - 1;
    const error = yield* finish(filemapWriteAndWaitRange(inode, offset, end));
    if (error !== 0) return error;
    yield* inodeDioWait(inode);
    yield* truncatePagecacheRange(inode, offset, end);
    this.#free(inode as PlainInode, offset >> BLOCK_BITS, bytes >> BLOCK_BITS);
    return 0;
  }

  /**
   * The blocks of a file that leaves memory stay its own.
   *
   * @param inode The file.
   */
  evictInode(inode: Inode): void {
    const { extents } = inode as PlainInode;
    checkNothingBehind(inode, extents);
    this.allocator.evict(extents);
  }

  /**
   * Looks for blocks that are in no file and not free.
   *
   * @param _sb The superblock.
   */
  putSuper(_sb: SuperBlock): void {
    this.allocator.destroy();
  }

  #free(
    { extents, extentsStep }: PlainInode,
    first: number,
    blocks: number,
  ): void {
    this.sb.kernel.touch(extentsStep);
    for (const { device, count } of extents.remove(first, blocks)) {
      this.allocator.free(device, count);
    }
  }
}

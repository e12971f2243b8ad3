/**
 * A plain filesystem: block-mapped, without unwritten extents and without an
 * `end_io`, as JFS or FAT are to direct I/O.
 *
 * @module
 */

import {
  BH_NEW,
  blockdevDirectIO,
  type BlockDevice,
  type BufferHead,
  type DioOps,
  ENOSPC,
  Inode,
  inodeDioWait,
  type IovIter,
  type Kernel,
  type Kiocb,
  type MaybeTask,
  type Rw,
  SuperBlock,
  type Task,
} from "../core/mod.ts";
import { BlockAllocator, ExtentMap } from "./extent_map.ts";
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
  readonly features: readonly Feature[] = ["truncate"];
  /** Its superblock. */
  readonly sb: SuperBlock;
  readonly #allocator: BlockAllocator;
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
    this.#allocator = new BlockAllocator(0, blocks, kernel);
  }

  /**
   * Makes a file; see {@linkcode FilesystemModel}.
   *
   * @param layout Its size and extents.
   * @returns Its inode.
   */
  createFile(layout: FileLayout): PlainInode {
    const map = ExtentMap.from(layout, 1 << BLOCK_BITS, this.#allocator);
    return new PlainInode(this.sb, this.#nextIno++, layout.size, map);
  }

  /**
   * `jfs_direct_IO()` and its like: all of it is the core's.
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
    return blockdevDirectIO(rw, iocb, inode, iter, offset, this);
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
    const { extents } = inode as PlainInode;
    const { state, device, count } = extents.lookup(iblock);
    const wanted = Math.min(count, bh.bSize >> BLOCK_BITS);
    if (state !== "hole") {
      bh.map(device, wanted << BLOCK_BITS);
      return 0;
    }
    if (!create) return 0;
    const block = this.#allocator.alloc(wanted);
    if (block < 0) return -ENOSPC;
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
   * @returns 0.
   */
  *truncate(inode: Inode, size: number): Task<number> {
    yield* inode.sizeWrite(size);
    yield* inodeDioWait(inode);
    const first = Math.ceil(size / (1 << BLOCK_BITS));
    const { extents } = inode as PlainInode;
    for (const { device, count } of extents.remove(first, Infinity)) {
      this.#allocator.free(device, count);
    }
    return 0;
  }
}

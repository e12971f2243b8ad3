/**
 * The raw block device as a file. Every file of this model is a partition of
 * the disk.
 *
 * Before 4.10 its direct I/O is that of filesystems, with a mapping that is
 * the identity; since then it is its own, `struct blkdev_dio`.
 *
 * Source: fs/block_dev.c of Linux 3.12 and 4.10, block/fops.c of Linux 6.1.
 *
 * @module
 */

import {
  type BlkdevDirectIo,
  blkdevInit,
  BlkdevInode,
  blkdevReadIter,
  blkdevWriteIter,
  blockdevDirectIO,
  type BlockDevice,
  type BufferHead,
  type DioOps,
  type Inode,
  type IovIter,
  type Kernel,
  type Kiocb,
  type MaybeTask,
  Partition,
  type Rw,
  SuperBlock,
  type Task,
} from "../core/mod.ts";
import type { Feature, FileLayout, FilesystemModel } from "./model.ts";

const BLOCK_BITS = 12;
const BLOCK_BYTES = 1 << BLOCK_BITS;
const FIRST_INO = 12;

/**
 * The model of the block device.
 *
 * @example
 * ```ts
 * import { Kernel } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { Blkdev } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel({ profile: "v6.1" });
 * const device = new MemoryDevice({ name: "sda", sizeBytes: 1 << 20 });
 * device.attach(kernel);
 * const file = new Blkdev(kernel, device).createFile({ size: 8192, extents: [] });
 * assertEquals([file.bdev.name, file.iSize], ["sda1", 8192]);
 * ```
 */
export class Blkdev implements FilesystemModel, DioOps {
  /** Its name. */
  readonly name: string = "blkdev";
  /** What it is able to do. */
  readonly features: readonly Feature[] = ["block-device"];
  /** The filesystem that holds all devices. */
  readonly sb: SuperBlock;
  /** Its direct I/O since 4.10; or why there is none. */
  readonly directIo: BlkdevDirectIo | number;
  #end = 0;

  /**
   * Makes it.
   *
   * @param kernel The kernel.
   * @param bdev The disk, attached to that kernel.
   */
  constructor(kernel: Kernel, bdev: BlockDevice) {
    this.sb = new SuperBlock(kernel, bdev, BLOCK_BITS, this);
    this.directIo = kernel.profile.blkdev === null ? 0 : this.init(kernel);
  }

  /**
   * Makes its direct I/O, for profiles since 4.10.
   *
   * @param kernel The kernel.
   * @returns It, or a negative errno.
   */
  init(kernel: Kernel): BlkdevDirectIo | number {
    return blkdevInit(kernel);
  }

  /**
   * Makes a partition; see {@linkcode FilesystemModel}. It has no holes and
   * nothing unwritten: the extents of the layout say nothing here.
   *
   * @param layout Its size, cut to whole logical blocks.
   * @returns Its inode.
   * @throws {RangeError} If the disk has no room for it.
   */
  createFile(layout: FileLayout): BlkdevInode {
    const { sBdev: disk, inodes } = this.sb;
    const name = `${disk.name}${inodes.length + 1}`;
    const size = layout.size - layout.size % disk.logicalBlockSize;
    const partition = new Partition(disk, name, this.#end, size);
    this.#end += (Math.ceil(size / BLOCK_BYTES) + 1) * BLOCK_BYTES;
    return new BlkdevInode(this.sb, FIRST_INO + inodes.length, partition);
  }

  /**
   * `blkdev_direct_IO()`.
   *
   * @param rw Direction.
   * @param iocb The request.
   * @param iter The user's buffer.
   * @param offset First byte.
   * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
   */
  directIO(
    rw: Rw,
    iocb: Kiocb,
    iter: IovIter,
    offset: number,
  ): MaybeTask<number> {
    const { directIo } = this;
    if (typeof directIo === "object") {
      return directIo.blkdevDirectIO(rw, iocb, iter);
    }
    if (directIo !== 0) return directIo;
    const inode = iocb.kiFilp.fInode;
    return blockdevDirectIO(rw, iocb, inode, iter, offset, this, 0);
  }

  /**
   * `blkdev_get_block()`: every block is where it is.
   *
   * @param inode The file.
   * @param iblock First block.
   * @param bh The answer.
   * @returns 0.
   */
  getBlock(inode: Inode, iblock: number, bh: BufferHead): number {
    const { startBytes } = (inode as BlkdevInode).bdev as Partition;
    bh.map(startBytes / BLOCK_BYTES + iblock, bh.bSize);
    return 0;
  }

  /**
   * The file operation behind a read.
   *
   * @param iocb The request.
   * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
   */
  aioRead(iocb: Kiocb): MaybeTask<number> {
    return blkdevReadIter(iocb);
  }

  /**
   * The file operation behind a write. It takes no lock.
   *
   * @param iocb The request.
   * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
   */
  aioWrite(iocb: Kiocb): MaybeTask<number> {
    return blkdevWriteIter(iocb);
  }

  /**
   * `f_op->iopoll`: looks for the end of a request that is polled for.
   *
   * @param iocb The request.
   * @returns The end of what was found, to be run at once; or null.
   */
  iopoll(iocb: Kiocb): Task<unknown> | null {
    const { directIo } = this;
    return typeof directIo === "object" ? directIo.iocbBioIopoll(iocb) : null;
  }
}

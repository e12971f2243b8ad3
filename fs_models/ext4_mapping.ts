/**
 * What ext4 gives direct I/O to map with, and what it decides about a write
 * before it begins.
 *
 * Source: fs/ext4/inode.c, fs/ext4/file.c of Linux 3.12.
 *
 * @module
 */

import {
  BH_UNWRITTEN,
  type BufferHead,
  setBufferDeferCompletion,
  type Task,
  use,
} from "../core/mod.ts";
import { EXT4_BLOCK_BITS } from "./ext4_blocks.ts";
import { EXT4_IO_END_UNWRITTEN, type Ext4Inode } from "./ext4_inode.ts";
import { Ext4IoEnds } from "./ext4_io_end.ts";

/**
 * The part of ext4 that maps for direct I/O.
 *
 * @example
 * ```ts
 * import { Kernel } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { Ext4 } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * device.attach(kernel);
 * const fs = new Ext4(kernel, device);
 * const inode = fs.createFile({ size: 5000, extents: [] });
 * assertEquals(fs.ext4UnalignedAio(inode, 4096, 512), true);
 * assertEquals(fs.ext4UnalignedAio(inode, 8192, 512), false);
 * ```
 */
export abstract class Ext4Mapping extends Ext4IoEnds {
  /**
   * `ext4_get_block_write()`: maps for a write inside the file. A hole becomes
   * unwritten blocks; unwritten blocks mark the io_end, and ask for deferral.
   *
   * @param inode The file.
   * @param iblock First block.
   * @param bh The answer.
   * @returns 0 or a negative errno.
   */
  *ext4GetBlockWrite(
    inode: Ext4Inode,
    iblock: number,
    bh: BufferHead,
  ): Task<number> {
    const error = yield* this.ext4MapBlocks(inode, iblock, bh, "unwritten");
    if (error !== 0) return error;
    const ioEnd = inode.iAioDio;
    if ((bh.bState & BH_UNWRITTEN) !== 0) {
      if (ioEnd === null) inode.stateDioUnwritten = true;
      else yield* this.ext4SetIoUnwrittenFlag(inode, ioEnd);
    }
    if (ioEnd !== null && (use(ioEnd).flag & EXT4_IO_END_UNWRITTEN) !== 0) {
      setBufferDeferCompletion(bh);
    }
    return 0;
  }

  /**
   * `ext4_get_block_write_nolock()`: maps for an overwrite, which holds
   * `i_data_sem` and has seen that everything is written.
   *
   * @param inode The file.
   * @param iblock First block.
   * @param bh The answer.
   * @returns 0.
   */
  ext4GetBlockWriteNolock(
    inode: Ext4Inode,
    iblock: number,
    bh: BufferHead,
  ): number {
    const { device, count } = inode.extents.lookup(iblock);
    const wanted = Math.min(count, bh.bSize >> EXT4_BLOCK_BITS);
    bh.map(device, wanted << EXT4_BLOCK_BITS);
    return 0;
  }

  /**
   * `ext4_get_block()`: maps for a read, or for a write behind the end of the
   * file, where nobody looks before the size grows. Unwritten blocks are a
   * hole to a read.
   *
   * @param inode The file.
   * @param iblock First block.
   * @param bh The answer.
   * @param create Whether to allocate blocks for a hole.
   * @returns 0 or a negative errno.
   */
  *ext4GetBlock(
    inode: Ext4Inode,
    iblock: number,
    bh: BufferHead,
    create: boolean,
  ): Task<number> {
    return yield* this.ext4MapBlocks(
      inode,
      iblock,
      bh,
      create ? "written" : null,
    );
  }

  /**
   * `ext4_unaligned_aio()`: whether a write has parts of blocks that another
   * may write to as well. Behind the block in which the file ends there is
   * nobody.
   *
   * @param inode The file, `i_mutex` held.
   * @param offset First byte in the file.
   * @param bytes How many.
   * @returns True when it has to be alone.
   */
  ext4UnalignedAio(inode: Ext4Inode, offset: number, bytes: number): boolean {
    const mask = (1 << EXT4_BLOCK_BITS) - 1;
    const behind = Math.ceil(inode.iSize / (mask + 1)) * (mask + 1);
    return offset < behind && ((offset | (offset + bytes)) & mask) !== 0;
  }

  /**
   * Whether a write is inside the file and all its blocks are written, so
   * that it changes no metadata.
   *
   * @param inode The file, `i_mutex` held.
   * @param offset First byte in the file.
   * @param bytes How many.
   * @returns True when `i_mutex` is not needed for it.
   */
  *ext4IsOverwrite(
    inode: Ext4Inode,
    offset: number,
    bytes: number,
  ): Task<boolean> {
    const { kernel } = this.sb;
    if (inode.nrpages > 0 || offset + bytes > inode.iSize) return false;
    const block = 1 << EXT4_BLOCK_BITS;
    const end = Math.ceil((offset + bytes) / block);
    yield* inode.iDataSem.downRead(kernel);
    const first = Math.floor(offset / block);
    const { state, count } = inode.extents.lookup(first);
    inode.iDataSem.upRead(kernel);
    return state === "written" && first + count >= end;
  }
}

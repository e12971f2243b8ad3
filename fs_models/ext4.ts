/**
 * ext4 as the 2013 patch left it: unwritten extents that are converted when
 * the data is on the device.
 *
 * Modelled are ext4_direct_IO(), ext4_ext_direct_IO(), ext4_end_io_dio(),
 * _ext4_get_block() and the io_end's references; metadata beyond the extents
 * of a file is not.
 *
 * Source: fs/ext4/inode.c, fs/ext4/page-io.c of Linux 3.12.
 *
 * @module
 */

import {
  BH_UNWRITTEN,
  blockdevDirectIO,
  type BlockDevice,
  type BufferHead,
  type DioOps,
  EIOCBQUEUED,
  ENOMEM,
  finish,
  type Inode,
  inodeDioBegin,
  inodeDioDone,
  type IovIter,
  type Kernel,
  type Kiocb,
  KmemCache,
  READ,
  type Rw,
  setBufferDeferCompletion,
  type Task,
  use,
  writeStep,
} from "../core/mod.ts";
import { EXT4_BLOCK_BITS, Ext4Blocks } from "./ext4_blocks.ts";
import {
  EXT4_IO_END_UNWRITTEN,
  ext4ConvertUnwrittenExtents,
  Ext4Inode,
  Ext4IoEnd,
} from "./ext4_inode.ts";
import { ExtentMap } from "./extent_map.ts";
import type { Feature, FileLayout, FilesystemModel } from "./model.ts";

const FIRST_INO = 12;

/**
 * The ext4 model.
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
 * assertEquals(new Ext4(kernel, device).features.includes("unwritten"), true);
 * ```
 */
export class Ext4 extends Ext4Blocks implements FilesystemModel {
  /** What it is able to do. */
  readonly features: readonly Feature[] = [
    "unwritten",
    "truncate",
    "fallocate",
  ];
  /** Where io_ends come from. */
  readonly ioEndCache: KmemCache<Ext4IoEnd>;
  /** For writes inside the file: blocks are mapped as unwritten. */
  readonly writeOps: DioOps;
  /** For reads, and for writes that make the file longer. */
  readonly indirectOps: DioOps;
  #nextIno = FIRST_INO;

  /**
   * Mounts it.
   *
   * @param kernel The kernel.
   * @param bdev The device, attached to that kernel.
   */
  constructor(kernel: Kernel, bdev: BlockDevice) {
    super(kernel, bdev);
    this.ioEndCache = new KmemCache(
      kernel,
      "ext4_io_end",
      () => new Ext4IoEnd(),
    );
    this.writeOps = {
      endIoName: "ext4_end_io_dio",
      getBlock: (inode, iblock, bh) =>
        this.ext4GetBlockWrite(inode as Ext4Inode, iblock, bh),
      endIo: (iocb, offset, size) => this.ext4EndIoDio(iocb, offset, size),
    };
    this.indirectOps = {
      getBlock: (inode, iblock, bh, create) =>
        this.ext4GetBlock(inode as Ext4Inode, iblock, bh, create),
    };
  }

  /**
   * Makes a file; see {@linkcode FilesystemModel}.
   *
   * @param layout Its size and extents.
   * @returns Its inode.
   */
  createFile(layout: FileLayout): Ext4Inode {
    const map = ExtentMap.from(
      layout,
      1 << EXT4_BLOCK_BITS,
      this.allocator,
    );
    return new Ext4Inode(this.sb, this.#nextIno++, layout.size, map);
  }

  /**
   * `ext4_direct_IO()`.
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
  ): Task<number> {
    const inode = iocb.kiFilp.fInode as Ext4Inode;
    return rw === READ || offset + iter.count > inode.iSize
      ? this.ext4IndDirectIO(rw, iocb, inode, iter, offset)
      : this.ext4ExtDirectIO(rw, iocb, inode, iter, offset);
  }

  /**
   * `ext4_ind_direct_IO()`: reads, and writes that make the file longer. The
   * latter are always waited for, so the size on disk can follow here.
   *
   * @param rw Direction.
   * @param iocb The request.
   * @param inode The file.
   * @param iter The user's buffer.
   * @param offset First byte in the file.
   * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
   */
  *ext4IndDirectIO(
    rw: Rw,
    iocb: Kiocb,
    inode: Ext4Inode,
    iter: IovIter,
    offset: number,
  ): Task<number> {
    const ret = yield* finish(
      blockdevDirectIO(rw, iocb, inode, iter, offset, this.indirectOps),
    );
    if (rw === READ || ret <= 0) return ret;
    const end = offset + ret;
    if (end > inode.iSize) {
      const error = yield* this.journal.start();
      if (error !== 0) return error;
      yield* inode.sizeWrite(end);
      inode.iDisksize = end;
      this.journal.stop();
    }
    return ret;
  }

  /**
   * `ext4_ext_direct_IO()`: writes inside the file. The io_end of an
   * asynchronous one is published in the inode while it is mapped, so that
   * the mapping function can mark it.
   *
   * @param rw Direction.
   * @param iocb The request.
   * @param inode The file.
   * @param iter The user's buffer.
   * @param offset First byte in the file.
   * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
   */
  *ext4ExtDirectIO(
    rw: Rw,
    iocb: Kiocb,
    inode: Ext4Inode,
    iter: IovIter,
    offset: number,
  ): Task<number> {
    yield* inodeDioBegin(inode, 0);
    let ioEnd: Ext4IoEnd | null = null;
    let ret = 0;
    iocb.private = null;
    if (!iocb.isSync) {
      ioEnd = yield* this.ext4InitIoEnd(inode);
      if (ioEnd === null) ret = -ENOMEM;
      else iocb.private = yield* this.ext4GetIoEnd(ioEnd);
      inode.iAioDio = ioEnd;
    }
    if (ret === 0) {
      ret = yield* finish(
        blockdevDirectIO(rw, iocb, inode, iter, offset, this.writeOps),
      );
    }
    if (ioEnd !== null) {
      inode.iAioDio = null;
      yield* this.ext4PutIoEnd(ioEnd);
      // end_io never ran: nothing was submitted, and its reference is ours.
      if (ret <= 0 && ret !== -EIOCBQUEUED && iocb.private !== null) {
        iocb.private = null;
        yield* this.ext4PutIoEnd(ioEnd);
      }
    } else if (ret > 0 && inode.stateDioUnwritten) {
      const error = yield* this.convert(inode, offset, ret);
      if (error !== 0) ret = error;
      inode.stateDioUnwritten = false;
    }
    yield* inodeDioDone(inode, 0);
    return ret;
  }

  /**
   * `ext4_end_io_dio()`: the data is on the device. It runs where it may
   * sleep if anything has to be converted, because the mapping asked for
   * that.
   *
   * @param iocb The request.
   * @param offset First byte in the file.
   * @param size How many bytes; since 4.6 a negative errno on failure.
   */
  *ext4EndIoDio(iocb: Kiocb, offset: number, size: number): Task<void> {
    const ioEnd = use(iocb).private as Ext4IoEnd | null;
    // A write that is waited for has none.
    if (ioEnd === null) return;
    iocb.private = null;
    use(ioEnd).offset = offset;
    ioEnd.size = size;
    yield* this.ext4PutIoEnd(ioEnd);
  }

  /**
   * `ext4_init_io_end()`.
   *
   * @param inode The file.
   * @returns An io_end with one reference, or null without memory.
   */
  *ext4InitIoEnd(inode: Ext4Inode): Task<Ext4IoEnd | null> {
    const ioEnd = this.ioEndCache.alloc();
    if (ioEnd === null) return null;
    yield* inode.ioendBegin();
    ioEnd.inode = inode;
    ioEnd.flag = 0;
    ioEnd.offset = 0;
    ioEnd.size = 0;
    ioEnd.count = 1;
    return ioEnd;
  }

  /**
   * `ext4_get_io_end()`: takes a reference.
   *
   * @param ioEnd The io_end.
   * @returns The same one.
   */
  *ext4GetIoEnd(ioEnd: Ext4IoEnd): Task<Ext4IoEnd> {
    if (this.sb.kernel.stepping) yield writeStep(use(ioEnd).addr);
    use(ioEnd).count++;
    return ioEnd;
  }

  /**
   * `ext4_put_io_end()`: drops a reference. The last one converts what was
   * written, and releases the io_end.
   *
   * @param ioEnd The io_end.
   * @returns 0, or the error of the conversion.
   */
  *ext4PutIoEnd(ioEnd: Ext4IoEnd): Task<number> {
    if (this.sb.kernel.stepping) yield writeStep(use(ioEnd).addr);
    if (--use(ioEnd).count > 0) return 0;
    const { inode, flag, offset, size } = ioEnd;
    let error = 0;
    if ((flag & EXT4_IO_END_UNWRITTEN) !== 0) {
      if (size > 0) error = yield* this.convert(inode, offset, size);
      ioEnd.flag = 0;
      yield* inode.unwrittenDone();
    }
    yield* inode.ioendDone();
    this.ioEndCache.free(ioEnd);
    return error;
  }

  /**
   * Converts a range of unwritten blocks.
   *
   * @param inode The file.
   * @param offset First byte.
   * @param bytes How many.
   * @returns 0 or a negative errno.
   */
  convert(inode: Ext4Inode, offset: number, bytes: number): Task<number> {
    return ext4ConvertUnwrittenExtents(this.journal, inode, offset, bytes);
  }

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
   * `ext4_set_io_unwritten_flag()`: the write will have something to convert.
   *
   * @param inode The file.
   * @param ioEnd Its io_end.
   */
  *ext4SetIoUnwrittenFlag(inode: Ext4Inode, ioEnd: Ext4IoEnd): Task<void> {
    if ((use(ioEnd).flag & EXT4_IO_END_UNWRITTEN) !== 0) return;
    ioEnd.flag |= EXT4_IO_END_UNWRITTEN;
    yield* inode.unwrittenBegin();
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
   * `ext4_evict_inode()`: nobody may still follow a write to it.
   *
   * @param inode The file.
   */
  *evictInode(inode: Inode): Task<void> {
    yield* (inode as Ext4Inode).ioendShutdown();
  }
}

/**
 * ext4 as the 2013 patch left it: unwritten extents that are converted when
 * the data is on the device.
 *
 * Modelled are ext4_file_dio_write(), ext4_ind_direct_IO(),
 * ext4_ext_direct_IO(), ext4_end_io_dio() and _ext4_get_block(), and of metadata
 * extents and sizes. Where the merged code was wrong, the model is not: unaligned
 * writes are alone, an overwrite does not publish its io_end, errors are told.
 *
 * Source: fs/ext4/inode.c, fs/ext4/indirect.c, fs/ext4/file.c of Linux 3.12.
 *
 * @module
 */

import {
  blockdevDirectIO,
  type BlockDevice,
  type BufferHead,
  DIO_LOCKING,
  type DioOps,
  EIOCBQUEUED,
  ENOMEM,
  ENOSPC,
  EV,
  finish,
  genericFileAioWrite,
  genericFileAioWriteNolock,
  genericWriteSync,
  type Inode,
  inodeDioBegin,
  inodeDioDone,
  inodeDioWait,
  type IovIter,
  type Kernel,
  type Kiocb,
  O_DIRECT,
  READ,
  type Rw,
  type Task,
  use,
  WRITE,
} from "../core/mod.ts";
import { EXT4_BLOCK_BITS } from "./ext4_blocks.ts";
import { Ext4Inode, type Ext4IoEnd } from "./ext4_inode.ts";
import { Ext4Mapping } from "./ext4_mapping.ts";
import { ExtentMap } from "./extent_map.ts";
import type { Feature, FileLayout, FilesystemModel } from "./model.ts";

const FIRST_INO = 12;
/** In the request's private word: the write changes no metadata. */
const OVERWRITE = Symbol("overwrite");

/** How ext4 is mounted. */
export interface Ext4Options {
  /**
   * Whether reads and overwrites go without `i_mutex`.
   *
   * @default {false}
   */
  readonly dioreadNolock?: boolean;
}

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
export class Ext4 extends Ext4Mapping implements FilesystemModel {
  /** What it is able to do. */
  readonly features: readonly Feature[] = [
    "unwritten",
    "truncate",
    "fallocate",
    "punch_hole",
    "buffered",
  ];
  /** Whether reads and overwrites go without `i_mutex`. */
  readonly dioreadNolock: boolean;
  /** For writes inside the file: blocks are mapped as unwritten. */
  readonly writeOps: DioOps;
  /** For writes that change no metadata. */
  readonly overwriteOps: DioOps;
  /** For reads, and for writes that make the file longer. */
  readonly indirectOps: DioOps;
  #nextIno = FIRST_INO;

  /**
   * Mounts it.
   *
   * @param kernel The kernel.
   * @param bdev The device, attached to that kernel.
   * @param options How.
   */
  constructor(kernel: Kernel, bdev: BlockDevice, options: Ext4Options = {}) {
    super(kernel, bdev);
    this.dioreadNolock = options.dioreadNolock ?? false;
    this.writeOps = {
      endIoName: "ext4_end_io_dio",
      getBlock: (inode, iblock, bh) =>
        this.ext4GetBlockWrite(inode as Ext4Inode, iblock, bh),
      endIo: (iocb, offset, size) => this.ext4EndIoDio(iocb, offset, size),
    };
    this.overwriteOps = {
      ...this.writeOps,
      getBlock: (inode, iblock, bh) =>
        this.ext4GetBlockWriteNolock(inode as Ext4Inode, iblock, bh),
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
   * `ext4_file_write()`: the write under `i_mutex`, and the write-sync
   * after it unless the completion does that. An asynchronous write of parts
   * of blocks is alone in the file until what it has to convert is converted:
   * the rest of a new block is zeroed, over whatever another writes there.
   *
   * @param iocb The request; may be gone afterwards if it is queued.
   * @param iter The user's buffer.
   * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
   */
  *aioWrite(iocb: Kiocb, iter: IovIter): Task<number> {
    const { kernel } = this.sb;
    if ((iocb.kiFilp.fFlags & O_DIRECT) === 0) {
      return yield* finish(genericFileAioWrite(iocb));
    }
    const inode = iocb.kiFilp.fInode as Ext4Inode;
    const { kiPos: pos } = iocb;
    yield* inode.iMutex.lock(kernel);
    const isAlone = !iocb.isSync &&
      this.ext4UnalignedAio(inode, pos, iter.count);
    if (isAlone) yield* inodeDioWait(inode);
    const isOverwrite = !isAlone && this.dioreadNolock &&
      (yield* this.ext4IsOverwrite(inode, pos, iter.count));
    iocb.private = isOverwrite ? OVERWRITE : null;
    const ret = yield* finish(genericFileAioWriteNolock(iocb));
    if (isAlone && ret === -EIOCBQUEUED) yield* inode.unwrittenWait();
    inode.iMutex.unlock(kernel);
    if (ret <= 0 || !iocb.needsSync) return ret;
    const error = yield* genericWriteSync(iocb, iocb.kiPos - ret, ret);
    return error < 0 ? error : ret;
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
   * latter are always waited for, so the size on disk can follow here; until
   * then the file is an orphan, so that a crash does not leave blocks behind
   * its end.
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
    const isExtending = rw === WRITE;
    if (isExtending) {
      const error = yield* this.journal.start();
      if (error !== 0) return error;
      inode.isOrphan = true;
      inode.iDisksize = inode.iSize;
      this.journal.stop();
    }
    let ret: number;
    for (let retries = 0;; retries++) {
      ret = yield* this.#ext4IndTransfer(rw, iocb, inode, iter, offset);
      if (isExtending && ret < 0) yield* this.ext4TruncateFailedWrite(inode);
      if (ret !== -ENOSPC) break;
      if (!(yield* this.ext4ShouldRetryAlloc(retries))) break;
      iter.reset(iter.iov);
    }
    return isExtending
      ? yield* this.#ext4OrphanDel(inode, offset + ret, ret)
      : ret;
  }

  *#ext4IndTransfer(
    rw: Rw,
    iocb: Kiocb,
    inode: Ext4Inode,
    iter: IovIter,
    offset: number,
  ): Task<number> {
    const { indirectOps: ops } = this;
    if (rw === READ && this.dioreadNolock) {
      // Whoever forbids this waits for the count, so look with it raised.
      yield* inodeDioBegin(inode, 0);
      if (this.sb.kernel.stepping) yield inode.dioreadLockStep;
      if (inode.dioreadLock === 0) {
        const ret = yield* finish(
          blockdevDirectIO(rw, iocb, inode, iter, offset, ops, 0),
        );
        yield* inodeDioDone(inode, 0);
        return ret;
      }
      yield* inodeDioDone(inode, 0);
    }
    return yield* finish(
      blockdevDirectIO(rw, iocb, inode, iter, offset, ops),
    );
  }

  /** The end of a write that makes the file longer: its sizes follow. */
  *#ext4OrphanDel(
    inode: Ext4Inode,
    end: number,
    written: number,
  ): Task<number> {
    const { kernel } = this.sb;
    const error = yield* this.journal.start();
    inode.isOrphan = false;
    if (error !== 0) {
      if (kernel.tracing) kernel.emit(EV.ext4_orphan_del, inode.iIno, error);
      return error;
    }
    if (written > 0 && end > inode.iSize) {
      inode.iDisksize = end;
      yield* inode.sizeWrite(end);
    }
    this.journal.stop();
    return written;
  }

  /**
   * `ext4_ext_direct_IO()`: writes inside the file. The io_end of an
   * asynchronous one is published in the inode while it is mapped, so that
   * the mapping function can mark it. `i_dio_count` is held all the time: an
   * overwrite lets go of `i_mutex`, and truncate must not slip in before the
   * core counts it.
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
    const { kernel } = this.sb;
    const isOverwrite = iocb.private === OVERWRITE;
    yield* inodeDioBegin(inode, 0);
    if (isOverwrite) {
      yield* inode.iDataSem.downRead(kernel);
      inode.iMutex.unlock(kernel);
    }
    iocb.private = null;
    const ioEnd = iocb.isSync ? null : yield* this.ext4InitIoEnd(inode);
    let ret = ioEnd === null && !iocb.isSync ? -ENOMEM : 0;
    if (ret === 0) {
      if (ioEnd !== null) iocb.private = yield* this.ext4GetIoEnd(ioEnd);
      if (!isOverwrite) inode.iAioDio = ioEnd;
      const ops = isOverwrite ? this.overwriteOps : this.writeOps;
      const flags = isOverwrite ? 0 : DIO_LOCKING;
      ret = yield* finish(
        blockdevDirectIO(rw, iocb, inode, iter, offset, ops, flags),
      );
      if (!isOverwrite) inode.iAioDio = null;
    }
    if (ioEnd !== null) ret = yield* this.#ext4PutOwn(ioEnd, iocb, ret);
    if (ret > 0 && !isOverwrite && inode.stateDioUnwritten) {
      const error = yield* this.convert(inode, offset, ret);
      if (error !== 0) ret = error;
      inode.stateDioUnwritten = false;
    }
    yield* inodeDioDone(inode, 0);
    if (isOverwrite) {
      inode.iDataSem.upRead(kernel);
      yield* inode.iMutex.lock(kernel);
    }
    return ret;
  }

  /** The submitter lets go of its io_end; if it converts, its error counts. */
  *#ext4PutOwn(ioEnd: Ext4IoEnd, iocb: Kiocb, ret: number): Task<number> {
    const error = yield* this.ext4PutIoEnd(ioEnd);
    if (ret > 0) return error || ret;
    if (ret === -EIOCBQUEUED || iocb.private === null) return ret;
    // end_io never ran: nothing was submitted, and its reference is ours.
    iocb.private = null;
    yield* this.ext4PutIoEnd(ioEnd);
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
   * @returns 0, or the error of the conversion.
   */
  *ext4EndIoDio(iocb: Kiocb, offset: number, size: number): Task<number> {
    const ioEnd = use(iocb).private as Ext4IoEnd | null;
    // A write that is waited for has none.
    if (ioEnd === null) return 0;
    iocb.private = null;
    use(ioEnd).offset = offset;
    ioEnd.size = Math.max(size, 0);
    return yield* this.ext4PutIoEnd(ioEnd);
  }

  /**
   * Maps for the page cache; see {@linkcode Filesystem}. Reads that go without
   * `i_mutex` must not find new blocks before they are written back, so they
   * are allocated as unwritten then.
   *
   * @param inode The file.
   * @param iblock First block.
   * @param bh The answer.
   * @param create Whether to allocate blocks for a hole.
   * @returns 0 or a negative errno.
   */
  getBlock(
    inode: Inode,
    iblock: number,
    bh: BufferHead,
    create: boolean,
  ): Task<number> {
    const file = inode as Ext4Inode;
    return create && this.dioreadNolock
      ? this.ext4MapBlocks(file, iblock, bh, "unwritten")
      : this.ext4GetBlock(file, iblock, bh, create);
  }

  /**
   * `ext4_dirty_inode()`: the size on disk follows the one in memory.
   *
   * @param inode The file.
   */
  *dirtyInode(inode: Inode): Task<void> {
    if ((yield* this.journal.start()) !== 0) return;
    (inode as Ext4Inode).iDisksize = inode.iSize;
    this.journal.stop();
  }
}

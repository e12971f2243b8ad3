/**
 * XFS as the 2013 patch left it: transfers share a lock of their own, and the
 * ioend that follows a write is finished inside `end_io`.
 *
 * Modelled are xfs_file_aio_read(), xfs_file_dio_aio_write(),
 * xfs_vm_direct_IO(), xfs_end_io_direct_write() and what they call. Where the
 * merged code was wrong, the model has what later commits made of it: the size
 * on disk is never updated in an interrupt, and no size grows before its data
 * can be read.
 *
 * Source: fs/xfs/xfs_file.c, fs/xfs/xfs_aops.c of Linux 3.12.
 *
 * @module
 */

import {
  blockdevDirectIO,
  type BlockDevice,
  type DioOps,
  EINVAL,
  EIO,
  EIOCBQUEUED,
  ENOMEM,
  filemapWriteAndWaitRange,
  finish,
  genericFileAioRead,
  genericFileDirectWrite,
  genericWriteSync,
  inodeDioWait,
  type IovIter,
  type Kernel,
  KernelBug,
  type Kiocb,
  KmemCache,
  LLONG_MAX,
  NOTHING,
  O_APPEND,
  READ,
  type Rw,
  type Task,
  truncatePagecacheRange,
  use,
} from "../core/mod.ts";
import { ExtentMap } from "./extent_map.ts";
import type { Feature, FileLayout, FilesystemModel } from "./model.ts";
import { XFS_BLOCK_BITS, XfsBlocks } from "./xfs_blocks.ts";
import {
  XFS_IO_DIRECT,
  XFS_IO_UNWRITTEN,
  XfsInode,
  XfsIoend,
} from "./xfs_inode.ts";

const FIRST_INO = 131;

/**
 * The XFS model.
 *
 * @example
 * ```ts
 * import { Kernel } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { Xfs } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * device.attach(kernel);
 * assertEquals(new Xfs(kernel, device).features.includes("unwritten"), true);
 * ```
 */
export class Xfs extends XfsBlocks implements FilesystemModel {
  /** What it is able to do. */
  readonly features: readonly Feature[] = [
    "unwritten",
    "truncate",
    "fallocate",
    "punch_hole",
  ];
  /** Where ioends come from. */
  readonly ioendCache: KmemCache<XfsIoend>;
  /** For writes. */
  readonly writeOps: DioOps;
  /** For reads. */
  readonly readOps: DioOps;
  #nextIno = FIRST_INO;

  /**
   * Mounts it.
   *
   * @param kernel The kernel.
   * @param bdev The device, attached to that kernel.
   */
  constructor(kernel: Kernel, bdev: BlockDevice) {
    super(kernel, bdev);
    this.ioendCache = new KmemCache(
      kernel,
      "xfs_ioend",
      () => this.newIoend(),
    );
    const getBlock: DioOps["getBlock"] = (inode, iblock, bh, create) =>
      this.xfsGetBlocksDirect(inode as XfsInode, iblock, bh, create);
    this.readOps = { getBlock };
    this.writeOps = {
      getBlock,
      endIoName: "xfs_end_io_direct_write",
      endIo: (iocb, offset, size, priv) =>
        this.xfsEndIoDirectWrite(iocb, offset, size, priv),
    };
  }

  /**
   * Makes a file; see {@linkcode FilesystemModel}.
   *
   * @param layout Its size and extents.
   * @returns Its inode.
   */
  createFile(layout: FileLayout): XfsInode {
    const { size, diskSize } = layout;
    const map = ExtentMap.from(layout, 1 << XFS_BLOCK_BITS, this.allocator);
    const ino = this.#nextIno++;
    const inode = new XfsInode(this.sb, ino, size, map);
    inode.diSize = diskSize ?? size;
    return inode;
  }

  /**
   * `xfs_file_aio_read()`: transfers share the iolock.
   *
   * @param iocb The request; may be gone afterwards if it is queued.
   * @param iter The user's buffer.
   * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
   */
  *aioRead(iocb: Kiocb, iter: IovIter): Task<number> {
    const inode = iocb.kiFilp.fInode as XfsInode;
    const mask = this.sb.sBdev.logicalBlockSize - 1;
    if (((iocb.kiPos | iter.count) & mask) !== 0) {
      if (this.sb.kernel.stepping) yield inode.sizeStep;
      return iocb.kiPos === inode.iSize ? 0 : -EINVAL;
    }
    if (iter.count === 0) return 0;
    if (this.forcedShutdown) return -EIO;
    yield* inode.rwLock(false);
    const ret = yield* finish(genericFileAioRead(iocb));
    inode.rwUnlock(false);
    return ret;
  }

  /**
   * `xfs_file_aio_write()` for O_DIRECT: the write, and the write-sync after
   * it unless the completion does that.
   *
   * @param iocb The request; may be gone afterwards if it is queued.
   * @param iter The user's buffer.
   * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
   */
  *aioWrite(iocb: Kiocb, iter: IovIter): Task<number> {
    if (iter.count === 0) return 0;
    if (this.forcedShutdown) return -EIO;
    const written = yield* this.xfsFileDioAioWrite(iocb, iter);
    if (written <= 0 || !iocb.needsSync) return written;
    const error = yield* genericWriteSync(
      iocb,
      iocb.kiPos - written,
      written,
    );
    return error < 0 ? error : written;
  }

  /**
   * `xfs_file_dio_aio_write()`: whole blocks share the iolock; parts of
   * blocks are written with everybody else shut out, because both neighbours
   * would zero the rest of a new block. Cached pages are dropped with everybody
   * shut out, too, from the write on.
   *
   * @param iocb The request; may be gone afterwards if it is queued.
   * @param iter The user's buffer.
   * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
   */
  *xfsFileDioAioWrite(iocb: Kiocb, iter: IovIter): Task<number> {
    const inode = iocb.kiFilp.fInode as XfsInode;
    const { kiPos: pos } = iocb;
    const end = pos + iter.count;
    const sectorMask = this.sb.sBdev.logicalBlockSize - 1;
    if (((pos | end) & sectorMask) !== 0) return -EINVAL;
    const isUnaligned = ((pos | end) & ((1 << XFS_BLOCK_BITS) - 1)) !== 0;
    let isExclusive = isUnaligned || (yield* this.#hasPages(inode));
    yield* inode.rwLock(isExclusive);
    // Others may have cached something while it waited for the lock.
    if (!isExclusive && (yield* this.#hasPages(inode))) {
      inode.rwUnlock(isExclusive);
      isExclusive = true;
      yield* inode.rwLock(isExclusive);
    }
    yield* this.#moveToEnd(iocb, inode);
    let ret = yield* this.#dropPages(inode, iocb.kiPos);
    if (ret === 0) {
      if (isUnaligned) yield* inodeDioWait(inode);
      else if (isExclusive) {
        inode.rwLockDemote();
        isExclusive = false;
      }
      ret = yield* finish(genericFileDirectWrite(iocb));
    }
    inode.rwUnlock(isExclusive);
    return ret;
  }

  *#hasPages({ iMapping }: XfsInode): Task<boolean> {
    if (this.sb.kernel.stepping) yield iMapping.readStep;
    return iMapping.nrpages > 0;
  }

  /** Drops what is cached from a byte on; what is dirty is written first. */
  *#dropPages(inode: XfsInode, from: number): Task<number> {
    if (!(yield* this.#hasPages(inode))) return 0;
    const error = yield* finish(
      filemapWriteAndWaitRange(inode, from, LLONG_MAX),
    );
    if (error === 0) yield* truncatePagecacheRange(inode, from, LLONG_MAX);
    return error;
  }

  /** `generic_write_checks()`: where a write to a file in O_APPEND goes. */
  *#moveToEnd(iocb: Kiocb, inode: XfsInode): Task<void> {
    if ((iocb.kiFilp.fFlags & O_APPEND) === 0) return;
    if (this.sb.kernel.stepping) yield inode.sizeStep;
    iocb.kiPos = inode.iSize;
  }

  /**
   * `xfs_vm_direct_IO()`. The ioend of a write is parked in the request
   * before anything is submitted; if `end_io` never takes it, it is released
   * here.
   *
   * @param rw Direction.
   * @param iocb The request.
   * @param iter The user's buffer.
   * @param offset First byte in the file.
   * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
   */
  *directIO(
    rw: Rw,
    iocb: Kiocb,
    iter: IovIter,
    offset: number,
  ): Task<number> {
    const inode = iocb.kiFilp.fInode as XfsInode;
    const ops = rw === READ ? this.readOps : this.writeOps;
    if (rw === READ) {
      return yield* finish(
        blockdevDirectIO(rw, iocb, inode, iter, offset, ops, 0),
      );
    }
    const ioend = this.xfsAllocIoend(inode);
    if (ioend === null) return -ENOMEM;
    ioend.isDirect = offset + iter.count > inode.diSize;
    iocb.private = ioend;
    const ret = yield* finish(
      blockdevDirectIO(rw, iocb, inode, iter, offset, ops, 0),
    );
    if (ret !== -EIOCBQUEUED && iocb.private !== null) {
      yield* this.xfsDestroyIoend(ioend);
    }
    return ret;
  }

  /**
   * Makes an ioend when none can be used again.
   *
   * @returns A new one.
   */
  newIoend(): XfsIoend {
    return new XfsIoend();
  }

  /**
   * `xfs_alloc_ioend()`.
   *
   * @param inode The file.
   * @returns The ioend, or null without memory.
   */
  xfsAllocIoend(inode: XfsInode): XfsIoend | null {
    const ioend = this.ioendCache.alloc();
    if (ioend === null) return null;
    ioend.inode = inode;
    ioend.type = XFS_IO_DIRECT;
    ioend.isDirect = false;
    ioend.offset = 0;
    ioend.size = 0;
    ioend.error = 0;
    return ioend;
  }

  /**
   * `xfs_end_io_direct_write()`: the data is on the device. Whatever is left
   * to do is done here and now; the mapping has seen to it that this may
   * sleep.
   *
   * @param iocb The request.
   * @param offset First byte in the file.
   * @param size How many bytes; since 4.6 a negative errno on failure.
   * @param priv Not null when the write has met unwritten blocks.
   * @returns 0, or the error of what had to be done.
   */
  *xfsEndIoDirectWrite(
    iocb: Kiocb,
    offset: number,
    size: number,
    priv: unknown,
  ): Task<number> {
    const ioend = this.xfsTakeIoend(iocb);
    ioend.offset = offset;
    ioend.size = Math.max(size, 0);
    if (priv !== null && size > 0) ioend.type = XFS_IO_UNWRITTEN;
    return yield* this.xfsFinishIoendSync(ioend);
  }

  /**
   * Takes the ioend out of its request.
   *
   * @param iocb The request.
   * @returns The ioend.
   * @throws {KernelBug} If there is none: `end_io` has been called before.
   */
  xfsTakeIoend(iocb: Kiocb): XfsIoend {
    const ioend = use(iocb).private as XfsIoend | null;
    if (ioend === null) {
      throw new KernelBug(
        "no-use-after-release/slab",
        `iocb ${iocb.id}`,
        `end_io of iocb ${iocb.id} is called again: its xfs_ioend has been released`,
      );
    }
    iocb.private = null;
    return use(ioend);
  }

  /**
   * `xfs_finish_ioend_sync()` and `xfs_end_io()`: converts what was
   * unwritten, or else lets the size on disk follow; then the ioend goes.
   *
   * @param ioend The ioend.
   * @returns 0 or a negative errno.
   */
  *xfsFinishIoendSync(ioend: XfsIoend): Task<number> {
    const { inode, type, offset, size } = ioend;
    const end = offset + size;
    if (this.forcedShutdown) ioend.error = -EIO;
    else if (type === XFS_IO_UNWRITTEN) {
      ioend.error = yield* this.xfsIomapWriteUnwritten(inode, offset, size);
    } else if (ioend.isDirect && size > 0 && end > inode.diSize) {
      ioend.error = yield* this.xfsSetfilesize(inode, end);
    }
    const { error } = use(ioend);
    yield* this.xfsDestroyIoend(ioend);
    return error;
  }

  /**
   * `xfs_destroy_ioend()`.
   *
   * @param ioend The ioend.
   */
  xfsDestroyIoend(ioend: XfsIoend): Task<void> {
    this.ioendCache.free(ioend);
    return NOTHING;
  }
}

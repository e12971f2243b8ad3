/**
 * The in-memory inode of XFS, and the object that follows a direct write from
 * its submission to its end: `xfs_ioend`.
 *
 * Source: fs/xfs/xfs_inode.h, fs/xfs/xfs_file.c, fs/xfs/xfs_aops.h.
 *
 * @module
 */

import {
  EV,
  Inode,
  RwSemaphore,
  SlabObject,
  type SuperBlock,
  type Task,
} from "../core/mod.ts";
import type { ExtentMap } from "./extent_map.ts";

/** The ioend of a direct write that has met no unwritten blocks. */
export const XFS_IO_DIRECT: number = 0;
/** What was written has to be converted. */
export const XFS_IO_UNWRITTEN: number = 1;

/**
 * A file of XFS.
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
 * const inode = new Xfs(kernel, device).createFile({
 *   size: 8192,
 *   diskSize: 4096,
 *   extents: [],
 * });
 * assertEquals([inode.iSize, inode.diSize], [8192, 4096]);
 * ```
 */
export class XfsInode extends Inode {
  /** Where its blocks lie. */
  readonly extents: ExtentMap;
  /** `i_iolock`: shared by transfers, exclusive for what changes the file. */
  readonly iIolock: RwSemaphore;
  /** `i_lock`: guards extents and the size on disk. */
  readonly iLock: RwSemaphore;
  #diSize: number;

  /**
   * Makes a file.
   *
   * @param sb The filesystem.
   * @param ino Its number.
   * @param size Its size in bytes, in memory and on disk.
   * @param extents Where its blocks lie.
   */
  constructor(
    sb: SuperBlock,
    ino: number,
    size: number,
    extents: ExtentMap,
  ) {
    super(sb, ino, size);
    this.extents = extents;
    this.#diSize = size;
    this.iIolock = new RwSemaphore(sb.kernel, `i_iolock of inode ${ino}`);
    this.iLock = new RwSemaphore(sb.kernel, `i_lock of inode ${ino}`);
  }

  /** Size in bytes that is on disk: `i_d.di_size`. */
  get diSize(): number {
    return this.#diSize;
  }

  set diSize(size: number) {
    const { kernel } = this.iSb;
    this.#diSize = size;
    if (kernel.tracing) kernel.emit(EV.i_disksize_write, this.iIno, size);
  }

  /**
   * `xfs_rw_ilock()`: exclusively, which takes `i_mutex` first, or shared.
   *
   * @param isExclusive How.
   */
  *rwLock(isExclusive: boolean): Task<void> {
    const { kernel } = this.iSb;
    if (!isExclusive) return yield* this.iIolock.downRead(kernel);
    yield* this.iMutex.lock(kernel);
    yield* this.iIolock.downWrite(kernel);
  }

  /** `xfs_rw_ilock_demote()`: from exclusive to shared. */
  rwLockDemote(): void {
    const { kernel } = this.iSb;
    this.iIolock.downgradeWrite(kernel);
    this.iMutex.unlock(kernel);
  }

  /**
   * `xfs_rw_iunlock()`.
   *
   * @param isExclusive How it is held.
   */
  rwUnlock(isExclusive: boolean): void {
    const { kernel } = this.iSb;
    if (!isExclusive) return this.iIolock.upRead(kernel);
    this.iIolock.upWrite(kernel);
    this.iMutex.unlock(kernel);
  }
}

/**
 * Follows one direct write: `xfs_ioend`. It is parked in the request until
 * `end_io` takes it.
 *
 * @example
 * ```ts
 * import { XfsIoend } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new XfsIoend().isDirect, false);
 * ```
 */
export class XfsIoend extends SlabObject {
  /** The file. */
  inode!: XfsInode;
  /** {@linkcode XFS_IO_DIRECT} or {@linkcode XFS_IO_UNWRITTEN}. */
  type: number = XFS_IO_DIRECT;
  /** Whether the write ends behind the size that was on disk. */
  isDirect = false;
  /** First byte that was written. */
  offset = 0;
  /** How many bytes were written. */
  size = 0;
  /** 0, or the negative errno of what had to be done at the end. */
  error = 0;
}

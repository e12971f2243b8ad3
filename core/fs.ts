/**
 * Superblocks, inodes and files, as far as direct I/O meets them, and what a
 * filesystem gives the core.
 *
 * Source: include/linux/fs.h, fs/super.c, fs/inode.c.
 *
 * @module
 */

import type { IovIter } from "./page.ts";
import type { Rw } from "./bio.ts";
import type { BlockDevice } from "./block_device.ts";
import type { BufferHead } from "./buffer_head.ts";
import type { Kiocb } from "./aio.ts";
import { EV } from "./events.ts";
import type { Kernel } from "./kernel.ts";
import { Mutex } from "./lock.ts";
import {
  finish,
  type MaybeTask,
  readStep,
  type Step,
  type Task,
  writeStep,
} from "./step.ts";
import { WaitQueue } from "./wait.ts";
import type { Workqueue } from "./workqueue.ts";

/** Open flag: transfers bypass the page cache. */
export const O_DIRECT: number = 1 << 0;
/** Open flag: a write is stable when it is reported. */
export const O_DSYNC: number = 1 << 1;

/**
 * What a filesystem hands to `blockdevDirectIO`: how to map, and what to do
 * at the end.
 */
export interface DioOps {
  /**
   * Maps a range of file blocks: `get_block_t`.
   *
   * @param inode The file.
   * @param iblock First block of the file, in blocks of `2^inode.iBlkbits`
   * bytes.
   * @param bh The answer; `bSize` says how many bytes are wanted.
   * @param create Whether to allocate blocks for a hole.
   * @returns 0 or a negative errno.
   */
  getBlock(
    inode: Inode,
    iblock: number,
    bh: BufferHead,
    create: boolean,
  ): MaybeTask<number>;
  /**
   * Called when all transfers of a request have ended: `dio_iodone_t`. It may
   * sleep only if the mapping asked for deferral.
   *
   * @param iocb The request.
   * @param offset First byte in the file.
   * @param bytes In profile `v3.12` the bytes that were attempted, later the
   * result: a count, or a negative errno.
   * @param priv What the mapping function left in `bPrivate`.
   * @returns 0, or (ignored in `v3.12`) an errno that replaces the result.
   */
  endIo?(
    iocb: Kiocb,
    offset: number,
    bytes: number,
    priv: unknown,
  ): MaybeTask<number | void>;
  /**
   * What traces call the handler.
   *
   * @default {"end_io"}
   */
  readonly endIoName?: string;
}

/**
 * A filesystem as the core sees it: its address space, inode, file and super
 * operations in one object. Everything but `directIO` has a sensible default.
 */
export interface Filesystem {
  /** Its name, e.g. `ext4`. */
  readonly name: string;
  /**
   * The address space operation: transfers directly between the user's buffer
   * and the device.
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
  ): MaybeTask<number>;
  /**
   * The file operation behind a write; without it the generic one.
   *
   * @param iocb The request.
   * @param iter The user's buffer.
   * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
   */
  aioWrite?(iocb: Kiocb, iter: IovIter): MaybeTask<number>;
  /**
   * The file operation behind a read; without it the generic one.
   *
   * @param iocb The request.
   * @param iter The user's buffer.
   * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
   */
  aioRead?(iocb: Kiocb, iter: IovIter): MaybeTask<number>;
  /**
   * Changes the size of a file, under `i_mutex`. It waits for direct I/O
   * before it frees blocks.
   *
   * @param inode The file.
   * @param size The new size in bytes.
   * @returns 0 or a negative errno.
   */
  truncate?(inode: Inode, size: number): MaybeTask<number>;
  /**
   * Allocates unwritten blocks, under `i_mutex`.
   *
   * @param inode The file.
   * @param offset First byte.
   * @param bytes How many.
   * @returns 0 or a negative errno.
   */
  fallocate?(
    inode: Inode,
    offset: number,
    bytes: number,
  ): MaybeTask<number>;
  /**
   * Makes a file's data, and the metadata needed to reach it, stable. Without
   * it the device is flushed.
   *
   * @param inode The file.
   * @returns 0 or a negative errno.
   */
  fsync?(inode: Inode): MaybeTask<number>;
  /** Writes everything back before the superblock goes away. */
  syncFs?(sb: SuperBlock): MaybeTask<void>;
  /** An inode leaves memory: nothing may be in flight on it. */
  evictInode?(inode: Inode): MaybeTask<void>;
  /** Takes the filesystem apart, after the completion workqueue is gone. */
  putSuper?(sb: SuperBlock): MaybeTask<void>;
}

/**
 * A mounted filesystem: `struct super_block`.
 *
 * @example
 * ```ts
 * import { Inode, Kernel, SuperBlock } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ name: "sda", sizeBytes: 1 << 20 });
 * const sb = new SuperBlock(kernel, device, 12, {
 *   name: "nofs",
 *   directIO: () => 0,
 * });
 * const inode = new Inode(sb, 12, 8192);
 * assertEquals([sb.sId, inode.iSize], ["sda", 8192]);
 * ```
 */
export class SuperBlock {
  /** The kernel. */
  readonly kernel: Kernel;
  /** Name of the device, part of the workqueue's name. */
  readonly sId: string;
  /** The device. */
  readonly sBdev: BlockDevice;
  /** Binary logarithm of the block size. */
  readonly sBlocksizeBits: number;
  /** The filesystem. */
  readonly fs: Filesystem;
  /** Workqueue for deferred completions, made when first needed. */
  sDioDoneWq: Workqueue | null = null;
  /** The step before `sDioDoneWq` is read. */
  readonly wqReadStep: Step;
  /** The step before `sDioDoneWq` is compared and swapped. */
  readonly wqWriteStep: Step;
  /** Inodes in memory. */
  readonly inodes: Inode[] = [];

  /**
   * Makes a superblock.
   *
   * @param kernel The kernel.
   * @param bdev The device, attached to that kernel.
   * @param blocksizeBits Binary logarithm of the block size: 9 to 16.
   * @param fs The filesystem.
   * @throws {RangeError} If the block size is smaller than the device's.
   */
  constructor(
    kernel: Kernel,
    bdev: BlockDevice,
    blocksizeBits: number,
    fs: Filesystem,
  ) {
    if (1 << blocksizeBits < bdev.logicalBlockSize) {
      throw new RangeError(
        `Cannot mount ${fs.name}: its blocks of ${
          1 << blocksizeBits
        } bytes are smaller than those of ${bdev.name} (${bdev.logicalBlockSize})`,
      );
    }
    this.kernel = kernel;
    this.sBdev = bdev;
    this.sId = bdev.name;
    this.sBlocksizeBits = blocksizeBits;
    this.fs = fs;
    const addr = kernel.newAddr();
    this.wqReadStep = readStep(addr);
    this.wqWriteStep = writeStep(addr);
  }
}

/**
 * A file in memory: `struct inode`. A filesystem model extends it with its
 * own fields.
 *
 * @example
 * ```ts
 * import { Inode, Kernel, SuperBlock } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * const fs = { name: "nofs", directIO: () => 0 };
 * const inode = new Inode(new SuperBlock(kernel, device, 12, fs), 12, 0);
 * kernel.spawn("a", inode.sizeWrite(4096));
 * kernel.run();
 * assertEquals(inode.iSize, 4096);
 * ```
 */
export class Inode {
  /** Its filesystem. */
  readonly iSb: SuperBlock;
  /** Its number. */
  readonly iIno: number;
  /** Size in bytes. */
  iSize: number;
  /** Binary logarithm of the block size. */
  iBlkbits: number;
  /** Direct I/O in flight. */
  iDioCount = 0;
  /** Serialises writers, truncate, and readers with `DIO_LOCKING`. */
  readonly iMutex: Mutex;
  /** Whether every write is stable when it is reported (`S_SYNC`). */
  sync = false;
  /** Pages in the page cache. */
  nrpages = 0;
  /** Who waits until no direct I/O is in flight. */
  readonly dioWait: WaitQueue;
  /** The step before `iSize` is read. */
  readonly sizeStep: Step;
  /** The step before `iSize` is written. */
  readonly sizeWriteStep: Step;
  /** The step before `iDioCount` is read. */
  readonly dioCountReadStep: Step;
  /** The step before `iDioCount` is changed. */
  readonly dioCountStep: Step;

  /**
   * Makes an inode, and lists it with its superblock.
   *
   * @param sb The filesystem.
   * @param ino Its number.
   * @param size Its size in bytes.
   */
  constructor(sb: SuperBlock, ino: number, size: number) {
    const { kernel } = sb;
    this.iSb = sb;
    this.iIno = ino;
    this.iSize = size;
    this.iBlkbits = sb.sBlocksizeBits;
    this.iMutex = new Mutex(kernel, `i_mutex of inode ${ino}`);
    this.dioWait = new WaitQueue(
      kernel,
      `i_dio_count of inode ${ino} to drop to 0`,
    );
    const addr = kernel.newAddr(2);
    this.sizeStep = readStep(addr);
    this.sizeWriteStep = writeStep(addr);
    this.dioCountReadStep = readStep(addr + 1);
    this.dioCountStep = writeStep(addr + 1);
    sb.inodes.push(this);
  }

  /**
   * Raises `iDioCount`: the plain part of `inodeDioBegin()`, after its step.
   *
   * @param dioId The request, for traces; 0 for none.
   */
  dioCountUp(dioId: number): void {
    const { kernel } = this.iSb;
    this.iDioCount++;
    if (kernel.tracing) {
      kernel.emit(EV.inode_dio_begin, this.iIno, dioId, this.iDioCount);
    }
  }

  /**
   * Lowers `iDioCount`: the plain part of `inodeDioDone()`, after its step.
   *
   * @param dioId The request, for traces; 0 for none.
   * @returns Whether it reached zero, so that waiters are to be woken.
   */
  dioCountDown(dioId: number): boolean {
    const { kernel } = this.iSb;
    this.iDioCount--;
    if (kernel.tracing) {
      kernel.emit(EV.inode_dio_done, this.iIno, dioId, this.iDioCount);
    }
    return this.iDioCount === 0;
  }

  /**
   * `inodeDioDone()` for code that nobody decides about step by step.
   *
   * @param dioId The request, for traces; 0 for none.
   */
  dioDone(dioId: number): void {
    if (this.dioCountDown(dioId)) this.dioWait.wakeUp(this.iSb.kernel);
  }

  /**
   * `i_size_write()`.
   *
   * @param size The new size in bytes.
   */
  *sizeWrite(size: number): Task<void> {
    const { kernel } = this.iSb;
    if (kernel.stepping) yield this.sizeWriteStep;
    this.iSize = size;
    if (kernel.tracing) kernel.emit(EV.i_size_write, this.iIno, size);
  }
}

/** An open file: `struct file`. */
export interface File {
  /** The file. */
  readonly fInode: Inode;
  /** {@linkcode O_DIRECT}, {@linkcode O_DSYNC}. */
  readonly fFlags: number;
}

/**
 * `generic_shutdown_super()`: what an unmount does, in its order. Inodes are
 * evicted, the completion workqueue is drained and destroyed, and only then
 * the filesystem is taken apart.
 *
 * @param sb The filesystem. Nobody may have a file of it open.
 *
 * @example
 * ```ts
 * import { genericShutdownSuper, Kernel, SuperBlock } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ name: "sda", sizeBytes: 1 << 20 });
 * const fs = { name: "nofs", directIO: () => 0 };
 * kernel.spawn("umount", genericShutdownSuper(new SuperBlock(kernel, device, 12, fs)));
 * kernel.run();
 * assertEquals(kernel.trace.event(kernel.trace.count - 1).ev, "put_super");
 * ```
 */
export function* genericShutdownSuper(sb: SuperBlock): Task<void> {
  const { kernel, fs } = sb;
  if (fs.syncFs) yield* finish(fs.syncFs(sb));
  if (kernel.tracing) kernel.emit(EV.evict_inodes, kernel.trace.str(sb.sId));
  for (const inode of sb.inodes) {
    if (fs.evictInode) yield* finish(fs.evictInode(inode));
  }
  sb.inodes.length = 0;
  if (sb.sDioDoneWq !== null) {
    yield* sb.sDioDoneWq.destroy();
    sb.sDioDoneWq = null;
  }
  if (fs.putSuper) yield* finish(fs.putSuper(sb));
  if (kernel.tracing) kernel.emit(EV.put_super, kernel.trace.str(sb.sId));
}

/**
 * Superblocks, inodes and files, as far as direct I/O meets them.
 *
 * Source: include/linux/fs.h, fs/super.c, fs/inode.c.
 *
 * @module
 */

import { AddressSpace } from "./address_space.ts";
import type { BlockDevice } from "./block_device.ts";
import { EV } from "./events.ts";
import type { Filesystem } from "./filesystem.ts";
import { SbWriters } from "./freeze.ts";
import type { Kernel } from "./kernel.ts";
import { Mutex } from "./lock.ts";
import { readStep, type Step, type Task, writeStep } from "./step.ts";
import { WaitQueue } from "./wait.ts";
import type { Workqueue } from "./workqueue.ts";

/** Open flag: transfers bypass the page cache. */
export const O_DIRECT: number = 1 << 0;
/** Open flag: a write is stable when it is reported. */
export const O_DSYNC: number = 1 << 1;
/** Open flag: a write begins where the file ends. */
export const O_APPEND: number = 1 << 2;

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
  /** Who writes to it, and whether that is forbidden now. */
  readonly sWriters: SbWriters;
  /** Open files whose references are counted; they pin the mount. */
  openFiles = 0;
  /** The step before `openFiles` is changed. */
  readonly openFilesStep: Step;
  /** Who unmounts it, and waits until no file is open; null if nobody does. */
  unpinned: WaitQueue | null = null;

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
    this.sWriters = new SbWriters(kernel, this.sId);
    const addr = kernel.newAddr(2);
    this.wqReadStep = readStep(addr);
    this.wqWriteStep = writeStep(addr);
    this.openFilesStep = writeStep(addr + 1);
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
  /** Its page cache. */
  readonly iMapping: AddressSpace;
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
    this.iMapping = new AddressSpace(kernel, this);
    this.dioWait = new WaitQueue(
      kernel,
      `i_dio_count of inode ${ino} to drop to 0`,
      { state: () => `it is ${this.iDioCount}` },
    );
    const addr = kernel.newAddr(2);
    this.sizeStep = readStep(addr);
    this.sizeWriteStep = writeStep(addr);
    this.dioCountReadStep = readStep(addr + 1);
    this.dioCountStep = writeStep(addr + 1);
    sb.inodes.push(this);
  }

  /** Pages in the page cache. */
  get nrpages(): number {
    return this.iMapping.nrpages;
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
  /** References, of a file whose references are counted. */
  readonly fCount?: number;
}

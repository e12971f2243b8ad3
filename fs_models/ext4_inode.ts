/**
 * The in-memory inode of ext4 and the object that follows a direct write from
 * its submission to the conversion of what it wrote: `ext4_io_end`.
 *
 * Source: fs/ext4/ext4.h, fs/ext4/page-io.c.
 *
 * @module
 */

import {
  EV,
  Inode,
  type Kernel,
  KernelBug,
  readStep,
  RwSemaphore,
  SCHEDULE,
  SlabObject,
  SpinLock,
  type Step,
  type SuperBlock,
  type Task,
  WaitQueue,
  WorkItem,
  writeStep,
} from "../core/mod.ts";
import type { ExtentMap } from "./extent_map.ts";
import { checkSizes } from "./fsck.ts";
import type { Journal } from "./journal.ts";

/** Bit of `flag`: what was written has to be converted. */
export const EXT4_IO_END_UNWRITTEN: number = 1;

/**
 * A file of ext4.
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
 * const inode = new Ext4(kernel, device).createFile({ size: 0, extents: [] });
 * assertEquals([inode.iUnwritten, inode.iIoendCount], [0, 0]);
 * ```
 */
export class Ext4Inode extends Inode {
  /** Where its blocks lie. */
  readonly extents: ExtentMap;
  /** Guards the extents. */
  readonly iDataSem: RwSemaphore;
  #iDisksize: number;
  /** Conversions that are to come. */
  iUnwritten = 0;
  /** `ext4_io_end` objects that are alive. */
  iIoendCount = 0;
  /** The io_end of the write that is being mapped, or null. */
  iAioDio: Ext4IoEnd | null = null;
  /** Whether a write that is waited for has met unwritten blocks. */
  stateDioUnwritten = false;
  /**
   * How many operations keep reads from going without `i_mutex`:
   * `EXT4_STATE_DIOREAD_LOCK`.
   */
  dioreadLock = 0;
  /** Whether a crash would have the blocks behind the end freed. */
  isOrphan = false;
  /** Guards {@linkcode rsvConversionList}. */
  readonly completedIoLock: SpinLock;
  /** Written back and not converted yet: `i_rsv_conversion_list`. */
  readonly rsvConversionList: Ext4IoEnd[] = [];
  /** Converts what is on that list. */
  readonly rsvConversionWork: WorkItem = new WorkItem();
  /** The step before {@linkcode dioreadLock} is read. */
  readonly dioreadLockStep: Step;
  /** Who waits until nothing is to be converted, or no io_end is alive. */
  readonly ioendWait: WaitQueue;
  readonly #countersStep: Step;
  readonly #countersReadStep: Step;
  readonly #dioreadLockWriteStep: Step;

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
    const { kernel } = sb;
    this.extents = extents;
    this.#iDisksize = size;
    this.iDataSem = new RwSemaphore(kernel, `i_data_sem of inode ${ino}`);
    this.ioendWait = new WaitQueue(kernel, `io_ends of inode ${ino} to end`);
    this.completedIoLock = new SpinLock(
      kernel,
      `i_completed_io_lock of inode ${ino}`,
    );
    const addr = kernel.newAddr(2);
    this.#countersStep = writeStep(addr);
    this.#countersReadStep = readStep(addr);
    this.#dioreadLockWriteStep = writeStep(addr + 1);
    this.dioreadLockStep = readStep(addr + 1);
  }

  /** Size in bytes that is on disk. */
  get iDisksize(): number {
    return this.#iDisksize;
  }

  set iDisksize(size: number) {
    const { kernel } = this.iSb;
    this.#iDisksize = size;
    if (kernel.tracing) kernel.emit(EV.i_disksize_write, this.iIno, size);
  }

  /**
   * Whether nothing is under way any more.
   *
   * @throws {KernelBug} If something is, and who counts it has lost count.
   */
  checkEvictable(): void {
    const { iUnwritten, iIoendCount, dioreadLock } = this;
    if (iUnwritten !== 0 || iIoendCount !== 0 || dioreadLock !== 0) {
      throw new KernelBug(
        "dio-count-balanced/own-counters",
        `inode ${this.iIno}`,
        `inode ${this.iIno} goes with i_unwritten ${iUnwritten}, i_ioend_count ${iIoendCount}, DIOREAD_LOCK ${dioreadLock}`,
      );
    }
    checkSizes(this, this.iDisksize);
    if (!this.isOrphan) return;
    throw new KernelBug(
      "completion-resources/no-orphan-left",
      `inode ${this.iIno}`,
      `inode ${this.iIno} goes and is an orphan still`,
    );
  }

  /** A conversion is to come: `i_unwritten` goes up. */
  *unwrittenBegin(): Task<void> {
    if (this.iSb.kernel.stepping) yield this.#countersStep;
    this.iUnwritten++;
  }

  /** A conversion is done: `i_unwritten` goes down, and waiters are woken. */
  *unwrittenDone(): Task<void> {
    const { kernel } = this.iSb;
    if (kernel.stepping) yield this.#countersStep;
    this.iUnwritten--;
    if (kernel.stepping) yield this.ioendWait.wakeStep;
    this.ioendWait.wakeUp(kernel);
  }

  /** An io_end is born: `i_ioend_count` goes up. */
  *ioendBegin(): Task<void> {
    if (this.iSb.kernel.stepping) yield this.#countersStep;
    this.iIoendCount++;
  }

  /** An io_end is gone: `i_ioend_count` goes down, and waiters are woken. */
  *ioendDone(): Task<void> {
    const { kernel } = this.iSb;
    if (kernel.stepping) yield this.#countersStep;
    this.iIoendCount--;
    if (kernel.stepping) yield this.ioendWait.wakeStep;
    this.ioendWait.wakeUp(kernel);
  }

  /** `ext4_ioend_wait()`: sleeps until no io_end is alive. */
  *ioendShutdown(): Task<void> {
    yield* this.#wait("ext4_ioend_wait", () => this.iIoendCount === 0);
  }

  /** `ext4_unwritten_wait()`: sleeps until nothing is to be converted. */
  *unwrittenWait(): Task<void> {
    yield* this.#wait("ext4_unwritten_wait", () => this.iUnwritten === 0);
  }

  *#wait(what: string, isDone: () => boolean): Task<void> {
    const { kernel } = this.iSb;
    kernel.mightSleep(what);
    for (;;) {
      if (kernel.stepping) yield this.ioendWait.step;
      this.ioendWait.prepareToWait(kernel);
      if (kernel.stepping) yield this.#countersReadStep;
      if (isDone()) break;
      yield SCHEDULE;
    }
    this.ioendWait.finishWait(kernel);
  }

  /**
   * `ext4_inode_block_unlocked_dio()`: from now on reads take `i_mutex`.
   * Whoever calls it waits for those that do not.
   */
  *blockUnlockedDio(): Task<void> {
    if (this.iSb.kernel.stepping) yield this.#dioreadLockWriteStep;
    this.dioreadLock++;
  }

  /** `ext4_inode_resume_unlocked_dio()`. */
  *resumeUnlockedDio(): Task<void> {
    if (this.iSb.kernel.stepping) yield this.#dioreadLockWriteStep;
    this.dioreadLock--;
  }
}

/**
 * Follows one asynchronous write. It has two references: the submitter's and
 * the completion's; who drops the last one converts.
 *
 * @example
 * ```ts
 * import { Ext4IoEnd } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new Ext4IoEnd().count, 0);
 * ```
 */
export class Ext4IoEnd extends SlabObject {
  /** The file. */
  inode!: Ext4Inode;
  /** {@linkcode EXT4_IO_END_UNWRITTEN} or 0. */
  flag = 0;
  /** First byte that was written. */
  offset = 0;
  /** How many bytes were written. */
  size = 0;
  /** Whether its transaction is reserved: only writeback does that. */
  handle = false;
  /** References. */
  count = 0;
  /** Ends the writeback of its pages; null for direct I/O. */
  finishBio: (() => void) | null = null;
}

/**
 * `ext4_convert_unwritten_extents()`: marks a range as written, in a
 * transaction; sleeps.
 *
 * @param journal The journal.
 * @param inode The file.
 * @param offset First byte.
 * @param bytes How many.
 * @param isReserved Whether its transaction was reserved before, and so cannot
 * fail now.
 * @returns 0 or a negative errno.
 *
 * @example
 * ```ts
 * import { Kernel } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { Ext4, ext4ConvertUnwrittenExtents } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * device.attach(kernel);
 * const fs = new Ext4(kernel, device);
 * const inode = fs.createFile({
 *   size: 4096,
 *   extents: [{ offset: 0, bytes: 4096, state: "unwritten" }],
 * });
 * kernel.spawn("a", ext4ConvertUnwrittenExtents(fs.journal, inode, 0, 4096));
 * kernel.run();
 * assertEquals(inode.extents.lookup(0).state, "written");
 * ```
 */
export function* ext4ConvertUnwrittenExtents(
  journal: Journal,
  inode: Ext4Inode,
  offset: number,
  bytes: number,
  isReserved: boolean = false,
): Task<number> {
  const { kernel } = inode.iSb;
  const block = 1 << inode.iBlkbits;
  const first = Math.floor(offset / block);
  const end = Math.ceil((offset + bytes) / block);
  const error = isReserved
    ? yield* journal.startReserved()
    : yield* journal.start();
  if (error === 0) {
    yield* inode.iDataSem.downWrite(kernel);
    inode.extents.convert(first, end - first);
    inode.iDataSem.upWrite(kernel);
    journal.stop();
  }
  traceConvert(kernel, inode, offset, bytes, error);
  return error;
}

function traceConvert(
  kernel: Kernel,
  inode: Inode,
  offset: number,
  bytes: number,
  ret: number,
): void {
  if (!kernel.tracing) return;
  kernel.emit(EV.convert_unwritten, inode.iIno, offset, bytes, ret);
}

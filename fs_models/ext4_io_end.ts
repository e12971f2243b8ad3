/**
 * The life of an `ext4_io_end`: who holds it, who converts what it stands
 * for, and how a conversion that must not wait gets to a worker.
 *
 * Source: fs/ext4/page-io.c of Linux 3.12.
 *
 * @module
 */

import {
  allocWorkqueue,
  type BlockDevice,
  ENOMEM,
  type Inode,
  type Kernel,
  KernelBug,
  KmemCache,
  type SuperBlock,
  type Task,
  use,
  type Workqueue,
  WQ_MEM_RECLAIM,
  WQ_UNBOUND,
  writeStep,
} from "../core/mod.ts";
import { EXT4_BLOCK_BITS, Ext4Blocks } from "./ext4_blocks.ts";
import {
  EXT4_IO_END_UNWRITTEN,
  ext4ConvertUnwrittenExtents,
  type Ext4Inode,
  Ext4IoEnd,
} from "./ext4_inode.ts";
import { checkNothingBehind } from "./fsck.ts";

/**
 * The part of ext4 that follows writes to their conversion.
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
 * const inode = fs.createFile({ size: 0, extents: [] });
 * kernel.spawn("a", (function* () {
 *   const ioEnd = (yield* fs.ext4InitIoEnd(inode))!;
 *   assertEquals([ioEnd.count, inode.iIoendCount], [1, 1]);
 *   yield* fs.ext4PutIoEnd(ioEnd);
 *   assertEquals(inode.iIoendCount, 0);
 * })());
 * assertEquals(kernel.run().bug, null);
 * ```
 */
export abstract class Ext4IoEnds extends Ext4Blocks {
  /** Where io_ends come from. */
  readonly ioEndCache: KmemCache<Ext4IoEnd>;
  /** Runs the conversions of writeback. */
  readonly rsvConversionWq: Workqueue;

  /**
   * Mounts it.
   *
   * @param kernel The kernel.
   * @param bdev The device, attached to that kernel.
   * @throws {Ext4MountError} If something cannot be allocated.
   */
  constructor(kernel: Kernel, bdev: BlockDevice) {
    super(kernel, bdev);
    this.ioEndCache = new KmemCache(
      kernel,
      "ext4_io_end",
      () => this.newIoEnd(),
    );
    this.rsvConversionWq = ext4AllocWorkqueue(kernel, "ext4-rsv-conversion");
  }

  /**
   * Makes an io_end when none can be used again.
   *
   * @returns A new one.
   */
  newIoEnd(): Ext4IoEnd {
    return new Ext4IoEnd();
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
    ioEnd.handle = false;
    ioEnd.finishBio = null;
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
   * `ext4_end_bio()`: blocks that were written back, and were allocated as
   * unwritten for that, are left to the worker of the inode to be converted.
   * Their io_end and its transaction were set aside before.
   *
   * @param inode The file.
   * @param offset First byte.
   * @param bytes How many.
   * @param finishBio Ends the writeback of the pages.
   */
  *endWriteback(
    inode: Inode,
    offset: number,
    bytes: number,
    finishBio: () => void,
  ): Task<void> {
    const file = inode as Ext4Inode;
    const { state } = file.extents.lookup(offset >> EXT4_BLOCK_BITS);
    if (state !== "unwritten") return finishBio();
    // __GFP_NOFAIL: tries until it has one.
    const ioEnd = (yield* this.ext4InitIoEnd(file)) ??
      (yield* this.ext4InitIoEnd(file)) as Ext4IoEnd;
    yield* this.ext4SetIoUnwrittenFlag(file, ioEnd);
    ioEnd.handle = true;
    ioEnd.offset = offset;
    ioEnd.size = bytes;
    ioEnd.finishBio = finishBio;
    yield* this.ext4PutIoEndDefer(ioEnd);
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
   * `ext4_put_io_end()`: drops a reference. The last one converts what was
   * written, here and now, and releases the io_end.
   *
   * @param ioEnd The io_end.
   * @returns 0, or the error of the conversion.
   */
  *ext4PutIoEnd(ioEnd: Ext4IoEnd): Task<number> {
    if (this.sb.kernel.stepping) yield writeStep(use(ioEnd).addr);
    if (--use(ioEnd).count > 0) return 0;
    if ((ioEnd.flag & EXT4_IO_END_UNWRITTEN) !== 0) {
      return yield* this.ext4EndIo(ioEnd);
    }
    yield* this.ext4ReleaseIoEnd(ioEnd);
    return 0;
  }

  /**
   * `ext4_put_io_end_defer()`: drops a reference where nobody may sleep. What
   * has to be converted is left to the worker of the inode.
   *
   * @param ioEnd The io_end.
   */
  *ext4PutIoEndDefer(ioEnd: Ext4IoEnd): Task<void> {
    if (this.sb.kernel.stepping) yield writeStep(use(ioEnd).addr);
    if (--use(ioEnd).count > 0) return;
    const { flag, size } = ioEnd;
    if ((flag & EXT4_IO_END_UNWRITTEN) === 0 || size === 0) {
      yield* this.ext4ReleaseIoEnd(ioEnd);
    } else yield* this.ext4AddCompleteIo(ioEnd);
  }

  /**
   * `ext4_add_complete_io()`: puts an io_end on the list of its inode, whose
   * work is queued when the list was empty. Only conversions of writeback may
   * enter, which have their transaction reserved.
   *
   * @param ioEnd The io_end.
   * @throws {KernelBug} If its transaction is not reserved.
   */
  *ext4AddCompleteIo(ioEnd: Ext4IoEnd): Task<void> {
    const { kernel } = this.sb;
    const { inode } = ioEnd;
    if (!ioEnd.handle) {
      throw new KernelBug(
        "no-double-deferral/reserved-only",
        `ext4_io_end ${ioEnd.id}`,
        `ext4_io_end ${ioEnd.id} is put on the list of reserved conversions without a reserved transaction`,
      );
    }
    yield* inode.completedIoLock.lockIrqsave(kernel);
    if (inode.rsvConversionList.length === 0) {
      const work = inode.rsvConversionWork;
      if (!work.pending) {
        work.init("ext4_end_io_rsv_work", () => this.ext4EndIoRsvWork(inode));
      }
      yield* this.rsvConversionWq.queueWork(work);
    }
    inode.rsvConversionList.push(ioEnd);
    inode.completedIoLock.unlock(kernel);
  }

  /**
   * `ext4_end_io_rsv_work()`: converts whatever is on the list of an inode.
   *
   * @param inode The file.
   */
  *ext4EndIoRsvWork(inode: Ext4Inode): Task<void> {
    const { kernel } = this.sb;
    yield* inode.completedIoLock.lockIrqsave(kernel);
    const ended = inode.rsvConversionList.splice(0);
    inode.completedIoLock.unlock(kernel);
    for (const ioEnd of ended) yield* this.ext4EndIo(ioEnd);
  }

  /**
   * `ext4_end_io()`: converts what an io_end stands for, and releases it.
   *
   * @param ioEnd The io_end, without references.
   * @returns 0, or the error of the conversion.
   */
  *ext4EndIo(ioEnd: Ext4IoEnd): Task<number> {
    const { inode, offset, size, handle } = use(ioEnd);
    let error = 0;
    if (size > 0) error = yield* this.convert(inode, offset, size, handle);
    ioEnd.handle = false;
    ioEnd.flag &= ~EXT4_IO_END_UNWRITTEN;
    yield* inode.unwrittenDone();
    yield* this.ext4ReleaseIoEnd(ioEnd);
    return error;
  }

  /**
   * `ext4_release_io_end()`: nothing is left to do for an io_end. Pages that
   * were written back are clean only now.
   *
   * @param ioEnd The io_end.
   */
  *ext4ReleaseIoEnd(ioEnd: Ext4IoEnd): Task<void> {
    yield* use(ioEnd).inode.ioendDone();
    ioEnd.finishBio?.();
    this.ioEndCache.free(ioEnd);
  }

  /**
   * Converts a range of unwritten blocks.
   *
   * @param inode The file.
   * @param offset First byte.
   * @param bytes How many.
   * @param isReserved Whether its transaction is reserved, and so can neither
   * fail nor wait for space in the journal.
   * @returns 0 or a negative errno.
   */
  convert(
    inode: Ext4Inode,
    offset: number,
    bytes: number,
    isReserved: boolean = false,
  ): Task<number> {
    return ext4ConvertUnwrittenExtents(
      this.journal,
      inode,
      offset,
      bytes,
      isReserved,
    );
  }

  /**
   * `ext4_sync_fs()`: waits for the conversions of writeback, then commits.
   *
   * @param _sb The superblock.
   */
  *syncFs(_sb: SuperBlock): Task<void> {
    yield* this.rsvConversionWq.flush();
    yield* this.journal.forceCommit();
  }

  /**
   * `ext4_evict_inode()`: nobody may still follow a write to it.
   *
   * @param inode The file.
   */
  *evictInode(inode: Inode): Task<void> {
    const file = inode as Ext4Inode;
    yield* file.ioendShutdown();
    file.checkEvictable();
    if (!this.journal.hasFailed) checkNothingBehind(file, file.extents);
    this.allocator.evict(file.extents);
  }

  /**
   * `ext4_put_super()`: the last conversions have been made when the journal
   * goes.
   *
   * @param _sb The superblock.
   */
  *putSuper(_sb: SuperBlock): Task<void> {
    yield* this.rsvConversionWq.flush();
    yield* this.rsvConversionWq.destroy();
    this.journal.destroy();
    this.allocator.destroy();
  }
}

/**
 * A mount that failed. What it had allocated before has been given back.
 *
 * @example
 * ```ts
 * import { Kernel } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { Ext4, Ext4MountError } from "@endio/dio/fs-models";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const kernel = new Kernel({
 *   allocFaults: [{ what: "ext4-rsv-conversion", nth: 1 }],
 * });
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * device.attach(kernel);
 * const error = assertThrows(() => new Ext4(kernel, device), Ext4MountError);
 * assertEquals(error.errno, -12);
 * ```
 */
export class Ext4MountError extends Error {
  /** What the system call gives: a negative errno. */
  readonly errno: number;

  /**
   * Makes the error.
   *
   * @param what What could not be allocated.
   */
  constructor(what: string) {
    super(
      `Cannot mount ext4: no memory for ${what}; the scenario's allocFaults let it fail`,
    );
    this.name = "Ext4MountError";
    this.errno = -ENOMEM;
  }
}

/**
 * Makes one of ext4's own workqueues.
 *
 * @param kernel The kernel.
 * @param name Its name.
 * @returns The queue: unbound, one item at a time.
 * @throws {Ext4MountError} Without memory.
 *
 * @example
 * ```ts
 * import { Kernel } from "@endio/dio/core";
 * import { ext4AllocWorkqueue } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const wq = ext4AllocWorkqueue(new Kernel(), "ext4-rsv-conversion");
 * assertEquals([wq.name, wq.maxActive], ["ext4-rsv-conversion", 1]);
 * ```
 */
export function ext4AllocWorkqueue(kernel: Kernel, name: string): Workqueue {
  const flags = WQ_MEM_RECLAIM | WQ_UNBOUND;
  const wq = allocWorkqueue(kernel, name, flags, 1, name);
  if (wq === null) throw new Ext4MountError(name);
  return wq;
}

/**
 * ext4 with one mistake each.
 *
 * @module
 */

import {
  BH_DEFER_COMPLETION,
  type BlockDevice,
  type BufferHead,
  finish,
  type Inode,
  type Kernel,
  type Kiocb,
  NOTHING,
  type SuperBlock,
  type Task,
  WorkItem,
  type Workqueue,
} from "../../core/mod.ts";
import {
  Ext4,
  ext4AllocWorkqueue,
  Ext4Inode,
  type Ext4IoEnd,
  type FileLayout,
  type ModelSpec,
} from "../../fs_models/mod.ts";
import type { Mutant } from "./mutant.ts";

/** The mapping does not ask for deferral. */
class NoDefer extends Ext4 {
  override *ext4GetBlockWrite(
    inode: Ext4Inode,
    iblock: number,
    bh: BufferHead,
  ): Task<number> {
    const ret = yield* super.ext4GetBlockWrite(inode, iblock, bh);
    bh.bState &= ~BH_DEFER_COMPLETION;
    return ret;
  }
}

/** end_io leaves the conversion to a workqueue of its own, and returns. */
class DefersAgain extends Ext4 {
  readonly #wq: Workqueue;

  constructor(kernel: Kernel, bdev: BlockDevice) {
    super(kernel, bdev);
    this.#wq = ext4AllocWorkqueue(kernel, "ext4-dio-unwritten");
  }

  override *ext4EndIoDio(
    iocb: Kiocb,
    offset: number,
    size: number,
  ): Task<number> {
    const ioEnd = iocb.private as Ext4IoEnd | null;
    if (ioEnd === null) return 0;
    iocb.private = null;
    ioEnd.offset = offset;
    ioEnd.size = size;
    const work = new WorkItem();
    work.init("ext4_end_io_unrsv_work", () => this.#convertLater(ioEnd));
    yield* this.#wq.queueWork(work);
    return 0;
  }

  *#convertLater(ioEnd: Ext4IoEnd): Task<void> {
    yield* this.ext4PutIoEnd(ioEnd);
  }

  override *putSuper(sb: SuperBlock): Task<void> {
    yield* this.#wq.destroy();
    yield* super.putSuper(sb);
  }
}

/** Unwritten blocks stay unwritten. */
class NoConversion extends Ext4 {
  override convert(): Task<number> {
    return finish(0);
  }
}

/** What a write has failed to write is converted as well. */
class ConvertsFailed extends Ext4 {
  override *ext4EndIoDio(
    iocb: Kiocb,
    offset: number,
    size: number,
  ): Task<number> {
    const { iov, count } = iocb.iter;
    const asked = iov.reduce((bytes, { len }) => bytes + len, 0);
    const bytes = Math.max(size, asked - count);
    return yield* super.ext4EndIoDio(iocb, offset, bytes);
  }
}

/** Parts of blocks are written by several at once. */
class SharesBlocks extends Ext4 {
  override ext4UnalignedAio(): boolean {
    return false;
  }
}

/** An inode whose counter of conversions to come never goes down. */
class UncountedInode extends Ext4Inode {
  override unwrittenDone(): Task<void> {
    return NOTHING;
  }
}

/** Conversions that were made are still counted as to come. */
class LeaksUnwritten extends Ext4 {
  override createFile(layout: FileLayout): Ext4Inode {
    const { iSb, iIno, iSize, extents } = super.createFile(layout);
    iSb.inodes.pop();
    return new UncountedInode(iSb, iIno, iSize, extents);
  }
}

/** Truncate and hole punch do not wait for direct I/O. */
class DoesNotWait extends Ext4 {
  override *truncate(inode: Inode, size: number): Task<number> {
    yield* inode.sizeWrite(size);
    return yield* this.#free(inode, size, Infinity);
  }

  override *punchHole(
    inode: Inode,
    offset: number,
    bytes: number,
  ): Task<number> {
    return yield* this.#free(inode, offset, bytes);
  }

  *#free(inode: Inode, offset: number, bytes: number): Task<number> {
    const { kernel } = this.sb;
    const { extents, iDataSem } = inode as Ext4Inode;
    const error = yield* this.journal.start();
    if (error !== 0) return error;
    yield* iDataSem.downWrite(kernel);
    const block = 1 << inode.iBlkbits;
    const removed = extents.remove(Math.ceil(offset / block), bytes / block);
    this.journal.freeOnCommit(removed, this.allocator);
    iDataSem.upWrite(kernel);
    this.journal.stop();
    return 0;
  }
}

/** The completion's reference is not dropped when end_io never ran. */
class IoEndLeaks extends Ext4 {
  override ext4EndIoDio(iocb: Kiocb): Task<number> {
    iocb.private = null;
    return finish(0);
  }
}

function ext4(mount: ModelSpec["mount"]): ModelSpec {
  return { name: "ext4", mount };
}

/** Mutants of ext4. */
export const EXT4_MUTANTS: readonly Mutant[] = [
  {
    id: "ext4-no-defer",
    mistake: "the mapping of unwritten blocks does not ask for deferral",
    rule: "no-sleep-in-interrupt/context",
    bugs: ["DIO-029"],
    model: ext4((kernel, bdev) => new NoDefer(kernel, bdev)),
  },
  {
    id: "ext4-defers-again",
    mistake: "end_io queues a second work and returns",
    rule: "no-double-deferral/end-io-finishes",
    bugs: ["DIO-011"],
    model: ext4((kernel, bdev) => new DefersAgain(kernel, bdev)),
  },
  {
    id: "ext4-no-conversion",
    mistake: "what was written is not converted",
    rule: "completion-order/reader-sees-data",
    bugs: ["DIO-028"],
    model: ext4((kernel, bdev) => new NoConversion(kernel, bdev)),
  },
  {
    id: "ext4-io-end-leaks",
    mistake: "end_io does not put the io_end",
    rule: "liveness/blocked-for-ever",
    bugs: [],
    model: ext4((kernel, bdev) => new IoEndLeaks(kernel, bdev)),
  },
  {
    id: "ext4-converts-failed",
    mistake: "what a write has failed to write is converted",
    rule: "convert-only-written/not-after-an-error",
    bugs: ["DIO-014"],
    profile: "v6.1",
    model: ext4((kernel, bdev) => new ConvertsFailed(kernel, bdev)),
  },
  {
    id: "ext4-shares-blocks",
    mistake: "two writes of parts of one unwritten block are in flight at once",
    rule: "sub-block-zeroing-serialised/alone-in-a-block",
    bugs: ["DIO-088"],
    model: ext4((kernel, bdev) => new SharesBlocks(kernel, bdev)),
  },
  {
    id: "ext4-unwritten-leaks",
    mistake: "i_unwritten does not go down when a conversion is done",
    rule: "dio-count-balanced/own-counters",
    bugs: ["DIO-086"],
    model: ext4((kernel, bdev) => new LeaksUnwritten(kernel, bdev)),
  },
  {
    id: "ext4-does-not-wait",
    mistake: "truncate and hole punch do not wait for direct I/O",
    rule: "truncate-waits/in-flight-ended",
    bugs: ["DIO-133"],
    model: ext4((kernel, bdev) => new DoesNotWait(kernel, bdev)),
  },
];

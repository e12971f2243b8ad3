/**
 * The plain filesystem, ext4 and ocfs2 with one mistake each, in what they do
 * with a completion.
 *
 * @module
 */

import {
  BH_DEFER_COMPLETION,
  blockdevDirectIO,
  type BlockDevice,
  type BufferHead,
  EIO,
  finish,
  genericFileAioRead,
  type Inode,
  type IovIter,
  type Kernel,
  type Kiocb,
  type MaybeTask,
  READ,
  type Rw,
  SCHEDULE,
  type Task,
  use,
  WRITE,
} from "../../core/mod.ts";
import {
  Ext4,
  type Ext4Inode,
  type Ext4IoEnd,
  type FileLayout,
  type FilesystemModel,
  LEVEL_SHARED,
  type ModelSpec,
  Ocfs2,
  type Ocfs2Inode,
  PlainFilesystem,
  type PlainInode,
} from "../../fs_models/mod.ts";
import type { Mutant } from "./mutant.ts";

/** The plain filesystem with an end_io, for which completions are deferred. */
abstract class PlainWithEndIo extends PlainFilesystem {
  abstract readonly defers: boolean;

  abstract endIo(iocb: Kiocb, offset: number, bytes: number): Task<void>;

  override getBlock(
    inode: Inode,
    iblock: number,
    bh: BufferHead,
    create: boolean,
  ): number {
    const ret = super.getBlock(inode, iblock, bh, create);
    if (this.defers) bh.bState |= BH_DEFER_COMPLETION;
    return ret;
  }
}

/** The end of a read that failed sleeps. */
class SleepsOnError extends PlainWithEndIo {
  readonly defers = false;

  *endIo(iocb: Kiocb, _offset: number, bytes: number): Task<void> {
    if (bytes >= 0) return;
    const { iMutex, iSb: { kernel } } = iocb.kiFilp.fInode;
    yield* iMutex.lock(kernel);
    iMutex.unlock(kernel);
  }
}

/** The end of a write takes the lock that truncate waits under. */
class LocksAtTheEnd extends PlainWithEndIo {
  readonly defers = true;

  *endIo(iocb: Kiocb): Task<void> {
    const { iMutex, iSb: { kernel } } = iocb.kiFilp.fInode;
    if (kernel.current.kind !== "kworker") return;
    yield* iMutex.lock(kernel);
    iMutex.unlock(kernel);
  }
}

/** A file grows before what makes it longer is written. */
class GrowsFirst extends PlainFilesystem {
  override directIO(
    rw: Rw,
    iocb: Kiocb,
    iter: IovIter,
    offset: number,
  ): Task<number> {
    return this.#transfer(rw, iocb, iter, offset);
  }

  *#transfer(
    rw: Rw,
    iocb: Kiocb,
    iter: IovIter,
    offset: number,
  ): Task<number> {
    const inode = iocb.kiFilp.fInode;
    const end = offset + iter.count;
    const direct = super.directIO(rw, iocb, iter, offset);
    if (rw !== WRITE || end <= inode.iSize) return yield* finish(direct);
    if (typeof direct === "number") return direct;
    // As far as the first wait for the bios.
    let step = direct.next();
    while (step.done !== true && step.value !== SCHEDULE) {
      yield step.value;
      step = direct.next();
    }
    yield* inode.sizeWrite(end);
    if (step.done) return step.value;
    yield step.value;
    return yield* direct;
  }
}

/** Cached pages are kept, whatever is written past them. */
class KeepsPages extends PlainFilesystem {
  override createFile(layout: FileLayout): PlainInode {
    const inode = super.createFile(layout);
    const { iMapping } = inode;
    const drop = iMapping.delete.bind(iMapping);
    Object.assign(iMapping, {
      delete: (page: Parameters<typeof drop>[0]) => {
        if (!this.sb.inodes.includes(inode) || inode.iSize === 0) drop(page);
      },
    });
    return inode;
  }
}

/** Blocks that a hole punch takes out of a file are not free after it. */
class LosesBlocks extends PlainFilesystem {
  override *punchHole(
    inode: Inode,
    offset: number,
    bytes: number,
  ): Task<number> {
    const { free } = this.allocator;
    Object.assign(this.allocator, { free: () => {} });
    const ret = yield* super.punchHole(inode, offset, bytes);
    Object.assign(this.allocator, { free });
    return ret;
  }
}

/** What a failed write has allocated stays behind the end of the file. */
class KeepsBlocks extends PlainFilesystem {
  override *writeFailed(): Task<void> {}
}

/** A read behind the end of the file is an error. */
class FailsBehindEnd extends PlainFilesystem {
  aioRead(iocb: Kiocb): MaybeTask<number> {
    return iocb.kiPos >= iocb.kiFilp.fInode.iSize
      ? -EIO
      : genericFileAioRead(iocb);
  }
}

/** Who reads without a lock is not counted. */
class UncountedReads extends Ext4 {
  constructor(kernel: Kernel, bdev: BlockDevice) {
    super(kernel, bdev, { dioreadNolock: true });
  }

  override directIO(
    rw: Rw,
    iocb: Kiocb,
    iter: IovIter,
    offset: number,
  ): Task<number> {
    if (rw === WRITE) return super.directIO(rw, iocb, iter, offset);
    const inode = iocb.kiFilp.fInode;
    const { indirectOps: ops } = this;
    const count = inode.dioCountUp;
    // Until everything is mapped; then it is too late.
    Object.assign(inode, { dioCountUp: () => {} });
    const direct = blockdevDirectIO(rw, iocb, inode, iter, offset, ops, 0);
    Object.assign(inode, { dioCountUp: count });
    return finish(direct);
  }
}

/** Offsets are stored in 32 bits. */
class ShortOffsets extends Ext4 {
  override *ext4EndIoDio(
    iocb: Kiocb,
    offset: number,
    size: number,
  ): Task<number> {
    return yield* super.ext4EndIoDio(iocb, offset % 2 ** 32, size);
  }
}

/** What failed to make a file longer leaves it an orphan. */
class LeavesOrphan extends Ext4 {
  override *ext4IndDirectIO(
    rw: Rw,
    iocb: Kiocb,
    inode: Ext4Inode,
    iter: IovIter,
    offset: number,
  ): Task<number> {
    const ret = yield* super.ext4IndDirectIO(rw, iocb, inode, iter, offset);
    if (rw === WRITE && ret < 0) inode.isOrphan = true;
    return ret;
  }
}

/** end_io leaves the conversion to the worker of those with a reservation. */
class LeavesToWorker extends Ext4 {
  override *ext4EndIoDio(
    iocb: Kiocb,
    offset: number,
    size: number,
  ): Task<number> {
    const ioEnd = use(iocb).private as Ext4IoEnd | null;
    if (ioEnd === null) return 0;
    iocb.private = null;
    use(ioEnd).offset = offset;
    ioEnd.size = size;
    yield* this.ext4PutIoEndDefer(ioEnd);
    return 0;
  }
}

/** The lock of a write is released by who submits it, and by its end. */
class ReleasesEarly extends Ocfs2 {
  override *directIO(
    rw: Rw,
    iocb: Kiocb,
    iter: IovIter,
    offset: number,
  ): Task<number> {
    const { rwLock } = iocb.kiFilp.fInode as Ocfs2Inode;
    const ret = yield* finish(super.directIO(rw, iocb, iter, offset));
    if (rw === READ) yield* rwLock.unlock(LEVEL_SHARED);
    return ret;
  }
}

function on(
  name: string,
  mount: (kernel: Kernel, bdev: BlockDevice) => FilesystemModel,
): ModelSpec {
  return { name, mount };
}

/** Mutants of filesystems. */
export const FILESYSTEM_MUTANTS: readonly Mutant[] = [
  {
    id: "plain-sleeps-on-error",
    mistake: "the end of a read that failed sleeps in the interrupt",
    rule: "no-sleep-in-interrupt/context",
    bugs: ["DIO-074"],
    profile: "v6.1",
    model: on("plain", (kernel, bdev) => new SleepsOnError(kernel, bdev)),
  },
  {
    id: "plain-locks-at-the-end",
    mistake: "the end of a write takes the lock that truncate waits under",
    rule: "lock-handover/no-deadlock",
    bugs: ["DIO-110"],
    model: on("plain", (kernel, bdev) => new LocksAtTheEnd(kernel, bdev)),
  },
  {
    id: "plain-grows-first",
    mistake: "a file grows before what makes it longer is written",
    rule: "size-after-data/data-first",
    bugs: ["DIO-032"],
    model: on("plain", (kernel, bdev) => new GrowsFirst(kernel, bdev)),
  },
  {
    id: "plain-keeps-pages",
    mistake: "cached pages are kept, whatever is written past them",
    rule: "cache-coherent/reader-sees-data",
    bugs: ["DIO-106", "DIO-130"],
    model: on("plain", (kernel, bdev) => new KeepsPages(kernel, bdev)),
  },
  {
    id: "plain-loses-blocks",
    mistake:
      "blocks that a hole punch takes out of a file are not free after it",
    rule: "completion-resources/blocks-accounted",
    bugs: ["DIO-131"],
    model: on("plain", (kernel, bdev) => new LosesBlocks(kernel, bdev)),
  },
  {
    id: "plain-keeps-blocks",
    mistake:
      "what a failed write has allocated stays behind the end of the file",
    rule: "completion-resources/nothing-behind-end",
    bugs: ["DIO-046"],
    model: on("plain", (kernel, bdev) => new KeepsBlocks(kernel, bdev)),
  },
  {
    id: "plain-fails-behind-end",
    mistake: "a read behind the end of the file is an error",
    rule: "read-within-size/behind-the-end",
    bugs: ["DIO-031"],
    model: on("plain", (kernel, bdev) => new FailsBehindEnd(kernel, bdev)),
  },
  {
    id: "ext4-uncounted-reads",
    mistake: "who reads without a lock is not counted",
    rule: "truncate-waits/counted-while-mapped",
    bugs: ["DIO-085"],
    model: on("ext4", (kernel, bdev) => new UncountedReads(kernel, bdev)),
  },
  {
    id: "ext4-short-offsets",
    mistake: "what is to be converted is stored in 32 bits",
    rule: "convert-only-written/range",
    bugs: ["DIO-091"],
    model: on("ext4", (kernel, bdev) => new ShortOffsets(kernel, bdev)),
  },
  {
    id: "ext4-leaves-orphan",
    mistake: "a file that could not be made longer stays an orphan",
    rule: "completion-resources/no-orphan-left",
    bugs: ["DIO-046"],
    model: on("ext4", (kernel, bdev) => new LeavesOrphan(kernel, bdev)),
  },
  {
    id: "ext4-leaves-to-worker",
    mistake: "end_io leaves the conversion to a worker without a reservation",
    rule: "no-double-deferral/reserved-only",
    bugs: ["DIO-011"],
    model: on("ext4", (kernel, bdev) => new LeavesToWorker(kernel, bdev)),
  },
  {
    id: "ocfs2-releases-early",
    mistake: "the lock of a read is released by its submitter and by its end",
    rule: "lock-handover/unlock-by-owner",
    bugs: ["DIO-119"],
    model: on("ocfs2", (kernel, bdev) => new ReleasesEarly(kernel, bdev)),
  },
];

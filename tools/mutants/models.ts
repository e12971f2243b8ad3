/**
 * Filesystems with one mistake each that any of them can have.
 *
 * @module
 */

import {
  type BlockDevice,
  EIOCBQUEUED,
  finish,
  genericFileAioWrite,
  genericFileDirectWrite,
  genericWriteSync,
  type Inode,
  type Kernel,
  type Kiocb,
  type Task,
} from "../../core/mod.ts";
import {
  Ext4,
  type ModelSpec,
  PlainFilesystem,
  type PlainInode,
  Xfs,
  type XfsInode,
} from "../../fs_models/mod.ts";
import type { Mutant } from "./mutant.ts";

/** Truncate and hole punch do not wait for direct I/O. */
class PlainDoesNotWait extends PlainFilesystem {
  override *truncate(inode: Inode, size: number): Task<number> {
    yield* inode.sizeWrite(size);
    return this.#free(inode, size, Infinity);
  }

  override punchHole(
    inode: Inode,
    offset: number,
    bytes: number,
  ): Task<number> {
    return finish(this.#free(inode, offset, bytes));
  }

  #free(inode: Inode, offset: number, bytes: number): number {
    const block = 1 << inode.iBlkbits;
    const first = Math.ceil(offset / block);
    const { extents } = inode as PlainInode;
    for (const { device, count } of extents.remove(first, bytes / block)) {
      this.allocator.free(device, count);
    }
    return 0;
  }
}

/** The same: blocks are freed while they are transferred. */
class XfsDoesNotWait extends Xfs {
  override *truncate(inode: Inode, size: number): Task<number> {
    const { kernel } = this.sb;
    const { iIolock } = inode as XfsInode;
    yield* iIolock.downWrite(kernel);
    yield* inode.sizeWrite(size);
    yield* this.#free(inode as XfsInode, size, Infinity);
    iIolock.upWrite(kernel);
    return 0;
  }

  override *punchHole(
    inode: Inode,
    offset: number,
    bytes: number,
  ): Task<number> {
    const { kernel } = this.sb;
    const { iIolock } = inode as XfsInode;
    yield* iIolock.downWrite(kernel);
    yield* this.#free(inode as XfsInode, offset, bytes);
    iIolock.upWrite(kernel);
    return 0;
  }

  *#free(inode: XfsInode, offset: number, bytes: number): Task<void> {
    const { kernel } = this.sb;
    const { iLock, extents, iBlkbits } = inode;
    yield* iLock.downWrite(kernel);
    const block = 1 << iBlkbits;
    const removed = extents.remove(Math.ceil(offset / block), bytes / block);
    for (const { device, count } of removed) {
      this.allocator.free(device, count);
    }
    iLock.upWrite(kernel);
  }
}

/** Whoever has completed an O_DSYNC write itself does not make it stable. */
class DoesNotSync extends PlainFilesystem {
  *aioWrite(iocb: Kiocb): Task<number> {
    const { kernel } = this.sb;
    const { iMutex } = iocb.kiFilp.fInode;
    yield* iMutex.lock(kernel);
    const ret = yield* finish(genericFileDirectWrite(iocb));
    iMutex.unlock(kernel);
    return ret;
  }
}

/** The queued code is taken for a result. */
class TakesQueuedForResult extends PlainFilesystem {
  *aioWrite(iocb: Kiocb): Task<number> {
    const ret = yield* finish(genericFileAioWrite(iocb));
    return ret === -EIOCBQUEUED ? 0 : ret;
  }
}

/** A write is synced that has been queued. */
class SyncsQueued extends PlainFilesystem {
  *aioWrite(iocb: Kiocb): Task<number> {
    const { kiPos, needsSync, iter: { count } } = iocb;
    const ret = yield* finish(genericFileAioWrite(iocb));
    if (ret === -EIOCBQUEUED && needsSync && iocb.live) {
      yield* genericWriteSync(iocb, kiPos, count);
    }
    return ret;
  }
}

/** The completion workqueue is made at once, as in the first version. */
class MakesWorkqueueAtMount extends Ext4 {
  constructor(kernel: Kernel, bdev: BlockDevice) {
    super(kernel, bdev);
    kernel.boot(kernel.directIo.sbInitDioDoneWq(this.sb));
  }
}

function plain(mount: ModelSpec["mount"]): ModelSpec {
  return { name: "plain", mount };
}

/** Mutants of filesystems. */
export const MODEL_MUTANTS: readonly Mutant[] = [
  {
    id: "plain-does-not-wait",
    mistake: "truncate and hole punch do not wait for direct I/O",
    rule: "truncate-waits/in-flight-ended",
    bugs: ["DIO-133"],
    model: plain((kernel, bdev) => new PlainDoesNotWait(kernel, bdev)),
  },
  {
    id: "plain-frees-too-early",
    mistake: "blocks are given to another file while they are written to",
    rule: "truncate-waits/blocks-not-shared",
    bugs: ["DIO-133"],
    model: plain((kernel, bdev) => new PlainDoesNotWait(kernel, bdev)),
  },
  {
    id: "xfs-does-not-wait",
    mistake: "truncate and hole punch do not wait for direct I/O",
    rule: "truncate-waits/in-flight-ended",
    bugs: ["DIO-133"],
    model: {
      name: "xfs",
      mount: (kernel, bdev) => new XfsDoesNotWait(kernel, bdev),
    },
  },
  {
    id: "submitter-does-not-sync",
    mistake: "an O_DSYNC write that its submitter completes is not synced",
    rule: "dsync-durable/synced",
    bugs: ["DIO-017"],
    model: plain((kernel, bdev) => new DoesNotSync(kernel, bdev)),
  },
  {
    id: "queued-code-lost",
    mistake: "the queued code is taken for a result",
    rule: "queued-code-kept/survives",
    bugs: ["DIO-113"],
    model: plain((kernel, bdev) => new TakesQueuedForResult(kernel, bdev)),
  },
  {
    id: "queued-write-synced",
    mistake: "the submitter syncs a write that is in flight",
    rule: "dsync-durable/not-while-in-flight",
    bugs: ["DIO-017"],
    model: plain((kernel, bdev) => new SyncsQueued(kernel, bdev)),
  },
  {
    id: "workqueue-at-mount",
    mistake: "the completion workqueue is made when the filesystem is mounted",
    rule: "workqueue-life/on-demand",
    bugs: ["DIO-016"],
    model: {
      name: "ext4",
      mount: (kernel, bdev) => new MakesWorkqueueAtMount(kernel, bdev),
    },
  },
];

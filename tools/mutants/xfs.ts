/**
 * XFS with one mistake each.
 *
 * @module
 */

import {
  type BlockDevice,
  EINVAL,
  EV,
  finish,
  genericFileDirectWrite,
  type Inode,
  inodeDioWait,
  type IovIter,
  type Kernel,
  type Kiocb,
  type Task,
} from "../../core/mod.ts";
import { type ModelSpec, Xfs, type XfsInode } from "../../fs_models/mod.ts";
import type { Mutant } from "./mutant.ts";

/** A write behind the size on disk asks for deferral only if it converts. */
class InlineSize extends Xfs {
  override xfsNeedsDefer(
    _inode: XfsInode,
    _end: number,
    isUnwritten: boolean,
  ): boolean {
    return isUnwritten;
  }
}

/** The size grows before blocks are converted. */
class SizeFirst extends Xfs {
  override *xfsIomapWriteUnwritten(
    inode: XfsInode,
    offset: number,
    bytes: number,
  ): Task<number> {
    const end = offset + bytes;
    if (end > inode.iSize) yield* inode.sizeWrite(end);
    return yield* super.xfsIomapWriteUnwritten(inode, offset, bytes);
  }
}

/** The size is looked at and stored without a lock. */
class UnlockedSize extends Xfs {
  override *xfsIomapWriteUnwritten(
    inode: XfsInode,
    offset: number,
    bytes: number,
  ): Task<number> {
    const end = offset + bytes;
    const isLonger = end > inode.iSize;
    const ret = yield* super.xfsIomapWriteUnwritten(inode, offset, bytes);
    if (isLonger) yield* inode.sizeWrite(end);
    return ret;
  }
}

/** What a fallocate finds as the size is stored when it is done. */
class StaleSize extends Xfs {
  override *fallocate(
    inode: Inode,
    offset: number,
    bytes: number,
  ): Task<number> {
    if (this.sb.kernel.stepping) yield inode.sizeStep;
    const size = Math.max(inode.iSize, offset + bytes);
    const ret = yield* super.fallocate(inode, offset, bytes);
    if (ret === 0) yield* inode.sizeWrite(size);
    return ret;
  }
}

/** A fallocate leaves the size alone. */
class AllocatesOnly extends Xfs {
  override *fallocate(
    inode: Inode,
    offset: number,
    bytes: number,
  ): Task<number> {
    const set = this.xfsSetfilesize;
    Object.assign(this, { xfsSetfilesize: () => finish(0) });
    const ret = yield* super.fallocate(inode, offset, bytes);
    Object.assign(this, { xfsSetfilesize: set });
    return ret;
  }
}

/** Writes of parts of blocks go like others. */
class SharesBlocks extends Xfs {
  override *xfsFileDioAioWrite(iocb: Kiocb, iter: IovIter): Task<number> {
    const inode = iocb.kiFilp.fInode as XfsInode;
    const mask = this.sb.sBdev.logicalBlockSize - 1;
    if (((iocb.kiPos | iter.count) & mask) !== 0) return -EINVAL;
    yield* inode.rwLock(false);
    const ret = yield* finish(genericFileDirectWrite(iocb));
    inode.rwUnlock(false);
    return ret;
  }
}

/** They do not wait for what is in flight. */
class OnlyLocks extends SharesBlocks {
  override *xfsFileDioAioWrite(iocb: Kiocb, iter: IovIter): Task<number> {
    const inode = iocb.kiFilp.fInode as XfsInode;
    const mask = this.sb.sBdev.logicalBlockSize - 1;
    if (((iocb.kiPos | iter.count) & mask) !== 0) return -EINVAL;
    yield* inode.rwLock(true);
    const ret = yield* finish(genericFileDirectWrite(iocb));
    inode.rwUnlock(true);
    return ret;
  }
}

/** The transaction of a conversion stays open. */
class LeavesOpen extends Xfs {
  override *xfsIomapWriteUnwritten(
    inode: XfsInode,
    offset: number,
    bytes: number,
  ): Task<number> {
    const ret = yield* super.xfsIomapWriteUnwritten(inode, offset, bytes);
    if (ret === 0) yield* this.journal.start();
    return ret;
  }
}

/** Truncate says that it waits, and does not. */
class PretendsToWait extends Xfs {
  override *truncate(inode: Inode, size: number): Task<number> {
    const { kernel } = this.sb;
    const count = inode.iDioCount;
    if (kernel.tracing) kernel.emit(EV.inode_dio_wait, inode.iIno, count);
    if (kernel.tracing) kernel.emit(EV.inode_dio_wait_return, inode.iIno);
    yield* inodeDioWait(inode);
    return yield* super.truncate(inode, size);
  }
}

/** A size that was set is not stored. */
class KeepsSize extends Xfs {
  override *truncate(inode: Inode, size: number): Task<number> {
    const { iSize } = inode;
    const ret = yield* super.truncate(inode, size);
    if (ret === 0 && iSize > size) yield* inode.sizeWrite(iSize);
    return ret;
  }
}

/** The size on disk is that of before a truncate. */
class KeepsDiskSize extends Xfs {
  override *truncate(inode: Inode, size: number): Task<number> {
    const { diSize } = inode as XfsInode;
    const ret = yield* super.truncate(inode, size);
    if (ret === 0) (inode as XfsInode).diSize = Math.max(diSize, size);
    return ret;
  }
}

function xfs(
  id: string,
  bugs: readonly string[],
  rule: string,
  mistake: string,
  Variant: new (kernel: Kernel, bdev: BlockDevice) => Xfs,
  profile: Mutant["profile"] = "v3.12",
): Mutant {
  const model: ModelSpec = {
    name: "xfs",
    mount: (kernel, bdev) => new Variant(kernel, bdev),
  };
  return { id: `xfs-${id}`, mistake, rule, bugs, profile, model };
}

/** Mutants of XFS. */
export const XFS_MUTANTS: readonly Mutant[] = [
  xfs(
    "size-inline",
    ["DIO-010"],
    "no-sleep-in-interrupt/context",
    "a write behind the size on disk is not deferred",
    InlineSize,
  ),
  xfs(
    "size-before-conversion",
    ["DIO-097"],
    "size-after-data/converted-first",
    "the size grows before blocks are converted",
    SizeFirst,
  ),
  xfs(
    "size-race",
    ["DIO-098"],
    "size-after-data/never-backwards",
    "two completions compare and store the size without a lock",
    UnlockedSize,
  ),
  xfs(
    "fallocate-size",
    ["DIO-103"],
    "size-after-data/never-backwards",
    "fallocate stores the size that it found when it began",
    StaleSize,
  ),
  xfs(
    "fallocate-without-size",
    [],
    "size-after-data/fallocated",
    "fallocate does not make the file longer",
    AllocatesOnly,
  ),
  xfs(
    "shares-blocks",
    ["DIO-100"],
    "sub-block-zeroing-serialised/alone-in-a-block",
    "writes of parts of blocks are not serialised",
    SharesBlocks,
  ),
  xfs(
    "unaligned-does-not-wait",
    ["DIO-101"],
    "sub-block-zeroing-serialised/alone-in-a-block",
    "writes of parts of blocks do not wait for what is in flight",
    OnlyLocks,
  ),
  xfs(
    "transaction-open",
    [],
    "completion-resources/transactions-closed",
    "the transaction of a conversion stays open",
    LeavesOpen,
  ),
  xfs(
    "pretends-to-wait",
    ["DIO-133"],
    "truncate-waits/for-zero",
    "the wait for direct I/O returns at once",
    PretendsToWait,
  ),
  xfs(
    "disk-size-kept",
    [],
    "size-after-data/disk-size-at-end",
    "the size on disk is that of before a truncate",
    KeepsDiskSize,
  ),
  xfs(
    "truncated-size-lost",
    [],
    "size-after-data/truncated",
    "the size that truncate has set is lost",
    KeepsSize,
  ),
];

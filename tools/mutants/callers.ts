/**
 * Callers of direct I/O with one mistake each.
 *
 * @module
 */

import {
  EIO,
  EIOCBQUEUED,
  EV,
  finish,
  genericFileAioWrite,
  genericFileAioWriteNolock,
  genericFileDirectWrite,
  genericWriteSync,
  type Inode,
  IOCB_NOWAIT,
  type Kiocb,
  type Task,
  use,
  vfsFsyncRange,
  writeStep,
} from "../../core/mod.ts";
import { type ModelSpec, PlainFilesystem } from "../../fs_models/mod.ts";
import type { Mutant } from "./mutant.ts";

/** What is asked for of a plain filesystem's write, and what comes of it. */
type Write = (iocb: Kiocb) => Task<number>;

/** The plain filesystem with a caller of its own. */
function writes(write: Write): ModelSpec {
  class Variant extends PlainFilesystem {
    aioWrite(iocb: Kiocb): Task<number> {
      return write(iocb);
    }
  }
  return { name: "plain", mount: (kernel, bdev) => new Variant(kernel, bdev) };
}

/** A cached page that cannot be dropped makes an error of the queued code. */
function* failsInvalidation(iocb: Kiocb): Task<number> {
  const ret = yield* finish(genericFileAioWrite(iocb));
  return ret === -EIOCBQUEUED ? -EIO : ret;
}

/** What a flush comes to takes the place of the queued code. */
function* flushesQueued(iocb: Kiocb): Task<number> {
  const { kiFilp: { fInode }, needsSync } = iocb;
  const ret = yield* finish(genericFileAioWrite(iocb));
  if (ret !== -EIOCBQUEUED || !needsSync) return ret;
  return yield* vfsFsyncRange(fInode, 0, Infinity);
}

/** A write that makes the file longer needs no sync: FUA is enough. */
function* syncsNoAppend(iocb: Kiocb): Task<number> {
  const { kiPos, iter: { count }, kiFilp: { fInode } } = iocb;
  if (kiPos + count <= fInode.iSize) {
    return yield* finish(genericFileAioWrite(iocb));
  }
  const { kernel } = fInode.iSb;
  yield* fInode.iMutex.lock(kernel);
  const ret = yield* finish(genericFileAioWriteNolock(iocb));
  fInode.iMutex.unlock(kernel);
  return ret;
}

/** A NOWAIT write that has to be tried again has forgotten O_DSYNC. */
function* forgetsSync(iocb: Kiocb): Task<number> {
  const { kiFilp: { fInode }, kiFlags } = iocb;
  if ((kiFlags & IOCB_NOWAIT) === 0) {
    return yield* finish(genericFileAioWrite(iocb));
  }
  const { kernel } = fInode.iSb;
  yield* fInode.iMutex.lock(kernel);
  const ret = yield* finish(genericFileAioWriteNolock(iocb));
  fInode.iMutex.unlock(kernel);
  return ret;
}

/** The lock is released before the sync, and behind it again. */
function* unlocksTwice(iocb: Kiocb): Task<number> {
  const { kiFilp: { fInode }, needsSync } = iocb;
  const { kernel } = fInode.iSb;
  yield* fInode.iMutex.lock(kernel);
  const ret = yield* finish(genericFileAioWriteNolock(iocb));
  fInode.iMutex.unlock(kernel);
  if (ret <= 0 || !needsSync) return ret;
  const error = yield* genericWriteSync(iocb, iocb.kiPos - ret, ret);
  fInode.iMutex.unlock(kernel);
  return error < 0 ? error : ret;
}

/** A write that has ended at once moves its position from the new end on. */
function* restartsAtEnd(iocb: Kiocb): Task<number> {
  const { kiPos, iter: { count }, kiFilp: { fInode } } = iocb;
  const isAppend = kiPos + count > fInode.iSize;
  const ret = yield* finish(genericFileAioWrite(iocb));
  if (isAppend && ret > 0) iocb.advance(ret);
  return ret;
}

/** What could not be written directly is left out. */
function* leavesRest(iocb: Kiocb): Task<number> {
  const { kiFilp: { fInode }, needsSync } = iocb;
  if (needsSync || iocb.isSync) return yield* finish(genericFileAioWrite(iocb));
  const { kernel } = fInode.iSb;
  yield* fInode.iMutex.lock(kernel);
  const ret = yield* finish(genericFileDirectWrite(iocb));
  fInode.iMutex.unlock(kernel);
  return ret;
}

/** An error of the rest is forgotten. */
function* forgetsRest(iocb: Kiocb): Task<number> {
  const ret = yield* finish(genericFileAioWrite(iocb));
  return ret === -EIOCBQUEUED ? ret : Math.max(ret, 0);
}

/** A request that was queued is looked at when it may be gone. */
function* looksAtQueued(iocb: Kiocb): Task<number> {
  const { kiFilp: { fInode: { iSb: { kernel } } } } = iocb;
  const ret = yield* finish(genericFileAioWrite(iocb));
  if (ret !== -EIOCBQUEUED) return ret;
  if (kernel.stepping) yield writeStep(iocb.addr);
  return use(iocb).kiPos >= 0 ? ret : 0;
}

/** What a write that was not queued came to is reported with the event too. */
function* completesToo(iocb: Kiocb): Task<number> {
  const { id, kiCtx, kiFilp: { fInode: { iSb: { kernel } } } } = iocb;
  const ret = yield* finish(genericFileAioWrite(iocb));
  if (ret === -EIOCBQUEUED || kiCtx === null) return ret;
  if (kernel.tracing) kernel.emit(EV.aio_complete, id, ret);
  return ret;
}

/** The plain filesystem whose fsync takes the lock that writes are under. */
class SyncsLocked extends PlainFilesystem {
  *aioWrite(iocb: Kiocb): Task<number> {
    const { kiFilp: { fInode }, needsSync } = iocb;
    const { kernel } = fInode.iSb;
    yield* fInode.iMutex.lock(kernel);
    let ret = yield* finish(genericFileAioWriteNolock(iocb));
    if (ret > 0 && needsSync) {
      const error = yield* genericWriteSync(iocb, iocb.kiPos - ret, ret);
      if (error < 0) ret = error;
    }
    fInode.iMutex.unlock(kernel);
    return ret;
  }

  override *fsync(inode: Inode): Task<number> {
    const { kernel } = this.sb;
    yield* inode.iMutex.lock(kernel);
    const ret = yield* super.fsync(inode);
    inode.iMutex.unlock(kernel);
    return ret;
  }
}

function caller(
  id: string,
  bugs: readonly string[],
  rule: string,
  mistake: string,
  model: ModelSpec,
  profile: Mutant["profile"] = "v3.12",
): Mutant {
  return { id, mistake, rule, bugs, profile, model };
}

/** Mutants of callers. */
export const CALLER_MUTANTS: readonly Mutant[] = [
  caller(
    "queued-code-replaced",
    ["DIO-023"],
    "queued-code-kept/survives",
    "an error of the page cache takes the place of the queued code",
    writes(failsInvalidation),
  ),
  caller(
    "queued-write-flushed",
    ["DIO-119"],
    "queued-code-kept/survives",
    "what a flush comes to takes the place of the queued code",
    writes(flushesQueued),
  ),
  caller(
    "append-not-synced",
    ["DIO-068"],
    "dsync-durable/synced",
    "an O_DSYNC write that makes the file longer is not synced",
    writes(syncsNoAppend),
  ),
  caller(
    "nowait-not-synced",
    ["DIO-122"],
    "dsync-durable/synced",
    "an O_DSYNC write that is NOWAIT is not synced",
    writes(forgetsSync),
    "v6.1",
  ),
  caller(
    "unlocks-twice",
    ["DIO-124"],
    "lock-handover/unlock-by-owner",
    "i_mutex is released before the sync and after it",
    writes(unlocksTwice),
  ),
  caller(
    "restarts-at-end",
    ["DIO-125"],
    "position-once/moved",
    "the position of a write that makes the file longer moves twice",
    writes(restartsAtEnd),
  ),
  caller(
    "rest-left-out",
    ["DIO-128"],
    "partial-progress/not-nothing",
    "what could not be written directly is not given to the page cache",
    writes(leavesRest),
  ),
  caller(
    "rest-forgotten",
    ["DIO-151"],
    "error-reported/rest",
    "an error of what goes through the page cache is forgotten",
    writes(forgetsRest),
  ),
  caller(
    "looks-at-queued",
    ["DIO-143"],
    "no-use-after-release/slab",
    "the submitter looks at an iocb that was queued",
    writes(looksAtQueued),
  ),
  caller(
    "returns-and-completes",
    ["DIO-145"],
    "one-completion/once",
    "a request that is returned is completed as well",
    writes(completesToo),
  ),
  caller(
    "syncs-under-lock",
    ["DIO-080"],
    "lock-handover/no-deadlock",
    "a write syncs under the lock that fsync takes",
    {
      name: "plain",
      mount: (kernel, bdev) => new SyncsLocked(kernel, bdev),
    },
  ),
];

/**
 * The completion side of the core with one mistake each, beyond the order of
 * its stages.
 *
 * @module
 */

import {
  allocWorkqueue,
  type Bio,
  type CompletionStage,
  type Dio,
  DirectIo,
  EIO,
  ENOMEM,
  EV,
  type Kernel,
  type MaybeTask,
  PAGE_SIZE,
  READ,
  type SuperBlock,
  type Task,
  use,
  WQ_MEM_RECLAIM,
  WQ_UNBOUND,
  WRITE,
  writeStep,
} from "../../core/mod.ts";
import { firstPosted, MODELS } from "../../fs_models/mod.ts";
import type { Mutant } from "./mutant.ts";

/** The workqueue has no rescuer. */
class NoRescuer extends DirectIo {
  override *sbInitDioDoneWq(sb: SuperBlock): Task<number> {
    const { kernel } = this;
    const wq = allocWorkqueue(kernel, `dio/${sb.sId}`, 0, 0);
    if (wq === null) return -ENOMEM;
    if (kernel.stepping) yield sb.wqWriteStep;
    if (sb.sDioDoneWq === null) sb.sDioDoneWq = wq;
    else yield* wq.destroy();
    return 0;
  }
}

/** The workqueue runs one item at a time. */
class OneAtATime extends DirectIo {
  override *sbInitDioDoneWq(sb: SuperBlock): Task<number> {
    const { kernel } = this;
    const flags = WQ_MEM_RECLAIM | WQ_UNBOUND;
    const wq = allocWorkqueue(kernel, `dio/${sb.sId}`, flags, 1);
    if (wq === null) return -ENOMEM;
    if (kernel.stepping) yield sb.wqWriteStep;
    if (sb.sDioDoneWq === null) sb.sDioDoneWq = wq;
    else yield* wq.destroy();
    return 0;
  }
}

/** The workqueue is made for O_DSYNC and for mappings that ask only. */
class NoWorkqueueForCached extends DirectIo {
  override dioMayDefer(dio: Dio): boolean {
    return dio.iocb.needsSync;
  }
}

/** Where the position has moved to is taken for where the request began. */
class CompletesAtEnd extends DirectIo {
  override dioComplete(
    dio: Dio,
    offset: number,
    ret: number,
    isAsync: boolean,
  ): MaybeTask<number> {
    return super.dioComplete(dio, offset + dio.result, ret, isAsync);
  }
}

/** What end_io returns is dropped. */
class DropsEndIoError extends DirectIo {
  override *dioEndIo(dio: Dio): Task<void> {
    const { value } = dio;
    yield* super.dioEndIo(dio);
    if (value > 0) use(dio).value = value;
  }
}

/** An error is taken for a number without a sign. */
class ErrorsWithoutSign extends DirectIo {
  override dioResult(dio: Dio): void {
    super.dioResult(dio);
    if (dio.value < 0) dio.value += 2 ** 32;
  }
}

/** A bio that would have had to wait fails like any other. */
class AgainIsEio extends DirectIo {
  override *dioNoteError(dio: Dio, bio: Bio): Task<void> {
    const { biError } = bio;
    bio.biError = -EIO;
    yield* super.dioNoteError(dio, bio);
    bio.biError = biError;
  }
}

/** The request is completed, and then its last bio is released. */
class CompletesFirst extends DirectIo {
  override *dioBioEndAio(bio: Bio): Task<void> {
    const { kernel } = this;
    const dio = use(bio.biPrivate as Dio);
    const lock = dio.bioLock;
    if (kernel.tracing) kernel.emit(EV.dio_bio_end_aio, dio.id, bio.id);
    if (bio.biError !== 0) yield* this.dioNoteError(dio, bio);
    if (lock.mustWait(kernel)) yield lock.request(kernel);
    const rest = this.dioBioEnded(dio, this.dioDropRef(dio));
    if (rest !== null) yield* rest;
    const release = this.dioBioRelease(use(dio), bio);
    if (release !== null) yield* release;
  }
}

/** The write-sync of a write to unwritten blocks is left out. */
class FuaIsEnough extends DirectIo {
  override dioReport(dio: Dio): Task<void> | null {
    const { kernel } = this;
    if (dio.rw !== WRITE || !dio.iocb.needsSync) return super.dioReport(dio);
    if (kernel.stepping) return kernel.aio.aioComplete(dio.iocb, dio.value);
    kernel.aio.complete(dio.iocb, dio.value);
    return null;
  }
}

/** The file grows with the first bio that has ended. */
class GrowsWithFirstBio extends DirectIo {
  override *dioBioComplete(dio: Dio, bio: Bio): Task<void> {
    yield* super.dioBioComplete(dio, bio);
    const end = dio.iocb.kiPos + dio.result;
    if (dio.rw === READ || end <= dio.inode.iSize) return;
    yield* dio.inode.sizeWrite(end);
  }
}

/** What a waiter waits for is one bio less than there are. */
class WaitsForAllButOne extends DirectIo {
  override *dioAwaitCompletion(dio: Dio): Task<void> {
    if (dio.refcount > 2) yield* super.dioAwaitCompletion(dio);
    else if (dio.refcount === 2) dio.refcount = 1;
  }
}

/** The count drops when the last bio has ended, before the work is queued. */
class DropsCountWhenQueued extends DirectIo {
  override *dioQueueCompletion(dio: Dio): Task<void> {
    dio.inode.dioDone(dio.id);
    yield* super.dioQueueCompletion(dio);
  }

  override completionOrder(dio: Dio): readonly CompletionStage[] {
    return super.completionOrder(dio).filter((stage) =>
      stage !== "inode_dio_done" || dio.overlay !== "work"
    );
  }
}

/** The completion is queued for each bio that has ended. */
class QueuesEachBio extends DirectIo {
  override dioBioEnded(dio: Dio, remaining: number): Task<unknown> | null {
    return remaining > 1 || !this.dioMustDefer(dio) || dio.overlay === "work"
      ? super.dioBioEnded(dio, remaining)
      : this.dioQueueCompletion(dio);
  }
}

/** Who lost the race for the workqueue destroys the one that was installed. */
class DestroysTheOther extends DirectIo {
  override *sbInitDioDoneWq(sb: SuperBlock): Task<number> {
    const before = sb.sDioDoneWq;
    const ret = yield* super.sbInitDioDoneWq(sb);
    const { kernel } = this;
    if (kernel.stepping) yield writeStep(kernel.newAddr());
    if (before === null && sb.sDioDoneWq !== null && kernel.current.id % 2) {
      yield* sb.sDioDoneWq.destroy();
    }
    return ret;
  }
}

function core(
  id: string,
  bugs: readonly string[],
  rule: string,
  mistake: string,
  Variant: new (kernel: Kernel) => DirectIo,
  profile: Mutant["profile"] = "v3.12",
): Mutant {
  const directIo = (kernel: Kernel) => new Variant(kernel);
  return { id, mistake, rule, bugs, profile, directIo };
}

const ext4 = MODELS.find(({ name }) => name === "ext4")!;

/** Cached pages are dropped before end_io. */
class InvalidatesFirst extends DirectIo {
  override completionOrder(): readonly CompletionStage[] {
    return [
      "result",
      "invalidate",
      "end_io",
      "inode_dio_done",
      "aio_complete",
      "free",
    ];
  }
}

/** A large write is told to have written a block more. */
class CountsTooMuch extends DirectIo {
  override dioResult(dio: Dio): void {
    super.dioResult(dio);
    if (dio.rw === WRITE && dio.value > PAGE_SIZE) dio.value += PAGE_SIZE;
  }
}

/** Mutants of the completion. */
export const COMPLETION_MUTANTS: readonly Mutant[] = [
  {
    id: "workqueue-first-posted",
    mistake: "the completion workqueue runs one item at a time",
    rule: "completion-concurrency/runs-at-once",
    bugs: ["DIO-009"],
    model: firstPosted(ext4),
  },
  core(
    "workqueue-one-at-a-time",
    ["DIO-009"],
    "completion-concurrency/runs-at-once",
    "the completion workqueue has a rescuer, but runs one item at a time",
    OneAtATime,
  ),
  core(
    "workqueue-no-rescuer",
    ["DIO-158"],
    "completion-concurrency/rescuer",
    "the completion workqueue has no rescuer",
    NoRescuer,
  ),
  core(
    "no-workqueue-for-cached",
    ["DIO-019"],
    "workqueue-life/exists-when-queued",
    "no workqueue is made for writes that cached pages may cause to be deferred",
    NoWorkqueueForCached,
    "v6.1",
  ),
  core(
    "completes-at-end",
    ["DIO-026"],
    "convert-only-written/range",
    "end_io is told where the position has moved to",
    CompletesAtEnd,
  ),
  core(
    "end-io-error-dropped",
    ["DIO-013"],
    "error-reported/end-io",
    "what end_io returns is dropped",
    DropsEndIoError,
    "v6.1",
  ),
  core(
    "errors-without-sign",
    ["DIO-071"],
    "error-reported/every-bio",
    "an error is taken for a number without a sign",
    ErrorsWithoutSign,
  ),
  core(
    "again-is-eio",
    ["DIO-050"],
    "result-precedence/submit-page-bio-count",
    "a NOWAIT bio that would have had to wait is told as an I/O error",
    AgainIsEio,
    "v6.1",
  ),
  core(
    "completes-before-release",
    ["DIO-077"],
    "no-use-after-release/slab",
    "the request is completed before its last bio is released",
    CompletesFirst,
  ),
  core(
    "fua-is-enough",
    ["DIO-067"],
    "dsync-durable/synced",
    "an asynchronous O_DSYNC write is reported without a write-sync",
    FuaIsEnough,
  ),
  core(
    "grows-with-first-bio",
    ["DIO-104"],
    "size-after-data/data-first",
    "the file grows with the first bio that has ended",
    GrowsWithFirstBio,
  ),
  core(
    "waits-for-all-but-one",
    ["DIO-149"],
    "no-use-after-release/slab",
    "a submitter does not wait for its last bio",
    WaitsForAllButOne,
  ),
  core(
    "invalidates-first",
    ["DIO-034"],
    "cache-coherent/invalidated-after-end-io",
    "cached pages are dropped before end_io",
    InvalidatesFirst,
    "v6.1",
  ),
  core(
    "counts-too-much",
    ["DIO-146"],
    "partial-progress/no-more-than-done",
    "a large write is told to have written a block more",
    CountsTooMuch,
  ),
  core(
    "count-dropped-when-queued",
    ["DIO-082"],
    "completion-order/end-io-before-dio-done",
    "i_dio_count drops when the completion is queued",
    DropsCountWhenQueued,
  ),
  core(
    "queued-with-each-bio",
    [],
    "no-double-deferral/queued-once",
    "the completion is queued before the last bio has ended",
    QueuesEachBio,
  ),
  core(
    "workqueue-destroyed-early",
    ["DIO-012"],
    "workqueue-life/alive-when-queued",
    "who makes the completion workqueue destroys it",
    DestroysTheOther,
  ),
];

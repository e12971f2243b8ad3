/**
 * The core with one mistake each.
 *
 * @module
 */

import {
  allocWorkqueue,
  type Bio,
  type CompletionStage,
  type Dio,
  DirectIo,
  EIOCBQUEUED,
  ENOMEM,
  EV,
  finish,
  type MaybeTask,
  type SuperBlock,
  type Task,
  use,
  WQ_MEM_RECLAIM,
  writeStep,
} from "../../core/mod.ts";
import type { Mutant } from "./mutant.ts";

function staged(order: readonly CompletionStage[]): Mutant["directIo"] {
  return (kernel) =>
    new (class extends DirectIo {
      override completionOrder(): readonly CompletionStage[] {
        return order;
      }
    })(kernel);
}

/** The count is dropped only by requests that were submitted without error. */
class CountLeaker extends DirectIo {
  override completionOrder(dio: Dio): readonly CompletionStage[] {
    const { submitted } = dio;
    const failedEarly = submitted < 0 && submitted !== -EIOCBQUEUED;
    return super.completionOrder(dio).filter((stage) =>
      !(failedEarly && stage === "inode_dio_done")
    );
  }
}

/** Drop and test of the count are two critical sections. */
class SplitDrop extends DirectIo {
  override *dioBioEndAio(bio: Bio): Task<void> {
    const { kernel } = this;
    const dio = use(bio.biPrivate as Dio);
    const lock = dio.bioLock;
    if (kernel.tracing) kernel.emit(EV.dio_bio_end_aio, dio.id, bio.id);
    if (bio.biError !== 0) yield* this.dioNoteError(dio, bio);
    this.dioBioRelease(dio, bio);
    if (lock.mustWait(kernel)) yield lock.request(kernel);
    this.dioDropRef(dio);
    if (kernel.stepping) yield writeStep(dio.addr);
    if (use(dio).refcount > 0) return;
    if (this.dioMustDefer(dio)) yield* this.dioQueueCompletion(dio);
    else yield* finish(this.dioComplete(dio, dio.iocb.kiPos, 0, true));
  }
}

/** Only the bio that ends last reports its error. */
class LastErrorOnly extends DirectIo {
  override *dioNoteError(dio: Dio, bio: Bio): Task<void> {
    if (dio.refcount === 1) yield* super.dioNoteError(dio, bio);
  }
}

/** Who loses the race for the workqueue leaves his own lying. */
class LoserLeaks extends DirectIo {
  override *sbInitDioDoneWq(sb: SuperBlock): Task<number> {
    const { kernel } = this;
    const wq = allocWorkqueue(kernel, `dio/${sb.sId}`, WQ_MEM_RECLAIM, 0);
    if (wq === null) return -ENOMEM;
    if (kernel.stepping) yield sb.wqWriteStep;
    sb.sDioDoneWq ??= wq;
    return 0;
  }
}

/** The submitter that waits is not woken. */
class NoWakeUp extends DirectIo {
  override dioDropRef(dio: Dio): number {
    const { waiter } = dio;
    dio.waiter = null;
    const remaining = super.dioDropRef(dio);
    if (dio.live) dio.waiter = waiter;
    return remaining;
  }
}

/** Completes with the first bio that ends. */
class FirstBioCompletes extends DirectIo {
  override dioDropRef(dio: Dio): number {
    return Math.min(super.dioDropRef(dio), dio.isAsync ? 0 : Infinity);
  }
}

/** The submitter lets go of its reference before it has mapped everything. */
class LetsGoEarly extends DirectIo {
  override dioNextPiece(dio: Dio): MaybeTask<number> {
    if (dio.sdio.position === dio.sdio.begin || !dio.isAsync) {
      return super.dioNextPiece(dio);
    }
    return this.#letGo(dio);
  }

  *#letGo(dio: Dio): Task<number> {
    const { kernel } = this;
    yield* dio.bioLock.lock(kernel);
    dio.refcount--;
    dio.bioLock.unlock(kernel);
    const ret = yield* finish(super.dioNextPiece(dio));
    yield* dio.bioLock.lock(kernel);
    use(dio).refcount++;
    dio.bioLock.unlock(kernel);
    return ret;
  }
}

/** Pages are released before the zero page took their place, and again. */
class ReleasesTwice extends DirectIo {
  override dioBioRelease(dio: Dio, bio: Bio): Task<void> | null {
    this.kernel.bios.get(bio);
    super.dioBioRelease(dio, bio);
    return super.dioBioRelease(dio, bio);
  }
}

/** Mutants of the core. */
export const DIRECT_IO_MUTANTS: readonly Mutant[] = [
  {
    id: "dio-done-before-end-io",
    mistake: "i_dio_count drops before end_io",
    rule: "completion-order/end-io-before-dio-done",
    bugs: ["DIO-082"],
    directIo: staged([
      "result",
      "inode_dio_done",
      "end_io",
      "aio_complete",
      "free",
    ])!,
  },
  {
    id: "aio-complete-before-dio-done",
    mistake: "aio_complete comes before the drop of i_dio_count",
    rule: "completion-order/dio-done-before-aio-complete",
    bugs: ["DIO-121"],
    directIo: staged([
      "result",
      "end_io",
      "aio_complete",
      "inode_dio_done",
      "free",
    ])!,
  },
  {
    id: "no-free",
    mistake: "the dio is not freed",
    rule: "released-once/dio",
    bugs: ["DIO-131"],
    directIo: staged(["result", "end_io", "inode_dio_done", "aio_complete"])!,
  },
  {
    id: "free-twice",
    mistake: "the dio is freed twice",
    rule: "released-once/double-free",
    bugs: [],
    directIo: staged([
      "result",
      "end_io",
      "inode_dio_done",
      "aio_complete",
      "free",
      "free",
    ])!,
  },
  {
    id: "free-before-aio-complete",
    mistake: "the dio is freed before aio_complete",
    rule: "completion-order/free-last",
    bugs: [],
    directIo: staged([
      "result",
      "end_io",
      "inode_dio_done",
      "free",
      "aio_complete",
    ])!,
  },
  {
    id: "count-kept-on-early-failure",
    mistake: "i_dio_count is not dropped when the submission fails",
    rule: "dio-count-balanced/per-request",
    bugs: ["DIO-086"],
    directIo: (kernel) => new CountLeaker(kernel),
  },
  {
    id: "drop-and-test-apart",
    mistake: "drop and zero test of the reference count are not under one lock",
    rule: "completion-after-last-bio/once",
    bugs: ["DIO-022"],
    directIo: (kernel) => new SplitDrop(kernel),
  },
  {
    id: "last-error-only",
    mistake: "the error of a bio that does not end last is dropped",
    rule: "error-reported/every-bio",
    bugs: ["DIO-001"],
    directIo: (kernel) => new LastErrorOnly(kernel),
  },
  {
    id: "workqueue-loser-leaks",
    mistake: "the loser of the workqueue race does not destroy its own",
    rule: "workqueue-life/gone-before-put-super",
    bugs: ["DIO-012"],
    directIo: (kernel) => new LoserLeaks(kernel),
  },
  {
    id: "no-wake-up",
    mistake: "the last bio does not wake the submitter",
    rule: "liveness/blocked-for-ever",
    bugs: [],
    directIo: (kernel) => new NoWakeUp(kernel),
  },
  {
    id: "first-bio-completes",
    mistake: "the first bio that ends completes the request",
    rule: "completion-after-last-bio/all-ended",
    bugs: ["DIO-148"],
    directIo: (kernel) => new FirstBioCompletes(kernel),
  },
  {
    id: "lets-go-early",
    mistake: "the submitter drops its reference while it still submits",
    rule: "no-use-after-release/slab",
    bugs: ["DIO-002"],
    directIo: (kernel) => new LetsGoEarly(kernel),
  },
  {
    id: "releases-twice",
    mistake: "a bio's pages are released twice",
    rule: "released-once/page-pin",
    bugs: ["DIO-006"],
    directIo: (kernel) => new ReleasesTwice(kernel),
  },
];

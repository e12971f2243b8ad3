/**
 * The submission side of the core with one mistake each.
 *
 * @module
 */

import {
  type Bio,
  type Dio,
  DirectIo,
  EIOCBQUEUED,
  submitBio,
  type Task,
  WRITE,
} from "../../core/mod.ts";
import type { Mutant } from "./mutant.ts";

/** An extending write is asynchronous when it was asked for as such. */
class QueuesAppends extends DirectIo {
  override dioInit(dio: Dio): void {
    super.dioInit(dio);
    dio.isAsync = !dio.iocb.isSync;
  }
}

/** A write that has stopped at a hole is queued with what it has. */
class QueuesShortWrites extends DirectIo {
  override dioSubmitted(dio: Dio, error: number): number {
    const isQueued = error === 0 && dio.isAsync && dio.result > 0;
    return isQueued ? -EIOCBQUEUED : super.dioSubmitted(dio, error);
  }
}

/** What stopped the submission does not count once a bio is on its way. */
class QueuesFailures extends DirectIo {
  override dioSubmitted(dio: Dio, error: number): number {
    const isFailed = error < 0 && dio.isAsync && dio.result > 0;
    return isFailed ? -EIOCBQUEUED : super.dioSubmitted(dio, error);
  }
}

/** The mutex that is taken for a read is not released. */
class KeepsMutex extends DirectIo {
  override dioUnlocked(dio: Dio, error: number): number {
    this.dioCleanup(dio);
    return this.dioSubmitted(dio, error);
  }
}

/** The count goes up when everything is submitted. */
class CountsLate extends DirectIo {
  override dioCount(dio: Dio, begun: number): number {
    return begun === 0 ? 0 : super.dioCount(dio, begun);
  }

  override dioUnlocked(dio: Dio, error: number): number {
    dio.inode.dioCountUp(dio.id);
    return super.dioUnlocked(dio, error);
  }
}

/** The pages of an asynchronous read are not marked as dirty. */
class ForgetsDirtying extends DirectIo {
  override dioBioSend(dio: Dio): Task<unknown> | null {
    const { kernel } = this;
    const { sdio, bioLock: lock } = dio;
    const bio = sdio.bio as Bio;
    if (dio.rw === WRITE || !dio.isAsync) return super.dioBioSend(dio);
    lock.take(kernel, true);
    dio.refcount++;
    lock.unlock(kernel);
    sdio.bio = null;
    return submitBio(bio);
  }
}

/** Every asynchronous write is deferred. */
class DefersAlways extends DirectIo {
  override dioMayDefer(): boolean {
    return true;
  }

  override dioPrepareDeferral(dio: Dio): Task<number> {
    return this.dioSetDeferCompletion(dio);
  }
}

/** A deferral that was asked for is forgotten. */
class ForgetsDeferral extends DirectIo {
  override dioMustDefer(): boolean {
    return false;
  }
}

/** A read goes on behind the end of a file that was made shorter. */
class ReadsBehindEnd extends DirectIo {
  override dioCheckSize(dio: Dio): number {
    return Math.min(super.dioCheckSize(dio), 0);
  }

  override dioResult(dio: Dio): void {
    super.dioResult(dio);
    if (dio.value >= 0 && dio.offset >= dio.iSize) dio.value = dio.result;
  }
}

/** Mutants of the submission. */
export const SUBMISSION_MUTANTS: readonly Mutant[] = [
  {
    id: "append-queued",
    mistake: "an asynchronous write behind the end of the file is queued",
    rule: "size-after-data/append-waited-for",
    bugs: ["DIO-152"],
    directIo: (kernel) => new QueuesAppends(kernel),
  },
  {
    id: "short-write-queued",
    mistake: "a write that stops at a hole is queued",
    rule: "partial-progress/short-write-waited-for",
    bugs: ["DIO-070"],
    directIo: (kernel) => new QueuesShortWrites(kernel),
  },
  {
    id: "failed-submission-queued",
    mistake: "a request whose submission fails after its first bio is queued",
    rule: "result-precedence/error-not-queued",
    bugs: [],
    directIo: (kernel) => new QueuesFailures(kernel),
  },
  {
    id: "read-keeps-mutex",
    mistake: "a read does not release the i_mutex that it took",
    rule: "lock-handover/none-left",
    bugs: ["DIO-049"],
    directIo: (kernel) => new KeepsMutex(kernel),
  },
  {
    id: "counted-late",
    mistake: "i_dio_count goes up after everything was mapped and submitted",
    rule: "truncate-waits/counted-while-mapped",
    bugs: ["DIO-083"],
    directIo: (kernel) => new CountsLate(kernel),
  },
  {
    id: "read-not-dirtied",
    mistake: "the pages of an asynchronous read are not marked as dirty",
    rule: "pages-dirtied/before-submission",
    bugs: ["DIO-044"],
    directIo: (kernel) => new ForgetsDirtying(kernel),
  },
  {
    id: "defers-always",
    mistake: "every asynchronous write is deferred",
    rule: "completion-concurrency/deferred-with-reason",
    bugs: ["DIO-076"],
    directIo: (kernel) => new DefersAlways(kernel),
  },
  {
    id: "deferral-forgotten",
    mistake: "the last bio completes a request that was to be deferred",
    rule: "no-sleep-in-interrupt/deferred-in-worker",
    bugs: ["DIO-029"],
    directIo: (kernel) => new ForgetsDeferral(kernel),
  },
  {
    id: "read-behind-end",
    mistake: "a read goes on behind the end of a file that was made shorter",
    rule: "read-within-size/cut",
    bugs: ["DIO-031"],
    profile: "v6.1",
    directIo: (kernel) => new ReadsBehindEnd(kernel),
  },
];

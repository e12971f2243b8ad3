/**
 * The mapping and submission of the core with one mistake each.
 *
 * @module
 */

import {
  type Bio,
  type Dio,
  DIO_SKIP_HOLES,
  DirectIo,
  EIOCBQUEUED,
  type Kernel,
  type MaybeTask,
  NOTHING,
  READ,
  type Task,
  use,
  WRITE,
} from "../../core/mod.ts";
import type { Mutant } from "./mutant.ts";

/** No request is left to its bios. */
class NeverQueued extends DirectIo {
  override dioSubmitted(_dio: Dio, error: number): number {
    return error;
  }
}

/** A request whose submission fails is not waited for. */
class DoesNotWait extends DirectIo {
  override dioDrop(dio: Dio, ret: number): MaybeTask<number> {
    if (!dio.isAsync || ret >= 0 || ret === -EIOCBQUEUED) {
      return super.dioDrop(dio, ret);
    }
    super.dioDrop(dio, -EIOCBQUEUED);
    return ret;
  }

  override *dioAwaitCompletion(dio: Dio): Task<void> {
    if (!dio.isAsync) yield* super.dioAwaitCompletion(dio);
  }
}

/** The submitter looks at the request when it has let go of it. */
class LooksAgain extends DirectIo {
  override dioDrop(dio: Dio, ret: number): MaybeTask<number> {
    const value = super.dioDrop(dio, ret);
    if (ret !== -EIOCBQUEUED || typeof value !== "number") return value;
    return this.#look(dio, value);
  }

  *#look(dio: Dio, value: number): Task<number> {
    if (this.kernel.stepping) yield dio.bioLock.step;
    return use(dio).isAsync ? value : 0;
  }
}

/** Blocks of new blocks that are written in part only are not filled up. */
class NoZeros extends DirectIo {
  readonly #isEnd: boolean;

  constructor(kernel: Kernel, isEnd: boolean) {
    super(kernel);
    this.#isEnd = isEnd;
  }

  override dioZeroBlock(dio: Dio, end: boolean): MaybeTask<number> {
    if (end !== this.#isEnd) return super.dioZeroBlock(dio, end);
    dio.sdio.startZeroDone = true;
    const { iBlkbits, position } = dio.sdio;
    const before = position & ((1 << iBlkbits) - 1);
    // Of a new block the start was not skipped when it was mapped.
    if (!end && dio.sdio.mapBh.isNew) dio.sdio.devicePosition += before;
    return 0;
  }
}

/** Holes are looked for in the blocks of the request, not of the file. */
class HolesInUsedBlocks extends DirectIo {
  override dioMayCreate(dio: Dio): boolean {
    const { inode: { iSize }, sdio, rw, flags } = dio;
    if (rw === READ || (flags & DIO_SKIP_HOLES) === 0) {
      return super.dioMayCreate(dio);
    }
    return sdio.position >= iSize - (iSize & ((1 << sdio.blkbits) - 1));
  }
}

/** A mapping that asks for deferral is not listened to. */
class DeafToMapping extends DirectIo {
  override *dioSetDeferCompletion(dio: Dio): Task<number> {
    return dio.sdio.position < dio.sdio.end
      ? 0
      : yield* super.dioSetDeferCompletion(dio);
  }

  override dioPrepareDeferral(dio: Dio): Task<number> {
    return super.dioSetDeferCompletion(dio);
  }
}

/** The last piece of a request that has many is mapped from its start again. */
class MapsAgain extends DirectIo {
  override getMoreBlocks(dio: Dio): MaybeTask<number> {
    const { sdio } = dio;
    const { position } = sdio;
    if (dio.rw !== WRITE || position === sdio.begin) {
      return super.getMoreBlocks(dio);
    }
    sdio.position = sdio.begin;
    return this.#restore(dio, position, super.getMoreBlocks(dio));
  }

  *#restore(
    { sdio }: Dio,
    position: number,
    mapping: MaybeTask<number>,
  ): Task<number> {
    const ret = typeof mapping === "number" ? mapping : yield* mapping;
    sdio.position = position;
    return ret;
  }
}

/** Every page has a bio of its own. */
class BioForEachPage extends DirectIo {
  override dioContinuesBio(): boolean {
    return false;
  }
}

/** A write that meets no hole stops before its last block. */
class StopsShort extends DirectIo {
  override dioHasMore(dio: Dio): boolean {
    const { sdio } = dio;
    const size = 1 << sdio.iBlkbits;
    const isLast = sdio.position + size >= sdio.end &&
      sdio.position > sdio.begin;
    return !(isLast && dio.rw === WRITE) && super.dioHasMore(dio);
  }
}

/** The page array is gone through when the request has been let go of. */
class CleansUpLate extends DirectIo {
  override dioDrop(dio: Dio, ret: number): MaybeTask<number> {
    const value = super.dioDrop(dio, ret);
    if (ret !== -EIOCBQUEUED || !dio.live || typeof value !== "number") {
      return value;
    }
    return this.#cleanUp(dio, value);
  }

  *#cleanUp(dio: Dio, value: number): Task<number> {
    if (this.kernel.stepping) yield dio.bioLock.step;
    if (dio.live) this.dioCleanup(dio);
    return value;
  }
}

/** A request drops its reference before it waits for its bios. */
class DropsBeforeWaiting extends DirectIo {
  override dioBioReap(): Task<number> {
    return NOTHING as Task<never>;
  }

  override *dioAwaitCompletion(dio: Dio): Task<void> {
    const { bioLock: lock } = dio;
    if (dio.isAsync || lock.mustWait(this.kernel)) {
      yield* super.dioAwaitCompletion(dio);
    }
  }
}

/** The end handler is left out of a bio of an asynchronous write. */
class NoEndHandler extends DirectIo {
  override dioBioAlloc(dio: Dio): Bio {
    const bio = super.dioBioAlloc(dio);
    if (dio.isAsync && dio.rw === WRITE && dio.sdio.bios > 1) {
      bio.biEndIo = null;
    }
    return bio;
  }
}

function core(
  id: string,
  bugs: readonly string[],
  rule: string,
  mistake: string,
  make: (kernel: Kernel) => DirectIo,
  profile: Mutant["profile"] = "v3.12",
): Mutant {
  return { id, mistake, rule, bugs, profile, directIo: make };
}

/** Mutants of mapping and submission. */
export const PIECES_MUTANTS: readonly Mutant[] = [
  core(
    "never-queued",
    ["DIO-041"],
    "partial-progress/whole-is-queued",
    "every asynchronous request is waited for",
    (kernel) => new NeverQueued(kernel),
  ),
  core(
    "failed-submission-not-waited-for",
    ["DIO-020"],
    "no-use-after-release/slab",
    "a request whose submission fails is returned while its bios are in flight",
    (kernel) => new DoesNotWait(kernel),
  ),
  core(
    "looks-at-dio-again",
    ["DIO-154"],
    "no-use-after-release/slab",
    "the submitter looks at a request that it has let go of",
    (kernel) => new LooksAgain(kernel),
  ),
  core(
    "no-zeros-before",
    ["DIO-116"],
    "sub-block-zeroing-serialised/block-filled",
    "the start of a new block is not filled with zeros",
    (kernel) => new NoZeros(kernel, false),
  ),
  core(
    "no-zeros-behind",
    ["DIO-065"],
    "sub-block-zeroing-serialised/block-filled",
    "the end of a new block is not filled with zeros",
    (kernel) => new NoZeros(kernel, true),
  ),
  core(
    "holes-in-used-blocks",
    ["DIO-040"],
    "convert-only-written/no-new-block-inside",
    "where blocks may be made is counted in blocks of the request",
    (kernel) => new HolesInUsedBlocks(kernel),
    "v6.1",
  ),
  core(
    "deaf-to-mapping",
    ["DIO-029"],
    "no-sleep-in-interrupt/asked-for-deferral",
    "a mapping that asks for deferral does not get it",
    (kernel) => new DeafToMapping(kernel),
  ),
  core(
    "maps-again",
    [],
    "mapping-and-bios/in-order",
    "every piece but the first is mapped where the request begins",
    (kernel) => new MapsAgain(kernel),
  ),
  core(
    "bio-for-each-page",
    ["DIO-037"],
    "mapping-and-bios/mapped-first",
    "a mapping of many pages has a bio for each",
    (kernel) => new BioForEachPage(kernel),
  ),
  core(
    "stops-short",
    ["DIO-128"],
    "partial-progress/short-with-reason",
    "a write stops before its last block",
    (kernel) => new StopsShort(kernel),
  ),
  core(
    "cleans-up-late",
    [],
    "no-use-after-release/page-array",
    "the page array is gone through when the work item may lie there",
    (kernel) => new CleansUpLate(kernel),
  ),
  core(
    "sync-not-waited-for",
    ["DIO-022"],
    "completion-after-last-bio/submitter",
    "a submitter that has to wait does not",
    (kernel) => new DropsBeforeWaiting(kernel),
  ),
  core(
    "no-end-handler",
    [],
    "completion-after-last-bio/end-handler",
    "a bio has no end handler",
    (kernel) => new NoEndHandler(kernel),
  ),
];

/**
 * Block devices with one mistake each: those of 2016, and some that were made
 * later, or could be.
 *
 * @module
 */

import {
  type Bio,
  type BlkdevDio,
  BlkdevDirectIo,
  IOCB_HIPRI,
  IOCB_NOWAIT,
  type IovIter,
  type Kernel,
  type Kiocb,
  type MaybeTask,
  REQ_FUA,
  type Rw,
  type Task,
  use,
} from "../../core/mod.ts";
import {
  Blkdev,
  BlkdevDirectIo2016,
  type Mistake2016,
  type ModelSpec,
} from "../../fs_models/mod.ts";
import type { Mutant } from "./mutant.ts";

/** The block device with a variant of its direct I/O. */
function blkdev(init: (kernel: Kernel) => BlkdevDirectIo): ModelSpec {
  class Variant extends Blkdev {
    override init(kernel: Kernel): BlkdevDirectIo {
      return init(kernel);
    }
  }
  return {
    name: "blkdev",
    mount: (kernel, bdev) => new Variant(kernel, bdev),
  };
}

/** The first bio that ends completes the request. */
class FirstBioCompletes extends BlkdevDirectIo {
  override blkdevDropPart(dio: BlkdevDio): boolean {
    super.blkdevDropPart(dio);
    return true;
  }
}

/** The end of the first bio drops the reference of the report as well. */
class DropsBoth extends BlkdevDirectIo {
  override blkdevRelease(bio: Bio, shouldDirty: boolean): Task<void> | null {
    const { multiBio, bio: first } = use(bio.biPrivate as BlkdevDio);
    const { bios } = this.kernel;
    if (multiBio && bio === first) bios.put(bio);
    return super.blkdevRelease(bio, shouldDirty);
  }
}

/** NOWAIT is forgotten where a request may have many bios. */
class NowaitMany extends BlkdevDirectIo {
  override blkdevDirectIOMulti(
    dio: BlkdevDio,
    rw: Rw,
    iocb: Kiocb,
    iter: IovIter,
  ): MaybeTask<number> {
    iocb.kiFlags &= ~IOCB_NOWAIT;
    return super.blkdevDirectIOMulti(dio, rw, iocb, iter);
  }
}

/** NOWAIT does not reach the bio of an asynchronous request. */
class NowaitIgnored extends BlkdevDirectIo {
  override blkdevDirectIOAsync(
    dio: BlkdevDio,
    rw: Rw,
    iocb: Kiocb,
    iter: IovIter,
    nrPages: number,
  ): MaybeTask<number> {
    iocb.kiFlags &= ~IOCB_NOWAIT;
    return super.blkdevDirectIOAsync(dio, rw, iocb, iter, nrPages);
  }
}

/** The bio to poll for is stored after its submission. */
class PrivateLate extends BlkdevDirectIo {
  override blkdevDirectIOAsync(
    dio: BlkdevDio,
    rw: Rw,
    iocb: Kiocb,
    iter: IovIter,
    nrPages: number,
  ): MaybeTask<number> {
    const polled = (iocb.kiFlags & IOCB_HIPRI) !== 0;
    const { bio } = dio;
    const ret = super.blkdevDirectIOAsync(dio, rw, iocb, iter, nrPages);
    return polled ? this.#store(iocb, bio, ret) : ret;
  }

  *#store(iocb: Kiocb, bio: Bio, ret: MaybeTask<number>): Task<number> {
    const queued = typeof ret === "number" ? ret : yield* ret;
    use(iocb).private = bio;
    return queued;
  }
}

/** Bios of O_DSYNC writes have no FUA. */
class NoFua extends BlkdevDirectIo {
  override blkdevOpf(rw: Rw, iocb: Kiocb): number {
    return super.blkdevOpf(rw, iocb) & ~REQ_FUA;
  }
}

/** fsync does nothing. */
class NoFsync extends Blkdev {
  fsync(): number {
    return 0;
  }
}

/** The pages of a read are not marked. */
class NotDirtied extends BlkdevDirectIo {
  override blkdevBegin(
    dio: BlkdevDio,
    rw: Rw,
    iocb: Kiocb,
    iter: IovIter,
    pages: number,
  ): void {
    super.blkdevBegin(dio, rw, iocb, iter, pages);
    dio.shouldDirty = false;
  }
}

/** The pages of a read are not looked at when it has ended. */
class NotChecked extends BlkdevDirectIo {
  override blkdevRelease(bio: Bio): Task<void> | null {
    return super.blkdevRelease(bio, false);
  }
}

/** The last of many bios does not count. */
class LastUncounted extends BlkdevDirectIo {
  override blkdevPrepare(
    dio: BlkdevDio,
    bio: Bio,
    rw: Rw,
    iocb: Kiocb,
    isLast: boolean,
  ): void {
    super.blkdevPrepare(dio, bio, rw, iocb, isLast);
    if (isLast && bio !== dio.bio) dio.size -= bio.biSize;
  }
}

/** The position moves whatever a request comes to. */
class MovesAnyway extends BlkdevDirectIo {
  override blkdevMove(dio: BlkdevDio): number {
    const { iocb, size } = dio;
    const ret = super.blkdevMove(dio);
    if (ret < 0) iocb.advance(size);
    return ret;
  }
}

/** Who waits is not woken. */
class NoWakeUp extends BlkdevDirectIo {
  override blkdevWake(dio: BlkdevDio): void {
    dio.owner = null;
  }
}

/** The mistakes of 2016, the rules that find them, what they are. */
const MERGED: readonly [Mistake2016, rule: string, mistake: string][] = [
  [
    "DIO-001",
    "error-reported/every-bio",
    "the error of the bio that ends last is not noted",
  ],
  [
    "DIO-002",
    "no-use-after-release/slab",
    "the submitter asks the request whether it waits, when it may be gone",
  ],
  [
    "DIO-003",
    "mapping-and-bios/sectors-of-512",
    "sectors are counted in logical blocks",
  ],
  [
    "DIO-004",
    "position-once/as-reported",
    "a request that is waited for moves its position, as its caller does",
  ],
  [
    "DIO-005",
    "result-precedence/block-device",
    "what a page that cannot be pinned comes to depends on the order of ends",
  ],
  [
    "DIO-006",
    "released-once/no-leak",
    "the vector of a small request is lost when a page cannot be pinned",
  ],
  [
    "DIO-007",
    "partial-progress/whole-buffer",
    "pages are pinned from one piece of the buffer only",
  ],
  [
    "DIO-008",
    "poll-single-bio/one-bio",
    "all bios are polled for, by the cookie of the last",
  ],
  [
    "DIO-157",
    "error-reported/every-bio",
    "an error is noted after the part was dropped",
  ],
];

/** Other mistakes: id, rule, bug, mistake, variant. */
const VARIANTS: readonly [
  id: string,
  rule: string,
  bug: string | null,
  mistake: string,
  Variant: new (kernel: Kernel) => BlkdevDirectIo,
][] = [
  [
    "first-bio-completes",
    "completion-after-last-bio/block-device",
    "DIO-148",
    "the first bio that ends completes the request",
    FirstBioCompletes,
  ],
  [
    "drops-both",
    "no-use-after-release/slab",
    "DIO-002",
    "the end of the first bio drops the reference of the report as well",
    DropsBoth,
  ],
  [
    "nowait-many",
    "nowait-all-or-nothing/one-bio",
    "DIO-056",
    "a NOWAIT request may have many bios",
    NowaitMany,
  ],
  [
    "nowait-ignored",
    "nowait-all-or-nothing/one-bio",
    "DIO-055",
    "NOWAIT does not reach the bio",
    NowaitIgnored,
  ],
  [
    "private-late",
    "no-use-after-release/slab",
    "DIO-058",
    "the bio to poll for is stored after its submission",
    PrivateLate,
  ],
  [
    "no-fua",
    "dsync-durable/fua",
    "DIO-017",
    "bios of O_DSYNC writes have no FUA",
    NoFua,
  ],
  [
    "not-dirtied",
    "pages-dirtied/before-submission",
    "DIO-044",
    "the pages of a read are not marked as dirty",
    NotDirtied,
  ],
  [
    "not-checked",
    "pages-dirtied/each-bio",
    "DIO-044",
    "the pages of a read that were cleaned meanwhile stay clean",
    NotChecked,
  ],
  [
    "last-uncounted",
    "partial-progress/whole-buffer",
    "DIO-053",
    "the last of many bios does not count in the result",
    LastUncounted,
  ],
  [
    "moves-anyway",
    "position-once/as-reported",
    "DIO-052",
    "the position moves although the request failed",
    MovesAnyway,
  ],
  [
    "no-wake-up",
    "liveness/blocked-for-ever",
    null,
    "the last bio does not wake who waits",
    NoWakeUp,
  ],
];

/** Mutants of the block device. */
export const BLKDEV_MUTANTS: readonly Mutant[] = [
  ...MERGED.map(([bug, rule, mistake]): Mutant => {
    // A page that cannot be pinned is told by its bio, if that is heard.
    const mistakes: Mistake2016[] = bug === "DIO-005"
      ? ["DIO-001", bug]
      : [bug];
    const model = blkdev((kernel) => new BlkdevDirectIo2016(kernel, mistakes));
    const id = `blkdev-2016-${bug}`;
    return { id, mistake, rule, bugs: [bug], profile: "v4.10", model };
  }),
  ...VARIANTS.map(([id, rule, bug, mistake, Variant]): Mutant => {
    const model = blkdev((kernel) => new Variant(kernel));
    const bugs = bug === null ? [] : [bug];
    return { id: `blkdev-${id}`, mistake, rule, bugs, profile: "v6.1", model };
  }),
  {
    id: "blkdev-no-fsync",
    mistake: "fsync does not flush the device",
    rule: "dsync-durable/power-cut",
    bugs: ["DIO-092"],
    profile: "v6.1",
    model: {
      name: "blkdev",
      mount: (kernel, bdev) => new NoFsync(kernel, bdev),
    },
  },
];

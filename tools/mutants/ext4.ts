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
  type Kernel,
  type Kiocb,
  NOTHING,
  type SuperBlock,
  type Task,
  WorkItem,
  Workqueue,
  WQ_MEM_RECLAIM,
} from "../../core/mod.ts";
import {
  Ext4,
  type Ext4Inode,
  type Ext4IoEnd,
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
    this.#wq = new Workqueue(
      kernel,
      kernel.newWorkqueueId(),
      "ext4-dio-unwritten",
      WQ_MEM_RECLAIM,
      1,
    );
  }

  override *ext4EndIoDio(
    iocb: Kiocb,
    offset: number,
    size: number,
  ): Task<void> {
    const ioEnd = iocb.private as Ext4IoEnd | null;
    if (ioEnd === null) return;
    iocb.private = null;
    ioEnd.offset = offset;
    ioEnd.size = size;
    const work = new WorkItem();
    work.init("ext4_end_io_unrsv_work", () => this.#convertLater(ioEnd));
    yield* this.#wq.queueWork(work);
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

/** The completion's reference is not dropped when end_io never ran. */
class IoEndLeaks extends Ext4 {
  override ext4EndIoDio(iocb: Kiocb): Task<void> {
    iocb.private = null;
    return NOTHING;
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
    ruleClass: "no-sleep-in-interrupt",
    bugs: ["DIO-029"],
    model: ext4((kernel, bdev) => new NoDefer(kernel, bdev)),
  },
  {
    id: "ext4-defers-again",
    mistake: "end_io queues a second work and returns",
    ruleClass: "no-double-deferral",
    bugs: ["DIO-011"],
    model: ext4((kernel, bdev) => new DefersAgain(kernel, bdev)),
  },
  {
    id: "ext4-no-conversion",
    mistake: "what was written is not converted",
    ruleClass: "completion-order",
    bugs: ["DIO-028"],
    model: ext4((kernel, bdev) => new NoConversion(kernel, bdev)),
  },
  {
    id: "ext4-io-end-leaks",
    mistake: "end_io does not put the io_end",
    ruleClass: "liveness",
    bugs: ["DIO-086"],
    model: ext4((kernel, bdev) => new IoEndLeaks(kernel, bdev)),
  },
];

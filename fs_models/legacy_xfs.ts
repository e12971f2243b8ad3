/**
 * XFS before the 2013 patch: `end_io` hands the ioend to one of two
 * workqueues, and whoever destroys it completes the request.
 *
 * Source: fs/xfs/xfs_aops.c before 7b7a8665edd8 (Linux 3.11).
 *
 * @module
 */

import {
  allocWorkqueue,
  type BlockDevice,
  finish,
  type Kernel,
  type Kiocb,
  type SuperBlock,
  type Task,
  WorkItem,
  type Workqueue,
  WQ_MEM_RECLAIM,
} from "../core/mod.ts";
import type { LegacyDioOps, LegacyDirectIo } from "./legacy_direct_io.ts";
import { Xfs } from "./xfs.ts";
import { XFS_IO_UNWRITTEN, type XfsInode, XfsIoend } from "./xfs_inode.ts";

/** An ioend that knows the request it completes. */
class LegacyXfsIoend extends XfsIoend {
  /** The request, once its transfers have ended. */
  iocb: Kiocb | null = null;
  /** Whether the AIO callback is to be called. */
  isAsync = false;
  /** What to report, unless something fails. */
  result = 0;
  /** Finishes it later. */
  readonly work: WorkItem = new WorkItem();
}

/**
 * XFS of Linux 3.11. Works with {@linkcode LegacyDirectIo} only.
 *
 * @example It is end_io that drops i_dio_count, as the last thing it does
 * ```ts
 * import { checkConformance, scenarioById } from "@endio/dio/conformance";
 * import { LEGACY_MODELS } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const xfs = LEGACY_MODELS.find(({ name }) => name === "xfs-legacy")!;
 * const { violations } = checkConformance(xfs, {
 *   scenarios: [scenarioById("sync-write")],
 * });
 * const broken = new Set(violations.map(({ rule }) => rule));
 * assertEquals([...broken], ["completion-order/end-io-before-dio-done"]);
 * ```
 */
export class LegacyXfs extends Xfs {
  /** For writes. */
  override readonly writeOps: LegacyDioOps;
  /** Runs conversions. */
  readonly unwrittenWorkqueue: Workqueue;
  /** Runs updates of the size on disk. */
  readonly dataWorkqueue: Workqueue;

  /**
   * Mounts it.
   *
   * @param kernel The kernel, with a {@linkcode LegacyDirectIo}.
   * @param bdev The device, attached to that kernel.
   */
  constructor(kernel: Kernel, bdev: BlockDevice) {
    super(kernel, bdev);
    this.unwrittenWorkqueue = allocXfsWorkqueue(kernel, "xfs-conv", bdev);
    this.dataWorkqueue = allocXfsWorkqueue(kernel, "xfs-data", bdev);
    this.writeOps = {
      endIoName: "xfs_end_io_direct_write",
      getBlock: (inode, iblock, bh, create) =>
        this.xfsGetBlocksDirect(inode as XfsInode, iblock, bh, create),
      endIo: (iocb, offset, size, priv, ret, isAsync) =>
        this.legacyEndIo(iocb, offset, size, priv, ret ?? 0, isAsync ?? false),
    };
  }

  /** Makes an ioend that knows its request. */
  override newIoend(): XfsIoend {
    return new LegacyXfsIoend();
  }

  /**
   * `xfs_end_io_direct_write()`: an asynchronous write is finished by a
   * worker, every other one here.
   *
   * @param iocb The request.
   * @param offset First byte in the file.
   * @param size How many bytes.
   * @param priv Not null when the write has met unwritten blocks.
   * @param ret The result.
   * @param isAsync Whether the AIO callback is to be called.
   */
  *legacyEndIo(
    iocb: Kiocb,
    offset: number,
    size: number,
    priv: unknown,
    ret: number,
    isAsync: boolean,
  ): Task<void> {
    const ioend = this.xfsTakeIoend(iocb) as LegacyXfsIoend;
    ioend.offset = offset;
    ioend.size = size;
    ioend.iocb = iocb;
    ioend.isAsync = isAsync;
    ioend.result = ret;
    if (priv !== null && size > 0) ioend.type = XFS_IO_UNWRITTEN;
    if (isAsync) yield* this.#finishIoend(ioend);
    else yield* this.xfsFinishIoendSync(ioend);
  }

  /** `xfs_finish_ioend()`: leaves what sleeps to a worker. */
  *#finishIoend(ioend: LegacyXfsIoend): Task<void> {
    const { inode, type, isDirect, offset, size } = ioend;
    const isUnwritten = type === XFS_IO_UNWRITTEN;
    if (!isUnwritten && !(isDirect && offset + size > inode.diSize)) {
      yield* this.xfsFinishIoendSync(ioend);
      return;
    }
    const wq = isUnwritten ? this.unwrittenWorkqueue : this.dataWorkqueue;
    ioend.work.init("xfs_end_io", () => this.#endIoWork(ioend));
    yield* wq.queueWork(ioend.work);
  }

  *#endIoWork(ioend: LegacyXfsIoend): Task<void> {
    yield* this.xfsFinishIoendSync(ioend);
  }

  /**
   * `xfs_destroy_ioend()`: completes the request that the ioend stands for,
   * with the error of the conversion if there was one.
   *
   * @param ioend The ioend.
   */
  override *xfsDestroyIoend(ioend: XfsIoend): Task<void> {
    const { inode, iocb, isAsync, result, error } = ioend as LegacyXfsIoend;
    const directIo = this.sb.kernel.directIo as LegacyDirectIo;
    yield* super.xfsDestroyIoend(ioend);
    if (iocb === null) return;
    (ioend as LegacyXfsIoend).iocb = null;
    yield* directIo.legacyDone(inode, iocb, error || result, isAsync);
  }

  /**
   * `xfs_destroy_mount_workqueues()`.
   *
   * @param _sb The superblock.
   */
  override *putSuper(sb: SuperBlock): Task<void> {
    yield* this.dataWorkqueue.destroy();
    yield* this.unwrittenWorkqueue.destroy();
    yield* finish(super.putSuper(sb));
  }
}

function allocXfsWorkqueue(
  kernel: Kernel,
  what: string,
  bdev: BlockDevice,
): Workqueue {
  const name = `${what}/${bdev.name}`;
  const wq = allocWorkqueue(kernel, name, WQ_MEM_RECLAIM, 0, what);
  if (wq === null) throw new Error(`Cannot mount xfs: no memory for ${name}`);
  return wq;
}

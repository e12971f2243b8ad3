/**
 * XFS as it was merged, and as the review wanted it, where that was wrong.
 *
 * Source: fs/xfs/xfs_aops.c of Linux 3.12; the review of the 2013 patch.
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
import { Xfs } from "./xfs.ts";
import type { XfsInode, XfsIoend } from "./xfs_inode.ts";

/**
 * XFS of Linux 3.12. It asks for deferral of unwritten blocks only, so the
 * size on disk is updated in an interrupt when it is behind the one in memory;
 * and the size in memory grows before the blocks under it are converted.
 *
 * @example The suite finds both
 * ```ts
 * import { checkConformance, scenarioById } from "@endio/dio/conformance";
 * import { HISTORIC_MODELS } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const xfs = HISTORIC_MODELS.find(({ name }) => name === "xfs-3.12")!;
 * const { violations } = checkConformance(xfs, {
 *   scenarios: ["aio-write-behind-disk-size", "append-read"].map(scenarioById),
 * });
 * const broken = new Set(violations.map(({ rule }) => rule));
 * assertEquals(broken.has("no-sleep-in-interrupt/context"), true);
 * assertEquals(broken.has("size-after-data/converted-first"), true);
 * ```
 */
export class Xfs312 extends Xfs {
  /**
   * Whether the end of a write has to be deferred: only for a conversion.
   *
   * @param _inode The file.
   * @param _end Where the mapping ends.
   * @param isUnwritten Whether it is unwritten.
   * @returns True for unwritten blocks.
   */
  override xfsNeedsDefer(
    _inode: XfsInode,
    _end: number,
    isUnwritten: boolean,
  ): boolean {
    return isUnwritten;
  }

  /**
   * `xfs_end_io_direct_write()`: the size in memory grows first.
   *
   * @param iocb The request.
   * @param offset First byte in the file.
   * @param size How many bytes.
   * @param priv Not null when the write has met unwritten blocks.
   * @returns 0, or the error of what had to be done.
   */
  override *xfsEndIoDirectWrite(
    iocb: Kiocb,
    offset: number,
    size: number,
    priv: unknown,
  ): Task<number> {
    const inode = iocb.kiFilp.fInode;
    if (this.sb.kernel.stepping) yield inode.sizeStep;
    if (offset + size > inode.iSize) yield* inode.sizeWrite(offset + size);
    return yield* super.xfsEndIoDirectWrite(iocb, offset, size, priv);
  }
}

/**
 * XFS as the review of the patch thought it should be: whatever lets the size
 * on disk grow is left to a workqueue of XFS. The core takes the request for
 * completed when that has only been queued, which is why the patch was not
 * changed in that way.
 *
 * @example The suite finds it
 * ```ts
 * import { checkConformance, scenarioById } from "@endio/dio/conformance";
 * import { HISTORIC_MODELS } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const xfs = HISTORIC_MODELS.find(({ name }) => name === "xfs-append-queued")!;
 * const { violations } = checkConformance(xfs, {
 *   scenarios: [scenarioById("two-appends")],
 * });
 * assertEquals(violations[0]?.rule, "no-double-deferral/end-io-finishes");
 * ```
 */
export class XfsAppendQueued extends Xfs {
  /** Runs updates of the size on disk: `m_data_workqueue`. */
  readonly dataWorkqueue: Workqueue;

  /**
   * Mounts it.
   *
   * @param kernel The kernel.
   * @param bdev The device, attached to that kernel.
   */
  constructor(kernel: Kernel, bdev: BlockDevice) {
    super(kernel, bdev);
    const name = `xfs-data/${bdev.name}`;
    const wq = allocWorkqueue(kernel, name, WQ_MEM_RECLAIM, 0, "xfs-data");
    if (wq === null) throw new Error(`Cannot mount xfs: no memory for ${name}`);
    this.dataWorkqueue = wq;
  }

  /**
   * `xfs_finish_ioend()` for what appends, `xfs_finish_ioend_sync()` for all
   * else.
   *
   * @param ioend The ioend.
   * @returns 0, or the error of what had to be done here.
   */
  override *xfsFinishIoendSync(ioend: XfsIoend): Task<number> {
    const { inode, isDirect, offset, size } = ioend;
    if (!isDirect || offset + size <= inode.diSize) {
      return yield* super.xfsFinishIoendSync(ioend);
    }
    const work = new WorkItem();
    work.init("xfs_end_io", () => this.#endIo(ioend));
    yield* this.dataWorkqueue.queueWork(work);
    return 0;
  }

  *#endIo(ioend: XfsIoend): Task<void> {
    yield* super.xfsFinishIoendSync(ioend);
  }

  /**
   * `xfs_destroy_mount_workqueues()`.
   *
   * @param sb The superblock.
   */
  override *putSuper(sb: SuperBlock): Task<void> {
    yield* this.dataWorkqueue.destroy();
    yield* finish(super.putSuper(sb));
  }
}

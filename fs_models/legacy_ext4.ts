/**
 * ext4 before the 2013 patch: conversions of direct I/O have a list and a
 * workqueue of their own, and whoever releases an io_end completes the
 * request.
 *
 * Source: fs/ext4/inode.c, fs/ext4/page-io.c before 7b7a8665edd8 (Linux
 * 3.11).
 *
 * @module
 */

import {
  type BlockDevice,
  type DioOps,
  type Kernel,
  type Kiocb,
  type SuperBlock,
  type Task,
  use,
  WorkItem,
  type Workqueue,
} from "../core/mod.ts";
import { Ext4 } from "./ext4.ts";
import { type Ext4Inode, Ext4IoEnd } from "./ext4_inode.ts";
import { ext4AllocWorkqueue } from "./ext4_io_end.ts";
import type { LegacyDioOps, LegacyDirectIo } from "./legacy_direct_io.ts";

/** An io_end that knows the request it completes. */
class LegacyExt4IoEnd extends Ext4IoEnd {
  /** The request, once its transfers have ended. */
  iocb: Kiocb | null = null;
  /** Whether the AIO callback is to be called. */
  isAsync = false;
  /** What to report. */
  result = 0;
}

/** What an inode had for the conversions of direct I/O. */
interface UnreservedConversions {
  readonly list: Ext4IoEnd[];
  readonly work: WorkItem;
}

/**
 * ext4 of Linux 3.11. Works with {@linkcode LegacyDirectIo} only.
 *
 * @example A write is not over when end_io returns
 * ```ts
 * import { checkConformance, scenarioById } from "@endio/dio/conformance";
 * import { LEGACY_MODELS } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const ext4 = LEGACY_MODELS.find(({ name }) => name === "ext4-legacy")!;
 * const { violations } = checkConformance(ext4, {
 *   scenarios: [scenarioById("aio-write-unwritten")],
 * });
 * const broken = new Set(violations.map(({ rule }) => rule));
 * assertEquals(broken.has("no-double-deferral/end-io-finishes"), true);
 * ```
 */
export class LegacyExt4 extends Ext4 {
  /** For writes inside the file. */
  override readonly writeOps: LegacyDioOps;
  /** For writes that change no metadata. */
  override readonly overwriteOps: DioOps;
  /** Runs the conversions of direct I/O. */
  readonly unrsvConversionWq: Workqueue;
  readonly #unreserved: Map<Ext4Inode, UnreservedConversions> = new Map();

  /**
   * Mounts it.
   *
   * @param kernel The kernel, with a {@linkcode LegacyDirectIo}.
   * @param bdev The device, attached to that kernel.
   */
  constructor(kernel: Kernel, bdev: BlockDevice) {
    super(kernel, bdev);
    this.unrsvConversionWq = ext4AllocWorkqueue(
      kernel,
      "ext4-unrsv-conversion",
    );
    this.writeOps = {
      endIoName: "ext4_end_io_dio",
      getBlock: (inode, iblock, bh) =>
        this.ext4GetBlockWrite(inode as Ext4Inode, iblock, bh),
      endIo: (iocb, offset, size, _priv, ret, isAsync) =>
        this.legacyEndIoDio(iocb, offset, size, ret ?? 0, isAsync ?? false),
    };
    this.overwriteOps = {
      ...this.writeOps,
      getBlock: (inode, iblock, bh) =>
        this.ext4GetBlockWriteNolock(inode as Ext4Inode, iblock, bh),
    };
  }

  get #directIo(): LegacyDirectIo {
    return this.sb.kernel.directIo as LegacyDirectIo;
  }

  /** Makes an io_end that knows its request. */
  override newIoEnd(): Ext4IoEnd {
    return new LegacyExt4IoEnd();
  }

  /**
   * `ext4_init_io_end()`, for a request that has not ended.
   *
   * @param inode The file.
   * @returns An io_end with one reference, or null without memory.
   */
  override *ext4InitIoEnd(inode: Ext4Inode): Task<Ext4IoEnd | null> {
    const ioEnd = (yield* super.ext4InitIoEnd(inode)) as LegacyExt4IoEnd | null;
    if (ioEnd === null) return null;
    ioEnd.iocb = null;
    return ioEnd;
  }

  /**
   * `ext4_end_io_dio()`: a request without an io_end is completed here; of
   * the others, whoever releases the io_end does.
   *
   * @param iocb The request.
   * @param offset First byte in the file.
   * @param size How many bytes.
   * @param ret The result.
   * @param isAsync Whether the AIO callback is to be called.
   */
  *legacyEndIoDio(
    iocb: Kiocb,
    offset: number,
    size: number,
    ret: number,
    isAsync: boolean,
  ): Task<void> {
    const inode = use(iocb).kiFilp.fInode;
    const ioEnd = iocb.private as LegacyExt4IoEnd | null;
    if (ioEnd === null) {
      yield* this.#directIo.legacyDone(inode, iocb, ret, isAsync);
      return;
    }
    iocb.private = null;
    use(ioEnd).offset = offset;
    ioEnd.size = size;
    ioEnd.iocb = iocb;
    ioEnd.isAsync = isAsync;
    ioEnd.result = ret;
    yield* this.ext4PutIoEndDefer(ioEnd);
  }

  /**
   * `ext4_add_complete_io()`: conversions without a reserved transaction had
   * a list of their own.
   *
   * @param ioEnd The io_end.
   */
  override *ext4AddCompleteIo(ioEnd: Ext4IoEnd): Task<void> {
    if (ioEnd.handle) return yield* super.ext4AddCompleteIo(ioEnd);
    const { kernel } = this.sb;
    const { inode } = ioEnd;
    const { list, work } = this.#unreservedOf(inode);
    yield* inode.completedIoLock.lockIrqsave(kernel);
    if (list.length === 0) yield* this.unrsvConversionWq.queueWork(work);
    list.push(ioEnd);
    inode.completedIoLock.unlock(kernel);
  }

  #unreservedOf(inode: Ext4Inode): UnreservedConversions {
    let unreserved = this.#unreserved.get(inode);
    if (unreserved === undefined) {
      unreserved = { list: [], work: new WorkItem() };
      unreserved.work.init(
        "ext4_end_io_unrsv_work",
        () => this.ext4EndIoUnrsvWork(inode),
      );
      this.#unreserved.set(inode, unreserved);
    }
    return unreserved;
  }

  /**
   * `ext4_end_io_unrsv_work()`: converts whatever is on the list of an inode.
   *
   * @param inode The file.
   */
  *ext4EndIoUnrsvWork(inode: Ext4Inode): Task<void> {
    const { kernel } = this.sb;
    yield* inode.completedIoLock.lockIrqsave(kernel);
    const ended = this.#unreservedOf(inode).list.splice(0);
    inode.completedIoLock.unlock(kernel);
    for (const ioEnd of ended) yield* this.ext4EndIo(ioEnd);
  }

  /**
   * `ext4_release_io_end()`: completes the request that the io_end stands
   * for.
   *
   * @param ioEnd The io_end.
   */
  override *ext4ReleaseIoEnd(ioEnd: Ext4IoEnd): Task<void> {
    const { inode, iocb, isAsync, result } = ioEnd as LegacyExt4IoEnd;
    if (iocb !== null) {
      yield* this.#directIo.legacyDone(inode, iocb, result, isAsync);
    }
    yield* super.ext4ReleaseIoEnd(ioEnd);
  }

  /**
   * `ext4_sync_fs()`: flushed both workqueues.
   *
   * @param sb The superblock.
   */
  override *syncFs(sb: SuperBlock): Task<void> {
    yield* this.unrsvConversionWq.flush();
    yield* super.syncFs(sb);
  }

  /**
   * `ext4_put_super()`: destroyed both.
   *
   * @param sb The superblock.
   */
  override *putSuper(sb: SuperBlock): Task<void> {
    yield* this.unrsvConversionWq.flush();
    yield* this.unrsvConversionWq.destroy();
    yield* super.putSuper(sb);
  }
}

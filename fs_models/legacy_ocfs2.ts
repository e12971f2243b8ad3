/**
 * ocfs2 before the 2013 patch: `end_io` lets go of the lock, and then
 * completes the request itself.
 *
 * Source: fs/ocfs2/aops.c before 7b7a8665edd8 (Linux 3.11).
 *
 * @module
 */

import type { BlockDevice, DioOps, Kernel, Kiocb, Task } from "../core/mod.ts";
import type { LegacyDioOps, LegacyDirectIo } from "./legacy_direct_io.ts";
import { Ocfs2 } from "./ocfs2.ts";

/**
 * ocfs2 of Linux 3.11. Works with {@linkcode LegacyDirectIo} only.
 *
 * @example
 * ```ts
 * import { checkConformance, scenarioById } from "@endio/dio/conformance";
 * import { LEGACY_MODELS } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const ocfs2 = LEGACY_MODELS.find(({ name }) => name === "ocfs2-legacy")!;
 * const { violations } = checkConformance(ocfs2, {
 *   scenarios: [scenarioById("aio-write")],
 * });
 * const broken = new Set(violations.map(({ rule }) => rule));
 * assertEquals(broken.has("completion-order/end-io-before-dio-done"), true);
 * ```
 */
export class LegacyOcfs2 extends Ocfs2 {
  /** For reads and writes. */
  override readonly ops: LegacyDioOps;

  /**
   * Mounts it.
   *
   * @param kernel The kernel, with a {@linkcode LegacyDirectIo}.
   * @param bdev The device, attached to that kernel.
   */
  constructor(kernel: Kernel, bdev: BlockDevice) {
    super(kernel, bdev);
    const getBlock: DioOps["getBlock"] = (inode, iblock, bh) =>
      this.ocfs2DirectIOGetBlocks(inode, iblock, bh);
    this.ops = {
      getBlock,
      endIoName: "ocfs2_dio_end_io",
      endIo: (iocb, _offset, _bytes, _priv, ret, isAsync) =>
        this.#endIo(iocb, ret ?? 0, isAsync ?? false),
    };
  }

  *#endIo(iocb: Kiocb, ret: number, isAsync: boolean): Task<void> {
    const directIo = this.sb.kernel.directIo as LegacyDirectIo;
    yield* this.ocfs2DioEndIo(iocb);
    yield* directIo.legacyDone(iocb.kiFilp.fInode, iocb, ret, isAsync);
  }
}

/**
 * ext4 as it was merged, where that was wrong.
 *
 * Source: fs/ext4/inode.c, fs/ext4/file.c, mm/filemap.c of Linux 3.12.
 *
 * @module
 */

import {
  type BlockDevice,
  EIOCBQUEUED,
  type IovIter,
  type Kernel,
  type Kiocb,
  type Rw,
  type Task,
  WRITE,
} from "../core/mod.ts";
import { Ext4 } from "./ext4.ts";

/**
 * ext4 of Linux 3.12 with `dioread_nolock`: an overwrite that comes to its end
 * while its submitter waits makes the file as long as it was, although
 * `i_mutex` was released in between and a truncate may have made it shorter.
 *
 * @example The suite finds it
 * ```ts
 * import { checkConformance, scenarioById } from "@endio/dio/conformance";
 * import { HISTORIC_MODELS } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const ext4 = HISTORIC_MODELS.find(({ name }) => name === "ext4-nolock-3.12")!;
 * const { violations } = checkConformance(ext4, {
 *   scenarios: [scenarioById("overwrite-truncate")],
 * });
 * assertEquals(violations[0]?.rule, "size-after-data/only-appends");
 * ```
 */
export class Ext4Nolock312 extends Ext4 {
  /**
   * Mounts it.
   *
   * @param kernel The kernel.
   * @param bdev The device, attached to that kernel.
   */
  constructor(kernel: Kernel, bdev: BlockDevice) {
    super(kernel, bdev, { dioreadNolock: true });
  }

  /**
   * `ext4_direct_IO()`, and what `generic_file_direct_write()` did after it.
   *
   * @param rw Direction.
   * @param iocb The request.
   * @param iter The user's buffer.
   * @param offset First byte in the file.
   * @returns Bytes, a negative errno, or `-EIOCBQUEUED`.
   */
  override *directIO(
    rw: Rw,
    iocb: Kiocb,
    iter: IovIter,
    offset: number,
  ): Task<number> {
    const inode = iocb.kiFilp.fInode;
    const ret = yield* super.directIO(rw, iocb, iter, offset);
    if (rw !== WRITE || ret === -EIOCBQUEUED || ret <= 0) return ret;
    if (this.sb.kernel.stepping) yield inode.sizeStep;
    if (offset + ret > inode.iSize) yield* inode.sizeWrite(offset + ret);
    return ret;
  }
}

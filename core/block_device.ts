/**
 * What a block device is to the core.
 *
 * @module
 */

import type { Bio } from "./bio.ts";
import type { Kernel } from "./kernel.ts";
import type { MaybeTask, Task } from "./step.ts";

/** What memory has to be aligned to for a device that does not say. */
export const DMA_ALIGNMENT: number = 512;

/**
 * A block device: takes bios, and ends each of them once, in whatever order
 * and context it likes, by `bioEndio`.
 */
export interface BlockDevice {
  /** Its name, e.g. `sda`. */
  readonly name: string;
  /** Smallest unit of transfer in bytes: 512 or 4096. */
  readonly logicalBlockSize: number;
  /** Its size in bytes. */
  readonly sizeBytes: number;
  /**
   * What addresses of memory must be multiples of, in bytes.
   *
   * @default {512}
   */
  readonly dmaAlignment?: number;
  /**
   * Most pages in one bio (`bio_get_nr_vecs()`).
   *
   * @default {256}
   */
  readonly maxPages?: number;
  /**
   * Binds it to a kernel for one run.
   *
   * @param kernel The kernel whose contexts its completions run in.
   */
  attach(kernel: Kernel): void;
  /**
   * Takes a bio.
   *
   * @param bio The bio.
   * @returns What it does inside the submission (a bio that ends at once),
   * or null.
   */
  submitBio(bio: Bio): Task<unknown> | null;
  /**
   * Makes everything stable that has been written (`blkdev_issue_flush()`).
   *
   * @returns 0 or a negative errno.
   */
  flush(): MaybeTask<number>;
  /**
   * Looks for bios with {@linkcode REQ_POLLED} that have ended
   * (`blk_mq_poll()`). A device without it ends every bio by an interrupt.
   *
   * @param cookie Where to look: on the queue that this bio, by its `id`, was
   * put on.
   * @returns The end of what was found, to be run in the poller's context; or
   * null when nothing was.
   */
  poll?(cookie: number): Task<unknown> | null;
  /**
   * Takes the power away and gives it back. What was not stable may be lost.
   * Only a device that simulates it has it.
   *
   * @returns How many writes were lost.
   */
  powerCut?(): number;
}

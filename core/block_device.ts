/**
 * What a block device is to the core.
 *
 * @module
 */

import type { Bio } from "./bio.ts";
import type { Kernel } from "./kernel.ts";
import type { MaybeTask, Task } from "./step.ts";

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
}

/**
 * Partitions: block devices that are a part of another.
 *
 * Source: block/blk-core.c: blk_partition_remap().
 *
 * @module
 */

import { type Bio, SECTOR_SHIFT } from "./bio.ts";
import { type BlockDevice, DMA_ALIGNMENT } from "./block_device.ts";
import type { MaybeTask, Task } from "./step.ts";

/**
 * A partition of a disk.
 *
 * @example
 * ```ts
 * import { Kernel, Partition, READ, submitBio } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const disk = new MemoryDevice({ name: "sda", sizeBytes: 1 << 20 });
 * disk.attach(kernel);
 * const partition = new Partition(disk, "sda1", 8192, 4096);
 * const bio = kernel.bios.alloc(READ, partition, 0);
 * submitBio(bio);
 * assertEquals(bio.biSector, 16);
 * ```
 */
export class Partition implements BlockDevice {
  /** Its name, e.g. `sda1`. */
  readonly name: string;
  /** The disk. */
  readonly disk: BlockDevice;
  /** Where on the disk it starts, in bytes. */
  readonly startBytes: number;
  /** Its size in bytes. */
  readonly sizeBytes: number;

  /**
   * Makes a partition.
   *
   * @param disk The disk, attached to a kernel.
   * @param name Its name.
   * @param startBytes Where it starts: a whole number of logical blocks.
   * @param sizeBytes How long it is: a whole number of logical blocks.
   * @throws {RangeError} If it is not whole blocks inside the disk.
   */
  constructor(
    disk: BlockDevice,
    name: string,
    startBytes: number,
    sizeBytes: number,
  ) {
    const isWhole = startBytes % disk.logicalBlockSize === 0 &&
      sizeBytes % disk.logicalBlockSize === 0;
    if (!isWhole || startBytes + sizeBytes > disk.sizeBytes) {
      throw new RangeError(
        `Cannot make partition ${name}: bytes ${startBytes} + ${sizeBytes} are not whole blocks of ${disk.logicalBlockSize} bytes inside ${disk.name} (${disk.sizeBytes} bytes)`,
      );
    }
    this.disk = disk;
    this.name = name;
    this.startBytes = startBytes;
    this.sizeBytes = sizeBytes;
  }

  /** Smallest unit of transfer in bytes. */
  get logicalBlockSize(): number {
    return this.disk.logicalBlockSize;
  }

  /** What addresses of memory must be multiples of, in bytes. */
  get dmaAlignment(): number {
    return this.disk.dmaAlignment ?? DMA_ALIGNMENT;
  }

  /** Nothing to do: the disk is attached. */
  attach(): void {}

  /**
   * Takes a bio, and hands it to the disk.
   *
   * @param bio The bio, its sectors counted from the start of the partition.
   * @returns What the disk does inside the submission, or null.
   */
  submitBio(bio: Bio): Task<unknown> | null {
    bio.biSector += this.startBytes / (1 << SECTOR_SHIFT);
    return this.disk.submitBio(bio);
  }

  /**
   * Makes everything stable that has been written to the disk.
   *
   * @returns 0 or a negative errno.
   */
  flush(): MaybeTask<number> {
    return this.disk.flush();
  }

  /**
   * Looks for a bio that has ended; see {@linkcode BlockDevice}.
   *
   * @param cookie The bio's `id`.
   * @returns The end of what was found, or null.
   */
  poll(cookie: number): Task<unknown> | null {
    return this.disk.poll?.(cookie) ?? null;
  }
}

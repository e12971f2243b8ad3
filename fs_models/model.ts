/**
 * What a filesystem model is to the suite: a filesystem, and a way to make
 * files of a given layout.
 *
 * @module
 */

import type {
  BlockDevice,
  DirectIo,
  Filesystem,
  Inode,
  Kernel,
  SuperBlock,
} from "../core/mod.ts";

/** The state of a piece of a file. */
export type ExtentState = "written" | "unwritten";

/** A piece of a file that has blocks. */
export interface ExtentLayout {
  /** First byte in the file, a whole number of blocks. */
  readonly offset: number;
  /** Length in bytes, a whole number of blocks. */
  readonly bytes: number;
  /** Whether the blocks hold data, or are only allocated. */
  readonly state: ExtentState;
}

/**
 * How a file lies on the device. What no extent covers is a hole. Pieces that
 * follow each other in the file do not on the device, so each needs a bio of
 * its own.
 */
export interface FileLayout {
  /** Size in bytes. */
  readonly size: number;
  /**
   * Size in bytes that is on disk, for a model that tells the two apart.
   *
   * @default {size}
   */
  readonly diskSize?: number;
  /** The pieces that have blocks, in order. */
  readonly extents: readonly ExtentLayout[];
}

/** What a filesystem may be able to do beyond reading and writing. */
export type Feature =
  /** Blocks that are allocated but not written, converted at completion. */
  | "unwritten"
  /** Changing a file's size. */
  | "truncate"
  /** Allocating unwritten blocks on demand. */
  | "fallocate"
  /** Transfers through the page cache. */
  | "buffered"
  /** Giving blocks back from the middle of a file. */
  | "punch_hole"
  /** The files are block devices: of fixed size, without holes. */
  | "block-device";

/** A mounted filesystem model. */
export interface FilesystemModel extends Filesystem {
  /** Its superblock. */
  readonly sb: SuperBlock;
  /**
   * What it is able to do. Scenarios that need more are skipped, and say so.
   *
   * @default {[]}
   */
  readonly features?: readonly Feature[];
  /**
   * Makes a file.
   *
   * @param layout Its size and extents; `unwritten` ones only if the model
   * has that feature.
   * @returns The file's inode.
   */
  createFile(layout: FileLayout): Inode;
}

/** A filesystem model before it is mounted: what the suite is given. */
export interface ModelSpec {
  /** Its name, e.g. `ext4`. */
  readonly name: string;
  /**
   * Mounts it.
   *
   * @param kernel The kernel of one run.
   * @param bdev The device, attached to that kernel.
   * @returns The mounted filesystem.
   */
  mount(kernel: Kernel, bdev: BlockDevice): FilesystemModel;
  /**
   * Makes the direct I/O that it works with, when it is not the core's own.
   *
   * @param kernel The kernel that is being made.
   * @returns The variant.
   */
  directIo?(kernel: Kernel): DirectIo;
}

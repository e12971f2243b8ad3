/**
 * What a filesystem checker would find wrong with a file, looked for when the
 * file leaves memory.
 *
 * @module
 */

import { type Inode, KernelBug } from "../core/mod.ts";
import type { ExtentMap } from "./extent_map.ts";

/**
 * Checks the sizes of a file that leaves memory.
 *
 * @param inode The file.
 * @param onDisk Its size on disk, in bytes.
 * @throws {KernelBug} If that is larger than the size in memory.
 *
 * @example
 * ```ts
 * import { Inode, Kernel, SuperBlock } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { checkSizes } from "@endio/dio/fs-models";
 * import { assertThrows } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * const fs = { name: "nofs", directIO: () => 0 };
 * const inode = new Inode(new SuperBlock(kernel, device, 12, fs), 12, 100);
 * checkSizes(inode, 50);
 * assertThrows(() => checkSizes(inode, 200), Error, "200 on disk");
 * ```
 */
export function checkSizes({ iIno, iSize }: Inode, onDisk: number): void {
  if (onDisk <= iSize) return;
  throw new KernelBug(
    "size-after-data/disk-size-at-end",
    `inode ${iIno}`,
    `inode ${iIno} goes with a size of ${onDisk} on disk, but ${iSize} in memory`,
  );
}

/**
 * Checks that a file that leaves memory has no blocks behind its end but those
 * that were there before anything was written.
 *
 * @param inode The file.
 * @param extents Where its blocks lie.
 * @throws {KernelBug} If it has.
 *
 * @example
 * ```ts
 * import { Inode, Kernel, SuperBlock } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { checkNothingBehind, ExtentMap } from "@endio/dio/fs-models";
 * import { assertThrows } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * const fs = { name: "nofs", directIO: () => 0 };
 * const inode = new Inode(new SuperBlock(kernel, device, 12, fs), 12, 100);
 * const extents = new ExtentMap();
 * extents.insert({ start: 0, count: 1, device: 7, state: "written" });
 * checkNothingBehind(inode, extents);
 * extents.insert({ start: 3, count: 1, device: 9, state: "written" });
 * assertThrows(() => checkNothingBehind(inode, extents), Error, "block 3");
 * ```
 */
export function checkNothingBehind(inode: Inode, extents: ExtentMap): void {
  const { iIno, iSize, iBlkbits } = inode;
  const size = Math.ceil(iSize / (1 << iBlkbits));
  const end = Math.max(size, extents.preallocated);
  const { state, count } = extents.lookup(end);
  if (state === "hole" && count === Infinity) return;
  throw new KernelBug(
    "completion-resources/nothing-behind-end",
    `inode ${iIno}`,
    `inode ${iIno} goes with blocks behind its end, from block ${
      state === "hole" ? end + count : end
    } on`,
  );
}

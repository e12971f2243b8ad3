import type { Inode, Task } from "@endio/dio/core";
import {
  type ModelSpec,
  PlainFilesystem,
  type PlainInode,
} from "@endio/dio/fs-models";

/** Truncates without waiting for direct I/O that is in flight. */
class HastyTruncate extends PlainFilesystem {
  override *truncate(inode: Inode, size: number): Task<number> {
    yield* inode.sizeWrite(size);
    const blocks = Math.ceil(size / (1 << inode.iBlkbits));
    (inode as PlainInode).extents.remove(blocks, Infinity);
    return 0;
  }
}

export const model: ModelSpec = {
  name: "hasty",
  mount: (kernel, bdev) => new HastyTruncate(kernel, bdev),
};

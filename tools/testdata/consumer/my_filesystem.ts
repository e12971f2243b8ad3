import {
  BH_NEW,
  blockdevDirectIO,
  type BlockDevice,
  type DioOps,
  ENOSPC,
  type Filesystem,
  Inode,
  type Kernel,
  SuperBlock,
} from "@endio/dio";
import {
  BlockAllocator,
  ExtentMap,
  type FileLayout,
  type FilesystemModel,
} from "@endio/dio/fs-models";

const BLOCK = 4096;
export class MyFilesystem implements FilesystemModel, DioOps {
  readonly name = "myfs";
  readonly sb: SuperBlock;
  readonly #allocator: BlockAllocator;
  readonly #files: Map<Inode, ExtentMap> = new Map();

  constructor(kernel: Kernel, bdev: BlockDevice) {
    this.sb = new SuperBlock(kernel, bdev, Math.log2(BLOCK), this);
    this.#allocator = new BlockAllocator(0, bdev.sizeBytes / BLOCK);
  }

  createFile(layout: FileLayout): Inode {
    const inode = new Inode(this.sb, 12 + this.#files.size, layout.size);
    this.#files.set(inode, ExtentMap.from(layout, BLOCK, this.#allocator));
    return inode;
  }

  readonly directIO: Filesystem["directIO"] = (rw, iocb, iter, offset) =>
    blockdevDirectIO(rw, iocb, iocb.kiFilp.fInode, iter, offset, this);

  readonly getBlock: DioOps["getBlock"] = (inode, iblock, bh, create) => {
    const extents = this.#files.get(inode)!;
    const { state, device, count } = extents.lookup(iblock);
    const blocks = Math.min(count, bh.bSize / BLOCK);
    if (state === "written") bh.map(device, blocks * BLOCK);
    else if (create) {
      const block = this.#allocator.alloc(blocks);
      if (block < 0) return -ENOSPC;
      extents.insert({
        start: iblock,
        count: blocks,
        device: block,
        state: "written",
      });
      bh.map(block, blocks * BLOCK);
      bh.bState |= BH_NEW;
    }
    return 0;
  };
}

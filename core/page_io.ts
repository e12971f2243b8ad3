/**
 * Bringing pages of the cache in from the device, and writing them back.
 *
 * Source: fs/mpage.c, fs/buffer.c.
 *
 * @module
 */

import type { CachePage } from "./address_space.ts";
import { bioReleasePages } from "./bio_pages.ts";
import { type Bio, READ, type Rw, submitBio, WRITE } from "./bio.ts";
import { BufferHead } from "./buffer_head.ts";
import { EIO } from "./errno.ts";
import { EV } from "./events.ts";
import type { Inode } from "./fs.ts";
import { PAGE_SIZE } from "./page.ts";
import { finish, type Task } from "./step.ts";

/** Blocks of a page that lie together on the device. */
interface Run {
  /** The first one, counted in the page. */
  readonly first: number;
  /** How many. */
  readonly count: number;
}

/**
 * `readpage()`: fills a page of the cache. What the file does not hold becomes
 * zeros.
 *
 * @param inode The file.
 * @param page The page, locked; unlocked when it is filled.
 * @returns 0 or a negative errno, the page still locked.
 */
export function* readPage(inode: Inode, page: CachePage): Task<number> {
  const { kernel } = inode.iSb;
  const size = 1 << inode.iBlkbits;
  const begin = page.index * PAGE_SIZE;
  page.page.bytes.fill(0);
  for (let i = 0; i < page.blocks.length; i++) {
    const at = begin + i * size;
    if (kernel.stepping) yield inode.sizeStep;
    page.blocks[i] = -1;
    if (at >= inode.iSize) continue;
    const error = yield* mapBlock(inode, page, i, false);
    if (error !== 0) return error;
  }
  page.error = false;
  yield* transfer(inode, page, READ, runsOf(page, -1));
  return 0;
}

/**
 * `writepage()`: begins to write what is dirty of a page. It may be changed
 * again at once, and is written then once more.
 *
 * @param inode The file.
 * @param page The page, locked; unlocked afterwards.
 */
export function* writePage(inode: Inode, page: CachePage): Task<void> {
  const { kernel } = inode.iSb;
  if (kernel.tracing) kernel.emit(EV.writepage, inode.iIno, page.index);
  const runs = runsOf(page, page.dirty);
  page.dirty = 0;
  page.error = false;
  page.writeback = true;
  page.unlock(kernel);
  yield* transfer(inode, page, WRITE, runs);
}

/**
 * Finds out where a block of a page lies.
 *
 * @param inode The file.
 * @param page The page, locked.
 * @param index Which block of the page.
 * @param create Whether to allocate it if it is missing.
 * @returns 0 or a negative errno.
 */
export function* mapBlock(
  inode: Inode,
  page: CachePage,
  index: number,
  create: boolean,
): Task<number> {
  const { fs } = inode.iSb;
  const size = 1 << inode.iBlkbits;
  const bh = new BufferHead();
  bh.bSize = size;
  const block = page.index * (PAGE_SIZE / size) + index;
  const ret = yield* finish(fs.getBlock?.(inode, block, bh, create) ?? -EIO);
  if (ret === 0 && bh.mapped) page.blocks[index] = bh.bBlocknr;
  return ret;
}

/** The blocks of a page that are mapped and in a mask, put together. */
function runsOf({ blocks }: CachePage, mask: number): Run[] {
  const runs: Run[] = [];
  for (let first = 0; first < blocks.length;) {
    let count = 0;
    while (
      (blocks[first + count] ?? -1) >= 0 &&
      (mask & (1 << (first + count))) !== 0 &&
      blocks[first + count] === (blocks[first] as number) + count
    ) count++;
    if (count > 0) runs.push({ first, count });
    first += Math.max(count, 1);
  }
  return runs;
}

/** Transfers blocks of a page; the last transfer that ends ends the whole. */
function* transfer(
  inode: Inode,
  page: CachePage,
  rw: Rw,
  runs: readonly Run[],
): Task<void> {
  const { kernel, sBdev } = inode.iSb;
  const size = 1 << inode.iBlkbits;
  page.pending = runs.length;
  if (runs.length === 0) return endTransfer(inode, page, rw);
  for (const { first, count } of runs) {
    const sector = (page.blocks[first] as number) * (size / 512);
    const bio = kernel.bios.alloc(rw, sBdev, sector);
    bio.addPage(page.page, first * size, count * size);
    page.page.pins++;
    bio.biEndIo = (ended) => endBio(inode, page, ended);
    const inline = submitBio(bio);
    if (inline !== null) yield* inline;
  }
}

function* endBio(inode: Inode, page: CachePage, bio: Bio): Task<void> {
  const { kernel } = inode.iSb;
  if (kernel.stepping) yield page.writeStep;
  if (bio.biError !== 0) page.error = true;
  bioReleasePages(bio);
  const { biRw } = bio;
  kernel.bios.put(bio);
  if (--page.pending > 0) return;
  const { fs } = inode.iSb;
  if (biRw === READ || page.error || fs.endWriteback === undefined) {
    return endTransfer(inode, page, biRw);
  }
  const offset = page.index * PAGE_SIZE;
  const end = () => endTransfer(inode, page, biRw);
  yield* finish(fs.endWriteback(inode, offset, PAGE_SIZE, end));
}

function endTransfer(inode: Inode, page: CachePage, rw: Rw): void {
  const { kernel } = inode.iSb;
  if (rw === READ) {
    page.uptodate = !page.error;
    page.unlock(kernel);
    return;
  }
  if (page.error && page.mapping !== null) page.mapping.wbErr = -EIO;
  page.endWriteback(kernel);
}

/**
 * `block_truncate_page()`: fills the rest of the block in which a file ends
 * with zeros, or what was there would come back when the file grows again.
 *
 * @param inode The file.
 * @param from Where it ends, in bytes.
 * @returns 0 or a negative errno.
 *
 * @example
 * ```ts
 * import { blockTruncatePage, Kernel } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { PlainFilesystem } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * device.attach(kernel);
 * device.store.fill(7);
 * const inode = new PlainFilesystem(kernel, device).createFile({
 *   size: 100,
 *   extents: [{ offset: 0, bytes: 4096, state: "written" }],
 * });
 * kernel.spawn("truncate", blockTruncatePage(inode, 100));
 * kernel.run();
 * const bytes = inode.iMapping.find(0)?.page.bytes;
 * assertEquals([bytes?.[99], bytes?.[100], bytes?.[4095]], [7, 0, 0]);
 * ```
 */
export function* blockTruncatePage(
  inode: Inode,
  from: number,
): Task<number> {
  const { kernel, fs } = inode.iSb;
  const size = 1 << inode.iBlkbits;
  const begin = from % PAGE_SIZE;
  if (from % size === 0 || fs.getBlock === undefined) return 0;
  for (;;) {
    const page = yield* inode.iMapping.grab(Math.floor(from / PAGE_SIZE));
    yield* page.waitOnWriteback(kernel);
    if (!page.uptodate) {
      const error = yield* readPage(inode, page);
      if (error === 0) yield* page.lock(kernel);
      if (error !== 0 || page.error) {
        page.unlock(kernel);
        return error || -EIO;
      }
    }
    const index = Math.floor(begin / size);
    // A page that was written as a whole does not know where it lies.
    const error = yield* mapBlock(inode, page, index, false);
    if (kernel.stepping) yield page.writeStep;
    const dropped = page.mapping === null;
    if (!dropped && error === 0 && (page.blocks[index] as number) >= 0) {
      page.page.bytes.fill(0, begin, (index + 1) * size);
      page.dirty |= 1 << index;
    }
    page.unlock(kernel);
    if (!dropped) return error;
  }
}

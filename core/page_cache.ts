/**
 * What direct I/O, truncate and fsync do to the page cache: write it back, and
 * drop pages from it.
 *
 * Source: mm/filemap.c, mm/truncate.c.
 *
 * @module
 */

import type { CachePage } from "./address_space.ts";
import { EAGAIN, EBUSY, EIO } from "./errno.ts";
import { EV } from "./events.ts";
import type { File, Inode } from "./fs.ts";
import { PAGE_SIZE } from "./page.ts";
import { writePage } from "./page_io.ts";
import type { MaybeTask, Task } from "./step.ts";

/** The last byte that any file can have: a range up to its end, whatever. */
export const LLONG_MAX: number = Number.MAX_SAFE_INTEGER;

/**
 * `filemap_write_and_wait_range()`: writes the dirty pages of a range back,
 * and waits until they are on the device.
 *
 * @param inode The file.
 * @param start First byte.
 * @param end Last byte.
 * @returns 0, or the error of a writeback that nobody has been told of yet.
 *
 * @example
 * ```ts
 * import { filemapWriteAndWaitRange, Inode, Kernel, SuperBlock } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * const fs = { name: "nofs", directIO: () => 0 };
 * const inode = new Inode(new SuperBlock(kernel, device, 12, fs), 12, 8192);
 * assertEquals(filemapWriteAndWaitRange(inode, 0, 8191), 0);
 * ```
 */
export function filemapWriteAndWaitRange(
  inode: Inode,
  start: number,
  end: number,
): MaybeTask<number> {
  const { iMapping, iSb: { kernel } } = inode;
  return kernel.stepping || iMapping.nrpages > 0 || iMapping.wbErr !== 0
    ? writeAndWait(inode, start, end)
    : 0;
}

function* writeAndWait(
  inode: Inode,
  start: number,
  end: number,
): Task<number> {
  const { iMapping, iSb: { kernel } } = inode;
  const last = Math.floor(end / PAGE_SIZE);
  let index = Math.floor(start / PAGE_SIZE);
  for (;; index++) {
    const page = yield* nextPage(inode, index, last);
    if (page === undefined) break;
    ({ index } = page);
    yield* page.waitOnWriteback(kernel);
    yield* page.lock(kernel);
    if (page.mapping === null || page.dirty === 0) page.unlock(kernel);
    else yield* writePage(inode, page);
  }
  for (index = Math.floor(start / PAGE_SIZE);; index++) {
    const page = yield* nextPage(inode, index, last);
    if (page === undefined) break;
    ({ index } = page);
    yield* page.waitOnWriteback(kernel);
  }
  const ret = iMapping.takeError();
  if (kernel.tracing && (ret !== 0 || iMapping.nrpages > 0)) {
    kernel.emit(
      EV.filemap_write_and_wait_range,
      inode.iIno,
      start,
      Math.min(end, LLONG_MAX),
      ret,
    );
  }
  return ret;
}

/**
 * `filemap_range_has_page()`: what a write that must not wait asks instead of
 * writing back and dropping what is cached.
 *
 * @param inode The file.
 * @param start First byte.
 * @param end Last byte.
 * @returns 0, or `-EAGAIN` when a page of the range is cached.
 *
 * @example
 * ```ts
 * import { EAGAIN, filemapRangeHasPage, Inode, Kernel, SuperBlock } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * const fs = { name: "nofs", directIO: () => 0 };
 * const inode = new Inode(new SuperBlock(kernel, device, 12, fs), 12, 8192);
 * inode.iMapping.add(1).unlock(kernel);
 * assertEquals(kernel.boot(filemapRangeHasPage(inode, 0, 4095)), 0);
 * assertEquals(kernel.boot(filemapRangeHasPage(inode, 0, 4096)), -EAGAIN);
 * ```
 */
export function* filemapRangeHasPage(
  inode: Inode,
  start: number,
  end: number,
): Task<number> {
  const first = Math.floor(start / PAGE_SIZE);
  const page = yield* nextPage(inode, first, Math.floor(end / PAGE_SIZE));
  return page === undefined ? 0 : -EAGAIN;
}

/**
 * `filemap_range_needs_writeback()`: what a read that must not wait asks
 * instead of writing back what is cached.
 *
 * @param inode The file.
 * @param start First byte.
 * @param end Last byte.
 * @returns 0, or `-EAGAIN` when a page of the range is not on the device.
 *
 * @example
 * ```ts
 * import { filemapRangeNeedsWriteback, Inode, Kernel, SuperBlock } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * const fs = { name: "nofs", directIO: () => 0 };
 * const inode = new Inode(new SuperBlock(kernel, device, 12, fs), 12, 8192);
 * inode.iMapping.add(0).unlock(kernel);
 * assertEquals(kernel.boot(filemapRangeNeedsWriteback(inode, 0, 4095)), 0);
 * ```
 */
export function* filemapRangeNeedsWriteback(
  inode: Inode,
  start: number,
  end: number,
): Task<number> {
  const { kernel } = inode.iSb;
  const last = Math.floor(end / PAGE_SIZE);
  for (let index = Math.floor(start / PAGE_SIZE);; index++) {
    const page = yield* nextPage(inode, index, last);
    if (page === undefined) return 0;
    ({ index } = page);
    if (kernel.stepping) yield page.readStep;
    if (page.dirty !== 0 || page.writeback || page.locked) return -EAGAIN;
  }
}

/** The first cached page of a range. */
function* nextPage(
  { iMapping, iSb: { kernel } }: Inode,
  first: number,
  last: number,
): Task<CachePage | undefined> {
  if (kernel.stepping) yield iMapping.readStep;
  return iMapping.next(first, last);
}

/**
 * `invalidate_inode_pages2_range()`: drops the pages of a range; may sleep.
 *
 * @param inode The file.
 * @param first The first page of the file.
 * @param last The last one.
 * @returns 0, or `-EBUSY` when one is dirty or somebody holds it; the others
 * are dropped all the same.
 *
 * @example
 * ```ts
 * import { Inode, invalidateInodePages2Range, Kernel, SuperBlock } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * const fs = { name: "nofs", directIO: () => 0 };
 * const inode = new Inode(new SuperBlock(kernel, device, 12, fs), 12, 8192);
 * inode.iMapping.add(0).unlock(kernel);
 * kernel.spawn("a", invalidateInodePages2Range(inode, 0, 1));
 * kernel.run();
 * assertEquals(inode.nrpages, 0);
 * ```
 */
export function* invalidateInodePages2Range(
  inode: Inode,
  first: number,
  last: number,
): Task<number> {
  const { iMapping, iSb: { kernel } } = inode;
  let ret = 0;
  for (let index = first;; index++) {
    const page = yield* nextPage(inode, index, last);
    if (page === undefined) break;
    ({ index } = page);
    yield* page.lock(kernel);
    if (page.mapping !== null) {
      yield* page.waitOnWriteback(kernel);
      if (page.dirty !== 0 || page.holders > 0) ret = -EBUSY;
      else iMapping.delete(page);
    }
    page.unlock(kernel);
  }
  if (kernel.tracing) {
    kernel.emit(
      EV.invalidate_inode_pages2_range,
      inode.iIno,
      first,
      Math.min(last, LLONG_MAX),
      ret,
    );
  }
  return ret;
}

/**
 * `invalidate_mapping_pages()`: drops the pages of a range that can be dropped
 * without waiting.
 *
 * @param inode The file.
 * @param first The first page of the file.
 * @param last The last one.
 *
 * @example
 * ```ts
 * import { Inode, invalidateMappingPages, Kernel, SuperBlock } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * const fs = { name: "nofs", directIO: () => 0 };
 * const inode = new Inode(new SuperBlock(kernel, device, 12, fs), 12, 8192);
 * inode.iMapping.add(0);
 * kernel.spawn("a", invalidateMappingPages(inode, 0, 1));
 * kernel.run();
 * assertEquals(inode.nrpages, 1);
 * ```
 */
export function* invalidateMappingPages(
  inode: Inode,
  first: number,
  last: number,
): Task<void> {
  const { iMapping, iSb: { kernel } } = inode;
  for (let index = first;; index++) {
    const page = yield* nextPage(inode, index, last);
    if (page === undefined) return;
    ({ index } = page);
    if (kernel.stepping) yield page.writeStep;
    const { mapping, locked, writeback, dirty, holders } = page;
    const stays = locked || writeback || dirty !== 0 || holders > 0;
    if (mapping !== null && !stays) iMapping.delete(page);
  }
}

/**
 * `truncate_pagecache()`: drops the pages behind the end of a file, and fills
 * the rest of its last page with zeros. Their blocks are freed only after it.
 *
 * @param inode The file.
 * @param size Its new size in bytes.
 *
 * @example
 * ```ts
 * import { Inode, Kernel, SuperBlock, truncatePagecache } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * const fs = { name: "nofs", directIO: () => 0 };
 * const inode = new Inode(new SuperBlock(kernel, device, 12, fs), 12, 8192);
 * for (const index of [0, 1]) inode.iMapping.add(index).unlock(kernel);
 * kernel.spawn("a", truncatePagecache(inode, 100));
 * kernel.run();
 * assertEquals(inode.nrpages, 1);
 * ```
 */
export function truncatePagecache(inode: Inode, size: number): Task<void> {
  return truncatePagecacheRange(inode, size, LLONG_MAX);
}

/**
 * `truncate_pagecache_range()`: drops the pages of a range; of one that lies in
 * it in part, that part becomes zeros.
 *
 * @param inode The file.
 * @param start First byte.
 * @param end Last byte.
 *
 * @example
 * ```ts
 * import { Inode, Kernel, SuperBlock, truncatePagecacheRange } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * const fs = { name: "nofs", directIO: () => 0 };
 * const inode = new Inode(new SuperBlock(kernel, device, 12, fs), 12, 12288);
 * for (const index of [0, 1, 2]) inode.iMapping.add(index).unlock(kernel);
 * kernel.spawn("a", truncatePagecacheRange(inode, 4096, 8191));
 * kernel.run();
 * assertEquals([inode.nrpages, inode.iMapping.find(1)], [2, undefined]);
 * ```
 */
export function* truncatePagecacheRange(
  inode: Inode,
  start: number,
  end: number,
): Task<void> {
  const { iMapping, iSb: { kernel } } = inode;
  const last = Math.floor(end / PAGE_SIZE);
  for (let index = Math.floor(start / PAGE_SIZE);; index++) {
    const page = yield* nextPage(inode, index, last);
    if (page === undefined) return;
    ({ index } = page);
    yield* page.lock(kernel);
    yield* page.waitOnWriteback(kernel);
    const from = Math.max(start - index * PAGE_SIZE, 0);
    const to = Math.min(end + 1 - index * PAGE_SIZE, PAGE_SIZE);
    if (page.mapping !== null && to - from < PAGE_SIZE) {
      page.page.bytes.fill(0, from, to);
    } else if (page.mapping !== null) iMapping.delete(page);
    page.unlock(kernel);
  }
}

/**
 * `dio_warn_stale_pagecache()`: a page of what was written directly could not
 * be dropped. The next fsync is told.
 *
 * @param file The open file.
 *
 * @example
 * ```ts
 * import { dioWarnStalePagecache, EIO, Inode, Kernel, O_DIRECT, SuperBlock } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * const fs = { name: "nofs", directIO: () => 0 };
 * const inode = new Inode(new SuperBlock(kernel, device, 12, fs), 12, 8192);
 * dioWarnStalePagecache({ fInode: inode, fFlags: O_DIRECT });
 * assertEquals(inode.iMapping.takeError(), -EIO);
 * ```
 */
export function dioWarnStalePagecache(file: File): void {
  const { fInode } = file;
  const { kernel } = fInode.iSb;
  kernel.touch(fInode.iMapping.writeStep);
  fInode.iMapping.wbErr = -EIO;
  if (kernel.tracing) kernel.emit(EV.dio_warn_stale_pagecache, fInode.iIno);
}

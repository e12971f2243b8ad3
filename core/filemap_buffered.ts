/**
 * Reads and writes through the page cache: what a direct transfer falls back
 * to, and what it races with.
 *
 * Source: mm/filemap.c.
 *
 * @module
 */

import type { CachePage } from "./address_space.ts";
import type { Kiocb } from "./aio.ts";
import { READ, type Rw, WRITE } from "./bio.ts";
import { EFAULT, EIO } from "./errno.ts";
import { EV } from "./events.ts";
import type { Inode } from "./fs.ts";
import type { Kernel } from "./kernel.ts";
import type { IovIter } from "./iov_iter.ts";
import { type Page, PAGE_SIZE } from "./page.ts";
import {
  filemapWriteAndWaitRange,
  invalidateMappingPages,
} from "./page_cache.ts";
import { mapBlock, readPage } from "./page_io.ts";
import { finish, type Task } from "./step.ts";

/**
 * `do_generic_file_read()`: reads from the page cache, up to the end of the
 * file. Moves the position.
 *
 * @param iocb The request.
 * @param iter What is left of the user's buffer.
 * @returns Bytes; or a negative errno when there are none.
 *
 * @example
 * ```ts
 * import { runScenario, scenarioById } from "@endio/dio/conformance";
 * import { doGenericFileRead } from "@endio/dio/core";
 * import { MODELS, type ModelSpec } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const model: ModelSpec = {
 *   name: "mine",
 *   mount: (kernel, bdev) => {
 *     const fs = MODELS[0]!.mount(kernel, bdev);
 *     fs.aioRead = (iocb, iter) => doGenericFileRead(iocb, iter);
 *     return fs;
 *   },
 * };
 * const { results } = runScenario(model, scenarioById("sync-write"));
 * assertEquals(results, [[4096, 4096]]);
 * ```
 */
export function* doGenericFileRead(
  iocb: Kiocb,
  iter: IovIter,
): Task<number> {
  const inode = iocb.kiFilp.fInode;
  const { kernel } = inode.iSb;
  const begin = iocb.kiPos;
  let pos = begin;
  let error = 0;
  while (iter.count > 0 && error === 0) {
    const page = yield* uptodatePage(inode, Math.floor(pos / PAGE_SIZE));
    if (typeof page === "number") {
      error = page;
      break;
    }
    // A page is looked at before the size is, or it could show what a
    // truncate has left of it.
    if (kernel.stepping) yield inode.sizeStep;
    const left = inode.iSize - pos;
    if (kernel.stepping) yield page.readStep;
    const done = left <= 0 ? 0 : copyPiece(kernel, READ, page, pos, iter, left);
    page.page.pins--;
    if (done <= 0) {
      error = done;
      break;
    }
    pos += done;
  }
  trace(iocb, READ, begin, pos - begin, error);
  if (pos > begin) iocb.advance(pos - begin);
  return pos - begin || error;
}

/** A page of the cache that holds what the file does, one pin more on it. */
function* uptodatePage(
  inode: Inode,
  index: number,
): Task<CachePage | number> {
  const { kernel } = inode.iSb;
  const { iMapping } = inode;
  for (;;) {
    if (kernel.stepping) yield inode.sizeStep;
    if (index * PAGE_SIZE >= inode.iSize) return 0;
    if (kernel.stepping) yield iMapping.readStep;
    let page = iMapping.find(index);
    if (page !== undefined) {
      page.page.pins++;
      if (kernel.stepping) yield page.readStep;
      if (page.uptodate && page.mapping !== null) return page;
      yield* page.lock(kernel);
    } else {
      page = yield* iMapping.grab(index);
      page.page.pins++;
    }
    const error = yield* fill(inode, page);
    if (error === 0 && page.uptodate) return page;
    page.page.pins--;
    if (error !== 0) return error;
  }
}

/** Fills a page that is locked, if it is still in the cache; unlocks it. */
function* fill(inode: Inode, page: CachePage): Task<number> {
  const { kernel } = inode.iSb;
  if (page.mapping === null || page.uptodate) {
    page.unlock(kernel);
    return 0;
  }
  const error = yield* readPage(inode, page);
  if (error !== 0) {
    page.unlock(kernel);
    return error;
  }
  yield* page.lock(kernel);
  page.unlock(kernel);
  return page.error ? -EIO : 0;
}

/**
 * `generic_perform_write()`: writes into the page cache. Moves the file's size,
 * but not the position.
 *
 * @param iocb The request.
 * @param iter What is left of the user's buffer.
 * @param offset First byte in the file.
 * @returns Bytes; or a negative errno when there are none.
 *
 * @example
 * ```ts
 * import { runScenario, scenarioById } from "@endio/dio/conformance";
 * import { genericPerformWrite } from "@endio/dio/core";
 * import { MODELS, type ModelSpec } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const model: ModelSpec = {
 *   name: "mine",
 *   mount: (kernel, bdev) => {
 *     const fs = MODELS[0]!.mount(kernel, bdev);
 *     fs.aioWrite = (iocb, iter) => genericPerformWrite(iocb, iter, iocb.kiPos);
 *     return fs;
 *   },
 * };
 * const { results } = runScenario(model, scenarioById("sync-write"));
 * assertEquals(results, [[4096, 4096]]);
 * ```
 */
export function* genericPerformWrite(
  iocb: Kiocb,
  iter: IovIter,
  offset: number,
): Task<number> {
  const inode = iocb.kiFilp.fInode;
  let pos = offset;
  let error = 0;
  while (iter.count > 0 && error === 0) {
    const done = yield* writePiece(inode, iter, pos);
    if (done > 0) pos += done;
    else error = done;
  }
  trace(iocb, WRITE, offset, pos - offset, error);
  return pos - offset || error;
}

/** Writes what lies in one page of the file and one of the user's. */
function* writePiece(inode: Inode, iter: IovIter, pos: number): Task<number> {
  const { kernel } = inode.iSb;
  const bytes = pieceLength(pos, iter);
  if (userPage(kernel, iter) === null) return -EFAULT;
  for (;;) {
    const page = yield* inode.iMapping.grab(Math.floor(pos / PAGE_SIZE));
    yield* page.waitOnWriteback(kernel);
    const error = yield* writeBegin(inode, page, pos % PAGE_SIZE, bytes);
    if (kernel.stepping) yield page.writeStep;
    // While it was read in, somebody may have dropped it.
    if (error === 0 && page.mapping === null) {
      page.unlock(kernel);
      continue;
    }
    if (error === 0) {
      copyPiece(kernel, WRITE, page, pos, iter, bytes);
      markDirty(inode, page, pos % PAGE_SIZE, bytes);
      if (kernel.stepping) yield inode.sizeStep;
      if (pos + bytes > inode.iSize) yield* iSizeExtend(inode, pos + bytes);
    }
    page.unlock(kernel);
    return error || bytes;
  }
}

/**
 * Makes a file longer: `i_size_write()` and `mark_inode_dirty()`.
 *
 * @param inode The file.
 * @param size Its new size in bytes.
 *
 * @example
 * ```ts
 * import { Inode, iSizeExtend, Kernel, SuperBlock } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * const fs = { name: "nofs", directIO: () => 0 };
 * const inode = new Inode(new SuperBlock(kernel, device, 12, fs), 12, 0);
 * kernel.spawn("a", iSizeExtend(inode, 100));
 * kernel.run();
 * assertEquals(inode.iSize, 100);
 * ```
 */
export function* iSizeExtend(inode: Inode, size: number): Task<void> {
  const { fs } = inode.iSb;
  yield* inode.sizeWrite(size);
  if (fs.dirtyInode) yield* finish(fs.dirtyInode(inode));
}

/**
 * `write_begin()`: sees to it that a page that is written in part holds the
 * rest, and that its blocks are there.
 */
function* writeBegin(
  inode: Inode,
  page: CachePage,
  offset: number,
  bytes: number,
): Task<number> {
  const { kernel } = inode.iSb;
  if (!page.uptodate && bytes < PAGE_SIZE) {
    const error = yield* readPage(inode, page);
    if (error !== 0) return error;
    yield* page.lock(kernel);
    if (page.error) return -EIO;
  }
  const size = 1 << inode.iBlkbits;
  const end = Math.ceil((offset + bytes) / size);
  for (let i = Math.floor(offset / size); i < end; i++) {
    if ((page.blocks[i] as number) >= 0) continue;
    const error = yield* mapBlock(inode, page, i, true);
    if (error !== 0) return error;
  }
  return 0;
}

function markDirty(
  inode: Inode,
  page: CachePage,
  offset: number,
  bytes: number,
): void {
  const size = 1 << inode.iBlkbits;
  const end = Math.ceil((offset + bytes) / size);
  for (let i = Math.floor(offset / size); i < end; i++) page.dirty |= 1 << i;
  page.uptodate = true;
}

/** The page of the user's buffer that comes next. */
function userPage(kernel: Kernel, iter: IovIter): Page | null {
  const page = kernel.memory.pin(iter.address);
  if (typeof page === "number") return null;
  page.pins--;
  return page;
}

/** How much lies in one page of the file and in one of the user's. */
function pieceLength(pos: number, iter: IovIter): number {
  return Math.min(
    PAGE_SIZE - pos % PAGE_SIZE,
    PAGE_SIZE - iter.address % PAGE_SIZE,
    iter.contiguous,
  );
}

/** Copies a piece between the cache and the user; bytes, or `-EFAULT`. */
function copyPiece(
  kernel: Kernel,
  rw: Rw,
  { page: { bytes: cached } }: CachePage,
  pos: number,
  iter: IovIter,
  most: number,
): number {
  const user = userPage(kernel, iter);
  if (user === null) return -EFAULT;
  const length = Math.min(pieceLength(pos, iter), most);
  const at = pos % PAGE_SIZE;
  const from = iter.address % PAGE_SIZE;
  if (rw === READ) user.bytes.set(cached.subarray(at, at + length), from);
  else cached.set(user.bytes.subarray(from, from + length), at);
  iter.advance(length);
  return length;
}

function trace(
  iocb: Kiocb,
  rw: Rw,
  offset: number,
  bytes: number,
  error: number,
): void {
  const { kernel } = iocb.kiFilp.fInode.iSb;
  if (!kernel.tracing) return;
  kernel.emit(
    EV.buffered_io,
    iocb.id,
    iocb.kiFilp.fInode.iIno,
    rw,
    offset,
    bytes,
    bytes > 0 ? bytes : error,
  );
}

/**
 * `generic_file_buffered_write()` as a direct write falls back to it: the rest
 * goes through the page cache, and then to the device, so that who reads
 * directly sees it and nobody reads it from the cache.
 *
 * @param iocb The request; its position is behind what was written directly.
 * @param iter What is left of the user's buffer.
 * @returns Bytes; or a negative errno when there are none, or when nobody can
 * say how many have reached the device.
 *
 * @example
 * ```ts
 * import { runScenario, scenarioById } from "@endio/dio/conformance";
 * import { directWriteFallback } from "@endio/dio/core";
 * import { MODELS, type ModelSpec } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const model: ModelSpec = {
 *   name: "mine",
 *   mount: (kernel, bdev) => {
 *     const fs = MODELS[0]!.mount(kernel, bdev);
 *     fs.aioWrite = (iocb, iter) => directWriteFallback(iocb, iter);
 *     return fs;
 *   },
 * };
 * const { results } = runScenario(model, scenarioById("sync-write"));
 * assertEquals(results, [[4096, 4096]]);
 * ```
 */
export function* directWriteFallback(
  iocb: Kiocb,
  iter: IovIter,
): Task<number> {
  const inode = iocb.kiFilp.fInode;
  const pos = iocb.kiPos;
  const written = yield* genericPerformWrite(iocb, iter, pos);
  if (written <= 0) return written;
  const end = pos + written - 1;
  const error = yield* finish(filemapWriteAndWaitRange(inode, pos, end));
  if (error !== 0) return error;
  iocb.advance(written);
  yield* invalidateMappingPages(
    inode,
    Math.floor(pos / PAGE_SIZE),
    Math.floor(end / PAGE_SIZE),
  );
  return written;
}

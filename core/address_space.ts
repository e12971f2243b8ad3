/**
 * The page cache of a file: which pages are in it, and what is known of each.
 *
 * What the cache is good for here is to be in the way of direct I/O: pages that
 * are dirty when a transfer begins, that a buffered reader brings in while one
 * is under way, or that cannot be dropped. There is no reclaim, no readahead
 * and no mmap.
 *
 * Source: include/linux/fs.h, mm/filemap.c.
 *
 * @module
 */

import { EV } from "./events.ts";
import type { Inode } from "./fs.ts";
import type { Kernel } from "./kernel.ts";
import { type Page, PAGE_SIZE, putPage } from "./page.ts";
import {
  readStep,
  SCHEDULE,
  type Step,
  stepAddr,
  type Task,
  writeStep,
} from "./step.ts";
import { WaitQueue } from "./wait.ts";

/**
 * A page of a file in memory.
 *
 * @example
 * ```ts
 * import { type CachePage, Inode, Kernel, SuperBlock } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * const fs = { name: "nofs", directIO: () => 0 };
 * const inode = new Inode(new SuperBlock(kernel, device, 12, fs), 12, 8192);
 * const page: CachePage = inode.iMapping.add(1);
 * assertEquals([page.index, page.locked, page.uptodate], [1, true, false]);
 * ```
 */
export class CachePage {
  /** Which page of the file. */
  readonly index: number;
  /** The memory. */
  readonly page: Page;
  /** The cache that it is in; null once it was dropped. */
  mapping: AddressSpace | null;
  /** Whether somebody fills, changes or drops it. */
  locked = false;
  /** Whether it holds what the file does. */
  uptodate = false;
  /** Whether its last read failed. */
  error = false;
  /** Blocks that differ from the device: bit 0 for the first of the page. */
  dirty = 0;
  /** Whether it is on its way to the device. */
  writeback = false;
  /** Who will not let it be dropped: a journal that has to commit first. */
  holders = 0;
  /** Device block of each of its blocks, -1 when that is not known. */
  readonly blocks: number[] = [];
  /** Transfers under way. */
  pending = 0;
  /** Who waits for the lock, or for the end of its writeback. */
  readonly wait: WaitQueue;
  /** The step before it is read. */
  readonly readStep: Step;
  /** The step before it is changed. */
  readonly writeStep: Step;

  /**
   * Makes a page that is locked and empty.
   *
   * @param kernel The kernel.
   * @param mapping The cache.
   * @param index Which page of the file.
   * @param page The memory.
   */
  constructor(
    kernel: Kernel,
    mapping: AddressSpace,
    index: number,
    page: Page,
  ) {
    this.index = index;
    this.page = page;
    this.mapping = mapping;
    this.locked = true;
    this.wait = new WaitQueue(
      kernel,
      `page ${index} of inode ${mapping.host.iIno} in the cache`,
    );
    this.writeStep = this.wait.step;
    this.readStep = readStep(stepAddr(this.writeStep));
    const { iBlkbits } = mapping.host;
    for (let at = 0; at < PAGE_SIZE; at += 1 << iBlkbits) this.blocks.push(-1);
  }

  /**
   * `lock_page()`: may sleep.
   *
   * @param kernel The kernel.
   */
  *lock(kernel: Kernel): Task<void> {
    kernel.mightSleep("lock_page");
    yield* this.#waitWhile(kernel, () => this.locked);
    this.locked = true;
  }

  /**
   * `unlock_page()`, in any context.
   *
   * @param kernel The kernel.
   */
  unlock(kernel: Kernel): void {
    kernel.touch(this.writeStep);
    this.locked = false;
    this.wait.wakeUp(kernel);
  }

  /**
   * `wait_on_page_writeback()`: may sleep.
   *
   * @param kernel The kernel.
   */
  *waitOnWriteback(kernel: Kernel): Task<void> {
    kernel.mightSleep("wait_on_page_writeback");
    yield* this.#waitWhile(kernel, () => this.writeback);
  }

  /**
   * `end_page_writeback()`, in any context.
   *
   * @param kernel The kernel.
   */
  endWriteback(kernel: Kernel): void {
    kernel.touch(this.writeStep);
    this.writeback = false;
    this.wait.wakeUp(kernel);
  }

  *#waitWhile(kernel: Kernel, condition: () => boolean): Task<void> {
    for (;;) {
      if (kernel.stepping) yield this.writeStep;
      if (!condition()) break;
      this.wait.prepareToWait(kernel);
      yield SCHEDULE;
    }
    this.wait.finishWait(kernel);
  }
}

/**
 * The page cache of a file: `struct address_space`.
 *
 * @example
 * ```ts
 * import { type AddressSpace, Inode, Kernel, SuperBlock } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * const fs = { name: "nofs", directIO: () => 0 };
 * const inode = new Inode(new SuperBlock(kernel, device, 12, fs), 12, 8192);
 * const mapping: AddressSpace = inode.iMapping;
 * assertEquals([mapping.host.iIno, mapping.nrpages, mapping.wbErr], [12, 0, 0]);
 * ```
 */
export class AddressSpace {
  /** The file. */
  readonly host: Inode;
  /** How many pages are in it. */
  nrpages = 0;
  /**
   * An error of a writeback that nobody has been told of, or of a direct write
   * that left stale pages behind; 0 for none.
   */
  wbErr = 0;
  /** The step before the set of pages is looked at. */
  readonly readStep: Step;
  /** The step before the set of pages is changed. */
  readonly writeStep: Step;
  readonly #kernel: Kernel;
  readonly #pages: Map<number, CachePage> = new Map();
  /** Memory of pages that were dropped. */
  readonly #spare: Page[] = [];

  /**
   * Makes an empty cache.
   *
   * @param kernel The kernel.
   * @param host The file.
   */
  constructor(kernel: Kernel, host: Inode) {
    this.#kernel = kernel;
    this.host = host;
    const addr = kernel.newAddr();
    this.readStep = readStep(addr);
    this.writeStep = writeStep(addr);
  }

  /**
   * `find_get_page()`.
   *
   * @param index Which page of the file.
   * @returns The page, or undefined when it is not in the cache.
   */
  find(index: number): CachePage | undefined {
    return this.#pages.get(index);
  }

  /**
   * Finds the first page of a range that is in the cache.
   *
   * @param first The first page of the file that counts.
   * @param last The last one.
   * @returns The page, or undefined when none is there.
   */
  next(first: number, last: number): CachePage | undefined {
    let found: CachePage | undefined;
    for (const page of this.#pages.values()) {
      const { index } = page;
      if (index < first || index > last) continue;
      if (found === undefined || index < found.index) found = page;
    }
    return found;
  }

  /**
   * `find_or_create_page()`: may sleep.
   *
   * @param index Which page of the file.
   * @returns The page, locked.
   */
  *grab(index: number): Task<CachePage> {
    const kernel = this.#kernel;
    for (;;) {
      if (kernel.stepping) yield this.writeStep;
      const cached = this.find(index);
      if (cached === undefined) return this.add(index);
      yield* cached.lock(kernel);
      if (cached.mapping === this) return cached;
      cached.unlock(kernel);
    }
  }

  /**
   * `add_to_page_cache()`.
   *
   * @param index A page of the file that is not in the cache.
   * @returns The page, locked and empty.
   * @throws {RangeError} If the kernel's memory is used up.
   */
  add(index: number): CachePage {
    const kernel = this.#kernel;
    const page = new CachePage(kernel, this, index, this.#allocPage());
    this.#pages.set(index, page);
    this.nrpages++;
    if (kernel.tracing) {
      kernel.emit(EV.mm_filemap_add_to_page_cache, this.host.iIno, index);
    }
    return page;
  }

  /**
   * `delete_from_page_cache()`.
   *
   * @param page A page of the cache, locked.
   */
  delete(page: CachePage): void {
    const kernel = this.#kernel;
    kernel.touch(this.writeStep);
    kernel.touch(page.writeStep);
    this.#pages.delete(page.index);
    this.nrpages--;
    page.mapping = null;
    page.dirty = 0;
    this.#spare.push(page.page);
    if (kernel.tracing) {
      kernel.emit(
        EV.mm_filemap_delete_from_page_cache,
        this.host.iIno,
        page.index,
      );
    }
  }

  /**
   * Takes the error that nobody has been told of.
   *
   * @returns A negative errno, or 0.
   */
  takeError(): number {
    const error = this.wbErr;
    this.wbErr = 0;
    return error;
  }

  #allocPage(): Page {
    const { memory } = this.#kernel;
    // Somebody may still copy from the memory of a page that was dropped.
    const at = this.#spare.findIndex(({ pins }) => pins === 0);
    const [spare] = at < 0 ? [] : this.#spare.splice(at, 1);
    if (spare !== undefined) {
      spare.bytes.fill(0);
      return spare;
    }
    const page = memory.pin(memory.alloc(PAGE_SIZE)) as Page;
    putPage(page);
    return page;
  }
}

/**
 * Keeping the pages of a read dirty. A page that a device has filled must be
 * dirty when it is let go of, or what it holds is lost when memory runs short.
 *
 * Marking a page takes its lock, which an interrupt must not. So the pages of
 * an asynchronous read are marked before it is submitted, and its end looks
 * whether they still are: a flusher may have written them back meanwhile. Then
 * a worker marks them again.
 *
 * Source: block/bio.c.
 *
 * @module
 */

import { bioReleasePages, bioSetPagesDirty } from "./bio_pages.ts";
import type { Bio } from "./bio.ts";
import { EV } from "./events.ts";
import type { Kernel } from "./kernel.ts";
import { SpinLock } from "./lock.ts";
import { type Page, PAGE_SIZE, putPage } from "./page.ts";
import { use } from "./slab.ts";
import { readStep, type Task, writeStep } from "./step.ts";
import { WorkItem } from "./work_item.ts";

/**
 * The dirty pages of a kernel's reads.
 *
 * @example
 * ```ts
 * import { Kernel, type Page, READ } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const { bios, bioDirty, memory } = kernel;
 * const page = memory.pin(memory.alloc(4096)) as Page;
 * const bio = bios.alloc(READ, new MemoryDevice({ sizeBytes: 4096 }), 0);
 * bio.addPage(page, 0, 4096);
 * bioDirty.bioSetPagesDirty(bio);
 * assertEquals(bioDirty.bioCheckPagesDirty(bio), null);
 * assertEquals([page.dirty, page.pins, bios.cache.inUse], [true, 0, 0]);
 * ```
 */
export class BioDirty {
  readonly #kernel: Kernel;
  readonly #work: WorkItem = new WorkItem();
  readonly #lock: SpinLock;
  /** Bios that wait for the worker, the newest first. */
  #list: Bio | null = null;

  /**
   * Makes an empty list.
   *
   * @param kernel The kernel.
   */
  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#lock = new SpinLock(kernel, "bio_dirty_lock");
    this.#work.init("bio_dirty_fn", () => this.#bioDirtyFn());
  }

  /**
   * `bio_set_pages_dirty()`: marks the pages of a bio. May sleep.
   *
   * @param bio The bio.
   */
  bioSetPagesDirty(bio: Bio): void {
    const kernel = this.#kernel;
    kernel.mightSleep("lock_page");
    this.#touch(bio, writeStep);
    bioSetPagesDirty(bio);
    if (kernel.tracing) kernel.emit(EV.bio_set_pages_dirty, bio.id);
  }

  /**
   * `bio_check_pages_dirty()`: lets go of the pages of a bio that has ended,
   * and of the bio, when the pages are still dirty; else a worker will. Owns
   * the bio from here on. Does not sleep.
   *
   * @param bio The bio.
   * @returns What is left to be run in this context, or null.
   */
  bioCheckPagesDirty(bio: Bio): Task<void> | null {
    const kernel = this.#kernel;
    this.#touch(use(bio), readStep);
    if (kernel.tracing) kernel.emit(EV.bio_check_pages_dirty, bio.id);
    let clean = 0;
    for (let i = 0; i < bio.biVcnt; i++) {
      if (!(bio.pages[i] as Page).dirty) clean++;
    }
    if (clean === 0) {
      this.#release(bio);
      return null;
    }
    if (kernel.profile.putsDirtyPagesFirst) this.#putDirtyPages(bio);
    return this.#defer(bio);
  }

  /** Lets go of the pages that are dirty, and leaves the others in the bio. */
  #putDirtyPages(bio: Bio): void {
    const kernel = this.#kernel;
    let kept = 0;
    for (let i = 0; i < bio.biVcnt; i++) {
      const page = bio.pages[i] as Page;
      if (!page.dirty) {
        bio.pages[kept++] = page;
        continue;
      }
      if (kernel.tracing) kernel.emit(EV.put_page, page.id, bio.id);
      putPage(page);
    }
    bio.biVcnt = kept;
  }

  *#defer(bio: Bio): Task<void> {
    const kernel = this.#kernel;
    yield* this.#lock.lockIrqsave(kernel);
    bio.biNext = this.#list;
    this.#list = bio;
    this.#lock.unlock(kernel);
    yield* kernel.systemWq.queueWork(this.#work);
  }

  /** `bio_dirty_fn()`: marks the pages again where that may sleep. */
  *#bioDirtyFn(): Task<void> {
    const kernel = this.#kernel;
    yield* this.#lock.lockIrqsave(kernel);
    let bio = this.#list;
    this.#list = null;
    this.#lock.unlock(kernel);
    while (bio !== null) {
      const next: Bio | null = bio.biNext;
      bio.biNext = null;
      this.bioSetPagesDirty(bio);
      this.#release(bio);
      bio = next;
    }
  }

  #release(bio: Bio): void {
    bioReleasePages(bio);
    this.#kernel.bios.put(bio);
  }

  /** Only pages that somebody else may clean are shared. */
  #touch(bio: Bio, step: (addr: number) => number): void {
    const kernel = this.#kernel;
    if (!kernel.stepping) return;
    for (let i = 0; i < bio.biVcnt; i++) {
      const { addr } = bio.pages[i] as Page;
      if (addr !== 0) kernel.touch(step(addr));
    }
  }
}

/**
 * A flusher thread that writes back a buffer once, page by page: what happens
 * to a buffer that is a mapped file. Its pages are known to be shared from the
 * call on, before the thread runs.
 *
 * @param kernel The kernel.
 * @param addr Where the buffer starts, on a page boundary.
 * @param bytes How long it is.
 * @returns The thread's code.
 *
 * @example
 * ```ts
 * import { flusher, Kernel, type Page } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const addr = kernel.memory.alloc(4096);
 * const page = kernel.memory.pin(addr) as Page;
 * page.dirty = true;
 * kernel.spawn("flusher", flusher(kernel, addr, 4096));
 * kernel.run();
 * assertEquals(page.dirty, false);
 * ```
 */
export function flusher(
  kernel: Kernel,
  addr: number,
  bytes: number,
): Task<void> {
  const pages: Page[] = [];
  for (let at = 0; at < bytes; at += PAGE_SIZE) {
    const page = kernel.memory.pin(addr + at);
    if (typeof page === "number") continue;
    putPage(page);
    page.addr = kernel.newAddr();
    pages.push(page);
  }
  return writeBack(kernel, pages);
}

function* writeBack(kernel: Kernel, pages: readonly Page[]): Task<void> {
  for (const page of pages) {
    if (kernel.stepping) yield writeStep(page.addr);
    page.dirty = false;
  }
}

/**
 * The pages of a buffer that is a mapped file: a flusher writes them back while
 * a device fills them, and what is clean is thrown away when memory runs short.
 *
 * @module
 */

import {
  type Iovec,
  type Kernel,
  type Page,
  PAGE_SIZE,
  putPage,
  type Task,
  writeStep,
} from "../core/mod.ts";

/** The pages of one buffer. */
export class MappedPages {
  readonly #kernel: Kernel;
  readonly #pages: Page[] = [];
  /** What the file holds of each page that was written back. */
  readonly #file: Map<Page, Uint8Array> = new Map();

  /**
   * @param kernel Whose memory it is.
   * @param iov The buffer; its user has just stored something into it.
   */
  constructor(kernel: Kernel, iov: readonly Iovec[]) {
    this.#kernel = kernel;
    for (const { base, len } of iov) {
      const first = base - base % PAGE_SIZE;
      for (let at = first; at < base + len; at += PAGE_SIZE) {
        const page = kernel.memory.pin(at);
        if (typeof page === "number") continue;
        putPage(page);
        page.dirty = true;
        page.addr = kernel.newAddr();
        this.#pages.push(page);
      }
    }
  }

  /** The flusher: writes every page back, once. */
  *flush(): Task<void> {
    const { stepping } = this.#kernel;
    for (const page of this.#pages) {
      if (stepping) yield writeStep(page.addr);
      this.#file.set(page, page.bytes.slice());
      page.dirty = false;
    }
  }

  /**
   * Memory runs short: pages that are clean are thrown away, unless somebody
   * has pinned them, and read from the file when they are looked at.
   *
   * @returns How many there were.
   */
  reclaim(): number {
    let reclaimed = 0;
    for (const page of this.#pages) {
      this.#kernel.touch(writeStep(page.addr));
      const content = this.#file.get(page);
      if (page.dirty || page.pins > 0 || content === undefined) continue;
      page.bytes.set(content);
      reclaimed++;
    }
    return reclaimed;
  }
}

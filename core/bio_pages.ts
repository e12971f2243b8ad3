/**
 * What is done to all pages of a bio.
 *
 * Source: block/bio.c.
 *
 * @module
 */

import type { Bio } from "./bio.ts";
import { EV } from "./events.ts";
import { type Page, putPage } from "./page.ts";

/**
 * Releases every page of a bio.
 *
 * @param bio The bio.
 * @throws {KernelBug} If a page is not pinned.
 *
 * @example
 * ```ts
 * import { Bio, bioReleasePages, type Page, UserMemory, WRITE } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const memory = new UserMemory(4096);
 * const page = memory.pin(memory.alloc(4096)) as Page;
 * const bio = new Bio();
 * bio.init(WRITE, 0);
 * bio.addPage(page, 0, 4096);
 * bioReleasePages(bio);
 * assertEquals(page.pins, 0);
 * ```
 */
export function bioReleasePages(bio: Bio): void {
  // A bio that no kernel has made leaves no trace.
  if (bio.kernel?.tracing) tracePutPages(bio);
  for (let i = 0; i < bio.biVcnt; i++) putPage(bio.pages[i] as Page);
}

function tracePutPages({ kernel, id, biVcnt, pages }: Bio): void {
  for (let i = 0; i < biVcnt; i++) {
    kernel.emit(EV.put_page, (pages[i] as Page).id, id);
  }
}

/**
 * Marks every page of a bio as dirty.
 *
 * @param bio The bio.
 *
 * @example
 * ```ts
 * import { Bio, bioSetPagesDirty, type Page, READ, UserMemory } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const memory = new UserMemory(4096);
 * const page = memory.pin(memory.alloc(4096)) as Page;
 * const bio = new Bio();
 * bio.init(READ, 0);
 * bio.addPage(page, 0, 4096);
 * bioSetPagesDirty(bio);
 * assertEquals(page.dirty, true);
 * ```
 */
export function bioSetPagesDirty(bio: Bio): void {
  for (let i = 0; i < bio.biVcnt; i++) (bio.pages[i] as Page).dirty = true;
}

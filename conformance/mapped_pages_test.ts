import { assertEquals } from "@std/assert";
import { Kernel, PAGE_SIZE, putPage } from "../core/mod.ts";
import { MappedPages } from "./mapped_pages.ts";

/** Three pages that were mapped with a 1 in each byte, written back or not. */
function mapped(isFlushed: boolean) {
  const kernel = new Kernel();
  const base = kernel.memory.alloc(3 * PAGE_SIZE);
  const bytes = kernel.memory.bytes(base, 3 * PAGE_SIZE).fill(1);
  const pages = new MappedPages(kernel, [{ base, len: 3 * PAGE_SIZE }]);
  if (isFlushed) {
    kernel.spawn("flusher", pages.flush());
    const { bug, hung } = kernel.run();
    assertEquals([bug, hung], [null, null]);
  }
  return { kernel, base, bytes, pages };
}

/** The first byte of each page. */
function firsts(bytes: Uint8Array): (number | undefined)[] {
  return [0, 1, 2].map((page) => bytes[page * PAGE_SIZE]);
}

Deno.test("MappedPages.reclaim() throws a clean page away with what a device stored in it", () => {
  const { kernel, base, bytes, pages } = mapped(true);
  bytes.fill(2);
  const dirty = kernel.memory.pin(base + PAGE_SIZE);
  if (typeof dirty === "number") throw new Error(`pin() gave ${dirty}`);
  dirty.dirty = true;
  putPage(dirty);
  assertEquals(pages.reclaim(), 2);
  assertEquals(firsts(bytes), [1, 2, 1]);
});

Deno.test("MappedPages.reclaim() leaves a page that somebody has pinned", () => {
  const { kernel, base, bytes, pages } = mapped(true);
  bytes.fill(2);
  kernel.memory.pin(base);
  assertEquals(pages.reclaim(), 2);
  assertEquals(firsts(bytes), [2, 1, 1]);
});

Deno.test("MappedPages.reclaim() leaves pages that were never written back", () => {
  const { bytes, pages } = mapped(false);
  bytes.fill(2);
  assertEquals(pages.reclaim(), 0);
  assertEquals(firsts(bytes), [2, 2, 2]);
});

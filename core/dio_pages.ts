/**
 * The page array of a direct I/O: which pages of the user's buffer are pinned,
 * and how the submission walks over them.
 *
 * Source: fs/direct-io.c.
 *
 * @module
 */

import { WRITE } from "./bio.ts";
import { KernelBug } from "./bug.ts";
import type { Dio } from "./dio.ts";
import { DioAwait } from "./dio_await.ts";
import { EV } from "./events.ts";
import { type Page, PAGE_SIZE, putPage } from "./page.ts";

/** How many pages are pinned in one go. */
export const DIO_PAGES: number = 64;

/**
 * The part of fs/direct-io.c that pins pages.
 *
 * @example
 * ```ts
 * import { runScenario, scenarioById } from "@endio/dio/conformance";
 * import { type Dio, DirectIo } from "@endio/dio/core";
 * import { MODELS } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const seen: number[] = [];
 * class Watched extends DirectIo {
 *   override dioRefillPages(dio: Dio) {
 *     const error = super.dioRefillPages(dio);
 *     seen.push(dio.sdio.tail);
 *     return error;
 *   }
 * }
 * runScenario(MODELS[0]!, scenarioById("aio-write-many"), {
 *   directIo: (kernel) => new Watched(kernel),
 * });
 * assertEquals(seen, [3]);
 * ```
 */
export class DioPages extends DioAwait {
  /**
   * `dio_refill_pages()`: pins the next pages of the user's buffer, as far as
   * the piece goes that the buffer is at. A write that cannot goes on with the
   * zero page as long as blocks are mapped, so that new blocks never show what
   * they held before.
   *
   * @param dio The request; its page array is used up.
   * @returns 0, or the error of the first page.
   */
  dioRefillPages(dio: Dio): number {
    const { sdio, iter } = dio;
    if (dio.overlay !== "pages") throwOverlaid(dio);
    const { memory } = this.kernel;
    const begin = iter.address;
    const end = begin + Math.min(iter.contiguous, iter.count);
    const from = begin & (PAGE_SIZE - 1);
    let next = begin - from;
    let tail = 0;
    for (; next < end && tail < DIO_PAGES; next += PAGE_SIZE) {
      const page = memory.pin(next);
      if (typeof page === "number") {
        if (tail === 0) return this.dioPadPage(dio, page);
        break;
      }
      sdio.pages[tail++] = page;
    }
    const behind = Math.min(next, end);
    iter.advance(behind - begin);
    sdio.head = 0;
    sdio.tail = tail;
    sdio.from = from;
    sdio.to = PAGE_SIZE + behind - next;
    return 0;
  }

  /**
   * What a page that cannot be pinned leads to: the zero page in its place, or
   * the end of the submission.
   *
   * @param dio The request.
   * @param error The error of the page.
   * @returns 0, or the error.
   */
  dioPadPage(dio: Dio, error: number): number {
    const { kernel } = this;
    const { sdio } = dio;
    if (dio.rw !== WRITE || sdio.available === 0) {
      if (kernel.tracing) kernel.emit(EV.dio_refill_pages, dio.id, error);
      return error;
    }
    if (dio.pageErrors === 0) {
      dio.pageErrors = error;
      if (kernel.tracing) kernel.emit(EV.dio_page_error, dio.id, error);
    }
    sdio.pages[0] = kernel.memory.pinZeroPage();
    sdio.head = 0;
    sdio.tail = 1;
    sdio.from = 0;
    sdio.to = PAGE_SIZE;
    return 0;
  }

  /**
   * `dio_cleanup()`: lets go of the pages that are pinned and not used up.
   *
   * @param dio The request.
   */
  dioCleanup(dio: Dio): void {
    const { kernel } = this;
    const { sdio } = dio;
    if (dio.overlay !== "pages") throwOverlaid(dio);
    while (sdio.head < sdio.tail) {
      const page = sdio.pages[sdio.head++] as Page;
      if (kernel.tracing) kernel.emit(EV.put_page, page.id, NaN, dio.id);
      putPage(page);
    }
  }
}

function throwOverlaid({ id }: Dio): never {
  throw new KernelBug(
    "no-use-after-release/page-array",
    `dio ${id}`,
    `dio ${id} uses its page array, where the work item of its completion is now`,
  );
}

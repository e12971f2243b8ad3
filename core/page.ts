/**
 * User memory: pages, and how they are pinned for direct I/O.
 *
 * @module
 */

import { KernelBug } from "./bug.ts";
import { EFAULT } from "./errno.ts";

/** Bytes in a page. */
export const PAGE_SIZE: number = 4096;
/** Its binary logarithm. */
export const PAGE_SHIFT: number = 12;

/** Where ordinary user memory starts: an address that is not 0. */
const MEMORY_BASE = 0x10000;

/**
 * One page of memory.
 *
 * @example
 * ```ts
 * import { UserMemory } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const memory = new UserMemory(8192);
 * const page = memory.pin(memory.alloc(4096));
 * assertEquals(typeof page === "object" && page.pins, 1);
 * ```
 */
export class Page {
  /** Its number, for reports. */
  readonly id: number;
  /** Its content, {@linkcode PAGE_SIZE} bytes. */
  readonly bytes: Uint8Array;
  /** Its real address for a device that transfers by itself, else 0. */
  readonly address: number;
  /** How many times it is pinned. */
  pins = 0;
  /** Whether it must be written back before it is reused. */
  dirty = false;
  /** Step address of `dirty`, when a flusher may clean it; else 0. */
  addr = 0;

  /**
   * Makes a page over existing bytes.
   *
   * @param id Its number.
   * @param bytes Its content.
   * @param address Its real address, or 0.
   */
  constructor(id: number, bytes: Uint8Array, address: number) {
    this.id = id;
    this.bytes = bytes;
    this.address = address;
  }
}

/** Memory that a real device can transfer to and from by itself. */
export interface AlignedBytes {
  /**
   * The bytes: whole pages, the first one on a page boundary. The last page
   * becomes the page of zeros, which the device has to reach like any other.
   */
  readonly bytes: Uint8Array;
  /** The real address of the first byte. */
  readonly address: number;
}

/**
 * The memory of the user's process: where buffers are allocated, and from
 * where direct I/O pins pages (`get_user_pages()`).
 *
 * @example
 * ```ts
 * import { UserMemory } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const memory = new UserMemory(1 << 16);
 * const addr = memory.alloc(4096);
 * memory.bytes(addr, 4).set([1, 2, 3, 4]);
 * assertEquals([...memory.bytes(addr, 2)], [1, 2]);
 * ```
 */
export class UserMemory {
  readonly #all: Uint8Array;
  readonly #real: number;
  readonly #pages: (Page | undefined)[];
  #used = 0;
  readonly #zeroPage: Page;
  #unmapped: Set<number> | null = null;

  /**
   * Makes a process's memory.
   *
   * @param memory How many bytes of ordinary memory, rounded up to pages; or
   * memory that a real device can reach, whose last page becomes the page of
   * zeros.
   * @throws {RangeError} If the memory given is not whole pages.
   */
  constructor(memory: number | AlignedBytes) {
    if (typeof memory === "number") {
      const pages = Math.ceil(memory / PAGE_SIZE);
      this.#all = new Uint8Array(pages * PAGE_SIZE);
      this.#real = 0;
      this.#zeroPage = new Page(-1, new Uint8Array(PAGE_SIZE), 0);
    } else {
      const { bytes, address } = memory;
      const zeros = bytes.length - PAGE_SIZE;
      if (zeros < 0 || zeros % PAGE_SIZE !== 0) {
        throw new RangeError(
          `Cannot make user memory: ${bytes.length} bytes are not whole pages, of which the last one holds zeros`,
        );
      }
      this.#all = bytes.subarray(0, zeros);
      this.#real = address;
      this.#zeroPage = new Page(
        -1,
        bytes.subarray(zeros).fill(0),
        address === 0 ? 0 : address + zeros,
      );
    }
    this.#pages = new Array(this.#all.length >> PAGE_SHIFT);
  }

  /**
   * Allocates a buffer on a page boundary. There is no free: a process lives
   * as long as its run.
   *
   * @param bytes How long.
   * @param pageOffset How far behind the page boundary it starts.
   * @returns Its address.
   * @throws {RangeError} If the memory is used up.
   */
  alloc(bytes: number, pageOffset: number = 0): number {
    const start = this.#used + pageOffset;
    const end = Math.ceil((start + bytes) / PAGE_SIZE) * PAGE_SIZE;
    if (end > this.#all.length) {
      throw new RangeError(
        `Cannot allocate ${bytes} bytes of user memory: ${
          this.#all.length - this.#used
        } of ${this.#all.length} are left; give the kernel a larger memory`,
      );
    }
    this.#used = end;
    return MEMORY_BASE + start;
  }

  /**
   * Makes it as good as new, for another run: nothing is allocated, and what
   * was has zeros again.
   */
  reset(): void {
    this.#all.fill(0, 0, this.#used);
    for (let i = 0; i < this.#used >> PAGE_SHIFT; i++) {
      const page = this.#pages[i];
      if (page === undefined) continue;
      page.pins = 0;
      page.dirty = false;
      page.addr = 0;
    }
    this.#zeroPage.pins = 0;
    this.#used = 0;
    this.#unmapped = null;
  }

  /**
   * The content of a buffer.
   *
   * @param addr Its address.
   * @param length How many bytes.
   * @returns A view; writing to it writes the buffer.
   */
  bytes(addr: number, length: number): Uint8Array {
    const start = addr - MEMORY_BASE;
    return this.#all.subarray(start, start + length);
  }

  /**
   * Makes pages unreachable, so that pinning them fails with `-EFAULT`.
   *
   * @param addr An address in the first of them.
   * @param length How many bytes.
   */
  unmap(addr: number, length: number): void {
    this.#unmapped ??= new Set();
    const last = (addr + length - 1 - MEMORY_BASE) >> PAGE_SHIFT;
    for (let i = (addr - MEMORY_BASE) >> PAGE_SHIFT; i <= last; i++) {
      this.#unmapped.add(i);
    }
  }

  /**
   * Pins the page that holds an address (`get_user_pages()`).
   *
   * @param addr The address.
   * @returns The page, one pin more on it; or `-EFAULT`.
   */
  pin(addr: number): Page | number {
    const index = (addr - MEMORY_BASE) >> PAGE_SHIFT;
    if (
      index < 0 || index >= this.#pages.length ||
      (this.#unmapped !== null && this.#unmapped.has(index))
    ) return -EFAULT;
    const page = this.#pages[index] ??= this.#makePage(index);
    page.pins++;
    return page;
  }

  /**
   * Pins the shared page of zeros.
   *
   * @returns The page, one pin more on it.
   */
  pinZeroPage(): Page {
    this.#zeroPage.pins++;
    return this.#zeroPage;
  }

  /** The name of the pins in a leak report. */
  get name(): string {
    return "page pin";
  }

  /**
   * The pages that are still pinned, for the leak report.
   *
   * @returns Their numbers.
   */
  liveIds(): number[] {
    const ids: number[] = [];
    for (let i = 0; i < this.#used >> PAGE_SHIFT; i++) {
      const page = this.#pages[i];
      if (page !== undefined && page.pins > 0) ids.push(page.id);
    }
    if (this.#zeroPage.pins > 0) ids.push(this.#zeroPage.id);
    return ids;
  }

  #makePage(index: number): Page {
    const start = index * PAGE_SIZE;
    return new Page(
      index,
      this.#all.subarray(start, start + PAGE_SIZE),
      this.#real === 0 ? 0 : this.#real + start,
    );
  }
}

/**
 * Drops one pin of a page (`put_page()`).
 *
 * @param page The page.
 * @throws {KernelBug} If it is not pinned.
 *
 * @example
 * ```ts
 * import { Page, putPage, UserMemory } from "@endio/dio/core";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const memory = new UserMemory(4096);
 * const page = memory.pin(memory.alloc(4096)) as Page;
 * putPage(page);
 * assertEquals(page.pins, 0);
 * assertThrows(() => putPage(page), Error, "not pinned");
 * ```
 */
export function putPage(page: Page): void {
  if (page.pins <= 0) {
    throw new KernelBug(
      "released-once/page-pin",
      `page ${page.id}`,
      `page ${page.id} is released but not pinned`,
    );
  }
  page.pins--;
}

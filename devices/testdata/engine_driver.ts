/**
 * Drives an engine in tests.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { DirectFileEngine } from "../direct_file_engine.ts";
import type { DirectFileOp } from "../engine.ts";

const PAGE = 4096;

/** A tag, and the result that came with it. */
export type TagResult = readonly [tag: number, result: number];

/** Makes requests of one piece with tags of their own. */
export class EngineDriver {
  readonly #engine: DirectFileEngine;
  #tag = 0;

  /** @param engine The engine. */
  constructor(engine: DirectFileEngine) {
    this.#engine = engine;
  }

  /** Prepares a request; gives its tag. */
  prepare(
    op: DirectFileOp,
    offset: number,
    address: number,
    length: number,
  ): number {
    const tag = this.#tag++;
    assertEquals(this.#engine.prepare(op, offset, tag), 0);
    this.#engine.pushSegment(address, length);
    return tag;
  }

  /** Submits what is prepared and waits for all, in the order of the tags. */
  complete(): TagResult[] {
    const engine = this.#engine;
    const found: TagResult[] = [];
    while (engine.prepared + engine.inFlight > 0) {
      const count = engine.submitAndReap(1);
      assertEquals(count > 0, true, `submitAndReap() gave ${count}`);
      for (let i = 0; i < count; i++) {
        found.push([engine.resultTags[i]!, engine.results[i]!]);
      }
    }
    return found.sort(([a], [b]) => a - b);
  }

  /**
   * Writes pages in requests of 1 to 5 of them, scattered in memory, as many
   * at once as there is room for; reads them back in others, and compares.
   */
  roundTrip(pages: number): void {
    const engine = this.#engine;
    const memory = engine.allocate(2 * pages * PAGE);
    // The second halves lie between, so that nothing touches.
    const pageAt = (page: number) => memory.address + 2 * page * PAGE;
    const bytesOf = (page: number) =>
      memory.bytes.subarray(2 * page * PAGE, (2 * page + 1) * PAGE);
    for (let page = 0; page < pages; page++) {
      bytesOf(page).fill(page % 251 + 1);
    }
    this.#transfer("write", pages, 5, pageAt);
    for (let page = 0; page < pages; page++) bytesOf(page).fill(0);
    this.#transfer("read", pages, 3, pageAt);
    for (let page = 0; page < pages; page++) {
      const expected = new Uint8Array(PAGE).fill(page % 251 + 1);
      assertEquals(bytesOf(page), expected, `page ${page}`);
    }
  }

  #transfer(
    op: "read" | "write",
    pages: number,
    most: number,
    pageAt: (page: number) => number,
  ): void {
    const engine = this.#engine;
    for (let page = 0, many = 1; page < pages; many = many % most + 1) {
      const count = Math.min(many, pages - page);
      if (engine.prepare(op, page * PAGE, count * PAGE) !== 0) {
        this.#expectWhole();
        continue;
      }
      for (const end = page + count; page < end; page++) {
        engine.pushSegment(pageAt(page), PAGE);
      }
    }
    this.#expectWhole();
  }

  /** Completes requests whose tags are their lengths. */
  #expectWhole(): void {
    for (const [length, result] of this.complete()) {
      assertEquals(result, length);
    }
  }
}

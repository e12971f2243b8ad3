/**
 * From a request to pieces of pages that lie somewhere on the device: the
 * mapping loop.
 *
 * Source: fs/direct-io.c.
 *
 * @module
 */

import { READ, WRITE } from "./bio.ts";
import type { Dio } from "./dio.ts";
import { DIO_SKIP_HOLES } from "./dio_flags.ts";
import { DioSections } from "./dio_section.ts";
import { ENOTBLK } from "./errno.ts";
import { EV } from "./events.ts";
import { type Page, PAGE_SIZE, putPage } from "./page.ts";
import type { MaybeTask, Task } from "./step.ts";

/** Not an errno: a read has walked to the end of the file. */
export const END_OF_FILE: number = 1;

/**
 * The part of fs/direct-io.c that maps.
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
 *   override getMoreBlocks(dio: Dio) {
 *     seen.push(dio.sdio.position);
 *     return super.getMoreBlocks(dio);
 *   }
 * }
 * runScenario(MODELS[0]!, scenarioById("aio-write-many"), {
 *   directIo: (kernel) => new Watched(kernel),
 * });
 * assertEquals(seen, [0, 4096, 8192]);
 * ```
 */
export class DioMapping extends DioSections {
  /**
   * `do_direct_IO()`: maps the request piece by piece, and submits bios on
   * the way.
   *
   * @param dio The request.
   * @returns 0, or what stopped it; see {@linkcode dioNextPiece}.
   */
  dioMap(dio: Dio): MaybeTask<number> {
    const { sdio } = dio;
    while (sdio.position < sdio.segmentEnd || this.dioHasMore(dio)) {
      const piece = this.dioNextPiece(dio);
      if (piece === 0) continue;
      return typeof piece === "number" ? piece : this.#dioMapLater(dio, piece);
    }
    return 0;
  }

  *#dioMapLater(dio: Dio, first: Task<number>): Task<number> {
    let ret = yield* first;
    while (ret === 0 && this.dioHasMore(dio)) {
      const piece = this.dioNextPiece(dio);
      ret = typeof piece === "number" ? piece : yield* piece;
    }
    return ret;
  }

  /**
   * Whether something is left to be mapped. Goes on to the next piece of the
   * buffer where they are mapped one at a time.
   *
   * @param dio The request.
   * @returns False at the end of the request.
   */
  dioHasMore({ sdio, iter }: Dio): boolean {
    const { position, segmentEnd, end } = sdio;
    if (position < segmentEnd) return true;
    if (position >= end) return false;
    // Of a piece that has faulted, a part was never walked over.
    iter.advance(iter.count - (end - segmentEnd));
    sdio.segmentEnd = Math.min(segmentEnd + iter.contiguous, end);
    return true;
  }

  /**
   * One turn of the loop: the next piece of the request that lies in one page
   * and one mapping.
   *
   * @param dio The request.
   * @returns 0, or what stops the submission: a negative errno, or the mark
   * that a read is at the end of the file.
   */
  dioNextPiece(dio: Dio): MaybeTask<number> {
    const { sdio } = dio;
    const { mapBh: bh } = sdio;
    if (sdio.head === sdio.tail) {
      const error = this.dioRefillPages(dio);
      if (error !== 0) return error;
    }
    if (sdio.available === 0) {
      // Walks over a hole as well.
      const more = this.getMoreBlocks(dio);
      if (more !== 0 || !bh.mapped) return more;
    }
    if (sdio.iBlkbits !== sdio.blkbits && !sdio.startZeroDone) {
      const zeroed = this.dioZeroBlock(dio, false);
      if (zeroed !== 0) return zeroed;
    }
    const { available, from, segmentEnd, position } = sdio;
    const bytes = Math.min(
      available,
      sdio.pageEnd - from,
      segmentEnd - position,
    );
    if (bytes === available) sdio.boundary = bh.boundary;
    const page = sdio.pages[sdio.head] as Page;
    const sent = this.submitPageSection(dio, page, from, bytes);
    if (typeof sent !== "number") return this.#pieceLater(dio, bytes, sent);
    if (sent === 0) this.dioAdvance(dio, bytes);
    return sent;
  }

  *#pieceLater(
    dio: Dio,
    bytes: number,
    sending: Task<number>,
  ): Task<number> {
    const sent = yield* sending;
    if (sent === 0) this.dioAdvance(dio, bytes);
    return sent;
  }

  /**
   * Moves all cursors behind a piece.
   *
   * @param dio The request.
   * @param bytes Length of the piece.
   */
  dioAdvance(dio: Dio, bytes: number): void {
    const { sdio } = dio;
    dio.result += bytes;
    sdio.position += bytes;
    sdio.available -= bytes;
    sdio.devicePosition += bytes;
    const { head } = sdio;
    const from = sdio.from + bytes;
    sdio.from = from;
    const pageEnd = head === sdio.tail - 1 ? sdio.to : PAGE_SIZE;
    if (from !== pageEnd && sdio.position !== sdio.segmentEnd) return;
    // The page is used up.
    putPage(sdio.pages[head] as Page);
    sdio.head = head + 1;
    sdio.from = 0;
  }

  /**
   * `get_more_blocks()`: asks the filesystem where the next part of the file
   * lies. If it lies nowhere, deals with the hole.
   *
   * @param dio The request.
   * @returns 0, or what stops the submission.
   */
  getMoreBlocks(dio: Dio): MaybeTask<number> {
    if (dio.pageErrors !== 0) return dio.pageErrors;
    if (this.kernel.stepping) return this.#getMoreBlocksStepping(dio);
    const create = this.dioMayCreate(dio);
    const mapped = this.#map(dio, create);
    return typeof mapped === "number"
      ? this.#mapped(dio, create, mapped)
      : this.#mappedLater(dio, create, mapped);
  }

  *#getMoreBlocksStepping(dio: Dio): Task<number> {
    if (dio.rw === WRITE && (dio.flags & DIO_SKIP_HOLES) !== 0) {
      yield dio.inode.sizeStep;
    }
    const create = this.dioMayCreate(dio);
    const mapping = this.#map(dio, create);
    const ret = typeof mapping === "number" ? mapping : yield* mapping;
    if (dio.rw === READ && !dio.sdio.mapBh.mapped) yield dio.inode.sizeStep;
    const next = this.#mapped(dio, create, ret);
    return typeof next === "number" ? next : yield* next;
  }

  *#mappedLater(
    dio: Dio,
    create: boolean,
    mapping: Task<number>,
  ): Task<number> {
    const next = this.#mapped(dio, create, yield* mapping);
    return typeof next === "number" ? next : yield* next;
  }

  /** Calls the mapping function; its buffer's private pointer is kept. */
  #map(dio: Dio, create: boolean): MaybeTask<number> {
    const { sdio } = dio;
    const { mapBh: bh } = sdio;
    const size = 1 << sdio.iBlkbits;
    const start = sdio.position - (sdio.position & (size - 1));
    const block = start / size;
    sdio.block = block;
    sdio.wanted = roundUp(sdio.segmentEnd, size) - start;
    bh.bState = 0;
    bh.bSize = sdio.wanted;
    return dio.ops.getBlock(dio.inode, block, bh, create);
  }

  /** What follows a mapping call. */
  #mapped(dio: Dio, create: boolean, ret: number): MaybeTask<number> {
    const { sdio } = dio;
    const { mapBh: bh } = sdio;
    if (this.kernel.tracing) this.#traceGetBlock(dio, create, ret);
    dio.private = bh.bPrivate;
    if (ret !== 0) return ret;
    if (!bh.mapped) {
      return bh.deferCompletion ? this.#holeLater(dio) : this.dioHole(dio);
    }
    return bh.deferCompletion ? this.#deferLater(dio) : this.#take(dio);
  }

  *#deferLater(dio: Dio): Task<number> {
    const error = yield* this.dioSetDeferCompletion(dio);
    // A mapping that is not used is not zeroed in part either.
    if (error !== 0) dio.sdio.mapBh.bState = 0;
    return error === 0 ? this.#take(dio) : error;
  }

  /** Goes to where a mapping lies. */
  #take(dio: Dio): number {
    const { sdio } = dio;
    const { mapBh: bh } = sdio;
    const size = 1 << sdio.iBlkbits;
    const skipped = sdio.position & (size - 1);
    sdio.available = bh.bSize - skipped;
    if (sdio.available <= 0) throwUnmapped(dio);
    sdio.devicePosition = bh.bBlocknr * size;
    // The start of a new block has to be written too: with zeros.
    if (!bh.isNew) sdio.devicePosition += skipped;
    return 0;
  }

  *#holeLater(dio: Dio): Task<number> {
    const error = yield* this.dioSetDeferCompletion(dio);
    return error === 0 ? this.dioHole(dio) : error;
  }

  /**
   * Whether the mapping function may allocate blocks: for a write, but with
   * {@linkcode DIO_SKIP_HOLES} only behind the end of the file, where nobody
   * looks before the size grows.
   *
   * @param dio The request.
   * @returns The `create` of the mapping call.
   */
  dioMayCreate(dio: Dio): boolean {
    if (dio.rw === READ) return false;
    if ((dio.flags & DIO_SKIP_HOLES) === 0) return true;
    const { inode: { iSize }, sdio } = dio;
    if (this.kernel.profile.holesInUsedBlocks) {
      const used = 1 << sdio.blkbits;
      return sdio.position >= iSize - (iSize & (used - 1));
    }
    return sdio.position >= roundUp(iSize, 1 << sdio.iBlkbits);
  }

  /**
   * A hole: a write stops before it, a read gets zeros up to the end of the
   * file. It is walked over one block at a time, each with a mapping call of
   * its own.
   *
   * @param dio The request.
   * @returns 0, `-ENOTBLK`, or the mark that a read is at the end.
   */
  dioHole(dio: Dio): number {
    const { sdio, inode: { iSize } } = dio;
    if (dio.rw === WRITE) return -ENOTBLK;
    const bytes = 1 << sdio.blkbits;
    if (sdio.position >= roundUp(iSize, bytes)) return END_OF_FILE;
    const page = sdio.pages[sdio.head] as Page;
    page.bytes.fill(0, sdio.from, sdio.from + bytes);
    this.dioAdvance(dio, bytes);
    sdio.available = 0;
    return 0;
  }

  /**
   * `dio_zero_block()`: a block of the filesystem that was just allocated and
   * is written in part only gets zeros in the rest of it.
   *
   * @param dio The request, made of smaller blocks than the filesystem.
   * @param end Whether it is about the end of the request, not its start.
   * @returns 0, or a task that comes to 0: what it stumbles over is found
   * again by what follows.
   */
  dioZeroBlock(dio: Dio, end: boolean): MaybeTask<number> {
    const { sdio } = dio;
    sdio.startZeroDone = true;
    const size = 1 << sdio.iBlkbits;
    const before = sdio.position & (size - 1);
    if (!sdio.mapBh.isNew || before === 0) return 0;
    const bytes = end ? size - before : before;
    const page = this.kernel.memory.pinZeroPage();
    const sent = this.submitPageSection(dio, page, 0, bytes);
    if (typeof sent !== "number") {
      return this.#zeroLater(dio, page, bytes, sent);
    }
    if (sent === 0) sdio.devicePosition += bytes;
    putPage(page);
    return 0;
  }

  *#zeroLater(
    dio: Dio,
    page: Page,
    bytes: number,
    sending: Task<number>,
  ): Task<number> {
    if ((yield* sending) === 0) dio.sdio.devicePosition += bytes;
    putPage(page);
    return 0;
  }

  #traceGetBlock(
    { id, inode, sdio }: Dio,
    create: boolean,
    ret: number,
  ): void {
    this.kernel.emit(
      EV.get_block,
      id,
      inode.iIno,
      sdio.block,
      sdio.wanted >> sdio.iBlkbits,
      Number(create),
      ret,
      sdio.mapBh.bState,
    );
  }
}

/** The next multiple of a power of two; positions may have more than 32 bits. */
function roundUp(position: number, size: number): number {
  const rest = position & (size - 1);
  return rest === 0 ? position : position + size - rest;
}

function throwUnmapped({ sdio }: Dio): never {
  throw new RangeError(
    `Cannot map byte ${sdio.position} of the file: getBlock answered block ${sdio.block} with ${sdio.mapBh.bSize} mapped bytes, which end before it`,
  );
}

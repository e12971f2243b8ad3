/**
 * From a request to bios: mapping it piece by piece, and putting what lies
 * together into one bio.
 *
 * Source: fs/direct-io.c.
 *
 * @module
 */

import { type Bio, bioSetPagesDirty, READ, submitBio, WRITE } from "./bio.ts";
import { KernelBug } from "./bug.ts";
import type { Dio } from "./dio.ts";
import { DioAwait } from "./dio_await.ts";
import { ENOTBLK } from "./errno.ts";
import { EV } from "./events.ts";
import { type Page, PAGE_SIZE, putPage } from "./page.ts";
import type { MaybeTask, Task } from "./step.ts";

/** Holes inside the file are not filled: the write falls back to buffered. */
export const DIO_SKIP_HOLES: number = 2;
/** Not an errno: a read has walked to the end of the file. */
export const END_OF_FILE: number = 1;

const endAio = (bio: Bio): Task<unknown> =>
  bio.kernel.directIo.dioBioEndAio(bio);
const endIo = (bio: Bio): Task<void> => bio.kernel.directIo.dioBioEndIo(bio);

/**
 * The part of fs/direct-io.c that maps and submits.
 *
 * @example
 * ```ts
 * import { DioMapping, Kernel } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new Kernel().directIo instanceof DioMapping, true);
 * ```
 */
export class DioMapping extends DioAwait {
  /**
   * `do_direct_IO()`: maps the request piece by piece, and submits bios on
   * the way.
   *
   * @param dio The request.
   * @returns 0, or what stopped it; see {@linkcode dioNextPiece}.
   */
  dioMap(dio: Dio): MaybeTask<number> {
    const { sdio } = dio;
    let ret = 0;
    while (ret === 0 && sdio.position < sdio.end) {
      const piece = this.dioNextPiece(dio);
      if (typeof piece !== "number") return this.#dioMapLater(dio, piece);
      ret = piece;
    }
    return ret;
  }

  *#dioMapLater(dio: Dio, first: Task<number>): Task<number> {
    const { sdio } = dio;
    let ret = yield* first;
    while (ret === 0 && sdio.position < sdio.end) {
      const piece = this.dioNextPiece(dio);
      ret = typeof piece === "number" ? piece : yield* piece;
    }
    return ret;
  }

  /**
   * One turn of `do_direct_IO()`: the next piece of the request that lies in
   * one page and one mapping.
   *
   * @param dio The request.
   * @returns 0, or what stops the submission: a negative errno, or the mark
   * that a read is at the end of the file.
   */
  dioNextPiece(dio: Dio): MaybeTask<number> {
    const { sdio, iter } = dio;
    const page = this.dioGetPage(dio, iter.address);
    if (typeof page === "number") return page;
    if (sdio.available === 0) {
      const more = this.getMoreBlocks(dio);
      if (more !== 0) {
        // Either an error, or a mapping that takes its time: the page is
        // pinned again in the next turn.
        putPage(page);
        return more;
      }
    }
    const offset = iter.address & (PAGE_SIZE - 1);
    const bytes = Math.min(sdio.available, PAGE_SIZE - offset, iter.contiguous);
    if (!dio.mapBh.mapped) return this.dioHole(dio, page, offset, bytes);
    if (!this.dioFits(dio)) return this.dioNextBio(dio, page, offset, bytes);
    this.dioAddPage(dio, page, offset, bytes);
    return 0;
  }

  /**
   * `dio_get_page()`: pins the next page of the user's buffer. A write that
   * cannot goes on with the zero page as long as blocks are mapped, so that
   * new blocks never show what they held before.
   *
   * @param dio The request.
   * @param address An address in the page.
   * @returns The page, pinned, or a negative errno.
   */
  dioGetPage(dio: Dio, address: number): Page | number {
    const { kernel } = this;
    if (dio.overlay !== "pages") {
      throw new KernelBug(
        "no-use-after-release/page-array",
        `dio ${dio.id}`,
        `dio ${dio.id} pins a page into its page array, where the work item of its completion is now`,
      );
    }
    const page = kernel.memory.pin(address);
    if (typeof page === "object") return page;
    if (dio.rw !== WRITE || dio.sdio.available === 0) return page;
    if (dio.pageErrors === 0) {
      dio.pageErrors = page;
      if (kernel.tracing) kernel.emit(EV.dio_page_error, dio.id, page);
    }
    return kernel.memory.pinZeroPage();
  }

  /**
   * A hole: a write stops before it, a read gets zeros up to the end of the
   * file.
   *
   * @param dio The request.
   * @param page The page, pinned; released here.
   * @param offset Where in the page the piece starts.
   * @param bytes Its length.
   * @returns 0, `-ENOTBLK`, or the mark that a read is at the end.
   */
  dioHole(dio: Dio, page: Page, offset: number, bytes: number): number {
    const block = 1 << dio.inode.iBlkbits;
    const fileEnd = Math.ceil(dio.iSize / block) * block;
    let ret = 0;
    if (dio.rw === WRITE) ret = -ENOTBLK;
    else if (dio.sdio.position >= fileEnd) ret = END_OF_FILE;
    else page.bytes.fill(0, offset, offset + bytes);
    putPage(page);
    if (ret === 0) this.dioAdvance(dio, bytes);
    return ret;
  }

  /**
   * `get_more_blocks()`: asks the filesystem where the next part of the file
   * lies.
   *
   * @param dio The request.
   * @returns 0 or a negative errno.
   */
  getMoreBlocks(dio: Dio): MaybeTask<number> {
    const { sdio, inode, ops, mapBh: bh } = dio;
    if (dio.pageErrors !== 0) return dio.pageErrors;
    const size = 1 << inode.iBlkbits;
    const block = Math.floor(sdio.position / size);
    const inside = (dio.flags & DIO_SKIP_HOLES) !== 0 &&
      block * size < dio.iSize;
    const create = dio.rw === WRITE && !inside;
    sdio.block = block;
    sdio.wanted = Math.ceil(sdio.end / size) * size - block * size;
    bh.bState = 0;
    bh.bSize = sdio.wanted;
    const mapped = ops.getBlock(inode, block, bh, create);
    return typeof mapped === "number"
      ? this.#mapped(dio, create, mapped)
      : this.#mappedLater(dio, create, mapped);
  }

  #mapped(dio: Dio, create: boolean, ret: number): MaybeTask<number> {
    const { kernel } = this;
    const { sdio, inode, mapBh: bh } = dio;
    if (kernel.tracing) {
      kernel.emit(
        EV.get_block,
        dio.id,
        inode.iIno,
        sdio.block,
        sdio.wanted >> inode.iBlkbits,
        Number(create),
        ret,
        bh.bState,
      );
    }
    dio.private = bh.bPrivate;
    if (ret !== 0) return ret;
    // A hole is walked one block at a time, whatever its size.
    const size = 1 << inode.iBlkbits;
    const bytes = bh.mapped ? Math.min(bh.bSize, sdio.wanted) : size;
    const skipped = sdio.position - sdio.block * size;
    sdio.available = Math.min(bytes - skipped, sdio.end - sdio.position);
    sdio.devicePosition = bh.bBlocknr * size + skipped;
    return bh.deferCompletion ? this.dioSetDeferCompletion(dio) : 0;
  }

  *#mappedLater(
    dio: Dio,
    create: boolean,
    mapping: Task<number>,
  ): Task<number> {
    const next = this.#mapped(dio, create, yield* mapping);
    return typeof next === "number" ? next : yield* next;
  }

  /**
   * Whether the next piece continues the bio under construction, on the device
   * and in the file, or can begin a new one at once.
   *
   * @param dio The request.
   * @returns False when {@linkcode dioNextBio} has work to do first.
   */
  dioFits(dio: Dio): boolean {
    const { bio, bioEnd, devicePosition, position } = dio.sdio;
    return bio === null
      ? !this.dioReapDue(dio)
      : !bio.full && bio.endSector === devicePosition / 512 &&
        bioEnd === position;
  }

  /**
   * `submit_page_section()`: adds a piece of a page to the bio under
   * construction.
   *
   * @param dio The request.
   * @param page The page, pinned once for the piece.
   * @param offset Where in the page the piece starts.
   * @param bytes Its length.
   */
  dioAddPage(dio: Dio, page: Page, offset: number, bytes: number): void {
    const { sdio } = dio;
    const bio = sdio.bio ??= this.dioBioAlloc(dio, sdio.devicePosition / 512);
    if (!bio.addPage(page, offset, bytes)) putPage(page);
    this.dioAdvance(dio, bytes);
    sdio.bioEnd = sdio.position;
  }

  /**
   * Sends the bio under construction, if any, because the next piece does not
   * continue it, and begins the next one with that piece.
   *
   * @param dio The request.
   * @param page The page, pinned once for the piece.
   * @param offset Where in the page the piece starts.
   * @param bytes Its length.
   * @returns 0, or the error of an earlier bio, which stops the submission.
   */
  *dioNextBio(
    dio: Dio,
    page: Page,
    offset: number,
    bytes: number,
  ): Task<number> {
    if (dio.sdio.bio !== null) {
      const inline = this.dioBioSubmit(dio);
      if (inline !== null) yield* inline;
    }
    const error = this.dioReapDue(dio) ? yield* this.dioBioReap(dio) : 0;
    if (error !== 0) putPage(page);
    else this.dioAddPage(dio, page, offset, bytes);
    return error;
  }

  /**
   * Moves all cursors behind a piece.
   *
   * @param dio The request.
   * @param bytes Length of the piece.
   */
  dioAdvance(dio: Dio, bytes: number): void {
    const { sdio, iter } = dio;
    dio.result += bytes;
    sdio.position += bytes;
    sdio.available -= bytes;
    sdio.devicePosition += bytes;
    iter.advance(bytes);
  }

  /**
   * `dio_bio_alloc()`: makes a bio of this request.
   *
   * @param dio The request.
   * @param sector First sector.
   * @returns The bio.
   */
  dioBioAlloc(dio: Dio, sector: number): Bio {
    const bio = this.kernel.bios.alloc(dio.rw, dio.inode.iSb.sBdev, sector);
    bio.biEndIo = dio.isAsync ? endAio : endIo;
    bio.biPrivate = dio;
    bio.dioId = dio.id;
    dio.sdio.bios++;
    return bio;
  }

  /**
   * `dio_bio_submit()`: takes a reference for the bio, then hands it to the
   * device. The bio may end at once, so it is not looked at any more.
   *
   * @param dio The request.
   * @returns What is left to be run in this context, or null.
   */
  dioBioSubmit(dio: Dio): Task<unknown> | null {
    return dio.bioLock.mustWait(this.kernel)
      ? this.#dioBioSubmitWaiting(dio)
      : this.dioBioSend(dio);
  }

  /**
   * The plain part of {@linkcode dioBioSubmit}, after its step.
   *
   * @param dio The request.
   * @returns What the device does inside the submission, or null.
   */
  dioBioSend(dio: Dio): Task<unknown> | null {
    const { kernel } = this;
    const { sdio, bioLock: lock } = dio;
    const bio = sdio.bio as Bio;
    lock.take(kernel, true);
    dio.refcount++;
    lock.unlock(kernel);
    if (dio.isAsync && dio.rw === READ) {
      bioSetPagesDirty(bio);
      if (kernel.tracing) kernel.emit(EV.bio_set_pages_dirty, bio.id);
    }
    sdio.bio = null;
    return submitBio(bio);
  }

  *#dioBioSubmitWaiting(dio: Dio): Task<void> {
    yield dio.bioLock.request(this.kernel);
    const inline = this.dioBioSend(dio);
    if (inline !== null) yield* inline;
  }
}

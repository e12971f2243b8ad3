/**
 * From pieces of pages to bios. A piece is kept back, the *deferred section*,
 * until it is known whether the next one makes it longer; then it goes into
 * the bio under construction, or begins a new one.
 *
 * Source: fs/direct-io.c.
 *
 * @module
 */

import { type Bio, READ, submitBio } from "./bio.ts";
import { invariant } from "./bug.ts";
import type { Dio } from "./dio.ts";
import { DioPages } from "./dio_pages.ts";
import { type Page, PAGE_SIZE, putPage } from "./page.ts";
import { finish, type MaybeTask, type Task } from "./step.ts";

const endAio = (bio: Bio): Task<unknown> =>
  bio.kernel.directIo.dioBioEndAio(bio);
const endIo = (bio: Bio): Task<void> => bio.kernel.directIo.dioBioEndIo(bio);

/**
 * The part of fs/direct-io.c that makes bios.
 *
 * @example
 * ```ts
 * import { runScenario, scenarioById } from "@endio/dio/conformance";
 * import { type Bio, type Dio, DirectIo } from "@endio/dio/core";
 * import { MODELS } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const seen: number[] = [];
 * class Watched extends DirectIo {
 *   override dioContinuesBio(dio: Dio, bio: Bio) {
 *     const continues = super.dioContinuesBio(dio, bio);
 *     seen.push(Number(continues));
 *     return continues;
 *   }
 * }
 * runScenario(MODELS[0]!, scenarioById("aio-write-many"), {
 *   directIo: (kernel) => new Watched(kernel),
 * });
 * assertEquals(seen, [0, 0]);
 * ```
 */
export class DioSections extends DioPages {
  /**
   * `submit_page_section()`: takes a piece of a page, that goes to where the
   * submission is on the device and in the file. At a boundary it is sent at
   * once, before the next mapping call has to wait for metadata.
   *
   * @param dio The request.
   * @param page The page, pinned; the section takes a pin of its own.
   * @param offset Where in the page the piece starts.
   * @param bytes Its length.
   * @returns 0, or the error of an earlier bio, which stops the submission.
   */
  submitPageSection(
    dio: Dio,
    page: Page,
    offset: number,
    bytes: number,
  ): MaybeTask<number> {
    const { sdio } = dio;
    const { curPage, boundary } = sdio;
    if (curPage !== null) {
      if (this.dioExtendsSection(dio, page, offset)) {
        sdio.curLength += bytes;
        return boundary ? this.dioSendBoundary(dio) : 0;
      }
      const sent = this.dioSendCurPage(dio);
      if (sent !== 0) {
        return this.#sectionLater(dio, page, offset, bytes, boundary, sent);
      }
      putPage(curPage);
    }
    page.pins++;
    sdio.curPage = page;
    sdio.curOffset = offset;
    sdio.curLength = bytes;
    sdio.curDevice = sdio.devicePosition;
    sdio.curPosition = sdio.position;
    // Making a bio has forgotten the boundary, which is that of this piece.
    return boundary ? this.dioSendBoundary(dio) : 0;
  }

  *#sectionLater(
    dio: Dio,
    page: Page,
    offset: number,
    bytes: number,
    boundary: boolean,
    sending: MaybeTask<number>,
  ): Task<number> {
    const error = yield* finish(sending);
    this.#dropCurPage(dio);
    if (error !== 0) return error;
    this.#defer(dio, page, offset, bytes);
    return boundary ? yield* this.dioSendBoundary(dio) : 0;
  }

  /**
   * Whether a piece of a page makes the deferred section longer: it continues
   * it in the page and on the device.
   *
   * @param dio The request.
   * @param page The page.
   * @param offset Where in the page the piece starts.
   * @returns True when it does.
   */
  dioExtendsSection(dio: Dio, page: Page, offset: number): boolean {
    const { curPage, curOffset, curLength, curDevice, devicePosition } =
      dio.sdio;
    return curPage === page && curOffset + curLength === offset &&
      curDevice + curLength === devicePosition;
  }

  #defer(dio: Dio, page: Page, offset: number, bytes: number): void {
    const { sdio } = dio;
    page.pins++;
    sdio.curPage = page;
    sdio.curOffset = offset;
    sdio.curLength = bytes;
    sdio.curDevice = sdio.devicePosition;
    sdio.curPosition = sdio.position;
  }

  #dropCurPage(dio: Dio): void {
    putPage(dio.sdio.curPage as Page);
    dio.sdio.curPage = null;
  }

  /**
   * Sends the deferred section, and the bio that it is in.
   *
   * @param dio The request.
   * @returns 0, or the error of an earlier bio; then there may be no bio.
   */
  *dioSendBoundary(dio: Dio): Task<number> {
    const error = yield* finish(this.dioSendLast(dio));
    if (dio.sdio.bio !== null) {
      const inline = this.dioBioSubmit(dio);
      if (inline !== null) yield* inline;
    }
    return error;
  }

  /**
   * Sends the deferred section.
   *
   * @param dio The request.
   * @returns 0, or the error of an earlier bio.
   */
  dioSendLast(dio: Dio): MaybeTask<number> {
    const sent = this.dioSendCurPage(dio);
    if (typeof sent !== "number") return this.#sendLastLater(dio, sent);
    putPage(dio.sdio.curPage as Page);
    dio.sdio.curPage = null;
    return sent;
  }

  *#sendLastLater(dio: Dio, sending: Task<number>): Task<number> {
    const error = yield* sending;
    this.#dropCurPage(dio);
    return error;
  }

  /**
   * `dio_send_cur_page()`: puts the deferred section into the bio under
   * construction; into a new one, when it does not continue that or does not
   * fit in.
   *
   * @param dio The request.
   * @returns 0, or the error of an earlier bio.
   */
  dioSendCurPage(dio: Dio): MaybeTask<number> {
    const { sdio } = dio;
    const { bio } = sdio;
    if (bio === null) {
      if (sdio.bios > 0 && this.dioReapDue(dio)) return this.#sendLater(dio);
      this.dioBioAddPage(dio, this.dioBioAlloc(dio));
      return 0;
    }
    if (bio.full || !this.dioContinuesBio(dio, bio)) {
      return this.#sendLater(dio);
    }
    this.dioBioAddPage(dio, bio);
    return 0;
  }

  *#sendLater(dio: Dio): Task<number> {
    const { sdio } = dio;
    if (sdio.bio !== null) {
      const inline = this.dioBioSubmit(dio);
      if (inline !== null) yield* inline;
    }
    const error = this.dioReapDue(dio) ? yield* this.dioBioReap(dio) : 0;
    if (error === 0) this.dioBioAddPage(dio, this.dioBioAlloc(dio));
    return error;
  }

  /**
   * Whether the deferred section goes on where the bio ends, on the device and
   * in the file.
   *
   * @param dio The request.
   * @param bio The bio under construction.
   * @returns True when it does.
   */
  dioContinuesBio(dio: Dio, bio: Bio): boolean {
    const { curDevice, curPosition, bioPosition } = dio.sdio;
    return bio.endSector === curDevice / 512 &&
      bioPosition + bio.biSize === curPosition;
  }

  /**
   * `dio_bio_add_page()`: puts the deferred section into a bio, which takes a
   * pin of its own.
   *
   * @param dio The request.
   * @param bio The bio, with room for it.
   */
  dioBioAddPage(dio: Dio, bio: Bio): void {
    const { sdio } = dio;
    const page = sdio.curPage as Page;
    if (bio.addPage(page, sdio.curOffset, sdio.curLength)) page.pins++;
    if (sdio.curOffset + sdio.curLength === PAGE_SIZE) sdio.pagesInIo--;
  }

  /**
   * `dio_bio_alloc()`: makes a bio that begins with the deferred section.
   *
   * @param dio The request.
   * @returns The bio.
   */
  dioBioAlloc(dio: Dio): Bio {
    const { sdio, inode: { iSb: { sBdev } } } = dio;
    const bio = this.kernel.bios.alloc(dio.rw, sBdev, sdio.curDevice / 512);
    const { maxPages = bio.biMaxVecs } = sBdev;
    bio.biMaxVecs = Math.min(sdio.pagesInIo, maxPages, bio.biMaxVecs);
    invariant(bio.biMaxVecs > 0, "a bio that is made has room for a page");
    bio.biOpf = dio.opf;
    bio.biEndIo = dio.isAsync ? endAio : endIo;
    bio.biPrivate = dio;
    bio.dioId = dio.id;
    sdio.bios++;
    sdio.bio = bio;
    sdio.bioPosition = sdio.curPosition;
    sdio.boundary = false;
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
    const { sdio, inode, ops, bioLock: lock } = dio;
    const { bioPosition } = sdio;
    const bio = sdio.bio as Bio;
    // Without steps nobody else can come in between.
    if (kernel.stepping) lock.take(kernel, true);
    dio.refcount++;
    if (kernel.stepping) lock.unlock(kernel);
    if (dio.isAsync && dio.rw === READ && dio.shouldDirty) {
      kernel.bioDirty.bioSetPagesDirty(bio);
    }
    sdio.bio = null;
    sdio.boundary = false;
    return ops.submitIo === undefined
      ? submitBio(bio)
      : ops.submitIo(bio, inode, bioPosition);
  }

  *#dioBioSubmitWaiting(dio: Dio): Task<void> {
    yield dio.bioLock.request(this.kernel);
    const inline = this.dioBioSend(dio);
    if (inline !== null) yield* inline;
  }
}

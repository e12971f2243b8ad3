/**
 * What has happened to an iocb, a dio, a bio: the records that
 * {@linkcode Requests} keeps.
 *
 * @module
 */

import {
  BH_DEFER_COMPLETION,
  BH_MAPPED,
  BH_NEW,
  BH_UNWRITTEN,
  EAGAIN,
  EIO,
  REQ_NOWAIT,
  type TraceEvent,
} from "../core/mod.ts";
import type { InodeState } from "./inodes.ts";
import type { ThreadState } from "./threads.ts";

/** Block sizes of filesystems, as binary logarithms: the smallest, the largest. */
const MIN_BLKBITS = 9;
const MAX_BLKBITS = 16;
/** A bio may be full from this size on: 256 pieces of a sector each. */
const MAYBE_FULL_BYTES = 256 * 512;

/**
 * What has happened to an iocb.
 *
 * @example
 * ```ts
 * import { InodeState, IocbState } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * const iocb = new IocbState(
 *   { seq: 0, ts: 0, cpu: 0, ctx: "task", tid: 1, comm: "a", ev: "io_submit",
 *     iocb: 1, ino: 12, rw: "write", offset: 0, bytes: 4096 },
 *   new InodeState(12, 0),
 *   false,
 * );
 * assertEquals([iocb.isWrite, iocb.bytes], [true, 4096]);
 * ```
 */
export class IocbState {
  /** Its identity. */
  readonly id: number;
  /** Its beginning: `io_submit`, or `direct_IO` of one that is waited for. */
  readonly begin: TraceEvent;
  /** The file. */
  readonly inode: InodeState;
  /** Whether a system call waits for it. */
  readonly isSync: boolean;
  /** Whether it writes. */
  readonly isWrite: boolean;
  /** First byte in the file. */
  readonly offset: number;
  /** How many bytes are asked for; of a block device, up to its end. */
  bytes: number;
  /** {@linkcode InodeState.cuts} when it began. */
  readonly cuts: number;
  /** `direct_IO`. */
  directIO: TraceEvent | undefined = undefined;
  /** `direct_IO_return`. */
  returned: TraceEvent | undefined = undefined;
  /** `aio_complete` or `ki_complete`. */
  completed: TraceEvent | undefined = undefined;
  /** The newest `generic_write_sync` for it. */
  writeSync: TraceEvent | undefined = undefined;
  /** What failed of the filesystem's own while the method was running. */
  fsError: TraceEvent | undefined = undefined;
  /** Bytes that went through the page cache, behind those that did not. */
  buffered = 0;
  /** The newest transfer through the page cache: `buffered_io`. */
  bufferedIo: TraceEvent | undefined = undefined;
  /** The newest move of its position: `ki_pos`. */
  moved: TraceEvent | undefined = undefined;
  /** Its newest dio, which may have been freed. */
  dio: DioState | undefined = undefined;

  /**
   * Begins to follow an iocb.
   *
   * @param begin Its first event.
   * @param inode The file.
   * @param isSync Whether a system call waits for it.
   */
  constructor(begin: TraceEvent, inode: InodeState, isSync: boolean) {
    this.id = begin.iocb ?? 0;
    this.begin = begin;
    this.inode = inode;
    this.isSync = isSync;
    this.isWrite = begin["rw"] === "write";
    this.offset = Number(begin["offset"]);
    this.bytes = Number(begin["bytes"]);
    this.cuts = inode.cuts;
  }

  /**
   * Takes a transfer through the page cache into account.
   *
   * @param event `buffered_io`.
   */
  buffer(event: TraceEvent): void {
    this.bufferedIo = event;
    this.buffered += Math.max(0, Number(event["ret"]));
  }

  /** Whether all of it went through the page cache. */
  get isBuffered(): boolean {
    return this.bufferedIo !== undefined && this.directIO === undefined;
  }

  /** Whether what it writes has to be stable when it is reported. */
  get needsSync(): boolean {
    return this.isWrite && this.directIO?.["dsync"] === 1;
  }

  /** Its dio, if that is alive. */
  get liveDio(): DioState | undefined {
    const { dio } = this;
    return dio === undefined || dio.freed !== undefined ? undefined : dio;
  }
}

/**
 * What has happened to a dio.
 *
 * @example
 * ```ts
 * import { DioState } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * const dio = new DioState(
 *   { seq: 0, ts: 0, cpu: 0, ctx: "task", tid: 1, comm: "a", ev: "dio_alloc",
 *     dio: 1, iocb: 1, ino: 12, rw: "read", end_io: "", is_async: 1, i_size: 300 },
 *   undefined,
 * );
 * assertEquals([dio.isWrite, dio.iSize, dio.inFlight], [false, 300, 0]);
 * ```
 */
export class DioState {
  /** Its identity. */
  readonly id: number;
  /** Its beginning: `dio_alloc`, or `blkdev_direct_IO`. */
  readonly alloc: TraceEvent;
  /** The iocb it belongs to, if the trace has shown that. */
  readonly iocb: IocbState | undefined;
  /** Whether it is a `struct blkdev_dio`. */
  readonly isBlkdev: boolean;
  /** Whether it writes. */
  readonly isWrite: boolean;
  /** The file's size that it goes by, in bytes; NaN when there is none. */
  iSize: number;
  /** {@linkcode InodeState.cuts} when its request began. */
  readonly cuts: number;

  /** `inode_dio_begin`. */
  begin: TraceEvent | undefined = undefined;
  /** The newest `get_block`. */
  mapping: TraceEvent | undefined = undefined;
  /** Calls of `get_block` that mapped something. */
  mappings = 0;
  /** Of those, the ones to new blocks. */
  news = 0;
  /** Calls of `get_block` that met a hole. */
  holes = 0;
  /** Whether a read met one that was in the file when it began, and is not. */
  hasLostItsEnd = false;
  /** Bytes in a block of the file; 0 while that cannot be told. */
  blockBytes = 0;
  /** The first mapping that asked for deferral. */
  asked: TraceEvent | undefined = undefined;
  /** `dio_set_defer_completion`. */
  deferred: TraceEvent | undefined = undefined;
  /** The first mapping to unwritten blocks. */
  unwritten: TraceEvent | undefined = undefined;
  /** What stopped its submission. */
  submitError: TraceEvent | undefined = undefined;
  /** The negative errno of that, or 0. */
  submitErrno = 0;
  /** The first page that could not be pinned: `dio_page_error`. */
  pageError: TraceEvent | undefined = undefined;

  /** Bios that were submitted. */
  bios = 0;
  /** The first of them: `submit_bio`. */
  first: TraceEvent | undefined = undefined;
  /** Of those, the ones that were put. */
  puts = 0;
  /** The newest of them. */
  newest: TraceEvent | undefined = undefined;
  /** Of those, the ones that cannot have been full. */
  pieces = 0;
  /** Bytes in them. */
  submitted = 0;
  /** Bios that were submitted and have not ended. */
  inFlight = 0;
  /** Bios that have ended and whose end handler has not begun. */
  unhandled = 0;
  /** The first bio that failed: `bio_endio`. */
  bioError: TraceEvent | undefined = undefined;
  /** What bios that failed make of the request; NaN when that depends. */
  ioErrno = 0;
  /** A read: bios whose pages were marked as dirty, or found to be. */
  marked = 0;
  /** Bios that failed. */
  failed = 0;
  /** How many of them the dio has been told of. */
  noted = 0;
  /** The newest `bio_endio`. */
  ended: TraceEvent | undefined = undefined;

  /** `queue_work` of its completion. */
  queued: TraceEvent | undefined = undefined;
  /** `dio_complete`. */
  complete: TraceEvent | undefined = undefined;
  /** The thread that completes it. */
  completer: ThreadState | undefined = undefined;
  /** `end_io`. */
  endIo: TraceEvent | undefined = undefined;
  /** `end_io_return`. */
  endIoReturn: TraceEvent | undefined = undefined;
  /** A conversion of what it wrote. */
  converted: TraceEvent | undefined = undefined;
  /** `inode_dio_done`. */
  done: TraceEvent | undefined = undefined;
  /** `generic_write_sync` in its completion. */
  writeSync: TraceEvent | undefined = undefined;
  /** `dio_free`. */
  freed: TraceEvent | undefined = undefined;

  /**
   * Begins to follow a dio.
   *
   * @param alloc Its first event.
   * @param iocb The iocb it belongs to.
   */
  constructor(alloc: TraceEvent, iocb: IocbState | undefined) {
    this.id = alloc.dio ?? 0;
    this.alloc = alloc;
    this.iocb = iocb;
    this.isBlkdev = alloc.ev === "blkdev_direct_IO";
    this.isWrite = alloc["rw"] === "write";
    this.iSize = Number(alloc["i_size"] ?? NaN);
    this.cuts = iocb?.cuts ?? 0;
  }

  /** Bios whose end has not come to the dio. */
  get outstanding(): number {
    return this.inFlight + this.unhandled;
  }

  /** Whether zeros may go around its data: it has parts of new blocks. */
  get mayPad(): boolean {
    const { iocb, blockBytes, news } = this;
    if (news === 0 || iocb === undefined) return false;
    const { offset, bytes } = iocb;
    return blockBytes === 0 || offset % blockBytes !== 0 ||
      (offset + bytes) % blockBytes !== 0;
  }

  /** Whether its buffer has several pieces, which v3.12 maps one by one. */
  get inPieces(): boolean {
    return this.iocb?.directIO?.["nr_segs"] !== undefined;
  }

  /** A read: how many bytes of the file there were for it. */
  get room(): number {
    const { iocb, iSize } = this;
    return iocb === undefined ? NaN : Math.max(0, iSize - iocb.offset);
  }

  /**
   * Takes a `get_block` into account.
   *
   * @param event The event.
   */
  map(event: TraceEvent): void {
    const ret = Number(event["ret"]);
    if (this.mapping === undefined) {
      this.blockBytes = this.inPieces ? 0 : this.blockBytesOf(event) || 0;
    }
    this.mapping = event;
    if (ret < 0) return this.fail(event, ret);
    const state = Number(event["b_state"]);
    if ((state & BH_MAPPED) === 0) {
      this.holes++;
      const at = Number(event["iblock"]) * this.blockBytes;
      const size = this.iocb?.inode.size ?? NaN;
      if (at < this.iSize && at >= size) this.hasLostItsEnd = true;
      return;
    }
    this.mappings++;
    if ((state & BH_NEW) !== 0) this.news++;
    if ((state & BH_UNWRITTEN) !== 0) this.unwritten ??= event;
    if ((state & BH_DEFER_COMPLETION) !== 0) this.asked ??= event;
  }

  /**
   * Takes the error into account that stops the submission: the first one.
   *
   * @param event Where it came from.
   * @param errno The negative errno.
   */
  fail(event: TraceEvent, errno: number): void {
    if (this.submitError !== undefined) return;
    this.submitError = event;
    this.submitErrno = errno;
  }

  /**
   * Takes a `submit_bio` into account.
   *
   * @param event The event.
   */
  submit(event: TraceEvent): void {
    const size = Number(event["size"]);
    this.bios++;
    this.first ??= event;
    this.newest = event;
    if (size < MAYBE_FULL_BYTES) this.pieces++;
    this.submitted += size;
    this.inFlight++;
  }

  /**
   * Takes a `bio_endio` into account.
   *
   * @param event The event.
   * @param opf Flags of the bio.
   */
  end(event: TraceEvent, opf: number): void {
    this.inFlight--;
    this.unhandled++;
    this.ended = event;
    const error = Number(event["error"]);
    if (error === 0) return;
    const isAgain = error === -EAGAIN && (opf & REQ_NOWAIT) !== 0;
    const errno = isAgain ? -EAGAIN : -EIO;
    // Which of several different errors it is depends on their order.
    this.ioErrno = this.failed > 0 && errno !== this.ioErrno ? NaN : errno;
    this.failed++;
    this.bioError ??= event;
  }

  /**
   * The size of the file's blocks, from the first `get_block` of the request.
   *
   * @param event The event.
   * @returns Bytes; 0 if several would fit, NaN if none does.
   */
  blockBytesOf(event: TraceEvent): number {
    const { iocb } = this;
    if (iocb === undefined) return 0;
    const { offset, bytes } = iocb;
    const iblock = event["iblock"];
    let found = NaN;
    for (let bits = MIN_BLKBITS; bits <= MAX_BLKBITS; bits++) {
      const size = 2 ** bits;
      const first = Math.floor(offset / size);
      const blocks = Math.ceil((offset + bytes) / size) - first;
      if (first !== iblock || blocks !== event["blocks"]) continue;
      if (!Number.isNaN(found)) return 0;
      found = size;
    }
    return found;
  }
}

/** What has happened to a bio. */
export interface BioState {
  /** `submit_bio`. */
  readonly submit: TraceEvent;
  /** The dio it belongs to. */
  readonly dio: DioState | undefined;
  /** `bio_endio`. */
  ended: TraceEvent | undefined;
}

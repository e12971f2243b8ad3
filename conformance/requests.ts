/**
 * The requests that are alive in a trace, and what has happened to each: what
 * the rules share, so that each of them need not keep it.
 *
 * @module
 */

import { EIOCBQUEUED, type TraceEvent } from "../core/mod.ts";
import { Bios } from "./bios.ts";
import { Ids } from "./ids.ts";
import { Inodes } from "./inodes.ts";
import { DioState, IocbState } from "./request_state.ts";
import type { ThreadState } from "./threads.ts";

/** Requests whose events nobody reaps that are kept in mind. */
const MAX_REPORTED = 4096;

/**
 * Follows requests through a trace; holds only those that are alive.
 *
 * @example
 * ```ts
 * import { Requests } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new Requests().dios.size, 0);
 * ```
 */
export class Requests {
  /** Dios that are alive. */
  readonly dios: Map<number, DioState> = new Map();
  /** Iocbs that are alive. */
  readonly iocbs: Map<number, IocbState> = new Map();
  /** Bios from their submission until their end handler begins. */
  readonly bios: Bios = new Bios();
  /** Files that something is alive on. */
  readonly inodes: Inodes = new Inodes();
  /** Requests whose event is on the ring, the oldest first. */
  readonly reported: Map<number, IocbState> = new Map();
  /** Whether events are missing: what is not known may have been there. */
  partial = false;
  /**
   * Whether somebody waits or spins for ever: what has not happened by the end
   * of the trace says no more than that.
   */
  hung = false;
  readonly #dioIds: Ids = new Ids();
  readonly #iocbIds: Ids = new Ids();
  /** Up to this one, requests whose event is on the ring were forgotten. */
  #forgotten = 0;

  /** Forgets everything, for another trace. */
  reset(): void {
    this.dios.clear();
    this.iocbs.clear();
    this.bios.reset();
    this.inodes.reset();
    this.reported.clear();
    this.partial = false;
    this.hung = false;
    this.#dioIds.reset();
    this.#iocbIds.reset();
    this.#forgotten = 0;
  }

  /**
   * The dio of an event.
   *
   * @param event The event.
   * @returns Its state, or undefined when the event names none that is alive.
   */
  dioOf(event: TraceEvent): DioState | undefined {
    return event.dio === undefined ? undefined : this.dios.get(event.dio);
  }

  /**
   * The iocb of an event.
   *
   * @param event The event.
   * @returns Its state, or undefined when the event names none that is alive.
   */
  iocbOf(event: TraceEvent): IocbState | undefined {
    return event.iocb === undefined ? undefined : this.iocbs.get(event.iocb);
  }

  /**
   * Whether an event names a dio that has been freed.
   *
   * @param event The event.
   * @returns True when it does.
   */
  dioGone(event: TraceEvent): boolean {
    const { dio } = event;
    return dio !== undefined && this.#dioIds.was(dio) && !this.dios.has(dio);
  }

  /**
   * Whether an event names an iocb that has come to its end.
   *
   * @param event The event.
   * @returns True when it does.
   */
  iocbGone(event: TraceEvent): boolean {
    const { iocb } = event;
    return iocb !== undefined && this.#iocbIds.was(iocb) &&
      !this.iocbs.has(iocb);
  }

  /**
   * Whether an iocb may have an event on the ring that is not known any more.
   *
   * @param iocb Its identity.
   * @returns True when it may.
   */
  mayBeReported(iocb: number): boolean {
    return this.partial || iocb <= this.#forgotten;
  }

  /**
   * Takes an event into account.
   *
   * @param event The event.
   * @param thread The thread that it happened in.
   */
  update(event: TraceEvent, thread: ThreadState): void {
    switch (event.ev) {
      case "might_sleep":
      case "wake_up_process":
        return;
      case "hung_task":
      case "soft_lockup":
        this.hung = true;
        return;
      case "io_submit":
        thread.owed = this.#beginIocb(event, false);
        return;
      case "direct_IO":
        return this.#directIO(event, thread);
      case "direct_IO_return":
        return this.#directIOReturn(event, thread);
      case "aio_complete":
      case "ki_complete":
        return this.#complete(event, thread);
      case "io_getevents":
        return this.#reap(event, thread);
      case "buffered_io":
        return this.#bufferedIo(event, thread);
      case "generic_write_sync":
      case "ki_pos":
        return this.#iocbEvent(event);
      case "i_size_write":
      case "truncate":
      case "truncate_return":
      case "punch_hole":
      case "punch_hole_return":
      case "inode_dio_wait":
        return this.inodes.update(event, thread);
      case "inode_dio_begin":
      case "inode_dio_done":
        this.#counted(event);
        return this.inodes.update(event, thread);
      case "convert_unwritten":
        return this.#convert(event, thread);
      case "ext4_orphan_del":
        return failOwn(event, thread);
      case "dio_alloc":
        return this.#beginDio(event);
      case "blkdev_direct_IO":
        if ((event.dio ?? 0) > 0) this.#beginDio(event);
        return;
      case "submit_bio":
      case "bio_endio":
      case "dio_bio_end_aio":
      case "dio_bio_end_io":
      case "blkdev_bio_end_io":
      case "bio_set_pages_dirty":
      case "bio_check_pages_dirty":
      case "dio_page_error":
        return this.bios.update(event, this.dioOf(event), thread);
      default: {
        const dio = this.dioOf(event);
        if (dio !== undefined) this.#dioEvent(event, dio, thread);
      }
    }
  }

  /** Notes that events are missing from the trace. */
  lose(): void {
    this.partial = true;
    this.inodes.lose();
  }

  /**
   * Forgets a request whose system call has returned.
   *
   * @param iocb The request.
   */
  leave(iocb: IocbState): void {
    this.iocbs.delete(iocb.id);
    this.inodes.release(iocb.inode);
  }

  #directIO(event: TraceEvent, thread: ThreadState): void {
    const iocb = event["is_sync"] === 1
      ? this.#beginIocb(event, true)
      : this.iocbOf(event);
    if (iocb === undefined) return;
    iocb.directIO = event;
    iocb.bytes = Number(event["bytes"]);
    thread.requests.push(iocb);
  }

  #directIOReturn(event: TraceEvent, thread: ThreadState): void {
    const { requests } = thread;
    const at = requests.findLastIndex(({ id }) => id === event.iocb);
    const iocb = at < 0 ? this.iocbOf(event) : requests[at];
    if (at >= 0) requests.length = at;
    if (iocb === undefined) return;
    iocb.returned = event;
    if (thread.owed === iocb && isQueued(event)) thread.owed = undefined;
    if (iocb.isSync) thread.leaving = iocb;
    else if (iocb.completed !== undefined) this.leave(iocb);
  }

  #complete(event: TraceEvent, thread: ThreadState): void {
    const iocb = this.iocbOf(event);
    if (iocb === undefined) return;
    if (thread.owed === iocb) thread.owed = undefined;
    iocb.completed = event;
    if (iocb.isSync) return;
    this.reported.set(iocb.id, iocb);
    if (this.reported.size > MAX_REPORTED) this.#forgetReported();
    const isOver = iocb.directIO === undefined || iocb.returned !== undefined;
    if (isOver) this.leave(iocb);
  }

  #reap(event: TraceEvent, thread: ThreadState): void {
    const iocb = this.reported.get(event.iocb ?? 0);
    if (iocb === undefined) return;
    this.reported.delete(iocb.id);
    if (!iocb.isWrite) thread.gotRead(iocb);
  }

  #forgetReported(): void {
    for (const id of this.reported.keys()) {
      this.reported.delete(id);
      this.#forgotten = Math.max(this.#forgotten, id);
      return;
    }
  }

  /** A transfer that is waited for and is not direct begins and ends here. */
  #bufferedIo(event: TraceEvent, thread: ThreadState): void {
    const known = this.iocbOf(event);
    if (known === undefined && (this.partial || this.iocbGone(event))) return;
    const iocb = known ?? this.#beginIocb(event, true);
    iocb.buffer(event);
    if (known !== undefined) return;
    iocb.returned = event;
    thread.leaving = iocb;
  }

  #iocbEvent(event: TraceEvent): void {
    const iocb = this.iocbOf(event);
    if (iocb === undefined) return;
    if (event.ev === "ki_pos") iocb.moved = event;
    else {
      iocb.writeSync = event;
      const dio = iocb.liveDio;
      if (dio !== undefined) dio.writeSync = event;
    }
  }

  #counted(event: TraceEvent): void {
    const dio = this.dioOf(event) ?? this.#leftCounted(event);
    if (dio === undefined) return;
    if (event.ev === "inode_dio_begin") dio.begin = event;
    else dio.done = event;
  }

  /**
   * Whose count drops when that names nobody: before the 2013 patch a dio was
   * gone when the filesystem came to that.
   */
  #leftCounted({ ev, ino }: TraceEvent): DioState | undefined {
    if (ev !== "inode_dio_done") return undefined;
    for (const { inode, dio } of this.iocbs.values()) {
      if (inode.ino === ino && dio?.freed && dio.begin && !dio.done) return dio;
    }
    return undefined;
  }

  #dioEvent(event: TraceEvent, dio: DioState, thread: ThreadState): void {
    switch (event.ev) {
      case "get_block":
        return dio.map(event);
      case "dio_set_defer_completion":
        dio.deferred = event;
        return;
      case "dio_refill_pages":
        return dio.fail(event, Number(event["error"]));
      case "dio_i_size":
        dio.iSize = Number(event["i_size"]);
        return;
      case "dio_io_error":
        dio.noted++;
        return;
      case "queue_work":
        if (event["ret"] !== 0) dio.queued = event;
        return;
      case "dio_complete":
        dio.complete = event;
        dio.completer = thread;
        thread.completing = dio;
        return;
      case "bio_put":
        dio.puts++;
        return;
      case "end_io":
        dio.endIo = event;
        return;
      case "end_io_return":
        dio.endIoReturn = event;
        return;
      case "dio_free":
        dio.freed = event;
        this.dios.delete(dio.id);
        if (thread.completing === dio) thread.completing = undefined;
    }
  }

  /**
   * A conversion belongs to the request that its thread works on. That of a
   * filesystem's own worker, before the 2013 patch, names no request.
   */
  #convert(event: TraceEvent, thread: ThreadState): void {
    const { completing, request } = thread;
    const dio = completing ?? request?.dio;
    if (dio === undefined) return this.#convertUnnamed(event);
    dio.converted = event;
    // What end_io comes to, it returns; Linux 3.12 does not ask.
    if (completing === undefined) failOwn(event, thread);
  }

  #convertUnnamed(event: TraceEvent): void {
    const begin = Number(event["offset"]);
    const end = begin + Number(event["bytes"]);
    for (const { isWrite, inode, offset, bytes, dio } of this.iocbs.values()) {
      const isIts = isWrite && inode.ino === event.ino && begin >= offset &&
        end <= offset + bytes;
      if (isIts && dio?.unwritten) dio.converted ??= event;
    }
  }

  #beginIocb(begin: TraceEvent, isSync: boolean): IocbState {
    const id = begin.iocb ?? 0;
    this.#iocbIds.add(id);
    const inode = this.inodes.hold(begin.ino ?? 0);
    const iocb = new IocbState(begin, inode, isSync);
    this.iocbs.set(id, iocb);
    return iocb;
  }

  #beginDio(alloc: TraceEvent): void {
    const id = alloc.dio ?? 0;
    const iocb = this.iocbOf(alloc);
    this.#dioIds.add(id);
    const dio = new DioState(alloc, iocb);
    this.dios.set(id, dio);
    if (iocb === undefined) return;
    iocb.dio = dio;
    if (!Number.isNaN(dio.iSize)) iocb.inode.size = dio.iSize;
  }
}

/** What a filesystem does itself around a transfer, if it fails. */
function failOwn(event: TraceEvent, { request }: ThreadState): void {
  if (Number(event["ret"]) < 0 && request !== undefined) {
    request.fsError = event;
  }
}

/**
 * Whether a result says that the request was queued and its callback will
 * come.
 *
 * @param event An event with `ret`.
 * @returns True for `-EIOCBQUEUED`.
 *
 * @example
 * ```ts
 * import { isQueued } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isQueued(undefined), false);
 * ```
 */
export function isQueued(event: TraceEvent | undefined): boolean {
  return event?.["ret"] === -EIOCBQUEUED;
}

/**
 * The requests that are alive in a trace, and what has happened to each: what
 * the rules share, so that each of them need not keep it.
 *
 * @module
 */

import { EIOCBQUEUED, type TraceEvent } from "../core/mod.ts";

/** What has happened to a dio. */
export interface DioState {
  /** Its identity. */
  readonly id: number;
  /** Its beginning: `dio_alloc`. */
  readonly alloc: TraceEvent;
  /** The iocb it belongs to. */
  readonly iocb: number;
  /** Bios that were submitted and have not ended. */
  inFlight: number;
  /** The first bio that failed: `bio_endio`. */
  bioError?: TraceEvent;
  /** The first page that could not be pinned: `dio_page_error`. */
  pageError?: TraceEvent;
  /** `inode_dio_begin`. */
  begin?: TraceEvent;
  /** `dio_complete`. */
  complete?: TraceEvent;
  /** `end_io`. */
  endIo?: TraceEvent;
  /** `end_io_return`. */
  endIoReturn?: TraceEvent;
  /** `inode_dio_done`. */
  done?: TraceEvent;
  /** `generic_write_sync` in its completion. */
  writeSync?: TraceEvent;
}

/** What has happened to an iocb. */
export interface IocbState {
  /** Its identity. */
  readonly id: number;
  /** Its beginning: `io_submit`, or `direct_IO` of one that is waited for. */
  readonly begin: TraceEvent;
  /** Whether a system call waits for it. */
  readonly isSync: boolean;
  /** `direct_IO`. */
  directIO?: TraceEvent;
  /** `direct_IO_return`. */
  returned?: TraceEvent;
  /** `aio_complete`. */
  completed?: TraceEvent;
  /** Its dio, while that is alive. */
  dio?: DioState;
}

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
  /** The newest dio; one up to it that is not alive is gone. */
  #newestDio = 0;
  #newestIocb = 0;

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
    return dio !== undefined && dio > 0 && dio <= this.#newestDio &&
      !this.dios.has(dio);
  }

  /**
   * Whether an event names an iocb that has come to its end.
   *
   * @param event The event.
   * @returns True when it does.
   */
  iocbGone(event: TraceEvent): boolean {
    const { iocb } = event;
    return iocb !== undefined && iocb <= this.#newestIocb &&
      !this.iocbs.has(iocb);
  }

  /**
   * Takes an event into account.
   *
   * @param event The event.
   */
  update(event: TraceEvent): void {
    const dio = this.dioOf(event);
    switch (event.ev) {
      case "io_submit":
        return this.#beginIocb(event, false);
      case "direct_IO":
        if (event["is_sync"] === 1) this.#beginIocb(event, true);
        return this.#note(event, "directIO");
      case "direct_IO_return":
        return this.#note(event, "returned");
      case "aio_complete":
      case "ki_complete":
        return this.#note(event, "completed");
      case "dio_alloc":
        return this.#beginDio(event);
      case "submit_bio":
        if (dio) dio.inFlight++;
        return;
      case "bio_endio":
        if (dio) dio.inFlight--;
        if (dio && event["error"] !== 0) dio.bioError ??= event;
        return;
      case "dio_page_error":
        if (dio) dio.pageError ??= event;
        return;
      case "inode_dio_begin":
        if (dio) dio.begin = event;
        return;
      case "dio_complete":
        if (dio) dio.complete = event;
        return;
      case "end_io":
        if (dio) dio.endIo = event;
        return;
      case "end_io_return":
        if (dio) dio.endIoReturn = event;
        return;
      case "inode_dio_done":
        if (dio) dio.done = event;
        return;
      case "generic_write_sync": {
        const state = this.iocbOf(event)?.dio;
        if (state) state.writeSync = event;
        return;
      }
      case "dio_free":
        return this.#endDio(dio);
    }
  }

  #beginIocb(begin: TraceEvent, isSync: boolean): void {
    const id = begin.iocb ?? 0;
    this.#newestIocb = Math.max(this.#newestIocb, id);
    this.iocbs.set(id, { id, begin, isSync });
  }

  #beginDio(alloc: TraceEvent): void {
    const id = alloc.dio ?? 0;
    const iocb = alloc.iocb ?? 0;
    this.#newestDio = Math.max(this.#newestDio, id);
    const dio: DioState = { id, alloc, iocb, inFlight: 0 };
    this.dios.set(id, dio);
    const owner = this.iocbs.get(iocb);
    if (owner) owner.dio = dio;
  }

  #endDio(dio: DioState | undefined): void {
    if (dio === undefined) return;
    this.dios.delete(dio.id);
    const owner = this.iocbs.get(dio.iocb);
    if (owner?.dio === dio) delete owner.dio;
  }

  #note(event: TraceEvent, what: "directIO" | "returned" | "completed"): void {
    const iocb = this.iocbOf(event);
    if (iocb === undefined) return;
    iocb[what] = event;
    const reported = iocb.isSync || iocb.completed !== undefined;
    if (iocb.returned && reported) this.iocbs.delete(iocb.id);
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

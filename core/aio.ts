/**
 * Asynchronous I/O: requests (`kiocb`), completion rings, and the system
 * calls around them.
 *
 * Source: fs/aio.c, fs/sync_io in fs/read_write.c.
 *
 * @module
 */

import { READ, type Rw, WRITE } from "./bio.ts";
import { EAGAIN, EIOCBQUEUED } from "./errno.ts";
import { EV } from "./events.ts";
import { type File, O_DSYNC } from "./fs.ts";
import { genericFileAioRead, genericFileAioWrite } from "./filemap.ts";
import type { Kernel } from "./kernel.ts";
import { SpinLock } from "./lock.ts";
import { type Iovec, IovIter } from "./page.ts";
import { KmemCache, SlabObject, use } from "./slab.ts";
import {
  finish,
  type MaybeTask,
  readStep,
  SCHEDULE,
  type Step,
  type Task,
  writeStep,
} from "./step.ts";
import { WaitQueue } from "./wait.ts";

/** What user space asks for: `struct iocb`. */
export interface IoControlBlock {
  /** The open file. */
  readonly file: File;
  /** Direction. */
  readonly rw: Rw;
  /** The buffer. */
  readonly iov: readonly Iovec[];
  /** First byte in the file. */
  readonly offset: number;
  /** Comes back with the event. */
  readonly data: number;
}

/** What user space gets: `struct io_event`. */
export interface IoEvent {
  /** From the request. */
  data: number;
  /** Bytes, or a negative errno. */
  res: number;
}

/**
 * A request in the kernel: `struct kiocb`.
 *
 * @example
 * ```ts
 * import { Kernel } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const iocb = new Kernel().aio.cache.alloc();
 * assertEquals(iocb?.isSync, true);
 * ```
 */
export class Kiocb extends SlabObject {
  /** The open file. */
  kiFilp!: File;
  /** The ring its event goes to; null when a system call waits for it. */
  kiCtx: Kioctx | null = null;
  /** Position in the file. */
  kiPos = 0;
  /** Comes back with the event. */
  kiData = 0;
  /** The filesystem's own, from submission to `end_io`. */
  private: unknown = null;
  /** The user's buffer. */
  readonly iter: IovIter = new IovIter();
  /** What the callback reported for a request that is waited for. */
  syncResult: number = -EIOCBQUEUED;

  /** Whether a system call waits for it: `is_sync_kiocb()`. */
  get isSync(): boolean {
    return this.kiCtx === null;
  }

  /** Whether a write of it has to be stable when it is reported. */
  get needsSync(): boolean {
    return (this.kiFilp.fFlags & O_DSYNC) !== 0 || this.kiFilp.fInode.sync;
  }
}

/**
 * A completion ring: `struct kioctx`. Made by
 * {@linkcode AioCore.ioSetup}.
 *
 * @example
 * ```ts
 * import { Kernel } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const ring = new Kernel().aio.ioSetup(8);
 * assertEquals([ring.nrEvents, ring.available], [8, 8]);
 * ```
 */
export class Kioctx {
  /** How many events it holds. */
  readonly nrEvents: number;
  /** Slots that no request has taken. */
  available: number;
  /** Guards the tail. */
  readonly completionLock: SpinLock;
  /** Who waits for events. */
  readonly wait: WaitQueue;
  /** Events ever put into the ring. */
  tail = 0;
  /** Events ever taken out of it. */
  head = 0;
  /** The step before the tail is read. */
  readonly tailReadStep: Step;
  /** The step before the tail is written. */
  readonly tailStep: Step;
  /** The slots, a power of two of them. */
  readonly ring: IoEvent[] = [];
  /** Identities of the requests behind the slots, for traces. */
  readonly ids: number[] = [];

  /**
   * Makes an empty ring.
   *
   * @param kernel The kernel.
   * @param nrEvents How many events it holds.
   */
  constructor(kernel: Kernel, nrEvents: number) {
    this.nrEvents = nrEvents;
    this.available = nrEvents;
    this.completionLock = new SpinLock(kernel, "completion_lock");
    this.wait = new WaitQueue(kernel, "an event on the completion ring");
    const addr = kernel.newAddr();
    this.tailReadStep = readStep(addr);
    this.tailStep = writeStep(addr);
    for (let i = 0; i < 1 << Math.ceil(Math.log2(nrEvents)); i++) {
      this.ring.push({ data: 0, res: 0 });
      this.ids.push(0);
    }
  }
}

/**
 * fs/aio.c.
 *
 * @example
 * ```ts
 * import { AioCore, Kernel } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new Kernel().aio instanceof AioCore, true);
 * ```
 */
export class AioCore {
  /** Where requests come from. */
  readonly cache: KmemCache<Kiocb>;
  readonly #kernel: Kernel;
  readonly #syncWait: WaitQueue;

  /**
   * Makes the cache of a kernel.
   *
   * @param kernel The kernel.
   */
  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.cache = new KmemCache(kernel, "kiocb", () => new Kiocb());
    this.#syncWait = new WaitQueue(kernel, "a synchronous kiocb to complete");
  }

  /**
   * `io_setup()`.
   *
   * @param nrEvents How many requests may be in flight.
   * @returns The ring.
   */
  ioSetup(nrEvents: number): Kioctx {
    return new Kioctx(this.#kernel, nrEvents);
  }

  /**
   * `io_submit()` of one request.
   *
   * @param ring Where the event goes.
   * @param request What is asked for.
   * @returns 1, or `-EAGAIN` when the ring has no free slot.
   */
  *ioSubmit(ring: Kioctx, request: IoControlBlock): Task<number> {
    return yield* finish(this.ioSubmitOne(ring, request));
  }

  /**
   * `io_submit_one()`: what {@linkcode ioSubmit} does, without a task as long
   * as nothing has to be waited for.
   *
   * @param ring Where the event goes.
   * @param request What is asked for.
   * @returns 1, or `-EAGAIN` when the ring has no free slot.
   */
  ioSubmitOne(ring: Kioctx, request: IoControlBlock): MaybeTask<number> {
    const kernel = this.#kernel;
    const iocb = ring.available > 0 ? this.cache.alloc() : null;
    if (iocb === null) return -EAGAIN;
    ring.available--;
    this.#init(iocb, ring, request.file, request.offset, request.iov);
    iocb.kiData = request.data;
    if (kernel.tracing) {
      kernel.emit(
        EV.io_submit,
        iocb.id,
        request.file.fInode.iIno,
        request.rw,
        request.offset,
        iocb.iter.count,
      );
    }
    const ret = rwFile(iocb, request.rw);
    if (ret === -EIOCBQUEUED) return 1;
    if (kernel.stepping || typeof ret !== "number") {
      return this.#submitLater(iocb, ret);
    }
    this.complete(iocb, ret);
    return 1;
  }

  *#submitLater(iocb: Kiocb, later: MaybeTask<number>): Task<number> {
    const ret = yield* finish(later);
    if (ret !== -EIOCBQUEUED) yield* this.aioComplete(iocb, ret);
    return 1;
  }

  /**
   * `aio_complete()`: puts the event on the ring, frees the request and wakes
   * who waits for events. Runs in any context.
   *
   * @param iocb The request.
   * @param res Bytes, or a negative errno.
   */
  *aioComplete(iocb: Kiocb, res: number): Task<void> {
    const kernel = this.#kernel;
    const ring = use(iocb).kiCtx;
    if (!kernel.stepping || ring === null) return this.complete(iocb, res);
    const lock = ring.completionLock;
    yield lock.request(kernel);
    lock.take(kernel, true);
    yield ring.tailStep;
    this.#publish(ring, iocb, res);
    lock.unlock(kernel);
    this.cache.free(iocb);
    yield ring.wait.step;
    ring.wait.wakeUp(kernel);
  }

  /**
   * `aio_complete()` for code that nobody decides about step by step.
   *
   * @param iocb The request.
   * @param res Bytes, or a negative errno.
   */
  complete(iocb: Kiocb, res: number): void {
    const kernel = this.#kernel;
    const ring = use(iocb).kiCtx;
    if (ring === null) {
      iocb.syncResult = res;
      this.#syncWait.wakeUp(kernel);
      return;
    }
    this.#publish(ring, iocb, res);
    this.cache.free(iocb);
    ring.wait.wakeUp(kernel);
  }

  #publish(ring: Kioctx, iocb: Kiocb, res: number): void {
    const slot = ring.tail & (ring.ring.length - 1);
    const event = ring.ring[slot] as IoEvent;
    event.data = use(iocb).kiData;
    event.res = res;
    ring.ids[slot] = iocb.id;
    ring.tail++;
    const kernel = this.#kernel;
    if (kernel.tracing) kernel.emit(EV.aio_complete, iocb.id, res);
  }

  /**
   * `io_getevents()`: waits for events and takes them off the ring.
   *
   * @param ring The ring.
   * @param min How many to wait for.
   * @param out Gets the events that were taken, as many as there are.
   * @returns How many were taken.
   */
  *ioGetevents(ring: Kioctx, min: number, out: IoEvent[]): Task<number> {
    const kernel = this.#kernel;
    for (;;) {
      if (kernel.stepping) yield ring.wait.step;
      ring.wait.prepareToWait(kernel);
      if (kernel.stepping) yield ring.tailReadStep;
      if (ring.tail - ring.head >= min) break;
      kernel.mightSleep("io_getevents");
      yield SCHEDULE;
    }
    ring.wait.finishWait(kernel);
    let taken = 0;
    for (; ring.head < ring.tail; ring.head++) {
      const slot = ring.head & (ring.ring.length - 1);
      const { data, res } = ring.ring[slot] as IoEvent;
      const event = out[taken];
      if (event === undefined) out[taken] = { data, res };
      else {
        event.data = data;
        event.res = res;
      }
      if (kernel.tracing) {
        kernel.emit(EV.io_getevents, ring.ids[slot] as number, res);
      }
      ring.available++;
      taken++;
    }
    return taken;
  }

  /**
   * `pread()` or `pwrite()`: a transfer that the system call waits for.
   *
   * @param file The open file.
   * @param rw Direction.
   * @param iov The buffer.
   * @param offset First byte in the file.
   * @returns Bytes, or a negative errno.
   */
  *syncRw(
    file: File,
    rw: Rw,
    iov: readonly Iovec[],
    offset: number,
  ): Task<number> {
    const iocb = this.cache.alloc();
    if (iocb === null) return -EAGAIN;
    this.#init(iocb, null, file, offset, iov);
    let ret = yield* finish(rwFile(iocb, rw));
    if (ret === -EIOCBQUEUED) ret = yield* this.#waitOnSyncKiocb(iocb);
    this.cache.free(iocb);
    return ret;
  }

  *#waitOnSyncKiocb(iocb: Kiocb): Task<number> {
    const kernel = this.#kernel;
    const queue = this.#syncWait;
    kernel.mightSleep("wait_on_sync_kiocb");
    for (;;) {
      if (kernel.stepping) yield queue.step;
      queue.prepareToWait(kernel);
      if (iocb.syncResult !== -EIOCBQUEUED) break;
      yield SCHEDULE;
    }
    queue.finishWait(kernel);
    return iocb.syncResult;
  }

  #init(
    iocb: Kiocb,
    ring: Kioctx | null,
    file: File,
    offset: number,
    iov: readonly Iovec[],
  ): void {
    iocb.kiFilp = file;
    iocb.kiCtx = ring;
    iocb.kiPos = offset;
    iocb.kiData = 0;
    iocb.private = null;
    iocb.syncResult = -EIOCBQUEUED;
    iocb.iter.reset(iov);
  }
}

/** The file operation of a request. */
function rwFile(iocb: Kiocb, rw: Rw): MaybeTask<number> {
  const { fs } = iocb.kiFilp.fInode.iSb;
  const own = rw === WRITE ? fs.aioWrite : fs.aioRead;
  if (own !== undefined) return own.call(fs, iocb, iocb.iter);
  return rw === READ ? genericFileAioRead(iocb) : genericFileAioWrite(iocb);
}

/**
 * The end of asynchronous requests: completion rings, and who takes events out
 * of them.
 *
 * Source: fs/aio.c.
 *
 * @module
 */

import type { Kiocb } from "./aio.ts";
import { TASK_RUNNING } from "./context.ts";
import { EV } from "./events.ts";
import { fput } from "./file.ts";
import { sbEndWrite } from "./freeze.ts";
import { IOCB_HIPRI } from "./iocb_flags.ts";
import type { Kernel } from "./kernel.ts";
import { type IoEvent, Kioctx } from "./kioctx.ts";
import { type KmemCache, use } from "./slab.ts";
import { SCHEDULE, type Task } from "./step.ts";
import { WaitQueue } from "./wait.ts";

/**
 * The part of fs/aio.c that completes.
 *
 * @example
 * ```ts
 * import { type AioRings, type IoEvent, Kernel } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const aio: AioRings = kernel.aio;
 * const events: IoEvent[] = [];
 * kernel.spawn("fio", aio.ioGetevents(aio.ioSetup(4), 0, events));
 * kernel.run();
 * assertEquals(events, []);
 * ```
 */
export class AioRings {
  /** Where requests come from. */
  readonly cache: KmemCache<Kiocb>;
  /** The kernel. */
  protected readonly kernel: Kernel;
  /** System calls that wait for a request of theirs. */
  protected readonly syncWait: WaitQueue;

  /**
   * Binds it to a kernel.
   *
   * @param kernel The kernel.
   * @param cache Where requests come from.
   */
  constructor(kernel: Kernel, cache: KmemCache<Kiocb>) {
    this.kernel = kernel;
    this.cache = cache;
    this.syncWait = new WaitQueue(kernel, "a synchronous kiocb to complete");
  }

  /**
   * `io_setup()`.
   *
   * @param nrEvents How many requests may be in flight.
   * @returns The ring.
   */
  ioSetup(nrEvents: number): Kioctx {
    return new Kioctx(this.kernel, nrEvents);
  }

  /**
   * `aio_complete()`: puts the event on the ring, frees the request and wakes
   * who waits for events. Runs in any context.
   *
   * @param iocb The request.
   * @param res Bytes, or a negative errno.
   */
  *aioComplete(iocb: Kiocb, res: number): Task<void> {
    const kernel = this.kernel;
    const ring = use(iocb).kiCtx;
    if (!kernel.stepping) return this.complete(iocb, res);
    if (ring === null) {
      yield this.syncWait.step;
      return this.complete(iocb, res);
    }
    const lock = ring.completionLock;
    yield lock.request(kernel);
    lock.take(kernel, true);
    yield ring.tailStep;
    this.#publish(ring, iocb, res);
    lock.unlock(kernel);
    const rest = this.free(iocb);
    if (rest !== null) yield* rest;
    yield ring.wait.wakeStep;
    ring.wait.wakeUp(kernel);
  }

  /**
   * `aio_complete()` for code that nobody decides about step by step.
   *
   * @param iocb The request.
   * @param res Bytes, or a negative errno.
   */
  complete(iocb: Kiocb, res: number): void {
    const kernel = this.kernel;
    const ring = use(iocb).kiCtx;
    if (ring === null) {
      iocb.syncResult = res;
      this.syncWait.wakeUp(kernel);
      return;
    }
    this.#publish(ring, iocb, res);
    // Nobody decides about steps, so there is nothing to stop at.
    this.free(iocb)?.next();
    ring.wait.wakeUp(kernel);
  }

  /**
   * `kiocb_free()`: the request lets go of what it pins.
   *
   * @param iocb The request.
   * @returns What is left to be run in this context, or null.
   */
  protected free(iocb: Kiocb): Task<unknown> | null {
    const { kiFilp } = iocb;
    this.cache.free(iocb);
    return fput(kiFilp);
  }

  #publish(ring: Kioctx, iocb: Kiocb, res: number): void {
    if (use(iocb).kiFreeze) sbEndWrite(iocb.kiFilp.fInode.iSb);
    const slot = ring.tail & (ring.ring.length - 1);
    const event = ring.ring[slot] as IoEvent;
    event.data = iocb.kiData;
    event.res = res;
    ring.ids[slot] = iocb.id;
    if ((iocb.kiFlags & IOCB_HIPRI) !== 0) stopPolling(ring, iocb);
    ring.tail++;
    ring.completed++;
    const { kernel } = this;
    if (kernel.tracing) kernel.emit(EV.aio_complete, iocb.id, res);
  }

  /**
   * `io_getevents()`: waits for events and takes them off the ring. Requests
   * that are polled for are looked for first, as io_uring does; fs/aio.c never
   * learned it.
   *
   * @param ring The ring.
   * @param min How many to wait for.
   * @param out Gets the events that were taken, as many as there are.
   * @returns How many were taken.
   */
  *ioGetevents(ring: Kioctx, min: number, out: IoEvent[]): Task<number> {
    const kernel = this.kernel;
    for (let taken = 0;;) {
      if (kernel.stepping) yield ring.wait.step;
      ring.wait.prepareToWait(kernel);
      if (kernel.stepping) {
        yield ring.slotsStep;
        kernel.touch(ring.tailReadStep);
      }
      taken = this.#read(ring, out, taken);
      ring.refill();
      if (taken >= min) {
        ring.wait.finishWait(kernel);
        return taken;
      }
      const found = iopoll(ring);
      if (found !== null) {
        ring.wait.finishWait(kernel);
        yield* found;
        continue;
      }
      // Who was woken meanwhile would come back at once.
      kernel.touch(ring.wait.wakeStep);
      if (kernel.current.state === TASK_RUNNING) continue;
      kernel.mightSleep("io_getevents");
      yield SCHEDULE;
    }
  }

  /**
   * What user space does without a system call: takes the events that it finds
   * in the ring. Their slots are given back when the kernel looks at it next.
   *
   * @param ring The ring.
   * @param out Gets the events that were taken.
   * @returns How many were taken.
   */
  *userReap(ring: Kioctx, out: IoEvent[]): Task<number> {
    const kernel = this.kernel;
    if (kernel.stepping) {
      yield ring.slotsStep;
      kernel.touch(ring.tailReadStep);
    }
    return this.#read(ring, out, 0);
  }

  /** Takes all events off the ring. */
  #read(ring: Kioctx, out: IoEvent[], already: number): number {
    const kernel = this.kernel;
    let taken = already;
    for (; ring.head < ring.tail; ring.head++, taken++) {
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
    }
    return taken;
  }
}

function stopPolling({ polled }: Kioctx, iocb: Kiocb): void {
  polled.splice(polled.indexOf(iocb), 1);
}

/** Looks for the ends of the requests of a ring that are polled for. */
function iopoll({ polled }: Kioctx): Task<unknown> | null {
  for (let i = 0; i < polled.length; i++) {
    const iocb = polled[i] as Kiocb;
    const found = iocb.kiFilp.fInode.iSb.fs.iopoll?.(iocb) ?? null;
    if (found !== null) return found;
  }
  return null;
}

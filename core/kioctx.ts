/**
 * Completion rings: where asynchronous requests put their events.
 *
 * Source: fs/aio.c.
 *
 * @module
 */

import type { Kiocb } from "./aio.ts";
import type { Kernel } from "./kernel.ts";
import { SpinLock } from "./lock.ts";
import { readStep, type Step, writeStep } from "./step.ts";
import { WaitQueue } from "./wait.ts";

/** What user space gets: `struct io_event`. */
export interface IoEvent {
  /** From the request. */
  data: number;
  /** Bytes, or a negative errno. */
  res: number;
}

/**
 * A completion ring: `struct kioctx`. Made by
 * `AioCore.ioSetup()`.
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
  /** Events that were put into the ring and whose slots were not given back. */
  completed = 0;
  /** The step before slots are taken, or events: whose slots are given back. */
  readonly slotsStep: Step;
  /** Requests in flight whose ends are looked for, not interrupted for. */
  readonly polled: Kiocb[] = [];
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
    this.wait = new WaitQueue(kernel, "an event on the completion ring", {
      state: () => `${this.nrEvents - this.available} requests not reaped`,
    });
    const addr = kernel.newAddr(2);
    this.tailReadStep = readStep(addr);
    this.tailStep = writeStep(addr);
    this.slotsStep = writeStep(addr + 1);
    for (let i = 0; i < 1 << Math.ceil(Math.log2(nrEvents)); i++) {
      this.ring.push({ data: 0, res: 0 });
      this.ids.push(0);
    }
  }

  /**
   * `refill_reqs_available()`: gives back the slots of events that somebody
   * has taken, by a system call or by looking into the ring.
   */
  refill(): void {
    const taken = this.completed - (this.tail - this.head);
    this.completed -= taken;
    this.available += taken;
  }
}

/**
 * Wait queues, after the kernel's own protocol: a sleeper first puts itself
 * on the queue, then tests its condition, then calls `schedule()`. A wake-up
 * that comes in between makes it runnable again, so none can be lost.
 *
 * ```ts ignore
 * for (;;) {
 *   if (kernel.stepping) yield queue.step;
 *   queue.prepareToWait(kernel);
 *   if (kernel.stepping) yield readStep(counter.addr);
 *   if (counter.value === 0) break;
 *   yield SCHEDULE;
 * }
 * queue.finishWait(kernel);
 * ```
 *
 * @module
 */

import {
  type Context,
  TASK_RUNNING,
  TASK_UNINTERRUPTIBLE,
  type WaitTarget,
} from "./context.ts";
import { type Step, writeStep } from "./step.ts";

/** What a wait queue needs from its kernel. */
export interface WaitHost {
  /** Who is running. */
  readonly current: Context;
  /** A fresh step address. */
  newAddr(count?: number): number;
  /** Makes a sleeping context runnable. */
  wakeUpProcess(ctx: Context): boolean;
}

/**
 * A queue of contexts that wait for a condition.
 *
 * @example
 * ```ts
 * import { Kernel, SCHEDULE, WaitQueue } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const queue = new WaitQueue(kernel, "door");
 * let open = false;
 * kernel.spawn("guest", (function* () {
 *   for (;;) {
 *     queue.prepareToWait(kernel);
 *     if (open) break;
 *     yield SCHEDULE;
 *   }
 *   queue.finishWait(kernel);
 * })());
 * kernel.spawn("host", (function* () {
 *   open = true;
 *   queue.wakeUp(kernel);
 * })());
 * assertEquals(kernel.run().hung, null);
 * ```
 */
export class WaitQueue implements WaitTarget {
  /** What is waited for, shown in reports. */
  readonly name: string;
  /** The step before the queue is touched. */
  readonly step: Step;
  readonly #waiters: Context[] = [];

  /**
   * Makes an empty queue.
   *
   * @param host The kernel.
   * @param name What is waited for, e.g. `i_dio_count of inode 12 to drop to 0`.
   */
  constructor(host: WaitHost, name: string) {
    this.name = name;
    this.step = writeStep(host.newAddr());
  }

  /** Whether somebody is on the queue. */
  get active(): boolean {
    return this.#waiters.length > 0;
  }

  /**
   * `prepare_to_wait()`: puts the running context on the queue and marks it
   * as sleeping, which takes effect at the next `schedule()`.
   *
   * @param host The kernel.
   */
  prepareToWait(host: WaitHost): void {
    const ctx = host.current;
    if (!this.#waiters.includes(ctx)) this.#waiters.push(ctx);
    ctx.state = TASK_UNINTERRUPTIBLE;
    ctx.waitingOn = this;
  }

  /**
   * `finish_wait()`: takes the running context off the queue.
   *
   * @param host The kernel.
   */
  finishWait(host: WaitHost): void {
    const ctx = host.current;
    const waiters = this.#waiters;
    const at = waiters.indexOf(ctx);
    if (at === waiters.length - 1) waiters.pop();
    else if (at >= 0) waiters.splice(at, 1);
    ctx.state = TASK_RUNNING;
    ctx.waitingOn = null;
  }

  /**
   * `wake_up()`: makes everybody on the queue test the condition again.
   *
   * @param host The kernel.
   */
  wakeUp(host: WaitHost): void {
    const waiters = this.#waiters;
    for (let i = 0; i < waiters.length; i++) {
      host.wakeUpProcess(waiters[i] as Context);
    }
  }

  /**
   * Says what is waited for.
   *
   * @returns The queue's name.
   */
  describe(): string {
    return this.name;
  }
}

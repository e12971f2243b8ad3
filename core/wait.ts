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
  type Wake,
} from "./context.ts";
import { readStep, type Step, writeStep } from "./step.ts";

/** What a wait queue needs from its kernel. */
export interface WaitHost {
  /** The time in nanoseconds. */
  readonly now: number;
  /** Who is running. */
  readonly current: Context;
  /** A fresh step address. */
  newAddr(count?: number): number;
  /** Makes a sleeping context runnable. */
  wakeUpProcess(ctx: Context): boolean;
  /** Tells whoever follows the steps what is touched. */
  touch(step: Step): void;
}

/** What reports of a wait that never ends say about it. */
export interface WaitCondition {
  /** How the condition stands: `it is 1`. */
  state?(): string;
  /** Who has to go on before it holds, as far as that is known. */
  blockers?(): Iterable<Context>;
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
  /** The step before somebody goes on the queue. */
  readonly step: Step;
  /**
   * The step before a wake-up. It only reads: wake-ups that find nobody asleep
   * do not disturb each other. One that wakes somebody says so by itself.
   */
  readonly wakeStep: Step;
  readonly #waiters: Context[] = [];
  readonly #condition: WaitCondition | null;
  #wokenAt = 0;
  #wokenBy: Context | null = null;

  /**
   * Makes an empty queue.
   *
   * @param host The kernel.
   * @param name What is waited for, e.g. `i_dio_count of inode 12 to drop to 0`.
   * @param condition Tells more about it, for reports.
   */
  constructor(host: WaitHost, name: string, condition?: WaitCondition) {
    this.name = name;
    const addr = host.newAddr();
    this.step = writeStep(addr);
    this.wakeStep = readStep(addr);
    this.#condition = condition ?? null;
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
    // A wake-up that comes now finds nobody any more.
    if (at >= 0) host.touch(this.step);
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
    this.#wokenAt = host.now;
    this.#wokenBy = host.current;
    const waiters = this.#waiters;
    let touched = this.wakeStep;
    for (let i = 0; i < waiters.length; i++) {
      if (host.wakeUpProcess(waiters[i] as Context)) touched = this.step;
    }
    host.touch(touched);
  }

  /** The wake-up that was sent last, null when there was none. */
  get lastWake(): Wake | null {
    const by = this.#wokenBy;
    return by && { at: this.#wokenAt, by: by.label };
  }

  /**
   * Says what is waited for.
   *
   * @returns The queue's name and, if that is known, how its condition stands
   * and who has to go on.
   */
  describe(): string {
    const state = this.#condition?.state?.();
    const who = [...this.blockers()].map(({ label }) => label).join(", ");
    return this.name + (state === undefined ? "" : ` (${state})`) +
      (who && `, which is up to ${who}`);
  }

  /**
   * Who has to go on before the condition holds.
   *
   * @returns The contexts, none if that is not known.
   */
  blockers(): Iterable<Context> {
    return this.#condition?.blockers?.() ?? [];
  }
}

/**
 * Work items: what a workqueue runs.
 *
 * Source: include/linux/workqueue.h.
 *
 * @module
 */

import type { Task } from "./step.ts";

/**
 * A piece of work: `struct work_struct`.
 *
 * @example
 * ```ts
 * import { WorkItem } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const work = new WorkItem();
 * work.init("flush", function* () {});
 * assertEquals([work.fnName, work.pending], ["flush", false]);
 * ```
 */
export class WorkItem {
  /** Identity in traces. */
  id = 0;
  /** Name of the function. */
  fnName = "";
  /** What it does. */
  fn: (() => Task<void>) | null = null;
  /** Whether it has been queued and has not begun to run. */
  pending = false;
  /** Identity of the dio it completes, for traces; 0 when none. */
  dioId = 0;
  /** Its step address; 0 before it was queued under a strategy that asks. */
  addr = 0;

  /**
   * `INIT_WORK()`.
   *
   * @param fnName Name of the function, for traces.
   * @param fn What it does.
   */
  init(fnName: string, fn: () => Task<void>): void {
    this.fnName = fnName;
    this.fn = fn;
    this.pending = false;
  }
}

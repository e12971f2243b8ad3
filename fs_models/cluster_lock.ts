/**
 * A lock of a cluster filesystem: held by a node, not by a thread, so that
 * whoever ends a request can let go of what its submitter took.
 *
 * One node is modelled. What is left of the lock then is who on this node may
 * be inside together.
 *
 * Source: fs/ocfs2/dlmglue.c.
 *
 * @module
 */

import {
  type Kernel,
  KernelBug,
  SCHEDULE,
  type Step,
  type Task,
  WaitQueue,
  writeStep,
} from "../core/mod.ts";

/** The lock is held shared: `DLM_LOCK_PR`. */
export const LEVEL_SHARED = 0 as const;
/** The lock is held exclusively: `DLM_LOCK_EX`. */
export const LEVEL_EXCLUSIVE = 1 as const;
/** How a lock is held. */
export type LockLevel = typeof LEVEL_SHARED | typeof LEVEL_EXCLUSIVE;

/**
 * A cluster lock: `struct ocfs2_lock_res`.
 *
 * @example
 * ```ts
 * import { Kernel } from "@endio/dio/core";
 * import { ClusterLock, LEVEL_EXCLUSIVE } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const lock = new ClusterLock(kernel, "rw lock of inode 12");
 * kernel.spawn("a", (function* () {
 *   yield* lock.lock(LEVEL_EXCLUSIVE);
 *   kernel.raise("softirq", { irq: () => lock.unlock(LEVEL_EXCLUSIVE) }, null);
 * })());
 * kernel.run();
 * assertEquals(lock.holders, 0);
 * ```
 */
export class ClusterLock {
  /** What messages call it. */
  readonly name: string;
  readonly #kernel: Kernel;
  readonly #wait: WaitQueue;
  readonly #step: Step;
  readonly #held: [shared: number, exclusive: number] = [0, 0];

  /**
   * Makes a lock that nobody holds.
   *
   * @param kernel The kernel.
   * @param name What messages call it.
   */
  constructor(kernel: Kernel, name: string) {
    this.#kernel = kernel;
    this.name = name;
    this.#wait = new WaitQueue(kernel, name);
    this.#step = writeStep(kernel.newAddr());
  }

  /** How many hold it, at any level. */
  get holders(): number {
    return this.#held[LEVEL_SHARED] + this.#held[LEVEL_EXCLUSIVE];
  }

  /**
   * `ocfs2_cluster_lock()`: may sleep.
   *
   * @param level How it is to be held.
   */
  *lock(level: LockLevel): Task<void> {
    const kernel = this.#kernel;
    kernel.mightSleep("ocfs2_cluster_lock");
    for (;;) {
      if (kernel.stepping) yield this.#wait.step;
      this.#wait.prepareToWait(kernel);
      if (kernel.stepping) yield this.#step;
      const inTheWay = level === LEVEL_EXCLUSIVE
        ? this.holders
        : this.#held[LEVEL_EXCLUSIVE];
      if (inTheWay === 0) break;
      yield SCHEDULE;
    }
    this.#held[level]++;
    this.#wait.finishWait(kernel);
  }

  /**
   * `ocfs2_cluster_unlock()`: in any context, by anybody.
   *
   * @param level How it is held.
   * @throws {KernelBug} If nobody holds it so.
   */
  *unlock(level: LockLevel): Task<void> {
    const kernel = this.#kernel;
    if (kernel.stepping) yield this.#step;
    if (this.#held[level] === 0) {
      throw new KernelBug(
        "lock-handover/unlock-by-owner",
        this.name,
        `${this.name} is released by ${kernel.current.label} but nobody holds it at level ${level}`,
      );
    }
    this.#held[level]--;
    if (kernel.stepping) yield this.#wait.wakeStep;
    this.#wait.wakeUp(kernel);
  }
}

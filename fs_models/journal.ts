/**
 * A journal, as far as completions meet one: transactions that sleep, and
 * that can fail.
 *
 * @module
 */

import {
  ENOMEM,
  type Kernel,
  KernelBug,
  type Step,
  type Task,
  writeStep,
} from "../core/mod.ts";
import type { BlockAllocator } from "./extent_map.ts";

/** Blocks that become free with the next commit. */
interface FreedBlocks {
  readonly device: number;
  readonly count: number;
  readonly allocator: BlockAllocator;
}

/**
 * A journal. Several transactions may be open at once, as in jbd2.
 *
 * @example
 * ```ts
 * import { Kernel } from "@endio/dio/core";
 * import { Journal } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const journal = new Journal(kernel);
 * kernel.spawn("a", (function* () {
 *   assertEquals(yield* journal.start(), 0);
 *   journal.stop();
 * })());
 * kernel.run();
 * assertEquals(journal.open, 0);
 * ```
 */
export class Journal {
  /** Transactions that are open. */
  open = 0;
  /** Whether one could not be started: the rest is left to the next `fsck`. */
  hasFailed = false;
  readonly #kernel: Kernel;
  readonly #step: Step;
  readonly #startNs: number;
  readonly #toFree: FreedBlocks[] = [];

  /**
   * Makes a journal.
   *
   * @param kernel The kernel.
   * @param startNs How long the start of a transaction sleeps, in virtual
   * time.
   */
  constructor(kernel: Kernel, startNs: number = 0) {
    this.#kernel = kernel;
    this.#step = writeStep(kernel.newAddr());
    this.#startNs = startNs;
  }

  /**
   * `jbd2_journal_start()`: may sleep, and fails when the kernel was told that
   * the allocation of a `jbd2_handle` does.
   *
   * @returns 0 or `-ENOMEM`.
   */
  *start(): Task<number> {
    const kernel = this.#kernel;
    kernel.mightSleep("jbd2_journal_start");
    if (this.#startNs > 0) yield* kernel.sleep(this.#startNs);
    if (kernel.shouldFailAlloc("jbd2_handle")) {
      this.hasFailed = true;
      return -ENOMEM;
    }
    if (kernel.stepping) yield this.#step;
    this.open++;
    return 0;
  }

  /**
   * `jbd2_journal_start_reserved()`: may sleep, but its space and its memory
   * were set aside before.
   *
   * @returns 0.
   */
  *startReserved(): Task<number> {
    const kernel = this.#kernel;
    kernel.mightSleep("jbd2_journal_start_reserved");
    if (this.#startNs > 0) yield* kernel.sleep(this.#startNs);
    if (kernel.stepping) yield this.#step;
    this.open++;
    return 0;
  }

  /** `jbd2_journal_stop()`. */
  stop(): void {
    this.open--;
  }

  /**
   * `jbd2_journal_destroy()`: at the end of a mount.
   *
   * @throws {KernelBug} If a transaction is still open.
   */
  destroy(): void {
    if (this.open === 0) return;
    throw new KernelBug(
      "completion-resources/transactions-closed",
      "journal",
      `the journal goes with ${this.open} transactions still open`,
    );
  }

  /**
   * `ext4_free_blocks()`: blocks go back to the allocator when the
   * transaction that frees them commits, or a crash could bring back a file
   * whose blocks have another owner.
   *
   * @param extents The blocks.
   * @param allocator Where they go.
   */
  freeOnCommit(
    extents: readonly { readonly device: number; readonly count: number }[],
    allocator: BlockAllocator,
  ): void {
    this.#kernel.touch(this.#step);
    for (const { device, count } of extents) {
      this.#toFree.push({ device, count, allocator });
    }
  }

  /**
   * `jbd2_journal_force_commit()`: may sleep.
   *
   * @returns Whether that freed any blocks.
   */
  *forceCommit(): Task<boolean> {
    const kernel = this.#kernel;
    kernel.mightSleep("jbd2_journal_force_commit");
    if (kernel.stepping) yield this.#step;
    const freed = this.#toFree.splice(0);
    for (const { device, count, allocator } of freed) {
      allocator.free(device, count);
    }
    return freed.length > 0;
  }
}

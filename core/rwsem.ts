/**
 * Read-write semaphores.
 *
 * Source: kernel/rwsem.c.
 *
 * @module
 */

import { invariant, KernelBug } from "./bug.ts";
import type { Context } from "./context.ts";
import { Lock, type LockHost } from "./lock.ts";
import { STEP_LOCK, type Task } from "./step.ts";

/**
 * A sleeping lock with one writer or many readers.
 *
 * @example
 * ```ts
 * import { Kernel, RwSemaphore } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const sem = new RwSemaphore(kernel, "i_data_sem");
 * kernel.spawn("a", sem.downRead(kernel));
 * kernel.spawn("b", sem.downRead(kernel));
 * kernel.run();
 * assertEquals(sem.readers, 2);
 * ```
 */
export class RwSemaphore extends Lock {
  /** How many hold it shared. */
  readers = 0;
  readonly #writersAsking: Set<Context> = new Set();
  /** Who took it shared, for reports; somebody else may release it. */
  readonly #holders: Context[] = [];
  /**
   * What a reader lets go of and only a writer takes: one reader does not have
   * to come after another one has gone.
   */
  readonly #readersStep: number;

  /**
   * Makes a semaphore that nobody holds.
   *
   * @param host The kernel.
   * @param name Its name, shown in reports.
   */
  constructor(host: LockHost, name: string) {
    super(host, name);
    this.#readersStep = host.newAddr() * 4 + STEP_LOCK;
  }

  /** Whether a holder is in the way of this context. */
  override blocks(ctx: Context): boolean {
    return this.owner !== null ||
      (this.readers > 0 && this.#writersAsking.has(ctx));
  }

  /** Who holds it, exclusively or shared. */
  override blockers(): readonly Context[] {
    return this.owner === null ? this.#holders : [this.owner];
  }

  /**
   * `down_read()`: shared; may sleep.
   *
   * @param host The kernel.
   */
  *downRead(host: LockHost): Task<void> {
    host.mightSleep("down_read");
    if (this.mustWait(host)) yield this.request(host);
    invariant(this.owner === null, "no writer when a reader comes in");
    host.current.waitingOn = null;
    this.#share(host);
  }

  /**
   * `up_read()`.
   *
   * @param host The kernel.
   * @throws {KernelBug} If nobody holds it shared.
   */
  upRead(host: LockHost): void {
    if (this.readers === 0) {
      throw new KernelBug(
        "lock-handover/unlock-by-owner",
        this.name,
        `${this.name} is released by ${host.current.label} but nobody holds it shared`,
      );
    }
    this.readers--;
    this.#unshare(host.current);
    if (this.readers === 0) this.wakeWaiters(host, this.#readersStep);
    else if (host.stepping) host.released(this.#readersStep);
  }

  /**
   * `down_write()`: exclusive; may sleep.
   *
   * @param host The kernel.
   */
  *downWrite(host: LockHost): Task<void> {
    host.mightSleep("down_write");
    const ctx = host.current;
    this.#writersAsking.add(ctx);
    if (this.mustWait(host)) yield this.request(host);
    if (host.stepping) host.touch(this.#readersStep);
    this.#writersAsking.delete(ctx);
    invariant(
      this.owner === null && this.readers === 0,
      "nobody is inside when a writer comes in",
    );
    this.holdBy(ctx);
    ctx.waitingOn = null;
  }

  /**
   * `up_write()`.
   *
   * @param host The kernel.
   * @throws {KernelBug} If the running context does not hold it.
   */
  upWrite(host: LockHost): void {
    this.disown(host);
  }

  /**
   * `downgrade_write()`: from exclusive to shared, with nobody in between.
   *
   * @param host The kernel.
   * @throws {KernelBug} If the running context does not hold it.
   */
  downgradeWrite(host: LockHost): void {
    this.disown(host);
    this.#share(host);
  }

  #share(host: LockHost): void {
    this.readers++;
    this.#holders.push(host.current);
  }

  #unshare(ctx: Context): void {
    const last = this.#holders.pop() as Context;
    if (last === ctx) return;
    const at = this.#holders.lastIndexOf(ctx);
    if (at >= 0) this.#holders[at] = last;
  }
}

/**
 * Spinlocks and mutexes; read-write semaphores are in `rwsem.ts`.
 *
 * Taking a lock is a step: the context becomes runnable again only when the
 * lock can be had, and which waiter gets it is the strategy's choice. Hot
 * code writes the two halves itself,
 *
 * ```ts ignore
 * if (lock.mustWait(kernel)) yield lock.request(kernel);
 * lock.take(kernel);
 * ```
 *
 * and everything else calls `yield* lock.lock(kernel)`.
 *
 * @module
 */

import { InvariantError, KernelBug } from "./bug.ts";
import { type Context, TASK_DEAD, type WaitTarget } from "./context.ts";
import { STEP_LOCK, type Task } from "./step.ts";

/** What a lock needs from its kernel. */
export interface LockHost {
  /** Who is running. */
  readonly current: Context;
  /** Whether every step is decided about. */
  readonly stepping: boolean;
  /** A fresh step address. */
  newAddr(count?: number): number;
  /** Makes a context runnable that waited for a lock. */
  unpark(ctx: Context): void;
  /** Notes that code which may sleep is entered. */
  mightSleep(what: string): void;
  /** Tells whoever follows the steps that a lock is let go of. */
  released(step: number): void;
  /** Tells whoever follows the steps of one more access. */
  touch(step: number): void;
}

/**
 * What all locks share: who holds it, and who waits.
 *
 * @example
 * ```ts
 * import { Kernel, Lock, Mutex } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const lock: Lock = new Mutex(new Kernel(), "i_mutex");
 * assertEquals(lock.owner, null);
 * ```
 */
export abstract class Lock implements WaitTarget {
  /** The lock's name, e.g. `bio_lock`. */
  readonly name: string;
  /** Who holds it (exclusively), or null. */
  owner: Context | null = null;
  /** Contexts that wait until it can be had. */
  readonly waiters: Context[] = [];
  /** The step before it is taken. */
  readonly step: number;

  /**
   * Makes a lock that nobody holds.
   *
   * @param host The kernel.
   * @param name The lock's name, shown in reports.
   */
  constructor(host: LockHost, name: string) {
    this.name = name;
    this.step = host.newAddr() * 4 + STEP_LOCK;
  }

  /**
   * Whether a context that asks for the lock now has to wait.
   *
   * @param ctx Who asks.
   * @returns True when somebody else is in its way.
   */
  abstract blocks(ctx: Context): boolean;

  /**
   * Whether the taker must yield {@linkcode request} first: somebody is in
   * the way, or every step is decided about.
   *
   * @param host The kernel.
   * @returns True when the step is needed.
   */
  mustWait(host: LockHost): boolean {
    return host.stepping || this.blocks(host.current);
  }

  /**
   * The step before the lock is taken.
   *
   * @param host The kernel.
   * @returns The step to yield.
   */
  request(host: LockHost): number {
    host.current.waitingOn = this;
    return this.step;
  }

  /**
   * Says what it is and who holds it.
   *
   * @returns E.g. `spinlock bio_lock held by softirq on cpu 1`.
   */
  describe(): string {
    const holders = [...this.blockers()].map(({ label, state }) =>
      state === TASK_DEAD ? `${label}, which has ended` : label
    );
    return `${this.name} held by ${holders.join(" and ") || "nobody"}`;
  }

  /**
   * Who holds it.
   *
   * @returns The contexts that have to let go of it.
   */
  blockers(): readonly Context[] {
    return this.owner === null ? [] : [this.owner];
  }

  /**
   * Makes everybody who waits compete for the lock again.
   *
   * @param host The kernel.
   * @param step Whose takers come after this.
   */
  protected wakeWaiters(host: LockHost, step: number = this.step): void {
    const { waiters } = this;
    if (host.stepping) host.released(step);
    if (waiters.length === 0) return;
    for (const ctx of waiters) host.unpark(ctx);
    waiters.length = 0;
  }

  /**
   * Notes that a context holds the lock exclusively.
   *
   * @param ctx The context.
   */
  protected holdBy(ctx: Context): void {
    this.owner = ctx;
    ctx.locksHeld++;
    ctx.lastLock = this;
  }

  /**
   * Lets go of the lock that the running context holds exclusively.
   *
   * @param host The kernel.
   * @throws {KernelBug} If another context, or nobody, holds it.
   */
  protected disown(host: LockHost): void {
    if (this.owner !== host.current) this.#throwNotOwner(host);
    host.current.locksHeld--;
    this.owner = null;
    if (host.stepping || this.waiters.length > 0) this.wakeWaiters(host);
  }

  #throwNotOwner(host: LockHost): never {
    throw new KernelBug(
      "lock-handover/unlock-by-owner",
      this.name,
      `${this.name} is released by ${host.current.label} but held by ${
        this.owner?.label ?? "nobody"
      }`,
    );
  }
}

/**
 * A lock that one context holds at a time.
 *
 * @example
 * ```ts
 * import { ExclusiveLock, Kernel, SpinLock } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const lock: ExclusiveLock = new SpinLock(new Kernel(), "bio_lock");
 * assertEquals(lock.owner, null);
 * ```
 */
export abstract class ExclusiveLock extends Lock {
  /** Whether somebody holds it. */
  override blocks(_ctx: Context): boolean {
    return this.owner !== null;
  }

  /** As for every lock; without a virtual call here, it is that hot. */
  override mustWait(host: LockHost): boolean {
    return host.stepping || this.owner !== null;
  }

  /**
   * Makes the running context the owner of the lock, which must be free.
   *
   * @param host The kernel.
   */
  protected own(host: LockHost): void {
    if (this.owner !== null) {
      throw new InvariantError(`${this.name} is free when it is taken`);
    }
    this.holdBy(host.current);
    host.current.waitingOn = null;
  }
}

/**
 * A spinlock. Holding one forbids sleeping; the `irqsave` form also keeps
 * interrupts of the same processor away.
 *
 * @example
 * ```ts
 * import { Kernel, SpinLock } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const lock = new SpinLock(kernel, "list_lock");
 * let inside = 0;
 * function* body() {
 *   yield* lock.lock(kernel);
 *   inside++;
 *   lock.unlock(kernel);
 * }
 * kernel.spawn("a", body());
 * kernel.spawn("b", body());
 * kernel.run();
 * assertEquals(inside, 2);
 * ```
 */
export class SpinLock extends ExclusiveLock {
  #irqsave = false;

  /**
   * Takes the lock, which must be free: after {@linkcode request}.
   *
   * @param host The kernel.
   * @param irqsave Whether to disable interrupts on this processor as well.
   */
  take(host: LockHost, irqsave = false): void {
    const ctx = host.current;
    this.own(host);
    this.#irqsave = irqsave;
    ctx.atomicDepth++;
    if (irqsave) ctx.irqsOff++;
  }

  /**
   * `spin_lock()`.
   *
   * @param host The kernel.
   */
  *lock(host: LockHost): Task<void> {
    if (this.mustWait(host)) yield this.request(host);
    this.take(host);
  }

  /**
   * `spin_lock_irqsave()`: interrupts of this processor stay away until
   * {@linkcode unlock}.
   *
   * @param host The kernel.
   */
  *lockIrqsave(host: LockHost): Task<void> {
    if (this.mustWait(host)) yield this.request(host);
    this.take(host, true);
  }

  /**
   * Releases the lock, and restores interrupts if it disabled them.
   *
   * @param host The kernel.
   * @throws {KernelBug} If the running context does not hold it.
   */
  unlock(host: LockHost): void {
    const ctx = host.current;
    ctx.atomicDepth--;
    if (this.#irqsave) ctx.irqsOff--;
    this.disown(host);
  }
}

/**
 * A sleeping lock with one owner.
 *
 * @example
 * ```ts
 * import { Kernel, Mutex } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const mutex = new Mutex(kernel, "i_mutex");
 * kernel.spawn("a", mutex.lock(kernel));
 * kernel.run();
 * assertEquals(mutex.owner?.comm, "a");
 * ```
 */
export class Mutex extends ExclusiveLock {
  /**
   * Takes the mutex, which must be free: after {@linkcode request}.
   *
   * @param host The kernel.
   */
  take(host: LockHost): void {
    this.own(host);
  }

  /**
   * `mutex_lock()`: may sleep.
   *
   * @param host The kernel.
   */
  *lock(host: LockHost): Task<void> {
    host.mightSleep("mutex_lock");
    if (this.mustWait(host)) yield this.request(host);
    this.take(host);
  }

  /**
   * `mutex_unlock()`.
   *
   * @param host The kernel.
   * @throws {KernelBug} If the running context does not hold it.
   */
  unlock(host: LockHost): void {
    this.disown(host);
  }
}

/**
 * Whether a context has asked for a lock that it cannot have now.
 *
 * @param ctx The context.
 * @returns True when it has to wait.
 *
 * @example
 * ```ts
 * import { Context, waitsForLock } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(waitsForLock(new Context()), false);
 * ```
 */
export function waitsForLock(ctx: Context): boolean {
  return (ctx.step & 3) === STEP_LOCK && ctx.waitingOn instanceof Lock &&
    ctx.waitingOn.blocks(ctx);
}

/**
 * The simulated kernel: contexts that interleave on processors, virtual time,
 * interrupts, and the record of what happened.
 *
 * @module
 */

import { AioCore } from "./aio.ts";
import { BIO_MAX_PAGES, BioCaches } from "./bio.ts";
import { BioDirty } from "./bio_dirty.ts";
import { type Context, TASK_RUNNING } from "./context.ts";
import { waitsForLock } from "./lock.ts";
import { DirectIo } from "./dio_submit.ts";
import { EV } from "./events.ts";
import { OpenFile } from "./file.ts";
import type { AllocFault, KernelOptions } from "./kernel_options.ts";
import { UserMemory } from "./page.ts";
import { type Profile, profileOf } from "./profile.ts";
import { Scheduler } from "./scheduler.ts";
import { KmemCache, type LeakSource } from "./slab.ts";
import { SCHEDULE, type Step, type Task, writeStep } from "./step.ts";
import { TraceBuffer } from "./trace_buffer.ts";
import { Workqueue, WQ_DFL_ACTIVE } from "./workqueue.ts";

/** User memory of a kernel that is given none, in bytes. */
const DEFAULT_MEMORY = 1 << 20;

/**
 * One simulated kernel, for one run.
 *
 * @example
 * ```ts
 * import { Kernel } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel({ profile: "v6.1" });
 * const order: string[] = [];
 * kernel.spawn("a", (function* () {
 *   yield* kernel.sleep(500);
 *   order.push("a");
 * })());
 * kernel.spawn("b", (function* () {
 *   order.push("b");
 * })());
 * assertEquals(kernel.run().hung, null);
 * assertEquals(order, ["b", "a"]);
 * ```
 */
export class Kernel extends Scheduler {
  /** Whose semantics are in force. */
  readonly profile: Profile;
  /** Whether a trace is recorded. */
  readonly tracing: boolean;
  /** The trace. */
  readonly trace: TraceBuffer;
  /** The memory that user buffers are in. */
  readonly memory: UserMemory;
  /** fs/direct-io.c. */
  readonly directIo: DirectIo;
  /** fs/aio.c. */
  readonly aio: AioCore;
  /** Caches of the block layer. */
  readonly bios: BioCaches;
  /** Most pages in one bio. */
  readonly bioMaxPages: number;

  #bioDirty: BioDirty | null = null;
  #filps: KmemCache<OpenFile> | null = null;
  #systemWq: Workqueue | null = null;
  readonly #clock: (() => number) | null;
  readonly #caches: LeakSource[] = [];
  readonly #allocFaults: readonly AllocFault[] | null;
  readonly #allocCounts: Map<string, number> = new Map();
  /** The step of the counts. */
  readonly #allocStep: Step;
  #workqueues = 0;

  /**
   * Boots a kernel.
   *
   * @param options What differs from the defaults.
   */
  constructor(options: KernelOptions = {}) {
    super(options);
    this.profile = profileOf(options.profile ?? "v3.12");
    this.tracing = options.tracing ?? true;
    this.trace = options.trace ?? new TraceBuffer(options.traceLimit);
    this.#clock = options.clock ?? null;
    this.#allocFaults = options.allocFaults?.length
      ? options.allocFaults
      : null;
    this.#allocStep = writeStep(this.newAddr());
    this.memory = options.memory ?? new UserMemory(DEFAULT_MEMORY);
    this.bioMaxPages = options.bioMaxPages ?? BIO_MAX_PAGES;
    this.bios = new BioCaches(this);
    this.aio = new AioCore(this);
    this.directIo = options.directIo?.(this) ?? new DirectIo(this);
  }

  /** Where open files come from whose references are counted. */
  get filps(): KmemCache<OpenFile> {
    return this.#filps ??= new KmemCache(this, "filp", () => new OpenFile());
  }

  /** The kernel's own workqueue, there since it was booted. */
  get systemWq(): Workqueue {
    return this.#systemWq ??= new Workqueue(
      this,
      this.newWorkqueueId(),
      "events",
      0,
      WQ_DFL_ACTIVE,
    );
  }

  /** What keeps the pages of reads dirty. */
  get bioDirty(): BioDirty {
    return this.#bioDirty ??= new BioDirty(this);
  }

  /**
   * A fresh identity for a workqueue.
   *
   * @returns 1, 2, …
   */
  newWorkqueueId(): number {
    return ++this.#workqueues;
  }

  /**
   * Notes that code which may sleep is entered. In an interrupt, or under a
   * spinlock, that is a bug of the caller, and the rule
   * `no-sleep-in-interrupt` finds it in the trace.
   *
   * @param what The function, e.g. `mutex_lock`.
   */
  override mightSleep(what: string): void {
    if (!this.tracing) return;
    const { atomicDepth, irqsOff } = this.current;
    this.emit(EV.might_sleep, this.trace.str(what), atomicDepth, irqsOff);
  }

  /**
   * Records an event that happens in the running context now; arguments as
   * for {@linkcode TraceBuffer.emit}. Call it only while tracing.
   *
   * @param code The event, from {@linkcode EV}.
   * @param a0 First argument, and so on.
   * @param a1 Second argument.
   * @param a2 Third argument.
   * @param a3 Fourth argument.
   * @param a4 Fifth argument.
   * @param a5 Sixth argument.
   * @param a6 Seventh argument.
   * @param a7 Eighth argument.
   */
  emit(
    code: number,
    a0?: number,
    a1?: number,
    a2?: number,
    a3?: number,
    a4?: number,
    a5?: number,
    a6?: number,
    a7?: number,
  ): void {
    const ctx = this.current;
    if (ctx.row < 0) {
      ctx.row = this.trace.contextRow(ctx.kind, ctx.cpu, ctx.tid, ctx.comm);
    }
    const ts = this.#clock === null ? this.now : this.#clock();
    this.trace.emit(code, ts, ctx.row, a0, a1, a2, a3, a4, a5, a6, a7);
  }

  /**
   * Whether the allocation that is being made is to fail.
   *
   * @param what The cache or function.
   * @returns True when it is.
   */
  shouldFailAlloc(what: string): boolean {
    return this.#allocFaults !== null &&
      this.#failsNow(this.#allocFaults, what);
  }

  #failsNow(planned: readonly AllocFault[], what: string): boolean {
    const faults = planned.filter((fault) => fault.what === what);
    if (faults.length === 0) return false;
    this.touch(this.#allocStep);
    const nth = (this.#allocCounts.get(what) ?? 0) + 1;
    this.#allocCounts.set(what, nth);
    return faults.some((fault) =>
      fault.nth === nth &&
      (fault.open !== true ||
        this.choose(2, `allocation ${nth} of ${what}`) === 1)
    );
  }

  /**
   * Lists a cache for the leak report.
   *
   * @param cache The cache.
   */
  registerCache(cache: LeakSource): void {
    this.#caches.push(cache);
  }

  /**
   * Runs a function that cannot wait, outside a run: what a mount does before
   * there is anybody to wait for.
   *
   * @typeParam T What it returns.
   * @param body The function's task.
   * @returns What it returned.
   * @throws {Error} If it waits for something that never comes.
   */
  boot<T>(body: Task<T>): T {
    for (;;) {
      const result = body.next();
      if (result.done) return result.value;
      const { state, waitingOn } = this.current;
      this.current.step = result.value;
      const sleeps = result.value === SCHEDULE && state !== TASK_RUNNING;
      if (sleeps || waitsForLock(this.current)) {
        throw new Error(
          `Cannot boot: it waits for ${
            waitingOn?.describe() ?? "time to pass"
          }; run it as a task`,
        );
      }
    }
  }

  /**
   * Ends the trace: lists what was not freed, and says that nothing more
   * comes.
   */
  shutdown(): void {
    if (!this.tracing) return;
    // Of a run that hangs everything is still allocated; that says nothing.
    for (const cache of this.hung === null ? this.#caches : []) {
      for (const id of cache.liveIds()) {
        this.emit(EV.slab_leak, this.trace.str(cache.name), id);
      }
    }
    this.emit(EV.trace_end);
  }

  /**
   * Records that a context was woken.
   *
   * @param ctx The context.
   */
  protected override noteWake(ctx: Context): void {
    if (!this.tracing) return;
    this.emit(EV.wake_up_process, ctx.tid, this.trace.str(ctx.comm));
  }

  /**
   * Records that a context ends with locks that it has not released.
   *
   * @param ctx The context.
   */
  protected override noteLocksHeld(ctx: Context): void {
    if (!this.tracing) return;
    const { locksHeld, lastLock } = ctx;
    const name = this.trace.str(lastLock?.describe() ?? "");
    this.emit(EV.locks_held, locksHeld, name);
  }

  /** Records the bug, or the wait graph, that ended the run. */
  protected override noteEnd(): void {
    const { tracing, trace, bug, hung } = this;
    if (!tracing) return;
    if (hung !== null) {
      this.emit(this.spins ? EV.soft_lockup : EV.hung_task, trace.str(hung));
    }
    if (bug === null) return;
    this.emit(
      EV.oops,
      trace.str(bug.rule),
      trace.str(bug.object),
      trace.str(bug.message),
    );
  }
}

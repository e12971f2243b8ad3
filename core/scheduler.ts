/**
 * The scheduler of the simulated kernel: contexts, who runs next, interrupts,
 * and virtual time.
 *
 * @module
 */

import type { Choices } from "./choices.ts";
import { Chooser } from "./chooser.ts";
import { KernelBug } from "./bug.ts";
import {
  Context,
  TASK_DEAD,
  TASK_LOCK_WAIT,
  TASK_RUNNING,
  TASK_UNINTERRUPTIBLE,
  waitGraph,
} from "./context.ts";
import { CpuSet } from "./cpu.ts";
import { InterruptPool } from "./interrupt_pool.ts";
import type {
  InterruptHandler,
  InterruptSource,
  KernelOptions,
  RunResult,
} from "./kernel_options.ts";
import { Lock, waitsForLock } from "./lock.ts";
import { RunQueue } from "./run_queue.ts";
import { SCHEDULE, STEP_LOCK, STEP_SCHEDULE, type Task } from "./step.ts";
import { fifo, type Strategy } from "./strategy.ts";
import { Timers } from "./timers.ts";

/** Virtual time that a context uses between two waits or steps. */
const STEP_NS = 100;
/** Steps after which a run that is decided about step by step is endless. */
const MAX_STEPS = 1_000_000;

/**
 * The part of a kernel that runs contexts.
 *
 * @example
 * ```ts
 * import { Kernel, Scheduler } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new Kernel() instanceof Scheduler, true);
 * ```
 */
export abstract class Scheduler {
  /** Who decides what runs next. */
  readonly strategy: Strategy;
  /** Whether every step is decided about; code yields its steps only then. */
  readonly stepping: boolean;
  /** Virtual time, in nanoseconds. */
  now = 0;
  /** Who is running; outside a run, the boot context. */
  current: Context;
  /** The bug that stopped the run, or null. */
  bug: KernelBug | null = null;
  /** Who waits for whom, when contexts wait for ever; or null. */
  hung: string | null = null;
  /** How many times a context was resumed. */
  steps = 0;

  readonly #cpus: CpuSet;
  readonly #queue: RunQueue = new RunQueue();
  readonly #runnable: Context[] = [];
  readonly #timers: Timers = new Timers();
  readonly #sources: InterruptSource[] = [];
  readonly #contexts: Set<Context> = new Set();
  readonly #interrupts: InterruptPool = new InterruptPool();
  readonly #chooser: Chooser;
  readonly #maxSteps: number;
  #nextAddr = 1;
  #nextTid = 10;
  #last: Context | null = null;

  /**
   * Makes a scheduler with nothing to run.
   *
   * @param options Strategy, processors and bounds.
   */
  constructor(options: KernelOptions) {
    this.strategy = options.strategy ?? fifo();
    this.stepping = this.strategy.stepping;
    this.#chooser = new Chooser(this.strategy);
    this.#cpus = new CpuSet(options.nrCpus ?? Infinity);
    this.#maxSteps = options.maxSteps ??
      (this.stepping ? MAX_STEPS : Infinity);
    this.current = this.#newContext("task", "swapper", 0);
    this.current.cpu = 0;
  }

  /**
   * Notes that code which may sleep is entered.
   *
   * @param what The function, e.g. `mutex_lock`.
   */
  abstract mightSleep(what: string): void;

  /**
   * Records that a context was woken.
   *
   * @param ctx The context.
   */
  protected abstract noteWake(ctx: Context): void;

  /** Records what ended the run, when it did not end by itself. */
  protected abstract noteEnd(): void;

  /** The choices of the run so far that were not the default ones. */
  get choices(): Choices {
    return this.#chooser.deviations;
  }

  /**
   * A fresh address for steps.
   *
   * @param count How many consecutive ones.
   * @returns The first.
   */
  newAddr(count: number = 1): number {
    const addr = this.#nextAddr;
    this.#nextAddr += count;
    return addr;
  }

  /**
   * Starts a task.
   *
   * @param comm Its name.
   * @param body Its code.
   * @returns Its context.
   */
  spawn(comm: string, body: Task<unknown>): Context {
    return this.#start(this.#newContext("task", comm, this.#nextTid++), body);
  }

  /**
   * Starts a worker thread for a work item.
   *
   * @param comm Its name, e.g. `kworker/1:2-dio/sda`.
   * @param body Its code.
   * @param cpu The processor it is bound to, or -1.
   * @param tid The thread, 0 for a new one.
   * @returns Its context.
   */
  startKworker(
    comm: string,
    body: Task<unknown>,
    cpu: number = -1,
    tid: number = 0,
  ): Context {
    const ctx = this.#newContext("kworker", comm, tid || this.#nextTid++);
    ctx.cpu = cpu;
    return this.#start(ctx, body);
  }

  /**
   * Raises an interrupt.
   *
   * @typeParam T What the interrupt is about.
   * @param kind Hardirq or softirq.
   * @param handler What it does.
   * @param arg What it is about, handed to the handler.
   * @param delayNs When, from now; 0 for at once.
   */
  raise<T>(
    kind: "softirq" | "hardirq",
    handler: InterruptHandler<T>,
    arg: T,
    delayNs: number = 0,
  ): void {
    const ctx = this.#interrupts.reuse() ??
      this.#newContext(kind, "<idle>", 0);
    this.#interrupts.raise(ctx, kind, handler, arg);
    if (delayNs > 0) this.#timers.add(this.now + delayNs, ctx);
    else this.#queue.push(ctx);
  }

  /**
   * Sleeps for some virtual time; may sleep, as the name says.
   *
   * @param ns How long.
   */
  *sleep(ns: number): Task<void> {
    this.mightSleep("msleep");
    const ctx = this.current;
    ctx.state = TASK_LOCK_WAIT;
    ctx.waitingOn = null;
    this.#timers.add(this.now + ns, ctx);
    yield STEP_SCHEDULE;
  }

  /**
   * `wake_up_process()`.
   *
   * @param ctx Who is woken.
   * @returns False when it was not sleeping.
   */
  wakeUpProcess(ctx: Context): boolean {
    if (ctx.state !== TASK_UNINTERRUPTIBLE) return false;
    ctx.state = TASK_RUNNING;
    this.noteWake(ctx);
    // A context that has not called schedule() yet is still running.
    if (ctx !== this.current && !ctx.queued) this.#queue.push(ctx);
    return true;
  }

  /**
   * Makes a context runnable that waited for a lock.
   *
   * @param ctx The context.
   */
  unpark(ctx: Context): void {
    ctx.state = TASK_RUNNING;
    this.#queue.push(ctx);
  }

  /**
   * Lets the strategy decide something that is not about contexts.
   *
   * @param options How many options there are; 0 is the ordinary one.
   * @param what What is decided.
   * @returns An option.
   */
  choose(options: number, what: string): number {
    return this.#chooser.choose(options, what);
  }

  /**
   * Lists a device that delivers completions from outside.
   *
   * @param source The device.
   */
  registerInterrupts(source: InterruptSource): void {
    this.#sources.push(source);
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
   * Runs until nothing is left to do, something waits for ever, or a bug
   * stops it.
   *
   * @returns How it ended.
   */
  run(): RunResult {
    const boot = this.current;
    while (this.bug === null) {
      const ctx = this.#next();
      if (ctx !== undefined) this.#resume(ctx);
      else if (!this.#idle()) break;
      if (this.steps > this.#maxSteps) {
        this.hung =
          `the run does not end: ${this.steps} steps, last ran ${this.current.label}; a spin that never ends, or raise maxSteps`;
        break;
      }
    }
    this.current = boot;
    if (this.bug === null) {
      this.hung ??= waitGraph(this.#contexts);
      this.noteEnd();
    }
    return { bug: this.bug, hung: this.hung, steps: this.steps };
  }

  #newContext(kind: Context["kind"], comm: string, tid: number): Context {
    const ctx = new Context();
    ctx.kind = kind;
    ctx.comm = comm;
    ctx.tid = tid;
    this.#contexts.add(ctx);
    return ctx;
  }

  #start(ctx: Context, body: Task<unknown>): Context {
    ctx.body = body;
    this.#queue.push(ctx);
    return ctx;
  }

  #next(): Context | undefined {
    const queue = this.#queue;
    if (!this.#cpus.bounded && !this.stepping) {
      for (;;) {
        const ctx = queue.shift();
        if (ctx === undefined || !waitsForLock(ctx)) return ctx;
        this.#park(ctx);
      }
    }
    queue.list(this.#runnable, this.#canRun);
    if (this.#runnable.length === 0) return undefined;
    const ctx = this.#chooser.pick(this.#runnable, this.#last);
    queue.remove(ctx);
    return ctx;
  }

  /** A lock that was free when it was asked for may have been taken since. */
  readonly #canRun = (ctx: Context): boolean =>
    !waitsForLock(ctx) && (!this.#cpus.bounded || this.#cpus.allows(ctx));

  #resume(ctx: Context): void {
    this.current = ctx;
    this.now += STEP_NS;
    this.steps++;
    try {
      if (!ctx.started) this.#begin(ctx);
      const result = (ctx.body as Task<unknown>).next();
      if (result.done) this.#exit(ctx);
      else this.#yielded(ctx, result.value);
    } catch (error) {
      this.#oops(error);
    }
  }

  #begin(ctx: Context): void {
    ctx.started = true;
    this.#cpus.enter(ctx);
    this.#interrupts.begin(ctx);
  }

  #yielded(ctx: Context, step: number): void {
    ctx.step = step;
    const kind = step & 3;
    if (kind === STEP_LOCK) {
      this.#last = ctx;
      return waitsForLock(ctx) ? this.#park(ctx) : this.#queue.push(ctx);
    }
    if (kind !== STEP_SCHEDULE) {
      this.#last = ctx;
      return this.#queue.push(ctx);
    }
    this.#last = null;
    if (ctx.state === TASK_RUNNING) this.#queue.push(ctx);
  }

  /** Takes a context out of the run queue until its lock is released. */
  #park(ctx: Context): void {
    ctx.state = TASK_LOCK_WAIT;
    (ctx.waitingOn as Lock).waiters.push(ctx);
  }

  #exit(ctx: Context): void {
    ctx.state = TASK_DEAD;
    ctx.body = null;
    this.#last = null;
    this.#cpus.leave(ctx);
    if (ctx.inInterrupt) this.#interrupts.end(ctx);
    else this.#contexts.delete(ctx);
  }

  #oops(error: unknown): void {
    if (!(error instanceof KernelBug)) throw error;
    this.bug = error;
    this.noteEnd();
  }

  /** Nobody can run: waits for time to pass or for a real device. */
  #idle(): boolean {
    const due = this.#timers.next();
    if (due !== undefined) {
      this.now = Math.max(this.now, due.at);
      due.ctx.state = TASK_RUNNING;
      this.#queue.push(due.ctx);
      return true;
    }
    for (const source of this.#sources) {
      if (source.inFlight > 0) {
        source.reap();
        return true;
      }
    }
    return false;
  }
}

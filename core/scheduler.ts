/**
 * The scheduler of the simulated kernel: contexts, who runs next, interrupts,
 * and virtual time.
 *
 * @module
 */

import type { Choices, RunPrint } from "./choices.ts";
import { Chooser } from "./chooser.ts";
import { KernelBug } from "./bug.ts";
import {
  type Context,
  TASK_LOCK_WAIT,
  TASK_RUNNING,
  TASK_UNINTERRUPTIBLE,
} from "./context.ts";
import { ContextTable } from "./context_table.ts";
import { CpuSet } from "./cpu.ts";
import { SpinWatch, waitGraph } from "./hang.ts";
import { InterruptSources } from "./interrupt_sources.ts";
import type {
  InterruptHandler,
  InterruptSource,
  KernelOptions,
  RunResult,
} from "./kernel_options.ts";
import { type Lock, waitsForLock } from "./lock.ts";
import { RunQueue } from "./run_queue.ts";
import {
  NOTHING,
  SCHEDULE,
  type Step,
  STEP_LOCK,
  STEP_SCHEDULE,
  type Task,
} from "./step.ts";
import { fifo, type StepWatcher, type Strategy } from "./strategy.ts";
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
 * import { Kernel, type Scheduler } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const scheduler: Scheduler = new Kernel();
 * scheduler.spawn("a", (function* () {})());
 * assertEquals(scheduler.run().steps, 1);
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
  /** Who waits for whom, or who spins, when that never ends; or null. */
  hung: string | null = null;
  /** Whether it is about contexts that spin. */
  spins = false;
  /** Whether the strategy has ended the run before its end. */
  stopped = false;
  /** How many times a context was resumed. */
  steps = 0;

  readonly #cpus: CpuSet;
  readonly #queue: RunQueue = new RunQueue();
  readonly #runnable: Context[] = [];
  readonly #timers: Timers = new Timers();
  readonly #sources: InterruptSources = new InterruptSources();
  readonly #contexts: ContextTable = new ContextTable();
  readonly #chooser: Chooser;
  readonly #watcher: StepWatcher | null;
  readonly #maxSteps: number;
  readonly #spin: SpinWatch = new SpinWatch();
  #nextAddr = 1;
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
    this.#watcher = this.strategy.watcher ?? null;
    this.current = this.#contexts.boot();
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

  /** Records that a context ends with locks; as {@linkcode noteWake}. */
  protected abstract noteLocksHeld(ctx: Context): void;

  /** Records what ended the run, when it did not end by itself. */
  protected abstract noteEnd(): void;

  /** The choices of the run so far that were not the default ones. */
  get choices(): Choices {
    return this.#chooser.deviations;
  }

  /** What the run was like so far: tells another run from it. */
  get print(): RunPrint {
    return this.#chooser.print(this.steps);
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
    return this.#enable(this.#contexts.thread("task", comm, body));
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
    const ctx = this.#contexts.thread("kworker", comm, body, tid);
    ctx.cpu = cpu;
    return this.#enable(ctx);
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
    const ctx = this.#contexts.interrupt(kind, handler, arg);
    if (delayNs > 0 && this.strategy.timeless !== true) {
      this.#timers.add(this.now + delayNs, ctx);
    } else this.#enable(ctx);
  }

  /**
   * Sleeps for some virtual time; may sleep, as the name says.
   *
   * @param ns How long.
   */
  *sleep(ns: number): Task<void> {
    this.mightSleep("msleep");
    const ctx = this.current;
    if (this.strategy.timeless !== true) {
      ctx.state = TASK_LOCK_WAIT;
      ctx.waitingOn = null;
      this.#timers.add(this.now + ns, ctx);
    }
    yield SCHEDULE;
  }

  /**
   * Tells whoever follows the steps that the running context touches one more
   * object than its step said. For code that cannot yield where it does.
   *
   * @param step The access.
   */
  touch(step: Step): void {
    this.#watcher?.touched(step);
  }

  /**
   * Tells whoever follows the steps that the running context lets go of a
   * lock.
   *
   * @param step The step of the lock.
   */
  released(step: Step): void {
    this.#watcher?.released(step);
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
    // A context that has not called schedule() yet is still running: what it
    // does next it would have done without this as well.
    if (ctx !== this.current && !ctx.queued) this.#enable(ctx);
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
    this.#sources.add(source);
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
      // Steps take time as well: who spins for long enough is interrupted.
      while (this.#timers.due <= this.now) this.#idle();
      const ctx = this.#next();
      if (ctx !== undefined) this.#resume(ctx);
      else if (this.stopped || !this.#idle()) break;
      if (this.steps > this.#maxSteps && this.#spin.note(this.current)) {
        this.spins = true;
        this.hung = this.#spin.describe(this.#contexts.all, this.steps);
        break;
      }
    }
    this.current = boot;
    if (this.bug === null && !this.stopped) {
      this.hung ??= waitGraph(this.#contexts.all);
      this.noteEnd();
    }
    return { bug: this.bug, hung: this.hung, steps: this.steps };
  }

  #enable(ctx: Context): Context {
    this.#queue.push(ctx);
    this.#watcher?.enabled(ctx, this.current);
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
    if (ctx === undefined) this.stopped = true;
    else queue.remove(ctx);
    return ctx;
  }

  /** A lock that was free when it was asked for may have been taken since. */
  readonly #canRun = (ctx: Context): boolean =>
    !waitsForLock(ctx) && (!this.#cpus.bounded || this.#cpus.allows(ctx));

  #resume(ctx: Context): void {
    this.current = ctx;
    this.now += STEP_NS;
    this.steps++;
    this.#watcher?.resumed(ctx);
    try {
      if (!ctx.started) {
        this.#cpus.enter(ctx);
        this.#contexts.begin(ctx);
      }
      const body = ctx.body as Task<unknown>;
      if (body === NOTHING) return this.#exit(ctx);
      const result = body.next();
      if (result.done) this.#exit(ctx);
      else this.#yielded(ctx, result.value);
    } catch (error) {
      this.#oops(error);
    }
  }

  #yielded(ctx: Context, step: number): void {
    ctx.step = step;
    const kind = step & 3;
    ctx.waitingSince = this.now;
    this.#last = kind === STEP_SCHEDULE ? null : ctx;
    if (kind === STEP_LOCK && waitsForLock(ctx)) return this.#park(ctx);
    if (kind !== STEP_SCHEDULE || ctx.state === TASK_RUNNING) {
      this.#queue.push(ctx);
    }
  }

  /** Takes a context out of the run queue until its lock is released. */
  #park(ctx: Context): void {
    ctx.state = TASK_LOCK_WAIT;
    (ctx.waitingOn as Lock).waiters.push(ctx);
  }

  #exit(ctx: Context): void {
    if (ctx.locksHeld > 0) this.noteLocksHeld(ctx);
    this.#last = null;
    this.#cpus.leave(ctx);
    this.#contexts.end(ctx);
  }

  #oops(error: unknown): void {
    if (!(error instanceof KernelBug)) throw error;
    this.bug = error;
    this.noteEnd();
  }

  /** Goes on to the next point of time, or waits for a real device. */
  #idle(): boolean {
    const due = this.#timers.next();
    if (due === undefined) return this.#sources.reap();
    this.now = Math.max(this.now, due.at);
    due.ctx.state = TASK_RUNNING;
    this.#queue.push(due.ctx);
    return true;
  }
}

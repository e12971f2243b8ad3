/**
 * Contexts: the threads and interrupts that kernel code runs in.
 *
 * @module
 */

import type { ContextKind } from "./events.ts";
import { SCHEDULE, type Step, type Task } from "./step.ts";

/** The context can run. */
export const TASK_RUNNING: number = 0;
/** It sleeps until somebody wakes it. */
export const TASK_UNINTERRUPTIBLE: number = 1;
/** It waits for a lock. */
export const TASK_LOCK_WAIT: number = 2;
/** It has ended. */
export const TASK_DEAD: number = 3;

/** Identity of the context that is there before anything runs. */
export const BOOT_ID: number = 1;

/** A wake-up that was sent. */
export interface Wake {
  /** When, in nanoseconds. */
  readonly at: number;
  /** Who sent it, as messages name it. */
  readonly by: string;
}

/** What a context can wait for: a lock or a wait queue. */
export interface WaitTarget {
  /** The wake-up that was sent last, null when there was none. */
  readonly lastWake?: Wake | null;
  /** Says what it is, how it stands, and for a lock who holds it. */
  describe(): string;
  /** Who has to go on before the wait is over, as far as that is known. */
  blockers?(): Iterable<Context>;
}

/**
 * A task, an interrupt or a worker: who runs code, on which processor, and
 * what it may do there.
 *
 * @example
 * ```ts
 * import { Kernel } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const task = kernel.spawn("fio", (function* () {})());
 * assertEquals([task.kind, task.comm, task.inInterrupt], ["task", "fio", false]);
 * ```
 */
export class Context {
  /** Task, softirq, hardirq or kworker. */
  kind: ContextKind = "task";
  /** Identity in its run: 1 for the first context that was started, … */
  id = 0;
  /** Thread id; 0 in an interrupt. */
  tid = 0;
  /** The thread's name. */
  comm = "";
  /** The processor, -1 before it first runs. */
  cpu: number = -1;
  /** Its code. */
  body: Task<unknown> | null = null;
  /** For an interrupt: what makes its code when it begins. */
  handler: { irq(arg: unknown): Task<unknown> } | null = null;
  /** What the handler is given. */
  arg: unknown = null;
  /** One of {@linkcode TASK_RUNNING} and the like. */
  state: number = TASK_RUNNING;
  /** What it will touch when it runs next. */
  step: Step = SCHEDULE;
  /** What it waits for, when it does not run. */
  waitingOn: WaitTarget | null = null;
  /** When it stopped running, in nanoseconds. */
  waitingSince = 0;
  /** Spinlocks held, and other reasons why it must not sleep. */
  atomicDepth = 0;
  /** How often it has disabled interrupts. */
  irqsOff = 0;
  /** How many locks it holds exclusively. */
  locksHeld = 0;
  /** The one of them that it took last. */
  lastLock: WaitTarget | null = null;
  /** Row of the trace's context table, -1 when not yet known. */
  row: number = -1;
  /** The processor that `row` was made for. */
  rowCpu: number = -1;
  /** The kind that `row` was made for. */
  rowKind: ContextKind = "task";
  /** Whether it has begun to run. */
  started = false;
  /** Whether it stands in the run queue. */
  queued = false;

  /** Whether it is an interrupt, which can never sleep. */
  get inInterrupt(): boolean {
    return this.kind === "softirq" || this.kind === "hardirq";
  }

  /** How messages name it: `task fio-12`, `softirq on cpu 1`. */
  get label(): string {
    if (!this.inInterrupt) return `${this.kind} ${this.comm}-${this.tid}`;
    return this.cpu < 0
      ? `${this.kind} that is pending`
      : `${this.kind} on cpu ${this.cpu}`;
  }
}

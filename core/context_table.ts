/**
 * The contexts of a kernel: those that live, and those of interrupts, which
 * are used again and again.
 *
 * @module
 */

import { Context, TASK_DEAD, TASK_RUNNING } from "./context.ts";
import type { ContextKind } from "./events.ts";
import type { InterruptHandler } from "./kernel_options.ts";
import { SCHEDULE, type Task } from "./step.ts";

const FIRST_TID = 10;

/** Makes contexts, and knows which of them live. */
export class ContextTable {
  /** Contexts that have not ended, and those of idle interrupts. */
  readonly all: Set<Context> = new Set();
  readonly #idleInterrupts: Context[] = [];
  #nextTid = FIRST_TID;
  #started = 0;

  /** The context that is there before anything runs. */
  boot(): Context {
    const ctx = this.#make("task", "swapper", 0);
    ctx.cpu = 0;
    ctx.started = true;
    return ctx;
  }

  /** A thread; `tid` is 0 for a new one. */
  thread(
    kind: "task" | "kworker",
    comm: string,
    body: Task<unknown>,
    tid = 0,
  ): Context {
    const ctx = this.#make(kind, comm, tid || this.#nextTid++);
    ctx.body = body;
    return ctx;
  }

  /** An interrupt that has been raised. */
  interrupt<T>(
    kind: "softirq" | "hardirq",
    handler: InterruptHandler<T>,
    arg: T,
  ): Context {
    const ctx = this.#idleInterrupts.pop() ?? this.#make(kind, "<idle>", 0);
    ctx.id = ++this.#started;
    ctx.kind = kind;
    ctx.handler = handler;
    ctx.arg = arg;
    ctx.body = null;
    ctx.step = SCHEDULE;
    ctx.waitingOn = null;
    ctx.atomicDepth = 0;
    ctx.irqsOff = 0;
    ctx.state = TASK_RUNNING;
    ctx.started = false;
    ctx.cpu = -1;
    return ctx;
  }

  /** A context runs for the first time, on its processor. */
  begin(ctx: Context): void {
    ctx.started = true;
    const { handler } = ctx;
    if (handler === null) return;
    if (ctx.cpu !== ctx.rowCpu || ctx.kind !== ctx.rowKind) replaceRow(ctx);
    ctx.body = handler.irq(ctx.arg);
  }

  /** A context has ended. */
  end(ctx: Context): void {
    ctx.state = TASK_DEAD;
    ctx.body = null;
    if (ctx.handler === null) this.all.delete(ctx);
    else this.#idleInterrupts.push(ctx);
  }

  #make(kind: ContextKind, comm: string, tid: number): Context {
    const ctx = new Context();
    ctx.id = ++this.#started;
    ctx.kind = kind;
    ctx.comm = comm;
    ctx.tid = tid;
    this.all.add(ctx);
    return ctx;
  }
}

/** The row of the trace's context table is good for one place only. */
function replaceRow(ctx: Context): void {
  ctx.rowCpu = ctx.cpu;
  ctx.rowKind = ctx.kind;
  ctx.row = -1;
}

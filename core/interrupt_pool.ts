/**
 * The contexts of interrupts, used again and again.
 *
 * @module
 */

import { Context, TASK_RUNNING } from "./context.ts";
import type { InterruptHandler } from "./kernel_options.ts";
import { SCHEDULE } from "./step.ts";

/** Contexts of interrupts that have ended. */
export class InterruptPool {
  readonly #idle: Context[] = [];

  /** A context for an interrupt that is raised, or null if a new one is due. */
  reuse(): Context | null {
    return this.#idle.pop() ?? null;
  }

  /** Prepares a context for its interrupt. */
  raise<T>(
    ctx: Context,
    kind: "softirq" | "hardirq",
    handler: InterruptHandler<T>,
    arg: T,
  ): void {
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
  }

  /** An interrupt begins on its processor: makes its code. */
  begin(ctx: Context): void {
    if (ctx.handler === null) return;
    // The row of the trace's context table is good for one place only.
    if (ctx.cpu !== ctx.rowCpu || ctx.kind !== ctx.rowKind) {
      ctx.rowCpu = ctx.cpu;
      ctx.rowKind = ctx.kind;
      ctx.row = -1;
    }
    ctx.body = ctx.handler.irq(ctx.arg);
  }

  /** An interrupt has ended. */
  end(ctx: Context): void {
    ctx.handler = null;
    ctx.arg = null;
    this.#idle.push(ctx);
  }
}

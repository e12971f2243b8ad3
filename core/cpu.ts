/**
 * Processors: which context may run where, and what an interrupt may
 * interrupt.
 *
 * @module
 */

import type { Context } from "./context.ts";

/** What one processor is busy with. */
interface Cpu {
  /** Tasks and workers that live on it. */
  readonly tasks: Set<Context>;
  /** Interrupts that run on it, the innermost last. */
  readonly interrupts: Context[];
}

/**
 * The processors of a kernel. When there are enough, every context gets one
 * of its own and nothing ever waits; when they are few, an interrupt runs on
 * top of a task, and keeps it from running until it has ended.
 */
export class CpuSet {
  /** Whether contexts can be in each other's way. */
  readonly bounded: boolean;
  readonly #count: number;
  readonly #cpus: Cpu[] = [];
  #nextCpu = 0;

  constructor(count: number) {
    this.#count = count;
    this.bounded = Number.isFinite(count);
    if (this.bounded) {
      for (let i = 0; i < count; i++) {
        this.#cpus.push({ tasks: new Set(), interrupts: [] });
      }
    }
  }

  /** Gives a context its processor, when it runs for the first time. */
  enter(ctx: Context): void {
    if (!this.bounded) {
      if (ctx.cpu < 0) ctx.cpu = this.#lowestFree();
      this.#busy[ctx.cpu] = (this.#busy[ctx.cpu] ?? 0) + 1;
      return;
    }
    this.#assign(ctx);
    const cpu = this.#cpus[ctx.cpu] as Cpu;
    if (!ctx.inInterrupt) {
      cpu.tasks.add(ctx);
      return;
    }
    const [interrupted] = cpu.interrupts.length > 0 ? [] : cpu.tasks;
    const comm = interrupted?.comm ?? "<idle>";
    if (comm !== ctx.comm) ctx.row = -1;
    ctx.comm = comm;
    cpu.interrupts.push(ctx);
  }

  /** Frees its processor, when it ends. */
  leave(ctx: Context): void {
    if (!this.bounded) {
      this.#busy[ctx.cpu] = (this.#busy[ctx.cpu] ?? 1) - 1;
      return;
    }
    const cpu = this.#cpus[ctx.cpu] as Cpu;
    if (ctx.inInterrupt) cpu.interrupts.pop();
    else cpu.tasks.delete(ctx);
  }

  /** Whether a runnable context can have its processor now. */
  allows(ctx: Context): boolean {
    this.#assign(ctx);
    const cpu = this.#cpus[ctx.cpu] as Cpu;
    const top = cpu.interrupts.at(-1);
    if (ctx.started && ctx.inInterrupt) return top === ctx;
    if (top !== undefined) {
      return ctx.kind === "hardirq" && top.kind === "softirq" &&
        top.irqsOff === 0;
    }
    for (const task of cpu.tasks) {
      if (task === ctx) continue;
      if (task.irqsOff > 0) return false;
      if (task.atomicDepth > 0 && !ctx.inInterrupt) return false;
    }
    return true;
  }

  readonly #busy: number[] = [];

  #assign(ctx: Context): void {
    if (ctx.cpu < 0) ctx.cpu = this.#nextCpu++ % this.#count;
  }

  #lowestFree(): number {
    const busy = this.#busy;
    for (let i = 0; i < busy.length; i++) {
      if (busy[i] === 0) return i;
    }
    return busy.length;
  }
}

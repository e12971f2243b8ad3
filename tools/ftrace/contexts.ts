/**
 * Where a line ran: in a task, or in the interrupts of one kind on a
 * processor.
 *
 * @module
 */

import { type FtraceLine, LEVEL } from "./line.ts";
import { Context } from "./objects.ts";
import type { Probe } from "./probes.ts";

/** Processors that are told apart. */
export const MAX_CPU: number = 4096;
/** Tasks that are kept; the oldest goes when there are more. */
const MAX_TASKS = 1 << 16;

/** The contexts of a recording. */
export class Contexts {
  readonly #tasks: Map<number, Context> = new Map();
  readonly #interrupts: (Context | undefined)[] = [];
  /** What each processor was doing at its newest line. */
  readonly #levels: Uint8Array = new Uint8Array(MAX_CPU);

  /** Every one of them. */
  *all(): Generator<Context, void, void> {
    for (const ctx of this.#interrupts) if (ctx) yield ctx;
    yield* this.#tasks.values();
  }

  /**
   * The context of a line, whose level is guessed when it does not tell.
   *
   * @param line The line.
   * @param probe Its probe, or null.
   * @param leave Called for each interrupt that is over by now.
   * @returns The context.
   */
  at(
    line: FtraceLine,
    probe: Probe | null,
    leave: (ctx: Context) => void,
  ): Context {
    const { cpu, pid } = line;
    if (line.level === LEVEL.unknown) line.level = this.#guess(line, probe);
    const { level } = line;
    const slot = cpu % MAX_CPU;
    if (level < (this.#levels[slot] as number)) this.#leave(line, leave);
    this.#levels[slot] = level;
    if (level !== LEVEL.task) {
      return this.#interrupts[placeOf(cpu, level)] ??= new Context(level);
    }
    const key = pid === 0 ? -1 - cpu : pid;
    return this.#tasks.get(key) ?? this.#add(key);
  }

  #add(key: number): Context {
    const ctx = new Context(LEVEL.task);
    this.#tasks.set(key, ctx);
    if (this.#tasks.size > MAX_TASKS) {
      const [oldest] = this.#tasks.keys();
      this.#tasks.delete(oldest as number);
    }
    return ctx;
  }

  /** An interrupt is over when something of a lower level runs. */
  #leave({ cpu, level }: FtraceLine, leave: (ctx: Context) => void): void {
    for (let other: number = LEVEL.hardirq; other > level; other--) {
      const ctx = this.#interrupts[placeOf(cpu, other)];
      if (ctx === undefined) continue;
      leave(ctx);
      ctx.clear();
    }
  }

  /** The context of a probe by breakpoint is that of the function it is in. */
  #guess({ cpu, pid }: FtraceLine, probe: Probe | null): number {
    const fn = probe?.fn ?? 0;
    for (const level of [LEVEL.hardirq, LEVEL.softirq]) {
      const ctx = this.#interrupts[placeOf(cpu, level)];
      if (ctx !== undefined && ctx.find(fn) >= 0) return level;
    }
    const task = this.#tasks.get(pid);
    if (task !== undefined && task.find(fn) >= 0) return LEVEL.task;
    return this.#levels[cpu % MAX_CPU] as number;
  }
}

function placeOf(cpu: number, level: number): number {
  return (cpu % MAX_CPU) * 2 + level - 1;
}

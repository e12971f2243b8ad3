/**
 * What a kernel is made of, and what a run gives back.
 *
 * @module
 */

import type { KernelBug } from "./bug.ts";
import type { DirectIo } from "./dio_submit.ts";
import type { Kernel } from "./kernel.ts";
import type { UserMemory } from "./page.ts";
import type { ProfileName } from "./profile.ts";
import type { Task } from "./step.ts";
import type { Strategy } from "./strategy.ts";
import type { TraceBuffer } from "./trace_buffer.ts";

/** An allocation that is made to fail. */
export interface AllocFault {
  /** The cache or function: `dio`, `bio`, `ext4_io_end`, `alloc_workqueue`. */
  readonly what: string;
  /** Which allocation of it fails, counted from 1. */
  readonly nth: number;
  /**
   * Whether the strategy decides if it fails.
   *
   * @default {false}
   */
  readonly open?: boolean;
}

/** How a kernel is made. */
export interface KernelOptions {
  /**
   * Whose semantics are in force.
   *
   * @default {"v3.12"}
   */
  readonly profile?: ProfileName;
  /**
   * Who decides what runs next; for one run.
   *
   * @default {fifo()}
   */
  readonly strategy?: Strategy;
  /**
   * How many processors there are. Without it enough that no context ever
   * waits for one.
   */
  readonly nrCpus?: number;
  /**
   * Whether to record a trace.
   *
   * @default {true}
   */
  readonly tracing?: boolean;
  /** How many events to keep; without it all. */
  readonly traceLimit?: number;
  /**
   * Where to record, instead of a new buffer.
   */
  readonly trace?: TraceBuffer;
  /**
   * Gives the `ts` of events: integer nanoseconds that never go back, for
   * completions that a real device times. What runs when is not its business.
   *
   * @default {virtual time}
   */
  readonly clock?: () => number;
  /** Allocations that fail. */
  readonly allocFaults?: readonly AllocFault[];
  /**
   * How many steps a run may take before it is called endless.
   *
   * @default {1_000_000 when every step is decided about, else unlimited}
   */
  readonly maxSteps?: number;
  /**
   * Most pages in one bio. With few, small requests have many bios.
   *
   * @default {256}
   */
  readonly bioMaxPages?: number;
  /**
   * The memory that user buffers are in; a real device brings its own.
   *
   * @default {1 MiB of ordinary memory}
   */
  readonly memory?: UserMemory;
  /** A variant of the direct-I/O core, to put in place of the real one. */
  readonly directIo?: (kernel: Kernel) => DirectIo;
}

/**
 * What an interrupt does.
 *
 * @typeParam T What it is about, a bio for instance.
 */
export interface InterruptHandler<T> {
  /**
   * Called when the interrupt begins to run, in its context.
   *
   * @param arg What it is about.
   * @returns The rest of it.
   */
  irq(arg: T): Task<unknown>;
}

/** A device that has completions to deliver from outside. */
export interface InterruptSource {
  /** Requests that have not come back. */
  readonly inFlight: number;
  /** Waits until one request or more has come back, and raises interrupts. */
  reap(): void;
}

/** How a run ended. */
export interface RunResult {
  /** The bug that stopped it, or null. */
  readonly bug: KernelBug | null;
  /** Who waits for whom, when contexts wait for ever; or null. */
  readonly hung: string | null;
  /** How many times a context was resumed. */
  readonly steps: number;
}

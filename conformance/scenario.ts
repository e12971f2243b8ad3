/**
 * Scenarios: a workload, what goes wrong, and what the model has to be able to
 * do, as data.
 *
 * @module
 */

import type { AllocFault, ProfileName } from "../core/mod.ts";
import type { BioFault, CompletionContext } from "../devices/mod.ts";
import type { Feature, FileLayout } from "../fs_models/mod.ts";

/** One system call of a scenario's task. Offsets and lengths are in bytes. */
export type Op =
  /** `pwrite()`: waits. */
  | { readonly op: "write"; readonly offset: number; readonly bytes: number }
  /** `pread()`: waits, and compares what it gets with what was written. */
  | { readonly op: "read"; readonly offset: number; readonly bytes: number }
  /** `io_submit()` of a write. */
  | {
    readonly op: "aio_write";
    readonly offset: number;
    readonly bytes: number;
    /** Pages of the buffer, counted from 0, that cannot be pinned. */
    readonly unmapped?: readonly number[];
  }
  /** `io_submit()` of a read. */
  | { readonly op: "aio_read"; readonly offset: number; readonly bytes: number }
  /** `io_getevents()`: waits for so many events. */
  | { readonly op: "getevents"; readonly min: number }
  /** `ftruncate()`. */
  | { readonly op: "truncate"; readonly size: number }
  /** `fsync()`. */
  | { readonly op: "fsync" };

/** A task of a scenario. */
export interface ScenarioTask {
  /** Its name. */
  readonly comm: string;
  /**
   * Whether it works on a file of its own, laid out like the scenario's.
   *
   * @default {false}
   */
  readonly ownFile?: boolean;
  /** What it does, one after the other. */
  readonly ops: readonly Op[];
}

/** A workload with what goes wrong in it. */
export interface Scenario {
  /** Its name, e.g. `aio-write-unwritten`. */
  readonly id: string;
  /** What it is about, one sentence. */
  readonly title: string;
  /** Rules that it is there to exercise. */
  readonly rules: readonly string[];
  /**
   * What a model has to be able to do.
   *
   * @default {[]}
   */
  readonly needs?: readonly Feature[];
  /**
   * The profiles it makes sense in.
   *
   * @default {all}
   */
  readonly profiles?: readonly ProfileName[];
  /** The file it works on. */
  readonly file: FileLayout;
  /**
   * Whether the file is open with O_DSYNC.
   *
   * @default {false}
   */
  readonly dsync?: boolean;
  /**
   * In which context the device ends its bios.
   *
   * @default {"softirq"}
   */
  readonly completion?: CompletionContext;
  /** Transfers that fail. */
  readonly faults?: readonly BioFault[];
  /** Allocations that fail. */
  readonly allocFaults?: readonly AllocFault[];
  /** What it does; all tasks start together. */
  readonly tasks: readonly ScenarioTask[];
}

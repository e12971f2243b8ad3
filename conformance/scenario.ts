/**
 * Scenarios: a workload, what goes wrong, and what the model has to be able to
 * do, as data.
 *
 * @module
 */

import type { AllocFault, ProfileName } from "../core/mod.ts";
import type {
  BioFault,
  CompletionContext,
  MemoryDeviceOptions,
} from "../devices/mod.ts";
import type { Feature, FileLayout } from "../fs_models/mod.ts";

/** A buffer in many pieces: each of so many bytes, so far from the next. */
export interface Pieces {
  /** Length of a piece. */
  readonly bytes: number;
  /** From the start of one to that of the next. */
  readonly stride: number;
}

/** A read or write; offsets and lengths are in bytes. */
export interface Transfer {
  /**
   * `pwrite()`, `pread()`: wait; `io_submit()` of a write, of a read: do not.
   * What a read gets is compared with what was written.
   */
  readonly op: "write" | "read" | "aio_write" | "aio_read";
  /** First byte in the file. */
  readonly offset: number;
  /** How many. */
  readonly bytes: number;
  /**
   * How the buffer is cut.
   *
   * @default {in one piece}
   */
  readonly pieces?: Pieces;
  /** Pages of the buffer, counted from 0, that cannot be pinned. */
  readonly unmapped?: readonly number[];
  /**
   * Whether the buffer is a mapped file, which a flusher writes back in the
   * meantime, and memory runs short when the transfer has been reported.
   *
   * @default {false}
   */
  readonly flushed?: boolean;
  /**
   * Whether it goes through the page cache, as for a file that is open without
   * O_DIRECT; of `read` and `write` only.
   *
   * @default {false}
   */
  readonly cached?: boolean;
  /**
   * `IOCB_HIPRI`, `IOCB_NOWAIT`.
   *
   * @default {0}
   */
  readonly flags?: number;
}

/** One system call of a scenario's task. */
export type Op =
  | Transfer
  /** `io_getevents()`: waits for so many events. */
  | { readonly op: "getevents"; readonly min: number }
  /** `ftruncate()`. */
  | { readonly op: "truncate"; readonly size: number }
  /** `fallocate()` that makes a hole, of whole blocks. */
  | {
    readonly op: "punch_hole";
    /** First byte in the file. */
    readonly offset: number;
    /** How many. */
    readonly length: number;
  }
  /** `fallocate()`: blocks for whole ones, and a size that covers them. */
  | {
    readonly op: "fallocate";
    /** First byte in the file. */
    readonly offset: number;
    /** How many. */
    readonly length: number;
  }
  /** `close()`; the task submits nothing after it. */
  | { readonly op: "close" }
  /** `fsync()`. */
  | { readonly op: "fsync" }
  /** `syncfs()`. */
  | { readonly op: "syncfs" }
  /**
   * `umount()`: takes the filesystem apart when all other tasks have closed
   * their files, which they do in the end, and no request keeps one open.
   */
  | { readonly op: "umount" }
  /**
   * Not a system call: the power goes and comes back. What was not stable may
   * be lost, and is not looked for by later reads.
   */
  | { readonly op: "power_cut" };

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

/** What a scenario may ask of its device. */
export type ScenarioDevice = Partial<
  Pick<
    MemoryDeviceOptions,
    | "sizeBytes"
    | "logicalBlockSize"
    | "queueDepth"
    | "volatileCache"
    | "ignoresFua"
  >
>;

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
  /**
   * Most pages in one bio.
   *
   * @default {256}
   */
  readonly bioMaxPages?: number;
  /** What else is special about the device. */
  readonly device?: ScenarioDevice;
  /** Transfers that fail. */
  readonly faults?: readonly BioFault[];
  /** Allocations that fail. */
  readonly allocFaults?: readonly AllocFault[];
  /** What it does; all tasks start together. */
  readonly tasks: readonly ScenarioTask[];
}

/**
 * Whether a scenario unmounts by itself, while others do something.
 *
 * @param scenario The scenario.
 * @returns True when one of its tasks does.
 *
 * @example
 * ```ts
 * import { scenarioById, unmounts } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(unmounts(scenarioById("aio-write")), false);
 * ```
 */
export function unmounts({ tasks }: Scenario): boolean {
  return tasks.some(({ ops }) => ops.some(({ op }) => op === "umount"));
}

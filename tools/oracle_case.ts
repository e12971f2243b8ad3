/**
 * What the oracle does to a file, on the running kernel and on a model: system
 * calls as data, from an empty file on.
 *
 * @module
 */

import { EAGAIN, EOPNOTSUPP } from "../core/mod.ts";
import { type Op, type Scenario, SCENARIOS } from "../conformance/mod.ts";
import type { FileLayout } from "../fs_models/mod.ts";

/** A read or write; offsets and lengths are in bytes. */
export interface OracleTransfer {
  /** Direction. */
  readonly op: "read" | "write";
  /** First byte in the file. */
  readonly offset: number;
  /** How many. */
  readonly bytes: number;
  /**
   * How far the buffer, or each of its pieces, is from a page boundary.
   *
   * @default {0}
   */
  readonly misaligned?: number;
  /**
   * The lengths of the pieces that the buffer has. They lie apart.
   *
   * @default {[bytes]}
   */
  readonly pieces?: readonly number[];
  /**
   * Whether it is submitted, and its event taken, rather than a system call
   * that waits.
   *
   * @default {false}
   */
  readonly isAsync?: boolean;
  /**
   * Whether it must not wait.
   *
   * @default {false}
   */
  readonly nowait?: boolean;
}

/** One system call. */
export type OracleOp =
  | OracleTransfer
  /** `ftruncate()`. */
  | { readonly op: "truncate"; readonly size: number }
  /** `fallocate()` that allocates unwritten blocks and extends the file. */
  | {
    readonly op: "fallocate";
    /** First byte. */
    readonly offset: number;
    /** How many. */
    readonly bytes: number;
  }
  /** `fallocate()` that makes a hole. */
  | {
    readonly op: "punch_hole";
    /** First byte. */
    readonly offset: number;
    /** How many. */
    readonly bytes: number;
  }
  /** `fdatasync()`. */
  | { readonly op: "fsync" };

/** Larger files are not written on a real filesystem. */
const MOST_BYTES = 1 << 30;

/**
 * Whether a call is a read or a write.
 *
 * @param op The call.
 * @returns True when it is.
 */
export function isTransfer(op: OracleOp): op is OracleTransfer {
  return op.op === "read" || op.op === "write";
}

/** A file that is made, used, and read back in the end. */
export interface OracleCase {
  /** Its name. */
  readonly id: string;
  /**
   * Whether the file is open with O_DSYNC.
   *
   * @default {false}
   */
  readonly dsync?: boolean;
  /**
   * Whether it is open with O_APPEND.
   *
   * @default {false}
   */
  readonly append?: boolean;
  /** What is done before anything is compared: the file's layout. */
  readonly setUp: readonly OracleOp[];
  /** What is done and compared. */
  readonly ops: readonly OracleOp[];
}

/** What one system call came to. */
export interface OracleStep {
  /** What was done. */
  readonly op: OracleOp;
  /**
   * Bytes, or a negative errno. A call that must not wait and is refused is
   * made again without that, so that size and data are comparable.
   */
  readonly result: number;
  /** The size of the file afterwards, in bytes. */
  readonly size: number;
  /**
   * The bytes that were read, or that lie where a transfer that failed would
   * have gone; empty for anything else.
   */
  readonly data: Uint8Array;
}

/** What a case came to. */
export interface OracleRun {
  /** The size of the file after its set-up, in bytes. */
  readonly startSize: number;
  /** Its steps, the set-up left out. */
  readonly steps: readonly OracleStep[];
  /** What the file holds in the end, as a buffered read sees it. */
  readonly content: Uint8Array;
}

/**
 * Whether a call that must not wait was refused for that.
 *
 * @param op The call.
 * @param result What it came to.
 * @returns True when it is to be made again, free to wait.
 */
export function isRefusal({ nowait }: OracleTransfer, result: number): boolean {
  return nowait === true && (result === -EAGAIN || result === -EOPNOTSUPP);
}

/** Bytes in a block of the filesystems that are compared. */
export const BLOCK = 4096;

/**
 * The system calls that make a file of a layout.
 *
 * @param layout The layout.
 * @returns The calls, from an empty file on.
 */
export function layOut({ size, extents }: FileLayout): OracleOp[] {
  const ops = extents.map(({ offset, bytes, state }): OracleOp =>
    state === "written"
      ? { op: "write", offset, bytes }
      : { op: "fallocate", offset, bytes }
  );
  return [...ops, { op: "truncate", size }];
}

/**
 * A scenario of the suite as far as a user sees it: the calls of its tasks,
 * one task after the other. What only a simulated device does (faults, power
 * cuts, memory that cannot be pinned) is nothing that a user can ask for.
 *
 * @param scenario The scenario.
 * @returns The case, or null when the scenario is about something else.
 */
export function caseOf(scenario: Scenario): OracleCase | null {
  const { id, faults, allocFaults, device, file, tasks } = scenario;
  const isSimulated = [faults, allocFaults].some((list) => list?.length) ||
    device !== undefined || file.diskSize !== undefined ||
    file.size > MOST_BYTES ||
    (scenario.needs ?? []).includes("block-device") ||
    tasks.some(({ ownFile }) => ownFile);
  if (isSimulated) return null;
  const ops: OracleOp[] = [];
  for (const op of tasks.flatMap(({ ops }) => ops)) {
    const translated = translate(op);
    if (translated === null) return null;
    ops.push(...translated);
  }
  const dsync = scenario.dsync ?? false;
  return { id: `suite/${id}`, dsync, setUp: layOut(file), ops };
}

/** An operation of the suite; null when no user can ask for it. */
function translate(op: Op): OracleOp[] | null {
  switch (op.op) {
    case "truncate":
      return [op];
    case "punch_hole":
      return [{ op: "punch_hole", offset: op.offset, bytes: op.length }];
    case "fallocate":
      return [{ op: "fallocate", offset: op.offset, bytes: op.length }];
    case "fsync":
      return [{ op: "fsync" }];
    case "getevents":
      return [];
    case "syncfs":
    case "umount":
    case "power_cut":
    case "close":
      return null;
    default: {
      const { offset, bytes, flags = 0, pieces, unmapped, cached } = op;
      const isPlain = !unmapped?.length && pieces === undefined &&
        flags === 0 && !cached;
      if (!isPlain) return null;
      const isAsync = op.op.startsWith("aio_");
      const direction = op.op.endsWith("read") ? "read" : "write";
      return [{ op: direction, offset, bytes, isAsync }];
    }
  }
}

/** The scenarios of the suite that a user can see. */
export const SUITE_CASES: readonly OracleCase[] = SCENARIOS
  .map(caseOf)
  .filter((each) => each !== null);

/**
 * Says what a system call was.
 *
 * @param op The call.
 * @returns It, as strace would.
 */
export function describeOp(op: OracleOp): string {
  switch (op.op) {
    case "truncate":
      return `ftruncate(${op.size})`;
    case "fallocate":
      return `fallocate(0, ${op.offset}, ${op.bytes})`;
    case "punch_hole":
      return `fallocate(PUNCH_HOLE, ${op.offset}, ${op.bytes})`;
    case "fsync":
      return "fdatasync()";
    default: {
      const { isAsync, nowait, misaligned = 0, pieces = [op.bytes] } = op;
      const name = `${isAsync ? "aio_" : "p"}${op.op}`;
      const buffer = misaligned === 0 ? "" : `buf+${misaligned}, `;
      const flags = nowait ? ", NOWAIT" : "";
      const bytes = pieces.join("+");
      return `${name}(${buffer}${bytes} at ${op.offset}${flags})`;
    }
  }
}

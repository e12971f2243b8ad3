/**
 * What user space saw of a recording, as the file beside it tells.
 *
 * @module
 */

import type { Recording } from "./recording.ts";
import { R } from "./rules.ts";

/** A request as its program saw it. */
interface Op {
  readonly kind: "aio" | "sync";
  readonly isWrite: boolean;
  readonly offset: number;
  readonly bytes: number;
  /** What it came to: bytes, or a negative errno; NaN when it is unknown. */
  readonly result: number;
  /** As which of its batch an asynchronous one came back. */
  readonly order: number;
}

/** What the file then holds at a place. */
type Run = readonly [offset: number, bytes: number, kind: string];

/** What user space saw. */
export interface Outcome {
  /** The requests, in order. */
  readonly ops: readonly Op[];
  /** How many hits of probes were lost. */
  readonly missed: number;
  /** The `s_id` of the superblock, or an empty string. */
  readonly sId: string;
  /** The size of the file afterwards; NaN when it is unknown. */
  readonly sizeAfter: number;
  /** What it holds. */
  readonly content: readonly Run[];
}

const ERRNOS: Readonly<Record<string, number>> = {
  EPERM: -1,
  EIO: -5,
  EAGAIN: -11,
  ENOMEM: -12,
  EFAULT: -14,
  EBUSY: -16,
  EINVAL: -22,
  EFBIG: -27,
  ENOSPC: -28,
  EROFS: -30,
  EOPNOTSUPP: -95,
  EDQUOT: -122,
};
const DEVICE =
  /^\/dev\/(?<name>dm-\d+|(?:[hsv]d[a-z]+|nvme\w+|loop\d+|ram\d+)\w*)\b/;
/** Content that was there before. */
const OLD = /^(?:gen[01]|zero)$/;

/**
 * Reads what user space saw.
 *
 * @param text The file.
 * @returns It, or null when the file is of something else.
 */
export function parseOutcome(text: string): Outcome | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const { ops, kprobe_missed, device, size_after, content_after } = recordOf(
    value,
  );
  if (!Array.isArray(ops)) return null;
  const name = typeof device === "string" ? DEVICE.exec(device) : null;
  return {
    ops: ops.map(parseOp).filter((op) => op !== null),
    missed: typeof kprobe_missed === "number" ? kprobe_missed : 0,
    sId: name?.groups?.["name"] ?? "",
    sizeAfter: numberOf(size_after),
    content: Array.isArray(content_after) ? content_after.filter(isRun) : [],
  };
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null
    ? value as Record<string, unknown>
    : {};
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : NaN;
}

function isRun(value: unknown): value is Run {
  return Array.isArray(value) && typeof value[0] === "number" &&
    typeof value[1] === "number" && typeof value[2] === "string";
}

function parseOp(value: unknown): Op | null {
  const op = recordOf(value);
  const { kind } = op;
  if (kind !== "aio" && kind !== "sync") return null;
  const ret = numberOf(op["ret"]);
  const errno = typeof op["errno"] === "string" ? op["errno"] : "";
  return {
    kind,
    isWrite: op["op"] === "pwrite",
    offset: numberOf(op["off"]),
    bytes: numberOf(op["len"]),
    result: kind === "aio"
      ? numberOf(op["res"])
      : ret === -1
      ? ERRNOS[errno] ?? NaN
      : ret,
    order: numberOf(op["order"]),
  };
}

/**
 * Prepares a recording to be compared with what user space saw.
 *
 * @param r The recording, nothing of which was read.
 * @param outcome What user space saw.
 */
export function expectOutcome(r: Recording, outcome: Outcome): void {
  r.history = { aio: [], sync: [] };
  if (outcome.missed > 0) r.inventory.isLossy = true;
  if (outcome.sId !== "") r.queueName = r.names.of(`dio/${outcome.sId}`);
}

/**
 * Compares a recording with what user space saw.
 *
 * @param r The recording, all of which was read.
 * @param outcome What user space saw.
 */
export function compareOutcome(r: Recording, outcome: Outcome): void {
  const { history } = r;
  if (history === null) return;
  const aio = outcome.ops.filter(({ kind }) => kind === "aio");
  const sync = outcome.ops.filter(({ kind }) => kind === "sync");
  compareAio(r, aio);
  sync.forEach(({ result }, i) => {
    const told = history.sync[i];
    if (told === undefined || Number.isNaN(told + result)) return;
    r.exercise(R.userSpace);
    if (told !== result) {
      r.report(R.userSpace, `a return of ${result}, it is ${told}`);
    }
  });
  compareContent(r, outcome);
}

function compareAio(r: Recording, ops: readonly Op[]): void {
  const submitted = r.history?.aio ?? [];
  if (submitted.length !== ops.length && submitted.length > 0) {
    r.report(
      R.userSpace,
      `${ops.length} asynchronous requests, not ${submitted.length}`,
    );
    return;
  }
  submitted.forEach((iocb, i) => {
    const { result, offset, order } = ops[i] as Op;
    r.exercise(R.userSpace);
    if (!Number.isNaN(iocb.res + result) && iocb.res !== result) {
      r.report(R.userSpace, `${result}, it is ${iocb.res}`, iocb.reported);
    }
    const isKnown = iocb.bytes > 0 && !Number.isNaN(offset);
    if (isKnown && iocb.offset !== offset) {
      r.report(R.userSpace, `a request at ${offset}`, iocb.line);
    }
    const isSilent = iocb.order < 0 && iocb.ring > 0 && r.ended > 0;
    if (isSilent && r.isWhole && order >= 0) {
      r.report(R.userSpace, "its event in user space", iocb.ring, r.ended);
    }
    if (iocb.order >= 0 && order >= 0 && iocb.order !== order) {
      r.report(R.ring, `event ${order} of its batch`, iocb.ring);
    }
  });
}

/** What was reported as written is in the file, as far as that goes on. */
function compareContent(r: Recording, outcome: Outcome): void {
  for (const { isWrite, offset, result } of outcome.ops) {
    const end = offset + result;
    if (!isWrite || !(result > 0) || !(end <= outcome.sizeAfter)) continue;
    r.exercise(R.readerSees);
    const old = outcome.content.find(([at, bytes, kind]) =>
      at < end && at + bytes > offset && OLD.test(kind)
    );
    if (old === undefined) continue;
    r.report(
      R.readerSees,
      `what was written at ${offset}, not ${old[2]} at ${old[0]}`,
    );
  }
}

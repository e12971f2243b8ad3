/**
 * Compares what the running kernel did with what a model did, and explains
 * what differs.
 *
 * @module
 */

import { errnoName, type ProfileName } from "../core/mod.ts";
import { fillPattern, piecesOf } from "./oracle_buffer.ts";
import {
  BLOCK,
  describeOp,
  isTransfer,
  type OracleCase,
  type OracleOp,
  type OracleRun,
  type OracleStep,
  type OracleTransfer,
} from "./oracle_case.ts";

/** Where a case was run. */
export interface OracleSetting {
  /** The real filesystem, e.g. `ext4`. */
  readonly fs: string;
  /** The model's name. */
  readonly model: string;
  /** Whose semantics the model had. */
  readonly profile: ProfileName;
  /** What offsets and lengths must be multiples of, in bytes. */
  readonly logicalBlockSize: number;
  /** What addresses of memory must be multiples of, in bytes. */
  readonly memoryAlignment: number;
  /**
   * Whether the filesystem itself told what alignment direct I/O needs. One
   * that does not may serve it from the page cache.
   */
  readonly tellsAlignment: boolean;
}

/** Something that is not the same on both sides. */
export interface Difference {
  /** The case. */
  readonly caseId: string;
  /** The call; null for what the file holds in the end. */
  readonly op: OracleOp | null;
  /** What the running kernel gave. */
  readonly real: string;
  /** What the model gave. */
  readonly model: string;
  /** Why it may differ; null when nobody knows. */
  readonly explanation: Explanation | null;
}

/** What a case came to. */
export interface Comparison {
  /** The case. */
  readonly caseId: string;
  /** Results, sizes and buffers that were compared. */
  readonly compared: number;
  /** What differs. */
  readonly differences: readonly Difference[];
  /**
   * The index of a call that has changed only one of both files, for a reason
   * that is known: nothing behind it was compared. Null when there is none.
   */
  readonly apartAt: number | null;
}

/** Both sides of one call. */
interface Pair {
  readonly op: OracleOp;
  readonly real: OracleStep;
  readonly model: OracleStep;
  /** The size of the file before the call. */
  readonly sizeBefore: number;
  /** Which call of the case it is, its set-up counted. */
  readonly nth: number;
}

/** A reason why a filesystem and a model may differ. */
export interface Explanation {
  /** Its name. */
  readonly id: string;
  /** One sentence. */
  readonly sentence: string;
  /** Whether it applies. */
  readonly explains: (pair: Pair, setting: OracleSetting) => boolean;
}

const EAGAIN = -11;
const EINVAL = -22;
const EOPNOTSUPP = -95;

/** The reasons that are known; the first that applies is given. */
export const EXPLANATIONS: readonly Explanation[] = [
  {
    id: "nowait-is-a-choice",
    sentence:
      "A filesystem may refuse what must not wait with -EAGAIN, and does so when it needs a lock or a block that it cannot have at once, or with -EOPNOTSUPP when it cannot tell.",
    explains: ({ op, real, model }) =>
      isTransfer(op) && op.nowait === true &&
      isEither(real, model, EAGAIN, EOPNOTSUPP),
  },
  {
    id: "fallocate-is-a-choice",
    sentence: "A filesystem, and a model, may be without fallocate().",
    explains: ({ op, real, model }) =>
      (op.op === "fallocate" || op.op === "punch_hole") &&
      isEither(real, model, EOPNOTSUPP),
  },
  {
    id: "no-alignment",
    sentence:
      "This filesystem tells no alignment: what does not fit direct I/O it serves from the page cache, which asks for none.",
    explains: ({ op, real, model }, { tellsAlignment }) =>
      isTransfer(op) && !tellsAlignment && model.result === EINVAL &&
      isRight(op, real, model),
  },
  {
    id: "dma-alignment",
    sentence:
      "Memory has to fit the DMA alignment that statx() tells, its addresses since 6.0, the lengths of its pieces since 6.18; fs/direct-io.c wants whole logical blocks.",
    explains: ({ op, real, model }, { logicalBlockSize, memoryAlignment }) =>
      isTransfer(op) && model.result === EINVAL &&
      (op.offset | op.bytes) % logicalBlockSize === 0 &&
      !fitsMemory(op, logicalBlockSize) && fitsMemory(op, memoryAlignment) &&
      isRight(op, real, model),
  },
  {
    id: "end-of-file-first",
    sentence:
      "iomap (XFS since 4.10, ext4 since 5.5) looks at the size of the file before the alignment, so a misaligned read of nothing, or behind the end, gives 0; the model of XFS, which is of 3.12, and fs/direct-io.c of 4.10 give -EINVAL.",
    explains: ({ op, real, model, sizeBefore }) =>
      op.op === "read" && real.result === 0 && model.result === EINVAL &&
      (op.bytes === 0 || op.offset >= sizeBefore),
  },
  {
    id: "hole-without-alignment",
    sentence:
      "iomap looks at the alignment of a read in written blocks only: where it is misaligned in a hole, or in unwritten blocks, it gives zeros, up to where it does not fit; fs/direct-io.c looks first, and gives -EINVAL.",
    explains: ({ op, real, model }, { logicalBlockSize }) =>
      op.op === "read" && real.result > 0 && model.result === EINVAL &&
      isRight(op, real, model) &&
      isZeroWhereMisaligned(op, real, logicalBlockSize),
  },
  {
    id: "written-in-part",
    sentence:
      "iomap writes what lies before the block that a write does not fit, and gives -EINVAL all the same; fs/direct-io.c writes nothing then.",
    explains: ({ op, real, model, nth }) =>
      op.op === "write" && real.result === EINVAL && model.result === EINVAL &&
      isWrittenInPart(op, real, model, nth),
  },
  {
    id: "cached-by-ocfs2",
    sentence:
      "ocfs2 writes through the page cache what makes a file longer or fills a hole, and that asks for no alignment.",
    explains: ({ op, real, model }, setting) =>
      op.op === "write" && setting.model === "ocfs2" &&
      setting.fs !== "ocfs2" && real.result === EINVAL &&
      model.result === op.bytes,
  },
];

/**
 * Compares a case.
 *
 * @param oracleCase The case.
 * @param real What the running kernel did.
 * @param model What the model did.
 * @param setting Where.
 * @param from The first call to compare.
 * @returns What came out.
 */
export function compare(
  oracleCase: OracleCase,
  real: OracleRun,
  model: OracleRun,
  setting: OracleSetting,
  from: number = 0,
): Comparison {
  const { id: caseId } = oracleCase;
  const found: Findings = {
    caseId,
    compared: 0,
    differences: [],
    apartAt: null,
  };
  let sizeBefore = real.startSize;
  for (const [i, step] of real.steps.entries()) {
    const other = model.steps[i];
    if (other === undefined) throw new Error(`${caseId} has stopped`);
    const nth = oracleCase.setUp.length + i;
    const pair = { op: step.op, real: step, model: other, sizeBefore, nth };
    sizeBefore = step.size;
    if (i < from || compareStep(found, pair, setting)) continue;
    // What follows a difference that nobody understands says nothing.
    const isKnown = found.differences.at(-1)?.explanation !== null;
    return isKnown ? { ...found, apartAt: i } : found;
  }
  compareContent(found, real.content, model.content);
  return found;
}

/** What {@linkcode compare} fills in. */
interface Findings extends Comparison {
  compared: number;
  readonly differences: Difference[];
}

/** Compares result, size and data of a call: whether to go on. */
function compareStep(
  found: Findings,
  pair: Pair,
  setting: OracleSetting,
): boolean {
  const { op, real, model } = pair;
  found.compared += 3;
  if (isSame(real, model)) return true;
  const [mine, theirs] = describeBoth(real, model);
  const explanation =
    EXPLANATIONS.find(({ explains }) => explains(pair, setting)) ?? null;
  found.differences.push({
    caseId: found.caseId,
    op,
    real: mine,
    model: theirs,
    explanation,
  });
  // A write that must not wait was made again, and read changes nothing.
  const isApart = op.op !== "read" && !(isTransfer(op) && op.nowait === true);
  return explanation !== null && !isApart;
}

function compareContent(
  found: Findings,
  real: Uint8Array,
  model: Uint8Array,
): void {
  found.compared++;
  const at = firstDifference(real, model);
  if (at === null) return;
  found.differences.push({
    caseId: found.caseId,
    op: null,
    real: describeByte(real, at),
    model: describeByte(model, at),
    explanation: null,
  });
}

/** Whether a transfer that a model has refused did what it should. */
function isRight(
  op: OracleTransfer,
  real: OracleStep,
  model: OracleStep,
): boolean {
  if (op.op === "write") return real.result === op.bytes;
  return real.result >= 0 &&
    real.data.every((byte, i) => byte === model.data[i]);
}

/** Whether pieces of memory begin, and end where another follows, at a unit. */
function fitsMemory(op: OracleTransfer, unit: number): boolean {
  const pieces = piecesOf(op);
  return pieces.every(({ start, length }, i) =>
    start % unit === 0 && (i === pieces.length - 1 || length % unit === 0)
  );
}

/** Whether there are zeros in the blocks that a read does not fit. */
function isZeroWhereMisaligned(
  op: OracleTransfer,
  { data }: OracleStep,
  logicalBlockSize: number,
): boolean {
  const { offset, bytes } = op;
  const end = offset + bytes;
  const isZero = (from: number, to?: number) =>
    data.subarray(Math.max(0, from), to).every((byte) => byte === 0);
  if (!fitsMemory(op, logicalBlockSize)) return isZero(0);
  const head = offset % logicalBlockSize === 0 ? 0 : BLOCK - offset % BLOCK;
  const tail = end % logicalBlockSize === 0
    ? bytes
    : end - end % BLOCK - offset;
  return isZero(0, head) && isZero(tail);
}

/** Whether what differs are bytes that the write would have written. */
function isWrittenInPart(
  op: OracleTransfer,
  real: OracleStep,
  model: OracleStep,
  nth: number,
): boolean {
  const pattern = new Uint8Array(op.bytes);
  fillPattern(pattern, op.offset, nth);
  return real.data.every((byte, i) =>
    byte === model.data[i] || byte === pattern[i]
  );
}

function isEither(
  { result }: OracleStep,
  other: OracleStep,
  ...errors: readonly number[]
): boolean {
  return errors.includes(result) || errors.includes(other.result);
}

function isSame(a: OracleStep, b: OracleStep): boolean {
  return a.result === b.result && a.size === b.size &&
    firstDifference(a.data, b.data) === null;
}

/** The first byte that differs, or is missing on one side; or null. */
function firstDifference(a: Uint8Array, b: Uint8Array): number | null {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return i;
  return a.length === b.length ? null : length;
}

function describeBoth(a: OracleStep, b: OracleStep): [string, string] {
  if (a.result !== b.result) return [errnoName(a.result), errnoName(b.result)];
  if (a.size !== b.size) return [`size ${a.size}`, `size ${b.size}`];
  const at = firstDifference(a.data, b.data) ?? 0;
  return [describeByte(a.data, at), describeByte(b.data, at)];
}

function describeByte(bytes: Uint8Array, at: number): string {
  return at < bytes.length ? `byte ${at} is ${bytes[at]}` : `ends at ${at}`;
}

/**
 * Says what differs.
 *
 * @param difference What differs.
 * @returns The call, or what is compared in the end.
 */
export function describeDifference({ op }: Difference): string {
  return op === null ? "what the file holds" : describeOp(op);
}

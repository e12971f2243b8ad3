/**
 * The memory of the oracle's transfers: where its pieces lie, and what is in it.
 *
 * @module
 */

import { BLOCK, type OracleTransfer } from "./oracle_case.ts";

/** What a buffer holds before a read: a byte that nobody writes. */
const POISON = 255;

/** Where a piece of a buffer lies, in bytes. */
export interface Piece {
  /** First byte, in memory that begins at a page boundary. */
  readonly start: number;
  /** How many bytes. */
  readonly length: number;
}

/**
 * Where the pieces of the buffer of a transfer lie.
 *
 * @param op The transfer.
 * @returns They, in their order.
 */
export function piecesOf(op: OracleTransfer): Piece[] {
  const { misaligned = 0, pieces = [op.bytes] } = op;
  let page = 0;
  return pieces.map((length) => {
    const start = page + misaligned;
    page = Math.ceil((start + length) / BLOCK + 1) * BLOCK;
    return { start, length };
  });
}

/** Whole blocks around some bytes. */
export interface Around {
  /** Where they begin in the file. */
  readonly offset: number;
  /** How many bytes they have. */
  readonly bytes: number;
  /** Where in them the bytes lie that were asked for. */
  readonly skip: number;
}

/**
 * The blocks that a transfer touches.
 *
 * @param op The transfer.
 * @returns They, for a transfer that fits any device.
 */
export function blocksAround(op: OracleTransfer): Around {
  const skip = op.offset % BLOCK;
  const bytes = Math.ceil((skip + op.bytes) / BLOCK) * BLOCK;
  return { offset: op.offset - skip, bytes, skip };
}

/**
 * What a write writes: bytes that differ from those of every other write, and
 * from sector to sector.
 *
 * @param out Where to.
 * @param offset First byte in the file.
 * @param nth Which write of the case it is.
 */
export function fillPattern(
  out: Uint8Array,
  offset: number,
  nth: number,
): void {
  for (let i = 0; i < out.length; i++) {
    const at = offset + i;
    out[i] = 1 + (nth * 37 + (at >>> 9) * 7 + at) % 251;
  }
}

/**
 * Fills the buffer of a transfer before it: with what a write writes, or with a
 * byte that nobody writes.
 *
 * @param op The transfer.
 * @param views The pieces of the buffer.
 * @param nth Which call of the case it is.
 */
export function fillBuffer(
  op: OracleTransfer,
  views: readonly Uint8Array[],
  nth: number,
): void {
  const bytes = new Uint8Array(op.bytes).fill(POISON);
  if (op.op === "write") fillPattern(bytes, op.offset, nth);
  let at = 0;
  for (const view of views) {
    view.set(bytes.subarray(at, at + view.length));
    at += view.length;
  }
}

/**
 * What a transfer has read.
 *
 * @param op The transfer.
 * @param views The pieces of the buffer.
 * @param result What it came to.
 * @returns The bytes; none for a write.
 */
export function bytesRead(
  op: OracleTransfer,
  views: readonly Uint8Array[],
  result: number,
): Uint8Array {
  if (op.op === "write") return new Uint8Array();
  const bytes = new Uint8Array(op.bytes);
  let at = 0;
  for (const view of views) {
    bytes.set(view, at);
    at += view.length;
  }
  return bytes.subarray(0, result);
}

/**
 * Workloads that nobody has thought of.
 *
 * @module
 */

import fc from "fast-check";
import type { Piece, Workload, WorkOp, WorkTransfer } from "./workload.ts";

const BLOCK = 4096;
const SECTOR = 512;
/** Calls begin in one of so many blocks. */
const BLOCKS = 10;
const MAX_OPS = 10;

/** A number of bytes: whole blocks, or sectors, or rarely anything. */
function bytes(blocks: number): fc.Arbitrary<number> {
  return fc.oneof(
    { weight: 8, arbitrary: fc.nat(blocks).map((n) => n * BLOCK) },
    {
      weight: 8,
      arbitrary: fc.nat(blocks * BLOCK / SECTOR).map((n) => n * SECTOR),
    },
    { weight: 1, arbitrary: fc.nat(blocks * BLOCK) },
  );
}

const piece: fc.Arbitrary<Piece> = fc.tuple(
  bytes(4),
  fc.oneof(
    { weight: 8, arbitrary: fc.constant(0) },
    { weight: 4, arbitrary: fc.nat(7).map((n) => n * SECTOR) },
    { weight: 1, arbitrary: fc.nat(BLOCK - 1) },
  ),
);

const transfer: fc.Arbitrary<WorkOp> = fc.record({
  op: fc.constantFrom(
    "write" as const,
    "write" as const,
    "write" as const,
    "append" as const,
    "read" as const,
    "read" as const,
    "buffered_write" as const,
    "buffered_read" as const,
  ),
  offset: bytes(BLOCKS),
  pieces: fc.oneof(
    { weight: 4, arbitrary: fc.tuple(piece) },
    { weight: 1, arbitrary: fc.tuple(piece, piece) },
  ),
  isAsync: fc.boolean(),
});

const other: fc.Arbitrary<WorkOp> = fc.oneof(
  fc.record({
    op: fc.constant("truncate" as const),
    size: bytes(BLOCKS),
  }),
  fc.record({
    op: fc.constantFrom("fallocate" as const, "punch_hole" as const),
    offset: fc.nat(BLOCKS).map((n) => n * BLOCK),
    bytes: fc.integer({ min: 1, max: 4 }).map((n) => n * BLOCK),
  }),
  fc.constant({ op: "fsync" as const }),
);

/** A workload of some calls. */
export const workloads: fc.Arbitrary<Workload> = fc.record({
  ops: fc.array(
    fc.oneof(
      { weight: 3, arbitrary: transfer },
      { weight: 1, arbitrary: other },
    ),
    { minLength: 1, maxLength: MAX_OPS },
  ),
  isDsync: fc.boolean(),
  sector: fc.constantFrom(512 as const, 512 as const, 4096 as const),
  // Where somebody decides about every step, other code runs.
  seed: fc.oneof(
    { weight: 7, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.nat() },
  ),
});

/**
 * Workloads of direct transfers of whole sectors only, for models that know
 * nothing else: they have no page cache of their own, and look at alignment in
 * their own way.
 */
export const directWorkloads: fc.Arbitrary<Workload> = workloads.map(
  (workload) => ({
    ...workload,
    sector: SECTOR,
    ops: workload.ops.filter((op) => !("pieces" in op) || isDirect(op)),
  }),
);

function isDirect({ op, offset, pieces }: WorkTransfer): boolean {
  const bits = pieces.flat().reduce((all, n) => all | n, offset);
  return (op === "read" || op === "write") && bits % SECTOR === 0;
}

/**
 * The oracle's own cases: what the suite's scenarios do not ask of a file.
 *
 * @module
 */

import {
  BLOCK,
  layOut,
  type OracleCase,
  type OracleOp,
} from "./oracle_case.ts";

/** A file of so many written blocks. */
function written(blocks: number, size: number = blocks * BLOCK): OracleOp[] {
  const extents = [{
    offset: 0,
    bytes: blocks * BLOCK,
    state: "written",
  }] as const;
  return layOut({ size, extents });
}

/** A written block, an unwritten one, a hole, and a written one. */
const MIXED: OracleOp[] = layOut({
  size: 4 * BLOCK,
  extents: [
    { offset: 0, bytes: BLOCK, state: "written" },
    { offset: BLOCK, bytes: BLOCK, state: "unwritten" },
    { offset: 3 * BLOCK, bytes: BLOCK, state: "written" },
  ],
});

/** A call that waits, and the same submitted. */
function bothWays(op: OracleOp): OracleOp[] {
  return [op, { ...op, isAsync: true } as OracleOp];
}

/** Transfers of one length at some offsets. */
function at(
  op: "read" | "write",
  bytes: number,
  ...offsets: readonly number[]
): OracleOp[] {
  return offsets.flatMap((offset) => bothWays({ op, offset, bytes }));
}

/** Transfers from buffers at some distances from a page boundary. */
function from(
  op: "read" | "write",
  offset: number,
  ...distances: readonly number[]
): OracleOp[] {
  return distances.flatMap((misaligned) =>
    bothWays({ op, offset, bytes: BLOCK, misaligned })
  );
}

/** Transfers from the first block on, of buffers in pieces. */
function inPieces(
  op: "read" | "write",
  ...buffers: readonly (readonly number[])[]
): OracleOp[] {
  return buffers.flatMap((pieces) => {
    const bytes = pieces.reduce((sum, each) => sum + each, 0);
    return bothWays({ op, offset: 0, bytes, pieces });
  });
}

/** Whole blocks, sectors, and pieces that fit nothing, though their sum does. */
const BUFFERS = [
  [BLOCK, BLOCK, BLOCK],
  [2 * BLOCK, BLOCK],
  [512, BLOCK - 512],
  [512, 1024, 2048, 512],
  [BLOCK, 100, BLOCK - 100],
  [4, BLOCK - 4],
] as const;

/** The cases. */
export const CASES: readonly OracleCase[] = [
  {
    id: "alignment/offset-read",
    setUp: written(4),
    ops: at("read", BLOCK, 0, 1, 100, 511, 512, 1024, 2048, BLOCK + 1),
  },
  {
    id: "alignment/offset-write",
    setUp: written(4),
    ops: at("write", BLOCK, 0, 1, 100, 511, 512, 2048, BLOCK + 1),
  },
  {
    id: "alignment/length-read",
    setUp: written(4),
    ops: [1, 100, 511, 512, 513, 1024, BLOCK - 1, BLOCK + 512]
      .flatMap((bytes) => at("read", bytes, 0)),
  },
  {
    id: "alignment/length-write",
    setUp: written(4),
    ops: [1, 100, 511, 512, 513, 1024, BLOCK - 1, BLOCK + 512]
      .flatMap((bytes) => at("write", bytes, 0)),
  },
  {
    id: "alignment/memory-read",
    setUp: written(4),
    ops: from("read", BLOCK, 0, 1, 2, 3, 4, 64, 511, 512, 1024),
  },
  {
    id: "alignment/memory-write",
    setUp: written(4),
    ops: from("write", BLOCK, 0, 1, 2, 3, 4, 64, 511, 512, 1024),
  },
  {
    id: "alignment/read-of-a-hole",
    setUp: MIXED,
    ops: [
      ...at("read", 100, 2 * BLOCK, 2 * BLOCK + 100, BLOCK + 1),
      ...at("read", BLOCK, 2 * BLOCK - 100),
    ],
  },
  {
    id: "pieces/read",
    setUp: written(4),
    ops: inPieces("read", ...BUFFERS),
  },
  {
    id: "pieces/write",
    setUp: written(4),
    ops: [...inPieces("write", ...BUFFERS), ...at("read", 4 * BLOCK, 0)],
  },
  {
    id: "pieces/read-of-holes",
    setUp: MIXED,
    ops: inPieces("read", [BLOCK, 2 * BLOCK, BLOCK], [512, 3 * BLOCK]),
  },
  {
    id: "pieces/misaligned",
    setUp: written(4),
    ops: [4, 512].flatMap((misaligned) =>
      bothWays({
        op: "read",
        offset: 0,
        bytes: 2 * BLOCK,
        misaligned,
        pieces: [BLOCK, BLOCK],
      })
    ),
  },
  {
    id: "zero-length",
    setUp: written(1),
    ops: [
      ...at("read", 0, 0, 1, BLOCK, 2 * BLOCK),
      ...at("write", 0, 0, 1, BLOCK, 2 * BLOCK),
    ],
  },
  {
    id: "end-of-file/read-across",
    setUp: written(2),
    ops: at("read", 3 * BLOCK, 0, BLOCK, 2 * BLOCK, 3 * BLOCK),
  },
  {
    id: "end-of-file/read-inside-a-block",
    setUp: written(2, BLOCK + 300),
    ops: [
      ...at("read", BLOCK, 0, BLOCK, BLOCK + 512, 2 * BLOCK),
      ...at("read", 512, BLOCK, BLOCK + 512),
      ...at("read", 300, BLOCK, BLOCK + 512, 2 * BLOCK),
    ],
  },
  {
    id: "end-of-file/read-of-an-empty-file",
    setUp: [],
    ops: [...at("read", BLOCK, 0, BLOCK), ...at("read", 100, 0, 100)],
  },
  {
    id: "end-of-file/read-misaligned-behind",
    setUp: written(1),
    ops: at("read", 100, BLOCK, BLOCK + 100, 8 * BLOCK),
  },
  {
    id: "holes/read",
    setUp: MIXED,
    ops: [
      ...at("read", 4 * BLOCK, 0),
      ...at("read", BLOCK, 0, BLOCK, 2 * BLOCK, 3 * BLOCK),
    ],
  },
  {
    id: "holes/write",
    setUp: MIXED,
    ops: [
      ...at("write", BLOCK, 2 * BLOCK),
      ...at("read", 4 * BLOCK, 0),
    ],
  },
  {
    id: "holes/write-across",
    setUp: MIXED,
    ops: [...at("write", 4 * BLOCK, 0), ...at("read", 4 * BLOCK, 0)],
  },
  {
    id: "holes/write-part-of-a-block",
    setUp: MIXED,
    ops: [
      { op: "write", offset: 2 * BLOCK + 512, bytes: 512 },
      { op: "read", offset: 2 * BLOCK, bytes: BLOCK },
    ],
  },
  {
    id: "holes/punched",
    setUp: written(4),
    ops: [
      { op: "punch_hole", offset: BLOCK, bytes: 2 * BLOCK },
      ...at("read", 4 * BLOCK, 0),
      ...at("write", BLOCK, BLOCK),
      ...at("read", 4 * BLOCK, 0),
    ],
  },
  {
    id: "unwritten/read",
    setUp: [{ op: "fallocate", offset: 0, bytes: 4 * BLOCK }],
    ops: at("read", 4 * BLOCK, 0),
  },
  {
    id: "unwritten/write",
    setUp: [{ op: "fallocate", offset: 0, bytes: 4 * BLOCK }],
    ops: [...at("write", BLOCK, BLOCK), ...at("read", 4 * BLOCK, 0)],
  },
  {
    id: "unwritten/write-part-of-a-block",
    setUp: [{ op: "fallocate", offset: 0, bytes: 4 * BLOCK }],
    ops: [
      ...at("write", 512, BLOCK + 1024),
      ...at("read", 4 * BLOCK, 0),
    ],
  },
  {
    id: "unwritten/fallocate-extends",
    setUp: written(1),
    ops: [
      { op: "fallocate", offset: BLOCK, bytes: 3 * BLOCK },
      ...at("read", 4 * BLOCK, 0),
    ],
  },
  {
    id: "extend/write-at-the-end",
    setUp: written(1),
    ops: [
      { op: "write", offset: BLOCK, bytes: BLOCK },
      { op: "write", offset: 2 * BLOCK, bytes: BLOCK, isAsync: true },
      ...at("read", 4 * BLOCK, 0),
    ],
  },
  {
    id: "extend/write-across-the-end",
    setUp: written(2, BLOCK + 300),
    ops: [
      { op: "write", offset: BLOCK, bytes: 2 * BLOCK, isAsync: true },
      ...at("read", 4 * BLOCK, 0),
    ],
  },
  {
    id: "extend/write-part-of-a-block",
    setUp: written(1),
    ops: [
      { op: "write", offset: BLOCK + 1024, bytes: 512 },
      ...at("read", 2 * BLOCK, 0),
    ],
  },
  {
    id: "extend/write-far-behind",
    setUp: written(1),
    ops: [
      { op: "write", offset: 6 * BLOCK, bytes: BLOCK, isAsync: true },
      ...at("read", 8 * BLOCK, 0),
    ],
  },
  {
    id: "extend/truncate-and-write",
    setUp: written(4),
    ops: [
      { op: "truncate", size: BLOCK + 300 },
      { op: "read", offset: 0, bytes: 2 * BLOCK },
      { op: "truncate", size: 3 * BLOCK },
      { op: "read", offset: 0, bytes: 4 * BLOCK },
      { op: "write", offset: 2 * BLOCK, bytes: BLOCK, isAsync: true },
      { op: "read", offset: 0, bytes: 4 * BLOCK },
    ],
  },
  {
    id: "append/blocks",
    append: true,
    setUp: [],
    ops: [
      ...at("write", BLOCK, 0),
      ...at("write", 2 * BLOCK, 5 * BLOCK),
      ...at("read", 8 * BLOCK, 0),
    ],
  },
  {
    id: "append/inside-a-block",
    append: true,
    setUp: [{ op: "truncate", size: 300 }],
    ops: [...at("write", BLOCK, 0), ...at("write", 512, 0)],
  },
  {
    id: "dsync/written",
    dsync: true,
    setUp: written(4),
    ops: [...at("write", 2 * BLOCK, BLOCK), ...at("read", 4 * BLOCK, 0)],
  },
  {
    id: "dsync/unwritten-hole-and-end",
    dsync: true,
    setUp: MIXED,
    ops: [
      ...at("write", BLOCK, BLOCK, 2 * BLOCK, 4 * BLOCK),
      ...at("read", 8 * BLOCK, 0),
      { op: "fsync" },
    ],
  },
  {
    id: "nowait/written",
    setUp: written(4),
    ops: [
      { op: "read", offset: 0, bytes: BLOCK, nowait: true },
      { op: "read", offset: 0, bytes: BLOCK, nowait: true, isAsync: true },
      { op: "write", offset: 0, bytes: BLOCK, nowait: true },
      { op: "write", offset: 0, bytes: BLOCK, nowait: true, isAsync: true },
      { op: "read", offset: 8 * BLOCK, bytes: BLOCK, nowait: true },
    ],
  },
  {
    id: "nowait/hole",
    setUp: MIXED,
    ops: [
      { op: "read", offset: 2 * BLOCK, bytes: BLOCK, nowait: true },
      { op: "write", offset: 2 * BLOCK, bytes: BLOCK, nowait: true },
      { op: "read", offset: 0, bytes: 4 * BLOCK },
    ],
  },
];

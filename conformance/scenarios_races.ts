/**
 * The suite's scenarios in which somebody gets in the way of direct I/O:
 * truncate and hole punch, who free blocks, and writes that share a block.
 *
 * @module
 */

import type { Scenario, ScenarioTask } from "./scenario.ts";
import { BLOCK, pieces, readsBack, submits } from "./scenario_parts.ts";

/**
 * Appends a block to a file of its own, and compares it: what others have
 * freed is given to it first.
 */
const APPENDS: ScenarioTask = {
  comm: "other",
  ownFile: true,
  ops: [
    { op: "write", offset: BLOCK, bytes: BLOCK },
    { op: "read", offset: BLOCK, bytes: BLOCK },
  ],
};

const TRUNCATES: ScenarioTask = {
  comm: "truncater",
  ops: [{ op: "truncate", size: 0 }],
};

/** Half of the first block, written and read by a task of its own. */
function writesHalf(comm: string, offset: number): ScenarioTask {
  const bytes = BLOCK / 2;
  return {
    comm,
    ops: [
      { op: "aio_write", offset, bytes },
      { op: "getevents", min: 1 },
      { op: "read", offset, bytes },
    ],
  };
}

/** Who gets in the way. */
export const RACE_SCENARIOS: readonly Scenario[] = [
  {
    id: "aio-write-truncate-reuse",
    title:
      "An asynchronous write, whose block is cut off and given to another file",
    rules: [
      "truncate-waits/in-flight-ended",
      "truncate-waits/for-zero",
      "size-after-data/truncated",
    ],
    needs: ["truncate"],
    file: pieces(1, "written"),
    tasks: [submits("aio_write", 1), TRUNCATES, APPENDS],
  },
  {
    id: "aio-read-truncate-reuse",
    title:
      "An asynchronous read, whose block is cut off and given to another file",
    rules: ["truncate-waits/in-flight-ended", "read-within-size/cut"],
    needs: ["truncate"],
    file: pieces(1, "written"),
    tasks: [submits("aio_read", 1), TRUNCATES, APPENDS],
  },
  {
    id: "aio-write-punch-reuse",
    title:
      "An asynchronous write, in whose middle a hole is punched; its block is given to another file",
    rules: ["truncate-waits/in-flight-ended", "truncate-waits/for-zero"],
    needs: ["punch_hole"],
    file: pieces(2, "written"),
    tasks: [
      submits("aio_write", 2, readsBack(1)),
      {
        comm: "puncher",
        ops: [{ op: "punch_hole", offset: BLOCK, length: BLOCK }],
      },
      {
        comm: "other",
        ownFile: true,
        ops: [
          { op: "write", offset: 2 * BLOCK, bytes: BLOCK },
          { op: "read", offset: 2 * BLOCK, bytes: BLOCK },
        ],
      },
    ],
  },
  {
    id: "aio-write-unwritten-punch",
    title:
      "An asynchronous write to an unwritten block, against a hole punch: what is freed is not converted",
    rules: [
      "truncate-waits/in-flight-ended",
      "truncate-waits/counted-while-converted",
    ],
    needs: ["unwritten", "punch_hole"],
    file: pieces(1, "unwritten"),
    tasks: [
      submits("aio_write", 1),
      {
        comm: "puncher",
        ops: [{ op: "punch_hole", offset: 0, length: BLOCK }],
      },
    ],
  },
  {
    id: "overwrite-truncate",
    title:
      "A write inside the file that its system call waits for, against a truncate: what is cut off stays so",
    rules: ["size-after-data/truncated", "truncate-waits/for-zero"],
    needs: ["truncate"],
    file: {
      size: 2 * BLOCK,
      extents: [{ offset: 0, bytes: 2 * BLOCK, state: "written" }],
    },
    tasks: [
      { comm: "writer", ops: [{ op: "write", offset: 0, bytes: 2 * BLOCK }] },
      { comm: "truncater", ops: [{ op: "truncate", size: BLOCK }] },
    ],
  },
  {
    id: "aio-read-truncate-inside",
    title:
      "An asynchronous read from the middle of a block, before which the file is made to end",
    rules: ["read-within-size/cut", "size-after-data/truncated"],
    needs: ["truncate"],
    file: pieces(1, "written"),
    tasks: [
      {
        comm: "reader",
        ops: [
          { op: "aio_read", offset: 1024, bytes: 1024 },
          { op: "getevents", min: 1 },
        ],
      },
      { comm: "truncater", ops: [{ op: "truncate", size: 300 }] },
    ],
  },
  {
    id: "aio-write-unaligned",
    title:
      "Two asynchronous writes of a half each of one unwritten block: the second waits for the conversion of the first",
    rules: [
      "sub-block-zeroing-serialised/alone-in-a-block",
      "liveness/blocked-for-ever",
    ],
    needs: ["unwritten"],
    file: pieces(1, "unwritten"),
    tasks: [writesHalf("lower", 0), writesHalf("upper", BLOCK / 2)],
  },
];

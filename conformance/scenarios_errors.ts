/**
 * Scenarios in which any bio may fail, or a page of the buffer is missing,
 * while bios end elsewhere than in a softirq.
 *
 * @module
 */

import type { ExtentState, FileLayout } from "../fs_models/mod.ts";
import type { Op, Scenario, Transfer } from "./scenario.ts";
import { BLOCK, blocks, pieces, submits } from "./scenario_parts.ts";

const EVERY_BIO = "error-reported/every-bio";
const ANY_WRITE = [{ op: "write", open: true }] as const;
const ANY_READ = [{ op: "read", open: true }] as const;
const GETEVENTS: Op = { op: "getevents", min: 1 };

/** A file of three blocks, whose end is inside the last. */
const TWO_AND_A_HALF: FileLayout = {
  ...pieces(3, "written"),
  size: 2 * BLOCK + BLOCK / 2,
};

/** A file of one block, behind whose end there are more. */
const BLOCKS_BEHIND: FileLayout = { ...pieces(4, "written"), size: BLOCK };

/** A file of three blocks that need two bios. */
function oneAndTwo(state: ExtentState): FileLayout {
  return {
    size: 3 * BLOCK,
    extents: [
      { offset: 0, bytes: BLOCK, state },
      { offset: BLOCK, bytes: 2 * BLOCK, state },
    ],
  };
}

const WHERE = {
  hardirq: "in hard interrupts",
  inline: "whose bios end inside their submission",
};

/** A transfer of so many blocks from this one on. */
function over(op: Transfer["op"], first: number, count: number): Transfer {
  return { op, offset: first * BLOCK, bytes: count * BLOCK };
}

/** A read of three bios up to the end of the file, and one of the last. */
const READS_AT_END: Scenario["tasks"] = [{
  comm: "reader",
  ops: [
    over("aio_read", 0, 4),
    GETEVENTS,
    over("aio_read", 2, 2),
    GETEVENTS,
    over("read", 4, 1),
  ],
}];

/** Transfers in two bios, of whose three pages one is missing. */
const WITHOUT_A_PAGE: Scenario["tasks"] = [{
  comm: "user",
  ops: [
    { ...over("aio_write", 0, 3), unmapped: [2] },
    GETEVENTS,
    { ...over("write", 0, 3), unmapped: [2] },
    { ...over("aio_read", 0, 3), unmapped: [2] },
    GETEVENTS,
  ],
}];

/** Scenarios about errors. */
export const ERROR_SCENARIOS: readonly Scenario[] = [
  {
    id: "aio-write-errors-hardirq",
    title:
      "Asynchronous writes of three bios and of one, of which any may fail, in hard interrupts",
    rules: [EVERY_BIO, "result-precedence/submit-page-bio-count"],
    completion: "hardirq",
    faults: ANY_WRITE,
    file: pieces(4, "written"),
    tasks: [{
      comm: "writer",
      ops: [
        over("aio_write", 0, 3),
        GETEVENTS,
        over("aio_write", 3, 1),
        GETEVENTS,
      ],
    }],
  },
  {
    id: "unwritten-errors-hardirq",
    title:
      "Asynchronous writes of three bios and of one to unwritten blocks, of which any may fail, in hard interrupts",
    rules: [EVERY_BIO, "convert-only-written/not-after-an-error"],
    needs: ["unwritten"],
    completion: "hardirq",
    faults: ANY_WRITE,
    file: pieces(4, "unwritten"),
    tasks: [{
      comm: "writer",
      ops: [
        over("aio_write", 0, 3),
        GETEVENTS,
        over("aio_write", 3, 1),
        GETEVENTS,
      ],
    }],
  },
  {
    id: "sync-write-errors-hardirq",
    title:
      "A write of three bios that its system call waits for, of which any may fail, in hard interrupts",
    rules: [EVERY_BIO],
    completion: "hardirq",
    faults: ANY_WRITE,
    file: pieces(3, "written"),
    tasks: [{ comm: "writer", ops: [over("write", 0, 3)] }],
  },
  {
    id: "aio-write-errors-inline",
    title:
      "An asynchronous write of three bios, of which any may fail inside its submission",
    rules: [EVERY_BIO],
    completion: "inline",
    faults: ANY_WRITE,
    file: pieces(3, "written"),
    tasks: [{ comm: "writer", ops: [over("aio_write", 0, 3), GETEVENTS] }],
  },
  {
    id: "append-errors-hardirq",
    title:
      "Writes of three bios behind the end of the file, of which any may fail, or a page is missing, in hard interrupts",
    rules: [EVERY_BIO],
    needs: ["truncate"],
    completion: "hardirq",
    faults: ANY_WRITE,
    file: BLOCKS_BEHIND,
    tasks: [{
      comm: "writer",
      ops: [
        over("aio_write", 1, 3),
        GETEVENTS,
        { ...over("write", 4, 3), unmapped: [2] },
      ],
    }],
  },
  {
    id: "append-errors-inline",
    title:
      "A write of three bios behind the end of the file, of which any may fail inside its submission",
    rules: [EVERY_BIO],
    needs: ["truncate"],
    completion: "inline",
    faults: ANY_WRITE,
    file: BLOCKS_BEHIND,
    tasks: [{ comm: "writer", ops: [over("aio_write", 1, 3), GETEVENTS] }],
  },
  {
    id: "read-end-errors-hardirq",
    title:
      "Asynchronous reads up to the end of the file, any bio of which may fail, in hard interrupts",
    rules: [EVERY_BIO, "read-within-size/cut"],
    completion: "hardirq",
    faults: ANY_READ,
    file: TWO_AND_A_HALF,
    tasks: READS_AT_END,
  },
  {
    id: "read-end-errors-inline",
    title:
      "Asynchronous reads up to the end of the file, any bio of which may fail inside its submission",
    rules: [EVERY_BIO, "read-within-size/cut"],
    completion: "inline",
    faults: ANY_READ,
    file: TWO_AND_A_HALF,
    tasks: READS_AT_END,
  },
  {
    id: "write-fault-hardirq",
    title: "Transfers with a page missing in their buffer, in hard interrupts",
    rules: ["released-once/page-pin"],
    completion: "hardirq",
    file: oneAndTwo("written"),
    tasks: WITHOUT_A_PAGE,
  },
  {
    id: "unwritten-fault-hardirq",
    title:
      "Transfers of unwritten blocks with a page missing in their buffer, in hard interrupts",
    rules: ["released-once/page-pin"],
    needs: ["unwritten"],
    completion: "hardirq",
    file: oneAndTwo("unwritten"),
    tasks: WITHOUT_A_PAGE,
  },
  {
    id: "write-fault-inline",
    title:
      "Transfers with a page missing in their buffer, whose bios end inside their submission",
    rules: ["released-once/page-pin"],
    completion: "inline",
    file: oneAndTwo("written"),
    tasks: WITHOUT_A_PAGE,
  },
  ...(["hardirq", "inline"] as const).flatMap((completion) => [
    {
      id: `write-no-handle-${completion}`,
      title:
        `An asynchronous write to unwritten blocks and a hole, for which there may be no transaction, ${
          WHERE[completion]
        }`,
      rules: ["error-reported/end-io"],
      needs: ["unwritten"] as const,
      completion,
      allocFaults: [
        { what: "jbd2_handle", nth: 1, open: true },
        { what: "jbd2_handle", nth: 2, open: true },
      ] as const,
      file: blocks("unwritten", "unwritten", "hole"),
      tasks: [submits("aio_write", 3)],
    },
    {
      id: `unwritten-enomem-${completion}`,
      title:
        `An asynchronous write of two bios, for the second of which no workqueue can be made, ${
          WHERE[completion]
        }`,
      rules: ["result-precedence/submit-page-bio-count"],
      needs: ["unwritten"] as const,
      completion,
      allocFaults: [{ what: "alloc_workqueue", nth: 1 }] as const,
      file: blocks("written", "unwritten"),
      tasks: [submits("aio_write", 2)],
    },
  ]),
];

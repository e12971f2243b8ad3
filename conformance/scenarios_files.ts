/**
 * The suite's scenarios of what a file is after something has been done to it:
 * cut off, punched, cached, allocated for, or kept from all that by an
 * allocation that failed.
 *
 * @module
 */

import type { AllocFault } from "../core/mod.ts";
import type { Op, Scenario, Transfer } from "./scenario.ts";
import { BLOCK, blocks, pieces, readsBack, submits } from "./scenario_parts.ts";

const SEES = ["completion-order/reader-sees-data"];
const SEES_CACHED = ["cache-coherent/reader-sees-data"];

/** A transfer of blocks that its system call waits for. */
function transfer(
  op: Transfer["op"],
  at: number,
  count: number,
  more: Partial<Transfer> = {},
): Transfer {
  return { op, offset: at * BLOCK, bytes: count * BLOCK, ...more };
}

/** The same through the page cache. */
function cachedRead(at: number, count: number): Op {
  return transfer("read", at, count, { cached: true });
}

/** Transactions that may fail, whichever of so many. */
function transactions(count: number): readonly AllocFault[] {
  return Array.from({ length: count }, (_, i) => ({
    what: "jbd2_handle",
    nth: i + 1,
    open: true,
  }));
}

/** What files are afterwards. */
export const FILE_SCENARIOS: readonly Scenario[] = [
  {
    id: "punch-read",
    title: "A hole is punched into what was written: it reads as zeros",
    rules: SEES,
    needs: ["punch_hole"],
    file: pieces(3, "written"),
    tasks: [{
      comm: "writer",
      ops: [
        transfer("write", 0, 3),
        { op: "punch_hole", offset: BLOCK, length: BLOCK },
        transfer("read", 0, 3),
      ],
    }],
  },
  {
    id: "truncate-grow-read",
    title:
      "A file is cut off inside a block and made longer again: zeros are between",
    rules: [...SEES, "size-after-data/truncated"],
    needs: ["truncate"],
    file: pieces(2, "written"),
    tasks: [{
      comm: "writer",
      ops: [
        transfer("write", 0, 2),
        { op: "truncate", size: 1024 },
        { op: "truncate", size: 2 * BLOCK },
        transfer("read", 0, 2),
        transfer("write", 3, 1),
        transfer("read", 0, 4),
      ],
    }],
  },
  {
    id: "cached-read-write",
    title:
      "What is cached of a file is dropped by a direct write, a truncate and a hole punch",
    rules: SEES_CACHED,
    needs: ["truncate", "punch_hole"],
    file: pieces(4, "written"),
    tasks: [{
      comm: "writer",
      ops: [
        transfer("write", 0, 4),
        cachedRead(0, 4),
        transfer("write", 1, 1),
        cachedRead(0, 4),
        { op: "truncate", size: 2 * BLOCK },
        transfer("write", 3, 1),
        cachedRead(0, 4),
        { op: "punch_hole", offset: 0, length: BLOCK },
        cachedRead(0, 4),
      ],
    }],
  },
  {
    id: "cached-read-beside-write",
    title:
      "A direct write while somebody else caches another block of the file: both get their data",
    rules: SEES,
    needs: ["truncate"],
    file: pieces(2, "written"),
    tasks: [
      {
        comm: "writer",
        ops: [transfer("write", 0, 1), transfer("read", 0, 1)],
      },
      { comm: "cacher", ops: [cachedRead(1, 1)] },
    ],
  },
  {
    id: "cached-read-unwritten",
    title: "What is cached of unwritten blocks and of a hole is zeros",
    rules: SEES_CACHED,
    needs: ["unwritten"],
    file: blocks("written", "unwritten", "hole"),
    tasks: [{ comm: "reader", ops: [cachedRead(0, 3)] }],
  },
  {
    id: "aio-write-twice",
    title:
      "Two asynchronous writes of one unwritten block, one after the other: the second has nothing to convert",
    rules: ["no-sleep-in-interrupt/context"],
    needs: ["unwritten"],
    file: pieces(1, "unwritten"),
    tasks: [
      submits(
        "aio_write",
        1,
        transfer("aio_write", 0, 1),
        { op: "getevents", min: 1 },
        readsBack(1),
      ),
    ],
  },
  {
    id: "sync-write-twice",
    title:
      "A write of an unwritten block that its system call waits for, and one of a written block",
    rules: ["convert-only-written/range"],
    needs: ["unwritten"],
    file: blocks("unwritten", "written", "unwritten"),
    tasks: [{
      comm: "writer",
      ops: [
        transfer("write", 0, 1),
        transfer("write", 1, 1),
        transfer("aio_write", 2, 1),
        { op: "getevents", min: 1 },
        transfer("read", 0, 3),
      ],
    }],
  },
  {
    id: "fallocate-append",
    title: "A write behind the end of the file, against a fallocate there",
    rules: [...SEES, "size-after-data/fallocated"],
    needs: ["fallocate", "truncate"],
    file: pieces(1, "written"),
    tasks: [
      {
        comm: "writer",
        ops: [
          transfer("aio_write", 1, 1),
          { op: "getevents", min: 1 },
          transfer("read", 1, 1),
        ],
      },
      {
        comm: "allocator",
        ops: [
          transfer("read", 0, 1),
          { op: "fallocate", offset: BLOCK, length: 2 * BLOCK },
          transfer("read", 2, 1),
        ],
      },
    ],
  },
  {
    id: "fallocate-no-memory",
    title: "A fallocate, whichever transaction of it fails, and another one",
    rules: ["completion-resources/transactions-closed"],
    needs: ["fallocate", "truncate"],
    allocFaults: transactions(2),
    file: pieces(1, "written"),
    tasks: [{
      comm: "allocator",
      ops: [
        { op: "fallocate", offset: BLOCK, length: BLOCK },
        { op: "fallocate", offset: BLOCK, length: BLOCK },
        transfer("read", 0, 2),
      ],
    }],
  },
  {
    id: "aio-write-no-memory",
    title:
      "An asynchronous write for which the filesystem has no memory to follow it, and another try",
    rules: ["released-once/no-leak", "dio-count-balanced/zero-at-end"],
    needs: ["unwritten"],
    allocFaults: ["ext4_io_end", "xfs_ioend"].map((what) => ({ what, nth: 1 })),
    file: pieces(1, "unwritten"),
    tasks: [
      submits(
        "aio_write",
        1,
        transfer("aio_write", 0, 1),
        { op: "getevents", min: 1 },
        readsBack(1),
      ),
    ],
  },
  {
    id: "append-no-memory",
    title:
      "A write behind the end of the file, whichever transaction of it fails, and another try",
    rules: [
      "completion-resources/transactions-closed",
      "completion-resources/no-orphan-left",
    ],
    needs: ["truncate", "unwritten"],
    // Linux 3.12 does not tell that a conversion has failed.
    profiles: ["v4.10", "v6.1"],
    allocFaults: transactions(4),
    file: pieces(1, "written"),
    tasks: [{
      comm: "writer",
      ops: [
        transfer("aio_write", 1, 1),
        { op: "getevents", min: 1 },
        transfer("write", 1, 1),
        transfer("read", 0, 2),
      ],
    }],
  },
  {
    id: "write-hole-no-memory",
    title:
      "Two writes to a hole and an unwritten block, whichever of their transactions fails",
    rules: ["completion-resources/transactions-closed"],
    needs: ["truncate", "unwritten"],
    profiles: ["v4.10", "v6.1"],
    allocFaults: transactions(4),
    file: blocks("hole", "unwritten"),
    tasks: [{
      comm: "writer",
      ops: [
        transfer("write", 0, 2),
        transfer("write", 0, 2),
        readsBack(2),
      ],
    }],
  },
  {
    id: "truncate-no-memory",
    title:
      "A truncate and a hole punch, whichever transaction of them fails, and a file that grows again",
    rules: [
      "completion-resources/transactions-closed",
      "size-after-data/disk-size-at-end",
    ],
    needs: ["truncate", "punch_hole", "unwritten"],
    allocFaults: transactions(4),
    file: pieces(3, "written"),
    tasks: [{
      comm: "truncater",
      ops: [
        { op: "punch_hole", offset: 0, length: BLOCK },
        { op: "truncate", size: BLOCK },
        { op: "truncate", size: 2 * BLOCK },
        { op: "fsync" },
      ],
    }],
  },
  {
    id: "append-from-hole",
    title:
      "A write that begins in a hole inside the file and ends behind it goes through the page cache",
    rules: SEES,
    needs: ["truncate"],
    file: blocks("written", "hole"),
    tasks: [{
      comm: "writer",
      ops: [
        transfer("aio_write", 1, 2),
        { op: "getevents", min: 1 },
        transfer("read", 0, 3),
      ],
    }],
  },
  {
    id: "write-after-no-space",
    title:
      "A write into a hole inside the file for which the device has no space, until a hole punch made some",
    rules: ["completion-resources/blocks-accounted"],
    needs: ["truncate", "punch_hole", "unwritten"],
    device: { sizeBytes: 4 * BLOCK },
    file: blocks("written", "written", "hole"),
    tasks: [{
      comm: "writer",
      ops: [
        transfer("write", 2, 1),
        { op: "punch_hole", offset: 0, length: BLOCK },
        { op: "syncfs" },
        transfer("write", 2, 1),
        transfer("read", 0, 3),
      ],
    }],
  },
];

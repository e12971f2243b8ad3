/**
 * The suite's scenarios for what filesystems do besides: sizes on disk,
 * transactions that fail, blocks that run out, parts of new blocks.
 *
 * @module
 */

import type { Scenario } from "./scenario.ts";
import { BLOCK, blocks, pieces, readsBack, submits } from "./scenario_parts.ts";

/** A write of 512 bytes of the first block, and a look at what came of it. */
function writesPart(comm: string, offset: number): Scenario["tasks"][number] {
  return {
    comm,
    ops: [
      { op: "aio_write", offset, bytes: 512 },
      { op: "getevents", min: 1 },
      { op: "read", offset, bytes: 512 },
    ],
  };
}

/** Scenarios for what only some models do. */
export const MODEL_SCENARIOS: readonly Scenario[] = [
  {
    id: "aio-write-behind-disk-size",
    title:
      "An asynchronous write inside the file, behind the size that is on disk",
    rules: ["no-sleep-in-interrupt/context"],
    file: { ...pieces(2, "written"), diskSize: BLOCK },
    tasks: [submits("aio_write", 2, readsBack(2))],
  },
  {
    id: "two-appends",
    title:
      "Two writes behind the end of the file, the longer one first or last",
    rules: [
      "size-after-data/on-disk-follows",
      "size-after-data/never-backwards",
    ],
    needs: ["truncate"],
    file: pieces(1, "written"),
    tasks: [
      {
        comm: "longer",
        ops: [
          { op: "aio_write", offset: 2 * BLOCK, bytes: BLOCK },
          { op: "getevents", min: 1 },
          { op: "read", offset: 2 * BLOCK, bytes: BLOCK },
        ],
      },
      {
        comm: "shorter",
        ops: [
          { op: "aio_write", offset: BLOCK, bytes: BLOCK },
          { op: "getevents", min: 1 },
          { op: "read", offset: BLOCK, bytes: BLOCK },
        ],
      },
    ],
  },
  {
    id: "append-read",
    title:
      "A write behind the end of the file, and reads there: they find the end of the file, or what is written",
    rules: ["completion-order/reader-sees-data", "size-after-data/data-first"],
    needs: ["truncate"],
    file: pieces(1, "written"),
    tasks: [
      {
        comm: "writer",
        ops: [
          { op: "aio_write", offset: BLOCK, bytes: BLOCK },
          { op: "getevents", min: 1 },
        ],
      },
      { comm: "reader", ops: [{ op: "read", offset: BLOCK, bytes: BLOCK }] },
    ],
  },
  {
    id: "append-many",
    title:
      "A write of two bios behind the end of the file, to blocks that are there",
    rules: ["size-after-data/data-first"],
    file: { ...pieces(3, "written"), size: BLOCK },
    tasks: [
      {
        comm: "writer",
        ops: [
          { op: "aio_write", offset: BLOCK, bytes: 2 * BLOCK },
          { op: "getevents", min: 1 },
        ],
      },
      {
        comm: "reader",
        ops: [{ op: "read", offset: BLOCK, bytes: 2 * BLOCK }],
      },
    ],
  },
  {
    id: "append-dsync",
    title: "An O_DSYNC write behind the end of the file",
    rules: ["dsync-durable/synced", "size-after-data/converted-first"],
    dsync: true,
    file: pieces(1, "written"),
    tasks: [{
      comm: "writer",
      ops: [
        { op: "aio_write", offset: BLOCK, bytes: BLOCK },
        { op: "getevents", min: 1 },
        { op: "read", offset: BLOCK, bytes: BLOCK },
      ],
    }],
  },
  {
    id: "append-error",
    title: "A write behind the end of the file that fails, and another try",
    rules: ["completion-resources/no-orphan-left"],
    needs: ["truncate"],
    faults: [{ nth: 1 }],
    file: pieces(1, "written"),
    tasks: [{
      comm: "writer",
      ops: [
        { op: "aio_write", offset: BLOCK, bytes: 2 * BLOCK },
        { op: "getevents", min: 1 },
        { op: "write", offset: BLOCK, bytes: 2 * BLOCK },
        { op: "read", offset: 0, bytes: 3 * BLOCK },
      ],
    }],
  },
  {
    id: "append-fails",
    title:
      "A write behind the end of the file that fails, and nothing after it: no blocks are left there",
    rules: [
      "completion-resources/no-orphan-left",
      "completion-resources/nothing-behind-end",
    ],
    needs: ["truncate"],
    faults: [{ nth: 1 }],
    file: pieces(1, "written"),
    tasks: [{
      comm: "writer",
      ops: [{ op: "write", offset: BLOCK, bytes: BLOCK }],
    }],
  },
  {
    id: "append-no-space",
    title:
      "Writes for which the device has no space, until a truncate made some",
    rules: ["completion-resources/no-orphan-left"],
    needs: ["truncate", "unwritten"],
    device: { sizeBytes: 6 * BLOCK },
    file: {
      size: 3 * BLOCK,
      extents: [{ offset: 0, bytes: 3 * BLOCK, state: "written" }],
    },
    tasks: [{
      comm: "writer",
      ops: [
        { op: "write", offset: 3 * BLOCK, bytes: 3 * BLOCK },
        { op: "truncate", size: 0 },
        { op: "write", offset: 0, bytes: 3 * BLOCK },
        { op: "read", offset: 0, bytes: 3 * BLOCK },
      ],
    }],
  },
  {
    id: "aio-write-parts",
    title: "Asynchronous writes of two parts of one new block",
    rules: ["dio-count-balanced/own-counters"],
    needs: ["unwritten"],
    file: pieces(1, "unwritten"),
    tasks: [writesPart("first", 0), writesPart("second", 1024)],
  },
  {
    id: "aio-write-part-and-whole",
    title: "Asynchronous writes of a part of a new block, and of the next two",
    rules: ["dio-count-balanced/own-counters"],
    needs: ["unwritten"],
    file: pieces(2, "unwritten"),
    tasks: [
      writesPart("part", 512),
      {
        comm: "whole",
        ops: [
          { op: "aio_write", offset: BLOCK, bytes: BLOCK },
          { op: "getevents", min: 1 },
          { op: "read", offset: BLOCK, bytes: BLOCK },
        ],
      },
    ],
  },
  {
    id: "write-part-and-read",
    title:
      "Parts of an unwritten block, of a hole and of a block behind the end are written: around them there are zeros",
    rules: ["completion-order/reader-sees-data"],
    needs: ["unwritten", "truncate"],
    file: blocks("unwritten", "hole"),
    tasks: [{
      comm: "writer",
      ops: [0, 1, 2].flatMap((block) => [
        { op: "write", offset: block * BLOCK + 1024, bytes: 512 },
        { op: "read", offset: block * BLOCK, bytes: 1536 },
      ]),
    }],
  },
  {
    id: "append-part-and-read",
    title:
      "A part of a block behind the end of the file is written: before it there are zeros",
    rules: ["completion-order/reader-sees-data"],
    needs: ["truncate"],
    file: pieces(1, "written"),
    tasks: [{
      comm: "writer",
      ops: [
        { op: "write", offset: BLOCK + 1024, bytes: 512 },
        { op: "read", offset: BLOCK, bytes: 1536 },
      ],
    }],
  },
  {
    id: "aio-write-parts-written",
    title: "Asynchronous writes of two parts of one written block",
    rules: ["liveness/blocked-for-ever"],
    file: pieces(1, "written"),
    tasks: [writesPart("first", 0), writesPart("second", 1024)],
  },
  {
    id: "write-and-overwrite",
    title:
      "An asynchronous write to new blocks beside one that changes no metadata",
    rules: ["dio-count-balanced/own-counters"],
    needs: ["unwritten"],
    file: blocks("written", "unwritten"),
    tasks: [
      submits("aio_write", 1, readsBack(1)),
      {
        comm: "other",
        ops: [
          { op: "aio_write", offset: BLOCK, bytes: BLOCK },
          { op: "getevents", min: 1 },
          { op: "read", offset: BLOCK, bytes: BLOCK },
        ],
      },
    ],
  },
];

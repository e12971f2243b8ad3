/**
 * The suite's scenarios in which the power goes, on a device with a volatile
 * cache.
 *
 * @module
 */

import type { FileLayout } from "../fs_models/mod.ts";
import type { Op, Scenario } from "./scenario.ts";

const BLOCK = 4096;
const BYTES = 2 * BLOCK;

/** Two blocks that do not follow each other on the device. */
const FILE: FileLayout = {
  size: BYTES,
  extents: [
    { offset: 0, bytes: BLOCK, state: "written" },
    { offset: BLOCK, bytes: BLOCK, state: "written" },
  ],
};

const AFTERWARDS: readonly Op[] = [
  { op: "power_cut" },
  { op: "read", offset: 0, bytes: BYTES },
];

const ASYNC_WRITE: readonly Op[] = [
  { op: "aio_write", offset: 0, bytes: BYTES },
  { op: "getevents", min: 1 },
];

/** Scenarios in which the power goes. */
export const POWER_SCENARIOS: readonly Scenario[] = [
  {
    id: "aio-write-dsync-power-cut",
    title: "An asynchronous O_DSYNC write, and then a power cut",
    rules: ["dsync-durable/power-cut"],
    dsync: true,
    device: { volatileCache: true },
    file: FILE,
    tasks: [{ comm: "writer", ops: [...ASYNC_WRITE, ...AFTERWARDS] }],
  },
  {
    id: "sync-write-dsync-power-cut",
    title: "An O_DSYNC write that is waited for, and then a power cut",
    rules: ["dsync-durable/power-cut"],
    dsync: true,
    device: { volatileCache: true },
    file: FILE,
    tasks: [{
      comm: "writer",
      ops: [{ op: "write", offset: 0, bytes: BYTES }, ...AFTERWARDS],
    }],
  },
  {
    id: "fsync-power-cut",
    title: "A write and an fsync, and then a power cut",
    rules: ["dsync-durable/power-cut"],
    device: { volatileCache: true },
    file: FILE,
    tasks: [{
      comm: "writer",
      ops: [...ASYNC_WRITE, { op: "fsync" }, ...AFTERWARDS],
    }],
  },
];

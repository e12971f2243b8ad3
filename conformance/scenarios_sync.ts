/**
 * The suite's scenarios in which somebody makes things stable, or takes the
 * filesystem apart, while direct I/O is in flight; and those in which
 * everybody gets in the way at once.
 *
 * @module
 */

import type { Op, Scenario, ScenarioTask } from "./scenario.ts";
import { BLOCK, blocks, pieces, readsBack, submits } from "./scenario_parts.ts";

const FSYNCS: ScenarioTask = { comm: "fsync", ops: [{ op: "fsync" }] };
const SYNCS: ScenarioTask = { comm: "sync", ops: [{ op: "syncfs" }] };
const UNMOUNTS: ScenarioTask = { comm: "umount", ops: [{ op: "umount" }] };

/** Writes so many blocks, and exits without waiting for the event. */
function writesAndExits(count: number): ScenarioTask {
  return {
    comm: "writer",
    ops: [{ op: "aio_write", offset: 0, bytes: count * BLOCK }],
  };
}

/** Whoever frees blocks, makes things stable, or unmounts. */
const EVERYBODY: readonly ScenarioTask[] = [
  { comm: "truncater", ops: [{ op: "truncate", size: 2 * BLOCK }] },
  {
    comm: "puncher",
    ops: [{ op: "punch_hole", offset: BLOCK, length: BLOCK }],
  },
  FSYNCS,
  SYNCS,
  UNMOUNTS,
];

/** Everybody at once, around transfers that a system call waits for or not. */
function everybody(kind: "aio" | "sync"): Scenario {
  const isAsync = kind === "aio";
  const transfer = (op: "write" | "read", at: number, count: number): Op[] => {
    const where = { offset: at * BLOCK, bytes: count * BLOCK };
    return isAsync
      ? [{ op: `aio_${op}`, ...where }, { op: "getevents", min: 1 }]
      : [{ op, ...where }];
  };
  return {
    id: `${kind}-everybody`,
    title: `${
      isAsync ? "Asynchronous" : "Synchronous"
    } transfers of written and unwritten blocks, against truncate, hole punch, fsync, syncfs and umount at once`,
    rules: ["truncate-waits/in-flight-ended", "truncate-waits/for-zero"],
    needs: ["truncate", "punch_hole", "unwritten"],
    file: blocks("written", "unwritten", "hole"),
    tasks: [
      { comm: "writer", ops: transfer("write", 0, 2) },
      { comm: "appender", ops: transfer("write", 2, 2) },
      { comm: "reader", ops: transfer("read", 0, 3) },
      ...EVERYBODY,
    ],
  };
}

/** Who makes things stable, or unmounts. */
export const SYNC_SCENARIOS: readonly Scenario[] = [
  {
    id: "aio-write-fsync",
    title: "An asynchronous write to an unwritten block, against an fsync",
    rules: ["liveness/blocked-for-ever", "completion-order/converted"],
    needs: ["unwritten"],
    file: pieces(1, "unwritten"),
    tasks: [submits("aio_write", 1, readsBack(1)), FSYNCS],
  },
  {
    id: "aio-write-dsync-fsync",
    title:
      "An asynchronous O_DSYNC write, whose completion flushes, against an fsync",
    rules: ["liveness/blocked-for-ever", "completion-order/write-sync-between"],
    dsync: true,
    file: pieces(1, "written"),
    tasks: [submits("aio_write", 1), FSYNCS],
  },
  {
    id: "aio-append-syncfs",
    title:
      "An asynchronous write behind the end of the file, against a syncfs that waits for what the filesystem has under way",
    rules: ["liveness/blocked-for-ever"],
    file: pieces(1, "written"),
    tasks: [
      {
        comm: "writer",
        ops: [
          { op: "aio_write", offset: BLOCK, bytes: BLOCK },
          { op: "getevents", min: 1 },
          { op: "read", offset: BLOCK, bytes: BLOCK },
        ],
      },
      SYNCS,
    ],
  },
  {
    id: "syncfs-power-cut",
    title: "A write and a syncfs, and then a power cut",
    rules: ["dsync-durable/power-cut"],
    device: { volatileCache: true },
    file: pieces(2, "written"),
    tasks: [
      submits(
        "aio_write",
        2,
        { op: "syncfs" },
        { op: "power_cut" },
        readsBack(2),
      ),
    ],
  },
  {
    id: "aio-write-umount",
    title:
      "An asynchronous write of a task that exits, and an unmount that waits for it",
    rules: ["workqueue-life/gone-before-put-super", "released-once/no-leak"],
    file: pieces(2, "written"),
    tasks: [writesAndExits(2), UNMOUNTS],
  },
  {
    id: "aio-write-unwritten-umount",
    title:
      "An asynchronous write to an unwritten block of a task that exits, and an unmount while its completion still runs in the workqueue",
    rules: [
      "workqueue-life/gone-before-put-super",
      "workqueue-life/drained",
      "released-once/no-leak",
    ],
    needs: ["unwritten"],
    file: pieces(1, "unwritten"),
    tasks: [writesAndExits(1), UNMOUNTS],
  },
  {
    id: "aio-write-dsync-umount",
    title:
      "An asynchronous O_DSYNC write of a task that exits, and an unmount while its completion still flushes",
    rules: ["workqueue-life/gone-before-put-super", "workqueue-life/drained"],
    dsync: true,
    file: pieces(1, "written"),
    tasks: [writesAndExits(1), UNMOUNTS],
  },
  {
    id: "sync-write-punch-fsync",
    title:
      "A write to an unwritten block that its system call waits for, against a hole punch and an fsync",
    rules: ["truncate-waits/for-zero"],
    needs: ["unwritten", "punch_hole"],
    file: pieces(1, "unwritten"),
    tasks: [
      { comm: "writer", ops: [{ op: "write", offset: 0, bytes: BLOCK }] },
      {
        comm: "puncher",
        ops: [{ op: "punch_hole", offset: 0, length: BLOCK }],
      },
      FSYNCS,
    ],
  },
  everybody("aio"),
  everybody("sync"),
];

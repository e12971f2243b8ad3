/**
 * The suite's scenarios.
 *
 * @module
 */

import type { Scenario } from "./scenario.ts";
import { BLOCK, pieces, readsBack, submits } from "./scenario_parts.ts";
import { BLKDEV_SCENARIOS } from "./scenarios_blkdev.ts";
import { ERROR_SCENARIOS } from "./scenarios_errors.ts";
import { FILE_SCENARIOS } from "./scenarios_files.ts";
import { CACHE_SCENARIOS } from "./scenarios_cache.ts";
import { MODEL_SCENARIOS } from "./scenarios_models.ts";
import { POWER_SCENARIOS } from "./scenarios_power.ts";
import { RACE_SCENARIOS } from "./scenarios_races.ts";
import { RESULT_SCENARIOS } from "./scenarios_results.ts";
import { SYNC_SCENARIOS } from "./scenarios_sync.ts";

const ORDER = [
  "completion-order/dio-done-before-aio-complete",
  "completion-order/free-last",
];
const END_IO_ORDER = [
  "completion-order/end-io-before-dio-done",
  "completion-order/end-io-before-aio-complete",
  "completion-order/end-io-called",
];

/** Every scenario, the simple ones first. */
export const SCENARIOS: readonly Scenario[] = [
  {
    id: "sync-write",
    title: "A write of one bio that its system call waits for",
    rules: [
      "completion-after-last-bio/submitter",
      "completion-order/free-last",
    ],
    file: pieces(1, "written"),
    tasks: [{
      comm: "writer",
      ops: [
        { op: "write", offset: 0, bytes: BLOCK },
        { op: "read", offset: 0, bytes: BLOCK },
      ],
    }],
  },
  {
    id: "sync-read-many",
    title: "A read of three bios that its system call waits for",
    rules: ["completion-after-last-bio/all-ended"],
    file: pieces(3, "written"),
    tasks: [{
      comm: "reader",
      ops: [
        { op: "write", offset: 0, bytes: 3 * BLOCK },
        { op: "read", offset: 0, bytes: 3 * BLOCK },
      ],
    }],
  },
  {
    id: "aio-write",
    title: "An asynchronous write of one bio",
    rules: ["one-completion/once", "one-completion/never-both", ...ORDER],
    file: pieces(1, "written"),
    tasks: [submits("aio_write", 1, readsBack(1))],
  },
  {
    id: "aio-read",
    title: "An asynchronous read up to the end of the file, inside a block",
    rules: ["result-precedence/submit-page-bio-count", ...ORDER],
    completion: "hardirq",
    file: { ...pieces(2, "written"), size: BLOCK + 300 },
    tasks: [submits("aio_read", 2)],
  },
  {
    id: "aio-write-many",
    title: "An asynchronous write of three bios, against a truncate that waits",
    rules: [
      "completion-after-last-bio/all-ended",
      "completion-after-last-bio/once",
      "dio-count-balanced/zero-at-end",
    ],
    needs: ["truncate"],
    file: pieces(3, "written"),
    tasks: [
      submits("aio_write", 3),
      { comm: "truncater", ops: [{ op: "truncate", size: 0 }] },
    ],
  },
  {
    id: "aio-write-inline",
    title: "An asynchronous write whose bios end inside their submission",
    rules: ["one-completion/never-both", "completion-after-last-bio/once"],
    completion: "inline",
    file: pieces(2, "written"),
    tasks: [submits("aio_write", 2, readsBack(2))],
  },
  {
    id: "aio-write-unwritten",
    title: "An asynchronous write to unwritten blocks: the conversion sleeps",
    rules: [
      ...END_IO_ORDER,
      "no-sleep-in-interrupt/context",
      "no-double-deferral/end-io-finishes",
      "workqueue-life/exists-when-queued",
    ],
    needs: ["unwritten"],
    file: pieces(1, "unwritten"),
    tasks: [submits("aio_write", 1, readsBack(1))],
  },
  {
    id: "aio-write-unwritten-many",
    title:
      "An asynchronous write of three bios, the middle one unwritten, against a truncate",
    rules: [
      ...END_IO_ORDER,
      "no-double-deferral/queued-once",
      "workqueue-life/alive-when-queued",
    ],
    needs: ["unwritten", "truncate"],
    file: {
      size: 3 * BLOCK,
      extents: [
        { offset: 0, bytes: BLOCK, state: "written" },
        { offset: BLOCK, bytes: BLOCK, state: "unwritten" },
        { offset: 2 * BLOCK, bytes: BLOCK, state: "written" },
      ],
    },
    tasks: [
      submits("aio_write", 3),
      { comm: "truncater", ops: [{ op: "truncate", size: BLOCK }] },
    ],
  },
  {
    id: "sync-write-unwritten",
    title: "A write to unwritten blocks that its system call waits for",
    rules: ["completion-after-last-bio/submitter"],
    needs: ["unwritten"],
    file: pieces(2, "unwritten"),
    tasks: [{
      comm: "writer",
      ops: [
        { op: "write", offset: 0, bytes: 2 * BLOCK },
        { op: "read", offset: 0, bytes: 2 * BLOCK },
      ],
    }],
  },
  {
    id: "two-writers-unwritten",
    title:
      "Two asynchronous writes to unwritten blocks of two files: both make the workqueue",
    rules: [
      "workqueue-life/gone-before-put-super",
      "workqueue-life/alive-when-queued",
    ],
    needs: ["unwritten"],
    file: pieces(1, "unwritten"),
    tasks: [
      submits("aio_write", 1),
      {
        comm: "other",
        ownFile: true,
        ops: [
          { op: "aio_write", offset: 0, bytes: BLOCK },
          { op: "getevents", min: 1 },
        ],
      },
    ],
  },
  {
    id: "aio-append",
    title: "An asynchronous write behind the end of the file: it is waited for",
    rules: ["one-completion/never-both", "completion-after-last-bio/submitter"],
    file: pieces(1, "written"),
    tasks: [{
      comm: "writer",
      ops: [
        { op: "aio_write", offset: BLOCK, bytes: 2 * BLOCK },
        { op: "getevents", min: 1 },
        { op: "read", offset: 0, bytes: 3 * BLOCK },
      ],
    }],
  },
  {
    id: "aio-write-error",
    title: "An asynchronous write of three bios of which the middle one fails",
    rules: [
      "error-reported/every-bio",
      "result-precedence/submit-page-bio-count",
    ],
    faults: [{ nth: 2 }],
    file: pieces(3, "written"),
    tasks: [submits("aio_write", 3)],
  },
  {
    id: "sync-read-error",
    title:
      "A read of three bios that its system call waits for; the last fails",
    rules: ["error-reported/every-bio"],
    faults: [{ nth: 3 }],
    file: pieces(3, "written"),
    tasks: [{
      comm: "reader",
      ops: [{ op: "read", offset: 0, bytes: 3 * BLOCK }],
    }],
  },
  {
    id: "aio-write-fault",
    title:
      "An asynchronous write whose second page cannot be pinned: the blocks are padded",
    rules: [
      "result-precedence/submit-page-bio-count",
      "released-once/page-pin",
    ],
    file: {
      size: 3 * BLOCK,
      extents: [{ offset: 0, bytes: 3 * BLOCK, state: "written" }],
    },
    tasks: [{
      comm: "writer",
      ops: [
        { op: "aio_write", offset: 0, bytes: 3 * BLOCK, unmapped: [1] },
        { op: "getevents", min: 1 },
      ],
    }],
  },
  {
    id: "aio-write-dsync",
    title: "An asynchronous O_DSYNC write: the completion flushes",
    rules: [
      "completion-order/write-sync-between",
      "no-sleep-in-interrupt/context",
    ],
    dsync: true,
    file: pieces(2, "written"),
    tasks: [submits("aio_write", 2, readsBack(2))],
  },
  {
    id: "aio-write-dsync-enomem",
    title: "An asynchronous O_DSYNC write for which no workqueue can be made",
    rules: ["dio-count-balanced/zero-at-end", "released-once/no-leak"],
    dsync: true,
    allocFaults: [{ what: "alloc_workqueue", nth: 1 }],
    file: pieces(1, "written"),
    tasks: [submits("aio_write", 1)],
  },
  {
    id: "aio-write-unwritten-enomem",
    title:
      "The workqueue cannot be made when the first bio is in flight: it is waited for",
    rules: [
      "dio-count-balanced/per-request",
      "result-precedence/submit-page-bio-count",
      "released-once/no-leak",
    ],
    needs: ["unwritten"],
    allocFaults: [{ what: "alloc_workqueue", nth: 1 }],
    file: {
      size: 2 * BLOCK,
      extents: [
        { offset: 0, bytes: BLOCK, state: "written" },
        { offset: BLOCK, bytes: BLOCK, state: "unwritten" },
      ],
    },
    tasks: [submits("aio_write", 2)],
  },
  {
    id: "aio-read-hole",
    title: "An asynchronous read of a block and a hole behind it",
    rules: ["one-completion/once"],
    file: {
      size: 2 * BLOCK,
      extents: [{ offset: 0, bytes: BLOCK, state: "written" }],
    },
    tasks: [{
      comm: "reader",
      ops: [
        { op: "write", offset: 0, bytes: BLOCK },
        { op: "aio_read", offset: 0, bytes: 2 * BLOCK },
        { op: "getevents", min: 1 },
      ],
    }],
  },
  ...RESULT_SCENARIOS,
  ...ERROR_SCENARIOS,
  ...RACE_SCENARIOS,
  ...SYNC_SCENARIOS,
  ...CACHE_SCENARIOS,
  ...MODEL_SCENARIOS,
  ...FILE_SCENARIOS,
  ...POWER_SCENARIOS,
  ...BLKDEV_SCENARIOS,
];

/**
 * Finds a scenario.
 *
 * @param id Its name.
 * @returns The scenario.
 * @throws {RangeError} If there is none of that name.
 *
 * @example
 * ```ts
 * import { scenarioById } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(scenarioById("aio-write").tasks.length, 1);
 * ```
 */
export function scenarioById(id: string): Scenario {
  const scenario = SCENARIOS.find((scenario) => scenario.id === id);
  if (scenario === undefined) {
    throw new RangeError(
      `Cannot find scenario '${id}': choose ${
        SCENARIOS.map(({ id }) => id).join(", ")
      }`,
    );
  }
  return scenario;
}

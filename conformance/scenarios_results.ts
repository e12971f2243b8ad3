/**
 * The suite's scenarios about what a request comes to: how much of it was
 * done, what went wrong, and who is told.
 *
 * @module
 */

import type { Scenario } from "./scenario.ts";
import { BLOCK, blocks, pieces, readsBack, submits } from "./scenario_parts.ts";

/** What a request comes to. */
export const RESULT_SCENARIOS: readonly Scenario[] = [
  {
    id: "aio-two-writes",
    title: "Two asynchronous writes of one task, which takes both events",
    rules: ["completion-ring/event-once", "completion-ring/result-kept"],
    file: pieces(2, "written"),
    tasks: [{
      comm: "writer",
      ops: [
        { op: "aio_write", offset: 0, bytes: BLOCK },
        { op: "aio_write", offset: BLOCK, bytes: BLOCK },
        { op: "getevents", min: 2 },
        readsBack(2),
      ],
    }],
  },
  {
    id: "aio-write-hole",
    title: "An asynchronous write with a hole in its middle, inside the file",
    rules: [
      "partial-progress/short-write-waited-for",
      "partial-progress/no-more-than-done",
    ],
    file: blocks("written", "hole", "written"),
    tasks: [submits("aio_write", 3, readsBack(1))],
  },
  {
    id: "aio-read-past-end",
    title: "An asynchronous read behind the end of the file, and one at it",
    rules: ["read-within-size/behind-the-end"],
    file: pieces(1, "written"),
    tasks: [{
      comm: "reader",
      ops: [
        { op: "aio_write", offset: 0, bytes: BLOCK },
        { op: "aio_read", offset: 2 * BLOCK, bytes: BLOCK },
        { op: "aio_read", offset: BLOCK, bytes: BLOCK },
        { op: "getevents", min: 3 },
      ],
    }],
  },
  {
    id: "aio-write-fault-first",
    title:
      "An asynchronous write whose first page cannot be pinned: nothing is submitted",
    rules: [
      "result-precedence/submit-page-bio-count",
      "result-precedence/error-not-queued",
    ],
    file: pieces(2, "written"),
    tasks: [{
      comm: "writer",
      ops: [
        { op: "aio_write", offset: 0, bytes: 2 * BLOCK, unmapped: [0] },
        { op: "getevents", min: 1 },
      ],
    }],
  },
  {
    id: "aio-write-fault-error",
    title:
      "An asynchronous write whose second page cannot be pinned, and whose bio fails as well",
    rules: ["result-precedence/submit-page-bio-count", "error-reported/noted"],
    faults: [{ nth: 1 }],
    file: {
      size: 2 * BLOCK,
      extents: [{ offset: 0, bytes: 2 * BLOCK, state: "written" }],
    },
    tasks: [{
      comm: "writer",
      ops: [
        { op: "aio_write", offset: 0, bytes: 2 * BLOCK, unmapped: [1] },
        { op: "getevents", min: 1 },
      ],
    }],
  },
  {
    id: "aio-read-fault",
    title:
      "An asynchronous read whose second page cannot be pinned, after its first bio",
    rules: [
      "result-precedence/submit-page-bio-count",
      "result-precedence/error-not-queued",
    ],
    file: pieces(3, "written"),
    tasks: [{
      comm: "reader",
      ops: [
        { op: "aio_read", offset: 0, bytes: 3 * BLOCK, unmapped: [1] },
        { op: "getevents", min: 1 },
      ],
    }],
  },
  {
    id: "aio-read-flushed",
    title:
      "An asynchronous read into a mapped file, which a flusher writes back meanwhile",
    rules: ["pages-dirtied/before-submission", "pages-dirtied/kept"],
    file: pieces(1, "written"),
    tasks: [{
      comm: "reader",
      ops: [
        { op: "write", offset: 0, bytes: BLOCK },
        { op: "aio_read", offset: 0, bytes: BLOCK, flushed: true },
        { op: "getevents", min: 1 },
      ],
    }],
  },
  {
    id: "sync-read-flushed",
    title:
      "A read into a mapped file that its system call waits for, and that a flusher writes back meanwhile",
    rules: ["pages-dirtied/at-the-end", "pages-dirtied/kept"],
    file: pieces(1, "written"),
    tasks: [{
      comm: "reader",
      ops: [
        { op: "write", offset: 0, bytes: BLOCK },
        { op: "read", offset: 0, bytes: BLOCK, flushed: true },
      ],
    }],
  },
  {
    id: "aio-write-unwritten-error",
    title:
      "An asynchronous write to two unwritten blocks, one bio of which fails",
    rules: [
      "error-reported/noted",
      "convert-only-written/range",
      "completion-order/end-io-called",
    ],
    needs: ["unwritten"],
    faults: [{ nth: 2 }],
    file: pieces(2, "unwritten"),
    tasks: [submits("aio_write", 2)],
  },
  {
    id: "sync-write-dsync",
    title: "An O_DSYNC write that its system call waits for",
    rules: ["dsync-durable/synced", "dsync-durable/flushed"],
    dsync: true,
    file: pieces(1, "written"),
    tasks: [{
      comm: "writer",
      ops: [{ op: "write", offset: 0, bytes: BLOCK }, readsBack(1)],
    }],
  },
  {
    id: "aio-write-dsync-inline",
    title:
      "An asynchronous O_DSYNC write that ends inside its submission: the caller syncs",
    rules: ["dsync-durable/synced", "result-precedence/passed-on"],
    dsync: true,
    completion: "inline",
    file: pieces(1, "written"),
    tasks: [submits("aio_write", 1, readsBack(1))],
  },
];

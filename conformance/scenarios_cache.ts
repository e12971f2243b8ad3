/**
 * The suite's scenarios about what lies around direct I/O: the page cache, the
 * edges of files and blocks, the ring, descriptors that are closed.
 *
 * @module
 */

import { IOCB_NOWAIT } from "../core/mod.ts";
import type { Scenario } from "./scenario.ts";
import { BLOCK, blocks, pieces, readsBack, submits } from "./scenario_parts.ts";

const CACHED_READ = {
  op: "read",
  offset: 0,
  bytes: BLOCK,
  cached: true,
} as const;
const FOUR_GIB = 2 ** 32;
/** One more than the ring has slots. */
const OVERFULL = 9;

/** Scenarios with the page cache. */
const CACHE: readonly Scenario[] = [
  {
    id: "write-cached",
    title: "A write over what lies in the page cache, and is read from there",
    rules: ["cache-coherent/reader-sees-data"],
    needs: ["buffered"],
    file: pieces(2, "written"),
    tasks: [{
      comm: "writer",
      ops: [
        CACHED_READ,
        { op: "write", offset: 0, bytes: BLOCK },
        CACHED_READ,
        { op: "write", offset: 0, bytes: BLOCK, cached: true },
        readsBack(1),
      ],
    }],
  },
  {
    id: "aio-write-cached",
    title:
      "An asynchronous write, while somebody reads the same block into the page cache",
    rules: [
      "cache-coherent/reader-sees-data",
      "workqueue-life/exists-when-queued",
    ],
    needs: ["buffered"],
    profiles: ["v6.1"],
    file: pieces(1, "written"),
    tasks: [
      submits("aio_write", 1, CACHED_READ),
      { comm: "reader", ops: [CACHED_READ] },
    ],
  },
  {
    id: "aio-write-unwritten-cached",
    title:
      "An asynchronous write to an unwritten block, while somebody reads its zeros into the page cache",
    rules: ["cache-coherent/invalidated-after-end-io"],
    needs: ["buffered", "unwritten"],
    profiles: ["v6.1"],
    file: pieces(1, "unwritten"),
    tasks: [
      submits("aio_write", 1, CACHED_READ),
      { comm: "reader", ops: [CACHED_READ] },
    ],
  },
  {
    id: "write-hole-no-space",
    title:
      "An asynchronous write into a hole, which goes through the page cache and finds no space",
    rules: ["error-reported/rest"],
    needs: ["buffered"],
    device: { sizeBytes: 2 * BLOCK },
    file: blocks("hole", "written"),
    tasks: [{
      comm: "writer",
      ops: [
        { op: "aio_write", offset: 0, bytes: BLOCK },
        { op: "getevents", min: 1 },
      ],
    }],
  },
];

/** Scenarios at the edges of files and blocks. */
const EDGES: readonly Scenario[] = [
  {
    id: "write-part-of-new-block",
    title: "A write of a part of a new block, around which are zeros",
    rules: ["sub-block-zeroing-serialised/block-filled"],
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
    id: "write-inside-last-block",
    title:
      "A write behind the end of the file, in the block that the end is in, a hole",
    rules: ["convert-only-written/no-new-block-inside"],
    needs: ["buffered"],
    profiles: ["v4.10", "v6.1"],
    file: {
      size: BLOCK + 1024,
      extents: [{ offset: 0, bytes: BLOCK, state: "written" }],
    },
    tasks: [{
      comm: "writer",
      ops: [
        { op: "write", offset: BLOCK + 2048, bytes: 512 },
        { op: "read", offset: BLOCK, bytes: 2560 },
        { op: "write", offset: 3 * BLOCK, bytes: BLOCK },
      ],
    }],
  },
  {
    id: "aio-write-end-block",
    title:
      "Asynchronous writes of two parts of one unwritten block, up to the end of the file and behind it",
    rules: ["sub-block-zeroing-serialised/alone-in-a-block"],
    needs: ["unwritten"],
    file: {
      size: 2048,
      extents: [{ offset: 0, bytes: BLOCK, state: "unwritten" }],
    },
    tasks: [
      {
        comm: "inside",
        ops: [
          { op: "aio_write", offset: 1024, bytes: 1024 },
          { op: "getevents", min: 1 },
        ],
      },
      {
        comm: "behind",
        ops: [
          { op: "aio_write", offset: 2048, bytes: 1024 },
          { op: "getevents", min: 1 },
          { op: "read", offset: 2048, bytes: 1024 },
        ],
      },
    ],
  },
  {
    id: "aio-write-unwritten-4g",
    title: "An asynchronous write to an unwritten block behind 4 GiB",
    rules: ["convert-only-written/range"],
    needs: ["unwritten"],
    file: {
      size: FOUR_GIB + BLOCK,
      extents: [
        { offset: 0, bytes: BLOCK, state: "unwritten" },
        { offset: FOUR_GIB, bytes: BLOCK, state: "unwritten" },
      ],
    },
    tasks: [{
      comm: "writer",
      ops: [
        { op: "aio_write", offset: FOUR_GIB, bytes: BLOCK },
        { op: "getevents", min: 1 },
        { op: "read", offset: FOUR_GIB, bytes: BLOCK },
      ],
    }],
  },
  {
    id: "append-fallocate",
    title:
      "A write behind the end of the file, and an allocation that ends before it",
    rules: ["size-after-data/never-backwards"],
    needs: ["fallocate"],
    file: { size: 0, extents: [] },
    tasks: [
      {
        comm: "writer",
        ops: [
          { op: "aio_write", offset: BLOCK, bytes: BLOCK },
          { op: "getevents", min: 1 },
          { op: "read", offset: BLOCK, bytes: BLOCK },
        ],
      },
      {
        comm: "allocator",
        ops: [{ op: "fallocate", offset: 0, length: BLOCK }],
      },
    ],
  },
];

/** Scenarios of what the kernel keeps for a request. */
const KEPT: readonly Scenario[] = [
  {
    id: "aio-write-close",
    title: "Two asynchronous writes whose descriptor is closed meanwhile",
    rules: ["pinned-until-done/file", "pinned-until-done/mount"],
    file: pieces(2, "written"),
    tasks: [{
      comm: "writer",
      ops: [
        { op: "aio_write", offset: 0, bytes: BLOCK },
        { op: "aio_write", offset: BLOCK, bytes: BLOCK },
        { op: "close" },
        { op: "getevents", min: 2 },
      ],
    }],
  },
  {
    id: "aio-ring-full",
    title: "More asynchronous writes than the ring has slots",
    rules: ["completion-ring/event-once", "completion-ring/result-kept"],
    file: pieces(OVERFULL, "written"),
    tasks: [{
      comm: "writer",
      ops: [
        ...Array.from({ length: OVERFULL }, (_, i) => ({
          op: "aio_write" as const,
          offset: i * BLOCK,
          bytes: BLOCK,
        })),
        { op: "getevents", min: OVERFULL - 1 },
      ],
    }],
  },
  {
    id: "aio-write-nowait-full",
    title: "Asynchronous NOWAIT writes to a device that has room for one",
    rules: ["result-precedence/submit-page-bio-count"],
    profiles: ["v6.1"],
    device: { queueDepth: 1 },
    file: pieces(2, "written"),
    tasks: [{
      comm: "writer",
      ops: [
        { op: "aio_write", offset: 0, bytes: BLOCK },
        { op: "aio_write", offset: BLOCK, bytes: BLOCK, flags: IOCB_NOWAIT },
        { op: "getevents", min: 2 },
      ],
    }],
  },
  {
    id: "aio-write-nowait-dsync",
    title: "An asynchronous O_DSYNC write that is NOWAIT as well",
    rules: ["dsync-durable/synced"],
    profiles: ["v6.1"],
    dsync: true,
    completion: "inline",
    file: pieces(1, "written"),
    tasks: [{
      comm: "writer",
      ops: [
        { op: "aio_write", offset: 0, bytes: BLOCK, flags: IOCB_NOWAIT },
        { op: "getevents", min: 1 },
      ],
    }],
  },
  {
    id: "aio-write-no-handle",
    title:
      "An asynchronous write to an unwritten block, for whose conversion there may be no transaction",
    rules: ["error-reported/end-io"],
    needs: ["unwritten"],
    allocFaults: [{ what: "jbd2_handle", nth: 1, open: true }],
    file: pieces(1, "unwritten"),
    tasks: [submits("aio_write", 1)],
  },
];

/** What lies around direct I/O. */
export const CACHE_SCENARIOS: readonly Scenario[] = [
  ...CACHE,
  ...EDGES,
  ...KEPT,
];

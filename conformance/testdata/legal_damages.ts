/**
 * Damages to a trace after which it is still one that a run could have left.
 *
 * @module
 */

import type { TraceEvent } from "../../core/mod.ts";

/** One damage to a trace. */
export interface Damage {
  readonly trace: readonly TraceEvent[];
  /** The event that is missing, or that comes too late. */
  readonly event: TraceEvent;
  /** The event behind it that comes before it now. */
  readonly next?: TraceEvent;
}

/** A damage after which the trace is still one that a run could have left. */
export interface Legal {
  readonly why: string;
  readonly allows: (damage: Damage) => boolean;
}

/** Damages that take an event away. */
function missing(
  why: string,
  allows: (event: TraceEvent, trace: readonly TraceEvent[]) => boolean,
): Legal {
  return {
    why,
    allows: ({ event, next, trace }) => !next && allows(event, trace),
  };
}

/** Damages that swap two events, whichever came first. */
function swapped(
  why: string,
  allows: (
    one: TraceEvent,
    other: TraceEvent,
    trace: readonly TraceEvent[],
  ) => boolean,
): Legal {
  return {
    why,
    allows: ({ event, next, trace }) =>
      next !== undefined &&
      (allows(event, next, trace) || allows(next, event, trace)),
  };
}

function isOwnCount({ ev, dio }: TraceEvent): boolean {
  return (ev === "inode_dio_begin" || ev === "inode_dio_done") && dio === 0;
}

function isSize({ ev }: TraceEvent): boolean {
  return ev === "i_size_write" || ev === "i_disksize_write";
}

/** Whether an event is about the page cache, or a bio of it. */
function isCached({ ev, dio }: TraceEvent): boolean {
  return /^(?:mm_filemap|filemap|invalidate|buffered|writepage)/.test(ev) ||
    (ev === "bio_endio" || ev === "submit_bio" || ev === "bio_put") &&
      dio === 0;
}

/** How many blocks in a row a request has mapped, and bios it has submitted. */
function before(
  trace: readonly TraceEvent[],
  end: TraceEvent,
  ev: string,
): number {
  return trace.filter((event) =>
    event.ev === ev && event.dio === end.dio && event.seq < end.seq
  ).length;
}

/** The beginning of the request that an event or its bio belongs to. */
function beginOf(
  trace: readonly TraceEvent[],
  { dio, bio }: TraceEvent,
): TraceEvent | undefined {
  const id = dio || trace.find((event) => event.bio === bio && event.dio)?.dio;
  return trace.find(({ ev, dio }) =>
    dio === id && (ev === "dio_alloc" || ev === "blkdev_direct_IO")
  );
}

/** Whether it belongs to a request of a block device; if asked, a sync one. */
function isBlkdev(
  trace: readonly TraceEvent[],
  event: TraceEvent,
  isSync?: boolean,
): boolean {
  const begin = beginOf(trace, event);
  return begin?.ev === "blkdev_direct_IO" &&
    (isSync === undefined || begin["is_sync"] === Number(isSync));
}

/** A reason of its own: so many events are of that name. */
export const MIGHT_SLEEP: Legal = {
  why:
    "might_sleep says only that the code may sleep: it may as well say so earlier, later, or not at all",
  allows: ({ event, next }) =>
    event.ev === "might_sleep" || next?.ev === "might_sleep",
};

/** Every reason. */
export const LEGAL: readonly Legal[] = [
  MIGHT_SLEEP,
  missing("a trace may stop anywhere", ({ ev }) => ev === "trace_end"),
  swapped(
    "the pages of a read may be looked at while its submitter wakes up",
    (one, other) =>
      one.ev === "bio_check_pages_dirty" && other.ev === "wake_up_process",
  ),
  swapped(
    "who has read nothing has nothing to look at",
    (one, other) =>
      one.ev === "io_getevents" && other.ev === "user_read" &&
      other["bytes"] === 0,
  ),
  swapped(
    "what goes through the page cache is checked by what readers get",
    (one, other) => isCached(one) || isCached(other),
  ),
  missing(
    "what goes through the page cache is checked by what readers get",
    isCached,
  ),
  missing(
    "pages that were pinned ahead are let go of, which nothing depends on",
    ({ ev }) => ev === "put_page",
  ),
  swapped(
    "pages that were pinned ahead may be let go of at any time",
    ({ ev }) => ev === "put_page",
  ),
  missing(
    "user space need not take its events, nor look at what it has read",
    ({ ev }) => ev === "io_getevents" || ev === "user_read",
  ),
  missing(
    "who looks at the count again before it sleeps needs no wake-up",
    ({ ev }) => ev === "wake_up_process",
  ),
  missing(
    "a write that fails need not convert what it has written",
    ({ ev }, trace) =>
      ev === "convert_unwritten" &&
      trace.some(({ ev, res }) => ev === "aio_complete" && Number(res) < 0),
  ),
  swapped(
    "a filesystem takes and drops a count of its own wherever it likes around the request",
    isOwnCount,
  ),
  swapped(
    "a bio may be sent before the next blocks are mapped, or after",
    (one, other, trace) =>
      one.ev === "get_block" && other.ev === "submit_bio" &&
      before(trace, one, "get_block") > before(trace, other, "submit_bio"),
  ),
  swapped(
    "a page may be looked for before its blocks are mapped, or after",
    (one, other) => one.ev === "get_block" && other.ev === "dio_refill_pages",
  ),
  swapped(
    "the size and the position move inside the method, or right behind it",
    (one, other) =>
      (one.ev === "i_size_write" || one.ev === "ki_pos") &&
      ["direct_IO_return", "i_size_write"].includes(other.ev),
  ),
  swapped(
    "one transaction may convert, and move both sizes, in any order",
    (one, other) =>
      isSize(one) && (isSize(other) || other.ev === "convert_unwritten"),
  ),
  swapped(
    "when the size on disk follows is the filesystem's business",
    (one, other) =>
      one.ev === "i_disksize_write" &&
      ["dio_alloc", "truncate_return"].includes(other.ev),
  ),
  missing(
    "a filesystem need not say what it has on disk",
    ({ ev }) => ev === "i_disksize_write",
  ),
  swapped(
    "a queue that is no superblock's may outlive it",
    (one, other) =>
      one.ev === "destroy_workqueue" && other.ev === "put_super" &&
      !String(one["name"]).startsWith("dio/"),
  ),
  swapped(
    "which ring an event is on is not in the trace",
    (one, other) => one.ev === "io_getevents" && other.ev === "io_getevents",
  ),
  swapped(
    "a filesystem may let go of its locks in end_io, or around it",
    (one, other) =>
      one.ev === "wake_up_process" && /^end_io/.test(other.ev) &&
      /^ocfs2/.test(String(other["fn"])),
  ),
  missing(
    "a write that fails need not move the position",
    ({ ev, iocb }, trace) =>
      ev === "ki_pos" &&
      trace.some((event) =>
        event.ev === "aio_complete" && event.iocb === iocb &&
        Number(event["res"]) < 0
      ),
  ),
  missing(
    "which size a file has at first is not in the trace",
    ({ ev, ino, seq }, trace) =>
      ev === "i_size_write" &&
      !trace.some((event) =>
        event.seq < seq && event.ino === ino &&
        (event.ev === "i_size_write" || event.ev === "dio_alloc")
      ),
  ),
  missing(
    "pages that were not marked before a read are marked after it",
    (event, trace) =>
      event.ev === "bio_set_pages_dirty" && isBlkdev(trace, event, true),
  ),
  swapped(
    "pages that were not marked before a read are marked after it",
    (one, other, trace) =>
      one.ev === "bio_set_pages_dirty" && other.ev === "submit_bio" &&
      isBlkdev(trace, one, true),
  ),
  missing(
    "a page that ends a bio early is found out again by the next one",
    (event, trace) =>
      event.ev === "dio_page_error" && event.bio === undefined &&
      isBlkdev(trace, event),
  ),
  swapped(
    "the next page may be looked at before a bio is sent, or after",
    (one, other, trace) =>
      one.ev === "dio_page_error" && other.ev === "submit_bio" &&
      isBlkdev(trace, one),
  ),
  missing(
    "how many references the first bio of a request of a block device has depends on its path",
    (event, trace) => event.ev === "bio_put" && isBlkdev(trace, event),
  ),
  swapped(
    "a bio of a block device is put by its end or by who waits, which the free of the request tells",
    (one, _other, trace) => one.ev === "bio_put" && isBlkdev(trace, one),
  ),
  missing("who waits need not poll", ({ ev }) => ev === "blk_poll"),
  swapped(
    "who polls may find nothing at first",
    (one, other) => one.ev === "blk_poll" && other.ev === "submit_bio",
  ),
  missing(
    "a power cut that takes nothing away is none",
    ({ ev, lost }) => ev === "power_cut" && lost === 0,
  ),
  swapped(
    "a power cut that takes nothing away is none",
    ({ ev, lost }) => ev === "power_cut" && lost === 0,
  ),
  missing(
    "what was written with REQ_FUA needs no flush",
    ({ ev, iocb }, trace) =>
      ev === "generic_write_sync" &&
      trace.some((event) =>
        event.ev === "blkdev_direct_IO" && event.iocb === iocb
      ),
  ),
];

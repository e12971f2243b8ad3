/**
 * The vocabulary of trace events, shared by the simulation, the rules, the
 * trace files and the import of ftrace.
 *
 * @module
 */

/** In which kind of context an event happened. */
export type ContextKind = "task" | "softirq" | "hardirq" | "kworker";

/**
 * One event of a trace. `ev` says which; the arguments that apply are present
 * under their kernel names.
 */
export interface TraceEvent {
  /** Position in the trace, from 0. */
  seq: number;
  /** Time in nanoseconds: virtual in a simulation, else monotonic. */
  ts: number;
  /** The processor. */
  cpu: number;
  /** The kind of context. */
  ctx: ContextKind;
  /** The thread; 0 is an interrupt on an idle processor. */
  tid: number;
  /** The thread's name, e.g. `kworker/1:2-dio/sda`. */
  comm: string;
  /** The kernel function or tracepoint, a key of {@linkcode EVENTS}. */
  ev: string;
  /** Identity of the direct I/O, unique in the trace. */
  dio?: number;
  /** Identity of the iocb, unique in the trace. */
  iocb?: number;
  /** Identity of the bio, unique in the trace. */
  bio?: number;
  /** Inode number. */
  ino?: number;
  /** Identity of the workqueue, unique in the trace. */
  wq?: number;
  /** Identity (`s_id`) of the superblock. */
  sb?: string;
  /** Arguments by their kernel names. */
  [arg: string]: number | string | undefined;
}

/** The fields that every event has; all others are its arguments. */
export const COMMON_FIELDS: ReadonlySet<string> = new Set([
  "seq",
  "ts",
  "cpu",
  "ctx",
  "tid",
  "comm",
  "ev",
]);

/** The type of an event's argument. */
export type ArgType = "int" | "str" | "rw";

/**
 * Every event and its arguments in order. An argument is an integer unless it
 * ends in `:s` (a string) or `:rw` (`"read"` or `"write"`).
 *
 * | event | when |
 * | --- | --- |
 * | `direct_IO`, `direct_IO_return` | the filesystem's method is entered, left |
 * | `inode_dio_begin`, `inode_dio_done` | `i_dio_count` went up, down (`count` is the new value) |
 * | `dio_page_error`, `dio_refill_pages` | a page could not be pinned: the write goes on with zeros, the submission stops |
 * | `end_io`, `end_io_return` | the filesystem's completion handler is entered, left |
 * | `aio_complete` | the event was put on the completion ring |
 * | `io_getevents` | user space got an event |
 * | `might_sleep` | code that may sleep was entered (`atomic`: spinlocks held, `irqs_off`: interrupts disabled) |
 * | `oops`, `slab_leak` | the simulated kernel found a bug, an object that was not freed |
 * | `shrink_page_list` | memory has run short, and pages of a mapped buffer were thrown away that were clean |
 * | `locks_held` | a context has ended that still held locks |
 * | `hung_task`, `soft_lockup` | contexts wait for ever, or spin for ever |
 * | `blkdev_direct_IO` | a request of the block device begins on one of its paths (`pages` needed) |
 * | `ki_pos` | the position of a request was moved, to `pos` |
 * | `power_cut` | the device lost its power, and `lost` writes that its volatile cache held |
 * | `trace_end` | the run came to its end: what has not happened by now never will |
 */
export const EVENTS = {
  io_submit: ["iocb", "ino", "rw:rw", "offset", "bytes", "file"],
  direct_IO: [
    "iocb",
    "ino",
    "rw:rw",
    "offset",
    "bytes",
    "is_sync",
    "dsync",
    "nr_segs",
  ],
  direct_IO_return: ["iocb", "ino", "ret"],
  dio_alloc: ["dio", "iocb", "ino", "rw:rw", "end_io:s", "is_async", "i_size"],
  dio_set_defer_completion: ["dio", "sb:s"],
  inode_dio_begin: ["ino", "dio", "count"],
  inode_dio_done: ["ino", "dio", "count"],
  inode_dio_wait: ["ino", "count"],
  inode_dio_wait_return: ["ino"],
  get_block: ["dio", "ino", "iblock", "blocks", "create", "ret", "b_state"],
  submit_bio: ["bio", "dio", "rw:rw", "sector", "size", "opf"],
  bio_endio: ["bio", "dio", "error"],
  bio_put: ["bio", "dio"],
  dio_bio_end_aio: ["dio", "bio"],
  dio_bio_end_io: ["dio", "bio"],
  dio_io_error: ["dio", "error"],
  dio_page_error: ["dio", "error", "bio"],
  dio_refill_pages: ["dio", "error"],
  dio_complete: [
    "dio",
    "iocb",
    "offset",
    "ret",
    "result",
    "is_async",
    "page_errors",
    "io_error",
  ],
  end_io: ["dio", "iocb", "ino", "fn:s", "offset", "bytes"],
  end_io_return: ["dio", "iocb", "fn:s", "ret"],
  generic_write_sync: ["iocb", "ino", "offset", "bytes", "ret"],
  blkdev_issue_flush: ["bdev:s", "ret"],
  aio_complete: ["iocb", "res"],
  dio_free: ["dio"],
  io_getevents: ["iocb", "res"],
  alloc_workqueue: ["wq", "name:s", "flags", "max_active"],
  destroy_workqueue: ["wq", "name:s"],
  queue_work: ["wq", "work", "fn:s", "dio", "ret"],
  workqueue_execute_start: ["wq", "work", "fn:s", "dio"],
  workqueue_execute_end: ["wq", "work", "fn:s", "dio"],
  wake_up_process: ["pid", "target:s"],
  bio_set_pages_dirty: ["bio"],
  bio_check_pages_dirty: ["bio"],
  put_page: ["page", "bio", "dio"],
  dio_i_size: ["dio", "i_size"],
  convert_unwritten: ["ino", "offset", "bytes", "ret"],
  ext4_orphan_del: ["ino", "ret"],
  i_size_write: ["ino", "size"],
  i_disksize_write: ["ino", "size"],
  truncate: ["ino", "size"],
  truncate_return: ["ino", "ret"],
  punch_hole: ["ino", "offset", "bytes"],
  punch_hole_return: ["ino", "ret"],
  fallocate: ["ino", "offset", "bytes", "ret"],
  fsync: ["ino", "ret"],
  might_sleep: ["fn:s", "atomic", "irqs_off"],
  evict_inodes: ["sb:s"],
  put_super: ["sb:s"],
  shrink_page_list: ["reclaimed"],
  user_read: [
    "ino",
    "offset",
    "bytes",
    "expected",
    "wrong",
    "at",
    "got",
    "cached",
  ],
  slab_leak: ["cache:s", "obj"],
  oops: ["rule:s", "obj:s", "msg:s"],
  hung_task: ["msg:s"],
  soft_lockup: ["msg:s"],
  locks_held: ["held", "lock:s"],
  trace_end: [],
  blkdev_direct_IO: [
    "dio",
    "iocb",
    "rw:rw",
    "offset",
    "bytes",
    "is_sync",
    "pages",
    "nowait",
  ],
  blkdev_bio_end_io: ["dio", "bio", "error"],
  ki_complete: ["iocb", "res"],
  blk_poll: ["bdev:s", "found", "dio"],
  ki_pos: ["iocb", "pos"],
  filp_close: ["file", "ino"],
  __fput: ["file", "ino"],
  freeze_super: ["sb:s"],
  freeze_super_return: ["sb:s", "ret"],
  thaw_super: ["sb:s"],
  mm_filemap_add_to_page_cache: ["ino", "index"],
  mm_filemap_delete_from_page_cache: ["ino", "index"],
  filemap_write_and_wait_range: ["ino", "start", "end", "ret"],
  invalidate_inode_pages2_range: ["ino", "start", "end", "ret"],
  writepage: ["ino", "index"],
  buffered_io: ["iocb", "ino", "rw:rw", "offset", "bytes", "ret"],
  dio_warn_stale_pagecache: ["ino"],
  power_cut: ["bdev:s", "lost"],
  iomap_dio_bio_end_io: ["dio", "bio"],
  iomap_dio_complete: ["dio", "iocb", "offset", "size", "error"],
} as const;

/** The name of an event. */
export type EventName = keyof typeof EVENTS;

/** Every event's name; an event's code is its index here. */
export const EVENT_NAMES: readonly EventName[] = Object.keys(
  EVENTS,
) as EventName[];

/** The code of each event: what {@linkcode TraceBuffer.emit} takes. */
export const EV: Readonly<Record<EventName, number>> = Object.fromEntries(
  EVENT_NAMES.map((name, code) => [name, code]),
) as Record<EventName, number>;

/** One argument of an event: its name, and how it is stored. */
export interface EventArg {
  /** The argument's name. */
  readonly name: string;
  /** Its type. */
  readonly type: ArgType;
}

/**
 * The arguments of every event by code, taken apart once.
 */
export const EVENT_ARGS: readonly (readonly EventArg[])[] = EVENT_NAMES.map(
  (name) => EVENTS[name].map(parseArg),
);

function parseArg(spec: string): EventArg {
  const [name, type] = spec.split(":") as [string, string | undefined];
  return { name, type: type === "s" ? "str" : type === "rw" ? "rw" : "int" };
}

/**
 * Whether a name belongs to the vocabulary.
 *
 * @param name The `ev` of an event.
 * @returns True when {@linkcode EVENTS} has it.
 *
 * @example
 * ```ts
 * import { isEventName } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isEventName("dio_complete"), true);
 * assertEquals(isEventName("dio_finish"), false);
 * ```
 */
export function isEventName(name: string): name is EventName {
  return Object.hasOwn(EVENTS, name);
}

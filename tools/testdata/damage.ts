/**
 * Ways to damage a recording: each stands for something that a wrong kernel
 * would do, or for lines that were lost or made up.
 *
 * Lines keep their times: what is moved takes over the time of the place that
 * it comes to, so that the times alone tell nothing.
 *
 * @module
 */

import {
  changed,
  type Damage,
  doubled,
  elsewhere,
  EVENT,
  later,
  type Lines,
  moved,
  of,
  placesOf,
  plus,
  removed,
  swapped,
} from "./damage_kinds.ts";

const END_IO = "ocfs2_dio_end_io|ext4_dio_write_end_io|xfs_dio_write_end_io";
const HANDLERS =
  "dio_bio_end_aio|dio_bio_end_io|iomap_dio_bio_end_io|blkdev_bio_end_io|blkdev_bio_end_io_async";
const OUR_BIO =
  /: bio_endio: .*end_io=(?:dio_bio_end|iomap_dio_bio|blkdev_bio)\S+ .*remaining=1 /;
const OUR_WORK = "(?:dio_aio|iomap_dio)_complete_work";
/** What a completion is made of, from the end of the bio on. */
const COMPLETION = new RegExp(
  `: (?:${
    [
      HANDLERS,
      END_IO,
      "dio_complete",
      "iomap_dio_complete",
      "dio_call_end_io",
      "iomap_call_end_io",
      "\\w+_dio_(?:write_)?end_io_ret",
      "(?:dio|iomap)_end_io_returned",
      "kiocb_invalidate_post",
      "(?:dio|iomap)_inode_dio_end",
      "wake_up_bit",
      "vfs_fsync_range(?:_ret)?",
      "dio_call_ki_complete",
      "aio_complete(?:_rw)?",
      "(?:iomap_)?dio_free",
      "(?:iomap_)?dio_complete_ret",
      "dio_end_(?:aio|io)_ref_drop",
      "dio_end_aio_DEFER",
      "iomap_end_io_QUEUE_WORK",
      "dio_bio_complete",
      "bio_check_pages_dirty",
      "bio_release_pages",
      OUR_WORK,
    ].join("|")
  }): |${OUR_BIO.source}|: workqueue_\\w+: .*${OUR_WORK}`,
);

/** Where a line ran: a thread, or the interrupts of a processor. */
function contextOf(line: string): string {
  const match = /^\s*.*?-(\d+)\s+\[(\d+)\] (\S+)/.exec(line);
  return match?.[3]?.[2] === "." ? `task ${match[1]}` : `irq ${match?.[2]}`;
}

/** Neighbours of one context, both of which are part of a completion. */
function* neighbours(lines: Lines): Iterable<readonly [number, number]> {
  const last = new Map<string, number>();
  for (const [at, line] of lines.entries()) {
    if (!EVENT.test(line)) continue;
    const context = contextOf(line);
    const before = last.get(context);
    last.set(context, at);
    if (before === undefined || !COMPLETION.test(line)) continue;
    if (COMPLETION.test(lines[before] as string)) yield [before, at];
  }
}

/** Neighbouring events of user space that are not the same. */
function* userEvents(lines: Lines): Iterable<readonly [number, number]> {
  const places = placesOf(lines, EVENT_MARK);
  const textOf = (at: number | undefined) =>
    lines[at ?? -1]?.replace(/\d+\.\d+/, "");
  for (const [i, at] of places.entries()) {
    const before = places[i - 1];
    if (before !== undefined && textOf(at) !== textOf(before)) {
      yield [before, at];
    }
  }
}

const NO_END_IO = new RegExp(
  `: (?:dio_call_end_io|iomap_call_end_io|\\w+_end_io_ret|dio_end_io_returned|iomap_end_io_returned|${END_IO}): |caller=(?:${END_IO})`,
);

const COUNT_DROP = of("dio_inode_dio_end", "iomap_inode_dio_end");
const COUNT_RAISE = of("dio_inode_dio_begin", "iomap_inode_dio_begin");
const COMPLETE = of("dio_complete", "iomap_dio_complete");
const COMPLETE_RETURN = of("dio_complete_ret", "iomap_dio_complete_ret");
const CALL_END_IO = of("dio_call_end_io", "iomap_call_end_io");
const FREE = of("dio_free", "iomap_dio_free");
const REFERENCES = of(
  "dio_end_aio_ref_drop",
  "dio_end_io_ref_drop",
  "dio_async_ref_drop",
  "dio_await_ref_drop",
  "iomap_dio_rw_ref_drop",
);
const SUBMIT =
  /: submit_bio: .*end_io=(?:dio_bio_end|iomap_dio_bio|blkdev_bio)/;
const RELEASE =
  /: bio_release_pages: .*caller=(?:dio_bio_complete|iomap_dio_bio|blkdev_bio)/;
const INVALIDATE = /: kiocb_invalidate_post: .*caller=(?:iomap_)?dio_complete/;
const WRITE_SYNC = /: vfs_fsync_range: .*caller=(?:iomap_)?dio_complete/;
const END_IO_RETURN = of("\\w+_dio_(?:write_)?end_io_ret");
const END_IO_RETURNED = of("dio_end_io_returned", "iomap_end_io_returned");
const DEFER = of("dio_end_aio_DEFER", "iomap_end_io_QUEUE_WORK");
const WORK_END = new RegExp(
  `: workqueue_execute_end: .*function ${OUR_WORK}`,
);
const EVENT_MARK = /: tracing_mark_write: EVENT/;
const BIO_OF_DIO =
  /: submit_bio: .*end_io=(?:dio_bio_end|iomap_dio_bio|blkdev_bio_end_io\+)/;
const QUEUE = new RegExp(`: workqueue_queue_work: .*function=${OUR_WORK}`);
const START = new RegExp(`: workqueue_execute_start: .*function ${OUR_WORK}`);
const SLEEPERS = of(
  "vfs_fsync_range",
  "kiocb_invalidate_post",
  "ext4_convert_unwritten",
  "xfs_iomap_write_unwritten",
  "ocfs2_dio_end_io_write",
  "inode_dio_wait",
  "generic_file_direct_write",
);

/** Lines that a recording must have, and once. */
const PARTS: readonly (readonly [name: string, which: RegExp])[] = [
  ["submit_bio", SUBMIT],
  ["end of a bio", OUR_BIO],
  ["handler of a bio", of(HANDLERS)],
  ["dio_bio_complete", of("dio_bio_complete")],
  ["check of dirty pages", of("bio_check_pages_dirty")],
  ["release of pages", RELEASE],
  ["drop of a reference", REFERENCES],
  ["decision to defer", DEFER],
  ["queue_work", QUEUE],
  ["start of work", START],
  ["function of work", of(OUR_WORK)],
  ["end of work", WORK_END],
  ["wake-up of the waiter", of("iomap_end_io_wake_waiter")],
  ["completion", COMPLETE],
  ["call of end_io", CALL_END_IO],
  ["end_io", of(END_IO)],
  ["return of end_io", END_IO_RETURN],
  ["end_io returned", END_IO_RETURNED],
  ["invalidation", INVALIDATE],
  ["count raise", COUNT_RAISE],
  ["count drop", COUNT_DROP],
  ["return of a wait", of("inode_dio_wait_ret")],
  ["write-sync", WRITE_SYNC],
  ["return of the write-sync", of("vfs_fsync_range_ret")],
  ["aio_complete_rw", of("aio_complete_rw")],
  ["aio_complete", of("aio_complete")],
  ["event in user space", EVENT_MARK],
  ["free", FREE],
  ["return of the completion", COMPLETE_RETURN],
];

/** Every kind of damage that touches what a recording shows. */
export const DAMAGES: readonly Damage[] = [
  swapped("swap neighbours of a completion", neighbours),
  swapped("swap events of user space", userEvents),
  later(
    "end a bio after the completion",
    OUR_BIO,
    of("dio_complete", "iomap_dio_complete", "aio_complete_rw"),
  ),
  later(
    "write-sync after the report",
    of("vfs_fsync_range"),
    of("aio_complete"),
  ),
  swapped("run work before it is queued", function* (lines) {
    for (const at of placesOf(lines, QUEUE)) {
      const to = lines.findIndex((line, i) => i > at && START.test(line));
      if (to > 0) yield [at, to];
    }
  }),
  {
    name: "event before the request completes",
    *apply(lines) {
      for (const at of placesOf(lines, EVENT_MARK)) {
        const to = placesOf(lines, of("aio_complete_rw"))[0];
        if (to !== undefined) yield () => moved(lines, at, to);
      }
    },
  },
  {
    name: "truncate does not wait",
    *apply(lines) {
      for (const at of placesOf(lines, of("inode_dio_wait_ret"))) {
        const from = placesOf(lines, of("inode_dio_wait"))
          .findLast((place) => place < at);
        if (from === undefined || at - from < 3) continue;
        yield () => moved(lines, at, from + 1);
      }
    },
  },
  {
    name: "never call end_io",
    *apply(lines) {
      const left = lines.filter((line) => !NO_END_IO.test(line));
      if (left.length < lines.length) yield () => left;
    },
  },
  {
    name: "lose an error",
    *apply(lines) {
      for (const at of placesOf(lines, /: aio_complete_rw: .*res=-5 /)) {
        const tells =
          /: (?:aio_complete(?:_rw)?|dio_call_ki_complete|tracing_mark_write): /;
        yield () =>
          lines.map((line, i) =>
            i >= at && tells.test(line)
              ? line.replace(/res=-5\b/, "res=65536")
              : line
          );
      }
    },
  },
  ...PARTS.flatMap(([name, which]) => [
    removed(name, which),
    doubled(name, which),
  ]),
  later("count drop after the report", COUNT_DROP, of("aio_complete_rw")),
  later("end_io after the count drop", CALL_END_IO, COUNT_DROP),
  later("invalidate after the report", INVALIDATE, of("aio_complete_rw")),
  later("complete after the report", COMPLETE, of("aio_complete_rw")),
  later("count after the first bio", COUNT_RAISE, SUBMIT),
  {
    name: "complete before the last bio",
    *apply(lines) {
      for (const at of placesOf(lines, COMPLETE)) {
        const to = placesOf(lines, OUR_BIO).findLast((place) => place < at);
        if (to !== undefined) yield () => moved(lines, at, to);
      }
    },
  },
  changed(
    "i_dio_count",
    of(...namesOf(COUNT_DROP, COUNT_RAISE)),
    /(before)=(\d+)/,
    plus(1),
  ),
  changed("reported result", of("aio_complete_rw"), /(res)=(-?\d+)/, plus(-1)),
  changed("result on the ring", of("aio_complete"), /(res)=(-?\d+)/, plus(-1)),
  changed(
    "result in user space",
    EVENT_MARK,
    /(res)=(-?\d+)/,
    plus(-1),
  ),
  changed(
    "result of the completion",
    COMPLETE_RETURN,
    /(ret)=(-?\d+)/,
    plus(-512),
  ),
  changed(
    "bytes told to end_io",
    CALL_END_IO,
    /\b(bytes|size)=(-?\d+)/,
    plus(512),
  ),
  changed("status of a bio", OUR_BIO, /(status)=(0)/, plus(10)),
  changed(
    "return of the submission",
    of("blockdev_direct_IO_ret", "iomap_dio_rw_ret"),
    /(ret)=(-529)/,
    plus(529),
  ),
  changed(
    "flags of the completion",
    of("dio_complete"),
    / (flags)=0x(\d)/,
    (_, name, flags) => ` ${name}=0x${Number(flags) ^ 2}`,
  ),
  changed(
    "reason to defer",
    DEFER,
    /defer_completion=(\d) nrpages=\d+/,
    (_, flag) => `defer_completion=${1 - Number(flag)} nrpages=0`,
  ),
  changed("result of end_io", END_IO_RETURN, /(ret)=(-?\d+)/, plus(-5)),
  changed("dio of a bio", BIO_OF_DIO, /(private)=(\w+)\w\w\w/, elsewhere),
  changed("bio of a handler", of(HANDLERS), /(bio)=(\w+)\w\w\w/, elsewhere),
  changed("thread of work", of(OUR_WORK), /-(\d+)/, () => "-9"),
  changed("work that is queued", QUEUE, /(struct)=(\w+)\w\w\w/, elsewhere),
  changed("context of what sleeps", SLEEPERS, /\] \S{5}/, () => "] d.h2."),
  changed("workqueue", QUEUE, /workqueue=\S+/, () => "workqueue=events"),
  changed(
    "workqueue's superblock",
    QUEUE,
    /workqueue=\S+/,
    () => "workqueue=dio/sdz",
  ),
  changed(
    "iocb",
    of("aio_complete_rw"),
    /(iocb)=(\w+)\w\w\w/,
    elsewhere,
  ),
  changed(
    "dio",
    of(...namesOf(COMPLETE, FREE), "dio_end_aio_ref_drop"),
    /(dio)=(\w+)\w\w\w/,
    elsewhere,
  ),
  changed(
    "inode",
    COUNT_DROP,
    /(inode)=(\w+)\w\w\w/,
    elsewhere,
  ),
  {
    name: "change time",
    *apply(lines) {
      // Before the first one nothing is too early.
      for (const at of placesOf(lines, EVENT).slice(1)) {
        const line = lines[at] as string;
        yield () => lines.with(at, line.replace(/\d+\.\d+: /, "0.000001: "));
      }
    },
  },
];

/** The names that these are the lines of. */
function namesOf(...which: readonly RegExp[]): string[] {
  return which.flatMap(({ source }) =>
    /\(\?:(.*)\): $/.exec(source)?.[1]?.split("|") ?? []
  );
}

/**
 * What must hold in a recording of a real kernel, as data. Where it is a rule
 * of the conformance suite it has that rule's id and sentence.
 *
 * @module
 */

import { RULES } from "../../conformance/mod.ts";
import type { CODE } from "./probes.ts";

/** A rule for recordings. */
export interface RecordingRule {
  /** Its class and a detail. */
  readonly id: string;
  /** One sentence that must be true. */
  readonly sentence: string;
  /** The kernel function it comes from. */
  readonly source: string;
  /**
   * What it cannot be decided without: of each list one probe is enough.
   */
  readonly needs: readonly (readonly (keyof typeof CODE)[])[];
}

const DONE = ["dio_inode_dio_end", "iomap_inode_dio_end"] as const;
const BEGUN = ["dio_inode_dio_begin", "iomap_inode_dio_begin"] as const;
const COMPLETE = ["dio_complete", "iomap_dio_complete"] as const;
const END_IO = ["dio_call_end_io", "iomap_call_end_io"] as const;
const RETURNED = ["dio_end_io_returned", "iomap_end_io_returned"] as const;
const FREE = ["dio_free", "iomap_dio_free"] as const;
const QUEUE = ["workqueue_queue_work"] as const;
const REPORT = ["aio_complete_rw", "aio_complete"] as const;
const COUNTED = [
  "dio_end_aio_ref_drop",
  "iomap_dio_bio_end_io",
  "blkdev_bio_end_io",
] as const;

const MARK = ["tracing_mark_write"] as const;

type Own = Omit<RecordingRule, "sentence" | "source">;

type SuiteKey =
  | "once"
  | "neverBoth"
  | "neverNeither"
  | "allEnded"
  | "completeOnce"
  | "endIoBeforeDone"
  | "doneBeforeReport"
  | "endIoBeforeReport"
  | "endIoCalled"
  | "syncBetween"
  | "freeLast"
  | "readerSees"
  | "everyBio"
  | "precedence"
  | "freedOnce"
  | "useAfterFree"
  | "perRequest"
  | "zeroAtEnd"
  | "noSleep"
  | "queuedOnce"
  | "endIoFinishes";

/** Rules of the suite, and what they need of a recording. */
const SUITE: Readonly<Record<SuiteKey, Own>> = {
  once: { id: "one-completion/once", needs: [REPORT] },
  neverBoth: {
    id: "one-completion/never-both",
    needs: [REPORT, ["__blockdev_direct_IO_ret", "__iomap_dio_rw_ret"]],
  },
  neverNeither: { id: "one-completion/never-neither", needs: [REPORT, MARK] },
  allEnded: {
    id: "completion-after-last-bio/all-ended",
    needs: [["submit_bio"], ["bio_endio"]],
  },
  completeOnce: {
    id: "completion-after-last-bio/once",
    needs: [COMPLETE],
  },
  endIoBeforeDone: {
    id: "completion-order/end-io-before-dio-done",
    needs: [RETURNED, DONE],
  },
  doneBeforeReport: {
    id: "completion-order/dio-done-before-aio-complete",
    needs: [DONE, REPORT],
  },
  endIoBeforeReport: {
    id: "completion-order/end-io-before-aio-complete",
    needs: [REPORT],
  },
  endIoCalled: {
    id: "completion-order/end-io-called",
    needs: [END_IO, COMPLETE],
  },
  syncBetween: {
    id: "completion-order/write-sync-between",
    needs: [["vfs_fsync_range"]],
  },
  freeLast: { id: "completion-order/free-last", needs: [FREE] },
  readerSees: {
    id: "completion-order/reader-sees-data",
    needs: [MARK],
  },
  everyBio: {
    id: "error-reported/every-bio",
    needs: [["bio_endio"], REPORT],
  },
  precedence: {
    id: "result-precedence/submit-page-bio-count",
    needs: [COMPLETE, REPORT],
  },
  freedOnce: { id: "released-once/dio", needs: [FREE] },
  useAfterFree: { id: "no-use-after-release/dio", needs: [FREE] },
  perRequest: {
    id: "dio-count-balanced/per-request",
    needs: [BEGUN, DONE],
  },
  zeroAtEnd: {
    id: "dio-count-balanced/zero-at-end",
    needs: [BEGUN, DONE],
  },
  noSleep: { id: "no-sleep-in-interrupt/context", needs: [] },
  queuedOnce: { id: "no-double-deferral/queued-once", needs: [QUEUE] },
  endIoFinishes: {
    id: "no-double-deferral/end-io-finishes",
    needs: [END_IO, QUEUE],
  },
};

type OwnKey =
  | "lastReference"
  | "bioOnce"
  | "submission"
  | "pages"
  | "wakeWaiter"
  | "invalidate"
  | "queuedCode"
  | "deferral"
  | "queueName"
  | "workRuns"
  | "position"
  | "flushed"
  | "dirtied"
  | "truncateWaits"
  | "ring"
  | "userSpace"
  | "bytes"
  | "whole"
  | "nesting"
  | "timeOrder";

/** Rules that only a recording can break or show. */
const OWN: Readonly<Record<OwnKey, RecordingRule>> = {
  lastReference: {
    id: "completion-after-last-bio/last-reference",
    sentence:
      "Who drops the last reference completes the request, and nobody else",
    source: "fs/direct-io.c: dio_bio_end_aio(), drop_refcount()",
    needs: [COUNTED],
  },
  bioOnce: {
    id: "completion-after-last-bio/bio-ends-once",
    sentence: "Every bio that was submitted ends once",
    source: "block/bio.c: bio_endio()",
    needs: [["submit_bio"], ["bio_endio"]],
  },
  submission: {
    id: "completion-order/count-before-bios",
    sentence:
      "i_dio_count is raised before the first bio is submitted, and the submitter drops its reference after the last",
    source: "fs/direct-io.c: __blockdev_direct_IO(), fs/iomap/direct-io.c",
    needs: [BEGUN, ["submit_bio"]],
  },
  pages: {
    id: "completion-order/pages",
    sentence:
      "User pages are released before the reference is dropped in fs/direct-io.c, and after the report in iomap and block/fops.c",
    source: "fs/direct-io.c: dio_bio_complete(); iomap_dio_bio_end_io()",
    needs: [["bio_check_pages_dirty", "__bio_release_pages"]],
  },
  wakeWaiter: {
    id: "liveness/wakes-the-waiter",
    sentence:
      "Who ends the last bio of a request that is waited for wakes the waiter; who takes the count to 0 wakes those that wait for it",
    source: "fs/direct-io.c: dio_bio_end_io(); include/linux/fs.h",
    needs: [["wake_up_bit", "dio_end_io_wake_waiter"]],
  },
  invalidate: {
    id: "cache-coherent/invalidate-between",
    sentence:
      "Cached pages of a write are invalidated after end_io and before i_dio_count drops",
    source: "mm/filemap.c: kiocb_invalidate_post_direct_write()",
    needs: [["kiocb_invalidate_post_direct_write"]],
  },
  queuedCode: {
    id: "queued-code-kept/returned",
    sentence:
      "The submission returns -EIOCBQUEUED when the completion is left to others, and the result otherwise",
    source: "fs/direct-io.c: __blockdev_direct_IO(), __iomap_dio_rw()",
    needs: [["__blockdev_direct_IO_ret", "__iomap_dio_rw_ret"]],
  },
  deferral: {
    id: "no-sleep-in-interrupt/deferral",
    sentence:
      "A completion is left to a kworker when it may have to sleep, and only then: a mapping or O_DSYNC asked for it, pages are cached, or it is a write through iomap",
    source: "fs/direct-io.c: dio_bio_end_aio(); iomap_dio_bio_end_io()",
    needs: [COMPLETE],
  },
  queueName: {
    id: "workqueue-life/name",
    sentence: "The completion workqueue of a superblock is dio/<s_id>",
    source: "fs/super.c: sb_init_dio_done_wq()",
    needs: [QUEUE],
  },
  workRuns: {
    id: "workqueue-life/runs-once",
    sentence: "Work that is queued runs once, in a kworker, to its end",
    source: "kernel/workqueue.c: process_one_work()",
    needs: [["workqueue_execute_start"], QUEUE],
  },
  position: {
    id: "position-once/advanced",
    sentence: "The position is advanced once, by what was transferred",
    source: "fs/direct-io.c: dio_complete(); blkdev_bio_end_io()",
    needs: [["aio_complete_rw"]],
  },
  flushed: {
    id: "cache-coherent/flushed-before",
    sentence:
      "Cached pages of the range are written out, then dropped, before i_dio_count is raised",
    source: "fs/iomap/direct-io.c: __iomap_dio_rw(); __blockdev_direct_IO()",
    needs: [["filemap_write_and_wait_range"], BEGUN],
  },
  dirtied: {
    id: "pages-dirtied/checked",
    sentence:
      "Pages that a read has dirtied before its submission are checked when it ends, and no others",
    source: "block/bio.c: bio_set_pages_dirty(), bio_check_pages_dirty()",
    needs: [["bio_set_pages_dirty"], ["bio_check_pages_dirty"]],
  },
  truncateWaits: {
    id: "truncate-waits/count-is-zero",
    sentence: "A wait for i_dio_count ends when the count is 0",
    source: "fs/inode.c: inode_dio_wait()",
    needs: [["inode_dio_wait_ret"], DONE],
  },
  ring: {
    id: "completion-ring/order",
    sentence:
      "User space gets what was put on the ring, in that order and once",
    source: "fs/aio.c: aio_complete(), aio_read_events()",
    needs: [["aio_complete"], MARK],
  },
  userSpace: {
    id: "result-precedence/user-space",
    sentence: "User space gets the result that the kernel came to",
    source: "fs/aio.c: aio_complete_rw(); fs/read_write.c",
    needs: [MARK],
  },
  bytes: {
    id: "mapping-and-bios/bytes",
    sentence:
      "A request is handed to bios once, in order of offsets, and its result is no more than it asked for",
    source: "fs/direct-io.c: submit_page_section(); iomap_dio_bio_iter()",
    needs: [["submit_bio"], COMPLETE],
  },
  whole: {
    id: "recording/whole",
    sentence: "What the recording tells of has a beginning in it",
    source: "kernel/trace/trace.c",
    needs: [MARK],
  },
  nesting: {
    id: "recording/nesting",
    sentence: "A line lies inside the calls that it says it comes from",
    source: "kernel/trace/trace_kprobe.c",
    needs: [],
  },
  timeOrder: {
    id: "recording/time-order",
    sentence: "Lines come in the order of their times",
    source: "kernel/trace/trace.c",
    needs: [],
  },
};

function withText(own: Own): RecordingRule {
  const rule = RULES.find(({ id }) => id === own.id);
  if (rule === undefined) throw new Error(`No rule ${own.id}`);
  return { ...own, sentence: rule.sentence, source: rule.source };
}

/** Every rule that a recording is checked against. */
export const RECORDING_RULES: readonly RecordingRule[] = [
  ...Object.values(SUITE).map(withText),
  ...Object.values(OWN),
];

/** The place of each rule among {@linkcode RECORDING_RULES}. */
export const R: Readonly<
  Record<SuiteKey | OwnKey, number>
> = Object.fromEntries(
  [...Object.keys(SUITE), ...Object.keys(OWN)].map((key, at) => [key, at]),
) as Record<SuiteKey | OwnKey, number>;

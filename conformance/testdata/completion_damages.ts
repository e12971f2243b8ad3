/**
 * Damages that rules about the end of a request find.
 *
 * @module
 */

import type { TraceEvent } from "../../core/mod.ts";
import {
  beforeEnd,
  behind,
  edited,
  find,
  moved,
  type RuleDamage,
  swapped,
  twice,
  without,
} from "./damage.ts";

/** Damages to the end of a request. */
export const COMPLETION_DAMAGES: readonly RuleDamage[] = [
  {
    what: "aio_complete comes twice",
    rule: "one-completion/once",
    damage: (t) => twice(t, "aio_complete"),
  },
  {
    what: "aio_complete never comes",
    rule: "one-completion/never-neither",
    damage: (t) => without(t, "aio_complete"),
  },
  {
    what: "a request that was reported is returned as well",
    rule: "one-completion/never-both",
    scenario: "aio-write-inline",
    damage: (t) => swapped(t, "direct_IO_return", "aio_complete"),
  },
  {
    what: "a result is returned for a request in flight",
    rule: "queued-code-kept/in-flight",
    damage: (t) => edited(t, "direct_IO_return", { ret: 4096 }),
  },
  {
    what: "the submitter reports a request that was queued",
    rule: "queued-code-kept/survives",
    damage: (t) => moved(t, "aio_complete", "direct_IO_return"),
  },
  {
    what: "the dio completes before its last bio has ended",
    rule: "completion-after-last-bio/all-ended",
    scenario: "aio-write-many",
    damage: (t) => t.toSpliced(find(t, "bio_endio", 1), 1),
  },
  {
    what: "the dio completes twice",
    rule: "completion-after-last-bio/once",
    damage: (t) => twice(t, "dio_complete"),
  },
  {
    what: "a bio ends twice",
    rule: "completion-after-last-bio/bio-ends-once",
    damage: (t) => twice(t, "bio_endio"),
  },
  {
    what: "i_dio_count drops while end_io runs",
    rule: "completion-order/end-io-before-dio-done",
    damage: (t) => swapped(t, "inode_dio_done", "end_io_return"),
  },
  {
    what: "aio_complete comes while end_io runs",
    rule: "completion-order/end-io-before-aio-complete",
    damage: (t) => swapped(t, "aio_complete", "end_io_return"),
  },
  {
    what: "aio_complete comes before inode_dio_done",
    rule: "completion-order/dio-done-before-aio-complete",
    scenario: "aio-write",
    damage: (t) => swapped(t, "aio_complete", "inode_dio_done"),
  },
  {
    what: "dio_free comes before aio_complete",
    rule: "completion-order/free-last",
    damage: (t) => swapped(t, "aio_complete", "dio_free"),
  },
  {
    what: "a registered end_io is not called",
    rule: "completion-order/end-io-called",
    damage: (t) => without(t, "end_io", "end_io_return"),
  },
  {
    what: "end_io comes before dio_complete",
    rule: "completion-order/complete-first",
    damage: (t) => swapped(t, "end_io", "dio_complete"),
  },
  {
    what: "another thread frees the dio",
    rule: "completion-order/one-thread",
    damage: (t) => edited(t, "dio_free", { ctx: "task", tid: 99 }),
  },
  {
    what: "what was written is not converted",
    rule: "completion-order/converted",
    damage: (t) => without(t, "convert_unwritten"),
  },
  {
    what: "the write-sync comes before the drop of i_dio_count",
    rule: "completion-order/write-sync-between",
    scenario: "aio-write-dsync",
    damage: (t) => swapped(t, "generic_write_sync", "inode_dio_done"),
  },
  {
    what: "an O_DSYNC write is reported without a write-sync",
    rule: "completion-order/write-sync-between",
    scenario: "aio-write-dsync",
    damage: (t) => without(t, "generic_write_sync"),
  },
  {
    what: "a reader gets other bytes than were written",
    rule: "completion-order/reader-sees-data",
    damage: (t) => edited(t, "user_read", { wrong: 1 }),
  },
  {
    what: "the error of a bio is not reported",
    rule: "error-reported/every-bio",
    scenario: "aio-write-error",
    damage: (t) => edited(t, "aio_complete", { res: 12288 }),
  },
  {
    what: "the dio is not told of a bio that failed",
    rule: "error-reported/noted",
    scenario: "aio-write-error",
    damage: (t) => without(t, "dio_io_error"),
  },
  {
    what: "another result than the expected one is reported",
    rule: "result-precedence/submit-page-bio-count",
    damage: (t) => edited(t, "aio_complete", { res: 512 }),
  },
  {
    what: "the event says something else than the method returned",
    rule: "result-precedence/passed-on",
    scenario: "aio-append",
    damage: (t) => edited(t, "aio_complete", { res: 512 }),
  },
  {
    what: "a request whose submission failed is queued",
    rule: "result-precedence/error-not-queued",
    scenario: "aio-write-unwritten-enomem",
    damage: (t) => edited(t, "direct_IO_return", { ret: -529 }),
  },
  {
    what: "a write of which a part was submitted is queued",
    rule: "partial-progress/short-write-waited-for",
    scenario: "aio-write-unwritten-enomem",
    damage: (t) => edited(t, "direct_IO_return", { ret: -529 }),
  },
  {
    what: "a write stops without having met a hole",
    rule: "partial-progress/short-with-reason",
    model: "plain",
    scenario: "aio-write-hole",
    damage: (t) => t.toSpliced(find(t, "get_block", 1), 1),
  },
  {
    what: "more bytes are reported than were transferred",
    rule: "partial-progress/no-more-than-done",
    damage: (t) => edited(t, "aio_complete", { res: 8192 }),
  },
  {
    what: "dio_free is missing",
    rule: "released-once/dio",
    damage: (t) => without(t, "dio_free"),
  },
  {
    what: "something is left allocated",
    rule: "released-once/no-leak",
    damage: (t) => beforeEnd(t, { ev: "slab_leak", cache: "bio", obj: 1 }),
  },
  {
    what: "a bio ends for a dio that has been freed",
    rule: "no-use-after-release/dio",
    damage: (t) => t.toSpliced(-1, 0, t[find(t, "dio_bio_end_aio")]!),
  },
  {
    what: "i_dio_count drops twice for one request",
    rule: "dio-count-balanced/per-request",
    scenario: "aio-write",
    damage: (t) => twice(t, "inode_dio_done"),
  },
  {
    what: "i_dio_count goes up by more than one",
    rule: "dio-count-balanced/one-by-one",
    damage: (t) => edited(t, "inode_dio_begin", { count: 7 }),
  },
  {
    what: "i_dio_count is not zero at the end",
    rule: "dio-count-balanced/zero-at-end",
    damage: (t) => edited(t, "inode_dio_done", { count: 1 }),
  },
  {
    what: "the pages of a read are not marked before it is submitted",
    rule: "pages-dirtied/before-submission",
    scenario: "aio-read",
    damage: (t) => without(t, "bio_set_pages_dirty"),
  },
  {
    what: "the pages of a read are not looked at when it has ended",
    rule: "pages-dirtied/at-the-end",
    scenario: "aio-read",
    damage: (t) => without(t, "bio_check_pages_dirty"),
  },
  {
    what: "what was read is gone when memory has run short",
    rule: "pages-dirtied/kept",
    scenario: "aio-read-flushed",
    damage: (t) => edited(t, "user_read", { wrong: 1 }),
  },
  {
    what: "the position does not move",
    rule: "position-once/moved",
    scenario: "sync-write",
    damage: (t) => without(t, "ki_pos"),
  },
  {
    what: "an event comes off the ring twice",
    rule: "completion-ring/event-once",
    damage: (t) => twice(t, "io_getevents"),
  },
  {
    what: "an event says something else than it was put on the ring with",
    rule: "completion-ring/result-kept",
    damage: (t) => edited(t, "io_getevents", { res: 512 }),
  },
  {
    what: "end_io queues work",
    rule: "no-double-deferral/end-io-finishes",
    damage: (t) => {
      const work: TraceEvent = { ...t[find(t, "queue_work")]!, dio: 0 };
      const { cpu, ctx, tid } = t[find(t, "end_io")]!;
      return behind(t, "end_io", { ...work, cpu, ctx, tid });
    },
  },
  {
    what: "the completion is queued twice",
    rule: "no-double-deferral/queued-once",
    damage: (t) => twice(t, "queue_work"),
  },
  {
    what: "the work ends before the dio is freed",
    rule: "no-double-deferral/work-finishes",
    damage: (t) => swapped(t, "dio_free", "workqueue_execute_end"),
  },
];

/**
 * Damages that the other rules find: those about submission, contexts,
 * workqueues, sizes, truncate, durability, and the record itself.
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

/** Damages to everything else. */
export const OTHER_DAMAGES: readonly RuleDamage[] = [
  {
    what: "a bio is submitted for blocks that were not mapped",
    rule: "mapping-and-bios/mapped-first",
    damage: (t) => without(t, "get_block"),
  },
  {
    what: "the second block is mapped before the first",
    rule: "mapping-and-bios/in-order",
    scenario: "aio-write-many",
    damage: (t) => {
      const [i, j] = [find(t, "get_block"), find(t, "get_block", 1)];
      return t.with(i, t[j]!).with(j, t[i]!);
    },
  },
  {
    what: "a bio is put twice",
    rule: "released-once/bio",
    damage: (t) => twice(t, "bio_put"),
  },
  {
    what: "the end of a bio goes on without putting it",
    rule: "released-once/bio-by-its-owner",
    damage: (t) => without(t, "bio_put"),
  },
  {
    what: "a bio is submitted after the method has returned",
    rule: "no-use-after-release/submitter",
    damage: (t) => swapped(t, "submit_bio", "direct_IO_return"),
  },
  {
    what: "a mapping asks for deferral in vain",
    rule: "no-sleep-in-interrupt/asked-for-deferral",
    damage: (t) => without(t, "dio_set_defer_completion"),
  },
  {
    what: "nobody has asked for deferral",
    rule: "completion-concurrency/deferred-with-reason",
    damage: (t) => edited(t, "get_block", { b_state: 9 }),
  },
  {
    what: "a deferred completion runs before its work does",
    rule: "no-sleep-in-interrupt/deferred-in-worker",
    damage: (t) => swapped(t, "workqueue_execute_start", "dio_complete"),
  },
  {
    what: "end_io sleeps in a softirq",
    rule: "no-sleep-in-interrupt/context",
    damage: (t) => edited(t, "might_sleep", { ctx: "softirq" }),
  },
  {
    what: "code sleeps under a spinlock",
    rule: "no-sleep-in-interrupt/context",
    damage: (t) => edited(t, "might_sleep", { atomic: 1 }),
  },
  {
    what: "a thread ends with a lock",
    rule: "lock-handover/none-left",
    damage: (t) => beforeEnd(t, { ev: "locks_held", held: 1, lock: "i_mutex" }),
  },
  {
    what: "somebody waits for ever",
    rule: "liveness/blocked-for-ever",
    damage: (t) => beforeEnd(t, { ev: "hung_task", msg: "a waits" }),
  },
  {
    what: "somebody spins for ever",
    rule: "liveness/soft-lockup",
    damage: (t) => beforeEnd(t, { ev: "soft_lockup", msg: "a spins" }),
  },
  {
    what: "who sleeps goes on without being woken",
    rule: "liveness/woken",
    damage: (t) => without(t, "wake_up_process"),
  },
  {
    what: "who sleeps is woken before its event is on the ring",
    rule: "liveness/woken",
    scenario: "aio-write",
    damage: (t) => swapped(t, "wake_up_process", "aio_complete"),
  },
  {
    what: "work is queued on a workqueue that was destroyed",
    rule: "workqueue-life/alive-when-queued",
    damage: (t) => swapped(t, "queue_work", "destroy_workqueue"),
  },
  {
    what: "work runs that was not queued",
    rule: "workqueue-life/run-as-queued",
    damage: (t) => without(t, "queue_work"),
  },
  {
    what: "the workqueue is made before anybody needs it",
    rule: "workqueue-life/on-demand",
    damage: (t) => moved(t, "dio_set_defer_completion", "submit_bio"),
  },
  {
    what: "the workqueue is destroyed while work runs",
    rule: "workqueue-life/drained",
    damage: (t) => swapped(t, "workqueue_execute_end", "destroy_workqueue"),
  },
  {
    what: "put_super comes before the workqueue is destroyed",
    rule: "workqueue-life/gone-before-put-super",
    damage: (t) => swapped(t, "put_super", "destroy_workqueue"),
  },
  {
    what: "the workqueue goes before the inodes",
    rule: "workqueue-life/evicted-first",
    damage: (t) => swapped(t, "evict_inodes", "destroy_workqueue"),
  },
  {
    what: "blocks are converted after end_io has returned",
    rule: "convert-only-written/inside",
    damage: (t) => swapped(t, "convert_unwritten", "end_io_return"),
  },
  {
    what: "blocks are converted that were not written",
    rule: "convert-only-written/range",
    damage: (t) => edited(t, "convert_unwritten", { bytes: 1 << 20 }),
  },
  {
    what: "what a write has failed to write is converted",
    rule: "convert-only-written/not-after-an-error",
    scenario: "aio-write-unwritten-error",
    profile: "v6.1",
    damage: (t) =>
      behind(t, "end_io", {
        ev: "convert_unwritten",
        ino: 12,
        offset: 0,
        bytes: 8192,
        ret: 0,
      }),
  },
  {
    what: "a read gives more than the file has",
    rule: "read-within-size/cut",
    scenario: "aio-read",
    damage: (t) => edited(t, "aio_complete", { res: 8192 }),
  },
  {
    what: "a read behind the end of the file fails",
    rule: "read-within-size/behind-the-end",
    scenario: "aio-read-past-end",
    damage: (t) => edited(t, "aio_complete", { res: -22 }),
  },
  {
    what: "a write behind the end of the file is queued",
    rule: "size-after-data/append-waited-for",
    scenario: "aio-append",
    damage: (t) => edited(t, "direct_IO_return", { ret: -529 }),
  },
  {
    what: "the size has not grown when an append is reported",
    rule: "size-after-data/grown-when-reported",
    scenario: "aio-append",
    damage: (t) => without(t, "i_size_write"),
  },
  {
    what: "the size has not grown when a buffered append is reported",
    rule: "size-after-data/grown-when-reported",
    model: "ocfs2",
    scenario: "aio-append",
    damage: (t) => t.toSpliced(find(t, "i_size_write", 1), 1),
  },
  {
    what: "the position does not move over what was buffered",
    rule: "position-once/moved",
    model: "ocfs2",
    scenario: "aio-append",
    damage: (t) => without(t, "ki_pos"),
  },
  {
    what: "the size grows while the data is on its way",
    rule: "size-after-data/data-first",
    scenario: "aio-append",
    damage: (t) => moved(t, "i_size_write", "submit_bio"),
  },
  {
    what: "truncate does not set the size",
    rule: "size-after-data/truncated",
    scenario: "aio-write-many",
    damage: (t) => without(t, "i_size_write"),
  },
  {
    what: "the size on disk stays behind",
    rule: "size-after-data/on-disk-follows",
    model: "xfs",
    scenario: "aio-write-behind-disk-size",
    damage: (t) => edited(t, "i_disksize_write", { size: 0 }),
  },
  {
    what: "a file gets smaller without a truncate",
    rule: "size-after-data/never-backwards",
    scenario: "aio-write-many",
    damage: (t) => without(t, "truncate", "truncate_return"),
  },
  {
    what: "a file does not cover what was allocated for it",
    rule: "size-after-data/fallocated",
    scenario: "sync-write",
    damage: (t) => {
      const at = find(t, "direct_IO_return");
      const bytes = 1 << 20;
      const event = { ...t[at]!, ev: "fallocate", offset: 0, bytes, ret: 0 };
      return t.toSpliced(at + 1, 0, event);
    },
  },
  {
    what: "a write comes to nothing",
    rule: "partial-progress/not-nothing",
    damage: (t) => edited(t, "aio_complete", { res: 0 }),
  },
  {
    what: "a write inside the file makes it longer",
    rule: "size-after-data/only-appends",
    scenario: "sync-write",
    damage: (t) => {
      const at = find(t, "direct_IO_return");
      const size = { ...t[at]!, ev: "i_size_write", size: 1 << 20 };
      return t.toSpliced(at + 1, 0, size);
    },
  },
  {
    what: "an O_DSYNC write is returned without a write-sync",
    rule: "dsync-durable/synced",
    scenario: "sync-write-dsync",
    damage: (t) => without(t, "generic_write_sync"),
  },
  {
    what: "a write-sync does not flush the device",
    rule: "dsync-durable/flushed",
    scenario: "aio-write-dsync",
    damage: (t) => without(t, "blkdev_issue_flush"),
  },
  {
    what: "an fsync does not flush the device",
    rule: "dsync-durable/fsync-flushes",
    damage: (t) => behind(t, "io_getevents", { ev: "fsync", ino: 12, ret: 0 }),
  },
  {
    what: "the submitter syncs a write that it has queued",
    rule: "dsync-durable/not-while-in-flight",
    scenario: "aio-write-dsync",
    damage: (t) => moved(t, "generic_write_sync", "direct_IO_return"),
  },
  {
    what: "truncate does not wait for a request in flight",
    rule: "truncate-waits/in-flight-ended",
    scenario: "aio-write-many",
    damage: (t) => moved(t, "truncate_return", "i_size_write"),
  },
  {
    what: "a hole is punched under a request in flight",
    rule: "truncate-waits/in-flight-ended",
    scenario: "aio-write-punch-reuse",
    damage: (t) => moved(t, "punch_hole_return", "punch_hole"),
  },
  {
    what: "inode_dio_wait returns before the count is zero",
    rule: "truncate-waits/for-zero",
    scenario: "aio-write-many",
    damage: (t) => swapped(t, "inode_dio_wait_return", "inode_dio_done"),
  },
  {
    what: "a request is mapped before it is counted",
    rule: "truncate-waits/counted-while-mapped",
    damage: (t) => swapped(t, "inode_dio_begin", "get_block"),
  },
  {
    what: "blocks are converted when i_dio_count has dropped",
    rule: "truncate-waits/counted-while-converted",
    scenario: "sync-write-unwritten",
    damage: (t) => {
      const at = t.findIndex(({ ev, dio }) =>
        ev === "inode_dio_done" && dio === 0
      );
      const rest = t.toSpliced(at, 1);
      return rest.toSpliced(find(rest, "convert_unwritten"), 0, t[at]!);
    },
  },
  {
    what: "a block in flight is written for another file",
    rule: "truncate-waits/blocks-not-shared",
    scenario: "two-writers-unwritten",
    damage: (t) => {
      const { sector } = t[find(t, "submit_bio")]!;
      const { ino = 0 } = t[find(t, "dio_alloc")]!;
      const cut = behind(t, "dio_alloc", { ev: "i_size_write", ino, size: 0 });
      return edited(cut, "submit_bio", { sector });
    },
  },
  {
    what: "two writes of one unwritten block are in flight",
    rule: "sub-block-zeroing-serialised/alone-in-a-block",
    scenario: "aio-write-unaligned",
    damage: (t) =>
      edited(
        t.filter(({ ev, dio }) =>
          dio !== 1 || (ev !== "inode_dio_done" && ev !== "dio_free")
        ),
        "get_block",
        { b_state: 25 },
      ),
  },
  {
    what: "events are missing",
    rule: "trace-well-formed/sequence",
    keepsSeq: true,
    damage: (t) => t.toSpliced(5, 2),
  },
  {
    what: "time goes back",
    rule: "trace-well-formed/time",
    damage: (t) => edited(t, "dio_free", { ts: 1 }),
  },
  {
    what: "something comes after the end",
    rule: "trace-well-formed/end",
    damage: (t) => [...t, t[0]!],
  },
  {
    what: "a method is not left",
    rule: "trace-well-formed/nesting",
    damage: (t) => without(t, "direct_IO_return"),
  },
  {
    what: "a bio ends that was not submitted",
    rule: "trace-well-formed/bio",
    damage: (t) => without(t, "submit_bio"),
  },
  {
    what: "the end handler of another bio runs",
    rule: "trace-well-formed/bio",
    scenario: "aio-write-many",
    damage: (t) => {
      const [i, j] = [find(t, "bio_endio"), find(t, "bio_endio", 1)];
      return t.with(i, t[j]!).with(j, t[i]!);
    },
  },
  {
    what: "a request was never made",
    rule: "trace-well-formed/request",
    damage: (t: TraceEvent[]) => without(t, "io_submit"),
  },
  {
    what: "a request is synced that is over",
    rule: "no-use-after-release/iocb",
    scenario: "aio-write-dsync",
    damage: (t: TraceEvent[]) => {
      const sync = t[find(t, "generic_write_sync")]!;
      return beforeEnd(without(t, "generic_write_sync"), sync);
    },
  },
];

/**
 * The classes of rules: what can go wrong with a completion, by kind.
 *
 * @module
 */

/** What must hold, by the class of the rules that say so. */
export const RULE_CLASSES: ReadonlyMap<string, string> = new Map([
  [
    "one-completion",
    "exactly one completion per request: either the submitter returns a result, or it returns the 'queued' code and the completion callback fires once; never both, never neither",
  ],
  [
    "completion-after-last-bio",
    "completion never before the last bio has ended (and never while the submitter still holds its reference)",
  ],
  [
    "completion-order",
    "order inside completion: filesystem end_io, then drop of i_dio_count, then (for async O_DSYNC) write-sync, then the AIO callback",
  ],
  [
    "error-reported",
    "an error on ANY bio (first, middle, last, embedded or not) must reach the caller",
  ],
  [
    "result-precedence",
    "result precedence: submission error > page-pin error > bio I/O error > bytes transferred; the queued code is not an error",
  ],
  [
    "no-use-after-release",
    "after giving away the last reference (or submitting the last bio) the giver must not touch the dio/bio/iocb",
  ],
  [
    "released-once",
    "every bio, page pin, vector, io_end and dio is released exactly once on every path, including early failure",
  ],
  [
    "dio-count-balanced",
    "i_dio_count is incremented once and decremented once per request on all paths, error paths included",
  ],
  [
    "no-sleep-in-interrupt",
    "work that may sleep (transactions, fsync, invalidation, locks) must not run in interrupt context: defer to process context",
  ],
  [
    "no-double-deferral",
    "no double deferral: when end_io returns to the core its work is finished, not merely queued elsewhere",
  ],
  [
    "workqueue-life",
    "the per-superblock work queue exists before anything can be queued on it, is created once, and is drained before the filesystem is torn down",
  ],
  [
    "convert-only-written",
    "unwritten extents are converted only for bytes that really reached the device; a failed write must not convert",
  ],
  [
    "size-after-data",
    "i_size grows only after data and conversion are in place, is monotone under racing completions, and is visible by the time completion is reported",
  ],
  [
    "read-within-size",
    "a read result is cut to i_size and is never negative; reading at or past EOF gives 0",
  ],
  [
    "partial-progress",
    "partial progress: short writes are waited for before the remainder falls back to buffered I/O; byte count equals bytes done",
  ],
  [
    "cache-coherent",
    "page cache coherency: flush before, invalidate before a write, and invalidate again after end_io and before completion",
  ],
  [
    "dsync-durable",
    "O_DSYNC/O_SYNC data AND the metadata needed to reach it are stable when completion is reported; FUA alone is enough only for a pure overwrite",
  ],
  [
    "pages-dirtied",
    "user pages of a read are dirtied (speculatively before async submit, re-checked at completion; at completion for sync); kernel-owned pages are not",
  ],
  [
    "position-once",
    "file position advances exactly once, by the bytes reported, and only on success",
  ],
  [
    "nowait-all-or-nothing",
    "NOWAIT: all-or-nothing, EAGAIN is passed through unchanged, never partially done then retried",
  ],
  [
    "poll-single-bio",
    "polled completion only when one bio carries the whole request",
  ],
  [
    "sub-block-zeroing-serialised",
    "zeroing of the unused parts of a block is serialised against every other direct write that touches that block",
  ],
  [
    "truncate-waits",
    "truncate / hole punch / defrag / mode change wait for direct I/O, and the I/O takes its count before it drops the lock that excludes them",
  ],
  [
    "lock-handover",
    "a lock handed from submitter to completion is released exactly once, and completion never needs a lock that a waiter for that completion holds",
  ],
  [
    "completion-concurrency",
    "deferred completions run with enough concurrency: one blocked completion must not stop the others; a bounded pool must not deadlock",
  ],
  [
    "queued-code-kept",
    "the queued code (-EIOCBQUEUED) survives unclobbered from the core to the AIO layer",
  ],
  [
    "pinned-until-done",
    "file, inode, superblock write-freeze protection and iocb stay pinned until completion has finished with them",
  ],
  [
    "completion-ring",
    "completion ring: one slot per event, slot returned once, event stored before tail is published",
  ],
  [
    "mapping-and-bios",
    "mapping/bio building: sector units, logical+physical contiguity, block size sampled once, boundary flushes",
  ],
  [
    "completion-resources",
    "filesystem completion work reserves the resources it needs (log credits, space, quota) and reports failure",
  ],
  [
    "liveness",
    "whoever waits is woken by what it waits for, and nobody spins for ever",
  ],
  [
    "trace-well-formed",
    "the trace itself makes sense: nothing is missing, displaced or made up",
  ],
]);

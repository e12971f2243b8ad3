/**
 * Historic bugs of ext4, XFS and ocfs2.
 *
 * @module
 */

import type { Bug } from "./bug.ts";

/** Historic bugs of ext4, XFS and ocfs2. */
export const EXT4_XFS_OCFS2_BUGS: readonly Bug[] = [
  {
    id: "DIO-011",
    where: "ext4/xfs + core",
    subject: "double deferral of completion",
    when: "2013",
    wrong:
      "If the filesystem's end_io itself queues work (its own conversion queue) after the core has already deferred, the core drops the dio count and completes the AIO while the conversion is still pending.",
    classes: ["no-double-deferral", "completion-order"],
  },
  {
    id: "DIO-028",
    where: "xfs",
    subject:
      "[XFS] Block on unwritten extent conversion during synchronous direct I/O",
    when: "2006-2007",
    wrong:
      "A synchronous direct write returned while the queued conversion was still pending.",
    classes: ["completion-order", "no-double-deferral"],
  },
  {
    id: "DIO-029",
    where: "xfs",
    subject: "[XFS] unwritten conversion for aio+dio via work queue",
    when: "2005",
    wrong:
      "aio+dio completion can come from interrupt context but unwritten conversion needs process context.",
    classes: ["no-sleep-in-interrupt"],
  },
  {
    id: "DIO-082",
    where: "ext4",
    subject: "ext4: fix race between unwritten extent conversion and truncate",
    when: "2012, v3.4",
    wrong:
      "The dio count was dropped in the bio-end handler before the worker converted the extent, so truncate could run in between.",
    classes: ["completion-order", "truncate-waits"],
  },
  {
    id: "DIO-083",
    where: "ext4",
    subject: "ext4: serialize truncate with owerwrite DIO workers",
    when: "2012, v3.7",
    wrong:
      "Overwrite mode drops the inode lock before the core takes the dio count; truncate can slip in and free the blocks.",
    classes: ["truncate-waits", "dio-count-balanced"],
  },
  {
    id: "DIO-085",
    where: "ext4",
    subject: "ext4: serialize dio nonlocked reads with defrag workers",
    when: "2012, v3.7",
    wrong:
      "Defrag and journal-mode change did not block/wait for unlocked direct reads; state must be checked while holding a count.",
    classes: ["truncate-waits"],
  },
  {
    id: "DIO-086",
    where: "ext4",
    subject: "ext4: fix unwritten counter leakage",
    when: "2012, v3.7",
    wrong:
      "The in-flight conversion counter was raised but not dropped on some paths, so waiters (unaligned AIO, truncate) blocked for ever.",
    classes: ["dio-count-balanced"],
  },
  {
    id: "DIO-088",
    where: "ext4",
    subject:
      "ext4: fix data corruption caused by overlapping unaligned and aligned IO",
    when: "2019, v5.2",
    wrong:
      "The unaligned write waited for earlier I/O but an aligned overlapping write could start while it was in flight.",
    classes: ["sub-block-zeroing-serialised"],
  },
  {
    id: "DIO-089",
    where: "ext4",
    subject: "ext4: Fix data corruption caused by unaligned direct AIO",
    when: "2019, v5.1",
    wrong:
      "Serialisation was skipped for writes past i_size, but with an unaligned i_size the second write shares the EOF block.",
    classes: ["sub-block-zeroing-serialised"],
  },
  {
    id: "DIO-091",
    where: "ext4",
    subject: "ext4: fix async i/o writes beyond 4GB to a sparse file",
    when: "2009-2010",
    wrong:
      "The io_end offset was stored in a 32-bit block type although it holds bytes; conversion wrapped to the start of the file.",
    classes: ["convert-only-written", "mapping-and-bios"],
  },
  {
    id: "DIO-092",
    where: "ext4",
    subject: "ext4: properly sync file size update after O_SYNC direct IO",
    when: "2023, v6.7 / 6.1.64",
    wrong:
      "i_size was updated by ext4 after the core had already done the O_SYNC flush.",
    classes: ["dsync-durable", "size-after-data", "completion-order"],
  },
  {
    id: "DIO-094",
    where: "ext4",
    subject: "ext4: avoid crash when inline data creation follows DIO write",
    when: "2022, v6.1 / 6.0.3",
    wrong:
      "After a direct write converted layout, state flags allowed inline data again while completion was pending.",
    classes: ["truncate-waits"],
  },
  {
    id: "DIO-095",
    where: "ext4",
    subject: "ext4: drain in-flight DIO before buffered write fallback",
    when: "2026, 6.1.188",
    wrong:
      "The remainder of a direct write falling back to buffered I/O could run while other direct I/O was still in flight on the inode.",
    classes: ["partial-progress", "cache-coherent", "truncate-waits"],
  },
  {
    id: "DIO-097",
    where: "xfs",
    subject: "xfs: update i_size after unwritten conversion in dio completion",
    when: "2017, v4.14",
    wrong:
      "In-core size was raised before the conversion; a racing direct read saw the new size and an unwritten extent: zeros.",
    classes: ["size-after-data", "completion-order"],
  },
  {
    id: "DIO-098",
    where: "xfs",
    subject: "xfs: DIO write completion size updates race",
    when: "2015, v4.1",
    wrong:
      "Two completions compared and stored i_size without a lock; the larger value could be overwritten by the smaller.",
    classes: ["size-after-data"],
  },
  {
    id: "DIO-100",
    where: "xfs",
    subject: "xfs: serialise unaligned direct IOs",
    when: "2011, v2.6.38",
    wrong: "Same block zeroing race as ext4.",
    classes: ["sub-block-zeroing-serialised"],
  },
  {
    id: "DIO-101",
    where: "xfs",
    subject: "xfs: serialize unaligned dio writes against all other dio writes",
    when: "2019, v5.1",
    wrong: "Unaligned-then-aligned order was not serialised.",
    classes: ["sub-block-zeroing-serialised"],
  },
  {
    id: "DIO-103",
    where: "xfs",
    subject: "properly serialise fallocate against AIO+DIO",
    when: "2019, v5.5",
    wrong:
      "fallocate sampled the size, an appending AIO completed and raised it, fallocate stored the smaller size.",
    classes: ["size-after-data", "truncate-waits"],
  },
  {
    id: "DIO-104",
    where: "xfs",
    subject:
      "out-of-order completion of a multi-extent append exposes unwritten middle",
    when: "2023",
    wrong:
      "An append split into extents b and c: if c completes first its size update covers b, which is still unwritten, so a racing direct read sees zeros.",
    classes: ["size-after-data", "completion-after-last-bio"],
  },
  {
    id: "DIO-106",
    where: "xfs",
    subject: "xfs: avoid direct I/O write vs buffered I/O race",
    when: "2011",
    wrong: "The 'no cached pages' test was done before getting the lock.",
    classes: ["cache-coherent"],
  },
  {
    id: "DIO-107",
    where: "xfs",
    subject: "xfs: don't BUG() on mixed direct and mapped I/O",
    when: "2017, v4.10",
    wrong:
      "A page-fault-created delayed allocation seen by the direct read mapper hit an assertion.",
    classes: ["cache-coherent", "mapping-and-bios"],
  },
  {
    id: "DIO-109",
    where: "xfs",
    subject: "quota attach before unwritten conversion",
    when: "2019",
    wrong:
      "Conversion after direct write may split the mapping btree and needs quota attached.",
    classes: ["completion-resources"],
  },
  {
    id: "DIO-110",
    where: "ocfs2",
    subject: "ocfs2: fix deadlock between setattr and dio_end_io_write",
    when: "2021, v5.12",
    wrong:
      "setattr holds the inode lock and waits for the dio count; the deferred completion wants the inode lock before it can drop the count.",
    classes: ["lock-handover", "truncate-waits"],
  },
  {
    id: "DIO-112",
    where: "ocfs2",
    subject: "ocfs2: serialize unaligned aio",
    when: "2011, v3.0-3.1",
    wrong:
      "Overlapping unaligned AIO plus buffered fallback could read stale block contents and write them back.",
    classes: ["sub-block-zeroing-serialised", "partial-progress"],
  },
  {
    id: "DIO-113",
    where: "ocfs2",
    subject: "ocfs2: fix sparse file & data ordering issue in direct io",
    when: "2016, v4.6",
    wrong:
      "Blocks were allocated as written before the data I/O finished; crash exposes old data. Also the queued code could be dropped by ocfs2's own write wrapper for aio.",
    classes: ["convert-only-written", "dsync-durable", "queued-code-kept"],
  },
  {
    id: "DIO-115",
    where: "ocfs2",
    subject: "ocfs2: record UNWRITTEN extents when populate write desc",
    when: "2016, v4.6",
    wrong:
      "Two writes to different halves of one cluster each zero the other half before clearing the unwritten flag.",
    classes: ["sub-block-zeroing-serialised"],
  },
  {
    id: "DIO-116",
    where: "ocfs2",
    subject: "ocfs2: clear zero in unaligned direct IO",
    when: "2019, 5.3.9",
    wrong:
      "Unaligned direct writes left the rest of the block unzeroed or zeroed wrongly.",
    classes: ["sub-block-zeroing-serialised"],
  },
  {
    id: "DIO-118",
    where: "ocfs2",
    subject:
      "ocfs2: fix DIO failure due to insufficient transaction credits; ocfs2: split transactions in dio completion to avoid credit exhaustion",
    when: "2024 / 2026",
    wrong:
      "Converting many unwritten extents in one completion transaction ran out of log credits.",
    classes: ["completion-resources"],
  },
  {
    id: "DIO-119",
    where: "ocfs2",
    subject: "sync inode + async direct write: queued code overwritten",
    when: "2013 (3.12 source)",
    wrong:
      "In the 3.12 write path an inode marked sync runs a flush after submission even for a queued async write and stores the flush result over the queued code; the check that the completion owns the cluster lock then fails and the lock is released by both sides.",
    classes: ["queued-code-kept", "lock-handover", "dsync-durable"],
  },
];

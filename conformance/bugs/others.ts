/**
 * Historic bugs of iomap and the filesystems on it.
 *
 * @module
 */

import type { Bug } from "./bug.ts";

/** Historic bugs of iomap and the filesystems on it. */
export const OTHERS_BUGS: readonly Bug[] = [
  {
    id: "DIO-064",
    where: "iomap",
    subject: "iomap: dio data corruption and spurious errors when pipes fill",
    when: "2018, v4.20",
    wrong:
      "A read into a pipe that fills up gives EFAULT after part of the data was queued; the partial result was lost and data misplaced.",
    classes: ["partial-progress", "result-precedence"],
  },
  {
    id: "DIO-065",
    where: "iomap",
    subject: "iomap: sub-block dio needs to zeroout beyond EOF",
    when: "2018, v4.20",
    wrong:
      "A sub-block write that extends EOF in a written block did not zero the rest of the block; mmap of the EOF block showed stale bytes.",
    classes: ["sub-block-zeroing-serialised", "size-after-data"],
  },
  {
    id: "DIO-067",
    where: "iomap",
    subject:
      "iomap: FUA is wrong for DIO O_DSYNC writes into unwritten extents",
    when: "2018, v4.20",
    wrong:
      "A clean inode let an O_DSYNC write into an unwritten extent use FUA and skip the later sync, but completion dirties metadata by converting the extent.",
    classes: ["dsync-durable"],
  },
  {
    id: "DIO-068",
    where: "iomap, ext4, xfs",
    subject:
      "ext4: iomap that extends beyond EOF should be marked dirty (and xfs 7684e2c4384d)",
    when: "2019, v5.5",
    wrong:
      "Same FUA shortcut for writes that extend EOF in written blocks: the size update made in completion was not synced.",
    classes: ["dsync-durable", "size-after-data"],
  },
  {
    id: "DIO-070",
    where: "iomap",
    subject: "iomap: complete partial direct I/O writes synchronously",
    when: "2018, v4.20/5.0",
    wrong:
      "When the mapping layer stops an async write half way to force buffered fallback, the direct part was still in flight while the buffered part ran.",
    classes: ["partial-progress", "completion-after-last-bio"],
  },
  {
    id: "DIO-071",
    where: "iomap",
    subject: "iomap: fix return value of iomap_dio_bio_actor on 32bit systems",
    when: "2019-2020, v5.5 / 5.4.8",
    wrong:
      "Mixed unsigned/64-bit types turned a negative error into a large positive count on 32-bit.",
    classes: ["error-reported", "result-precedence"],
  },
  {
    id: "DIO-073",
    where: "iomap",
    subject: "iomap: fix submission side handling of completion side errors",
    when: "2026-01",
    wrong:
      "When a completed bio had already reported an error the submitter, deciding to stop, rewound the user's iterator by everything it had submitted in this extent although those bios are in flight or done.",
    classes: ["partial-progress", "error-reported"],
  },
  {
    id: "DIO-074",
    where: "iomap, zonefs",
    subject: "iomap: always run error completions in user context",
    when: "2025-11",
    wrong:
      "Read completions run inline in irq, yet zonefs error handling (and others) assume user context.",
    classes: ["no-sleep-in-interrupt"],
  },
  {
    id: "DIO-076",
    where: "iomap",
    subject:
      "iomap: support write completions from interrupt context (perf) - rule restated",
    when: "2025-11",
    wrong:
      "Always deferring write completions caused long tail latency (ScyllaDB); inline completion is allowed only for pure overwrites: no unwritten, COW, size extension, sync, cached pages or error.",
    classes: ["no-sleep-in-interrupt", "completion-concurrency"],
  },
  {
    id: "DIO-077",
    where: "iomap",
    subject: "free the bio before completing the dio",
    when: "2026",
    wrong:
      "Completing the request first and then looking at dio flags to decide how to release the bio is a use-after-free hazard.",
    classes: ["no-use-after-release", "released-once"],
  },
  {
    id: "DIO-079",
    where: "iomap",
    subject:
      "iomap: handle a post-direct I/O invalidate race in iomap_write_delalloc_release",
    when: "2024, v6.12 / 6.1.113",
    wrong:
      "Invalidation after a direct write may leave folios the buffered error path did not expect, tripping its assumptions.",
    classes: ["cache-coherent"],
  },
  {
    id: "DIO-080",
    where: "iomap/btrfs",
    subject: "O_DIRECT|O_DSYNC deadlock: sync called under inode lock",
    when: "2020, v5.9-5.11",
    wrong:
      "The core calls the sync helper in completion; for a sync request the caller still held the inode lock that the filesystem's fsync takes.",
    classes: ["lock-handover", "dsync-durable"],
  },
  {
    id: "DIO-121",
    where: "btrfs",
    subject: "Btrfs: fix race between fsync and lockless direct IO writes",
    when: "2016, v4.5-4.6",
    wrong:
      "fsync could log an extent whose data was not written yet; also notes that waiting for the dio count inside fsync would deadlock because AIO completion itself calls fsync.",
    classes: ["dsync-durable", "completion-order", "lock-handover"],
  },
  {
    id: "DIO-122",
    where: "btrfs",
    subject:
      "btrfs: fix lost file sync on direct IO write with nowait and dsync iocb",
    when: "2022, v6.1 / 6.0.8",
    wrong: "With NOWAIT+DSYNC the sync step was dropped on the retry path.",
    classes: ["dsync-durable", "nowait-all-or-nothing"],
  },
  {
    id: "DIO-124",
    where: "btrfs",
    subject: "btrfs: fix double inode unlock for direct IO sync writes",
    when: "2024, 6.1.105",
    wrong: "Error path after the sync step unlocked the inode twice.",
    classes: ["lock-handover"],
  },
  {
    id: "DIO-125",
    where: "btrfs",
    subject:
      "btrfs: fix corruption after buffer fault in during direct IO append write",
    when: "2024, v6.11",
    wrong:
      "After a fault the O_APPEND write was restarted and took the already advanced EOF as its start.",
    classes: ["position-once", "partial-progress", "size-after-data"],
  },
  {
    id: "DIO-127",
    where: "btrfs",
    subject: "btrfs: fix crash after non-aligned direct IO write with O_DSYNC",
    when: "2021",
    wrong:
      "The dsync workaround state was not reset on the unaligned early exit.",
    classes: ["released-once", "dsync-durable"],
  },
  {
    id: "DIO-128",
    where: "btrfs",
    subject: "btrfs: split partial dio bios before submit",
    when: "2023, v6.4",
    wrong:
      "A partial direct write left the bookkeeping covering more than the bio, producing a hole.",
    classes: ["partial-progress"],
  },
  {
    id: "DIO-130",
    where: "btrfs",
    subject: "Btrfs: fix dio write vs buffered read race",
    when: "2012-2013",
    wrong:
      "Pages could enter the cache between invalidation and range locking; also size was updated outside the range lock.",
    classes: ["cache-coherent", "size-after-data"],
  },
  {
    id: "DIO-131",
    where: "btrfs",
    subject:
      "btrfs: fix extent map leak in NOCOW direct I/O write; btrfs: release correct delalloc amount in direct IO write path",
    when: "2026 / 2022",
    wrong:
      "Reservation or reference taken for the attempted length was released for the wrong length or not at all.",
    classes: ["released-once", "completion-resources"],
  },
  {
    id: "DIO-133",
    where: "f2fs",
    subject: "f2fs: fix to wait dio completion",
    when: "2024, 6.1.129",
    wrong:
      "Truncate/other block-freeing paths did not wait for in-flight direct I/O.",
    classes: ["truncate-waits"],
  },
  {
    id: "DIO-134",
    where: "f2fs",
    subject:
      "f2fs: fix to avoid racing in between read and OPU dio write (regression fixed by f2fs: allow parallel DIO reads)",
    when: "2024-2025",
    wrong:
      "Out-of-place direct write and a read that had mapped the old block: the fix took the lock exclusively and serialised all readers.",
    classes: ["cache-coherent", "truncate-waits", "completion-concurrency"],
  },
  {
    id: "DIO-136",
    where: "f2fs",
    subject: "f2fs: fix data corruption issue with hardware encryption",
    when: "2019",
    wrong:
      "A direct write raced a GC write still pending on the meta mapping; GC landed last and wrote old data.",
    classes: ["cache-coherent"],
  },
  {
    id: "DIO-145",
    where: "nfs",
    subject: 'NFS: Fix "kernel BUG at fs/aio.c:554!"',
    when: "2011",
    wrong:
      "NFS completed the iocb and then returned an error other than the queued code, so the AIO core completed it again.",
    classes: ["one-completion", "queued-code-kept"],
  },
  {
    id: "DIO-146",
    where: "nfs",
    subject:
      "NFS: Fix error handling for O_DIRECT write scheduling (6.1.56 regression, reverted 6.1.58)",
    when: "2023",
    wrong:
      "A backported error-path accounting change corrupted ordinary large direct writes.",
    classes: ["partial-progress", "error-reported"],
  },
  {
    id: "DIO-148",
    where: "nfs/localio",
    subject: "nfs/localio: refcounting for each iocb I/O (up to 3 per request)",
    when: "2025",
    wrong:
      "Head, middle, tail of a misaligned request completed independently; the header was released on the first.",
    classes: [
      "completion-after-last-bio",
      "no-use-after-release",
      "partial-progress",
    ],
  },
  {
    id: "DIO-149",
    where: "fuse",
    subject: "fuse: Add reference counting for fuse_io_priv",
    when: "2016, v4.5-4.6",
    wrong:
      "One counter meant both 'outstanding requests' and 'object lifetime'; sync waiters could free too early.",
    classes: ["no-use-after-release"],
  },
  {
    id: "DIO-151",
    where: "gfs2",
    subject: "gfs2: Prevent direct-I/O write fallback errors from getting lost",
    when: "2021, 5.10.45",
    wrong: "Error of the buffered part after a short direct write was dropped.",
    classes: ["error-reported", "partial-progress"],
  },
  {
    id: "DIO-152",
    where: "zonefs",
    subject: "zonefs: Fix O_APPEND async write handling",
    when: "2021, v5.12",
    wrong:
      "Size is updated only at completion, so a second append computed its offset from the old size.",
    classes: ["size-after-data"],
  },
  {
    id: "DIO-154",
    where: "erofs",
    subject: "EROFS file-backed mount direct I/O use-after-free",
    when: "2025-2026",
    wrong:
      "Completion freed the request while the submitter still used it; fixed with a reference count.",
    classes: ["no-use-after-release"],
  },
];

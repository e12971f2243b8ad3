/**
 * Historic bugs of fs/direct-io.c, its callers, and AIO.
 *
 * @module
 */

import type { Bug } from "./bug.ts";

/** Historic bugs of fs/direct-io.c, its callers, and AIO. */
export const CORE_BUGS: readonly Bug[] = [
  {
    id: "DIO-009",
    where: "fs/direct-io.c",
    subject: "completion work queue with max_active=1 (first posted version)",
    when: "2013-07/08",
    wrong:
      "The first version made one unbound, single-threaded queue per superblock. Every deferred completion (and from the next patch every O_DSYNC flush) would run one after another and off the submitting CPU.",
    classes: ["completion-concurrency"],
  },
  {
    id: "DIO-010",
    where: "xfs / fs/direct-io.c",
    subject: "xfs: handle DIO overwrite EOF update completion correctly",
    when: "2015, v4.1",
    wrong:
      "Deferral was requested only for unwritten extents. A write into already written blocks that lies inside the in-core size but beyond the on-disk size is async (core looks at in-core i_size) and still needs a size-update transaction; without the defer flag that ran in interrupt context. The 2013 thread concluded it was fine because appending writes are never async, which overlooked the in-core/on-disk gap.",
    classes: ["no-sleep-in-interrupt", "size-after-data"],
  },
  {
    id: "DIO-012",
    where: "fs/direct-io.c",
    subject:
      "direct-io: Use return from cmpxchg to decide of assignment happened",
    when: "2013, v3.12",
    wrong:
      "Two first-time async writers can both allocate the per-sb queue. Only a compare-and-swap may install it and the loser must destroy its own. The patch re-read the pointer to decide who lost; the release uses the value returned by the swap. Without the atomic step the loser's queue leaks or work sits on a destroyed queue.",
    classes: ["workqueue-life"],
  },
  {
    id: "DIO-013",
    where: "fs/direct-io.c",
    subject: "direct-io: always call ->end_io if non-NULL (return value part)",
    when: "2016, v4.6",
    wrong:
      "The 2013 conversion made end_io return nothing. XFS used to report a failed unwritten conversion through its own completion call and ext4's put function returns an error, but after the change both are dropped: the AIO result is computed before end_io and cannot be changed by it.",
    classes: ["error-reported", "completion-resources"],
  },
  {
    id: "DIO-014",
    where: "fs/direct-io.c + ext4/xfs",
    subject:
      "direct-io: always call ->end_io (error part) / ext4: Fix data exposure after failed AIO DIO",
    when: "2016, v4.6",
    wrong:
      "end_io was given the number of bytes attempted, not the result, and only when bytes were submitted. After a bio error the filesystem still converted the unwritten extent (and XFS still bumped i_size).",
    classes: ["convert-only-written", "size-after-data"],
  },
  {
    id: "DIO-016",
    where: "fs/super.c",
    subject:
      "work queue created for every device-backed sb, unnamed, destroyed after put_super (v1)",
    when: "2013",
    wrong:
      "v1 allocated the queue in alloc_super under a fixed name and destroyed it in destroy_super, i.e. after put_super had torn the filesystem down. Final version drains it in generic_shutdown_super after evicting inodes and before put_super.",
    classes: ["workqueue-life"],
  },
  {
    id: "DIO-017",
    where: "fs/direct-io.c, callers",
    subject: "direct-io: Handle O_(D)SYNC AIO",
    when: "2013, v3.12",
    wrong:
      "AIO writes on O_DSYNC files were synced by the submitter right after submission (callers treated the queued code like success), i.e. before the data had reached the device; completion did no sync.",
    classes: ["dsync-durable", "completion-order"],
  },
  {
    id: "DIO-019",
    where: "fs/direct-io.c",
    subject: "work queue must exist before page-cache-triggered deferral",
    when: "2017, v4.14",
    wrong:
      "Since 4.14 an async write also defers when the inode has cached pages at completion time. That is not known at submission, so the queue has to be created for every async write; otherwise completion would queue on a NULL pointer.",
    classes: ["workqueue-life", "cache-coherent"],
  },
  {
    id: "DIO-020",
    where: "fs/direct-io.c / aio",
    subject: "dio: only call aio_complete() after returning -EIOCBQUEUED",
    when: "2006, v2.6.20",
    wrong:
      "The submitter and the bio handler each guessed from separate conditions who would complete. A submission error was not visible to the bio side, so the AIO core completed on the error return and the last bio completed the same iocb again.",
    classes: ["one-completion", "no-use-after-release"],
  },
  {
    id: "DIO-022",
    where: "fs/direct-io.c",
    subject:
      "dio: lock refcount operations / remove duplicate bio wait code (series)",
    when: "2006, v2.6.20",
    wrong:
      "The wake-up of the waiting submitter and the drop of the reference were separate steps, so the waiter could see the count, return and free the dio while the bio handler was about to use it (and a leftover check read the freed count). Fix: count, list and wake-up all under one lock.",
    classes: ["no-use-after-release", "completion-after-last-bio"],
  },
  {
    id: "DIO-023",
    where: "mm/filemap + aio",
    subject:
      "dio: invalidate clean pages before dio write (no -EIO from post-write invalidation)",
    when: "2007, v2.6.22",
    wrong:
      "After submitting the write the generic code invalidated the page cache again and returned -EIO if a page could not be dropped. For AIO that replaced the queued code, so both fs/aio.c and the bio handler completed the iocb.",
    classes: ["queued-code-kept", "one-completion", "cache-coherent"],
  },
  {
    id: "DIO-025",
    where: "fs/direct-io.c",
    subject: "AIO read of last partial block returned a full block",
    when: "2005-2006",
    wrong:
      "An AIO direct read of the final, partly filled block reported the requested size instead of the bytes up to EOF (the cut to i_size was done only on the sync path).",
    classes: ["read-within-size"],
  },
  {
    id: "DIO-026",
    where: "fs/direct-io.c",
    subject: "aio+dio into holes completed at wrong offsets",
    when: "2006-2007",
    wrong:
      "Completion used a wrong file offset, so extent conversion happened for the wrong range.",
    classes: ["convert-only-written", "mapping-and-bios"],
  },
  {
    id: "DIO-031",
    where: "fs/direct-io.c",
    subject:
      'fix the regression from "direct-io: Fix negative return from dio read beyond eof"',
    when: "2015/2016, v4.4",
    wrong:
      "The early exit left the earlier return value in place, so a read past EOF could return an errno (on non-locking filesystems) instead of 0.",
    classes: ["read-within-size", "result-precedence"],
  },
  {
    id: "DIO-032",
    where: "fs/direct-io.c / mm/filemap",
    subject: "Fix race when checking i_size on direct i/o read",
    when: "2014, v3.14",
    wrong:
      "i_size was tested before the direct read without excluding an appending direct write, so a reader could get zeros/short data relative to the size it then saw.",
    classes: ["size-after-data", "read-within-size"],
  },
  {
    id: "DIO-034",
    where: "fs/direct-io.c, iomap",
    subject: "fs: invalidate page cache after end_io() in dio completion",
    when: "2017, v4.14",
    wrong:
      "Invalidation before end_io let a buffered read in between cache zeros from the still-unwritten extent.",
    classes: ["cache-coherent", "completion-order"],
  },
  {
    id: "DIO-035",
    where: "fs/direct-io.c",
    subject: "direct-io: Prevent NULL pointer access in submit_page_section",
    when: "2017, v4.14",
    wrong:
      "On a boundary block the code submitted the bio without checking whether adding the page had succeeded; on failure there is no bio.",
    classes: ["released-once", "mapping-and-bios"],
  },
  {
    id: "DIO-037",
    where: "fs/direct-io.c",
    subject:
      "direct-io: fix boundary block handling / submit bio after boundary buffer is added to it",
    when: "2013, v3.9",
    wrong:
      "The boundary flag was set for every chunk of a mapping and the bio was submitted before the boundary chunk was added, giving single-page bios.",
    classes: ["mapping-and-bios"],
  },
  {
    id: "DIO-038",
    where: "fs/direct-io.c",
    subject: "fs: direct-io: fix missing sdio->boundary",
    when: "2021, v5.12",
    wrong:
      "Allocating a new bio cleared the boundary flag, so the bio that ends at a boundary stayed unsubmitted while the next mapping waited on metadata I/O - reported as a hung task.",
    classes: ["mapping-and-bios", "completion-after-last-bio"],
  },
  {
    id: "DIO-040",
    where: "fs/direct-io.c",
    subject:
      "direct-io: fix direct write stale data exposure from concurrent buffered read",
    when: "2016, v4.10",
    wrong:
      "The skip-holes test compared in the wrong block unit, so a direct write into the block that holds EOF could allocate it while a buffered reader saw its old contents.",
    classes: ["convert-only-written", "mapping-and-bios"],
  },
  {
    id: "DIO-041",
    where: "fs/direct-io.c",
    subject: "direct-io: fix AIO regression (iov_iter conversion)",
    when: "2014, v3.16",
    wrong:
      "The total size used to decide 'everything submitted' was no longer filled in, so full async writes were taken for partial ones and waited for: AIO silently became synchronous.",
    classes: ["completion-after-last-bio", "partial-progress"],
  },
  {
    id: "DIO-043",
    where: "fs/direct-io.c",
    subject: "ignore EFAULT after partial progress",
    when: "2014-2015, v4.0",
    wrong:
      "A read whose buffer becomes unmapped half way returned EFAULT although data had been read; writes that fault and are padded with the zero page must on the contrary still report the fault.",
    classes: ["result-precedence", "partial-progress"],
  },
  {
    id: "DIO-044",
    where: "fs/direct-io.c",
    subject:
      "fs: direct-io: don't dirtying pages for ITER_BVEC/ITER_KVEC direct read",
    when: "2016, v4.6",
    wrong:
      "Pages of kernel-internal reads (loop device) were dirtied at completion, which can take locks already held by the page's owner.",
    classes: ["pages-dirtied"],
  },
  {
    id: "DIO-046",
    where: "fs/direct-io.c",
    subject: "fs: truncate blocks outside i_size after O_DIRECT write error",
    when: "2009-2010",
    wrong:
      "A failed extending direct write left allocated blocks beyond i_size.",
    classes: ["size-after-data", "completion-resources"],
  },
  {
    id: "DIO-047",
    where: "mm/filemap",
    subject: "VFS: fix dio write returning EIO when try_to_release_page fails",
    when: "2008, v2.6.27",
    wrong:
      "A page that cannot be invalidated before the write made the write fail with EIO; now 'busy' means return 0 and fall back to buffered.",
    classes: ["cache-coherent", "partial-progress"],
  },
  {
    id: "DIO-049",
    where: "fs/direct-io.c",
    subject: "fs: kill i_alloc_sem",
    when: "2011, v3.1",
    wrong:
      "The truncate exclusion was a rw-semaphore taken by the submitter and released from the completion (other task or irq), i.e. a non-owner release, which is unsafe for real-time/lockdep and inverted the lock order in some filesystems.",
    classes: ["lock-handover", "truncate-waits"],
  },
  {
    id: "DIO-050",
    where: "fs/direct-io.c",
    subject:
      "block: return on congested block device / fs: EAGAIN from NOWAIT dio",
    when: "2017, v4.13",
    wrong:
      "Every bio failure was reported as EIO; a NOWAIT bio that would block must give EAGAIN so that the caller can retry.",
    classes: ["nowait-all-or-nothing", "result-precedence"],
  },
  {
    id: "DIO-052",
    where: "fs/direct-io.c",
    subject: "iocb position moved on failed async I/O",
    when: "2015-",
    wrong:
      "The async completion adds the attempted byte count to the iocb position even if the result is an error; harmless for libaio (position discarded) but visible to in-kernel users.",
    classes: ["position-once"],
  },
  {
    id: "DIO-137",
    where: "aio",
    subject: "aio: hold an extra file reference over AIO read/write operations",
    when: "2016, v4.9",
    wrong:
      "Completion may run before the submit call returns; closing the fd then freed file/inode which the submit path still used (and the completion's own use after the event).",
    classes: ["pinned-until-done", "no-use-after-release"],
  },
  {
    id: "DIO-139",
    where: "aio",
    subject:
      "aio: fix reqs_available handling (after f8567a3845ac aio: fix aio request leak when events are reaped by userspace)",
    when: "2014, v3.17",
    wrong:
      "Slots were returned at completion rather than when the event is consumed, so more requests than ring slots could be in flight.",
    classes: ["completion-ring"],
  },
  {
    id: "DIO-140",
    where: "aio",
    subject: "kiocb refcounting relied on the user-writable ring",
    when: "2013-2014",
    wrong:
      "Teardown waited for slot count derived from head/tail that user space can write.",
    classes: ["pinned-until-done", "completion-ring"],
  },
  {
    id: "DIO-142",
    where: "aio",
    subject: "last context reference dropped by I/O completion",
    when: "2010-2014",
    wrong:
      "If the last put of the context happens in completion (not process) context teardown ran there.",
    classes: ["no-sleep-in-interrupt", "pinned-until-done"],
  },
  {
    id: "DIO-143",
    where: "aio",
    subject: "aio: store event at final iocb_put etc. (work.aio 2019)",
    when: "2019, v5.1",
    wrong:
      "The event was published while submit still used the iocb; error handling could complete twice or leak.",
    classes: ["one-completion", "no-use-after-release", "completion-ring"],
  },
  {
    id: "DIO-158",
    where: "fs/direct-io.c",
    subject: "completion work queue without a rescuer (v1: WQ_UNBOUND, 1)",
    when: "2013",
    wrong:
      "v1's queue had no memory-reclaim guarantee: if writeback of memory depends on direct-I/O completions and no worker can be created, the completions never run.",
    classes: ["completion-concurrency"],
  },
  {
    id: "DIO-159",
    where: "fs/direct-io.c",
    subject: "several failing bios: last writer decides between EAGAIN and EIO",
    when: "2017-",
    wrong:
      "The shared error field is overwritten by every failing bio, so a NOWAIT request with one 'again' and one real error reports whichever was processed last; EAGAIN invites a retry of a request that really failed. blkdev and iomap keep the first error instead.",
    classes: ["error-reported", "nowait-all-or-nothing"],
  },
];

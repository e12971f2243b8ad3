/**
 * Historic bugs of block devices and the block layer.
 *
 * @module
 */

import type { Bug } from "./bug.ts";

/** Historic bugs of block devices and the block layer. */
export const BLOCK_BUGS: readonly Bug[] = [
  {
    id: "DIO-001",
    where: "block_dev",
    subject: "block: fix the return errno for direct IO",
    when: "2019, v5.1",
    wrong:
      "The multi-bio end handler copies a bio's error into the embedded first bio only in the branch for 'not the last to finish'. The bio that finishes LAST never has its own error copied, so unless that bio is the embedded one its failure vanishes.",
    classes: ["error-reported"],
  },
  {
    id: "DIO-002",
    where: "block_dev",
    subject: "block: fix use after free in __blkdev_direct_IO",
    when: "2017, v4.10-rc",
    wrong:
      "After submitting the last bio of an async request the submitter still reads the is_sync flag from the dio. The dio lives inside the first bio, whose last reference may already be dropped by the completion.",
    classes: ["no-use-after-release"],
  },
  {
    id: "DIO-003",
    where: "block_dev",
    subject:
      "changed before the release of 4.10: sector computed with a 512-byte shift",
    when: "2016-12, v4.10-rc",
    wrong:
      "The code of 2016 computes the start sector by shifting the byte position by the device's logical-block bits; sectors are always 512-byte units, so on a 4096-byte-sector device every multi-bio I/O lands at one eighth of the right place.",
    classes: ["mapping-and-bios"],
  },
  {
    id: "DIO-004",
    where: "block_dev",
    subject:
      "changed before the release of 4.10: position no longer advanced in the sync multi-bio path",
    when: "2016-12, v4.10-rc",
    wrong:
      "The synchronous multi-bio path of 2016 adds the byte count to the iocb position although its read/write callers add the returned count as well, so the file offset moves twice. In the async path the completion handler rightly does it (caller sees only the queued code).",
    classes: ["position-once"],
  },
  {
    id: "DIO-005",
    where: "block_dev",
    subject: "behaviour of a page-pin failure on a later bio",
    when: "2016-",
    wrong:
      "When pinning user pages fails for the 2nd or later bio, the code marks that bio failed and ends it itself. Because of DIO-001 the error is kept only if some earlier bio is still in flight at that moment; otherwise the request reports success with the bytes of the earlier bios. So the outcome depends on timing. Later kernels (6.1) record a generic I/O error instead of the pin error for async, while sync returns the pin errno.",
    classes: ["error-reported", "result-precedence", "partial-progress"],
  },
  {
    id: "DIO-006",
    where: "block_dev",
    subject: "blkdev: __blkdev_direct_IO_simple: fix leak in error case",
    when: "2018, v4.18",
    wrong:
      "The simple synchronous path returns straight away when pinning pages fails and forgets to free the separately allocated bio vector array.",
    classes: ["released-once"],
  },
  {
    id: "DIO-007",
    where: "block_dev",
    subject:
      "block: bio_iov_iter_get_pages: pin more pages for multi-segment IOs",
    when: "2018, v4.18",
    wrong:
      "The simple path calls the page-pin helper once, and that helper handled only one iovec segment. A vectored sync request became a short direct write whose rest was sent through the page cache by the generic fallback, mixing buffered and direct data.",
    classes: ["partial-progress"],
  },
  {
    id: "DIO-008",
    where: "block_dev",
    subject: "polled multi-bio requests",
    when: "2016-2021",
    wrong:
      "For a polled multi-bio request the waiter polls only with the cookie of the last submitted bio; completions of other bios on queues without interrupts would not be reaped by that poll.",
    classes: ["poll-single-bio"],
  },
  {
    id: "DIO-053",
    where: "block_dev",
    subject: "block: Fix __blkdev_direct_IO() for bio fragments",
    when: "2019, v5.3-rc3",
    wrong:
      "The running total was increased by the bio's size AFTER the bio had been submitted, when the bio may already be completed and its size consumed/changed; and the last fragment was not counted.",
    classes: ["no-use-after-release", "partial-progress"],
  },
  {
    id: "DIO-055",
    where: "block_dev",
    subject: "block: don't ignore REQ_NOWAIT for direct IO",
    when: "2020-2021, v5.11 / stable 5.10.31",
    wrong:
      "The per-call NOWAIT flag was not put on block-device direct bios, so a non-blocking request could sleep for a tag.",
    classes: ["nowait-all-or-nothing"],
  },
  {
    id: "DIO-056",
    where: "block_dev",
    subject: "block: don't allow multiple bios for IOCB_NOWAIT issue",
    when: "2023, v6.3",
    wrong:
      "With NOWAIT and several bios one may be issued and a later one refused; errors are merged into one result, so the caller retries the whole although a part is already on its way (or done).",
    classes: ["nowait-all-or-nothing", "error-reported"],
  },
  {
    id: "DIO-058",
    where: "block_dev",
    subject: "polled async: private pointer stored after submit",
    when: "2021- (seen in 6.1.192)",
    wrong:
      "The bio pointer is stored in the iocb after submission; a bio that ends inside submit (e.g. NOWAIT refusal) has already cleared it, so a stale pointer is left behind.",
    classes: ["no-use-after-release", "poll-single-bio"],
  },
  {
    id: "DIO-059",
    where: "block_dev",
    subject: "write path returns early with the plug still open",
    when: "2024-",
    wrong:
      "Failure of privilege/time update returns without finishing the plug or restoring the truncated iterator.",
    classes: ["released-once"],
  },
  {
    id: "DIO-061",
    where: "loop",
    subject: "block: loop: fix filesystem corruption in case of aio/dio",
    when: "2016, v4.6",
    wrong:
      "A split bio starts in the middle of a vector; the loop driver ignored that offset for direct AIO.",
    classes: ["mapping-and-bios"],
  },
  {
    id: "DIO-062",
    where: "io_uring + block",
    subject:
      "io_uring: re-issue block requests that failed because of resources",
    when: "2020, v5.8",
    wrong:
      "After a split NOWAIT request gets EAGAIN on a later part the whole request is re-issued; parts may be read twice. Later 'don't block level reissue off completion path' limits where this may happen.",
    classes: ["nowait-all-or-nothing"],
  },
  {
    id: "DIO-155",
    where: "dm",
    subject: "dm: free dm_io before bio_endio not after",
    when: "2010",
    wrong:
      "After ending the bio the device could vanish; the driver then touched its pool.",
    classes: ["no-use-after-release", "released-once"],
  },
  {
    id: "DIO-157",
    where: "block_dev",
    subject:
      "error stored after the part count was dropped (second half of: block: fix the return errno for direct IO)",
    when: "2019, v5.1",
    wrong:
      "In the code of 2016 a bio that is NOT the last first drops the count and only then writes its error into the shared first bio. Between the two steps another cpu can run the last bio's handler, read 'no error', complete the request and drop the first bio's last reference.",
    classes: ["error-reported", "no-use-after-release"],
  },
];

/**
 * Historic bugs that are no mutant, and why.
 *
 * @module
 */

/** Why there is no mutant of a bug, by its number. */
export const INEXPRESSIBLE: ReadonlyMap<string, string> = new Map([
  [
    "DIO-035",
    "no model has indirect blocks, so no mapping ends at a boundary; what the core does there is tested in core/dio_map_test.ts",
  ],
  [
    "DIO-038",
    "no model has indirect blocks, so no mapping ends at a boundary; what the core does there is tested in core/dio_map_test.ts",
  ],
  [
    "DIO-047",
    "who writes holds i_mutex and has written back what is cached, so no page is ever busy when it is to be dropped",
  ],
  ["DIO-059", "requests are submitted one by one: there is no plug"],
  ["DIO-061", "no layer splits a bio in the middle of a vector"],
  ["DIO-062", "nobody submits a request again by itself: there is no io_uring"],
  ["DIO-064", "a buffer is memory of a process: there are no pipes"],
  [
    "DIO-073",
    "the error is reported whatever the iterator says, and nobody goes on with a buffer after an error",
  ],
  ["DIO-079", "there is no delayed allocation that a failed write gives back"],
  [
    "DIO-089",
    "a write behind the end of the file is waited for under i_mutex in every profile, so it is alone anyway",
  ],
  ["DIO-094", "no file has its data in the inode"],
  [
    "DIO-095",
    "every profile does so: the fix is of 2026, and the model would break the rule without a mutation",
  ],
  ["DIO-107", "files are not mapped into memory for writing"],
  ["DIO-109", "there are no quotas"],
  [
    "DIO-112",
    "the direct writes of the ocfs2 model go to written blocks only, of which no rest is read and written back",
  ],
  [
    "DIO-115",
    "the direct writes of the ocfs2 model go to written blocks only, so none zeroes anything",
  ],
  ["DIO-118", "a transaction has as many credits as it needs"],
  ["DIO-127", "it is about a workaround of btrfs, of which there is no model"],
  ["DIO-134", "no filesystem writes out of place"],
  ["DIO-136", "no filesystem moves data by itself"],
  ["DIO-140", "user space cannot write to the head and tail of the ring"],
  ["DIO-142", "a ring lives as long as the kernel: nobody tears one down"],
  [
    "DIO-159",
    "fs/direct-io.c does so to this day: the model would break the rule without a mutation",
  ],
]);

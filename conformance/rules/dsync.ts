/**
 * Rules about what is stable when a write is reported.
 *
 * @module
 */

import { isQueued } from "../requests.ts";
import type { Rule } from "../rule.ts";

/** `dsync-durable`. */
export const DSYNC_RULES: readonly Rule[] = [
  {
    id: "dsync-durable/synced",
    sentence: "An O_DSYNC write is reported only after a write-sync",
    why: "what the application takes for stable is lost with the power",
    source: "mm/filemap.c: generic_file_aio_write(); fs/direct-io.c",
    bugs: ["DIO-017", "DIO-092", "DIO-122"],
    needs: ["generic_write_sync"],
    check: ({ exercised, violated }) => ({
      reported(iocb, res, event) {
        const { dio, returned, writeSync } = iocb;
        if (!(res > 0) || !iocb.needsSync || dio?.isBlkdev) return;
        exercised();
        if (writeSync === undefined) {
          violated("generic_write_sync before it", returned, event);
        }
      },
    }),
  },
  {
    id: "dsync-durable/flushed",
    sentence: "A write-sync flushes the device, after the last bio has ended",
    why: "the data is in a cache that is lost with the power",
    source: "fs/sync.c: vfs_fsync_range(); block/blk-flush.c",
    bugs: ["DIO-017", "DIO-067"],
    needs: ["blkdev_issue_flush", "bio_endio"],
    check: ({ requests, threads, exercised, violated }) => ({
      generic_write_sync(event) {
        const dio = requests.iocbOf(event)?.dio;
        if (!dio?.ended || Number(event["ret"]) < 0) return;
        exercised();
        const { flushed } = threads.current;
        if (flushed !== undefined && flushed.seq > dio.ended.seq) return;
        violated("blkdev_issue_flush before it", dio.ended, event);
      },
    }),
  },
  {
    id: "dsync-durable/fsync-flushes",
    sentence: "An fsync flushes the device",
    why: "the data is in a cache that is lost with the power",
    source: "fs/sync.c: vfs_fsync_range(); block/blk-flush.c",
    bugs: ["DIO-092", "DIO-121"],
    needs: ["blkdev_issue_flush", "fsync"],
    check: ({ threads, exercised, violated }) => ({
      fsync(event) {
        if (Number(event["ret"]) < 0) return;
        exercised();
        const { flushed, called } = threads.current;
        if (flushed !== undefined && flushed.seq > (called?.seq ?? -1)) return;
        violated("blkdev_issue_flush before it", called, event);
      },
    }),
  },
  {
    id: "dsync-durable/not-while-in-flight",
    sentence: "A request that was queued is not synced by its submitter",
    why: "the flush comes before the data, and what is reported is not stable",
    source: "mm/filemap.c: generic_file_aio_write()",
    bugs: ["DIO-017", "DIO-119"],
    check: ({ requests, exercised, violated }) => ({
      generic_write_sync(event) {
        const iocb = requests.iocbOf(event);
        const dio = iocb?.dio;
        if (!dio || dio.isBlkdev || !isQueued(iocb?.returned)) return;
        exercised();
        if (dio.outstanding > 0 || !dio.complete) {
          violated("dio_complete before it", iocb?.returned, event);
        }
      },
    }),
  },
];

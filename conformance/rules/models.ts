/**
 * Rules about what only a filesystem knows of itself: its size on disk, its
 * transactions, its own counters. The models say so in events of their own, or
 * look at themselves when they go.
 *
 * @module
 */

import type { TraceEvent } from "../../core/mod.ts";
import type { Rule } from "../rule.ts";
import { oopsRule } from "./oops.ts";

/** Rules of models. */
export const MODEL_RULES: readonly Rule[] = [
  {
    id: "size-after-data/on-disk-follows",
    sentence:
      "The size on disk has followed when a write behind it is reported",
    why: "after a crash the file ends before data that was reported as written",
    source: "fs/xfs/xfs_aops.c: xfs_setfilesize(); ext4_ind_direct_IO()",
    bugs: ["DIO-010", "DIO-098"],
    needs: ["i_disksize_write"],
    check: ({ exercised, violated }) => {
      const onDisk: Map<number, TraceEvent> = new Map();
      return {
        i_disksize_write(event) {
          onDisk.set(Number(event.ino), event);
        },
        reported({ isWrite, inode, dio, offset, buffered }, res, event) {
          const newest = onDisk.get(inode.ino);
          const isCut = inode.cuts !== dio?.cuts;
          if (!isWrite || newest === undefined || isCut || res <= 0) return;
          exercised();
          const end = offset + res - buffered;
          if (Number(newest["size"]) >= end) return;
          violated(`an i_disksize_write of ${end} before it`, newest, event);
        },
        reset: () => onDisk.clear(),
      };
    },
  },
  oopsRule({
    id: "completion-resources/transactions-closed",
    sentence: "Every transaction that was started has been stopped",
    why: "the next commit waits for ever",
    source: "fs/jbd2/transaction.c; fs/xfs/xfs_trans.c",
    bugs: ["DIO-109", "DIO-118"],
    when: ["put_super"],
  }),
  oopsRule({
    id: "completion-resources/blocks-accounted",
    sentence: "When a filesystem goes, each of its blocks is in a file or free",
    why: "space is lost until the next fsck; or two files get the same block",
    source: "fs/ext4/mballoc.c: ext4_free_blocks(); fs/xfs/xfs_alloc.c",
    bugs: ["DIO-046"],
    when: ["put_super"],
  }),
  oopsRule({
    id: "completion-resources/nothing-behind-end",
    sentence: "A write that failed leaves no blocks behind the end of the file",
    why: "what lies in them is there when the file grows again",
    source: "fs/ext4/indirect.c: ext4_ind_direct_IO(); fs/jfs/inode.c",
    bugs: ["DIO-046"],
    when: ["evict_inodes"],
  }),
  oopsRule({
    id: "size-after-data/disk-size-at-end",
    sentence:
      "The size on disk of a file is never larger than the one in memory",
    why: "what was cut off is there again after the next mount",
    source: "fs/ext4/inode.c: ext4_setattr(); fs/xfs/xfs_iops.c",
    bugs: [],
    when: ["evict_inodes"],
  }),
  oopsRule({
    id: "completion-resources/no-orphan-left",
    sentence: "A file is an orphan only while a write makes it longer",
    why: "the next mount cuts off what was written",
    source: "fs/ext4/indirect.c: ext4_ind_direct_IO()",
    bugs: [],
    when: ["evict_inodes"],
  }),
  oopsRule({
    id: "dio-count-balanced/own-counters",
    sentence: "A filesystem's own counts of what is under way are back at 0",
    why: "who waits for them waits for ever",
    source: "fs/ext4/page-io.c: ext4_clear_io_unwritten_flag()",
    bugs: ["DIO-086"],
    when: ["evict_inodes"],
  }),
  oopsRule({
    id: "no-double-deferral/reserved-only",
    sentence:
      "Only conversions with a reserved transaction are left to the filesystem's own worker",
    why: "the worker waits for a transaction that waits for the worker",
    source: "fs/ext4/page-io.c: ext4_add_complete_io()",
    bugs: ["DIO-011"],
    when: ["convert_unwritten"],
  }),
];

/**
 * Rules about those who keep direct I/O out of their way, and about the count
 * that they wait for.
 *
 * @module
 */

import { BH_NEW, BH_UNWRITTEN, type TraceEvent } from "../../core/mod.ts";
import type { DioState, IocbState } from "../request_state.ts";
import type { Rule, RuleScope } from "../rule.ts";

/** `truncate-waits`, `sub-block-zeroing-serialised`. */
export const TRUNCATE_RULES: readonly Rule[] = [
  {
    id: "truncate-waits/in-flight-ended",
    sentence:
      "Truncate and hole punch return when the direct I/O has ended that was in flight where they cut",
    why:
      "the device writes to blocks that have been freed, and may belong to another file",
    source: "fs/ext4/inode.c: ext4_setattr(); fs/xfs/xfs_iops.c",
    bugs: ["DIO-082", "DIO-083", "DIO-110", "DIO-133"],
    needs: ["truncate", "inode_dio_begin", "inode_dio_done"],
    check: (scope) => ({
      truncate(event) {
        noteInTheWay(scope, event);
      },
      punch_hole(event) {
        noteInTheWay(scope, event);
      },
      truncate_return(event) {
        noneInTheWay(scope, "truncate", event);
      },
      punch_hole_return(event) {
        noneInTheWay(scope, "punch_hole", event);
      },
    }),
  },
  {
    id: "truncate-waits/for-zero",
    sentence: "inode_dio_wait returns when i_dio_count has been zero",
    why: "whoever waited goes on while requests are in flight",
    source: "fs/inode.c: inode_dio_wait()",
    bugs: ["DIO-082", "DIO-083"],
    needs: ["inode_dio_wait", "inode_dio_begin", "inode_dio_done"],
    check: ({ threads, requests, exercised, violated }) => ({
      inode_dio_wait(event) {
        const inode = requests.inodes.of(event);
        if (inode === undefined || Number.isNaN(inode.count)) return;
        if (event["count"] === inode.count) return;
        violated(`a count of ${inode.count}`, inode.counted, event);
      },
      inode_dio_wait_return(event) {
        exercised();
        const inode = requests.inodes.of(event);
        if (inode === undefined || !(inode.count > 0)) return;
        if (inode.zeros > threads.current.zeros) return;
        violated(
          `inode_dio_done to 0 before it, not ${inode.count}`,
          inode.counted,
          event,
        );
      },
    }),
  },
  {
    id: "truncate-waits/counted-while-mapped",
    sentence: "A request is counted before it is mapped",
    why:
      "truncate finds nobody to wait for, and frees the blocks that were mapped",
    source: "fs/direct-io.c: do_blockdev_direct_IO()",
    bugs: ["DIO-083", "DIO-085"],
    needs: ["inode_dio_begin"],
    check: (scope) => ({
      get_block(event) {
        isCounted(scope, event);
      },
      dio_refill_pages(event) {
        isCounted(scope, event);
      },
    }),
  },
  {
    id: "truncate-waits/counted-while-converted",
    sentence: "Blocks are converted while i_dio_count is raised",
    why: "truncate frees the blocks under the conversion",
    source: "fs/ext4/inode.c: ext4_ext_direct_IO(), ext4_end_io_dio()",
    bugs: ["DIO-011", "DIO-082"],
    impliedBy: [
      "completion-order/complete-first",
      "completion-order/end-io-called",
      "dio-count-balanced/one-by-one",
    ],
    needs: ["inode_dio_begin", "inode_dio_done"],
    check: ({ requests, threads, exercised, violated }) => ({
      convert_unwritten(event) {
        const { completing, request } = threads.current;
        if (completing === undefined && request === undefined) return;
        const inode = requests.inodes.of(event);
        exercised();
        if (inode === undefined || Number.isNaN(inode.count)) return;
        if (inode.count > 0) return;
        violated("inode_dio_done after it", inode.counted, event);
      },
    }),
  },
  {
    id: "truncate-waits/blocks-not-shared",
    sentence:
      "No transfer is in flight to a block that was freed and belongs to another file",
    why: "one file's data ends up in another file",
    source: "fs/ext4/inode.c: ext4_setattr(); fs/xfs/xfs_iops.c",
    bugs: ["DIO-083", "DIO-133"],
    impliedBy: ["truncate-waits/in-flight-ended"],
    needs: ["submit_bio", "bio_endio"],
    check: ({ requests, exercised, violated }) => ({
      submit_bio(event) {
        const dio = requests.dioOf(event);
        if (dio?.iocb === undefined || requests.inodes.size < 2) return;
        const { inode } = dio.iocb;
        for (const { submit, dio: other, ended } of requests.bios.all) {
          if (other?.iocb === undefined || other.iocb.inode === inode) continue;
          // A trace may be of several devices, so sectors alone say nothing.
          if (other.cuts === other.iocb.inode.cuts) continue;
          exercised();
          if (ended || !overlap(submit, event)) continue;
          violated(`the end of bio ${submit.bio} before it`, submit, event);
        }
      },
    }),
  },
  {
    id: "sub-block-zeroing-serialised/alone-in-a-block",
    sentence:
      "Writes of parts of a block that is unwritten or new are not in flight together",
    why: "each zeroes the rest of the block, and with it what the other wrote",
    source: "fs/ext4/file.c: ext4_unaligned_aio(), ext4_unwritten_wait()",
    bugs: ["DIO-088", "DIO-089", "DIO-100", "DIO-101", "DIO-112"],
    needs: ["get_block", "inode_dio_done"],
    check: ({ requests, exercised, violated }) => ({
      get_block(event) {
        const dio = requests.dioOf(event);
        const state = Number(event["b_state"]);
        if (!dio?.isWrite || dio.iocb === undefined) return;
        if ((state & (BH_UNWRITTEN | BH_NEW)) === 0) return;
        exercised();
        for (const other of requests.dios.values()) {
          if (other === dio || other.done || !other.isWrite) continue;
          if (!shareBlock(dio, event, other)) continue;
          violated("inode_dio_done before it", other.mapping, event);
        }
      },
    }),
  },
  {
    id: "sub-block-zeroing-serialised/block-filled",
    sentence:
      "Around what is written to a new block, the rest of the block is filled with zeros",
    why: "a reader gets what the block held before it belonged to the file",
    source: "fs/direct-io.c: dio_zero_block()",
    bugs: ["DIO-065", "DIO-116"],
    needs: ["get_block", "submit_bio"],
    check: ({ exercised, violated }) => ({
      reported({ dio }, res, event) {
        if (!dio?.isWrite || dio.iocb === undefined || !(res > 0)) return;
        const { mappings, news, holes, blockBytes, submitted } = dio;
        if (news === 0 || news < mappings || holes > 0) return;
        if (blockBytes === 0 || dio.pageError || dio.submitError) return;
        exercised();
        const wanted = filledBytes(dio.iocb, blockBytes);
        if (submitted >= wanted) return;
        violated(
          `${wanted} bytes in bios, not ${submitted}`,
          dio.mapping,
          event,
        );
      },
    }),
  },
];

/** Bytes that a write has to send when all of its blocks are new. */
function filledBytes({ offset, bytes }: IocbState, blockBytes: number): number {
  const first = Math.floor(offset / blockBytes);
  return (Math.ceil((offset + bytes) / blockBytes) - first) * blockBytes;
}

/** Whether a request was in flight where a call cuts when that began. */
function isInTheWay(
  { begin, done, iocb }: DioState,
  cut: TraceEvent,
): boolean {
  if (begin === undefined || done !== undefined || iocb === undefined) {
    return false;
  }
  if (begin.seq > cut.seq || iocb.inode.ino !== cut.ino) return false;
  const from = Number(cut["size"] ?? cut["offset"]);
  const to = from + Number(cut["bytes"] ?? Infinity);
  return iocb.offset < to && iocb.offset + iocb.bytes > from;
}

function noteInTheWay(
  { requests, exercised }: RuleScope,
  cut: TraceEvent,
): void {
  for (const dio of requests.dios.values()) {
    if (isInTheWay(dio, cut)) exercised();
  }
}

function noneInTheWay(
  { threads, requests, violated }: RuleScope,
  entry: string,
  event: TraceEvent,
): void {
  const cut = threads.current.inside(entry);
  if (cut === undefined || Number(event["ret"]) < 0) return;
  for (const dio of requests.dios.values()) {
    if (!isInTheWay(dio, cut)) continue;
    violated("inode_dio_done before it", dio.begin, cut, event);
  }
}

function isCounted(
  { requests, exercised, violated }: RuleScope,
  event: TraceEvent,
): void {
  const dio = requests.dioOf(event);
  if (dio === undefined || dio.isBlkdev) return;
  exercised();
  if (!dio.begin) violated("inode_dio_begin before it", dio.alloc, event);
}

/** Whether two bios have a sector in common. */
function overlap(one: TraceEvent, other: TraceEvent): boolean {
  const [a, b] = [Number(one["sector"]), Number(other["sector"])];
  return a < b + Number(other["size"]) / 512 &&
    b < a + Number(one["size"]) / 512;
}

/** Whether two writes have no byte in common, but a block. */
function shareBlock(
  dio: DioState,
  event: TraceEvent,
  other: DioState,
): boolean {
  const { iocb } = dio;
  const { iocb: it, mapping } = other;
  if (iocb === undefined || it === undefined || mapping === undefined) {
    return false;
  }
  if (it.inode !== iocb.inode) return false;
  const haveBytes = iocb.offset < it.offset + it.bytes &&
    it.offset < iocb.offset + iocb.bytes;
  if (haveBytes) return false;
  const [a, b] = [Number(event["iblock"]), Number(mapping["iblock"])];
  return a < b + Number(mapping["blocks"]) && b < a + Number(event["blocks"]);
}

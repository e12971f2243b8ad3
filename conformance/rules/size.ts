/**
 * Rules about the size of a file: who may read up to where, and when it grows.
 *
 * @module
 */

import { errnoName, type TraceEvent } from "../../core/mod.ts";
import { isQueued } from "../requests.ts";
import type { Rule } from "../rule.ts";
import type { ThreadState } from "../threads.ts";
import type { DioState } from "../request_state.ts";

/** `read-within-size`, `size-after-data`. */
export const SIZE_RULES: readonly Rule[] = [
  {
    id: "read-within-size/cut",
    sentence: "A read gives no more than the file had when it began",
    why: "the application takes the rest of the last block for data",
    source: "fs/direct-io.c: dio_complete()",
    bugs: ["DIO-025", "DIO-031"],
    check: ({ exercised, violated }) => ({
      reported({ isWrite, dio, buffered }, res, event) {
        if (isWrite || dio === undefined) return;
        const { room } = dio;
        if (Number.isNaN(room)) return;
        exercised();
        // What the file has grown by since may come from the page cache.
        const direct = res < 0 ? res : res - buffered;
        const isRight = direct <= room &&
          (room > 0 || direct === 0 || hasFailed(dio));
        if (isRight) return;
        violated(
          `${room} bytes at most, it is ${errnoName(res)}`,
          dio.alloc,
          event,
        );
      },
    }),
  },
  {
    id: "read-within-size/behind-the-end",
    sentence: "A read at or behind the end of the file gives 0",
    why: "the application takes the end of the file for an error",
    source: "mm/filemap.c: generic_file_aio_read()",
    bugs: ["DIO-031"],
    needs: ["direct_IO"],
    check: ({ exercised, violated }) => ({
      reported(iocb, res, event) {
        const { begin, isWrite, offset, inode, directIO } = iocb;
        // Without a call of the method: the file was looked at, and that was it.
        if (isWrite || directIO !== undefined || offset < inode.size) return;
        if (Number.isNaN(inode.size)) return;
        exercised();
        if (res !== 0) violated(`0, not ${errnoName(res)}`, begin, event);
      },
    }),
  },
  {
    id: "size-after-data/append-waited-for",
    sentence: "A write behind the end of the file is waited for, not queued",
    why:
      "the size grows before the data is there, or two appends get the same place",
    source: "fs/direct-io.c: do_blockdev_direct_IO()",
    bugs: ["DIO-010", "DIO-098", "DIO-152"],
    profiles: ["v3.12", "v6.1"],
    check: ({ requests, exercised, violated }) => ({
      direct_IO_return(event) {
        const iocb = requests.iocbOf(event);
        const dio = iocb?.dio;
        if (!dio?.isWrite || iocb === undefined) return;
        if (!(iocb.offset + iocb.bytes > dio.iSize)) return;
        exercised();
        if (isQueued(event)) {
          violated(
            `its result, because it ends behind ${dio.iSize}`,
            dio.alloc,
            event,
          );
        }
      },
    }),
  },
  {
    id: "size-after-data/grown-when-reported",
    sentence: "The size has grown when a write behind the end is reported",
    why: "a reader that has waited for the event does not get the data",
    source: "mm/filemap.c: generic_file_direct_write()",
    bugs: ["DIO-010", "DIO-092", "DIO-103"],
    impliedBy: [
      "partial-progress/no-more-than-done",
      "size-after-data/append-waited-for",
    ],
    needs: ["i_size_write"],
    check: ({ exercised, violated }) => ({
      reported({ isWrite, cuts, offset, dio, bufferedIo, inode }, res, event) {
        if (!isWrite || !(res > 0) || inode.cuts !== cuts) return;
        const end = offset + res;
        const grows = bufferedIo ? inode.size >= 0 : end > (dio?.iSize ?? NaN);
        if (!grows) return;
        exercised();
        if (inode.size < end) {
          violated(
            `a size of ${end} at least, it is ${inode.size}`,
            bufferedIo ?? dio?.alloc,
            event,
          );
        }
      },
    }),
  },
  {
    id: "size-after-data/data-first",
    sentence: "The size grows when the data that it covers is on the device",
    why: "a reader gets what the blocks held before",
    source: "fs/direct-io.c: dio_complete(); fs/xfs/xfs_aops.c",
    bugs: ["DIO-032", "DIO-097", "DIO-104"],
    needs: ["submit_bio", "bio_endio"],
    check: ({ requests, threads, exercised, violated }) => ({
      i_size_write(event) {
        const inode = requests.inodes.of(event);
        const dio = growsFor(threads.current);
        if (!dio?.isWrite || dio.iocb?.inode !== inode) return;
        const size = Number(event["size"]);
        if (inode === undefined || !(size > inode.size)) return;
        exercised();
        if (dio.outstanding > 0) {
          violated(
            `the end of ${dio.outstanding} bios of dio ${dio.id} first`,
            dio.alloc,
            event,
          );
        }
      },
    }),
  },
  {
    id: "size-after-data/converted-first",
    sentence: "The size grows when the blocks that it covers are converted",
    why: "a reader looks inside the file, and gets zeros of unwritten blocks",
    source: "fs/xfs/xfs_aops.c: xfs_dio_write_end_io(), since 4.14",
    bugs: ["DIO-097", "DIO-104"],
    needs: ["get_block", "convert_unwritten"],
    check: ({ requests, threads, exercised, violated }) => ({
      i_size_write(event) {
        const inode = requests.inodes.of(event);
        const dio = growsFor(threads.current);
        if (!dio?.unwritten || dio.iocb?.inode !== inode) return;
        if (inode === undefined || !(Number(event["size"]) > inode.size)) {
          return;
        }
        exercised();
        if (dio.converted) return;
        violated("convert_unwritten before it", dio.unwritten, event);
      },
    }),
  },
  {
    id: "size-after-data/truncated",
    sentence: "A file has its new size when truncate returns",
    why: "a reader gets what lies in blocks that have been freed",
    source: "fs/ext4/inode.c: ext4_setattr(); fs/xfs/xfs_iops.c",
    bugs: ["DIO-103"],
    needs: ["truncate", "i_size_write"],
    check: ({ requests, threads, exercised, violated }) => ({
      truncate_return(event) {
        const truncate = threads.current.inside("truncate");
        const inode = requests.inodes.of(event);
        if (!truncate || !inode || Number(event["ret"]) < 0) return;
        exercised();
        if (inode.size === truncate["size"]) return;
        violated(`i_size_write of ${truncate["size"]}`, truncate, event);
      },
    }),
  },
  {
    id: "size-after-data/only-appends",
    sentence: "A write inside the file leaves its size alone",
    why:
      "a truncate that came in between is undone, and a reader gets zeros where the file has ended",
    source: "mm/filemap.c: generic_file_direct_write(); fs/ext4/inode.c",
    bugs: [],
    needs: ["i_size_write"],
    check: ({ requests, threads, exercised, violated }) => ({
      i_size_write(event) {
        const inode = requests.inodes.of(event);
        const { current } = threads;
        const dio = growsFor(current) ?? current.owed?.dio;
        const { iocb } = dio ?? {};
        if (!dio?.isWrite || iocb === undefined || iocb.inode !== inode) return;
        if (!(Number(event["size"]) > inode.size)) return;
        exercised();
        // What the page cache wrote behind it is another matter.
        if (iocb.bufferedIo || iocb.offset + iocb.bytes > dio.iSize) return;
        violated(
          `no i_size_write: it ends inside ${dio.iSize}`,
          dio.alloc,
          event,
        );
      },
    }),
  },
  {
    id: "size-after-data/fallocated",
    sentence: "A file covers what was allocated for it when fallocate returns",
    why: "the application finds the end of the file where it has just made it",
    source: "fs/ext4/extents.c: ext4_fallocate(); fs/xfs/xfs_file.c",
    bugs: [],
    needs: ["fallocate", "i_size_write"],
    check: ({ exercised, violated }) => {
      const sizes: Map<number, TraceEvent> = new Map();
      return {
        dio_alloc(event) {
          if (!sizes.has(event.ino ?? 0)) sizes.set(event.ino ?? 0, event);
        },
        i_size_write(event) {
          sizes.set(event.ino ?? 0, event);
        },
        fallocate(event) {
          const known = sizes.get(event.ino ?? 0);
          if (known === undefined || Number(event["ret"]) < 0) return;
          exercised();
          const size = Number(known["size"] ?? known["i_size"]);
          const end = Number(event["offset"]) + Number(event["bytes"]);
          if (size < end) violated(`i_size_write of ${end}`, known, event);
        },
        reset: () => sizes.clear(),
      };
    },
  },
  {
    id: "size-after-data/never-backwards",
    sentence: "Only truncate makes a file smaller",
    why: "what another completion has appended is cut off",
    source: "fs/xfs/xfs_aops.c: xfs_end_io_direct_write()",
    bugs: ["DIO-098", "DIO-103"],
    impliedBy: ["size-after-data/disk-size-at-end"],
    needs: ["truncate"],
    check: ({ requests, threads, exercised, violated }) => ({
      i_size_write(event) {
        const inode = requests.inodes.of(event);
        if (inode === undefined || Number.isNaN(inode.size)) return;
        exercised();
        const isSmaller = Number(event["size"]) < inode.size;
        if (isSmaller && !threads.current.inside("truncate")) {
          violated(`${inode.size} or more, or truncate around it`, event);
        }
      },
    }),
  },
];

function hasFailed({ submitError, pageError, bioError }: DioState): boolean {
  return (submitError ?? pageError ?? bioError) !== undefined;
}

/** The request that a thread lets a file grow for. */
function growsFor(thread: ThreadState): DioState | undefined {
  return thread.completing ?? thread.request?.dio ?? thread.leaving?.dio;
}

/**
 * Rules about the position in the file.
 *
 * @module
 */

import type { Rule } from "../rule.ts";

/** `position-once`, of all but block devices. */
export const POSITION_RULES: readonly Rule[] = [
  {
    id: "position-once/moved",
    sentence: "The position moves over the bytes that are reported, once",
    why: "the next read or write skips data, or repeats it",
    source:
      "mm/filemap.c: generic_file_direct_write(), generic_file_aio_read()",
    bugs: ["DIO-004", "DIO-064", "DIO-125"],
    needs: ["ki_pos"],
    check: ({ requests, exercised, violated }) => ({
      ki_pos(event) {
        const iocb = requests.iocbOf(event);
        if (iocb === undefined) return;
        const before = Number(iocb.moved?.["pos"] ?? iocb.offset);
        if (Number(event["pos"]) > before) return;
        violated(`a position behind ${before}`, iocb.moved, event);
      },
      reported(iocb, res, event) {
        const { dio, buffered, bufferedIo, isSync } = iocb;
        const { offset, moved, returned, writeSync } = iocb;
        if (dio === undefined ? bufferedIo === undefined : dio.isBlkdev) return;
        // What could not be made stable has been written all the same.
        if (Number(writeSync?.["ret"] ?? 0) < 0 || bufferedIo && res < 0) {
          return;
        }
        const isQueued = bufferedIo === undefined &&
          Number(returned?.["ret"] ?? -1) < 0;
        if (moved === undefined && (isQueued || res <= 0)) return;
        exercised();
        const end = offset + Math.max(res, 0);
        const pos = Number(moved?.["pos"]);
        // What went through the page cache counts if it could be written out,
        // which only an event of the request would tell.
        if (pos === end || isSync && pos === end + buffered) return;
        violated(`ki_pos to ${end} before it`, moved ?? returned, event);
      },
    }),
  },
];

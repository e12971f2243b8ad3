/**
 * Rules about the conversion of unwritten blocks.
 *
 * @module
 */

import { BH_NEW, BH_UNWRITTEN } from "../../core/mod.ts";
import type { Rule } from "../rule.ts";

/** `convert-only-written`. */
export const CONVERSION_RULES: readonly Rule[] = [
  {
    id: "convert-only-written/inside",
    sentence:
      "A request's blocks are converted inside its end_io, or by the submitter who has waited",
    why: "blocks are converted that nobody has written yet",
    source: "fs/ext4/inode.c: ext4_end_io_dio(), ext4_ext_direct_IO()",
    bugs: ["DIO-011", "DIO-014", "DIO-113"],
    impliedBy: [
      "completion-after-last-bio/all-ended",
      "queued-code-kept/in-flight",
    ],
    needs: ["end_io", "direct_IO"],
    check: ({ requests, threads, exercised, violated }) => ({
      convert_unwritten(event) {
        if (requests.partial) return;
        const { current } = threads;
        const { completing, request } = current;
        const work = current.inside("workqueue_execute_start");
        if (completing === undefined && request === undefined && !work?.dio) {
          return;
        }
        exercised();
        if (completing !== undefined) {
          if (!current.inside("end_io")) {
            violated("end_io before it", completing.complete, event);
          }
        } else if (request === undefined || request.dio === undefined) {
          violated("end_io before it", work, event);
        } else if (request.dio.outstanding > 0) {
          violated("the end of its bios first", request.dio.alloc, event);
        }
      },
    }),
  },
  {
    id: "convert-only-written/range",
    sentence: "Only bytes that a request has written are converted for it",
    why: "a reader gets what the blocks held before they belonged to the file",
    source: "fs/direct-io.c: dio_complete(); fs/ext4/extents.c",
    bugs: ["DIO-014", "DIO-026", "DIO-091"],
    needs: ["submit_bio"],
    check: ({ threads, exercised, violated }) => ({
      convert_unwritten(event) {
        const { completing, request } = threads.current;
        const dio = completing ?? request?.dio;
        if (dio?.iocb === undefined) return;
        exercised();
        const { offset } = dio.iocb;
        const begin = Number(event["offset"]);
        const end = begin + Number(event["bytes"]);
        if (begin >= offset && end <= offset + dio.submitted) return;
        violated(
          `bytes of ${dio.submitted} at ${offset}`,
          dio.alloc,
          event,
        );
      },
    }),
  },
  {
    id: "convert-only-written/no-new-block-inside",
    sentence:
      "A write makes no new block inside the file, unless that is unwritten until the end",
    why:
      "somebody who reads it meanwhile gets what the block held before it belonged to the file",
    source: "fs/direct-io.c: get_more_blocks(), since 4.10",
    bugs: ["DIO-040"],
    profiles: ["v4.10", "v6.1"],
    check: ({ requests, exercised, violated }) => ({
      get_block(event) {
        const dio = requests.dioOf(event);
        if (!dio?.isWrite || dio.iocb === undefined) return;
        const state = Number(event["b_state"]);
        if ((state & BH_NEW) === 0 || (state & BH_UNWRITTEN) !== 0) return;
        const blockBytes = dio.blockBytes || dio.blockBytesOf(event);
        if (!(blockBytes > 0)) return;
        exercised();
        const begin = Number(event["iblock"]) * blockBytes;
        if (!(begin < dio.iSize)) return;
        violated(
          `a hole, because it begins at ${begin}, inside ${dio.iSize} bytes`,
          dio.alloc,
          event,
        );
      },
    }),
  },
  {
    id: "convert-only-written/not-after-an-error",
    sentence: "A write that failed converts nothing",
    why: "a reader gets what the blocks held before they belonged to the file",
    source: "fs/direct-io.c: dio_complete(), since 4.6",
    bugs: ["DIO-014"],
    profiles: ["v4.10", "v6.1"],
    check: ({ requests, threads, exercised, violated }) => ({
      end_io(event) {
        if (requests.dioOf(event)?.unwritten) exercised();
      },
      convert_unwritten(event) {
        const { completing, request } = threads.current;
        const dio = completing ?? request?.dio;
        const error = dio?.bioError ?? dio?.pageError;
        if (error) violated("no conversion after it", error, event);
      },
    }),
  },
];

/**
 * Rules about the order inside a completion.
 *
 * @module
 */

import type { TraceEvent } from "../../core/mod.ts";
import { isQueued } from "../requests.ts";
import type { DioState } from "../request_state.ts";
import type { Rule, RuleScope } from "../rule.ts";

/** `completion-order`. */
export const ORDER_RULES: readonly Rule[] = [
  {
    id: "completion-order/end-io-before-dio-done",
    sentence: "end_io has returned before i_dio_count drops",
    why:
      "a truncate that waits for the count frees blocks that end_io then converts",
    source: "fs/direct-io.c: dio_complete()",
    bugs: ["DIO-082", "DIO-011"],
    impliedBy: [
      "completion-order/complete-first",
      "completion-order/end-io-called",
    ],
    check: ({ requests, exercised, violated }) => ({
      inode_dio_done(event) {
        const dio = requests.dioOf(event);
        if (!dio?.endIo) return;
        exercised();
        if (!dio.endIoReturn) {
          violated("end_io_return before it", dio.endIo, event);
        }
      },
      end_io(event) {
        const dio = requests.dioOf(event);
        if (dio?.done) violated("inode_dio_done after it", dio.done, event);
      },
    }),
  },
  {
    id: "completion-order/dio-done-before-aio-complete",
    sentence: "i_dio_count has dropped before the completion is reported",
    why:
      "an application that has its event and truncates finds its own request still counted",
    source: "fs/direct-io.c: dio_complete()",
    bugs: ["DIO-121"],
    check: ({ requests, exercised, violated }) => ({
      aio_complete(event) {
        const dio = requests.iocbOf(event)?.dio;
        if (!dio?.begin) return;
        exercised();
        if (!dio.done) {
          violated("inode_dio_done before it", dio.complete, event);
        }
      },
    }),
  },
  {
    id: "completion-order/end-io-before-aio-complete",
    sentence: "end_io has returned before the completion is reported",
    why: "a reader that has waited for the event sees zeros or old data",
    source: "fs/direct-io.c: dio_complete()",
    bugs: ["DIO-011", "DIO-028"],
    impliedBy: ["completion-after-last-bio/once", "no-use-after-release/slab"],
    check: ({ requests, exercised, violated }) => ({
      aio_complete(event) {
        const dio = requests.iocbOf(event)?.dio;
        if (!dio || dio.alloc["end_io"] === "" || !dio.complete) return;
        exercised();
        if (dio.endIo && !dio.endIoReturn) {
          violated("end_io_return before it", dio.endIo, event);
        }
      },
      end_io(event) {
        if (requests.iocbGone(event)) {
          violated("aio_complete after it", requests.dioOf(event)?.done, event);
        }
      },
    }),
  },
  {
    id: "completion-order/end-io-called",
    sentence: "A registered end_io is called once for a request that has bytes",
    why:
      "unwritten blocks are never converted, or a lock of the filesystem is never released",
    source: "fs/direct-io.c: dio_complete()",
    bugs: ["DIO-013", "DIO-014"],
    impliedBy: [
      "completion-after-last-bio/once",
      "completion-order/end-io-before-dio-done",
    ],
    check: ({ profile, requests, exercised, violated }) => ({
      inode_dio_done(event) {
        const dio = requests.dioOf(event);
        if (!dio?.complete || dio.alloc["end_io"] === "") return;
        if (!profile.endIoAlways && dio.complete["result"] === 0) return;
        exercised();
        if (!dio.endIo) violated("end_io before it", dio.complete, event);
      },
      end_io(event) {
        const dio = requests.dioOf(event);
        if (dio?.endIo) violated("one end_io", dio.endIo, event);
      },
    }),
  },
  {
    id: "completion-order/complete-first",
    sentence: "Every part of a completion comes after dio_complete",
    why: "the request is taken apart while its bios are in flight",
    source: "fs/direct-io.c: dio_complete()",
    bugs: ["DIO-082"],
    needs: ["dio_complete"],
    check: (scope) => ({
      end_io(event) {
        afterComplete(scope, event, scope.requests.dioOf(event));
      },
      inode_dio_done(event) {
        afterComplete(scope, event, scope.requests.dioOf(event));
      },
      aio_complete(event) {
        const iocb = scope.requests.iocbOf(event);
        // One that was queued must survive; queued-code-kept tells of that.
        if (isQueued(iocb?.returned)) return;
        afterComplete(scope, event, iocb?.liveDio);
      },
      dio_free(event) {
        const dio = scope.requests.dioOf(event);
        // What fails before it is counted is freed without a completion.
        if (dio?.begin) afterComplete(scope, event, dio);
      },
    }),
  },
  {
    id: "completion-order/one-thread",
    sentence: "Whoever begins a completion goes through with it",
    why: "two threads take the same request apart",
    source: "fs/direct-io.c: dio_complete()",
    bugs: ["DIO-011", "DIO-022"],
    impliedBy: ["no-use-after-release/slab", "released-once/dio"],
    needs: ["dio_complete"],
    check: (scope) => ({
      end_io(event) {
        sameThread(scope, event, scope.requests.dioOf(event));
      },
      end_io_return(event) {
        sameThread(scope, event, scope.requests.dioOf(event));
      },
      inode_dio_done(event) {
        sameThread(scope, event, scope.requests.dioOf(event));
      },
      aio_complete(event) {
        sameThread(scope, event, scope.requests.iocbOf(event)?.liveDio);
      },
      dio_free(event) {
        sameThread(scope, event, scope.requests.dioOf(event));
      },
      bio_endio(event) {
        const dio = scope.threads.current.completing;
        if (dio === undefined || !scope.requests.dioOf(event)) return;
        scope.violated("dio_free before it", dio.complete, event);
      },
    }),
  },
  {
    id: "completion-order/converted",
    sentence: "What was written to unwritten blocks is converted by the end",
    why: "a reader gets zeros where the application has written",
    source: "fs/ext4/inode.c: ext4_end_io_dio(), ext4_ext_direct_IO()",
    bugs: ["DIO-011", "DIO-028"],
    needs: ["get_block", "convert_unwritten"],
    check: ({ exercised, violated }) => ({
      reported({ isWrite, returned, dio }, res, event) {
        // The submitter may be the one who converts, and not have come to it.
        if (!isWrite || !(res > 0) || !dio?.unwritten || !returned) return;
        exercised();
        if (!dio.converted) {
          violated("convert_unwritten before it", dio.unwritten, event);
        }
      },
    }),
  },
  {
    id: "completion-order/write-sync-between",
    sentence:
      "The write-sync of an asynchronous write comes after the drop of i_dio_count and before the report",
    why:
      "an fsync that waits for the count waits for itself; or the event comes before the data is stable",
    source: "fs/direct-io.c: dio_complete()",
    bugs: ["DIO-017", "DIO-121"],
    check: ({ requests, exercised, violated }) => ({
      generic_write_sync(event) {
        const iocb = requests.iocbOf(event);
        const dio = iocb?.dio;
        if (!dio?.begin) return;
        // A submitter has nothing to sync of what is in flight.
        if (isQueued(iocb?.returned) && !dio.complete) return;
        exercised();
        if (!dio.done) {
          violated(
            "inode_dio_done before it",
            dio.complete ?? dio.alloc,
            event,
          );
        }
      },
      aio_complete(event) {
        const iocb = requests.iocbOf(event);
        const dio = iocb?.liveDio;
        const res = Number(event["res"]);
        if (!dio?.complete || res <= 0 || !iocb?.needsSync) return;
        exercised();
        if (!dio.writeSync) {
          violated("generic_write_sync before it", dio.done, event);
        }
      },
    }),
  },
  {
    id: "completion-order/reader-sees-data",
    sentence: "What a reported write has written, a reader gets",
    why: "an application reads zeros or old data where it has just written",
    source:
      "fs/direct-io.c: dio_complete(); fs/ext4/inode.c: ext4_end_io_dio()",
    bugs: ["DIO-011", "DIO-026", "DIO-028"],
    check: ({ threads, exercised, violated }) => {
      let isCut = false;
      return {
        power_cut() {
          isCut = true;
        },
        user_read(event) {
          const { current } = threads;
          // What the cache, a shrinker or a power cut has lost is not of the
          // completion; other rules tell of it.
          if (isCut || current.readOf(event)?.isBuffered) return;
          if (current.last?.ev === "shrink_page_list") return;
          exercised();
          if (Number(event["wrong"]) === 0) return;
          violated(
            `byte ${event["at"]} of inode ${event.ino} to be ${
              event["expected"]
            }, it is ${event["got"]}`,
            event,
          );
        },
        reset() {
          isCut = false;
        },
      };
    },
  },
  {
    id: "completion-order/free-last",
    sentence: "A dio is freed after everything else has been done with it",
    why: "the completion goes on with memory that belongs to somebody else",
    source: "fs/direct-io.c: dio_complete()",
    bugs: ["DIO-077"],
    check: ({ requests, exercised, violated }) => ({
      dio_free(event) {
        const dio = requests.dioOf(event);
        if (!dio?.complete) return;
        exercised();
        const { iocb } = dio;
        const isReported = dio.complete["is_async"] !== 1 ||
          iocb === undefined || iocb.completed !== undefined;
        if (!dio.done || !isReported) {
          violated(
            dio.done ? "aio_complete before it" : "inode_dio_done before it",
            dio.complete,
            event,
          );
        }
      },
    }),
  },
];

function afterComplete(
  { exercised, violated }: RuleScope,
  event: TraceEvent,
  dio: DioState | undefined,
): void {
  if (dio === undefined || dio.isBlkdev) return;
  exercised();
  if (!dio.complete) violated("dio_complete before it", dio.alloc, event);
}

function sameThread(
  { threads, exercised, violated }: RuleScope,
  event: TraceEvent,
  dio: DioState | undefined,
): void {
  if (!dio?.complete || dio.completer === undefined) return;
  exercised();
  if (dio.completer === threads.current) return;
  violated("the thread of dio_complete", dio.complete, event);
}

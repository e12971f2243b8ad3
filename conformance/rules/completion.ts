/**
 * Rules about when and how often a request is completed, and in which order.
 *
 * @module
 */

import type { TraceEvent } from "../../core/mod.ts";
import { isQueued } from "../requests.ts";
import type { Rule } from "../rule.ts";

/** `one-completion`, `completion-after-last-bio`, `completion-order`. */
export const COMPLETION_RULES: readonly Rule[] = [
  {
    id: "one-completion/once",
    sentence: "An asynchronous request puts exactly one event on the ring",
    why:
      "a second event frees the request twice, and user space takes it for another one",
    source: "fs/aio.c: aio_complete(), aio_run_iocb()",
    bugs: ["DIO-020", "DIO-023", "DIO-143", "DIO-145"],
    check: ({ requests, exercised, violated }) => ({
      aio_complete(event) {
        exercised();
        if (requests.iocbGone(event) || requests.iocbOf(event)?.completed) {
          violated(
            "one aio_complete for each iocb",
            requests.iocbOf(event)?.completed,
            event,
          );
        }
      },
    }),
  },
  {
    id: "one-completion/never-both",
    sentence:
      "A request is either returned by the submitter or reported by the callback, not both",
    why: "the AIO core completes a request that is returned: it ends twice",
    source: "fs/direct-io.c: do_blockdev_direct_IO()",
    bugs: ["DIO-020", "DIO-145"],
    check: ({ requests, exercised, violated }) => ({
      direct_IO_return(event) {
        const iocb = requests.iocbOf(event);
        if (iocb === undefined || iocb.isSync) return;
        exercised();
        if (!isQueued(event) && iocb.completed) {
          violated(
            "-EIOCBQUEUED from a request that was reported by aio_complete",
            iocb.completed,
            event,
          );
        }
      },
      aio_complete(event) {
        const { returned } = requests.iocbOf(event) ?? {};
        if (returned && !isQueued(returned) && event["res"] === -529) {
          violated("a result, not the queued code", returned, event);
        }
      },
    }),
  },
  {
    id: "one-completion/never-neither",
    sentence: "Every request that was submitted is completed",
    why: "io_getevents() waits for ever",
    source: "fs/direct-io.c: do_blockdev_direct_IO(), dio_bio_end_aio()",
    bugs: ["DIO-022"],
    check: ({ requests, exercised, violated }) => ({
      trace_end() {
        exercised();
        for (const { begin, returned } of requests.iocbs.values()) {
          violated("a completion before the trace ends", begin, returned);
        }
      },
    }),
  },
  {
    id: "completion-after-last-bio/all-ended",
    sentence:
      "A request is completed only after the last of its bios has ended",
    why:
      "the application reuses its buffer while the device still transfers to or from it",
    source: "fs/direct-io.c: dio_bio_end_aio(), dio_await_completion()",
    bugs: ["DIO-022", "DIO-148"],
    check: ({ requests, exercised, violated }) => ({
      dio_complete(event) {
        const dio = requests.dioOf(event);
        if (dio === undefined) return;
        exercised();
        if (dio.inFlight > 0) {
          violated(
            `bio_endio of ${dio.inFlight} more bios of dio ${dio.id} first`,
            dio.alloc,
            event,
          );
        }
      },
    }),
  },
  {
    id: "completion-after-last-bio/once",
    sentence: "A dio is completed once",
    why: "end_io runs twice, and the dio is freed twice",
    source: "fs/direct-io.c: drop_refcount(), dio_bio_end_aio()",
    bugs: ["DIO-020", "DIO-022"],
    check: ({ requests, exercised, violated }) => ({
      dio_complete(event) {
        const dio = requests.dioOf(event);
        if (dio === undefined) return;
        exercised();
        if (dio.complete) {
          violated("one dio_complete for each dio", dio.complete, event);
        }
      },
    }),
  },
  {
    id: "completion-order/end-io-before-dio-done",
    sentence: "end_io has returned before i_dio_count drops",
    why:
      "a truncate that waits for the count frees blocks that end_io then converts",
    source: "fs/direct-io.c: dio_complete()",
    bugs: ["DIO-082", "DIO-011"],
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
        if (dio === undefined) return;
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
    id: "completion-order/write-sync-between",
    sentence:
      "The write-sync of an asynchronous write comes after the drop of i_dio_count and before the report",
    why:
      "an fsync that waits for the count waits for itself; or the event comes before the data is stable",
    source: "fs/direct-io.c: dio_complete()",
    bugs: ["DIO-017", "DIO-121"],
    check: ({ requests, exercised, violated }) => ({
      generic_write_sync(event) {
        const dio = requests.iocbOf(event)?.dio;
        if (dio === undefined) return;
        exercised();
        if (!dio.done) {
          violated("inode_dio_done before it", dio.complete, event);
        }
      },
      aio_complete(event) {
        const iocb = requests.iocbOf(event);
        const dio = iocb?.dio;
        const res = Number(event["res"]);
        if (!dio?.complete || res <= 0 || !needsSync(iocb?.directIO)) return;
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
    check: ({ exercised, violated }) => ({
      user_read(event) {
        exercised();
        if (Number(event["wrong"]) > 0) {
          violated(
            `byte ${event["at"]} of inode ${event.ino} to be ${
              event["expected"]
            }, it is ${event["got"]}`,
            event,
          );
        }
      },
    }),
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
        const iocb = requests.iocbs.get(dio.iocb);
        const reported = dio.complete["is_async"] !== 1 || !iocb ||
          iocb.completed;
        if (!dio.done || !reported) {
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

function needsSync(directIO: TraceEvent | undefined): boolean {
  return directIO?.["dsync"] === 1 && directIO["rw"] === "write";
}

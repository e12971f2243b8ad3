/**
 * Rules about what a request comes to.
 *
 * @module
 */

import { errnoName, type TraceEvent } from "../../core/mod.ts";
import { isQueued } from "../requests.ts";
import type { DioState, IocbState } from "../request_state.ts";
import type { Rule, RuleScope } from "../rule.ts";
import {
  bytesMapped,
  isPassedOn,
  reportedResult,
  submissionResult,
} from "./expected.ts";

/** `error-reported`, `result-precedence`, `partial-progress`. */
export const RESULT_RULES: readonly Rule[] = [
  {
    id: "error-reported/every-bio",
    sentence:
      "An error of any bio, first, middle or last, reaches whoever waits for the request",
    why: "the application believes that its data is on the device",
    source: "fs/direct-io.c: dio_bio_complete(), dio_complete()",
    bugs: ["DIO-001", "DIO-005", "DIO-157", "DIO-148"],
    impliedBy: [
      "error-reported/noted",
      "no-use-after-release/slab",
      "partial-progress/no-more-than-done",
      "partial-progress/not-nothing",
      "result-precedence/block-device",
    ],
    check: ({ exercised, violated }) => ({
      reported({ dio }, res, event) {
        const error = dio?.bioError;
        if (error === undefined) return;
        exercised();
        if (res >= 0) {
          violated(
            `an error, because bio ${error.bio} failed with ${
              errnoName(Number(error["error"]))
            }; it is ${res}`,
            error,
            event,
          );
        }
      },
    }),
  },
  {
    id: "error-reported/noted",
    sentence: "A dio is told of each bio that failed before it is completed",
    why:
      "whoever completes the request finds no error, and reports bytes that are lost",
    source: "fs/direct-io.c: dio_bio_complete()",
    bugs: ["DIO-001", "DIO-157"],
    needs: ["bio_endio", "dio_io_error"],
    check: (scope) => ({
      dio_io_error(event) {
        const dio = scope.requests.dioOf(event);
        if (dio === undefined) return;
        scope.exercised();
        if (dio.noted < dio.failed && !dio.complete) return;
        scope.violated(
          "the end of a bio that failed before it",
          dio.complete ?? dio.bioError,
          event,
        );
      },
      dio_complete(event) {
        allNoted(scope, event);
      },
      queue_work(event) {
        allNoted(scope, event);
      },
    }),
  },
  {
    id: "error-reported/end-io",
    sentence: "An error that end_io returns is reported",
    why:
      "the application is told that all is well, and cannot reach what it has written",
    source: "fs/direct-io.c: dio_complete(), since 4.6",
    bugs: ["DIO-013"],
    impliedBy: ["result-precedence/submit-page-bio-count"],
    profiles: ["v4.10", "v6.1"],
    check: ({ exercised, violated }) => ({
      reported({ dio }, res, event) {
        const returned = dio?.endIoReturn;
        if (!(Number(returned?.["ret"] ?? 0) < 0)) return;
        exercised();
        if (res >= 0) violated(`an error, it is ${res}`, returned, event);
      },
    }),
  },
  {
    id: "error-reported/rest",
    sentence:
      "When nothing was written directly, an error of the rest is reported",
    why: "the application takes nothing for the end of what can be written",
    source: "mm/filemap.c: __generic_file_aio_write()",
    bugs: ["DIO-151"],
    impliedBy: ["partial-progress/not-nothing"],
    needs: ["buffered_io"],
    check: ({ exercised, violated }) => ({
      reported({ isWrite, isSync, returned, bufferedIo }, res, event) {
        // What a system call returns is not told where that is waited for.
        if (!isWrite || isSync) return;
        const error = Number(bufferedIo?.["ret"] ?? 0);
        if (!(error < 0) || Number(returned?.["ret"]) !== 0) return;
        exercised();
        if (res >= 0) {
          violated(`${errnoName(error)}, it is ${res}`, bufferedIo, event);
        }
      },
    }),
  },
  {
    id: "result-precedence/submit-page-bio-count",
    sentence:
      "The result is the error of the submission, else of a page, else of a bio, else the count",
    why:
      "the application gets the wrong errno, or a count where there was an error",
    source: "fs/direct-io.c: dio_complete()",
    bugs: ["DIO-005", "DIO-031", "DIO-043", "DIO-071"],
    needs: ["get_block", "submit_bio", "bio_endio", "dio_page_error"],
    check: (scope) => ({
      direct_IO_return(event) {
        const iocb = scope.requests.iocbOf(event);
        if (!iocb?.dio || isQueued(event) || iocb.liveDio) return;
        const { fsError } = iocb;
        const expected = fsError === undefined
          ? submissionResult(scope.profile, iocb, iocb.dio)
          : Number(fsError["ret"]);
        compare(scope, iocb.dio, expected, Number(event["ret"]), event);
      },
      aio_complete(event) {
        const iocb = scope.requests.iocbOf(event);
        const dio = iocb?.liveDio;
        if (iocb === undefined || !dio?.complete) return;
        const expected = reportedResult(scope.profile, iocb, dio);
        compare(scope, dio, expected, Number(event["res"]), event);
      },
    }),
  },
  {
    id: "result-precedence/passed-on",
    sentence:
      "What the method returns, unless it is the queued code, is what the event says: with what went through the page cache, or else an error of the write-sync",
    why: "the application is told of another result than the request had",
    source: "fs/aio.c: aio_run_iocb(); mm/filemap.c: generic_file_aio_write()",
    bugs: ["DIO-023", "DIO-119", "DIO-145", "DIO-151"],
    impliedBy: ["no-use-after-release/slab", "partial-progress/not-nothing"],
    check: ({ exercised, violated }) => ({
      reported(iocb, res, event) {
        const { isSync, returned, writeSync, bufferedIo } = iocb;
        if (isSync || returned === undefined || isQueued(returned)) return;
        exercised();
        if (isPassedOn(iocb, res)) return;
        violated(
          `${errnoName(Number(returned["ret"]))}, it is ${errnoName(res)}`,
          returned,
          bufferedIo,
          writeSync,
          event,
        );
      },
    }),
  },
  {
    id: "result-precedence/error-not-queued",
    sentence: "A request whose submission failed is waited for, not queued",
    why:
      "the error is lost: the completion knows only of the bios that were submitted",
    source: "fs/direct-io.c: do_blockdev_direct_IO()",
    bugs: ["DIO-020"],
    impliedBy: [
      "partial-progress/short-write-waited-for",
      "result-precedence/submit-page-bio-count",
    ],
    needs: ["get_block"],
    check: ({ requests, exercised, violated }) => ({
      direct_IO_return(event) {
        const error = requests.iocbOf(event)?.dio?.submitError;
        if (error === undefined) return;
        exercised();
        if (isQueued(event)) violated("the error, not queued", error, event);
      },
    }),
  },
  {
    id: "partial-progress/not-nothing",
    sentence:
      "An asynchronous write of bytes gives a count of them or an error, not 0",
    why: "the application tries again for ever, or takes its data for written",
    source: "mm/filemap.c: generic_file_aio_write()",
    bugs: ["DIO-128"],
    check: ({ exercised, violated }) => ({
      reported({ isWrite, isSync, bytes, begin }, res, event) {
        // What a system call made of the method's result, a trace has not.
        if (!isWrite || isSync || !(bytes > 0)) return;
        exercised();
        if (res === 0) violated("a count, or an error", begin, event);
      },
    }),
  },
  {
    id: "partial-progress/short-write-waited-for",
    sentence:
      "A write of which not all was submitted is waited for, not queued",
    why:
      "the rest is written through the page cache while the first part is in flight",
    source: "fs/direct-io.c: do_blockdev_direct_IO()",
    bugs: ["DIO-020", "DIO-070", "DIO-095"],
    needs: ["submit_bio"],
    check: ({ requests, exercised, violated }) => ({
      direct_IO_return(event) {
        const iocb = requests.iocbOf(event);
        const dio = iocb?.dio;
        if (iocb === undefined || !dio?.isWrite || dio.isBlkdev) return;
        exercised();
        if (!isQueued(event) || dio.submitted >= iocb.bytes) return;
        violated(
          `the ${dio.submitted} bytes of ${iocb.bytes} that were submitted, not queued`,
          dio.mapping ?? dio.alloc,
          event,
        );
      },
    }),
  },
  {
    id: "partial-progress/whole-is-queued",
    sentence:
      "An asynchronous request that was submitted whole is queued, not waited for",
    why: "io_submit() blocks until the device has done its work",
    source: "fs/direct-io.c: do_blockdev_direct_IO()",
    bugs: ["DIO-041"],
    needs: ["get_block", "submit_bio", "might_sleep"],
    check: ({ requests, threads, exercised, violated }) => {
      let slept: WeakMap<IocbState, TraceEvent> = new WeakMap();
      return {
        might_sleep(event) {
          const { request } = threads.current;
          if (request === undefined || event["fn"] !== "io_schedule") return;
          slept.set(request, event);
        },
        direct_IO_return(event) {
          const iocb = requests.iocbOf(event);
          if (iocb === undefined || iocb.isSync) return;
          if (iocb.dio === undefined || !isWhole(iocb, iocb.dio)) return;
          exercised();
          const sleep = slept.get(iocb);
          if (sleep === undefined) return;
          violated("-EIOCBQUEUED, without sleeping", sleep, event);
        },
        reset() {
          slept = new WeakMap();
        },
      };
    },
  },
  {
    id: "partial-progress/short-with-reason",
    sentence:
      "A write of which not all was submitted has met a hole, or something has gone wrong",
    why: "the rest is not written, though nothing kept it from being so",
    source: "fs/direct-io.c: do_direct_IO()",
    bugs: ["DIO-007", "DIO-041", "DIO-128"],
    needs: ["get_block", "submit_bio", "dio_page_error", "dio_refill_pages"],
    check: ({ requests, exercised, violated }) => ({
      direct_IO_return(event) {
        const iocb = requests.iocbOf(event);
        const dio = iocb?.dio;
        if (iocb === undefined || !dio?.isWrite || dio.isBlkdev) return;
        if (dio.submitted >= iocb.bytes || Number(event["ret"]) < 0) return;
        exercised();
        if (dio.holes > 0 || dio.submitError || dio.pageError) return;
        violated(`${iocb.bytes} bytes in bios`, dio.alloc, event);
      },
    }),
  },
  {
    id: "partial-progress/no-more-than-done",
    sentence: "No more bytes are reported than were transferred, or are a hole",
    why: "the application takes for done what nobody has done",
    source: "fs/direct-io.c: dio_complete()",
    bugs: ["DIO-007", "DIO-041", "DIO-128", "DIO-146"],
    impliedBy: [
      "completion-order/reader-sees-data",
      "error-reported/every-bio",
      "result-precedence/submit-page-bio-count",
    ],
    needs: ["get_block", "submit_bio"],
    check: ({ exercised, violated }) => ({
      reported({ dio, buffered }, res, event) {
        if (dio === undefined || dio.isBlkdev || res <= 0) return;
        exercised();
        const done = bytesMapped(dio) + buffered;
        if (res > done) violated(`at most ${done} bytes`, dio.alloc, event);
      },
    }),
  },
];

/** Whether all of a request that need not be waited for was submitted. */
function isWhole(iocb: IocbState, dio: DioState): boolean {
  const { isWrite, isBlkdev, iSize, submitted, submitError, pageError } = dio;
  const extends_ = isWrite && iocb.offset + iocb.bytes > iSize;
  if (isBlkdev || extends_ || submitError || pageError) return false;
  return submitted >= iocb.bytes;
}

function allNoted(
  { requests, exercised, violated }: RuleScope,
  event: TraceEvent,
): void {
  const dio = requests.dioOf(event);
  if (dio === undefined || dio.failed === 0) return;
  exercised();
  if (dio.noted >= dio.failed) return;
  violated("dio_io_error before it", dio.bioError, event);
}

/** Whether a rule of its own says that an error is lost, or a read not cut. */
function isToldElsewhere(dio: DioState, reported: number): boolean {
  return (dio.bioError !== undefined && reported >= 0) ||
    (!dio.isWrite && reported > dio.room);
}

function compare(
  { exercised, violated }: RuleScope,
  dio: DioState,
  expected: number,
  reported: number,
  event: TraceEvent,
): void {
  if (dio.isBlkdev || Number.isNaN(expected)) return;
  exercised();
  if (expected === reported || isToldElsewhere(dio, reported)) return;
  violated(
    `${errnoName(expected)}, it is ${errnoName(reported)}`,
    dio.submitError ?? dio.pageError ?? dio.bioError ?? dio.alloc,
    event,
  );
}

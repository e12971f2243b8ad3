/**
 * Rules about what a request comes to.
 *
 * @module
 */

import {
  EIO,
  EIOCBQUEUED,
  errnoName,
  type TraceEvent,
} from "../../core/mod.ts";
import type { DioState } from "../requests.ts";
import type { Rule, RuleScope } from "../rule.ts";

/** `error-reported`, `result-precedence`. */
export const RESULT_RULES: readonly Rule[] = [
  {
    id: "error-reported/every-bio",
    sentence:
      "An error of any bio, first, middle or last, reaches whoever waits for the request",
    why: "the application believes that its data is on the device",
    source: "fs/direct-io.c: dio_bio_complete(), dio_complete()",
    bugs: ["DIO-001", "DIO-157", "DIO-148"],
    check: (scope) => ({
      ...onReport(scope, (dio, reported, event) => {
        if (dio.bioError === undefined) return;
        scope.exercised();
        if (reported >= 0) {
          scope.violated(
            `an error, because bio ${dio.bioError.bio} failed with ${
              errnoName(Number(dio.bioError["error"]))
            }; it is ${reported}`,
            dio.bioError,
            event,
          );
        }
      }),
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
    check: (scope) => ({
      ...onReport(scope, (dio, reported, event) => {
        if (replaced(scope, dio)) return;
        scope.exercised();
        const expected = precedence(scope, dio);
        if (expected !== reported) {
          scope.violated(
            `${errnoName(expected)}, it is ${errnoName(reported)}`,
            dio.complete,
            event,
          );
        }
      }),
    }),
  },
];

/**
 * Handlers that are told what a request was reported with: by the callback, or
 * by the return of the method.
 */
function onReport(
  { requests }: RuleScope,
  tell: (dio: DioState, reported: number, event: TraceEvent) => void,
): Record<
  "aio_complete" | "dio_free" | "direct_IO_return",
  (event: TraceEvent) => void
> {
  // A dio that the submitter completes is gone when the method returns.
  const completedBySubmitter: Map<number, DioState> = new Map();
  return {
    dio_free(event) {
      const dio = requests.dioOf(event);
      if (dio?.complete?.["is_async"] === 0) {
        completedBySubmitter.set(dio.iocb, dio);
      }
    },
    direct_IO_return(event) {
      const iocb = event.iocb ?? 0;
      const dio = completedBySubmitter.get(iocb);
      completedBySubmitter.delete(iocb);
      if (dio) tell(dio, Number(event["ret"]), event);
    },
    aio_complete(event) {
      const dio = requests.iocbOf(event)?.dio;
      if (dio?.complete) tell(dio, Number(event["res"]), event);
    },
  };
}

/** Whether end_io or the write-sync may have put its own error in place. */
function replaced({ profile }: RuleScope, dio: DioState): boolean {
  return (profile.endIoAlways && Number(dio.endIoReturn?.["ret"] ?? 0) !== 0) ||
    dio.writeSync !== undefined;
}

function precedence({ profile }: RuleScope, dio: DioState): number {
  const { alloc, complete, pageError, bioError } = dio;
  const submitted = Number(complete?.["ret"]);
  const attempted = Number(complete?.["result"]);
  const room = Number(alloc["i_size"]) - Number(complete?.["offset"]);
  const isRead = alloc["rw"] === "read";
  const count = isRead ? Math.min(attempted, room) : attempted;
  const faulted = submitted === -14 && count > 0 && profile.faultedReadCounts;
  if (submitted < 0 && submitted !== -EIOCBQUEUED && !faulted) return submitted;
  if (pageError) return Number(pageError["error"]);
  if (bioError) return bioResult(profile.nowaitAgain, bioError);
  return count;
}

function bioResult(nowaitAgain: boolean, bioError: TraceEvent): number {
  const error = Number(bioError["error"]);
  return nowaitAgain && error === -11 ? error : -EIO;
}

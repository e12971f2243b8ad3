/**
 * Rules about how a request is mapped and submitted.
 *
 * @module
 */

import { BH_MAPPED, type TraceEvent } from "../../core/mod.ts";
import type { DioState } from "../request_state.ts";
import type { Rule, RuleScope } from "../rule.ts";

/** `mapping-and-bios`, `no-use-after-release` of the submitter. */
export const SUBMISSION_RULES: readonly Rule[] = [
  {
    id: "mapping-and-bios/mapped-first",
    sentence:
      "A bio goes only to blocks that were mapped, a mapping to one bio at least",
    why: "blocks are written that belong to nobody, or to another file",
    source: "fs/direct-io.c: do_direct_IO(), submit_page_section()",
    bugs: ["DIO-035", "DIO-040"],
    needs: ["get_block", "submit_bio"],
    check: ({ requests, exercised, violated }) => ({
      submit_bio(event) {
        const dio = requests.dioOf(event);
        if (dio === undefined || dio.isBlkdev) return;
        exercised();
        // Before and behind the data there may be zeros.
        if (dio.pieces < dio.mappings + (dio.mayPad ? 2 : 0)) return;
        violated(
          `get_block that maps something for each bio, not ${dio.mappings} for ${
            dio.bios + 1
          } bios`,
          dio.mapping ?? dio.alloc,
          event,
        );
      },
      dio_page_error(event) {
        const dio = requests.dioOf(event);
        if (dio === undefined || dio.isBlkdev) return;
        const isOver = dio.submitted === dio.iocb?.bytes;
        if (dio.mappings > 0 && !isOver) return;
        violated(
          isOver ? "submit_bio after it" : "get_block before it",
          dio.mapping ?? dio.alloc,
          event,
        );
      },
    }),
  },
  {
    id: "mapping-and-bios/in-order",
    sentence:
      "A request is mapped and submitted from its first block to its last",
    why: "data goes to other blocks than it belongs to",
    source: "fs/direct-io.c: get_more_blocks(), submit_page_section()",
    bugs: ["DIO-003", "DIO-026", "DIO-091"],
    needs: ["get_block", "submit_bio"],
    check: (scope) => ({
      get_block(event) {
        const dio = scope.requests.dioOf(event);
        if (dio?.iocb === undefined) return;
        scope.exercised();
        const expected = nextBlock(scope, dio, event);
        if (expected === null) return;
        scope.violated(expected, dio.mapping ?? dio.alloc, event);
      },
      submit_bio(event) {
        const newest = scope.requests.dioOf(event)?.newest;
        if (newest === undefined) return;
        if (Number(event.bio) > Number(newest.bio)) return;
        scope.violated(`a bio made after bio ${newest.bio}`, newest, event);
      },
    }),
  },
  {
    id: "no-use-after-release/submitter",
    sentence:
      "A request is mapped and submitted inside its method, and not touched by its submitter after that",
    why: "the last bio may have ended, and the request is gone",
    source: "fs/direct-io.c: do_blockdev_direct_IO()",
    bugs: ["DIO-002", "DIO-053", "DIO-137"],
    impliedBy: [
      "completion-after-last-bio/once",
      "no-use-after-release/page-array",
      "no-use-after-release/slab",
    ],
    needs: ["direct_IO", "direct_IO_return"],
    check: (scope) => ({
      dio_alloc(event) {
        byMethod(scope, event);
      },
      blkdev_direct_IO(event) {
        byMethod(scope, event);
      },
      get_block(event) {
        bySubmitter(scope, event, scope.requests.dioOf(event));
      },
      dio_set_defer_completion(event) {
        bySubmitter(scope, event, scope.requests.dioOf(event));
      },
      dio_page_error(event) {
        bySubmitter(scope, event, scope.requests.dioOf(event));
      },
      dio_refill_pages(event) {
        bySubmitter(scope, event, scope.requests.dioOf(event));
      },
      submit_bio(event) {
        bySubmitter(scope, event, scope.requests.dioOf(event));
      },
    }),
  },
  {
    id: "no-sleep-in-interrupt/asked-for-deferral",
    sentence: "A mapping that asks for deferral gets it, and so does O_DSYNC",
    why: "the filesystem sleeps in the interrupt that ends the last bio",
    source: "fs/direct-io.c: get_more_blocks(), dio_set_defer_completion()",
    bugs: ["DIO-010", "DIO-029"],
    needs: ["get_block", "dio_set_defer_completion"],
    check: (scope) => ({
      get_block(event) {
        deferred(scope, event, scope.requests.dioOf(event));
      },
      submit_bio(event) {
        deferred(scope, event, scope.requests.dioOf(event));
      },
      direct_IO_return(event) {
        deferred(scope, event, scope.requests.iocbOf(event)?.dio);
      },
    }),
  },
  {
    id: "completion-concurrency/deferred-with-reason",
    sentence:
      "A completion is deferred only where the mapping or O_DSYNC asks for it",
    why: "requests wait for a worker that could have ended in the interrupt",
    source: "fs/direct-io.c: dio_set_defer_completion()",
    bugs: ["DIO-009", "DIO-076"],
    needs: ["get_block"],
    check: ({ requests, exercised, violated }) => ({
      dio_set_defer_completion(event) {
        const dio = requests.dioOf(event);
        if (dio?.iocb === undefined) return;
        exercised();
        if (dio.asked || dio.iocb.needsSync) return;
        violated(
          "a mapping that asks for it, or O_DSYNC",
          dio.mapping ?? dio.alloc,
          event,
        );
      },
    }),
  },
];

/** What is wrong with where a request is mapped, as it should be; or null. */
function nextBlock(
  { profile }: RuleScope,
  dio: DioState,
  event: TraceEvent,
): string | null {
  const { mapping, iocb } = dio;
  const inPieces = dio.inPieces && profile.segmentAtATime;
  if (mapping === undefined) {
    return !inPieces && Number.isNaN(dio.blockBytesOf(event))
      ? `the blocks of ${iocb?.bytes} bytes at ${iocb?.offset}`
      : null;
  }
  const before = Number(mapping["iblock"]);
  const end = before + Number(mapping["blocks"]);
  const iblock = Number(event["iblock"]);
  // A hole is walked in the blocks of the request, which may be smaller.
  const isHole = (Number(mapping["b_state"]) & BH_MAPPED) === 0;
  const isBehind = iblock > before || isHole && iblock === before;
  if (isBehind && iblock + Number(event["blocks"]) === end) return null;
  // The next piece begins where this one ends, which may be inside a block.
  if (inPieces && (iblock === end || iblock === end - 1)) return null;
  return `a block behind ${before}, up to ${end}`;
}

/** Whether the write-sync of a write is left to its completion. */
function needsDeferral({ iocb, iSize, isBlkdev }: DioState): boolean {
  return iocb !== undefined && iocb.needsSync && !iocb.isSync && !isBlkdev &&
    iocb.offset + iocb.bytes <= iSize;
}

function bySubmitter(
  scope: RuleScope,
  event: TraceEvent,
  dio: DioState | undefined,
): void {
  if (dio?.iocb === undefined) return;
  insideMethod(scope, event, dio.iocb.id);
  if (dio.complete) {
    scope.violated("dio_complete after it", dio.complete, event);
  }
}

function byMethod(scope: RuleScope, event: TraceEvent): void {
  const iocb = scope.requests.iocbOf(event);
  if (iocb !== undefined) insideMethod(scope, event, iocb.id);
}

function insideMethod(
  { threads, requests, exercised, violated }: RuleScope,
  event: TraceEvent,
  iocb: number,
): void {
  exercised();
  for (const request of threads.current.requests) {
    if (request.id === iocb) return;
  }
  violated(
    "direct_IO_return after it, in the same thread",
    requests.iocbs.get(iocb)?.returned,
    event,
  );
}

function deferred(
  { exercised, violated }: RuleScope,
  event: TraceEvent,
  dio: DioState | undefined,
): void {
  if (dio === undefined || !(dio.asked || needsDeferral(dio))) return;
  exercised();
  if (dio.deferred !== undefined) return;
  const reason = dio.asked ?? dio.iocb?.directIO;
  violated("dio_set_defer_completion before it", reason, event);
}

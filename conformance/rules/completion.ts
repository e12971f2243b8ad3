/**
 * Rules about when and how often a request is completed, and by whom.
 *
 * @module
 */

import { EIOCBQUEUED, type TraceEvent } from "../../core/mod.ts";
import { isQueued } from "../requests.ts";
import type { DioState } from "../request_state.ts";
import type { Rule, RuleScope } from "../rule.ts";
import { oopsRule } from "./oops.ts";

/** `one-completion`, `queued-code-kept`, `completion-after-last-bio`. */
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
    impliedBy: ["completion-after-last-bio/once", "no-use-after-release/slab"],
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
        if (returned && !isQueued(returned) && event["res"] === -EIOCBQUEUED) {
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
    impliedBy: ["liveness/blocked-for-ever", "pinned-until-done/file"],
    check: ({ requests, threads, exercised, violated }) => ({
      io_submit(event) {
        const { owed } = threads.current;
        if (owed) violated("aio_complete before it", owed.returned, event);
      },
      io_getevents(event) {
        const { owed } = threads.current;
        if (owed) violated("aio_complete before it", owed.returned, event);
      },
      trace_end() {
        exercised();
        if (requests.hung) return;
        for (const { begin, returned } of requests.iocbs.values()) {
          violated("a completion before the trace ends", begin, returned);
        }
      },
    }),
  },
  {
    id: "queued-code-kept/in-flight",
    sentence:
      "A method returns a result only for a request that has come to its end",
    why:
      "the AIO core frees the iocb, and the end of the request works on freed memory",
    source: "fs/direct-io.c: do_blockdev_direct_IO()",
    bugs: ["DIO-023", "DIO-113", "DIO-119"],
    impliedBy: [
      "completion-order/dio-done-before-aio-complete",
      "completion-order/one-thread",
      "no-use-after-release/slab",
      "released-once/dio",
      "workqueue-life/exists-when-queued",
    ],
    check: ({ requests, exercised, violated }) => ({
      direct_IO_return(event) {
        const iocb = requests.iocbOf(event);
        if (iocb?.dio === undefined) return;
        exercised();
        const dio = iocb.liveDio;
        if (dio === undefined || isQueued(event)) return;
        // The end handler of a block device's bio frees behind the waiter.
        if (dio.isBlkdev && iocb.isSync) return;
        violated(
          "-EIOCBQUEUED, or dio_free before it",
          dio.complete ?? dio.alloc,
          event,
        );
      },
    }),
  },
  {
    id: "queued-code-kept/survives",
    sentence: "A request that was queued is reported by its completion only",
    why:
      "whoever takes the queued code for a result ends the request while its bios are in flight",
    source: "fs/aio.c: io_submit_one(); fs/direct-io.c: dio_complete()",
    bugs: ["DIO-017", "DIO-113", "DIO-119", "DIO-145"],
    impliedBy: ["completion-order/dio-done-before-aio-complete"],
    check: ({ requests, exercised, violated }) => ({
      aio_complete(event) {
        const iocb = requests.iocbOf(event);
        if (!isQueued(iocb?.returned)) return;
        exercised();
        const dio = iocb?.liveDio;
        if (dio === undefined || dio.isBlkdev || dio.complete) return;
        violated("dio_complete before it", iocb?.returned, event);
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
    impliedBy: [
      "completion-after-last-bio/bio-ends-once",
      "completion-after-last-bio/once",
      "no-use-after-release/slab",
      "released-once/bio-by-its-owner",
    ],
    check: (scope) => ({
      dio_complete(event) {
        allEnded(scope, event, scope.requests.dioOf(event));
      },
      queue_work(event) {
        allEnded(scope, event, scope.requests.dioOf(event));
      },
    }),
  },
  {
    id: "completion-after-last-bio/once",
    sentence: "A dio is completed once",
    why: "end_io runs twice, and the dio is freed twice",
    source: "fs/direct-io.c: drop_refcount(), dio_bio_end_aio()",
    bugs: ["DIO-020", "DIO-022"],
    impliedBy: ["no-use-after-release/slab", "released-once/dio"],
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
  oopsRule({
    id: "completion-after-last-bio/submitter",
    sentence: "A submitter that has waited holds the last reference",
    why: "a request that was waited for is still in flight",
    source: "fs/direct-io.c: do_blockdev_direct_IO(), BUG_ON",
    bugs: ["DIO-020"],
    when: ["direct_IO_return"],
  }),
  oopsRule({
    id: "completion-after-last-bio/end-handler",
    sentence: "A bio that ends has an end handler",
    why: "nobody learns that it has ended",
    source: "block/bio.c: bio_endio()",
    bugs: [],
    when: ["bio_endio"],
  }),
  {
    id: "completion-after-last-bio/bio-ends-once",
    sentence: "A bio that was submitted ends once",
    why: "the count of bios in flight drops too far: others still transfer",
    source: "block/bio.c: bio_endio()",
    bugs: ["DIO-022"],
    impliedBy: [
      "completion-after-last-bio/all-ended",
      "no-use-after-release/dio",
    ],
    needs: ["submit_bio", "bio_endio"],
    check: ({ requests, exercised, violated }) => ({
      submit_bio(event) {
        const bio = requests.bios.of(event);
        if (bio) violated("one submit_bio", bio.submit, event);
      },
      bio_endio(event) {
        exercised();
        const bio = requests.bios.of(event);
        if (bio?.ended || requests.bios.gone(event)) {
          violated("one bio_endio", bio?.submit, bio?.ended, event);
        }
      },
      trace_end(event) {
        if (requests.hung) return;
        for (const { submit, ended } of requests.bios.all) {
          if (!ended) violated("bio_endio before it", submit, event);
        }
      },
    }),
  },
];

function allEnded(
  { exercised, violated }: RuleScope,
  event: TraceEvent,
  dio: DioState | undefined,
): void {
  if (dio === undefined) return;
  exercised();
  const { outstanding } = dio;
  if (outstanding === 0) return;
  violated(
    `the end of ${outstanding} more bios of dio ${dio.id} first`,
    dio.alloc,
    event,
  );
}

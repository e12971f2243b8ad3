/**
 * Rules about what is released, how often, and who still uses it.
 *
 * @module
 */

import type { EventName, TraceEvent } from "../../core/mod.ts";
import type { Handlers, Rule, RuleScope } from "../rule.ts";
import { oopsRule } from "./oops.ts";

/** Events that somebody makes who holds the dio. */
const DIO_EVENTS: readonly EventName[] = [
  "dio_set_defer_completion",
  "get_block",
  "submit_bio",
  "dio_bio_end_aio",
  "dio_bio_end_io",
  "dio_io_error",
  "dio_page_error",
  "dio_complete",
  "end_io",
  "end_io_return",
  "inode_dio_begin",
  "inode_dio_done",
];

/** Events that somebody makes who holds the iocb. */
const IOCB_EVENTS: readonly EventName[] = [
  "ki_pos",
  "buffered_io",
  "generic_write_sync",
];

/** `released-once`, `no-use-after-release`, `dio-count-balanced`. */
export const RELEASE_RULES: readonly Rule[] = [
  oopsRule({
    id: "released-once/double-free",
    sentence: "No object is freed twice",
    why: "two owners get the same memory",
    source: "mm/slab.c: kmem_cache_free()",
    bugs: ["DIO-020", "DIO-022"],
    when: ["dio_free"],
  }),
  oopsRule({
    id: "released-once/page-pin",
    sentence: "A page is released as often as it was pinned",
    why: "a page of another process is overwritten by the transfer",
    source: "fs/direct-io.c: dio_bio_complete(), dio_cleanup()",
    bugs: ["DIO-006"],
    when: ["bio_endio"],
  }),
  {
    id: "released-once/no-leak",
    sentence:
      "Nothing is allocated or pinned any more when all has come to its end",
    why: "memory is lost with every request",
    source: "fs/direct-io.c: dio_complete(), dio_bio_complete()",
    bugs: ["DIO-006", "DIO-012", "DIO-131"],
    check: ({ exercised, violated }) => ({
      slab_leak(event) {
        violated(`${event["cache"]} ${event["obj"]} to be released`, event);
      },
      trace_end() {
        exercised();
      },
    }),
  },
  {
    id: "released-once/dio",
    sentence: "Every dio is freed once",
    why: "memory is lost, or belongs to two owners",
    source: "fs/direct-io.c: dio_complete()",
    bugs: ["DIO-020", "DIO-077"],
    impliedBy: ["released-once/double-free", "released-once/no-leak"],
    check: ({ requests, exercised, violated }) => ({
      dio_free(event) {
        exercised();
        if (requests.dioGone(event)) violated("one dio_free", event);
      },
      trace_end(event) {
        if (requests.hung) return;
        for (const { alloc, complete } of requests.dios.values()) {
          violated("dio_free before the trace ends", alloc, complete, event);
        }
      },
    }),
  },
  oopsRule({
    id: "no-use-after-release/slab",
    sentence: "No object is used after it was freed",
    why: "memory of another owner is read or changed",
    source: "fs/direct-io.c: dio_bio_end_aio(), dio_complete()",
    bugs: ["DIO-002", "DIO-022", "DIO-053", "DIO-154", "DIO-157"],
    when: ["dio_free"],
  }),
  oopsRule({
    id: "no-use-after-release/page-array",
    sentence:
      "The page array of a dio is not used once its completion is queued",
    why: "the work item that lies in the same memory is overwritten",
    source: "fs/direct-io.c: struct dio, dio_bio_end_aio()",
    bugs: ["DIO-002"],
    when: ["queue_work"],
  }),
  {
    id: "no-use-after-release/dio",
    sentence: "Nothing happens to a dio after it was freed",
    why: "memory of another request is read or changed",
    source: "fs/direct-io.c: do_blockdev_direct_IO(), dio_complete()",
    bugs: ["DIO-002", "DIO-020", "DIO-077"],
    impliedBy: [
      "completion-after-last-bio/bio-ends-once",
      "completion-after-last-bio/once",
      "no-use-after-release/slab",
    ],
    check: ({ requests, exercised, violated }) => {
      const onUse = (event: TraceEvent) => {
        if ((event.dio ?? 0) === 0) return;
        exercised();
        if (requests.dioGone(event)) {
          violated(`${event.ev} before dio_free`, event);
        }
      };
      const handlers: Handlers = {};
      for (const ev of DIO_EVENTS) handlers[ev] = onUse;
      return handlers;
    },
  },
  {
    id: "no-use-after-release/iocb",
    sentence: "Nothing happens to a request after its end was reported",
    why: "an iocb of another request is read or changed",
    source: "fs/aio.c: aio_complete(), io_submit_one()",
    bugs: ["DIO-020", "DIO-137", "DIO-143"],
    impliedBy: ["completion-after-last-bio/once", "no-use-after-release/slab"],
    check: ({ requests, exercised, violated }) => {
      const onUse = (event: TraceEvent) => {
        exercised();
        if (requests.iocbGone(event)) violated("no end before it", event);
      };
      const handlers: Handlers = {};
      for (const ev of IOCB_EVENTS) handlers[ev] = onUse;
      return handlers;
    },
  },
  {
    id: "dio-count-balanced/per-request",
    sentence:
      "A request raises i_dio_count once and drops it once, on every path",
    why:
      "truncate waits for ever, or does not wait for a request that is in flight",
    source: "fs/direct-io.c: do_blockdev_direct_IO(), dio_complete()",
    bugs: ["DIO-086", "DIO-083"],
    impliedBy: [
      "completion-after-last-bio/once",
      "completion-order/free-last",
      "dio-count-balanced/one-by-one",
    ],
    check: ({ requests, exercised, violated }) => ({
      inode_dio_begin(event) {
        const dio = requests.dioOf(event);
        if (dio?.begin) violated("one inode_dio_begin", dio.begin, event);
      },
      inode_dio_done(event) {
        const dio = requests.dioOf(event);
        if (dio === undefined) return;
        if (dio.done) violated("one inode_dio_done", dio.done, event);
        if (!dio.begin) violated("inode_dio_begin before it", dio.alloc, event);
      },
      dio_free(event) {
        const dio = requests.dioOf(event);
        if (dio === undefined) return;
        exercised();
        if (dio.begin && !dio.done) {
          violated("inode_dio_done before it", dio.begin, event);
        }
      },
    }),
  },
  {
    id: "dio-count-balanced/one-by-one",
    sentence: "i_dio_count goes up and down by one, and never below zero",
    why: "truncate waits for ever, or not at all",
    source: "include/linux/fs.h: inode_dio_begin(); fs/inode.c",
    bugs: ["DIO-086"],
    impliedBy: [
      "completion-after-last-bio/once",
      "dio-count-balanced/per-request",
    ],
    needs: ["inode_dio_begin", "inode_dio_done"],
    check: (scope) => ({
      inode_dio_begin(event) {
        onCount(scope, event, 1);
      },
      inode_dio_done(event) {
        onCount(scope, event, -1);
      },
    }),
  },
  {
    id: "dio-count-balanced/zero-at-end",
    sentence: "i_dio_count is zero when nothing is in flight any more",
    why: "truncate waits for ever",
    source: "fs/inode.c: inode_dio_wait(), inode_dio_done()",
    bugs: ["DIO-086"],
    impliedBy: [
      "completion-order/dio-done-before-aio-complete",
      "completion-order/free-last",
    ],
    check: ({ requests, exercised, violated }) => ({
      trace_end(event) {
        exercised();
        if (requests.hung) return;
        for (const { ino, count, counted } of requests.inodes.all) {
          if (count === 0 || Number.isNaN(count)) continue;
          violated(`i_dio_count of inode ${ino} to be 0`, counted, event);
        }
      },
    }),
  },
];

function onCount(
  { requests, exercised, violated }: RuleScope,
  event: TraceEvent,
  step: number,
): void {
  exercised();
  const inode = requests.inodes.of(event);
  const before = inode?.count ?? (requests.partial ? NaN : 0);
  const count = Number(event["count"]);
  const expected = before + step;
  if (Number.isNaN(expected)) return;
  if (expected >= 0 && count === expected) return;
  violated(
    expected < 0
      ? "inode_dio_begin before it"
      : `a count of ${expected}, not ${count}`,
    inode?.counted,
    event,
  );
}

/**
 * Rules about the pages of user memory.
 *
 * @module
 */

import type { TraceEvent } from "../../core/mod.ts";
import type { Rule, RuleScope } from "../rule.ts";

/** `pages-dirtied`. */
export const PAGES_RULES: readonly Rule[] = [
  {
    id: "pages-dirtied/before-submission",
    sentence:
      "The pages of an asynchronous read are marked as dirty before it is submitted",
    why: "memory runs short, and what was read is thrown away",
    source: "fs/direct-io.c: dio_bio_submit()",
    bugs: ["DIO-044"],
    needs: ["bio_set_pages_dirty"],
    check: ({ requests, threads, exercised, violated }) => ({
      submit_bio(event) {
        const dio = requests.dioOf(event);
        if (dio?.iocb === undefined || dio.isWrite || dio.iocb.isSync) return;
        exercised();
        if (threads.current.dirtied === event.bio) return;
        violated("bio_set_pages_dirty before it", dio.alloc, event);
      },
    }),
  },
  {
    id: "pages-dirtied/at-the-end",
    sentence:
      "The pages of a read are marked as dirty when it has ended, or looked at whether they still are",
    why:
      "a flusher has cleaned them in the meantime, and what was read is lost",
    source: "fs/direct-io.c: dio_bio_complete()",
    bugs: ["DIO-044"],
    needs: ["bio_set_pages_dirty", "bio_check_pages_dirty"],
    check: (scope) => ({
      dio_complete(event) {
        allMarked(scope, event);
      },
      queue_work(event) {
        allMarked(scope, event);
      },
    }),
  },
  {
    id: "pages-dirtied/each-bio",
    sentence:
      "When a bio of a read from a block device has ended, its pages are marked as dirty, or looked at whether they still are",
    why:
      "a flusher has cleaned them in the meantime, and what was read is lost",
    source: "block/fops.c: blkdev_bio_end_io(), __blkdev_direct_IO_simple()",
    bugs: ["DIO-044"],
    needs: ["bio_set_pages_dirty", "bio_check_pages_dirty"],
    check: ({ requests, exercised, violated }) => {
      /** Ends of bios whose pages nobody has looked at. */
      const pending: Map<number, TraceEvent> = new Map();
      const onMark = ({ bio }: TraceEvent) => {
        if (pending.delete(bio ?? 0)) exercised();
      };
      return {
        bio_endio(event) {
          const dio = requests.dioOf(event);
          if (event.bio === undefined || !dio?.isBlkdev || dio.isWrite) return;
          pending.set(event.bio, event);
        },
        bio_set_pages_dirty: onMark,
        bio_check_pages_dirty: onMark,
        dio_free(event) {
          // A request of a block device is a part of its first bio.
          const first = requests.dioOf(event)?.first?.bio ?? 0;
          const ended = pending.get(first);
          if (ended === undefined) return;
          violated("bio_check_pages_dirty of its first bio", ended, event);
          pending.delete(first);
        },
        trace_end(event) {
          if (requests.hung) return;
          for (const ended of pending.values()) {
            violated("bio_check_pages_dirty of its bio", ended, event);
          }
        },
        reset() {
          pending.clear();
        },
      };
    },
  },
  {
    id: "pages-dirtied/kept",
    sentence: "What was read survives when memory runs short",
    why: "the application gets what its buffer held before the read",
    source: "block/bio.c: bio_check_pages_dirty(), bio_dirty_fn()",
    bugs: ["DIO-044"],
    impliedBy: ["pages-dirtied/at-the-end", "pages-dirtied/each-bio"],
    needs: ["shrink_page_list"],
    check: ({ threads, exercised, violated }) => ({
      user_read(event) {
        const { last } = threads.current;
        if (last?.ev !== "shrink_page_list") return;
        exercised();
        if (Number(event["wrong"]) === 0) return;
        violated(
          `byte ${event["at"]} to be ${
            event["expected"]
          } as it was read, it is ${event["got"]}`,
          last,
          event,
        );
      },
    }),
  },
];

function allMarked(
  { requests, exercised, violated }: RuleScope,
  event: TraceEvent,
): void {
  const dio = requests.dioOf(event);
  if (dio?.iocb === undefined || dio.isWrite || dio.isBlkdev) return;
  exercised();
  if (dio.marked >= dio.bios) return;
  violated(
    dio.iocb.isSync
      ? "bio_set_pages_dirty before it"
      : "bio_check_pages_dirty before it",
    dio.ended,
    event,
  );
}

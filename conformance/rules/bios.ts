/**
 * Rules about the references of bios.
 *
 * @module
 */

import type { TraceEvent } from "../../core/mod.ts";
import { Ids } from "../ids.ts";
import type { Handlers, Rule, RuleScope } from "../rule.ts";
import type { ThreadState } from "../threads.ts";

/** A bio that somebody holds. */
interface HeldBio {
  /** `submit_bio`. */
  readonly submit: TraceEvent;
  /** `bio_endio`. */
  ended: TraceEvent | undefined;
}

/** `released-once` of bios. */
export const BIO_RULES: readonly Rule[] = [
  {
    id: "released-once/bio",
    sentence: "A bio that was submitted is put once, after it has ended",
    why: "memory is lost, or a bio is used by the device and by another owner",
    source:
      "fs/direct-io.c: dio_bio_complete(); block/bio.c: bio_check_pages_dirty(), bio_dirty_fn()",
    bugs: ["DIO-006", "DIO-022"],
    impliedBy: [
      "completion-after-last-bio/block-device",
      "released-once/bio-by-its-owner",
      "released-once/page-pin",
    ],
    needs: ["submit_bio", "bio_endio", "bio_put"],
    check: putsOnce,
  },
  {
    id: "released-once/bio-by-its-owner",
    sentence:
      "Who deals with the end of a bio puts it before he goes on, or leaves it to the worker that marks its pages",
    why: "pages stay pinned of which the user believes that they are his",
    source: "fs/direct-io.c: dio_bio_complete(), dio_await_completion()",
    bugs: ["DIO-006"],
    needs: ["bio_put", "bio_check_pages_dirty"],
    check: putByOwner,
  },
];

/** Follows bios from their submission to their last put. */
function putsOnce({ requests, exercised, violated }: RuleScope): Handlers {
  const held: Map<number, HeldBio> = new Map();
  const ids = new Ids();
  let isHung = false;
  const onHung = () => {
    isHung = true;
  };
  return {
    submit_bio(event) {
      const { bio = 0 } = event;
      held.set(bio, { submit: event, ended: undefined });
      // The first bio of a request of a block device has a second reference.
      if (!requests.dioOf(event)?.isBlkdev) ids.add(bio);
    },
    bio_endio(event) {
      const bio = held.get(event.bio ?? 0);
      if (bio !== undefined) bio.ended = event;
    },
    bio_put(event) {
      const { bio = 0 } = event;
      const found = held.get(bio);
      if (found === undefined) {
        if (ids.was(bio)) violated("one bio_put", event);
        return;
      }
      exercised();
      if (!found.ended) violated("bio_endio before it", found.submit, event);
      held.delete(bio);
    },
    hung_task: onHung,
    soft_lockup: onHung,
    trace_end(event) {
      for (const { submit, ended } of isHung ? [] : held.values()) {
        violated("bio_put before the trace ends", submit, ended, event);
      }
    },
    reset() {
      held.clear();
      ids.reset();
      isHung = false;
    },
  };
}

/** What the end of a bio does before the bio is put, or left to a worker. */
const BEFORE_PUT: ReadonlySet<string> = new Set([
  "dio_io_error",
  "might_sleep",
  "bio_set_pages_dirty",
  "bio_check_pages_dirty",
  "put_page",
  "oops",
]);

function putByOwner(
  { requests, threads, exercised, violated }: RuleScope,
): Handlers {
  /** Bios that a thread has to deal with before it does anything else. */
  const owed: Map<ThreadState, TraceEvent> = new Map();
  return {
    dio_bio_end_aio(event) {
      owed.set(threads.current, event);
    },
    dio_complete(event) {
      const dio = requests.dioOf(event);
      if (dio === undefined || dio.isBlkdev) return;
      if (dio.alloc["is_async"] !== 0) return;
      exercised();
      // Of these the submitter has taken care.
      if (dio.puts >= dio.bios) return;
      violated(
        `bio_put of ${dio.bios} bios before it, not of ${dio.puts}`,
        dio.ended,
        event,
      );
    },
    dio_free(event) {
      const dio = requests.dioOf(event);
      const { last } = threads.current;
      if (!dio?.isBlkdev || dio.first === undefined) return;
      exercised();
      // A request of a block device is a part of its first bio.
      const { bio } = dio.first;
      if (last?.ev === "bio_put" && last.bio === bio) return;
      violated(`bio_put of bio ${bio} right before it`, dio.ended, last, event);
    },
    each(event) {
      if (owed.size === 0) return;
      const ended = owed.get(threads.current);
      if (ended === undefined || ended === event) return;
      if (BEFORE_PUT.has(event.ev)) return;
      owed.delete(threads.current);
      const isPut = event.ev === "bio_put" && event.bio === ended.bio;
      if (isPut || event["fn"] === "bio_dirty_fn") exercised();
      else violated(`bio_put of bio ${ended.bio} before it`, ended, event);
    },
    reset() {
      owed.clear();
    },
  };
}

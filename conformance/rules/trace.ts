/**
 * Rules about the record itself: what no kernel can bring about, be it right
 * or wrong. One that is broken says that the trace was edited or cut, that
 * events were lost, or that they were written in another order than they
 * happened.
 *
 * @module
 */

import type { TraceEvent } from "../../core/mod.ts";
import type { Rule, RuleScope } from "../rule.ts";
import { CALLS, isReturn, returnOf, type ThreadState } from "../threads.ts";

/** `trace-well-formed`. */
export const TRACE_RULES: readonly Rule[] = [
  {
    id: "trace-well-formed/sequence",
    sentence: "Events are numbered one by one, in the order of the trace",
    why: "what is missing or displaced is taken for what the kernel did",
    source: "core/trace_buffer.ts",
    bugs: [],
    check: ({ exercised, violated }) => {
      let next = 0;
      let previous: TraceEvent | undefined;
      return {
        each(event, seq) {
          exercised();
          if (seq !== next) {
            violated(position(seq, next), previous, event);
          }
          next = Math.max(next, seq + 1);
          previous = event;
        },
        reset() {
          next = 0;
          previous = undefined;
        },
      };
    },
  },
  {
    id: "trace-well-formed/time",
    sentence: "Time does not go back",
    why: "an effect is shown before its cause",
    source: "core/trace_buffer.ts",
    bugs: [],
    check: ({ exercised, violated }) => {
      let previous: TraceEvent | undefined;
      return {
        each(event) {
          exercised();
          if (previous !== undefined && event.ts < previous.ts) {
            violated(
              `${previous.ts} ns or later, not ${event.ts}`,
              previous,
              event,
            );
          }
          previous = event;
        },
        reset() {
          previous = undefined;
        },
      };
    },
  },
  {
    id: "trace-well-formed/end",
    sentence: "Nothing comes after the end of the trace",
    why: "what had not happened by the end was taken for never to happen",
    source: "core/kernel.ts: Kernel.shutdown()",
    bugs: [],
    check: ({ exercised, violated }) => {
      let end: TraceEvent | undefined;
      return {
        each(event) {
          if (end !== undefined) violated("nothing after it", end, event);
          if (event.ev !== "trace_end") return;
          exercised();
          end ??= event;
        },
        reset() {
          end = undefined;
        },
      };
    },
  },
  {
    id: "trace-well-formed/nesting",
    sentence: "A thread leaves what it has entered, the innermost first",
    why: "what happened inside is taken for what happened outside",
    source: "core/events.ts",
    bugs: [],
    check: (scope) => {
      const { requests, threads, exercised, violated } = scope;
      let told: TraceEvent | undefined;
      return {
        ...Object.fromEntries(
          [...CALLS.keys()].map((ev) => [
            ev,
            (event: TraceEvent) => onReturn(scope, event),
          ]),
        ),
        each(event) {
          const { allocFailed } = threads.current;
          if (event.ev === "alloc_workqueue" && allocFailed !== undefined) {
            violated("nothing else before it", allocFailed, event);
          }
          const inner = innermost(threads.current);
          if (inner === undefined || inner === told) return;
          if (inner.ev === "inode_dio_wait" && !isWaiting(inner, event)) {
            told = inner;
            violated("inode_dio_wait_return before it", inner, event);
          } else if (isOutermost(event) && !requests.partial) {
            told = inner;
            violated(`${returnOf(inner.ev)} before it`, inner, event);
          }
        },
        trace_end(event) {
          exercised();
          if (requests.partial || requests.hung) return;
          for (const { calls } of threads.all) {
            const inner = calls[calls.length - 1];
            if (inner === undefined) continue;
            violated(`${returnOf(inner.ev)} before it`, inner, event);
          }
        },
        reset() {
          told = undefined;
        },
      };
    },
  },
  {
    id: "trace-well-formed/bio",
    sentence:
      "A bio is submitted before it ends, and its end handler runs at once",
    why: "the end of a transfer is shown that nobody has begun, or two at once",
    source: "block/blk-core.c: submit_bio(); block/bio.c: bio_endio()",
    bugs: [],
    needs: [
      "submit_bio",
      "bio_endio",
      "dio_bio_end_aio",
      "dio_bio_end_io",
      "blkdev_bio_end_io",
    ],
    check: ({ requests, threads, exercised, violated }) => {
      const onHandler = (event: TraceEvent) => {
        exercised();
        const { ending } = threads.current;
        if (requests.partial || ending?.bio === event.bio) return;
        violated(
          `bio_endio of bio ${event.bio} right before it`,
          requests.bios.of(event)?.submit,
          event,
        );
      };
      return {
        bio_endio(event) {
          exercised();
          const isKnown = requests.bios.of(event) !== undefined ||
            requests.bios.gone(event);
          if (!isKnown && !requests.partial) {
            violated("submit_bio before it", event);
          }
        },
        dio_bio_end_aio: onHandler,
        dio_bio_end_io: onHandler,
        blkdev_bio_end_io: onHandler,
        each(event) {
          const { ending, last } = threads.current;
          if (ending === undefined || last !== ending) return;
          if (ending.bio === event.bio && END_HANDLERS.has(event.ev)) return;
          if (event.ev === "oops" || requests.partial) return;
          violated(
            `the end handler of bio ${ending.bio} before it`,
            ending,
            event,
          );
        },
      };
    },
  },
  {
    id: "trace-well-formed/request",
    sentence: "What happens to a request comes after its beginning",
    why: "a request is shown that nobody has made",
    source: "fs/aio.c: io_submit_one(); fs/direct-io.c",
    bugs: [],
    needs: ["io_submit", "direct_IO", "dio_alloc"],
    check: ({ requests, threads, exercised, violated }) => ({
      direct_IO(event) {
        exercised();
        const isNew = event["is_sync"] !== 1 && !requests.iocbOf(event);
        if (isNew && !requests.partial) {
          violated("io_submit before it", event);
        }
      },
      dio_alloc(event) {
        exercised();
        if (requests.iocbOf(event) || requests.partial) return;
        violated("direct_IO before it", event);
      },
      blkdev_direct_IO(event) {
        if (requests.iocbOf(event) || requests.partial) return;
        violated("direct_IO before it", event);
      },
      aio_complete(event) {
        exercised();
        const isKnown = requests.iocbOf(event) || requests.iocbGone(event);
        if (!isKnown && !requests.partial) {
          violated("io_submit before it", event);
        }
      },
      user_read(event) {
        if (event["bytes"] === 0) return;
        exercised();
        if (threads.current.readOf(event) || requests.partial) return;
        violated("the end of a read before it", event);
      },
      each(event) {
        const { dio } = event;
        if (dio === undefined || dio === 0 || requests.partial) return;
        if (beginsDio(event) || requests.dioOf(event)) return;
        if (requests.dioGone(event)) return;
        violated("dio_alloc before it", event);
      },
    }),
  },
];

const END_HANDLERS: ReadonlySet<string> = new Set([
  "dio_bio_end_aio",
  "dio_bio_end_io",
  "blkdev_bio_end_io",
]);

/** What user space does, which is never inside another call of its thread. */
function isOutermost({ ev }: TraceEvent): boolean {
  return ev === "io_submit" || ev === "io_getevents" || ev === "user_read";
}

function beginsDio({ ev }: TraceEvent): boolean {
  return ev === "dio_alloc" || ev === "blkdev_direct_IO";
}

function position(seq: number, next: number): string {
  if (seq < next) return `${next} next, not ${seq}`;
  const missing = seq - next;
  return next === 0
    ? `0 first, not ${seq}: the beginning is missing, and what was alive then is not checked`
    : `${next} next, not ${seq}: ${missing} missing`;
}

function isWaiting(wait: TraceEvent, event: TraceEvent): boolean {
  const { ev } = event;
  return ev === "might_sleep" || ev === "hung_task" || ev === "oops" ||
    isReturn(wait, event);
}

/** A call is left: it must be the innermost one of its thread. */
function onReturn(scope: RuleScope, event: TraceEvent): void {
  const { requests, threads, exercised, violated } = scope;
  exercised();
  const inner = innermost(threads.current);
  if (inner !== undefined && isReturn(inner, event)) return;
  if (requests.partial) return;
  const entry = CALLS.get(event.ev)?.entry ?? "";
  const isEntered = threads.current.calls.some((call) => isReturn(call, event));
  if (isEntered && inner !== undefined) {
    violated(`${returnOf(inner.ev)} before it`, inner, event);
  } else violated(`${entry} before it, in the same thread`, event);
}

function innermost({ calls }: ThreadState): TraceEvent | undefined {
  return calls[calls.length - 1];
}

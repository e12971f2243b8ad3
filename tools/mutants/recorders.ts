/**
 * Recorders of traces with one mistake each. What they record no kernel can
 * have done.
 *
 * @module
 */

import type { TraceEvent } from "../../core/mod.ts";
import type { Mutant } from "./mutant.ts";

type Record = NonNullable<Mutant["record"]>;

/** Numbers events anew, and keeps their times in order. */
function renumbered(events: readonly TraceEvent[]): TraceEvent[] {
  return events.map((event, seq) => ({ ...event, seq }));
}

/** Loses an event that says next to nothing. */
const losesEvent: Record = (events) => {
  const at = events.findIndex(({ ev, fn }) =>
    ev === "might_sleep" && fn === "mutex_lock"
  );
  return at < 0 ? [...events] : events.toSpliced(at, 1);
};

/** The clocks of two processors differ. */
const clocksDiffer: Record = (events) =>
  events.map((event) => event.cpu > 0 ? { ...event, ts: 0 } : event);

/** Goes on behind the end. */
const goesOn: Record = (events) => {
  const last = events.at(-1);
  return last === undefined ? [] : [...events, {
    ...last,
    seq: last.seq + 1,
    ev: "might_sleep",
    fn: "exit",
  }];
};

/** Leaves out the ends of calls, as if they had not been probed. */
const noReturns: Record = (events) =>
  renumbered(events.filter(({ ev }) => ev !== "truncate_return"));

/** Shows the end handler of a bio after the first thing that it does. */
const handlerLate: Record = (events) => {
  const at = events.findIndex(({ ev }, i) =>
    /bio_end_/.test(ev) && events[i + 1]?.ev === "put_page"
  );
  const [handler, put] = [events[at], events[at + 1]];
  if (handler === undefined || put === undefined) return [...events];
  return renumbered(
    events.toSpliced(at, 2, { ...put, ts: handler.ts }, {
      ...handler,
      ts: put.ts,
    }),
  );
};

/** Shows twice what user space has read. */
const readsTwice: Record = (events) =>
  renumbered(
    events.flatMap((event) =>
      event.ev === "user_read" ? [event, event] : event
    ),
  );

/** Mutants of recorders. */
export const RECORDER_MUTANTS: readonly Mutant[] = [
  {
    id: "recorder-loses-event",
    mistake: "a recorder loses an event",
    rule: "trace-well-formed/sequence",
    bugs: [],
    record: losesEvent,
  },
  {
    id: "recorder-clocks-differ",
    mistake: "the clocks of two processors differ",
    rule: "trace-well-formed/time",
    bugs: [],
    record: clocksDiffer,
  },
  {
    id: "recorder-goes-on",
    mistake: "a recorder goes on behind the end",
    rule: "trace-well-formed/end",
    bugs: [],
    record: goesOn,
  },
  {
    id: "recorder-no-returns",
    mistake: "a recorder leaves out the ends of calls",
    rule: "trace-well-formed/nesting",
    bugs: [],
    record: noReturns,
  },
  {
    id: "recorder-handler-late",
    mistake: "a recorder shows what an end handler does before its entry",
    rule: "trace-well-formed/bio",
    bugs: [],
    record: handlerLate,
  },
  {
    id: "recorder-reads-twice",
    mistake: "a recorder shows twice what user space has read",
    rule: "trace-well-formed/request",
    bugs: [],
    record: readsTwice,
  },
];

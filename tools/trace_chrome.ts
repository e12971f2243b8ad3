/**
 * The trace format `chrome`: trace-event JSON, which Perfetto and
 * chrome://tracing open.
 *
 * Tasks are threads of one process, interrupts and kworkers of two others.
 * What takes time in one context is a slice; a request and a bio, which
 * overlap with others, are asynchronous slices; arrows lead from the
 * submission of a bio to its end, from there to the work, and to user space.
 *
 * @module
 */

import { COMMON_FIELDS, type TraceEvent } from "../core/mod.ts";
import { graphOf, type Lane, type TraceGraph } from "./trace_graph.ts";
import type { TraceHeader } from "./trace_jsonl.ts";
import { TROUBLE } from "./trace_text.ts";

/** A member of `traceEvents`. */
type Item = Readonly<Record<string, unknown>>;

const PROCESSES: Readonly<
  Record<Lane["kind"], readonly [pid: number, name: string]>
> = {
  task: [1, "tasks"],
  hardirq: [2, "interrupts"],
  softirq: [2, "interrupts"],
  kworker: [3, "kworkers"],
};
/** Requests and bios overlap: they are slices of no thread in particular. */
const OVERLAPPING = { pid: 4, tid: 1 } as const;
/** Two things in one context are never at the same time. */
const STEP_NS = 1;
/**
 * Writes a trace.
 *
 * @param header What it says of itself.
 * @param events The events.
 * @param violations What to say of events that break a rule, by their `seq`.
 * @returns The text, in pieces.
 */
export function* encodeChrome(
  header: TraceHeader,
  events: readonly TraceEvent[],
  violations: ReadonlyMap<number, string> = new Map(),
): Generator<string, void, void> {
  yield '{"displayTimeUnit":"ns","metadata":';
  yield JSON.stringify({ producer: "endio", ...header });
  yield ',"traceEvents":[\n';
  let separator = "";
  for (const item of new ChromeTrace(events, violations).items()) {
    yield `${separator}${JSON.stringify(item)}`;
    separator = ",\n";
  }
  yield "\n]}\n";
}

/** A trace being written. */
class ChromeTrace {
  readonly #events: readonly TraceEvent[];
  readonly #violations: ReadonlyMap<number, string>;
  readonly #graph: TraceGraph;
  readonly #inFlight: Set<number> = new Set();
  /** The time of each event in ns, no two of a lane the same. */
  readonly #times: readonly number[];

  constructor(
    events: readonly TraceEvent[],
    violations: ReadonlyMap<number, string>,
  ) {
    this.#events = events;
    this.#violations = violations;
    this.#graph = graphOf(events);
    this.#times = distinctTimes(events);
  }

  *items(): Generator<Item, void, void> {
    yield* this.#names();
    const { spans, requests } = this.#graph;
    const begins = Map.groupBy(spans, ({ from }) => from);
    const first = Map.groupBy(requests.keys(), (i) => requests[i]?.first ?? 0);
    const last = Map.groupBy(requests.keys(), (i) => requests[i]?.last ?? 0);
    for (const [at, event] of this.#events.entries()) {
      for (const i of first.get(at) ?? []) yield this.#request(i, "b", at);
      for (const { to, name } of begins.get(at) ?? []) {
        yield this.#slice(at, to, name);
      }
      yield* this.#event(event, at, begins.has(at));
      yield* this.#bio(event, at);
      for (const i of last.get(at) ?? []) yield this.#request(i, "e", at);
    }
    yield* this.#flows();
  }

  *#names(): Generator<Item, void, void> {
    for (const [pid, name] of new Map(Object.values(PROCESSES))) {
      yield { ph: "M", pid, name: "process_name", args: { name } };
      const args = { sort_index: pid };
      yield { ph: "M", pid, name: "process_sort_index", args };
    }
    const args = { name: "requests and bios" };
    yield { ph: "M", ...OVERLAPPING, name: "process_name", args };
    yield { ph: "M", ...OVERLAPPING, name: "thread_name", args };
    for (const [at, lane] of this.#graph.lanes.entries()) {
      const thread = this.#thread(at);
      const args = { name: lane.label };
      yield { ph: "M", ...thread, name: "thread_name", args };
      yield {
        ph: "M",
        ...thread,
        name: "thread_sort_index",
        args: { sort_index: at },
      };
    }
  }

  /** Threads count from 1: 0 means something else there. */
  #thread(lane: number): { readonly pid: number; readonly tid: number } {
    const { kind } = this.#graph.lanes[lane] as Lane;
    return { pid: PROCESSES[kind][0], tid: lane + 1 };
  }

  #place(at: number): Item {
    const ts = (this.#times[at] as number) / 1000;
    return { ...this.#thread(this.#graph.laneOf[at] as number), ts };
  }

  #slice(from: number, to: number, name: string): Item {
    const dur = ((this.#times[to] as number) - (this.#times[from] as number)) /
      1000;
    const args = argsOf(this.#events[from] as TraceEvent);
    return { ph: "X", ...this.#place(from), name, cat: "call", dur, args };
  }

  /** An event is a slice of no length to speak of, for arrows to end at. */
  *#event(
    event: TraceEvent,
    at: number,
    isSpan: boolean,
  ): Generator<Item, void, void> {
    const { ev, seq } = event;
    if (!isSpan) {
      const args = argsOf(event);
      const dur = STEP_NS / 1000;
      yield { ph: "X", ...this.#place(at), name: ev, cat: "event", dur, args };
    }
    const wrong = this.#violations.get(seq) ??
      (TROUBLE.has(ev) ? String(event["msg"] ?? event["cache"] ?? ev) : null);
    if (wrong === null) return;
    const args = { violation: wrong, seq };
    const name = `violation: ${wrong.split(":")[0]}`;
    yield { ph: "i", s: "g", ...this.#place(at), name, cat: "violation", args };
  }

  #request(i: number, ph: "b" | "e", at: number): Item {
    const label = this.#graph.requests[i]?.label ?? "";
    const slice = { ...OVERLAPPING, cat: "request", id: i + 1, name: label };
    return { ph, ...this.#place(at), ...slice };
  }

  *#bio(event: TraceEvent, at: number): Generator<Item, void, void> {
    const { ev, bio } = event;
    if (bio === undefined) return;
    const ph = ev === "submit_bio" ? "b" : ev === "bio_endio" ? "e" : null;
    if (ph === null) return;
    // One that was not submitted, for a page that could not be pinned, may end.
    if (ph === "b") this.#inFlight.add(bio);
    else if (!this.#inFlight.delete(bio)) return;
    const args = argsOf(event);
    const name = `bio ${bio}`;
    const slice = { ...OVERLAPPING, cat: "bio", id: bio, name, args };
    yield { ph, ...this.#place(at), ...slice };
  }

  /** Flows come last: each binds to a slice that is there already. */
  *#flows(): Generator<Item, void, void> {
    for (const [id, { from, to, kind }] of this.#graph.arrows.entries()) {
      const flow = { cat: "flow", name: kind, id: id + 1 };
      yield { ph: "s", ...this.#place(from), ...flow };
      yield { ph: "f", bp: "e", ...this.#place(to), ...flow };
    }
  }
}

/** Slices nest by time alone, so the time must tell the order. */
function distinctTimes(events: readonly TraceEvent[]): number[] {
  const last = new Map<string, number>();
  let before = -Infinity;
  return events.map(({ ts, ctx, cpu, tid }) => {
    const lane = `${ctx} ${ctx === "task" || ctx === "kworker" ? tid : cpu}`;
    const least = (last.get(lane) ?? -Infinity) + 2 * STEP_NS;
    const time = Math.max(ts, least, before);
    before = time;
    last.set(lane, time);
    return time;
  });
}

function argsOf(event: TraceEvent): Item {
  return Object.fromEntries(
    Object.entries(event).filter(([name]) =>
      name === "seq" || !COMMON_FIELDS.has(name)
    ),
  );
}

/**
 * What a picture of a trace shows: the contexts that its events ran in, the
 * request that each belongs to, what encloses what, and what sets off what.
 *
 * @module
 */

import type { ContextKind, TraceEvent } from "../core/mod.ts";

/** Something that runs events: a task, a kworker, interrupts of a processor. */
export interface Lane {
  /** What it is. */
  readonly kind: ContextKind;
  /** What to call it: `fio-12`, `hardirq/1`, `kworker/0:1`. */
  readonly label: string;
  /** The thread, or the processor of an interrupt. */
  readonly id: number;
}

/** A request, from its submission on. */
export interface Request {
  /** Identity of its dio, or 0. */
  readonly dio: number;
  /** Identity of its iocb, or 0. */
  readonly iocb: number;
  /** `write 262144+65536 dio 1`. */
  label: string;
  /** Its first and last event. */
  readonly first: number;
  last: number;
}

/** Something that takes time in one lane: a call, a work. */
export interface Span {
  /** The events that it begins and ends with. */
  readonly from: number;
  readonly to: number;
  /** What it is. */
  readonly name: string;
}

/** One event sets off another, in another context or later. */
export interface Arrow {
  /** The cause, and the effect. */
  readonly from: number;
  readonly to: number;
  /** What carries it: a bio, a work, a wake-up, an event of the ring. */
  readonly kind: "bio" | "work" | "wake" | "event";
}

/** What a picture of a trace shows. Events are told by their places in it. */
export interface TraceGraph {
  /** Who ran events: tasks, then interrupts, then kworkers. */
  readonly lanes: readonly Lane[];
  /** The lane of each event. */
  readonly laneOf: readonly number[];
  /** All requests, in the order of their beginnings. */
  readonly requests: readonly Request[];
  /** The request of each event, -1 for one of nobody. */
  readonly requestOf: readonly number[];
  /** What takes time, in the order of its beginning. */
  readonly spans: readonly Span[];
  /** What sets off what. */
  readonly arrows: readonly Arrow[];
}

const KIND_ORDER: readonly ContextKind[] = [
  "task",
  "hardirq",
  "softirq",
  "kworker",
];

/** Events that begin a span, and those that end it. */
const SPANS: Readonly<Record<string, string>> = {
  direct_IO: "direct_IO_return",
  dio_complete: "dio_free",
  iomap_dio_complete: "dio_free",
  end_io: "end_io_return",
  workqueue_execute_start: "workqueue_execute_end",
  inode_dio_wait: "inode_dio_wait_return",
  truncate: "truncate_return",
};
const SPAN_OF_END: ReadonlyMap<string, readonly string[]> = new Map(
  [...new Set(Object.values(SPANS))].map((end) => [
    end,
    Object.keys(SPANS).filter((begin) => SPANS[begin] === end),
  ]),
);

/**
 * Finds what a picture of a trace shows.
 *
 * @param events The trace.
 * @returns It.
 */
export function graphOf(events: readonly TraceEvent[]): TraceGraph {
  const { lanes, laneOf } = findLanes(events);
  const { requests, requestOf } = findRequests(events);
  return {
    lanes,
    laneOf,
    requests,
    requestOf,
    spans: findSpans(events, laneOf),
    arrows: findArrows(events),
  };
}

function laneFor({ ctx, cpu, tid, comm }: TraceEvent): Lane {
  const isThread = ctx === "task" || ctx === "kworker";
  return {
    kind: ctx,
    label: isThread ? `${comm}-${tid}` : `${ctx}/${cpu}`,
    id: isThread ? tid : cpu,
  };
}

function findLanes(
  events: readonly TraceEvent[],
): Pick<TraceGraph, "lanes" | "laneOf"> {
  const all = new Map<string, Lane>();
  const keys = events.map((event) => {
    const lane = laneFor(event);
    const key = `${lane.kind} ${lane.label}`;
    if (!all.has(key)) all.set(key, lane);
    return key;
  });
  const order = [...all].sort(([, a], [, b]) =>
    KIND_ORDER.indexOf(a.kind) - KIND_ORDER.indexOf(b.kind) ||
    (a.kind === "task" || a.kind === "kworker" ? 0 : a.id - b.id)
  );
  const places = new Map(order.map(([key], at) => [key, at]));
  return {
    lanes: order.map(([, lane]) => lane),
    laneOf: keys.map((key) => places.get(key) ?? 0),
  };
}

/** Follows identities from a request to its bios and its work. */
class RequestFinder {
  readonly requests: Request[] = [];
  readonly #iocbs: Map<number, number> = new Map();
  readonly #dios: Map<number, number> = new Map();
  readonly #bios: Map<number, number> = new Map();
  readonly #works: Map<string, number> = new Map();

  /** The request of an event, or -1. */
  of(event: TraceEvent, at: number): number {
    const found = this.#find(event, at);
    if (found < 0) return -1;
    const request = this.requests[found] as Request;
    request.last = at;
    const { dio, bio, iocb } = event;
    if (dio) this.#dios.set(dio, found);
    if (bio) this.#bios.set(bio, found);
    if (iocb) this.#iocbs.set(iocb, found);
    if (event["work"] !== undefined) this.#works.set(workKey(event), found);
    return found;
  }

  #find(event: TraceEvent, at: number): number {
    const { dio, iocb, bio, ev } = event;
    const known = (dio ? this.#dios.get(dio) : undefined) ??
      (iocb ? this.#iocbs.get(iocb) : undefined) ??
      (bio ? this.#bios.get(bio) : undefined) ??
      (event["work"] === undefined
        ? undefined
        : this.#works.get(workKey(event)));
    // An iocb may have several dios, one after the other.
    if (known !== undefined && (ev !== "io_submit")) return known;
    if (!iocb && !dio) return -1;
    const what = event["rw"] === undefined
      ? ""
      : `${event["rw"]} ${event["offset"]}+${event["bytes"]} `;
    const label = `${what}${iocb ? `iocb ${iocb}` : `dio ${dio}`}`;
    this.requests.push({
      dio: dio ?? 0,
      iocb: iocb ?? 0,
      label,
      first: at,
      last: at,
    });
    return this.requests.length - 1;
  }
}

function workKey(event: TraceEvent): string {
  return `${event.wq ?? ""} ${event["work"]}`;
}

function findRequests(
  events: readonly TraceEvent[],
): Pick<TraceGraph, "requests" | "requestOf"> {
  const finder = new RequestFinder();
  const requestOf = events.map((event, at) => finder.of(event, at));
  return { requests: finder.requests, requestOf };
}

function findSpans(
  events: readonly TraceEvent[],
  laneOf: readonly number[],
): Span[] {
  const spans: Span[] = [];
  const open: { readonly at: number; readonly ev: string }[][] = [];
  events.forEach((event, at) => {
    const { ev } = event;
    const lane = laneOf[at] as number;
    const stack = open[lane] ??= [];
    if (Object.hasOwn(SPANS, ev)) stack.push({ at, ev });
    const begins = SPAN_OF_END.get(ev);
    if (begins === undefined) return;
    const from = stack.findLastIndex(({ ev }) => begins.includes(ev));
    if (from < 0) return;
    for (const { at: begin, ev: name } of stack.splice(from).slice(0, 1)) {
      const fn = events[begin]?.["fn"];
      spans.push({
        from: begin,
        to: at,
        name: fn === undefined ? name : String(fn),
      });
    }
  });
  return spans.sort((a, b) => a.from - b.from || b.to - a.to);
}

/** What an event sets off, and what it is set off by. */
const CAUSES: Readonly<
  Record<string, (event: TraceEvent) => readonly [Arrow["kind"], string]>
> = {
  submit_bio: (event) => ["bio", `bio ${event.bio}`],
  queue_work: (event) => ["work", `work ${workKey(event)}`],
  aio_complete: (event) => ["event", `event ${event.iocb}`],
  wake_up_process: (event) => ["wake", `task ${event["pid"]}`],
};
const EFFECTS: Readonly<Record<string, (event: TraceEvent) => string>> = {
  bio_endio: (event) => `bio ${event.bio}`,
  workqueue_execute_start: (event) => `work ${workKey(event)}`,
  io_getevents: (event) => `event ${event.iocb}`,
};

function findArrows(events: readonly TraceEvent[]): Arrow[] {
  const arrows: Arrow[] = [];
  const causes = new Map<string, { at: number; kind: Arrow["kind"] }>();
  const take = (key: string, to: number) => {
    const cause = causes.get(key);
    if (cause === undefined) return;
    causes.delete(key);
    arrows.push({ from: cause.at, to, kind: cause.kind });
  };
  events.forEach((event, at) => {
    const effect = EFFECTS[event.ev]?.(event);
    if (effect !== undefined) take(effect, at);
    if (event.ctx === "task") take(`task ${event.tid}`, at);
    const [kind, key] = CAUSES[event.ev]?.(event) ?? [];
    if (kind !== undefined && event["ret"] !== 0) {
      causes.set(key as string, { at, kind });
    }
  });
  return arrows;
}

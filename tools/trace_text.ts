/**
 * The trace format `text`: one line an event, one column for each task,
 * interrupt context and kworker, and arrows for what sets off what.
 *
 * @module
 */

import type { TraceEvent } from "../core/mod.ts";
import { type Style, styleOf, wrapText } from "./cli.ts";
import { type LaneKind, layOut, type Place } from "./trace_layout.ts";
import { shortArgs } from "./trace_args.ts";
import { findTargets } from "./trace_arrows.ts";
import { BLANK, Line, type Paint } from "./trace_line.ts";

/** How a trace is shown. */
export interface TextOptions {
  /**
   * Characters in a line.
   *
   * @default {100}
   */
  readonly width?: number;
  /**
   * Whether to use colours.
   *
   * @default {false}
   */
  readonly color?: boolean;
  /** What to say under an event, by its `seq`. */
  readonly notes?: ReadonlyMap<number, string>;
  /** Names of workqueues, by their identity; others are told by the trace. */
  readonly queues?: ReadonlyMap<number, string>;
}

/** Least distance of two columns. */
const MIN_STEP = 14;
const MAX_STEP = 40;
/** Characters of the last column, which has nothing to its right. */
const LAST_ROOM = 33;
/** Characters that an event takes when its column is narrower than that. */
const TIGHT_ROOM = 30;
/** Characters up to which the argument that matters most goes beyond. */
const WIDE_ROOM = 44;
/** Characters of an arrow, with the blank before it. */
const ARROW_ROOM = 5;

/** The events that a reader looks for first. */
export const KEY_EVENTS: ReadonlySet<string> = new Set([
  "submit_bio",
  "bio_endio",
  "queue_work",
  "dio_complete",
  "iomap_dio_complete",
  "end_io",
  "end_io_return",
  "inode_dio_done",
  "aio_complete",
  "ki_complete",
  "dio_free",
  "io_getevents",
]);
/** Events that are wrong whenever they come. */
export const TROUBLE: ReadonlySet<string> = new Set([
  "oops",
  "hung_task",
  "soft_lockup",
  "slab_leak",
]);

/**
 * Shows a trace.
 *
 * @param events The trace.
 * @param options How.
 * @returns The lines, each with its end.
 */
export function* renderText(
  events: readonly TraceEvent[],
  options: TextOptions = {},
): Generator<string, void, void> {
  if (events.length === 0) return;
  yield* new TextTrace(events, options).lines();
}

/** A trace being shown. */
class TextTrace {
  readonly #events: readonly TraceEvent[];
  readonly #notes: ReadonlyMap<number, string>;
  readonly #width: number;
  readonly #style: Style;
  readonly #kinds: readonly LaneKind[];
  readonly #places: readonly Place[];
  /** For an event that sets off another: the column of that one. */
  readonly #targets: ReadonlyMap<number, number>;
  readonly #queues: Map<number, string>;
  readonly #seqWidth: number;
  readonly #time: (ts: number) => string;
  readonly #timeWidth: number;
  readonly #left: number;
  readonly #step: number;
  /** The name over each column, and who was last in it. */
  readonly #actors: string[] = [];
  readonly #last: string[] = [];

  constructor(events: readonly TraceEvent[], options: TextOptions) {
    this.#events = events;
    this.#notes = options.notes ?? new Map();
    this.#queues = new Map(options.queues);
    this.#width = Math.max(options.width ?? 100, 60);
    this.#style = styleOf(options.color ?? false);
    const [first, last] = [events[0], events.at(-1)] as [
      TraceEvent,
      TraceEvent,
    ];
    this.#seqWidth = Math.max(3, String(last.seq).length);
    this.#time = timeFormat(first.ts, last.ts);
    this.#timeWidth = Math.max(4, this.#time(last.ts).length);
    this.#left = this.#seqWidth + 1 + this.#timeWidth + 2;
    const room = this.#width - this.#left - LAST_ROOM;
    const layout = layOut(events, 1 + Math.floor(room / MIN_STEP));
    this.#kinds = layout.kinds;
    this.#places = layout.places;
    const gaps = Math.max(layout.kinds.length - 1, 1);
    this.#step = Math.min(MAX_STEP, Math.floor(room / gaps));
    this.#targets = findTargets(events, layout.places);
  }

  *lines(): Generator<string, void, void> {
    yield this.#header();
    let ts = NaN;
    for (const [i, event] of this.#events.entries()) {
      const place = this.#places[i] as Place;
      if (place.lane < 0) {
        yield this.#end(event);
        continue;
      }
      if (this.#actors[place.lane] !== place.actor) yield this.#takeOver(place);
      yield this.#line(event, place, i, event.ts !== ts);
      yield* this.#note(event, place);
      ts = event.ts;
    }
  }

  #x(lane: number): number {
    return this.#left + lane * this.#step;
  }

  #paint(lane: number): Paint {
    const { cyan, yellow, magenta } = this.#style;
    const kind = this.#kinds[lane] as LaneKind;
    return { task: cyan, irq: yellow, kworker: magenta }[kind];
  }

  #header(): string {
    const { dim } = this.#style;
    const line = new Line(this.#width);
    line.put(0, "seq".padStart(this.#seqWidth), dim);
    line.put(
      this.#seqWidth + 1,
      this.#time(NaN).padStart(this.#timeWidth),
      dim,
    );
    for (const { lane, actor } of this.#places) {
      if (lane < 0 || this.#actors[lane] !== undefined) continue;
      this.#actors[lane] = actor;
      this.#putActor(line, lane, actor);
    }
    return line.toString();
  }

  /** Another task comes into a column whose task has ended. */
  #takeOver({ lane, actor }: Place): string {
    this.#actors[lane] = actor;
    const line = this.#lifelines();
    this.#putActor(line, lane, actor);
    return line.toString();
  }

  #putActor(line: Line, lane: number, actor: string): void {
    const { bold } = this.#style;
    const paint = this.#paint(lane);
    const isLast = lane === this.#kinds.length - 1;
    const room = isLast ? LAST_ROOM : this.#step - 1;
    const name = actor.length > room ? `${actor.slice(0, room - 1)}…` : actor;
    line.put(this.#x(lane), name.padEnd(room), (text) => bold(paint(text)));
  }

  #lifelines(): Line {
    const line = new Line(this.#width);
    for (let lane = 0; lane < this.#kinds.length; lane++) {
      line.put(this.#x(lane), "│", this.#style.dim);
    }
    return line;
  }

  #line(
    event: TraceEvent,
    place: Place,
    index: number,
    isNewTime: boolean,
  ): string {
    const { dim } = this.#style;
    const { lane } = place;
    const line = this.#lifelines();
    line.put(0, String(event.seq).padStart(this.#seqWidth), dim);
    if (isNewTime) {
      line.put(
        this.#seqWidth + 1,
        this.#time(event.ts).padStart(this.#timeWidth),
      );
    }
    line.put(this.#x(lane), "┃", this.#paint(lane));
    const target = this.#targets.get(index) ?? lane;
    const end = this.#putEvent(line, event, place, target > lane);
    if (target !== lane) this.#putArrow(line, lane, end, target);
    return line.toString();
  }

  /** Writes what happened; gives the place behind it. */
  #putEvent(
    line: Line,
    event: TraceEvent,
    { lane, who }: Place,
    hasArrow: boolean,
  ): number {
    const { dim, red } = this.#style;
    const { ev } = event;
    if (ev === "alloc_workqueue" && event.wq !== undefined) {
      this.#queues.set(event.wq, String(event["name"]));
    }
    const start = this.#x(lane) + 2;
    const isNew = who !== "" && this.#last[lane] !== who;
    this.#last[lane] = who;
    let x = line.put(start, isNew ? `[${who}] ` : "", this.#paint(lane));
    x = line.put(x, ev, this.#eventPaint(ev, lane));
    // Of these the message is shown in full, below.
    if (event["msg"] !== undefined) return x;
    const { tight, wide } = this.#room(lane, hasArrow);
    const used = x - start;
    const args = shortArgs(event, tight - used, wide - used, this.#queues);
    for (const { text, isError } of args) {
      const paint = ev === "might_sleep" ? dim : BLANK;
      x = line.put(x, " ");
      x = line.put(x, text, isError ? red : paint);
    }
    // So that it does not touch the next column.
    line.put(x, " ");
    return x;
  }

  /** Characters for an event, and for the argument that matters most. */
  #room(lane: number, hasArrow: boolean): { tight: number; wide: number } {
    const end = this.#width - this.#x(lane) - 2;
    if (lane === this.#kinds.length - 1) return { tight: end, wide: end };
    const tight = Math.max(this.#step - 3, TIGHT_ROOM);
    return {
      tight: hasArrow ? this.#step - 2 - ARROW_ROOM : tight,
      wide: Math.min(end, Math.max(tight, WIDE_ROOM)),
    };
  }

  #eventPaint(ev: string, lane: number): Paint {
    const { dim, red, bold } = this.#style;
    const ink = this.#paint(lane);
    if (ev === "might_sleep") return dim;
    if (TROUBLE.has(ev)) return (text) => bold(red(text));
    return KEY_EVENTS.has(ev) ? (text) => bold(ink(text)) : ink;
  }

  #putArrow(line: Line, lane: number, end: number, target: number): void {
    const { dim } = this.#style;
    const x = this.#x(target);
    const isRight = target > lane;
    const from = isRight ? end + 1 : x + 1;
    const to = isRight ? x - 1 : this.#x(lane) - 1;
    // Text that reaches over the next column leaves no room for one.
    if (to - from < 1) return;
    const dashes = "─".repeat(to - from);
    line.put(from, isRight ? `${dashes}▶` : `◀${dashes}`, dim);
    for (let i = 0; i < this.#kinds.length; i++) {
      const crossed = this.#x(i);
      if (crossed > from && crossed < to) line.put(crossed, "┼", dim);
    }
  }

  *#note(event: TraceEvent, { lane }: Place): Generator<string, void, void> {
    const { dim, red } = this.#style;
    const message = event["msg"];
    const text = this.#notes.get(event.seq) ?? message;
    if (text === undefined) return;
    const start = this.#x(lane) + 2;
    const room = Math.min(this.#width - start - 2, 70);
    const rows = String(text).split("\n")
      .flatMap((row) => wrapText(row, room));
    for (const [i, row] of rows.entries()) {
      const line = this.#lifelines();
      line.put(this.#x(lane), "┃", this.#paint(lane));
      line.put(
        start,
        `${i === 0 ? "╰" : " "} ${row}`,
        message === undefined ? dim : red,
      );
      yield line.toString();
    }
  }

  #end(event: TraceEvent): string {
    const line = new Line(this.#width);
    const { dim } = this.#style;
    line.put(0, String(event.seq).padStart(this.#seqWidth), dim);
    const text = `── ${event.ev} `;
    const last = this.#x(this.#kinds.length - 1);
    line.put(this.#left, text.padEnd(last - this.#left + 1, "─"), dim);
    return line.toString();
  }
}

/** Short times are shown as they are, long ones from the first event on. */
function timeFormat(first: number, last: number): (ts: number) => string {
  return last < 1e7
    ? (ts) => Number.isNaN(ts) ? "ns" : String(ts)
    : (ts) => Number.isNaN(ts) ? "µs" : ((ts - first) / 1000).toFixed(3);
}

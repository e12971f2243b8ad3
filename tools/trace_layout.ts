/**
 * Which column each event of a trace stands in: one a task, one an interrupt
 * context, one a kworker, in this order.
 *
 * A task that begins after another has ended takes over its column. When
 * there are more columns than fit, interrupts are put together by kind, then
 * all of them, then the kworkers, then the tasks.
 *
 * @module
 */

import type { TraceEvent } from "../core/mod.ts";

/** What runs in a column. */
export type LaneKind = "task" | "irq" | "kworker";

/** Where an event stands. */
export interface Place {
  /** The column; -1 for an event that is nobody's. */
  readonly lane: number;
  /** The name over the column from here on. */
  readonly actor: string;
  /** Who it is among those that share the column, or an empty string. */
  readonly who: string;
}

/** The columns of a trace. */
export interface Layout {
  /** What runs in each column. */
  readonly kinds: readonly LaneKind[];
  /** Where each event stands. */
  readonly places: readonly Place[];
}

interface Actor {
  readonly kind: LaneKind;
  readonly label: string;
  readonly first: number;
  last: number;
  lane: number;
}

interface Seat {
  readonly kind: LaneKind;
  readonly key: string;
  readonly label: string;
  readonly who: string;
}

/** How much is put together; the last level is one column for everything. */
const LEVELS = 6;

/**
 * Finds the columns of a trace.
 *
 * @param events The trace.
 * @param maxLanes How many columns fit.
 * @returns The columns.
 */
export function layOut(
  events: readonly TraceEvent[],
  maxLanes: number,
): Layout {
  for (let level = 0;; level++) {
    const layout = tryLevel(events, level);
    if (layout.kinds.length <= maxLanes || level === LEVELS - 1) return layout;
  }
}

function tryLevel(events: readonly TraceEvent[], level: number): Layout {
  const actors = new Map<string, Actor>();
  const seats = events.map((event, i) => seatOf(event, level, i, events));
  seats.forEach((seat, i) => {
    if (seat === null) return;
    const { kind, key, label } = seat;
    const actor = actors.get(key);
    if (actor) actor.last = i;
    else actors.set(key, { kind, label, first: i, last: i, lane: 0 });
  });
  const kinds = giveLanes([...actors.values()]);
  const places = seats.map((seat): Place => {
    const actor = seat && actors.get(seat.key);
    if (!seat || !actor) return { lane: -1, actor: "", who: "" };
    return { lane: actor.lane, actor: seat.label, who: seat.who };
  });
  return { kinds, places };
}

/** Gives each actor a lane, and says what runs in each. */
function giveLanes(actors: readonly Actor[]): LaneKind[] {
  const kinds: LaneKind[] = [];
  for (const kind of ["task", "irq", "kworker"] as const) {
    const lanes: { readonly lane: number; last: number }[] = [];
    for (const actor of actors) {
      if (actor.kind !== kind) continue;
      let lane = lanes.find(({ last }) => kind !== "irq" && last < actor.first);
      if (lane === undefined) {
        lane = { lane: kinds.push(kind) - 1, last: 0 };
        lanes.push(lane);
      }
      lane.last = actor.last;
      actor.lane = lane.lane;
    }
  }
  return kinds;
}

function seatOf(
  event: TraceEvent,
  level: number,
  index: number,
  events: readonly TraceEvent[],
): Seat | null {
  const { ctx, cpu, tid, comm, ev } = event;
  if (ev === "trace_end") return null;
  const thread = `${comm}-${tid}`;
  if (level >= 5) {
    const who = ctx === "softirq" || ctx === "hardirq"
      ? `${ctx}/${cpu}`
      : thread;
    return { kind: "task", key: "all", label: "all contexts", who };
  }
  switch (ctx) {
    case "task":
      if (level >= 4) return together("task", "tasks", thread);
      // What boots and halts the kernel is not there in between.
      return tid === 0
        ? alone("task", `${thread}@${burstStart(index, events)}`, thread)
        : alone("task", thread, thread);
    case "kworker":
      return level >= 3
        ? together("kworker", "kworkers", kworkerName(comm))
        : alone("kworker", thread, comm);
    default: {
      const name = `${ctx}/${cpu}`;
      if (level >= 2) return together("irq", "interrupts", name);
      if (level === 1) return together("irq", ctx, `cpu ${cpu}`);
      return alone("irq", name, name);
    }
  }
}

/** `1:0` of `kworker/1:0-dio/sda`. */
function kworkerName(comm: string): string {
  return /^kworker\/([^-]+)/.exec(comm)?.[1] ?? comm;
}

function alone(kind: LaneKind, key: string, label: string): Seat {
  return { kind, key, label, who: "" };
}

function together(kind: LaneKind, label: string, who: string): Seat {
  return { kind, key: label, label, who };
}

/** Where the run of events of one thread around an event begins. */
function burstStart(index: number, events: readonly TraceEvent[]): number {
  const { tid, ctx } = events[index] as TraceEvent;
  let start = index;
  while (
    start > 0 && events[start - 1]?.tid === tid &&
    events[start - 1]?.ctx === ctx
  ) start--;
  return start;
}

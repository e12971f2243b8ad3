/**
 * What sets off what in a trace: a submission the end of its bio, a queued
 * work its execution, a wakeup what the task does next.
 *
 * @module
 */

import type { TraceEvent } from "../core/mod.ts";
import type { Place } from "./trace_layout.ts";

/**
 * Finds the columns of what events set off.
 *
 * @param events The trace.
 * @param places Where each event stands.
 * @returns The columns, by the places of the causes in the trace.
 */
export function findTargets(
  events: readonly TraceEvent[],
  places: readonly Place[],
): Map<number, number> {
  const targets = new Map<number, number>();
  const next = new Map<string, number>();
  for (let i = events.length - 1; i >= 0; i--) {
    const event = events[i] as TraceEvent;
    const { lane } = places[i] as Place;
    const cause = causeOf(event);
    const target = cause === null ? undefined : next.get(cause);
    if (target !== undefined) targets.set(i, target);
    const effect = effectOf(event);
    if (effect !== null) next.set(effect, lane);
    if (event.ctx === "task") next.set(`task ${event.tid}`, lane);
  }
  return targets;
}

function causeOf(event: TraceEvent): string | null {
  switch (event.ev) {
    case "submit_bio":
      return `bio ${event.bio}`;
    case "queue_work":
      return event["ret"] === 0 ? null : `work ${event.wq} ${event["work"]}`;
    case "wake_up_process":
      return `task ${event["pid"]}`;
    default:
      return null;
  }
}

function effectOf(event: TraceEvent): string | null {
  switch (event.ev) {
    case "bio_endio":
      return `bio ${event.bio}`;
    case "workqueue_execute_start":
      return `work ${event.wq} ${event["work"]}`;
    default:
      return null;
  }
}

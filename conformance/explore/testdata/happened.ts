/**
 * What happened in a run, whatever came first: two runs of the same trace in
 * the sense of Mazurkiewicz do not differ in it.
 *
 * @module
 */

import type { TraceEvent } from "../../../core/mod.ts";

/** What tells when, and which of several like it. */
const NAMES: ReadonlySet<string> = new Set(
  ["seq", "ts", "cpu", "tid", "comm", "dio", "iocb", "bio", "page"],
);

/**
 * What happened, and in which contexts.
 *
 * @param events The trace of a run.
 * @returns Its events without time and names, in an order of their own.
 */
export function happened(events: readonly TraceEvent[]): string[] {
  return events.map(anonymous).sort();
}

/** An event without time and names, which depend on what comes before it. */
function anonymous(event: TraceEvent): string {
  return JSON.stringify(
    event,
    (name, value) => NAMES.has(name) ? undefined : value,
  );
}

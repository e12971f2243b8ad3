/**
 * The trace format `mermaid`: a sequence diagram for a page of text, of the
 * events that matter most.
 *
 * @module
 */

import type { TraceEvent } from "../core/mod.ts";
import { shortArgs } from "./trace_args.ts";
import { graphOf, type TraceGraph } from "./trace_graph.ts";
import { KEY_EVENTS, TROUBLE } from "./trace_text.ts";

/** Messages that a diagram can hold and still be drawn everywhere. */
const MAX_MESSAGES = 100;
/** Characters of the arguments in a message. */
const ROOM = 34;
/** How an arrow looks, by what carries it: open ones do not wait. */
const ARROWS: Readonly<Record<string, string>> = {
  bio: "-)",
  work: "-)",
  wake: "--)",
  event: "--)",
};

/**
 * Writes a trace.
 *
 * @param events The events.
 * @returns The lines, each with its end.
 */
export function* encodeMermaid(
  events: readonly TraceEvent[],
): Generator<string, void, void> {
  const graph = graphOf(events);
  const shown = chosen(events, graph);
  const cut = shown.slice(0, MAX_MESSAGES);
  const lanes = [...new Set(cut.map((at) => graph.laneOf[at] ?? 0))]
    .sort((a, b) => a - b);
  yield "sequenceDiagram\n";
  for (const lane of lanes) {
    const label = graph.lanes[lane]?.label ?? "";
    yield `    participant L${lane} as ${clean(label)}\n`;
  }
  const effects = new Map(graph.arrows.map((arrow) => [arrow.from, arrow]));
  const isShown = new Set(cut);
  for (const at of cut) {
    const lane = `L${graph.laneOf[at]}`;
    const arrow = effects.get(at);
    const text = textOf(events[at] as TraceEvent);
    if (arrow !== undefined && isShown.has(arrow.to)) {
      const to = `L${graph.laneOf[arrow.to]}`;
      yield `    ${lane}${ARROWS[arrow.kind]}${to}: ${text}\n`;
    } else yield `    Note over ${lane}: ${text}\n`;
  }
  const more = shown.length - cut.length;
  if (more > 0) {
    const last = `L${graph.laneOf[cut.at(-1) ?? 0]}`;
    yield `    Note over ${last}: and ${more} events more\n`;
  }
}

/** The events that matter most, and what they set off. */
function chosen(
  events: readonly TraceEvent[],
  { arrows }: TraceGraph,
): number[] {
  const effects = new Set(arrows.map(({ to }) => to));
  return events.flatMap(({ ev }, at) =>
    KEY_EVENTS.has(ev) || TROUBLE.has(ev) || effects.has(at) ? [at] : []
  );
}

function textOf(event: TraceEvent): string {
  const args = shortArgs(event, ROOM).map(({ text }) => text);
  return clean([event.ev, ...args].join(" "));
}

/** Text in which nothing means something else there. */
function clean(text: string): string {
  return text.replaceAll("#", "#35;").replaceAll(";", "#59;")
    .replaceAll("#35#59;", "#35;").replaceAll(/[\r\n]+/g, "<br/>")
    .replaceAll(/\bend\b/g, "#101;nd");
}

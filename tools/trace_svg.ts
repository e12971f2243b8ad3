/**
 * The trace format `svg`: a picture of a short trace, a column a context, for
 * documents; light and dark as the reader has it.
 *
 * @module
 */

import type { TraceEvent } from "../core/mod.ts";
import { hueOf, timeText } from "./html/trace_view.ts";
import { shortArgs } from "./trace_args.ts";
import type { Broken, Collected } from "./trace_collect.ts";
import { type Arrow, graphOf, type TraceGraph } from "./trace_graph.ts";
import { KEY_EVENTS } from "./trace_text.ts";

/** Events of a picture; more would not be looked at. */
export const MAX_SVG_EVENTS = 1000;

const ROW = 20;
const TOP = 44;
const LEFT = 118;
const LANE = 210;
/** The width of a character, in whatever font that is not narrower. */
const CHAR = 7.3;
/** Characters of the arguments beside an event. */
const ROOM = 44;

const STYLE = `
svg{--paper:#fff;--ink:#1b1f24;--dim:#59636e;--line:#d0d7de;--red:#c8201f;--l:38%;
background:var(--paper);font:12px ui-monospace,monospace}
@media(prefers-color-scheme:dark){svg{--paper:#15181d;--ink:#e3e7ec;--dim:#98a2ae;
--line:#3a424c;--red:#ff7b72;--l:68%}}
text{fill:var(--dim)}.h{font-weight:700;fill:var(--ink)}.k{font-weight:700}
.e{fill:hsl(var(--h) 62% var(--l))}.n .e,.n circle{fill:var(--dim)}
circle{fill:hsl(var(--h) 62% var(--l))}line{stroke:var(--line)}
path{fill:none;stroke:hsl(var(--h) 60% var(--l));stroke-width:1.3;opacity:.75}
.w{stroke-dasharray:3 3}.n path{stroke:var(--dim)}.v{fill:var(--red);font-weight:700}
.t{text-anchor:end}`;

/**
 * Draws a trace.
 *
 * @param title What it is of.
 * @param trace The trace, and what it breaks.
 * @returns The picture, in pieces.
 */
export function* encodeSvg(
  title: string,
  { events, broken, queues }: Omit<Collected, "error">,
): Generator<string, void, void> {
  const cut = events.slice(0, MAX_SVG_EVENTS);
  const graph = graphOf(cut);
  const labels = labelsOf(cut, broken, queues);
  const ends = labels.map(({ ev, args, rules }, at) =>
    xOf(graph.laneOf[at] as number) + 20 +
    CHAR * `${ev} ${args} ${rules}`.length
  );
  const heads = graph.lanes.map(({ label }, at) =>
    xOf(at) + CHAR * label.length
  );
  const width = Math.ceil(Math.max(LEFT + LANE, ...ends, ...heads));
  const height = TOP + cut.length * ROW + ROW;
  yield `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escape(title)}</title>
<style>${STYLE}</style>
`;
  for (const [at, { label }] of graph.lanes.entries()) {
    const x = xOf(at);
    yield `<line x1="${x}" x2="${x}" y1="${TOP - 10}" y2="${
      height - 8
    }"/><text class="h" x="${x - 4}" y="22">${escape(label)}</text>\n`;
  }
  for (const [at, arrow] of graph.arrows.entries()) {
    yield drawArrow(arrow, at, graph);
  }
  const start = cut[0]?.ts ?? 0;
  const span = (cut.at(-1)?.ts ?? 0) - start;
  for (const [at, label] of labels.entries()) {
    const time = timeText((cut[at]?.ts ?? 0) - start, span);
    yield drawEvent(label, at, graph, time);
  }
  const more = events.length - cut.length;
  if (more > 0) {
    yield `<text x="${LEFT}" y="${
      height - 6
    }">and ${more} events more</text>\n`;
  }
  yield "</svg>\n";
}

/** What stands beside an event. */
interface Label {
  readonly ev: string;
  readonly args: string;
  /** The rules that it breaks, or an empty string. */
  readonly rules: string;
}

function labelsOf(
  events: readonly TraceEvent[],
  broken: readonly Broken[],
  queues: Collected["queues"],
): Label[] {
  const rules = new Map<TraceEvent, Set<string>>();
  for (const { rule, events } of broken) {
    for (const event of events) {
      rules.set(event, (rules.get(event) ?? new Set()).add(rule));
    }
  }
  return events.map((event) => {
    const own = [...rules.get(event) ?? []];
    return {
      ev: event.ev,
      args: shortArgs(event, ROOM, ROOM, queues).map(({ text }) => text)
        .join(" "),
      rules: own.length === 0 ? "" : `✗ ${own.join(", ")}`,
    };
  });
}

function xOf(lane: number): number {
  return LEFT + lane * LANE;
}

function yOf(at: number): number {
  return TOP + at * ROW;
}

function hueStyle(request: number): string {
  return request < 0 ? ' class="n"' : ` style="--h:${hueOf(request)}"`;
}

/** Down between the rows, to the left of the lane that it leads to. */
function drawArrow(
  { from, to, kind }: Arrow,
  i: number,
  { laneOf, requestOf }: TraceGraph,
): string {
  const x1 = xOf(laneOf[from] as number);
  const x2 = xOf(laneOf[to] as number);
  const y1 = yOf(from);
  const y2 = yOf(to);
  const channel = x2 - 10 - i % 3 * 3;
  const turn = Math.min(5, Math.abs(channel - x1) / 2);
  const way = channel > x1 ? turn : -turn;
  const request = (requestOf[to] as number) >= 0
    ? requestOf[to] as number
    : requestOf[from] as number;
  return `<g${hueStyle(request)}><path${
    kind === "wake" ? ' class="w"' : ""
  } d="M${x1} ${y1}v${ROW / 2 - turn}q0 ${turn} ${way} ${turn}H${
    channel - way
  }q${way} 0 ${way} ${turn}V${y2 - 5}q0 5 5 5H${x2 - 5}m-4-3l4 3-4 3"/></g>\n`;
}

function drawEvent(
  { ev, args, rules }: Label,
  at: number,
  { laneOf, requestOf }: TraceGraph,
  time: string,
): string {
  const x = xOf(laneOf[at] as number);
  const y = yOf(at);
  const isKey = KEY_EVENTS.has(ev);
  return `<g${hueStyle(requestOf[at] as number)}><text class="t" x="${
    LEFT - 18
  }" y="${y + 4}">${time}</text><circle cx="${x}" cy="${y}" r="${
    isKey ? 4.5 : 3.5
  }"/><text x="${x + 10}" y="${y + 4}"><tspan class="e${isKey ? " k" : ""}">${
    escape(ev)
  }</tspan> ${escape(args)}${
    rules === "" ? "" : ` <tspan class="v">${escape(rules)}</tspan>`
  }</text></g>\n`;
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`)
    // deno-lint-ignore no-control-regex
    .replaceAll(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, "�");
}

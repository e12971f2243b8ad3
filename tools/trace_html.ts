/**
 * The trace format `html`: one page that holds everything it needs, to be
 * read, searched and stepped through in a browser.
 *
 * @module
 */

import { COMMON_FIELDS, type TraceEvent } from "../core/mod.ts";
import {
  type PageBroken,
  type PageData,
  type PageEvent,
  readPageData,
} from "./html/page_data.ts";
import { PAGE_STYLE } from "./html/page_style.ts";
import { TraceMap } from "./html/trace_map.ts";
import { TracePage } from "./html/trace_page.ts";
import { MAX_LISTED, TracePanel } from "./html/trace_panel.ts";
import { TraceRows } from "./html/trace_rows.ts";
import {
  element,
  GUTTER,
  hueOf,
  LAST_LANE,
  MIN_LANE,
  ROW,
  SVG,
  timeText,
  TraceView,
} from "./html/trace_view.ts";
import { explained, shortArgs } from "./trace_args.ts";
import type { Collected } from "./trace_collect.ts";
import { graphOf, type Span, type TraceGraph } from "./trace_graph.ts";
import type { TraceHeader } from "./trace_jsonl.ts";
import { KEY_EVENTS } from "./trace_text.ts";

/** Characters of the arguments beside an event. */
const ROOM = 72;

/** The page's own code, in the order in which it needs each other. */
const CODE: readonly unknown[] = [
  readPageData,
  timeText,
  hueOf,
  element,
  TraceRows,
  TraceView,
  TracePanel,
  TraceMap,
  TracePage,
];
/** Constants that the code uses. */
const CONSTANTS = { ROW, GUTTER, MIN_LANE, LAST_LANE, SVG, MAX_LISTED };

const HELP: readonly (readonly [keys: string, what: string])[] = [
  ["↓ j, ↑ k", "the next event, the one before"],
  ["] [", "the same, of this request"],
  ["→ l, ← h", "what it sets off, what it is set off by"],
  ["n p", "the next violation, the one before"],
  ["f", "this request alone, or all again"],
  ["e", "only what matters most, or all again"],
  ["/", "search"],
  ["Esc", "show everything"],
  ["Home g, End G", "first, last"],
  ["t", "light or dark"],
];

/**
 * Writes a trace.
 *
 * @param header What it says of itself.
 * @param trace The trace, and what it breaks.
 * @param name What to call it, when it does not say.
 * @returns The page, in pieces.
 */
export function* encodeHtml(
  header: TraceHeader,
  trace: Collected,
  name: string,
): Generator<string, void, void> {
  const data = pageData(header, trace, name);
  const facts = data.facts.map(([what, value]) => `${what} ${value}`);
  yield `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${escape(data.title)}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<header>
<h1>${escape(data.title)}</h1>
<span class="facts">${escape(facts.join(" · "))}</span>
<span id="status" role="status"></span>
<input id="search" type="search" placeholder="Search  /" aria-label="Search">
<label><input id="keys-only" type="checkbox"> only what matters most</label>
<button id="theme" type="button" title="Light or dark (t)">◐</button>
<button id="show-help" type="button" title="Keys (?)">?</button>
</header>
<main id="trace-view" tabindex="0" aria-label="Events"></main>
<div id="map" aria-hidden="true"></div>
<aside id="panel"></aside>
<dialog id="help"><h2>Keys</h2><dl>${
    HELP.map(([keys, what]) =>
      `<dt>${
        keys.replaceAll(/[^\s,]+/g, (key) => `<kbd>${key}</kbd>`)
      }</dt><dd>${what}</dd>`
    ).join("")
  }</dl><form method="dialog"><button>Close</button></form></dialog>
<script type="application/json" id="trace">`;
  // So that no text in the trace can end the element.
  yield JSON.stringify(data).replaceAll("<", "\\u003c");
  yield `</script>
<script>
"use strict";
`;
  for (const [constant, value] of Object.entries(CONSTANTS)) {
    yield `const ${constant} = ${JSON.stringify(value)};\n`;
  }
  yield CODE.map((part) => String(part)).join("\n");
  yield "\nnew TracePage();\n</script>\n</body>\n</html>\n";
}

/** Everything that the page shows. */
function pageData(
  header: TraceHeader,
  { events, broken, queues }: Collected,
  name: string,
): PageData {
  const graph = graphOf(events);
  const names = [...new Set(events.map(({ ev }) => ev))];
  const places = new Map(names.map((name, at) => [name, at]));
  const placeOf = new Map(events.map((event, at) => [event, at]));
  const { fs, scenario, profile, seed, clock } = header;
  const facts = { profile, seed, clock };
  return {
    title: fs === undefined ? name : `${fs} · ${scenario ?? name}`,
    facts: Object.entries(facts)
      .filter(([, value]) => value !== undefined)
      .map(([what, value]) => [what, String(value)]),
    lanes: graph.lanes.map(({ kind, label }) => [kind, label]),
    names,
    keys: names.flatMap((name, at) => KEY_EVENTS.has(name) ? [at] : []),
    events: events.map((event, at) =>
      pageEvent(event, at, graph, places, queues)
    ),
    requests: graph.requests.map(({ label, first, last }) => [
      label,
      first,
      last,
    ]),
    spans: depths(graph).map(([{ from, to, name }, depth]) => [
      from,
      to,
      depth,
      name,
    ]),
    arrows: graph.arrows.map(({ from, to, kind }) => [from, to, kind]),
    broken: broken.map((one): PageBroken => ({
      ...one,
      events: one.events.map((event) => placeOf.get(event) ?? 0),
    })),
  };
}

function pageEvent(
  event: TraceEvent,
  at: number,
  { laneOf, requestOf }: TraceGraph,
  places: ReadonlyMap<string, number>,
  queues: ReadonlyMap<number, string>,
): PageEvent {
  const args = Object.entries(event).flatMap(([name, value]) => {
    if (value === undefined) return [];
    if (name === "seq") return [[name, value]];
    if (COMMON_FIELDS.has(name)) return [];
    return [[name, explained(name, value, queues)]];
  });
  return [
    event.ts,
    laneOf[at] ?? 0,
    places.get(event.ev) ?? 0,
    requestOf[at] ?? -1,
    shortArgs(event, ROOM, ROOM, queues).map(({ text }) => text).join(" "),
    Object.fromEntries(args),
  ];
}

/** How deep each span lies in others of its lane. */
function depths(
  { spans, laneOf }: TraceGraph,
): (readonly [span: Span, depth: number])[] {
  const open: number[][] = [];
  return spans.map((span) => {
    const stack = open[laneOf[span.from] as number] ??= [];
    while ((stack.at(-1) ?? Infinity) < span.from) stack.pop();
    stack.push(span.to);
    return [span, Math.min(2, stack.length - 1)] as const;
  });
}

function escape(text: string): string {
  return text.replaceAll(
    /[&<>"]/g,
    (char) => `&#${char.charCodeAt(0)};`,
  );
}

/**
 * The formats that a trace can be written in.
 *
 * @module
 */

import { encodeChrome } from "./trace_chrome.ts";
import type { Collected } from "./trace_collect.ts";
import { encodeFtrace } from "./trace_ftrace.ts";
import { encodeHtml } from "./trace_html.ts";
import { encodeJsonl, type TraceHeader } from "./trace_jsonl.ts";
import { encodeMermaid } from "./trace_mermaid.ts";
import { encodeSvg } from "./trace_svg.ts";
import { renderText } from "./trace_text.ts";

/** How a trace is written. */
export interface WriteOptions {
  /** What to call it, when it does not say. */
  readonly name: string;
  /** Characters in a line of text. */
  readonly width: number;
  /** Whether text may be coloured. */
  readonly color: boolean;
}

/** A format. */
interface Format {
  /** A few words about it. */
  readonly about: string;
  /** Writes a trace, in pieces. */
  readonly write: (
    header: TraceHeader,
    trace: Collected,
    options: WriteOptions,
  ) => Iterable<string>;
}

/** Every format by its name. */
export const FORMATS: ReadonlyMap<string, Format> = new Map<string, Format>([
  ["text", {
    about: "one column a context, arrows for what sets off what; for reading",
    write: (_, trace, { width, color }) =>
      renderText(trace.events, {
        width,
        color,
        notes: notesOf(trace),
        queues: trace.queues,
      }),
  }],
  ["jsonl", {
    about: "a header, then one event a line as JSON; all commands read it",
    write: (header, { events }) => encodeJsonl(header, events),
  }],
  ["ftrace", {
    about: "like the kernel's own trace file; all commands read it",
    write: (header, { events }) => encodeFtrace(header, events),
  }],
  ["chrome", {
    about: "trace-event JSON, for ui.perfetto.dev and chrome://tracing",
    write: (header, trace) =>
      encodeChrome(header, trace.events, notesOf(trace)),
  }],
  ["html", {
    about: "one page to read, search and step through, without a network",
    write: (header, trace, { name }) => encodeHtml(header, trace, name),
  }],
  ["svg", {
    about: "a picture, for documents; of up to 1000 events",
    write: ({ fs, scenario }, trace, { name }) =>
      encodeSvg(fs ? `${fs} ${scenario ?? ""}` : name, trace),
  }],
  ["mermaid", {
    about: "a sequence diagram of up to 100 messages, for Markdown",
    write: (_, { events }) => encodeMermaid(events),
  }],
]);

/** What to say of the events that break a rule, by their `seq`. */
function notesOf({ broken }: Collected): Map<number, string> {
  const notes = new Map<number, string>();
  for (const { rule, expected, events } of broken) {
    const seq = events.at(-1)?.seq;
    if (seq === undefined) continue;
    const note = `${rule}: expected ${expected}`;
    const before = notes.get(seq);
    notes.set(seq, before === undefined ? note : `${before}\n${note}`);
  }
  return notes;
}

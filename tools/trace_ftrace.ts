/**
 * The trace format `ftrace`: what the kernel's own `trace` file looks like,
 * with everything that the events have, so that it can be read back.
 *
 * @module
 */

import { EVENT_ARGS, EVENT_NAMES, type TraceEvent } from "../core/mod.ts";
import { FtraceLine, LEVEL, LINE } from "./ftrace/line.ts";
import {
  decodeHeader,
  encodeHeader,
  type LineEvent,
  problemOf,
  TraceFormatError,
  type TraceHeader,
} from "./trace_jsonl.ts";

/** What the line begins with that makes it a trace of endio. */
export const FTRACE_MARK = "# endio: ";

const LEGEND = `#
#                                _-----=> irqs-off/BH-disabled
#                               / _----=> need-resched
#                              | / _---=> hardirq/softirq
#                              || / _--=> preempt-depth
#                              ||| / _-=> migrate-disable
#                              |||| /     delay
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
`;
const FLAGS: Readonly<Record<TraceEvent["ctx"], string>> = {
  task: ".....",
  kworker: ".....",
  softirq: "..s1.",
  hardirq: "d.h1.",
};
const KWORKER = "kworker/";
const SECOND_NS = 1e9;
/** What stands for the name of a thread that has none. */
const NO_NAME = "\\e";

/**
 * Writes a trace.
 *
 * @param header What it says of itself.
 * @param events The events.
 * @returns Its lines, each with its end.
 */
export function* encodeFtrace(
  header: TraceHeader,
  events: Iterable<TraceEvent>,
): Generator<string, void, void> {
  yield encodeFtraceHeader(header);
  const encoder = new FtraceEncoder();
  for (const event of events) yield encoder.encode(event);
}

/**
 * The lines that a trace begins with.
 *
 * @param header What it says of itself.
 * @returns The lines, each with its end.
 */
export function encodeFtraceHeader(header: TraceHeader): string {
  return `# tracer: nop\n${FTRACE_MARK}${encodeHeader(header)}\n${LEGEND}`;
}

/** Writes events one after the other. */
export class FtraceEncoder {
  #next = 0;

  /**
   * Writes the next event.
   *
   * @param event The event.
   * @returns Its line, with its end, and before it what was lost.
   */
  encode(event: TraceEvent): string {
    const { seq, ts, cpu, ctx, tid, comm, ev } = event;
    const lost = seq - this.#next;
    const extra = lost < 0 ? [`_seq=${seq}`] : [];
    const isKworker = comm.startsWith(KWORKER);
    if (
      (ctx === "kworker") !== isKworker && ctx !== "softirq" &&
      ctx !== "hardirq"
    ) {
      extra.push(`_ctx=${ctx}`);
    }
    if (tid < 0) extra.push(`_tid=${tid}`);
    if (cpu > 99999) extra.push(`_cpu=${cpu}`);
    this.#next = Math.max(this.#next, seq) + 1;
    const thread = `${escapeComm(comm).padStart(16)}-${
      String(Math.max(0, tid)).padEnd(7)
    }`;
    const place = String(Math.min(cpu, 99999)).padStart(3, "0");
    const seconds = Math.floor(ts / SECOND_NS);
    const fraction = String(ts % SECOND_NS).padStart(9, "0");
    const time = `${String(seconds).padStart(5)}.${fraction}`;
    const args = [...argsOf(event), ...extra].join(" ");
    const line = `${thread} [${place}] ${FLAGS[ctx]} ${time}: ${ev}:${
      args === "" ? "" : ` ${args}`
    }\n`;
    return lost > 0 ? `CPU:${cpu} [LOST ${lost} EVENTS]\n${line}` : line;
  }
}

function* argsOf(event: TraceEvent): Generator<string, void, void> {
  const code = (EVENT_NAMES as readonly string[]).indexOf(event.ev);
  for (const { name, type } of EVENT_ARGS[code] ?? []) {
    const value = event[name];
    if (value === undefined) continue;
    const isBare = type !== "str" || /^[\w.:/+-]+$/.test(String(value));
    // JSON leaves blanks in a string, which end an argument here.
    yield `${name}=${
      isBare ? value : JSON.stringify(value).replaceAll(" ", "\\u0020")
    }`;
  }
}

/** A name in which nothing looks like the rest of the line. */
function escapeComm(comm: string): string {
  if (comm === "") return NO_NAME;
  return comm.replaceAll(
    /[^\x20-\x7e]|[\\[]|^[ #]| $/gu,
    (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`,
  );
}

function unescapeComm(text: string): string {
  if (text === NO_NAME) return "";
  return text.replaceAll(
    /\\u\{([0-9a-f]{1,6})\}/g,
    (_, hex) => String.fromCodePoint(Math.min(parseInt(hex, 16), 0x10ffff)),
  );
}

/** A trace in the format, read line by line. */
export class FtraceDecoder {
  /** What it says of itself. */
  readonly header: TraceHeader;
  readonly #line: FtraceLine = new FtraceLine();
  #next = 0;

  /**
   * Begins with the line that says what the trace is.
   *
   * @param text The line, from {@linkcode FTRACE_MARK} on.
   * @param line Its number.
   * @throws {TraceFormatError} If it is no such line.
   */
  constructor(text: string, line: number) {
    try {
      this.header = decodeHeader(text.slice(FTRACE_MARK.length));
    } catch (error) {
      if (!(error instanceof TraceFormatError)) throw error;
      throw new TraceFormatError(line, error.message);
    }
  }

  /**
   * Reads the next line.
   *
   * @param text The line, without its end.
   * @param no Its number.
   * @returns The event, or null for a line that is none.
   * @throws {TraceFormatError} If it is neither.
   */
  decode(text: string, no: number): LineEvent | null {
    const bytes = new TextEncoder().encode(text);
    const line = this.#line;
    const kind = line.parse(bytes, 0, bytes.length);
    if (kind === LINE.note) return null;
    if (kind === LINE.lost) {
      this.#next += line.lost;
      return null;
    }
    if (kind !== LINE.event) {
      throw new TraceFormatError(no, "this is no line of ftrace text");
    }
    const fields = this.#fields();
    const problem = problemOf(fields);
    if (problem !== null) throw new TraceFormatError(no, problem);
    this.#next = Math.max(this.#next, (fields as TraceEvent).seq) + 1;
    return { line: no, event: fields as TraceEvent };
  }

  #fields(): Record<string, unknown> {
    const line = this.#line;
    const text = (from: number, to: number) =>
      new TextDecoder().decode(line.bytes.subarray(from, to));
    const comm = unescapeComm(text(line.commAt, line.commEnd));
    const ev = text(line.nameAt, line.nameEnd);
    const fields: Record<string, unknown> = {
      seq: this.#next,
      ts: line.ts,
      cpu: line.cpu,
      ctx: line.level === LEVEL.hardirq
        ? "hardirq"
        : line.level === LEVEL.softirq
        ? "softirq"
        : comm.startsWith(KWORKER)
        ? "kworker"
        : "task",
      tid: line.pid,
      comm,
      ev,
    };
    const code = (EVENT_NAMES as readonly string[]).indexOf(ev);
    for (const part of text(line.argsAt, line.argsEnd).split(" ")) {
      const at = part.indexOf("=");
      if (at > 0) readArg(fields, code, part.slice(0, at), part.slice(at + 1));
    }
    return fields;
  }
}

function readArg(
  fields: Record<string, unknown>,
  code: number,
  name: string,
  text: string,
): void {
  if (/^_(?:seq|tid|cpu|ctx)$/.test(name)) {
    fields[name.slice(1)] = name === "_ctx" ? text : Number(text);
    return;
  }
  const type = EVENT_ARGS[code]?.find((arg) => arg.name === name)?.type;
  fields[name] = type === "int"
    ? Number(text)
    : text.startsWith('"')
    ? unquoted(text)
    : text;
}

function unquoted(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

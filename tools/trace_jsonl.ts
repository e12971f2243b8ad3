/**
 * The trace format `jsonl`: a header, then one event a line.
 *
 * @module
 */

import {
  EVENT_ARGS,
  EVENT_NAMES,
  type EventArg,
  PROFILE_NAMES,
  type ProfileName,
  type TraceEvent,
} from "../core/mod.ts";

/** Version of the format: the header's `endio`. */
const VERSION = 1;

/** What a trace says of itself. */
export interface TraceHeader {
  /** Whose semantics were in force. */
  readonly profile?: ProfileName;
  /** The filesystem. */
  readonly fs?: string;
  /** The scenario. */
  readonly scenario?: string;
  /** The seed of a random schedule. */
  readonly seed?: number;
  /** What `ts` counts: `virtual` or `monotonic` nanoseconds. */
  readonly clock?: string;
  /** The token that repeats the run. */
  readonly schedule?: string;
}

/** An event, and where it stands in its file. */
export interface LineEvent {
  /** Its line, counted from 1. */
  readonly line: number;
  /** The event. */
  readonly event: TraceEvent;
}

/** A trace being read. */
export interface DecodedTrace {
  /** What it says of itself. */
  readonly header: TraceHeader;
  /**
   * Its events as they come.
   *
   * @throws {TraceFormatError} At the first line that is not one.
   */
  readonly events: AsyncGenerator<LineEvent, void, void>;
}

/** A file is not a trace, or not from this line on. */
export class TraceFormatError extends Error {
  override readonly name = "TraceFormatError";
  /** The line, counted from 1. */
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

type Check = (value: unknown) => boolean;

const CONTEXTS: readonly unknown[] = ["task", "softirq", "hardirq", "kworker"];
const isText: Check = (value) => typeof value === "string";
const isInteger: Check = (value) => Number.isSafeInteger(value);
const isCount: Check = (value) =>
  Number.isSafeInteger(value) && value as number >= 0;

/** The fields of every event: how each is checked, what it should be. */
const COMMON: readonly (readonly [string, Check, string])[] = [
  ["seq", isCount, "an integer from 0"],
  ["ts", isCount, "an integer from 0, in nanoseconds"],
  ["cpu", isCount, "an integer from 0"],
  ["ctx", (value) => CONTEXTS.includes(value), CONTEXTS.join(", ")],
  ["tid", isInteger, "an integer"],
  ["comm", isText, "a string"],
  ["ev", isText, "a string"],
];
const COMMON_NAMES: ReadonlySet<string> = new Set(COMMON.map(([name]) => name));

const ARG_CHECKS: Readonly<
  Record<EventArg["type"], readonly [Check, string]>
> = {
  int: [isInteger, "an integer"],
  str: [isText, "a string"],
  rw: [(value) => value === "read" || value === "write", "read or write"],
};

/** The arguments of every event, by its name. */
const ARGS: ReadonlyMap<string, readonly EventArg[]> = new Map(
  EVENT_NAMES.map((name, code) => [name, EVENT_ARGS[code] ?? []]),
);

const HEADER_CHECKS: Readonly<Record<string, readonly [Check, string]>> = {
  profile: [
    (value) => (PROFILE_NAMES as readonly unknown[]).includes(value),
    PROFILE_NAMES.join(", "),
  ],
  fs: [isText, "a string"],
  scenario: [isText, "a string"],
  seed: [isCount, "an integer from 0"],
  clock: [isText, "a string"],
  schedule: [isText, "a string"],
};

/**
 * Writes a trace.
 *
 * @param header What it says of itself.
 * @param events The events.
 * @returns Its lines, each with its end.
 */
export function* encodeJsonl(
  header: TraceHeader,
  events: Iterable<TraceEvent>,
): Generator<string, void, void> {
  yield `${encodeHeader(header)}\n`;
  for (const event of events) yield `${encodeEvent(event)}\n`;
}

/**
 * The first line of a trace.
 *
 * @param header What it says of itself.
 * @returns The line, without its end.
 */
export function encodeHeader(header: TraceHeader): string {
  const { profile, fs, scenario, seed, clock, schedule } = header;
  const fields = { profile, fs, scenario, seed, clock, schedule };
  return JSON.stringify({ endio: VERSION, ...fields });
}

/**
 * One event, its fields in the order of the vocabulary.
 *
 * @param event The event.
 * @returns The line, without its end.
 */
export function encodeEvent(event: TraceEvent): string {
  const { seq, ts, cpu, ctx, tid, comm, ev } = event;
  const fields: Record<string, unknown> = { seq, ts, cpu, ctx, tid, comm, ev };
  for (const { name } of ARGS.get(ev) ?? []) fields[name] = event[name];
  return JSON.stringify(fields);
}

/**
 * Reads a trace; holds one line of it at a time.
 *
 * @param lines The lines of the file, without their ends.
 * @returns Its header, and its events as they come.
 * @throws {TraceFormatError} If the first line is no header.
 */
export async function decodeJsonl(
  lines: AsyncIterable<string>,
): Promise<DecodedTrace> {
  const iterator = lines[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done) throw new TraceFormatError(1, "the trace is empty");
  try {
    const header = decodeHeader(first.value);
    return { header, events: decodeEvents(iterator) };
  } catch (error) {
    await iterator.return?.();
    throw error;
  }
}

async function* decodeEvents(
  lines: AsyncIterator<string>,
): AsyncGenerator<LineEvent, void, void> {
  try {
    let line = 1;
    for (;;) {
      const { done, value: text } = await lines.next();
      if (done) return;
      line++;
      // Editors and `cat` leave blank lines; nothing is lost in one.
      if (text.trim() === "") continue;
      const fields = parseObject(text);
      if (fields === null) {
        const isCut = !isJson(text) && (await lines.next()).done;
        throw new TraceFormatError(
          line,
          isCut
            ? "the trace ends in the middle of this line"
            : "this line is not a JSON object",
        );
      }
      const problem = problemOf(fields);
      if (problem !== null) throw new TraceFormatError(line, problem);
      yield { line, event: fields as TraceEvent };
    }
  } finally {
    await lines.return?.();
  }
}

/**
 * Reads the header of a trace.
 *
 * @param text The line.
 * @returns What the trace says of itself.
 * @throws {TraceFormatError} If it is no header.
 */
export function decodeHeader(text: string): TraceHeader {
  const fields = parseObject(text);
  if (fields === null || !Object.hasOwn(fields, "endio")) {
    throw new TraceFormatError(
      1,
      `no trace of endio: its first line is no header {"endio":${VERSION},…}`,
    );
  }
  const { endio, ...header } = fields;
  if (endio !== VERSION) {
    throw new TraceFormatError(
      1,
      `version ${
        JSON.stringify(endio)
      } of the format; this endio reads ${VERSION}`,
    );
  }
  for (const [name, value] of Object.entries(header)) {
    const known = Object.hasOwn(HEADER_CHECKS, name)
      ? HEADER_CHECKS[name]
      : undefined;
    if (known === undefined) {
      throw new TraceFormatError(1, `unknown field '${name}' in the header`);
    }
    const [check, expected] = known;
    if (!check(value)) {
      throw new TraceFormatError(1, wrong(name, fields, expected));
    }
  }
  return header;
}

/**
 * What is wrong with an event.
 *
 * @param fields The event, as it was read.
 * @returns What is wrong, or null.
 */
export function problemOf(
  fields: Readonly<Record<string, unknown>>,
): string | null {
  for (const [name, check, expected] of COMMON) {
    if (!check(fields[name])) return wrong(name, fields, expected);
  }
  const ev = fields["ev"] as string;
  const args = ARGS.get(ev);
  if (args === undefined) return `unknown event '${ev}'`;
  for (const name of Object.keys(fields)) {
    if (COMMON_NAMES.has(name)) continue;
    const arg = args.find((arg) => arg.name === name);
    if (arg === undefined) return `unknown field '${name}' of ${ev}`;
    const [check, expected] = ARG_CHECKS[arg.type];
    if (!check(fields[name])) return wrong(name, fields, expected);
  }
  return null;
}

function wrong(
  name: string,
  fields: Readonly<Record<string, unknown>>,
  expected: string,
): string {
  return Object.hasOwn(fields, name)
    ? `field '${name}' is ${JSON.stringify(fields[name])}, not ${expected}`
    : `field '${name}' is missing`;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? value as Record<string, unknown>
      : null;
  } catch {
    return null;
  }
}

/**
 * Opens a trace of any format, and reads it as it comes.
 *
 * @module
 */

import type { TraceEvent } from "../core/mod.ts";
import { fileError, type Io, UserError } from "./cli.ts";
import { EventMaker } from "./ftrace/events.ts";
import { RecordingReader } from "./ftrace/reader.ts";
import type { Finding } from "./ftrace/recording.ts";
import { FTRACE_MARK, FtraceDecoder } from "./trace_ftrace.ts";
import {
  type DecodedTrace,
  decodeJsonl,
  type LineEvent,
  TraceFormatError,
  type TraceHeader,
} from "./trace_jsonl.ts";

/**
 * The scenario of a trace that was made of a recording. It has a part only of
 * what the recording tells, so it cannot be checked in its place.
 */
export const RECORDED = "recording";

/** How a file is written. */
export type InputFormat = "jsonl" | "ftrace" | "recording";

/** Bytes as they come. */
export type Chunks = AsyncGenerator<Uint8Array, void, void>;

/** A trace that was opened. */
export interface TraceInput {
  /** What to call it. */
  readonly name: string;
  /** How it is written: what endio wrote, or what a real kernel did. */
  readonly format: InputFormat;
  /** What it says of itself. */
  readonly header: TraceHeader;
  /** Names of workqueues that its events do not tell, as they come. */
  readonly queues: ReadonlyMap<number, string>;
  /**
   * Its events as they come.
   *
   * @throws {TraceFormatError} If it cannot be read on.
   */
  readonly events: AsyncGenerator<LineEvent, void, void>;
}

/** How to open a trace. */
export interface InputOptions {
  /**
   * How it is written.
   *
   * @default {found out}
   */
  readonly from?: "jsonl" | "ftrace";
  /**
   * Whether to wait for more at the end of a file, until this is aborted.
   *
   * @default {no}
   */
  readonly follow?: AbortSignal;
  /** Told of a line that could not be read when the next ones can. */
  readonly onBad?: (line: number, message: string) => void;
  /** Told of what a recording breaks. */
  readonly onFinding?: (finding: Finding) => void;
  /** Called before more is waited for: the reader has all that there is. */
  readonly onWait?: () => Promise<void>;
}

/** How often a file that is followed is looked at. */
const POLL_MS = 100;
const CHUNK_BYTES = 1 << 16;
/** The longest line of a trace of endio. */
const MAX_LINE_BYTES = 1 << 20;
/** As much of a file as tells how it is written. */
const HEAD_BYTES = 1 << 12;
const LINE_FEED = 0x0a;

/**
 * Opens the bytes of a file, or of standard input.
 *
 * @param file The file, or -.
 * @param io The world.
 * @param options Whether to wait for more, and whom to tell.
 * @returns The bytes.
 * @throws {UserError} If it cannot be opened or read.
 */
export async function* openChunks(
  file: string,
  io: Io,
  { follow, onWait }: Pick<InputOptions, "follow" | "onWait"> = {},
): Chunks {
  try {
    if (file === "-") {
      for await (const chunk of io.stdin()) {
        yield chunk;
        await onWait?.();
      }
      return;
    }
    using source = await Deno.open(file);
    for (;;) {
      const buffer = new Uint8Array(CHUNK_BYTES);
      const count = await source.read(buffer);
      if (count !== null) yield buffer.subarray(0, count);
      else if (follow === undefined || follow.aborted) return;
      else {
        await onWait?.();
        await pause(follow);
      }
    }
  } catch (error) {
    throw fileError("read", file, error);
  }
}

function pause(until: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      until.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, POLL_MS);
    until.addEventListener("abort", done);
  });
}

/** What begins files of other tools, and what to do about it. */
const BINARY: readonly (readonly [magic: string, advice: string])[] = [
  ["\x17\bDtracing", "it is a trace.dat; give what 'trace-cmd report' prints"],
  ["PERFILE2", "it is a perf.data; give what 'perf script' prints"],
  ["\x1f\x8b", "it is compressed; give what 'zcat' prints"],
  ["\x28\xb5\x2f\xfd", "it is compressed; give what 'zstdcat' prints"],
  ["\xfd7zXZ", "it is compressed; give what 'xzcat' prints"],
];

/** Files of other tools are told before each of their lines is. */
async function refuseBinary(
  name: string,
  first: Uint8Array | undefined,
  chunks: Chunks,
): Promise<void> {
  const head = String.fromCharCode(...first?.subarray(0, 16) ?? []);
  const known = BINARY.find(([magic]) => head.startsWith(magic));
  if (known === undefined) return;
  await chunks.return();
  throw new UserError(`Cannot read ${name}: ${known[1]}`);
}

/** Bytes whose first ones were looked at, and are still to come. */
export interface PeekedChunks {
  /** How the file is written. */
  readonly format: InputFormat;
  /** The bytes, from the first one on. */
  readonly chunks: Chunks;
}

/**
 * Finds out how a file is written.
 *
 * @param name What to call it.
 * @param chunks Its bytes.
 * @param from How it is written, when that is known.
 * @returns That, and the bytes.
 * @throws {UserError} If it is a binary file of another tool.
 */
export async function peek(
  name: string,
  chunks: Chunks,
  from?: "jsonl" | "ftrace",
): Promise<PeekedChunks> {
  const first: Uint8Array[] = [];
  let head = "";
  while (head.length < HEAD_BYTES && !head.includes(FTRACE_MARK)) {
    const { done, value } = await chunks.next();
    if (done) break;
    first.push(value);
    head += new TextDecoder().decode(value.subarray(0, HEAD_BYTES));
    if (/\n *[^ #\n]/.test(head)) break;
  }
  await refuseBinary(name, first[0], chunks);
  const isOurs = new RegExp(`^(?:#.*\n)*?${FTRACE_MARK}`).test(head);
  const start = head.trimStart();
  // What is empty is told by who reads JSON.
  const isJson = from === undefined
    ? start === "" || start.startsWith("{")
    : from === "jsonl";
  async function* all(): Chunks {
    try {
      yield* first;
      yield* chunks;
    } finally {
      await chunks.return();
    }
  }
  return {
    format: isJson ? "jsonl" : isOurs ? "ftrace" : "recording",
    chunks: all(),
  };
}

/**
 * Opens a trace.
 *
 * @param file The file, or - for standard input.
 * @param io The world.
 * @param options How.
 * @returns The trace.
 * @throws {UserError} If it cannot be opened.
 * @throws {TraceFormatError} If it is no trace.
 */
export async function openTrace(
  file: string,
  io: Io,
  options: InputOptions = {},
): Promise<TraceInput> {
  const { from } = options;
  const name = file === "-" ? "stdin" : file;
  const bytes = openChunks(file, io, options);
  const { format, chunks } = await peek(name, bytes, from);
  if (format === "recording") {
    const header: TraceHeader = {
      profile: "v6.1",
      scenario: RECORDED,
      clock: "monotonic",
    };
    const reader = new RecordingReader();
    const maker = new EventMaker(reader.recording);
    const events = recordedEvents(reader, maker, chunks, options);
    return { name, format, header, queues: maker.queueNames, events };
  }
  const lines = linesOf(chunks);
  const decoded = format === "jsonl"
    ? await decodeJsonl(lines)
    : await decodeFtrace(lines);
  return { name, format, queues: new Map(), ...decoded };
}

/** The lines in bytes, without their ends. */
export async function* linesOf(
  chunks: Chunks,
): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder();
  let line = 0;
  let carry = "";
  for await (const chunk of chunks) {
    let from = 0;
    for (;;) {
      const to = chunk.indexOf(LINE_FEED, from);
      if (to < 0) break;
      const text = carry + decoder.decode(chunk.subarray(from, to));
      line++;
      yield text.endsWith("\r") ? text.slice(0, -1) : text;
      carry = "";
      from = to + 1;
    }
    carry += decoder.decode(chunk.subarray(from), { stream: true });
    if (carry.length > MAX_LINE_BYTES) {
      const message = `this line is longer than ${MAX_LINE_BYTES} bytes`;
      throw new TraceFormatError(line + 1, message);
    }
  }
  if (carry !== "") yield carry;
}

/**
 * Reads a trace in the format `ftrace`.
 *
 * @param lines The lines of the file, without their ends.
 * @returns Its header, and its events as they come.
 * @throws {TraceFormatError} If it has no header.
 */
export async function decodeFtrace(
  lines: AsyncIterable<string>,
): Promise<DecodedTrace> {
  const iterator = lines[Symbol.asyncIterator]();
  for (let no = 1;; no++) {
    const { done, value } = await iterator.next();
    if (done) throw new TraceFormatError(1, "the trace is empty");
    if (!value.startsWith(FTRACE_MARK)) continue;
    const decoder = new FtraceDecoder(value, no);
    const events = decodedEvents(iterator, decoder, no);
    return { header: decoder.header, events };
  }
}

async function* decodedEvents(
  lines: AsyncIterator<string>,
  decoder: FtraceDecoder,
  before: number,
): AsyncGenerator<LineEvent, void, void> {
  try {
    for (let no = before + 1;; no++) {
      const { done, value } = await lines.next();
      if (done) return;
      const found = decoder.decode(value, no);
      if (found !== null) yield found;
    }
  } finally {
    await lines.return?.();
  }
}

async function* recordedEvents(
  reader: RecordingReader,
  maker: EventMaker,
  chunks: Chunks,
  { onBad, onFinding }: InputOptions,
): AsyncGenerator<LineEvent, void, void> {
  const made: TraceEvent[] = [];
  const found: LineEvent[] = [];
  reader.onLine = () => {
    maker.take(made);
    for (const event of made.splice(0)) {
      found.push({ line: reader.recording.no, event });
    }
  };
  const tell = () => {
    for (const { line, message } of reader.bad.splice(0)) {
      onBad?.(line, message);
    }
    for (const finding of reader.recording.findings.splice(0)) {
      onFinding?.(finding);
    }
  };
  for await (const chunk of chunks) {
    reader.push(chunk);
    tell();
    yield* found.splice(0);
  }
  reader.end();
  tell();
  yield* found.splice(0);
  if (reader.recording.no === 0) {
    throw new TraceFormatError(1, "the trace is empty");
  }
}

/**
 * What to throw for an error that the user is to be told of.
 *
 * @param name What to call the trace.
 * @param error What was caught.
 * @returns A message to the user; the error itself when it is not his mistake.
 */
export function inputError(name: string, error: unknown): unknown {
  if (!(error instanceof TraceFormatError)) return error;
  return new UserError(`${name}:${error.line}: ${error.message}`);
}

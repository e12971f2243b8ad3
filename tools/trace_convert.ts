/**
 * `trace.ts convert`: writes a trace in another format.
 *
 * @module
 */

import type { TraceEvent } from "../core/mod.ts";
import {
  EXIT_OK,
  EXIT_USAGE,
  fileError,
  type Io,
  lookUp,
  readOptions,
  UserError,
} from "./cli.ts";
import type { Finding } from "./ftrace/recording.ts";
import { collect } from "./trace_collect.ts";
import {
  FILTER_HELP,
  FILTER_NAMES,
  makeFilter,
  readWanted,
  withTimes,
} from "./trace_filter.ts";
import { FORMATS } from "./trace_formats.ts";
import { encodeFtraceHeader, FtraceEncoder } from "./trace_ftrace.ts";
import {
  inputError,
  type InputOptions,
  openTrace,
  type TraceInput,
} from "./trace_input.ts";
import { interruptible } from "./trace_follow.ts";
import { encodeEvent, encodeHeader, TraceFormatError } from "./trace_jsonl.ts";

/** How to use it. */
export const CONVERT_HELP: string = `Writes a trace in another format.

Usage: deno run --allow-read tools/trace.ts convert --to F [OPTIONS] FILE

  --to F           text, jsonl, ftrace, chrome, html, svg or mermaid
  FILE             a trace of endio or of a real kernel, or - for stdin
  -o, --output OUT a file, instead of standard output. Needs --allow-write
  --color WHEN     of text: auto (default), always, never
  --follow         wait for more at the end of FILE, until Ctrl-C
                   (jsonl and ftrace are written as it comes)

Events to take:
${FILTER_HELP}
Exit status: 0 fine, 2 FILE could not be read to its end.

Example: deno run --allow-read tools/trace.ts convert --to html t.jsonl >t.html
`;

const NAMES = {
  string: ["to", "output", "color", ...FILTER_NAMES],
  boolean: ["follow"],
  alias: { o: "output" },
};
/** Bad lines that are shown. */
const MAX_SHOWN = 3;
/** Characters that are written at once. */
const BATCH = 1 << 16;

type Choose = (event: TraceEvent) => readonly TraceEvent[];

/**
 * The command.
 *
 * @param args What follows `convert`.
 * @param io Its world.
 * @returns The exit status.
 */
export async function convert(
  args: readonly string[],
  io: Io,
): Promise<number> {
  const options = readOptions(withTimes(args), NAMES);
  if (options.flags.has("help")) {
    await io.out.write(CONVERT_HELP);
    return EXIT_OK;
  }
  const { values, rest } = options;
  const [file, extra] = rest;
  if (file === undefined) {
    throw new UserError(
      "No FILE to convert: name one, or - for standard input",
    );
  }
  if (extra !== undefined) {
    throw new UserError(`Unexpected '${extra}': convert takes one FILE`);
  }
  const to = values.get("to");
  if (to === undefined) {
    throw new UserError(
      `Option --to is missing: name a format, ${
        [...FORMATS.keys()].join(", ")
      }`,
    );
  }
  const format = lookUp("format", to, FORMATS);
  const choose = makeFilter(readWanted(options));
  const output = values.get("output") ?? "-";
  const colors = new Map([["auto", io.color && output === "-"], [
    "always",
    true,
  ], ["never", false]]);
  const color = lookUp("color", values.get("color") ?? "auto", colors);
  const problems = new Problems(file, io);
  using interrupt = options.flags.has("follow") ? interruptible() : null;
  const findings: Finding[] = [];
  let flush = () => Promise.resolve();
  const input = await open(file, io, {
    onWait: () => flush(),
    ...interrupt && { follow: interrupt.signal },
    onBad: (line, message) => problems.add(line, message),
    onFinding: (finding) => findings.push(finding),
  });
  await using sink = await openSink(output, io);
  const batch = new Batch(sink);
  flush = () => batch.flush();
  const encoder = encoderOf(to, input);
  if (encoder !== null) {
    await stream(input, choose, encoder, batch, problems);
  } else {
    const trace = await collect(input, findings, choose);
    problems.end(trace.error);
    const { name } = input;
    const options = { name, color, width: io.columns };
    for (const part of format.write(input.header, trace, options)) {
      if (batch.add(part)) await batch.flush();
    }
  }
  await batch.flush();
  return await problems.tell();
}

async function open(
  file: string,
  io: Io,
  options: InputOptions,
): Promise<TraceInput> {
  try {
    return await openTrace(file, io, options);
  } catch (error) {
    throw inputError(file === "-" ? "stdin" : file, error);
  }
}

/** What writes the events one by one, for formats that can be. */
function encoderOf(
  to: string,
  { header }: TraceInput,
): readonly [head: string, encode: (event: TraceEvent) => string] | null {
  if (to === "jsonl") {
    return [`${encodeHeader(header)}\n`, (event) => `${encodeEvent(event)}\n`];
  }
  if (to !== "ftrace") return null;
  const encoder = new FtraceEncoder();
  return [encodeFtraceHeader(header), (event) => encoder.encode(event)];
}

async function stream(
  { events }: TraceInput,
  choose: Choose,
  [head, encode]: readonly [string, (event: TraceEvent) => string],
  batch: Batch,
  problems: Problems,
): Promise<void> {
  try {
    batch.add(head);
    for await (const { event } of events) {
      for (const chosen of choose(event)) {
        if (batch.add(encode(chosen))) await batch.flush();
      }
    }
  } catch (error) {
    if (!(error instanceof TraceFormatError)) throw error;
    problems.end(error);
  }
}

/** Text that is written in large pieces. */
class Batch {
  readonly #sink: Sink;
  #text = "";

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  /** Takes the next text. @returns Whether it is enough to be written. */
  add(text: string): boolean {
    this.#text += text;
    return this.#text.length >= BATCH;
  }

  /** Writes what there is. */
  async flush(): Promise<void> {
    const text = this.#text;
    this.#text = "";
    if (text !== "") await this.#sink.write(text);
  }
}

/** Where the result goes. */
interface Sink extends AsyncDisposable {
  write(text: string): Promise<void>;
}

async function openSink(output: string, io: Io): Promise<Sink> {
  if (output === "-") {
    return {
      write: (text) => io.out.write(text),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  try {
    const file = await Deno.open(output, {
      write: true,
      create: true,
      truncate: true,
    });
    const writer = file.writable.getWriter();
    const encoder = new TextEncoder();
    return {
      write: async (text) => {
        try {
          await writer.write(encoder.encode(text));
        } catch (error) {
          throw fileError("write", output, error);
        }
      },
      [Symbol.asyncDispose]: () => writer.close().catch(() => {}),
    };
  } catch (error) {
    throw fileError("write", output, error);
  }
}

/** What could not be read. */
class Problems {
  readonly #name: string;
  readonly #io: Io;
  readonly #messages: string[] = [];
  #count = 0;

  constructor(file: string, io: Io) {
    this.#name = file === "-" ? "stdin" : file;
    this.#io = io;
  }

  /** A line could not be read; the next ones can. */
  add(line: number, message: string): void {
    if (++this.#count > MAX_SHOWN) return;
    this.#messages.push(`${this.#name}:${line}: ${message}\n`);
  }

  /** The trace could not be read on. */
  end(error: TraceFormatError | null): void {
    if (error !== null) this.add(error.line, error.message);
  }

  /** Tells of them; gives the exit status. */
  async tell(): Promise<number> {
    for (const message of this.#messages) await this.#io.err.write(message);
    const more = this.#count - MAX_SHOWN;
    if (more > 0) {
      await this.#io.err.write(
        `${this.#name}: ${more} more line${
          more === 1 ? "" : "s"
        } of that kind\n`,
      );
    }
    return this.#count > 0 ? EXIT_USAGE : EXIT_OK;
  }
}

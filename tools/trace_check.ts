/**
 * `trace.ts check`: checks traces against the rules, in memory that does not
 * grow with them.
 *
 * @module
 */

import { TextLineStream } from "@std/streams/text-line-stream";
import {
  PROFILE_NAMES,
  type ProfileName,
  type TraceEvent,
} from "../core/mod.ts";
import { Checker, formatEvent, type Violation } from "../conformance/mod.ts";
import {
  EXIT_OK,
  EXIT_USAGE,
  EXIT_VIOLATED,
  fileError,
  type Io,
  lookUp,
  readOptions,
  type Style,
  styleOf,
  UserError,
} from "./cli.ts";
import { decodeJsonl, TraceFormatError } from "./trace_jsonl.ts";

/** How to use it. */
export const CHECK_HELP = `Checks traces against the rules.

Usage: deno run --allow-read tools/trace.ts check [OPTIONS] FILE...

  FILE         a trace, or - for standard input
  --profile P  whose semantics: v3.12, v4.10, v6.1; without it what the
               trace says, else v3.12
  --from F     the format: auto (default) or jsonl

Each violation names its rule, what was expected, and the lines of the file
that break it; of a rule that is broken often the first three are shown. The
last line sums up. A file that is cut short or malformed is read as far as it
goes.

Exit status: 0 no rule is broken, 1 one is, 2 a file could not be read to
its end.

Example: deno run tools/trace.ts record --fs ext4 --scenario aio-write |
           deno run tools/trace.ts check -
`;

/** Violations of a rule that are shown; the rest is counted. */
const MAX_SHOWN = 3;
/** Events that are kept to be shown, a power of 2. */
const KEPT_EVENTS = 1 << 14;

/**
 * The command.
 *
 * @param args What follows `check`.
 * @param io Its world.
 * @returns The exit status.
 */
export async function check(
  args: readonly string[],
  io: Io,
): Promise<number> {
  const { values, flags, rest } = readOptions(args, {
    string: ["profile", "from"],
  });
  if (flags.has("help")) {
    await io.out.write(CHECK_HELP);
    return EXIT_OK;
  }
  const formats = new Map([["auto", 0], ["jsonl", 0]]);
  lookUp("format", values.get("from") ?? "auto", formats);
  const given = values.get("profile");
  const profiles = new Map(PROFILE_NAMES.map((name) => [name, name]));
  const profile = given === undefined
    ? undefined
    : lookUp<ProfileName>("profile", given, profiles);
  if (rest.length === 0) {
    throw new UserError("No FILE to check: name one, or - for standard input");
  }
  let status = EXIT_OK;
  for (const file of rest) {
    status = Math.max(status, await checkFile(file, profile, io));
  }
  return status;
}

async function checkFile(
  file: string,
  profile: ProfileName | undefined,
  io: Io,
): Promise<number> {
  let stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  try {
    stream = file === "-" ? io.stdin() : (await Deno.open(file)).readable;
  } catch (error) {
    return await tellProblem(fileError("read", file, error), io);
  }
  const name = file === "-" ? "stdin" : file;
  const lines = stream.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  try {
    return await checkLines(name, lines, profile, io);
  } catch (error) {
    return await tellProblem(fileError("read", file, error), io);
  }
}

/** Tells of a file that cannot be read, so that others still are. */
async function tellProblem(error: unknown, io: Io): Promise<number> {
  if (!(error instanceof UserError)) throw error;
  await io.err.write(`trace.ts: ${error.message}\n`);
  return EXIT_USAGE;
}

/**
 * Checks one trace.
 *
 * @param name What to call it.
 * @param lines Its lines, without their ends.
 * @param profile Whose semantics are in force; without it what it says.
 * @param io Where to report.
 * @returns The exit status.
 */
export async function checkLines(
  name: string,
  lines: AsyncIterable<string>,
  profile: ProfileName | undefined,
  io: Io,
): Promise<number> {
  try {
    const { header, events } = await decodeJsonl(lines);
    const checked = profile ?? header.profile ?? "v3.12";
    const report = new Report(name, new Checker({ profile: checked }), io);
    return await readEvents(report, events);
  } catch (error) {
    if (!(error instanceof TraceFormatError)) throw error;
    await io.err.write(`${name}:${error.line}: ${error.message}\n`);
    return EXIT_USAGE;
  }
}

async function readEvents(
  report: Report,
  events: AsyncIterable<{ readonly line: number; readonly event: TraceEvent }>,
): Promise<number> {
  try {
    for await (const { line, event } of events) await report.push(line, event);
  } catch (error) {
    if (error instanceof TraceFormatError) await report.sumUp(false);
    throw error;
  }
  return await report.sumUp(true);
}

/** The report on one trace, written while it is read. */
class Report {
  readonly #name: string;
  readonly #checker: Checker;
  readonly #io: Io;
  readonly #style: Style;
  /** The newest events, by their line modulo {@linkcode KEPT_EVENTS}. */
  readonly #kept: TraceEvent[] = [];
  /** Violations by rule. */
  readonly #counts: Map<string, number> = new Map();
  #total = 0;

  constructor(name: string, checker: Checker, io: Io) {
    this.#name = name;
    this.#checker = checker;
    this.#io = io;
    this.#style = styleOf(io.color);
  }

  /** Takes the next event. */
  async push(line: number, event: TraceEvent): Promise<void> {
    // A rule names events by `seq`; a reader looks for lines of the file,
    // where lines may stand in another order than they were written.
    event.seq = line;
    this.#kept[line % KEPT_EVENTS] = event;
    this.#checker.push(event);
    await this.#drain();
  }

  /** Writes the last lines. Only a whole trace has nothing more to come. */
  async sumUp(isWhole: boolean): Promise<number> {
    const { events, exercised } = this.#checker.finish();
    if (isWhole) await this.#drain();
    for (const [rule, count] of this.#counts) {
      const more = count - MAX_SHOWN;
      if (more <= 0) continue;
      await this.#write(
        `${this.#name}: ${rule}: ${plural(more, "more violation")}\n`,
      );
    }
    const rules = [...exercised.values()].filter((count) => count > 0).length;
    const { red, green } = this.#style;
    const paint = this.#total > 0 ? red : green;
    const counts = [
      plural(events, "event"),
      `${plural(rules, "rule")} exercised`,
      paint(plural(this.#total, "violation")),
    ];
    await this.#write(
      `${this.#name}: ${counts.join(", ")}${isWhole ? "" : ", cut short"}\n`,
    );
    return this.#total > 0 ? EXIT_VIOLATED : EXIT_OK;
  }

  async #drain(): Promise<void> {
    const { violations } = this.#checker;
    if (violations.length === 0) return;
    for (const violation of violations.splice(0)) {
      const { rule } = violation;
      const count = (this.#counts.get(rule) ?? 0) + 1;
      this.#counts.set(rule, count);
      this.#total++;
      if (count <= MAX_SHOWN) await this.#write(this.#describe(violation));
    }
  }

  #describe({ rule, sentence, expected, events }: Violation): string {
    const { bold, red, dim } = this.#style;
    const last = events.at(-1);
    const place = last === undefined ? this.#name : `${this.#name}:${last}`;
    const lines = events.map((line) => {
      const event = this.#kept[line % KEPT_EVENTS];
      return event?.seq === line
        ? `  line ${formatEvent(event).trimStart()}`
        : dim(`  line ${line}  (too far back to be shown)`);
    });
    return `${bold(place)}: ${red(rule)}: ${sentence}\n` +
      `  expected ${expected}\n${lines.map((line) => `${line}\n`).join("")}`;
  }

  #write(text: string): Promise<void> {
    return this.#io.out.write(text);
  }
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

/**
 * `trace.ts check`: checks traces against the rules, in memory that does not
 * grow with them.
 *
 * @module
 */

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
  type Io,
  lookUp,
  readOptions,
  type Style,
  styleOf,
  UserError,
} from "./cli.ts";
import { checkRecording } from "./ftrace/check.ts";
import { type Outcome, parseOutcome } from "./ftrace/outcome.ts";
import { interruptible } from "./trace_follow.ts";
import {
  decodeFtrace,
  linesOf,
  openChunks,
  peek,
  RECORDED,
} from "./trace_input.ts";
import { decodeJsonl, TraceFormatError } from "./trace_jsonl.ts";

/** How to use it. */
export const CHECK_HELP = `Checks traces against the rules.

Usage: deno run --allow-read tools/trace.ts check [OPTIONS] FILE...

  FILE         a trace of endio, or ftrace text of a real kernel (v6.1); -
               is standard input. A .json beside a .trace is compared with it
  --profile P  whose semantics: v3.12, v4.10, v6.1; without it what the
               trace says, else v3.12
  --from F     the format: auto (default), jsonl or ftrace
  --undecided  list all rules that a recording cannot decide
  --follow     wait for more at the end of FILE, until Ctrl-C

Each violation names its rule, what was expected, and the lines of the file
that break it; of a rule that is broken often the first three are shown. A
file that is cut short or malformed is read as far as it goes.

Exit status: 0 no rule is broken, 1 one is, 2 a file could not be read to
its end.

Example: deno run tools/trace.ts record --fs ext4 --scenario aio-write |
           deno run tools/trace.ts check -
`;

/** How a file may be said to be written. */
const FORMATS: ReadonlyMap<string, "auto" | "jsonl" | "ftrace"> = new Map([
  ["auto", "auto"],
  ["jsonl", "jsonl"],
  ["ftrace", "ftrace"],
]);
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
    boolean: ["undecided", "follow"],
  });
  if (flags.has("help")) {
    await io.out.write(CHECK_HELP);
    return EXIT_OK;
  }
  const from = lookUp("format", values.get("from") ?? "auto", FORMATS);
  const given = values.get("profile");
  const profiles = new Map(PROFILE_NAMES.map((name) => [name, name]));
  const profile = given === undefined
    ? undefined
    : lookUp<ProfileName>("profile", given, profiles);
  if (rest.length === 0) {
    throw new UserError("No FILE to check: name one, or - for standard input");
  }
  if (rest.filter((file) => file === "-").length > 1) {
    throw new UserError("Cannot read standard input twice: name - once");
  }
  using interrupt = flags.has("follow") ? interruptible() : null;
  let status = EXIT_OK;
  for (const file of rest) {
    const undecided = flags.has("undecided");
    const how = { from, profile, undecided, follow: interrupt?.signal };
    status = Math.max(status, await checkFile(file, how, io));
  }
  return status;
}

/** What the command line says of all files. */
interface How {
  readonly from: "auto" | "jsonl" | "ftrace";
  readonly profile: ProfileName | undefined;
  readonly undecided: boolean;
  readonly follow: AbortSignal | undefined;
}

async function checkFile(file: string, how: How, io: Io): Promise<number> {
  const name = file === "-" ? "stdin" : file;
  const { from, profile, undecided, follow } = how;
  try {
    const bytes = openChunks(file, io, { ...follow && { follow } });
    const { format, chunks } = await peek(
      name,
      bytes,
      from === "auto" ? undefined : from,
    );
    if (format === "recording") {
      if (profile !== undefined && profile !== "v6.1") {
        throw new UserError(
          `Cannot check ${name} under ${profile}: it is a recording, whose rules are those of v6.1`,
        );
      }
      const outcome = await readOutcome(file);
      return await checkRecording(name, chunks, { outcome, undecided }, io);
    }
    const decode = format === "jsonl" ? decodeJsonl : decodeFtrace;
    return await checkLines(name, linesOf(chunks), profile, io, decode);
  } catch (error) {
    return await tellProblem(error, io);
  }
}

/** What user space saw of a recording, when a file beside it tells. */
async function readOutcome(file: string): Promise<Outcome | null> {
  const beside = file.replace(/\.trace$/, ".json");
  if (beside === file) return null;
  try {
    return parseOutcome(await Deno.readTextFile(beside));
  } catch {
    return null;
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
 * @param decode What takes the lines apart.
 * @returns The exit status.
 * @throws {UserError} If it was made of a recording.
 */
export async function checkLines(
  name: string,
  lines: AsyncIterable<string>,
  profile: ProfileName | undefined,
  io: Io,
  decode: typeof decodeJsonl = decodeJsonl,
): Promise<number> {
  try {
    const { header, events } = await decode(lines);
    if (header.scenario === RECORDED) {
      throw new UserError(
        `Cannot check ${name}: it was made of a recording, which tells more; check that`,
      );
    }
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
    const { seq } = event;
    event.seq = line;
    this.#kept[line % KEPT_EVENTS] = event;
    this.#checker.push(event, seq);
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

/**
 * `trace.ts diff`: where two traces begin to differ, whatever their requests,
 * bios, threads are called.
 *
 * @module
 */

import { EVENT_ARGS, EVENT_NAMES, type TraceEvent } from "../core/mod.ts";
import {
  EXIT_OK,
  EXIT_VIOLATED,
  type Io,
  readOptions,
  styleOf,
  UserError,
} from "./cli.ts";
import {
  FILTER_HELP,
  FILTER_NAMES,
  makeFilter,
  readWanted,
  withTimes,
} from "./trace_filter.ts";
import { inputError, openTrace, type TraceInput } from "./trace_input.ts";

/** How to use it. */
export const DIFF_HELP: string = `Shows where two traces begin to differ.

Usage: deno run --allow-read tools/trace.ts diff [OPTIONS] A B

  A, B         traces of any format; one of them may be - for stdin
  --ignore F   leave these fields out, for example --ignore ctx,sector

Two events are the same when they have the same name, context and arguments.
Identities (dio, iocb, bio, inode, work, thread) are compared by the order of
their first appearance; times and processors are not compared.

Events to take:
${FILTER_HELP}
Exit status: 0 no difference, 1 there is one, 2 a trace could not be read.

Example: deno run --allow-read tools/trace.ts diff good.jsonl bad.jsonl
`;

const NAMES = { string: ["ignore", ...FILTER_NAMES] };
/** Events before the difference, and after it, that are shown. */
const CONTEXT = 3;
/** Arguments that name something, and what that is. */
const IDENTITIES: Readonly<Record<string, string>> = {
  dio: "dio",
  iocb: "iocb",
  bio: "bio",
  ino: "ino",
  wq: "wq",
  work: "work",
  page: "page",
  obj: "obj",
  pid: "tid",
  tid: "tid",
};

/**
 * The command.
 *
 * @param args What follows `diff`.
 * @param io Its world.
 * @returns The exit status.
 */
export async function diff(args: readonly string[], io: Io): Promise<number> {
  const options = readOptions(withTimes(args), NAMES);
  if (options.flags.has("help")) {
    await io.out.write(DIFF_HELP);
    return EXIT_OK;
  }
  const [a, b, extra] = options.rest;
  if (a === undefined || b === undefined) {
    throw new UserError("Two traces are needed: diff A B");
  }
  if (extra !== undefined) {
    throw new UserError(`Unexpected '${extra}': diff takes two traces`);
  }
  if (a === "-" && b === "-") {
    throw new UserError("Cannot read standard input twice: name a file");
  }
  const ignored = ignoredFields(options.values.get("ignore") ?? "");
  const wanted = readWanted(options);
  const [left, right] = [
    new Side(a, io, makeFilter(wanted), ignored),
    new Side(b, io, makeFilter(wanted), ignored),
  ];
  try {
    return await compare(left, right, io);
  } finally {
    await left.close();
    await right.close();
  }
}

function ignoredFields(text: string): ReadonlySet<string> {
  const names = text.split(",").filter(Boolean);
  const known = new Set([
    "ctx",
    "comm",
    "tid",
    ...EVENT_ARGS.flatMap((args) => args.map(({ name }) => name)),
  ]);
  for (const name of names) {
    if (known.has(name)) continue;
    throw new UserError(
      `Cannot ignore '${name}': no event has such a field, see core/events.ts`,
    );
  }
  return new Set(names);
}

async function compare(left: Side, right: Side, io: Io): Promise<number> {
  const before: string[] = [];
  for (let count = 0;; count++) {
    const [a, b] = [await left.next(), await right.next()];
    if (a === null && b === null) {
      await io.out.write(`no difference in ${count} events\n`);
      return EXIT_OK;
    }
    if (a?.key === b?.key) {
      before.push(a?.text ?? "");
      if (before.length > CONTEXT) before.shift();
      continue;
    }
    await tell(before, [a, left], [b, right], count, io);
    return EXIT_VIOLATED;
  }
}

async function tell(
  before: readonly string[],
  [a, left]: readonly [Normal | null, Side],
  [b, right]: readonly [Normal | null, Side],
  count: number,
  io: Io,
): Promise<void> {
  const { dim, red, green, bold } = styleOf(io.color);
  const place = (one: Normal | null, side: Side) =>
    one === null ? `${side.name} ends` : `${side.name}:${one.line}`;
  const rest = async (one: Normal | null, side: Side) => {
    const shown = one === null ? [] : [one.text];
    while (shown.length > 0 && shown.length < CONTEXT) {
      const next = await side.next();
      if (next === null) break;
      shown.push(next.text);
    }
    return shown;
  };
  const lines = [
    bold(`${place(a, left)}, ${place(b, right)}: after ${count} events`),
    ...before.map((text) => dim(`  ${text}`)),
    ...(await rest(a, left)).map((text) => red(`- ${text}`)),
    ...(await rest(b, right)).map((text) => green(`+ ${text}`)),
  ];
  await io.out.write(`${lines.join("\n")}\n`);
}

/** An event as it is compared. */
interface Normal {
  readonly line: number;
  /** What must be the same. */
  readonly key: string;
  /** The same, to be read. */
  readonly text: string;
}

/** One of the two traces. */
class Side {
  /** What to call it. */
  readonly name: string;
  readonly #file: string;
  readonly #io: Io;
  readonly #choose: (event: TraceEvent) => readonly TraceEvent[];
  readonly #ignored: ReadonlySet<string>;
  readonly #names: Map<string, number> = new Map();
  readonly #counts: Map<string, number> = new Map();
  readonly #ready: Normal[] = [];
  #input: TraceInput | null = null;

  constructor(
    file: string,
    io: Io,
    choose: (event: TraceEvent) => readonly TraceEvent[],
    ignored: ReadonlySet<string>,
  ) {
    this.name = file === "-" ? "stdin" : file;
    this.#file = file;
    this.#io = io;
    this.#choose = choose;
    this.#ignored = ignored;
  }

  /** The next event, or null at the end. */
  async next(): Promise<Normal | null> {
    try {
      this.#input ??= await openTrace(this.#file, this.#io);
      while (this.#ready.length === 0) {
        const { done, value } = await this.#input.events.next();
        if (done) return null;
        for (const event of this.#choose(value.event)) {
          this.#ready.push(this.#normal(event, value.line));
        }
      }
    } catch (error) {
      throw inputError(this.name, error);
    }
    return this.#ready.shift() ?? null;
  }

  /** Lets go of the trace. */
  async close(): Promise<void> {
    await this.#input?.events.return();
  }

  #normal(event: TraceEvent, line: number): Normal {
    const { ev, ctx, comm, tid } = event;
    const isThread = ctx === "task" || ctx === "kworker";
    const who = isThread ? ` ${kindOf(comm)} ${this.#rename("tid", tid)}` : "";
    const code = (EVENT_NAMES as readonly string[]).indexOf(ev);
    const args = (EVENT_ARGS[code] ?? []).flatMap(({ name }) => {
      const value = event[name];
      if (value === undefined || this.#ignored.has(name)) return [];
      const kind = IDENTITIES[name];
      const shown = kind === undefined || value === 0
        ? value
        : this.#rename(kind, value);
      return [`${name}=${shown}`];
    });
    const where = this.#ignored.has("ctx") ? "" : `${ctx}${who}  `;
    const text = `${where}${ev} ${args.join(" ")}`.trimEnd();
    return { line, key: text, text };
  }

  /** The number of an identity, in the order of their first appearances. */
  #rename(kind: string, value: number | string): string {
    if (this.#ignored.has(kind)) return "";
    const key = `${kind} ${value}`;
    let name = this.#names.get(key);
    if (name === undefined) {
      name = (this.#counts.get(kind) ?? 0) + 1;
      this.#counts.set(kind, name);
      this.#names.set(key, name);
    }
    return `${name}`;
  }
}

/** A kworker's name has its processor in it. */
function kindOf(comm: string): string {
  return comm.replace(/^kworker\/\S*?(-dio\/\S*)?$/, "kworker$1");
}

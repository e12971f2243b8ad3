/**
 * What the command-line tools share: where they write, how they end, how they
 * read options.
 *
 * Exit statuses: 0 fine, 1 a rule was violated, 2 the command could not be
 * carried out (one line says why and what to do), 70 a defect of endio (the
 * only case that shows a stack).
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";

/** Everything went well. */
export const EXIT_OK = 0;
/** A rule was violated. */
export const EXIT_VIOLATED = 1;
/** The command could not be carried out. */
export const EXIT_USAGE = 2;
/** A defect of endio, as EX_SOFTWARE of sysexits.h. */
export const EXIT_DEFECT = 70;

/** Width of an output that is no terminal. */
const DEFAULT_COLUMNS = 100;

/** A mistake of the user, told in one line that says what to do. */
export class UserError extends Error {
  override readonly name = "UserError";
}

/** Somewhere to write text. */
export interface Sink {
  write(text: string): Promise<void>;
}

/** The world of a tool, so that its tests can bring their own. */
export interface Io {
  /** For results. */
  readonly out: Sink;
  /** For messages and progress. */
  readonly err: Sink;
  /** Standard input, opened when it is asked for. */
  readonly stdin: () => ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Whether results may be coloured: a terminal, and no NO_COLOR. */
  readonly color: boolean;
  /** Whether messages may be. */
  readonly errColor: boolean;
  /** Characters in a line of results. */
  readonly columns: number;
}

/** A tool: takes its arguments, gives its exit status. */
export type Tool = (args: readonly string[], io: Io) => Promise<number>;

/**
 * Writes to a stream. When its reader is gone, the rest is dropped silently,
 * so that `… | head` is quiet and the exit status is still the right one. A
 * result that cannot be written otherwise is told; nobody could then trust it.
 */
class StreamSink implements Sink {
  readonly #stream: Pick<typeof Deno.stdout, "write">;
  /** Whether it is where problems are told: there its own are dropped. */
  readonly #isMessages: boolean;
  #closed = false;

  constructor(stream: Pick<typeof Deno.stdout, "write">, isMessages: boolean) {
    this.#stream = stream;
    this.#isMessages = isMessages;
  }

  async write(text: string): Promise<void> {
    let rest = new TextEncoder().encode(text);
    while (rest.length > 0 && !this.#closed) {
      try {
        rest = rest.subarray(await this.#stream.write(rest));
      } catch (error) {
        this.#closed = true;
        const isGone = error instanceof Deno.errors.BrokenPipe;
        if (isGone || this.#isMessages) return;
        throw fileError("write", "-", error);
      }
    }
  }
}

/** The real world. */
export function systemIo(): Io {
  const isTerminal = Deno.stdout.isTerminal();
  return {
    out: new StreamSink(Deno.stdout, false),
    err: new StreamSink(Deno.stderr, true),
    stdin: () => Deno.stdin.readable,
    color: isTerminal && !Deno.noColor,
    errColor: Deno.stderr.isTerminal() && !Deno.noColor,
    columns: isTerminal ? Deno.consoleSize().columns : DEFAULT_COLUMNS,
  };
}

/**
 * Runs a tool as the whole program, and sets its exit status.
 *
 * @param name The tool's name, which its messages begin with.
 * @param tool The tool.
 */
export async function runTool(name: string, tool: Tool): Promise<void> {
  const io = systemIo();
  Deno.exitCode = await guarded(name, tool, Deno.args, io);
}

/**
 * Runs a tool and turns what it throws into a message and an exit status.
 *
 * @param name The tool's name.
 * @param tool The tool.
 * @param args Its arguments.
 * @param io Its world.
 * @returns The exit status.
 */
export async function guarded(
  name: string,
  tool: Tool,
  args: readonly string[],
  io: Io,
): Promise<number> {
  try {
    return await tool(args, io);
  } catch (error) {
    if (error instanceof UserError) {
      await io.err.write(`${name}: ${error.message}\n`);
      return EXIT_USAGE;
    }
    const stack = error instanceof Error ? error.stack : String(error);
    await io.err.write(
      `${name}: this is a defect of endio, please report it with these lines\n${stack}\n`,
    );
    return EXIT_DEFECT;
  }
}

/**
 * What to throw when a file could not be read or written.
 *
 * @param action What was tried; the permission it needs has the same name.
 * @param path The file, or - for standard input or output.
 * @param error What was caught.
 * @returns A message to the user; the error itself when it is not his mistake.
 */
export function fileError(
  action: "read" | "write",
  path: string,
  error: unknown,
): unknown {
  if (!(error instanceof Error)) return error;
  const system = /^(.*?) ?\(os error \d+\)/s.exec(error.message)?.[1];
  // Some places, /proc and /dev among them, Deno opens to nobody else.
  const flag = error.message.startsWith("Requires all access")
    ? "--allow-all"
    : `--allow-${action}=${path}`;
  const reason = error instanceof Deno.errors.NotCapable
    ? `Deno may not; add ${flag}`
    : error instanceof Deno.errors.NotFound
    ? "there is no such file or directory"
    : error instanceof Deno.errors.IsADirectory
    ? "it is a directory"
    : system?.toLowerCase();
  const standard = action === "read" ? "standard input" : "standard output";
  const name = path === "-" ? standard : path;
  return reason === undefined
    ? error
    : new UserError(`Cannot ${action} ${name}: ${reason}`);
}

/** The options that a command knows. */
export interface OptionNames {
  /** Options with a value. */
  readonly string?: readonly string[];
  /** Options with a value that may be given more than once. */
  readonly list?: readonly string[];
  /** Options without one. */
  readonly boolean?: readonly string[];
  /** Short names, and what each stands for. */
  readonly alias?: Readonly<Record<string, string>>;
}

/** What a command line says. */
export interface Options {
  /** Values of the options that were given. */
  readonly values: ReadonlyMap<string, string>;
  /** All values of each of them. */
  readonly lists: ReadonlyMap<string, readonly string[]>;
  /** The options without a value that were given. */
  readonly flags: ReadonlySet<string>;
  /** Everything else. */
  readonly rest: readonly string[];
}

/**
 * Reads a command line. `-h` and `--help` are always known, as the flag
 * `help`.
 *
 * @param args The arguments.
 * @param names The options that the command knows.
 * @returns What they say.
 * @throws {UserError} If an option is unknown, or lacks its value.
 */
export function readOptions(
  args: readonly string[],
  names: OptionNames,
): Options {
  const boolean = ["help", ...names.boolean ?? []];
  const list = names.list ?? [];
  const string = [...names.string ?? [], ...list];
  const alias = { h: "help", ...names.alias };
  const parsed: Record<string, unknown> = parseArgs(args, {
    boolean,
    string: ["_", ...string],
    collect: list,
    alias,
    unknown: (arg, key) => {
      if (key !== undefined) throw unknownOption(arg, [...boolean, ...string]);
    },
  });
  const lists = new Map<string, string[]>();
  for (const name of string) {
    const given = [parsed[name] ?? []].flat().map(String);
    if (given.includes("")) {
      throw new UserError(`Option --${name} needs a value: --${name} VALUE`);
    }
    if (given.length > 0) lists.set(name, given);
  }
  return {
    values: new Map([...lists].map(([name, given]) => [name, given.at(-1)!])),
    lists,
    flags: new Set(boolean.filter((name) => parsed[name] === true)),
    rest: (parsed["_"] as (string | number)[]).map(String),
  };
}

function unknownOption(arg: string, known: readonly string[]): UserError {
  if (/^-\.?\d/.test(arg)) {
    return new UserError(
      `Unexpected ${arg}: no option takes a negative number`,
    );
  }
  const name = arg.replace(/=.*/s, "");
  const near = nearest(name.replace(/^-+/, ""), known);
  return new UserError(
    `Unknown option ${name}: ${
      near ? `did you mean --${near}?` : "--help lists all"
    }`,
  );
}

/**
 * Finds what a name stands for, or says which one may have been meant.
 *
 * @param kind What the name is of, e.g. `scenario`.
 * @param name The name.
 * @param all Everything of that kind, by name.
 * @param hint Where to see all of them, when they are too many to list.
 * @returns What the name stands for.
 * @throws {UserError} If there is nothing of that name.
 */
export function lookUp<T>(
  kind: string,
  name: string,
  all: ReadonlyMap<string, T>,
  hint?: string,
): T {
  const found = all.get(name);
  if (found !== undefined) return found;
  const near = nearest(name, [...all.keys()]);
  throw new UserError(
    `Unknown ${kind} '${name}': ${
      near
        ? `did you mean ${near}?`
        : hint ?? `choose ${[...all.keys()].join(", ")}`
    }`,
  );
}

/**
 * The name that is most like a mistyped one.
 *
 * @param name What was typed.
 * @param known What there is.
 * @returns The nearest one, or undefined when none is near.
 */
export function nearest(
  name: string,
  known: readonly string[],
): string | undefined {
  const started = known.filter((other) => other.startsWith(name));
  if (name.length > 1 && started.length === 1) return started[0];
  let best: string | undefined;
  let least = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const other of known) {
    const distance = editDistance(name, other);
    if (distance >= least) continue;
    least = distance;
    best = other;
  }
  return best;
}

/** Letters to insert, delete, replace or swap to make one word of another. */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, i) => i)];
  const at = (i: number, j: number): number => rows[i]?.[j] ?? Infinity;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      const isSwapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(Math.min(
        at(i - 1, j - 1) + (isSame ? 0 : 1),
        at(i - 1, j) + 1,
        at(i, j - 1) + 1,
        isSwapped ? at(i - 2, j - 2) + 1 : Infinity,
      ));
    }
  }
  return at(a.length, b.length);
}

/** Styles of text; each leaves text as it is when there is no colour. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  magenta(text: string): string;
  cyan(text: string): string;
}

/**
 * The styles for an output.
 *
 * @param color Whether it takes colours.
 * @returns The styles.
 */
export function styleOf(color: boolean): Style {
  const sgr = (on: number, off: number) => (text: string): string =>
    color && text !== "" ? `\x1b[${on}m${text}\x1b[${off}m` : text;
  return {
    bold: sgr(1, 22),
    dim: sgr(2, 22),
    red: sgr(31, 39),
    green: sgr(32, 39),
    yellow: sgr(33, 39),
    magenta: sgr(35, 39),
    cyan: sgr(36, 39),
  };
}

/**
 * Sets rows in columns, two blanks apart; the last column is not padded.
 *
 * @param rows The cells.
 * @param indent Blanks before each row.
 * @returns The lines, each with its end.
 */
export function alignColumns(
  rows: readonly (readonly string[])[],
  indent: number = 2,
): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.slice(0, -1).forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  }
  return rows.map((row) => {
    const cells = row.map((cell, i) =>
      i < row.length - 1 ? cell.padEnd(widths[i] ?? 0) : cell
    );
    return `${" ".repeat(indent)}${cells.join("  ")}\n`;
  }).join("");
}

/**
 * Breaks text into lines at blanks.
 *
 * @param text The text.
 * @param width Characters in a line; a longer word has a line of its own.
 * @returns The lines.
 */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines;
}

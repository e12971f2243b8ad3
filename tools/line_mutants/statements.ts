/**
 * The statements of a model's source that do something, each of which can be
 * taken out.
 *
 * @module
 */

/** A statement. */
export interface Statement {
  /** The function that it is in. */
  readonly fn: string;
  /** Its source, on one line. */
  readonly text: string;
  /** Which of those with this text in this function it is, from 1. */
  readonly nth: number;
  /** Its first line, from 0. */
  readonly first: number;
  /** The line behind its last one. */
  readonly end: number;
}

/** Beginnings of what is no statement, or none that can be taken out. */
const NO_STATEMENT =
  /^(?:return|throw|const|let|for|while|case|break|continue|default|\*|\/\/|\/\*|[})\]|&?:.]|else .*\{$|if \(.*\{$)/;
/** What explores, traces or checks: no behaviour of a filesystem. */
const NO_BEHAVIOUR = /kernel\.(?:stepping|tracing|emit|touch|mightSleep)/;
/** Ends of lines that a statement may follow. */
const BEFORE = /(?:[;{}]|\*\/|^\/\/.*|\) *)$/;
const FUNCTION =
  /^ {0,2}(?:export )?(?:override |get |set )*(?:function\*? |\*)?(#?\w+)\(/;
/** Names that look like functions where they are called. */
const KEYWORDS: ReadonlySet<string> = new Set(["if", "for", "while", "switch"]);

/**
 * The statements of a source that do something.
 *
 * @param source The source, as `deno fmt` leaves it.
 * @returns The statements, in order.
 */
export function statementsOf(source: string): Statement[] {
  const lines = source.split("\n");
  const found: Statement[] = [];
  const counts: Map<string, number> = new Map();
  let fn = "";
  for (let first = 0; first < lines.length;) {
    const line = lines[first] as string;
    const name = FUNCTION.exec(line)?.[1];
    if (name !== undefined && !KEYWORDS.has(name) && !line.endsWith(";")) {
      fn = name;
    }
    const end = endOf(lines, first);
    const text = lines.slice(first, end).map((line) => line.trim()).join(" ")
      .replaceAll("( ", "(").replaceAll(", )", ")").replaceAll(" )", ")");
    if (end === 0 || fn === "constructor" || NO_BEHAVIOUR.test(text)) {
      first++;
      continue;
    }
    const nth = (counts.get(`${fn} ${text}`) ?? 0) + 1;
    counts.set(`${fn} ${text}`, nth);
    found.push({ fn, text, nth, first, end });
    first = end;
  }
  return found;
}

/** The line behind a statement that begins at a line; 0 if none does. */
function endOf(lines: readonly string[], first: number): number {
  const start = lines[first] as string;
  const before = (lines[first - 1] ?? "").trim();
  if (!/^ {4}/.test(start) || !BEFORE.test(before)) return 0;
  if (NO_STATEMENT.test(start.trim())) return 0;
  let depth = 0;
  for (let at = first; at < lines.length; at++) {
    const line = lines[at] as string;
    for (const char of line) {
      if ("([{".includes(char)) depth++;
      if (")]}".includes(char)) depth--;
    }
    if (depth < 0) return 0;
    if (depth !== 0 || !line.endsWith(";")) continue;
    return /^ *else /.test(lines[at + 1] ?? "") ? 0 : at + 1;
  }
  return 0;
}

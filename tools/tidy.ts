/**
 * What the architecture demands of every file and no compiler checks: who may
 * import whom, what `core/` must not touch, how long things may get.
 *
 * The checks read text, not syntax trees. They rely on the layout that
 * `deno fmt` gives: a function ends at the first `}` indented like its start.
 *
 * @module
 */

import { blank } from "./tidy_text.ts";

/** A file of the repository: its path from the root, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** A place that breaks a rule; lines count from 1. */
export interface Untidiness {
  readonly path: string;
  readonly line: number;
  readonly problem: string;
}

/** The folders with a door, and what each may import beside itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  devices: ["core"],
  fs_models: ["core"],
  conformance: ["core", "devices", "fs_models", "@std"],
};

const IMPURE =
  /\b(?:Deno\.|Date\.now|new Date\b|Math\.random|performance\.now|set(?:Timeout|Interval)\b|queueMicrotask\b|Promise\b)/g;
const LEFTOVER = /\b(?:TO[D]O|FIX[M]E)\b/g;
const IMPORT =
  /^import\b(?<names>[^;"]*)"(?<from>[^"]+)"|^export\b(?<exported>[^;"]*)\bfrom\s*"(?<origin>[^"]+)"|\bimport\(\s*"(?<lazily>[^"]+)"/gm;
const RE_EXPORT = /^export\b[^;"]*\bfrom\s*"[^"]*";$/gm;
const NAMED_FUNCTION =
  /^(?<indent> *)(?:export )?(?:async )?function\b\*? ?(?<name>[\w$]*)/;
const METHOD =
  /^(?<indent> {2})(?:(?:static|async|override|get|set) )*\*?(?<name>[#\w$]+|\[[\w.]+\])(?:<.*)?\(/;
const STATEMENT = /^ *(?:if|for|while|switch|return|throw|catch|super)\b/;

const MAX_FILE_LINES = 400;
const MAX_FUNCTION_LINES = 70;

/** Every place in the files that breaks a rule. */
export function findUntidiness(files: readonly SourceFile[]): Untidiness[] {
  const found = files.flatMap((file) => [
    ...badImports(file),
    ...impurities(file),
    ...tooLong(file),
    ...strayCode(file),
    ...matches(file, file.text, LEFTOVER, (what) => `${what} left over`),
  ]);
  return [...found, ...importCycles(files)];
}

interface Import {
  readonly line: number;
  /** A path from the root for a file, else the specifier itself. */
  readonly to: string;
  readonly isTypeOnly: boolean;
}

function isTest(file: SourceFile): boolean {
  return /_(?:test|bench)\.ts$|\/testdata\//.test(file.path);
}

function folderOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.indexOf("/")) : "";
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

function importsOf({ path, text }: SourceFile): Import[] {
  const code = blank(text, { keepStrings: true });
  return [...code.matchAll(IMPORT)].map((match) => {
    const { names, from, exported, origin, lazily } = match.groups!;
    return {
      line: lineAt(code, match.index),
      to: resolve(path, (from ?? origin ?? lazily)!),
      isTypeOnly: isTypeOnly(names ?? exported ?? ""),
    };
  });
}

function isTypeOnly(names: string): boolean {
  if (/^\s*type\b/.test(names)) return true;
  const listed = /^\s*\{(.*)\}\s*(?:from\s*)?$/s.exec(names)?.[1];
  return listed !== undefined && listed.split(",")
    .every((name) => name.trim() === "" || /^\s*type\b/.test(name));
}

function resolve(path: string, specifier: string): string {
  const self = /^@endio\/dio(?:\/(?<door>[\w-]+))?$/.exec(specifier);
  if (self) {
    const door = self.groups!.door?.replaceAll("-", "_");
    return door ? `${door}/mod.ts` : "mod.ts";
  }
  if (!specifier.startsWith(".")) return specifier;
  return new URL(specifier, `file:///${path}`).pathname.slice(1);
}

function badImports(file: SourceFile): Untidiness[] {
  const from = folderOf(file.path);
  return importsOf(file).flatMap(({ line, to }) => {
    const problem = importProblem(file, from, to);
    return problem ? [{ path: file.path, line, problem }] : [];
  });
}

function importProblem(
  file: SourceFile,
  from: string,
  to: string,
): string | undefined {
  const folder = folderOf(to);
  if (folder === from) return undefined;
  if (folder in MAY_IMPORT && to !== `${folder}/mod.ts`) {
    return `imports ${to}, not through the door ${folder}/mod.ts`;
  }
  const allowed = MAY_IMPORT[from];
  if (!allowed || isTest(file) || allowed.includes(folder)) return undefined;
  const others = allowed.join(", ") || "nothing else";
  return `imports ${to}, though ${from}/ may import itself and ${others}`;
}

function impurities(file: SourceFile): Untidiness[] {
  if (folderOf(file.path) !== "core" || isTest(file)) return [];
  const code = blank(file.text, { keepStrings: false });
  return matches(
    file,
    code,
    IMPURE,
    (what) => `${what} in core/, where time, chance and I/O are handed in`,
  );
}

function matches(
  file: SourceFile,
  text: string,
  pattern: RegExp,
  problem: (what: string) => string,
): Untidiness[] {
  return [...text.matchAll(pattern)].map((match) => ({
    path: file.path,
    line: lineAt(text, match.index),
    problem: problem(match[0]),
  }));
}

function tooLong(file: SourceFile): Untidiness[] {
  if (isTest(file)) return [];
  const { path, text } = file;
  const lines = blank(text, { keepStrings: false }).split("\n");
  const found = functionsOf(lines)
    .filter(({ length }) => length > MAX_FUNCTION_LINES)
    .map(({ line, name, length }) => ({
      path,
      line,
      problem: `${name}() has ${length} lines of ${MAX_FUNCTION_LINES} at most`,
    }));
  const fileLines = text.trimEnd().split("\n").length;
  if (fileLines > MAX_FILE_LINES) {
    const problem = `${fileLines} lines of ${MAX_FILE_LINES} at most`;
    found.push({ path, line: MAX_FILE_LINES + 1, problem });
  }
  return found;
}

interface FunctionExtent {
  readonly line: number;
  readonly name: string;
  readonly length: number;
}

function functionsOf(lines: readonly string[]): FunctionExtent[] {
  return lines.flatMap((text, start) => {
    if (STATEMENT.test(text)) return [];
    const match = NAMED_FUNCTION.exec(text) ?? METHOD.exec(text);
    if (!match) return [];
    const { indent = "", name = "" } = match.groups!;
    const rest = lines.slice(start + 1);
    const isOneLine = /[};]$/.test(text);
    const end = rest.findIndex((line) => ends(line, indent));
    const length = isOneLine ? 1 : end + 2;
    return [{ line: start + 1, name, length }];
  });
}

/** Whether a line ends what began at an indentation, body or call. */
function ends(line: string, indent: string): boolean {
  return /^ */.exec(line)![0] === indent &&
    /^ *(?:\}(?!.*\{$)|\).*;$)/.test(line);
}

function strayCode(file: SourceFile): Untidiness[] {
  if (!/^(?:\w+\/)?mod\.ts$/.test(file.path)) return [];
  const code = blank(file.text, { keepStrings: true })
    .replace(RE_EXPORT, (found) => found.replaceAll(/[^\n]/g, " "));
  const at = code.search(/\S/);
  if (at === -1) return [];
  const problem = "a door holds re-exports and nothing else";
  return [{ path: file.path, line: lineAt(code, at), problem }];
}

/** Cycles of imports inside a folder; types alone make none. */
function importCycles(files: readonly SourceFile[]): Untidiness[] {
  const graph = new Map(files.map((file) => [
    file.path,
    importsOf(file)
      .filter(({ to, isTypeOnly }) =>
        !isTypeOnly && folderOf(to) === folderOf(file.path)
      )
      .map(({ to }) => to),
  ]));
  const found: Untidiness[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start !== -1) {
      const cycle = [...trail.slice(start), path].join(" → ");
      found.push({ path, line: 1, problem: `import cycle ${cycle}` });
      return;
    }
    if (done.has(path)) return;
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return found;
}

/**
 * The kill matrix: `deno task mutants`.
 *
 * Every mutant is run, and what finds it is shown: a mutant that survives says
 * that the suite is blind to a mistake, a rule that kills none that it may be.
 *
 * @module
 */

import {
  EXIT_OK,
  EXIT_VIOLATED,
  fileError,
  type Io,
  readOptions,
  runTool,
  UserError,
} from "./cli.ts";
import { type MatrixRow, matrixRow } from "./mutants/matrix.ts";
import { matrixJson, matrixText, summarize } from "./mutants/matrix_report.ts";
import { matrixSvg } from "./mutants/matrix_svg.ts";
import { MUTANTS } from "./mutants/mod.ts";

const HELP = `Usage: deno run tools/mutants.ts [MUTANT…] [--out DIR] [--json]

Runs every mutant, or those whose names begin like that, and shows which rule
finds it. The exit status is 1 when one is not found by the rule that must.

Options:
  --out DIR   writes matrix.txt, matrix.json and matrix.svg there
  --json      prints JSON, not text
  --help      this text

Examples:
  deno task mutants
  deno run --allow-write=/tmp/matrix tools/mutants.ts --out /tmp/matrix
`;

/**
 * The kill matrix as a command.
 *
 * @param args Its arguments.
 * @param io Its world.
 * @returns The exit status.
 */
export async function mutants(
  args: readonly string[],
  io: Io,
): Promise<number> {
  const { values, flags, rest } = readOptions(args, {
    string: ["out"],
    boolean: ["json"],
  });
  if (flags.has("help")) {
    await io.out.write(HELP);
    return EXIT_OK;
  }
  const chosen = choose(rest);
  const rows: MatrixRow[] = [];
  for (const mutant of chosen) {
    if (io.errColor) await io.err.write(progress(rows.length, chosen.length));
    rows.push(matrixRow(mutant));
  }
  if (io.errColor) await io.err.write(progress(rows.length, chosen.length));
  const directory = values.get("out");
  if (directory !== undefined) await save(directory, rows);
  await io.out.write(flags.has("json") ? matrixJson(rows) : matrixText(rows));
  const { mutants, killed } = summarize(rows);
  return killed === mutants ? EXIT_OK : EXIT_VIOLATED;
}

function choose(names: readonly string[]): typeof MUTANTS {
  for (const name of names) {
    if (MUTANTS.some(({ id }) => id.startsWith(name))) continue;
    throw new UserError(
      `Unknown mutant '${name}': 'tools/trace.ts list mutants' shows all`,
    );
  }
  return names.length === 0
    ? MUTANTS
    : MUTANTS.filter(({ id }) => names.some((name) => id.startsWith(name)));
}

function progress(done: number, all: number): string {
  return done < all ? `\r${done} of ${all} mutants` : "\r\x1b[K";
}

async function save(
  directory: string,
  rows: readonly MatrixRow[],
): Promise<void> {
  const files: readonly (readonly [string, string])[] = [
    ["matrix.txt", matrixText(rows)],
    ["matrix.json", matrixJson(rows)],
    ["matrix.svg", matrixSvg(rows)],
  ];
  for (const [name, text] of files) {
    const path = `${directory}/${name}`;
    try {
      await Deno.mkdir(directory, { recursive: true });
      await Deno.writeTextFile(path, text);
    } catch (error) {
      throw fileError("write", path, error);
    }
  }
}

if (import.meta.main) await runTool("mutants.ts", mutants);

/**
 * `explore.ts merge`: puts the reports of shards together.
 *
 * @module
 */

import {
  type ExploreReport,
  mergeReports,
  parseReport,
} from "../conformance/mod.ts";
import {
  EXIT_OK,
  fileError,
  type Io,
  readOptions,
  styleOf,
  UserError,
} from "./cli.ts";
import { statusOf } from "./explore_status.ts";
import { renderReport } from "./explore_text.ts";

const HELP = `Puts the reports of shards together.

Usage: deno run --allow-read=FILE… tools/explore.ts merge FILE… [--json]

FILE is what 'explore.ts --shard I/N --json' wrote; - is standard input. With
all shards the sum is the report that one run without --shard gives.

  --json   one JSON object

Exit status: 0 fine, 1 a rule was violated, 2 they cannot be put together.

Example: deno run --allow-read=. tools/explore.ts merge shard-*.json
`;

/**
 * The command.
 *
 * @param args What follows \`merge\`.
 * @param io Its world.
 * @returns The exit status.
 */
export async function merge(args: readonly string[], io: Io): Promise<number> {
  const { flags, rest } = readOptions(args, { boolean: ["json"] });
  if (flags.has("help")) {
    await io.out.write(HELP);
    return EXIT_OK;
  }
  if (rest.length === 0) {
    throw new UserError("No reports: name the files, see merge --help");
  }
  const reports: ExploreReport[] = [];
  for (const path of rest) reports.push(await readReport(path, io));
  const report = mergeAll(reports);
  await io.out.write(
    flags.has("json")
      ? `${JSON.stringify(report)}\n`
      : renderReport(report, styleOf(io.color)),
  );
  return statusOf(report);
}

function mergeAll(reports: readonly ExploreReport[]): ExploreReport {
  try {
    return mergeReports(reports);
  } catch (error) {
    throw error instanceof RangeError ? new UserError(error.message) : error;
  }
}

async function readReport(path: string, { stdin }: Io): Promise<ExploreReport> {
  let text: string;
  try {
    text = path === "-"
      ? await new Response(stdin()).text()
      : await Deno.readTextFile(path);
  } catch (error) {
    throw fileError("read", path, error);
  }
  try {
    return parseReport(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UserError(`Cannot read ${path}: ${error.message}`);
  }
}

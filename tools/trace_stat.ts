/**
 * `trace.ts stat`: how long the stages of requests took, in which contexts
 * they ended, and why some were deferred.
 *
 * @module
 */

import {
  EXIT_OK,
  EXIT_USAGE,
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
import { interruptible } from "./trace_follow.ts";
import type { Histogram } from "./trace_histogram.ts";
import { inputError, openTrace } from "./trace_input.ts";
import { TraceFormatError } from "./trace_jsonl.ts";
import { type FsNumbers, Stages } from "./trace_stages.ts";

/** How to use it. */
export const STAT_HELP: string =
  `Counts, and says how long the stages of requests took.

Usage: deno run --allow-read tools/trace.ts stat [OPTIONS] FILE

  FILE         a trace of endio or of a real kernel, or - for stdin
  --hist       a histogram of every stage
  --json       the numbers as JSON; times in nanoseconds
  --follow     wait for more at the end of FILE, until Ctrl-C

Events to take:
${FILTER_HELP}
Percentiles are exact to 3 %. Exit status: 0 fine, 2 FILE could not be read
to its end.

Example: deno run --allow-read tools/trace.ts stat --hist trace.jsonl
`;

const NAMES = {
  string: FILTER_NAMES,
  boolean: ["hist", "json", "follow"],
};
const HEAD: readonly string[] = [
  "stage (µs)",
  "n",
  "min",
  "mean",
  "p50",
  "p90",
  "p99",
  "max",
];
const PERCENTILES: readonly number[] = [0.5, 0.9, 0.99];

/**
 * The command.
 *
 * @param args What follows `stat`.
 * @param io Its world.
 * @returns The exit status.
 */
export async function stat(args: readonly string[], io: Io): Promise<number> {
  const options = readOptions(withTimes(args), NAMES);
  const { flags, rest } = options;
  if (flags.has("help")) {
    await io.out.write(STAT_HELP);
    return EXIT_OK;
  }
  const [file, extra] = rest;
  if (file === undefined) {
    throw new UserError("No FILE to count: name one, or - for standard input");
  }
  if (extra !== undefined) {
    throw new UserError(`Unexpected '${extra}': stat takes one FILE`);
  }
  const choose = makeFilter(readWanted(options));
  using interrupt = flags.has("follow") ? interruptible() : null;
  const name = file === "-" ? "stdin" : file;
  let bad = "";
  try {
    const input = await openTrace(file, io, {
      ...interrupt && { follow: interrupt.signal },
      onBad: (line, message) => bad ||= `${name}:${line}: ${message}\n`,
    });
    const stages = new Stages(input.header.fs ?? "unknown filesystem");
    try {
      for await (const { event } of input.events) {
        for (const chosen of choose(event)) stages.push(chosen);
      }
    } catch (error) {
      if (!(error instanceof TraceFormatError)) throw error;
      bad = `${name}:${error.line}: ${error.message}\n`;
    }
    await io.out.write(
      flags.has("json")
        ? `${JSON.stringify(asJson(stages))}\n`
        : asText(name, stages, flags.has("hist"), io),
    );
  } catch (error) {
    throw inputError(name, error);
  }
  await io.err.write(bad);
  return bad === "" ? EXIT_OK : EXIT_USAGE;
}

function asText(
  name: string,
  { byFs, events, first, last }: Stages,
  hist: boolean,
  { color, columns }: Io,
): string {
  const { bold, dim } = styleOf(color);
  const span = events > 0 ? ` in ${timeText(last - first)}` : "";
  let text = `${name}: ${events} event${events === 1 ? "" : "s"}${span}\n`;
  for (const [fs, numbers] of byFs) {
    const { reads, writes, bytes, errors } = numbers;
    text += `\n${bold(fs)}: ${reads} read${
      reads === 1 ? "" : "s"
    }, ${writes} write${
      writes === 1 ? "" : "s"
    }, ${bytes} bytes, ${errors} error${errors === 1 ? "" : "s"}\n`;
    text += `  ended in  ${counts(numbers.contexts)}\n`;
    text += `  deferred  ${counts(numbers.deferred)}\n`;
    const lines = table(numbers, columns);
    text += lines.map((line, i) => `${i === 0 ? dim(line) : line}\n`).join("");
    if (hist) text += histograms(numbers);
  }
  return text;
}

function counts(map: ReadonlyMap<string, number>): string {
  const parts = [...map].map(([name, count]) => `${name} ${count}`);
  return parts.join(", ") || "none";
}

/**
 * A head and a row for each stage, columns aligned; of two lines each where
 * one is too long.
 */
function table({ stages }: FsNumbers, columns: number): string[] {
  const rows = [
    HEAD,
    ...[...stages].map(([name, histogram]) => [
      name,
      String(histogram.count),
      ...valuesOf(histogram).map((ns) => microseconds(ns / 1000)),
    ]),
  ];
  const widths = HEAD.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0))
  );
  const [first = 0, ...others] = widths;
  const numbers = others.reduce((sum, width) => sum + width + 2, 0);
  const isNarrow = 2 + first + numbers > columns;
  return rows.flatMap(([name = "", ...row]) => {
    const cells = row.map((cell, i) => cell.padStart(others[i] ?? 0));
    if (!isNarrow) return [`  ${[name.padEnd(first), ...cells].join("  ")}`];
    return [`  ${name}`, `    ${cells.join("  ")}`];
  });
}

/** As many decimals as matter. */
function microseconds(us: number): string {
  return us.toFixed(us < 10 ? 3 : us < 1000 ? 1 : 0);
}

function valuesOf(histogram: Histogram): number[] {
  return [
    histogram.min,
    histogram.mean,
    ...PERCENTILES.map((part) => histogram.percentile(part)),
    histogram.max,
  ];
}

function histograms({ stages }: FsNumbers): string {
  return [...stages].map(([name, histogram]) =>
    `\n  ${name}\n${
      [...histogram.lines()].map((line) => `${line.trimEnd()}\n`).join("")
    }`
  ).join("");
}

function timeText(ns: number): string {
  if (ns < 1e6) return `${ns / 1e3} µs`;
  return ns < 1e9
    ? `${(ns / 1e6).toFixed(3)} ms`
    : `${(ns / 1e9).toFixed(3)} s`;
}

function asJson({ byFs, events }: Stages): unknown {
  const filesystems = [...byFs].map(([fs, numbers]) => {
    const { reads, writes, bytes, errors, contexts, deferred } = numbers;
    const stages = [...numbers.stages].map(([stage, histogram]) => {
      const [min, mean, p50, p90, p99, max] = valuesOf(histogram);
      return { stage, n: histogram.count, min, mean, p50, p90, p99, max };
    });
    return {
      fs,
      reads,
      writes,
      bytes,
      errors,
      contexts: Object.fromEntries(contexts),
      deferred: Object.fromEntries(deferred),
      stages,
    };
  });
  return { events, filesystems };
}

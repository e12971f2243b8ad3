/**
 * The benchmarks: `deno run tools/bench.ts [NAME…] [--json]`.
 *
 * Every claim of speed is a ratio against a named peer in the same run.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { CORE_BENCHMARK } from "./bench/core.ts";
import { type Benchmark, measure, type Measurement } from "./bench/harness.ts";
import { main, UsageError, writeLine } from "./cli.ts";

const BENCHMARKS: readonly Benchmark[] = [CORE_BENCHMARK];

const HELP = `Usage: deno run tools/bench.ts [NAME…] [--json]

Measures endio against named peers, in turns, in one run. Without a name all
benchmarks run. The exit status is 0 whatever comes out: a benchmark is no
test.

${
  BENCHMARKS.map(({ name, about }) => `  ${name.padEnd(10)} ${about}`)
    .join("\n")
}

Options:
  --json   one JSON object a comparison
  --help   this text

Example:
  deno run tools/bench.ts core`;

async function run(args: string[]): Promise<number> {
  const { _: names, json, help } = parseArgs(args, {
    boolean: ["json", "help"],
    unknown: (arg, key) => {
      if (key === undefined) return true;
      throw new UsageError(
        `Cannot understand option '${arg}': see 'tools/bench.ts --help'`,
      );
    },
  });
  if (help) {
    await writeLine(HELP);
    return 0;
  }
  for (const benchmark of choose(names.map(String))) {
    if (!json) await writeLine(`${benchmark.name}: ${benchmark.about}`);
    for (const result of await measure(benchmark)) {
      await writeLine(json ? JSON.stringify(result) : row(result));
    }
  }
  return 0;
}

function choose(names: readonly string[]): readonly Benchmark[] {
  if (names.length === 0) return BENCHMARKS;
  return names.map((wanted) => {
    const found = BENCHMARKS.find(({ name }) => name === wanted);
    if (found !== undefined) return found;
    throw new UsageError(
      `Cannot find benchmark '${wanted}': choose ${
        BENCHMARKS.map(({ name }) => name).join(", ")
      }`,
    );
  });
}

function row(result: Measurement): string {
  const { subject, peer, unit, subjectNs, peerNs, ratio, atMost } = result;
  const verdict = ratio <= atMost ? "holds" : "does not hold";
  return [
    `  ${subject}: ${subjectNs.toFixed(0)} ns a ${unit}`,
    `  ${peer}: ${peerNs.toFixed(0)} ns a ${unit}`,
    `    ratio ${ratio.toFixed(2)}; claimed at most ${atMost}: ${verdict}`,
  ].join("\n");
}

if (import.meta.main) await main(run);

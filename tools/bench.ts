/**
 * The benchmarks: `deno run tools/bench.ts [NAME…] [--json]`.
 *
 * Every claim of speed is a ratio against a named peer in the same run.
 *
 * @module
 */

import { CORE_BENCHMARK } from "./bench/core.ts";
import { type Benchmark, measure, type Measurement } from "./bench/harness.ts";
import { EXIT_OK, type Io, lookUp, readOptions, runTool } from "./cli.ts";

const BENCHMARKS: ReadonlyMap<string, Benchmark> = new Map(
  [CORE_BENCHMARK].map((benchmark) => [benchmark.name, benchmark]),
);

const HELP = `Usage: deno run tools/bench.ts [NAME…] [--json]

Measures endio against named peers, in turns, in one run. Without a name all
benchmarks run. The exit status is 0 whatever comes out: a benchmark is no
test.

${
  [...BENCHMARKS.values()].map(({ name, about }) =>
    `  ${name.padEnd(10)} ${about}`
  ).join("\n")
}

Options:
  --json   one JSON object a comparison
  --help   this text

Example:
  deno run tools/bench.ts core
`;

async function bench(args: readonly string[], io: Io): Promise<number> {
  const { flags, rest } = readOptions(args, { boolean: ["json"] });
  if (flags.has("help")) {
    await io.out.write(HELP);
    return EXIT_OK;
  }
  const chosen = rest.length === 0
    ? [...BENCHMARKS.values()]
    : rest.map((name) => lookUp("benchmark", name, BENCHMARKS));
  for (const benchmark of chosen) {
    if (!flags.has("json")) {
      await io.out.write(`${benchmark.name}: ${benchmark.about}\n`);
    }
    for (const result of await measure(benchmark)) {
      await io.out.write(
        flags.has("json") ? `${JSON.stringify(result)}\n` : table(result),
      );
    }
  }
  return EXIT_OK;
}

function table(result: Measurement): string {
  const { subject, peer, unit, subjectNs, peerNs, ratio, atMost } = result;
  const verdict = ratio <= atMost ? "holds" : "does not hold";
  return `
  ${subject}: ${subjectNs.toFixed(0)} ns a ${unit}
  ${peer}: ${peerNs.toFixed(0)} ns a ${unit}
  ratio ${ratio.toFixed(2)}, at most ${atMost} is claimed: ${verdict}
`;
}

if (import.meta.main) await runTool("bench.ts", bench);

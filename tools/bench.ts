/**
 * The benchmarks: `deno run tools/bench.ts [NAME…] [--json]`.
 *
 * Every claim of speed is a ratio against a named peer in the same run.
 *
 * @module
 */

import { BLKDEV_BENCHMARK } from "./bench/blkdev.ts";
import { CHECK_BENCHMARK } from "./bench/check.ts";
import { CORE_BENCHMARK } from "./bench/core.ts";
import { deviceBenchmark } from "./bench/device.ts";
import { EXPLORE_BENCHMARK } from "./bench/explore.ts";
import {
  type Benchmark,
  measure,
  type Measurement,
  type Unmeasured,
} from "./bench/harness.ts";
import { SCALING_BENCHMARK } from "./bench/scaling.ts";
import { TRACE_BENCHMARK } from "./bench/trace.ts";
import { workqueueBenchmark } from "./bench/workqueue.ts";
import {
  EXIT_OK,
  EXIT_VIOLATED,
  type Io,
  lookUp,
  readOptions,
  runTool,
} from "./cli.ts";

const BENCHMARKS: readonly Benchmark[] = [
  CORE_BENCHMARK,
  BLKDEV_BENCHMARK,
  SCALING_BENCHMARK,
  EXPLORE_BENCHMARK,
  CHECK_BENCHMARK,
  TRACE_BENCHMARK,
];

const HELP = `Usage: deno run tools/bench.ts [NAME…] [--compare PEER] [--json]

Measures endio against named peers, in turns, in one run. Without a name all
benchmarks run. The exit status is 1 when a claim does not hold.

${
  BENCHMARKS.map(({ name, about }) => `  ${name.padEnd(10)} ${about}`)
    .join("\n")
}
  device     direct I/O on a real file; it has options of its own: device --help
  workqueue  when deferred completions finish of which one blocks, by queue

Options:
  --compare PEER   against that as well, if it is installed: spin (of explore)
  --json           one JSON object a comparison
  --help           this text

Examples:
  deno run tools/bench.ts core
  deno run --allow-run --allow-write=/tmp tools/bench.ts explore --compare spin
`;

/**
 * The benchmarks as a command.
 *
 * @param args Its arguments.
 * @param io Its world.
 * @param benchmarks What can be measured.
 * @returns The exit status.
 */
export async function bench(
  args: readonly string[],
  io: Io,
  benchmarks: readonly Benchmark[] = BENCHMARKS,
): Promise<number> {
  if (args[0] === "device") return await deviceBenchmark(args.slice(1), io);
  if (args[0] === "workqueue") {
    return await workqueueBenchmark(args.slice(1), io);
  }
  const { values, flags, rest } = readOptions(args, {
    string: ["compare"],
    boolean: ["json"],
  });
  if (flags.has("help")) {
    await io.out.write(HELP);
    return EXIT_OK;
  }
  const requested = values.get("compare");
  if (requested !== undefined) lookUp("peer", requested, requests(benchmarks));
  const all = new Map(benchmarks.map((each) => [each.name, each]));
  const chosen = rest.map((name) => lookUp("benchmark", name, all));
  let holds = true;
  for (const benchmark of rest.length === 0 ? benchmarks : chosen) {
    if (!flags.has("json")) {
      await io.out.write(`${benchmark.name}: ${benchmark.about}\n`);
    }
    for await (const result of measure(benchmark, requested)) {
      if ("reason" in result) {
        await io.err.write(excuse(result));
        continue;
      }
      holds &&= result.holds;
      await io.out.write(
        flags.has("json") ? `${JSON.stringify(result)}\n` : table(result),
      );
    }
  }
  return holds ? EXIT_OK : EXIT_VIOLATED;
}

/** What can be asked for with `--compare`. */
function requests(benchmarks: readonly Benchmark[]): Map<string, string> {
  const found: Map<string, string> = new Map();
  for (const { name, comparisons } of benchmarks) {
    for (const { onRequest } of comparisons) {
      if (onRequest !== undefined) found.set(onRequest, name);
    }
  }
  return found;
}

function excuse({ benchmark, subject, reason }: Unmeasured): string {
  return `bench.ts: ${benchmark} goes on without ${subject}: ${reason}\n`;
}

function table(result: Measurement): string {
  const { subject, subjectNote, subjectNs, peer, peerNote, peerNs } = result;
  const { unit, ratio, atMost, holds } = result;
  const each = `${/^[aeiou]/.test(unit) ? "an" : "a"} ${unit}`;
  return `
  ${subject}: ${time(subjectNs)} ${each}${remark(subjectNote)}
  ${peer}: ${time(peerNs)} ${each}${remark(peerNote)}
  ratio ${ratio.toFixed(2)}, at most ${atMost} is claimed: ${
    holds ? "holds" : "does not hold"
  }
`;
}

function time(ns: number): string {
  if (ns < 1e4) return `${ns.toFixed(0)} ns`;
  return ns < 1e8
    ? `${(ns / 1e3).toFixed(1)} us`
    : `${(ns / 1e9).toFixed(2)} s`;
}

function remark(note: string): string {
  return note === "" ? "" : ` (${note})`;
}

if (import.meta.main) await runTool("bench.ts", bench);

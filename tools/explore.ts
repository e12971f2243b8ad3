/**
 * Explores the interleavings of a filesystem model's direct I/O.
 *
 * ```sh
 * deno run tools/explore.ts --fs ext4 --scenario aio-write-many
 * ```
 *
 * `--help` says the rest.
 *
 * @module
 */

import { ReplayError } from "../core/mod.ts";
import { type ExploreReport, exploreReport } from "../conformance/mod.ts";
import { ALL_MODELS, type ModelSpec } from "../fs_models/mod.ts";
import {
  EXIT_OK,
  type Io,
  readOptions,
  runTool,
  styleOf,
  UserError,
} from "./cli.ts";
import { readCheckpoint, writeCheckpoint } from "./explore_checkpoint.ts";
import { doersOf } from "./explore_doer.ts";
import { replay, tellFailure } from "./explore_failure.ts";
import { merge } from "./explore_merge.ts";
import { type ExplorePlan, OPTION_NAMES, planOf } from "./explore_plan.ts";
import { finishWork, newWork, partsOf } from "./explore_pool.ts";
import { ProgressLine } from "./explore_progress.ts";
import { statusOf } from "./explore_status.ts";
import { NowAndThen } from "./explore_task.ts";
import { renderReport } from "./explore_text.ts";

const HELP = `Explores the interleavings of a filesystem model's direct I/O.

Usage: deno run tools/explore.ts --fs FS [OPTIONS]
       deno run tools/explore.ts --replay TOKEN
       deno run tools/explore.ts merge FILE… [--json]

What is explored:
  --fs FS            the filesystem model ('trace.ts list fs')
  --model FILE       a module that exports one, instead; needs --allow-read
  --scenario S       a workload, again for more, or all; without it all, but
                     large ones not to their end
  --profile P        whose semantics: v3.12 (default), v4.10, v6.1
How:
  --strategy S       exhaustive (default): every order that can make a
                     difference; random; pct: at random, with few preemptions
  --bound N          exhaustive: in orders with at most N preemptions
  --depth N          pct: orderings that a bug needs (default 3)
  --seed N           random, pct: of the first run (default 1)
  --runs N           at most so many schedules of a scenario (random, pct: 1000)
  --seconds N        for at most so long for a scenario
Where:
  --shard I/N        one of N shards, from 0/N to N-1/N; together the whole
  --units N          how finely a scenario can be shared out (default 64)
  --jobs N           with N workers; needs --allow-read for endio itself
  --checkpoint FILE  writes there how far it is, and goes on from there; needs
                     --allow-read and --allow-write for FILE and FILE.tmp
Besides:
  --replay TOKEN     repeats the run that a failure names
  --json             one JSON object

Exit status: 0 fine, 1 a rule was violated, 2 it could not be run, 130 it was
interrupted.

Example: deno run tools/explore.ts --fs ext4 --scenario aio-write-many
`;

/** Interrupted, as a shell says it. */
const EXIT_INTERRUPTED = 130;

/** The work is to be left where it is. */
class Stopped extends Error {
  override readonly name = "Stopped";
}

/** What a test may have otherwise. */
export interface ExploreSettings {
  /** The models there are. */
  readonly models?: readonly ModelSpec[];
  /** Whether messages go to a terminal. */
  readonly isTerminal?: boolean;
}

/**
 * The tool.
 *
 * @param args Its arguments.
 * @param io Its world.
 * @param settings What a test has otherwise.
 * @returns The exit status.
 */
export async function explore(
  args: readonly string[],
  io: Io,
  settings: ExploreSettings = {},
): Promise<number> {
  if (args[0] === "merge") return await merge(args.slice(1), io);
  const options = readOptions(args, OPTION_NAMES);
  if (options.flags.has("help")) {
    await io.out.write(HELP);
    return EXIT_OK;
  }
  const [extra] = options.rest;
  if (extra !== undefined) {
    throw new UserError(
      `Unexpected '${extra}': options only, or merge and files; see --help`,
    );
  }
  const models = settings.models ?? ALL_MODELS;
  const token = options.values.get("replay");
  if (token !== undefined) return await replay(token, options, io, models);
  const plan = await planOf(options, models);
  const report = await run(plan, io, settings);
  if (report === null) return EXIT_INTERRUPTED;
  await io.out.write(
    options.flags.has("json")
      ? `${JSON.stringify(report)}\n`
      : renderReport(report, styleOf(io.color)),
  );
  const failure = tellFailure(report, plan.spec);
  if (failure !== "") {
    const sink = options.flags.has("json") ? io.err : io.out;
    await sink.write(`\n${failure}\n`);
  }
  return statusOf(report);
}

/** Explores; gives null if it was interrupted. */
async function run(
  plan: ExplorePlan,
  io: Io,
  settings: ExploreSettings,
): Promise<ExploreReport | null> {
  const { checkpoint, query, shard } = plan;
  const work = checkpoint === null
    ? newWork(plan)
    : await readCheckpoint(checkpoint, plan);
  const line = settings.isTerminal
    ? new ProgressLine(io.err, io.columns)
    : null;
  let isStopped = false;
  const stop = (): void => void (isStopped = true);
  const save = (): void => {
    if (checkpoint !== null) writeCheckpoint(checkpoint, plan, work);
  };
  const saving = new NowAndThen();
  using stack = new DisposableStack();
  const doers = doersOf(plan).map((doer) => stack.use(doer));
  Deno.addSignalListener("SIGINT", stop);
  stack.defer(() => Deno.removeSignalListener("SIGINT", stop));
  try {
    await finishWork(plan, work, doers, {
      progressed(scenario, task, progress) {
        if (isStopped) throw new Stopped();
        void line?.progressed(scenario, task, progress);
      },
      saved: () => saving.do(save),
    });
  } catch (error) {
    if (!(error instanceof Stopped)) throw told(error, plan);
    await io.err.write(
      checkpoint === null ? "" : `Interrupted: ${checkpoint} says how far\n`,
    );
    return null;
  } finally {
    await line?.clear();
    save();
  }
  return exploreReport(query, shard, partsOf(plan, work));
}

/** What to tell of a program that is not the one that it was. */
function told(error: unknown, { checkpoint }: ExplorePlan): unknown {
  if (!(error instanceof ReplayError)) return error;
  return new UserError(
    checkpoint === null
      ? error.message
      : `${error.message}; remove ${checkpoint} to begin again`,
  );
}

if (import.meta.main) {
  const isTerminal = Deno.stderr.isTerminal();
  await runTool("explore.ts", (args, io) => explore(args, io, { isTerminal }));
}

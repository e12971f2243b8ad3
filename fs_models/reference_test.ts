/**
 * Workloads that nobody has thought of come to the same on a model as on a
 * file that is bytes and a size. More of them, or others:
 *
 *     deno test -A fs_models/reference_test.ts -- --seed 7 --runs 50000
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import fc, { type RunDetails } from "fast-check";
import {
  type Bio,
  type Dio,
  DirectIo,
  finish,
  type Kernel,
  type MaybeTask,
  PROFILE_NAMES,
  type ProfileName,
  type Task,
} from "../core/mod.ts";
import { MODELS, type ModelSpec } from "./mod.ts";
import { WorkBench, type Workload } from "./testdata/workload.ts";
import { directWorkloads, workloads } from "./testdata/workload_arbitrary.ts";

const args = parseArgs(Deno.args, { string: ["seed", "runs"] });
const SEED = Number(args.seed ?? 2013);
/** How many workloads each model gets under each profile. */
const RUNS = Number(args.runs ?? 2400);
/** After so many workloads a mistake has to be found. */
const MISTAKE_RUNS = 500;

const bench = new WorkBench();

function modelOf(name: string): ModelSpec {
  return MODELS.find((model) => model.name === name)!;
}

/** What each model is compared with the specification by. */
const SUBJECTS: readonly [name: string, of: typeof workloads, runs: number][] =
  [
    ["plain", workloads, RUNS],
    ["ext4", workloads, RUNS],
    ["ext4-nolock", workloads, RUNS],
    ["xfs", directWorkloads, Math.ceil(RUNS / 2)],
    ["ocfs2", directWorkloads, Math.ceil(RUNS / 2)],
  ];

/** Looks for a workload that makes a difference, and for the shortest one. */
function search(
  spec: ModelSpec,
  profile: ProfileName,
  of: typeof workloads,
  numRuns: number,
  directIo?: (kernel: Kernel) => DirectIo,
): RunDetails<[Workload]> {
  return fc.check(
    fc.property(of, (workload) => {
      const difference = bench.run(spec, profile, workload, directIo);
      if (difference !== null) throw new Error(difference);
    }),
    { seed: SEED, numRuns },
  );
}

for (const [name, of, runs] of SUBJECTS) {
  for (const profile of PROFILE_NAMES) {
    Deno.test(`${name} in ${profile} comes to what the specification says: ${runs} workloads (seed ${SEED})`, () => {
      const details = search(modelOf(name), profile, of, runs);
      assert(!details.failed, fc.defaultReportMessage(details));
    });
  }
}

/** The beginning of a part of an old block is not skipped. */
class MapsToTheStart extends DirectIo {
  override *getMoreBlocks(dio: Dio): Task<number> {
    const ret = yield* finish(super.getMoreBlocks(dio));
    const { sdio } = dio;
    if (ret === 0 && sdio.mapBh.mapped && !sdio.mapBh.isNew) {
      sdio.devicePosition -= sdio.position & ((1 << sdio.iBlkbits) - 1);
    }
    return ret;
  }
}

/** The rest of a new block is not zeroed. */
class LeavesTheRest extends DirectIo {
  override dioZeroBlock(dio: Dio, end: boolean): MaybeTask<number> {
    return end ? 0 : super.dioZeroBlock(dio, end);
  }
}

/** Blocks that are far apart on the device go into one bio. */
class MergesAll extends DirectIo {
  override dioContinuesBio(_dio: Dio, _bio: Bio): boolean {
    return true;
  }
}

const MISTAKES: readonly [
  what: string,
  model: string,
  directIo: (kernel: Kernel) => DirectIo,
][] = [
  ["mapping", "ext4", (kernel) => new MapsToTheStart(kernel)],
  ["zeroing", "plain", (kernel) => new LeavesTheRest(kernel)],
  ["merging", "plain", (kernel) => new MergesAll(kernel)],
];

for (const [what, model, directIo] of MISTAKES) {
  Deno.test(`a mistake in ${what} is found, in three calls at most (seed ${SEED})`, () => {
    for (const profile of PROFILE_NAMES) {
      const spec = modelOf(model);
      const details = search(spec, profile, workloads, MISTAKE_RUNS, directIo);
      assert(details.failed, `${profile}: nothing was found`);
      const [shortest] = details.counterexample ?? [];
      const calls = shortest?.ops.length ?? NaN;
      assert(calls <= 3, `${profile}: ${JSON.stringify(shortest)}`);
      // What was found goes away with the mistake.
      assertEquals(bench.run(spec, profile, shortest as Workload), null);
    }
  });
}

/**
 * Shares out what `explore.ts` has to do, and puts together what comes of it.
 *
 * @module
 */

import {
  type CampaignResult,
  type Prepared,
  type SavedCampaign,
  type Scenario,
  type ScenarioParts,
  type Shard,
  subShard,
} from "../conformance/mod.ts";
import type { Doer } from "./explore_doer.ts";
import type { ExplorePlan } from "./explore_plan.ts";
import type { Outcome, Progress, Task } from "./explore_task.ts";

/** Pieces that there should be for each worker, so that none is idle long. */
const PIECES = 4;

/** A piece of the work on a scenario. */
export interface Piece {
  /** Which shard of the whole it is. */
  readonly shard: Shard;
  /** Where it was left last; null if it was not begun. */
  saved: SavedCampaign | null;
  /** What it came to; null if it is not done. */
  result: CampaignResult | null;
}

/** How far a scenario is. */
export interface ScenarioState {
  /** What is known of it; null before it was prepared. */
  prepared: Prepared | null;
  /** What is left of it. */
  pieces: Piece[];
}

/** How far everything is. */
export interface Work {
  /** Each scenario of the plan. */
  readonly scenarios: readonly ScenarioState[];
}

/** Is told how the work goes on. */
export interface Follower {
  /** A task goes on. */
  progressed(scenario: Scenario, task: Task, progress: Progress): void;
  /** The work could be gone on with from where it is now. */
  saved(): void;
}

/**
 * Work that was not begun.
 *
 * @param plan What is to be done.
 * @returns The work.
 */
export function newWork({ scenarios }: ExplorePlan): Work {
  return { scenarios: scenarios.map(() => ({ prepared: null, pieces: [] })) };
}

/** A task, and what its outcome goes into. */
interface Pending {
  readonly task: Task;
  readonly state: ScenarioState;
  readonly piece: Piece | null;
}

/**
 * Does what is left of the work.
 *
 * @param plan What is to be done.
 * @param work How far it is; it is kept up to date.
 * @param doers Who does it.
 * @param follower Is told how it goes on.
 */
export async function finishWork(
  plan: ExplorePlan,
  work: Work,
  doers: readonly Doer[],
  follower: Follower,
): Promise<void> {
  const queue: Pending[] = [];
  plan.scenarios.forEach((scenario, at) => {
    const state = work.scenarios[at] as ScenarioState;
    if (state.prepared === null) {
      queue.push({ task: { kind: "prepare", scenario }, state, piece: null });
    } else queue.push(...runTasks(scenario, state));
  });
  const run = async (doer: Doer, pending: Pending): Promise<void> => {
    const { task, piece } = pending;
    const outcome = await doer.do(task, (progress) => {
      if (progress.saved !== null && piece !== null) {
        piece.saved = progress.saved;
        follower.saved();
      }
      follower.progressed(task.scenario, task, progress);
    });
    queue.unshift(...settle(plan, pending, outcome));
    follower.saved();
  };
  await shareOut(queue, doers, run);
}

/** Has tasks done, each by whoever is free; they may bring more tasks. */
async function shareOut(
  queue: Pending[],
  doers: readonly Doer[],
  run: (doer: Doer, pending: Pending) => Promise<void>,
): Promise<void> {
  const free = [...doers];
  const busy = new Set<Promise<void>>();
  while (queue.length > 0 || busy.size > 0) {
    while (queue.length > 0 && free.length > 0) {
      const doer = free.pop() as Doer;
      const done: Promise<void> = run(doer, queue.shift() as Pending)
        .then(() => {
          free.push(doer);
          busy.delete(done);
        });
      busy.add(done);
    }
    await Promise.race(busy);
  }
}

/** Takes an outcome into account, and gives what is to be done then. */
function settle(
  plan: ExplorePlan,
  { task, state, piece }: Pending,
  outcome: Outcome,
): Pending[] {
  if (outcome.kind === "run") {
    const { result, saved } = outcome;
    Object.assign(piece as Piece, { result, saved });
    return [];
  }
  const { prepared } = outcome;
  state.prepared = prepared;
  if (prepared.search === null || plan.isSmallOnly) return [];
  const { shard } = plan;
  const count = piecesOf(plan);
  state.pieces = Array.from({ length: count }, (_, i) => ({
    shard: subShard(shard, i, count),
    saved: null,
    result: null,
  }));
  return runTasks(task.scenario, state);
}

/** Into how many pieces a scenario is cut. */
function piecesOf({ jobs, scenarios, query }: ExplorePlan): number {
  if (jobs === 1) return 1;
  // With a limit of time all pieces have to run at once.
  const wanted = query.seconds === null ? PIECES * jobs : jobs;
  return Math.max(1, Math.ceil(wanted / scenarios.length));
}

function runTasks(scenario: Scenario, state: ScenarioState): Pending[] {
  const search = state.prepared?.search;
  if (search === undefined || search === null) return [];
  return state.pieces.map((piece) => {
    const { shard, saved } = piece;
    const task = { kind: "run", scenario, search, shard, saved } as const;
    return { task, state, piece };
  });
}

/**
 * What the work has come to so far.
 *
 * @param plan What was to be done.
 * @param work How far it is.
 * @returns Each scenario.
 */
export function partsOf(
  { scenarios, shard }: ExplorePlan,
  work: Work,
): ScenarioParts[] {
  return scenarios.map(({ id }, at) => {
    const { prepared, pieces } = work.scenarios[at] as ScenarioState;
    // What was not shared out is in the first shard.
    const whole = pieces.length === 0 && shard.index === 0
      ? prepared?.result ?? []
      : [];
    return {
      scenario: id,
      skipped: prepared?.skipped ?? null,
      parts: pieces.flatMap(({ result }) => result ?? []).concat(whole),
    };
  });
}

/**
 * What `explore.ts` has done piece by piece, by itself or by its workers.
 *
 * @module
 */

import {
  Campaign,
  type CampaignResult,
  prepareCampaign,
  type Prepared,
  type SavedCampaign,
  type Scenario,
  type Search,
  type Shard,
} from "../conformance/mod.ts";
import type { ExploreQuery } from "../conformance/mod.ts";
import type { ModelSpec } from "../fs_models/mod.ts";

/** Something to be done with a scenario; it can be handed to a worker. */
export type Task =
  /** Find out how it is shared out. */
  | { readonly kind: "prepare"; readonly scenario: Scenario }
  /** Run a shard of it. */
  | {
    readonly kind: "run";
    readonly scenario: Scenario;
    readonly search: Search;
    readonly shard: Shard;
    /** Where it was left; null to begin. */
    readonly saved: SavedCampaign | null;
  };

/** What came of a task. */
export type Outcome =
  | { readonly kind: "prepare"; readonly prepared: Prepared }
  | {
    readonly kind: "run";
    readonly result: CampaignResult;
    readonly saved: SavedCampaign;
  };

/** How far a task is. */
export interface Progress {
  /** Schedules that were run to their end. */
  readonly schedules: number;
  /** Runs that were given up. */
  readonly pruned: number;
  /** Runs that are known to be left; null when nobody can know. */
  readonly left: number | null;
  /** Where it could be gone on with, now and then. */
  readonly saved: SavedCampaign | null;
}

/** Milliseconds of work between two looks at the rest of the world. */
const SLICE_MS = 50;
/** Milliseconds between two states that could be gone on with, at least. */
const SAVE_MS = 100;
/** What is saved now and then takes one part of so many of the time. */
const SAVE_SHARE = 50;

/** Does something now and then, so that it takes little of the time. */
export class NowAndThen {
  #next = performance.now() + SAVE_MS;

  /**
   * Does it, if it is time.
   *
   * @param action What is done.
   */
  do(action: () => void): void {
    const begin = performance.now();
    if (begin < this.#next) return;
    action();
    const end = performance.now();
    this.#next = end + Math.max(SAVE_MS, (end - begin) * SAVE_SHARE);
  }
}

/**
 * Does a task. It leaves time to others now and then.
 *
 * @param spec The model.
 * @param query What is asked for.
 * @param task The task.
 * @param isSaved Whether it tells from where it could be gone on with.
 * @param tell Is told how far it is; throws to leave it.
 * @returns What came of it.
 */
export async function doTask(
  spec: ModelSpec,
  query: ExploreQuery,
  task: Task,
  isSaved: boolean,
  tell: (progress: Progress) => void,
): Promise<Outcome> {
  const { profile, strategy, bound, units, seed, depth, runs } = query;
  const { kind, scenario } = task;
  if (kind === "prepare") {
    const prepared = prepareCampaign(spec, scenario, {
      profile,
      strategy,
      ...(bound !== null && { bound }),
      ...(units !== null && { units }),
      ...(seed !== null && { seed }),
      ...(depth !== null && { depth }),
      ...(runs !== null && { runs }),
    });
    return { kind, prepared };
  }
  const campaign = new Campaign(spec, scenario, {
    profile,
    search: task.search,
    shard: task.shard,
    ...(runs !== null && { runs }),
    ...(task.saved && { resume: task.saved }),
  });
  const deadline = performance.now() + (query.seconds ?? Infinity) * 1000;
  await run(campaign, deadline, isSaved, tell);
  return { kind, result: campaign.result(), saved: campaign.save() };
}

async function run(
  campaign: Campaign,
  deadline: number,
  isSaved: boolean,
  tell: (progress: Progress) => void,
): Promise<void> {
  const saving = new NowAndThen();
  for (let more = true; more;) {
    const sliceEnd = Math.min(performance.now() + SLICE_MS, deadline);
    do more = campaign.step(); while (more && performance.now() < sliceEnd);
    let saved: SavedCampaign | null = null;
    if (isSaved) saving.do(() => saved = campaign.save());
    const { schedules, pruned, left } = campaign;
    tell({ schedules, pruned, left, saved });
    if (performance.now() >= deadline) return;
    await new Promise((resolve) => setTimeout(resolve));
  }
}

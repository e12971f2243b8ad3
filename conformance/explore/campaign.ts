/**
 * A campaign: one scenario of a model under many schedules, or one shard of
 * them, run by run. It can be written down between two runs and gone on with
 * later, and comes to the same result.
 *
 * @module
 */

import { ReplayError, type Strategy } from "../../core/mod.ts";
import type { ModelSpec } from "../../fs_models/mod.ts";
import { DETERMINISM_RULE } from "../determinism.ts";
import {
  RunArena,
  type RunOptions,
  type RunReport,
  runScenario,
} from "../run.ts";
import type { Scenario } from "../scenario.ts";
import { type Shard, shareOf, WHOLE } from "./part.ts";
import {
  type PctOdds,
  type SavedSearch,
  type Search,
  type Searcher,
  searcherOf,
} from "./search.ts";
import { NO_RUNS, RunTally, type Tally } from "./tally.ts";

/** What is run of a scenario, and how. */
export interface CampaignOptions
  extends Pick<RunOptions, "profile" | "rules" | "directIo"> {
  /**
   * How schedules are looked for.
   *
   * @default {all of them}
   */
  readonly search?: Search;
  /**
   * Which shard of them is run.
   *
   * @default {the whole}
   */
  readonly shard?: Shard;
  /**
   * How many schedules are run at most: of a search at random, those of the
   * whole, which the shards share; of an exhaustive one, those of this shard.
   *
   * @default {no limit}
   */
  readonly runs?: number;
  /** What {@linkcode Campaign.save} gave, to go on from there. */
  readonly resume?: SavedCampaign;
}

/** A campaign between two runs. */
export interface SavedCampaign {
  /** What the runs came to. */
  readonly tally: Tally;
  /** Where the search stands. */
  readonly search: SavedSearch;
}

/** What a campaign has come to. */
export interface CampaignResult extends Tally {
  /** Which shard it ran. */
  readonly shard: Shard;
  /** Runs that were given up because they could only repeat another one. */
  readonly pruned: number;
  /** Runs that are known to be left, at least; null when nobody can know. */
  readonly left: number | null;
  /** Whether runs were left out for their preemptions. */
  readonly hitBound: boolean;
  /** The chances of what was drawn, if they can be stated. */
  readonly odds: PctOdds | null;
}

const EVERYTHING: Search = { strategy: "exhaustive" };

/**
 * Runs one scenario under many schedules.
 *
 * @example Every order of a write
 * ```ts
 * import { Campaign, scenarioById } from "@endio/dio/conformance";
 * import { MODELS } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const campaign = new Campaign(MODELS[0]!, scenarioById("aio-write"));
 * while (campaign.step());
 * const { schedules, failing, left } = campaign.result();
 * assertEquals([schedules, failing, left], [10, 0, 0]);
 * ```
 */
export class Campaign {
  readonly #spec: ModelSpec;
  readonly #scenario: Scenario;
  readonly #options: CampaignOptions;
  readonly #shard: Shard;
  readonly #searcher: Searcher;
  readonly #tally: RunTally;
  readonly #arena: RunArena;
  /** How many schedules are run at most. */
  readonly #most: number;
  /** The last run, if there was one since the campaign was gone on with. */
  #last: RunReport | null = null;
  /** Whether what one run shows says nothing about the next one. */
  #isUndetermined: boolean;

  /**
   * Begins, or goes on.
   *
   * @param spec The model.
   * @param scenario The scenario; the model must be able to run it.
   * @param options Which schedules are run.
   */
  constructor(
    spec: ModelSpec,
    scenario: Scenario,
    options: CampaignOptions = {},
  ) {
    const { search = EVERYTHING, runs = Infinity, resume } = options;
    this.#spec = spec;
    this.#scenario = scenario;
    this.#options = options;
    this.#shard = options.shard ?? WHOLE;
    this.#searcher = searcherOf(search, this.#shard, resume?.search);
    this.#tally = new RunTally(resume?.tally);
    this.#isUndetermined = this.#tally.breaks(DETERMINISM_RULE);
    this.#arena = new RunArena(scenario);
    this.#most = search.strategy === "exhaustive" || runs === Infinity
      ? runs
      : shareOf(runs, this.#shard);
  }

  /** How many schedules it was run under. */
  get schedules(): number {
    return this.#tally.schedules;
  }

  /** How many runs were given up. */
  get pruned(): number {
    return this.#searcher.pruned;
  }

  /** How many are known to be left, or null. */
  get left(): number | null {
    return this.#isUndetermined ? null : this.#searcher.left;
  }

  /**
   * Makes one run, if there is one left. A model that does something else than
   * before under the same choices breaks a rule by that, and is not run again.
   *
   * @returns False when there was none.
   * @throws {ReplayError} If the campaign was gone on with, and the program is
   * not the one that it was begun with.
   */
  step(): boolean {
    const { hasNext } = this.#searcher;
    const isOver = !hasNext || this.#tally.schedules >= this.#most;
    if (isOver || this.#isUndetermined) return false;
    try {
      this.#last = this.#run(this.#searcher.begin());
    } catch (error) {
      if (!(error instanceof ReplayError) || this.#last === null) throw error;
      this.#giveUp(this.#last);
      return false;
    }
    if (this.#searcher.end()) this.#tally.add(this.#last);
    return true;
  }

  /**
   * What the campaign has come to.
   *
   * @returns The result of what was run so far.
   */
  result(): CampaignResult {
    const { pruned, hitBound, odds } = this.#searcher;
    const { left } = this;
    const shard = this.#shard;
    return { ...this.#tally.result(), shard, pruned, left, hitBound, odds };
  }

  /**
   * What is needed to go on later.
   *
   * @returns What `resume` takes; it survives JSON.
   */
  save(): SavedCampaign {
    return { tally: this.#tally.result(), search: this.#searcher.save() };
  }

  #giveUp({ token }: RunReport): void {
    this.#isUndetermined = true;
    const broken = [{ rule: DETERMINISM_RULE, schedules: 1, token }];
    this.#tally.addAll({ ...NO_RUNS, schedules: 1, failing: 1, broken });
  }

  #run(strategy: Strategy): RunReport {
    const { profile, rules, directIo } = this.#options;
    return runScenario(this.#spec, this.#scenario, {
      strategy,
      arena: this.#arena,
      ...(profile && { profile }),
      ...(rules && { rules }),
      ...(directIo && { directIo }),
    });
  }
}

/**
 * Benchmark `explore`: what it costs to run code in every order.
 *
 * @module
 */

import {
  type CheckOptions,
  ExhaustiveStrategy,
  RunArena,
  runScenario,
  type Scenario,
} from "../../conformance/mod.ts";
import { MODELS } from "../../fs_models/mod.ts";
import { PromiseOrders } from "./explore_orders.ts";
import { type PromiseScenario, PromiseSchedules } from "./explore_promises.ts";
import type { Benchmark, Subject } from "./harness.ts";
import { SpinSearch } from "./spin.ts";

const BLOCK = 4096;
const DIOS = 2;
const BIOS = 3;
const BYTES = BIOS * BLOCK;
/** Schedules a round, when a schedule is what counts. */
const SCHEDULES = 2000;

/** A filesystem without an `end_io`: O_DSYNC is what defers. */
const PLAIN = MODELS.find(({ name }) => name === "plain")!;

/**
 * Two writers, each with a dio of three bios, and a truncate that waits. It
 * leaves the size of the file as it is, so that both dios are deferred in
 * whatever order the three come; in the Promela model it comes last.
 */
const SCENARIO: Scenario = {
  id: "two-writers-dsync",
  title: "Two O_DSYNC writes of three bios each, against a truncate that waits",
  rules: [],
  dsync: true,
  file: {
    size: DIOS * BYTES,
    extents: Array.from({ length: DIOS * BIOS }, (_, i) => ({
      offset: i * BLOCK,
      bytes: BLOCK,
      state: "written",
    })),
  },
  tasks: [
    ...Array.from({ length: DIOS }, (_, i) => ({
      comm: `writer${i}`,
      ops: [{ op: "aio_write", offset: i * BYTES, bytes: BYTES } as const],
    })),
    { comm: "truncater", ops: [{ op: "truncate", size: DIOS * BYTES }] },
  ],
};

const CHECKED_BY_ITSELF = "endio, the code itself, checked by its assertions";
/** The peers of fast-check have no rules either. */
const NO_RULES: CheckOptions = { rules: [] };

/** An exploration that counts the steps it decides about. */
class CountingStrategy extends ExhaustiveStrategy {
  steps = 0;

  override pick(
    ...args: Parameters<ExhaustiveStrategy["pick"]>
  ): ReturnType<ExhaustiveStrategy["pick"]> {
    this.steps++;
    return super.pick(...args);
  }
}

/** The exploration; a unit is the whole of it. */
class Search implements Subject {
  readonly name: string;
  /** How long the last one took. */
  milliseconds = 0;
  readonly #checks: CheckOptions;
  #schedules = 0;
  #pruned = 0;

  /**
   * @param name Its name.
   * @param checks What each run is held against.
   */
  constructor(name: string, checks: CheckOptions) {
    this.name = name;
    this.#checks = checks;
  }

  run(n: number): void {
    for (let i = 0; i < n; i++) this.#once();
  }

  note(): string {
    return `${this.#schedules} schedules, ${this.#pruned} pruned, no violation`;
  }

  #once(): void {
    const start = performance.now();
    const arena = new RunArena(SCENARIO);
    const strategy = new ExhaustiveStrategy();
    do {
      strategy.begin();
      const { bug, violations: [violation], token } = runScenario(
        PLAIN,
        SCENARIO,
        { ...this.#checks, strategy, arena },
      );
      const broken = violation?.rule ?? bug?.rule;
      if (broken) throw new Error(`${broken}: ${token}`);
    } while (strategy.end());
    this.#schedules = strategy.schedules;
    this.#pruned = strategy.pruned;
    this.milliseconds = performance.now() - start;
  }
}

/** The exploration again; a unit is one schedule. */
export class Schedules implements Subject {
  readonly name: string = CHECKED_BY_ITSELF;
  readonly #arena = new RunArena(SCENARIO);
  #strategy = new CountingStrategy();
  #steps = 0;
  #schedules = 0;

  run(n: number): void {
    for (let i = 0; i < n; i++) {
      this.#strategy.begin();
      const { bug } = runScenario(PLAIN, SCENARIO, {
        strategy: this.#strategy,
        arena: this.#arena,
        ...NO_RULES,
      });
      if (bug !== null) throw bug;
      if (!this.#strategy.end()) this.#count();
    }
  }

  note(): string {
    this.#count();
    return `${(this.#steps / this.#schedules).toFixed(0)} steps each`;
  }

  /** Begins the exploration anew. */
  #count(): void {
    const { steps, schedules, pruned } = this.#strategy;
    this.#steps += steps;
    this.#schedules += schedules + pruned;
    this.#strategy = new CountingStrategy();
  }
}

/** So many times longer a search at random may take. */
const FASTER = 20;

const SEARCH = new Search("endio, the code itself, every rule checked", {});
const ORDERS = new Search(
  `${CHECKED_BY_ITSELF}, until it has run every order`,
  NO_RULES,
);
const PROMISES: PromiseScenario = { dios: DIOS, bios: BIOS };

/** The benchmark. */
export const EXPLORE_BENCHMARK: Benchmark = {
  name: "explore",
  about:
    "every order of two dios of three bios, deferred, against a truncate that waits",
  units: SCHEDULES,
  comparisons: [
    {
      subject: SEARCH,
      peer: new SpinSearch(DIOS, BIOS),
      unit: "search",
      atMost: 1,
      units: 1,
      rounds: 3,
      warmUp: 0,
      onRequest: "spin",
    },
    {
      subject: new Schedules(),
      peer: new PromiseSchedules(PROMISES),
      unit: "schedule",
      atMost: 1.5,
    },
    {
      subject: ORDERS,
      // Orders at random are not through when the time is over, so this says
      // how much faster it is at least.
      peer: new PromiseOrders(
        PROMISES,
        () => FASTER * ORDERS.milliseconds,
      ),
      unit: "search",
      atMost: 1 / FASTER,
      units: 1,
      rounds: 1,
      warmUp: 0,
    },
  ],
};

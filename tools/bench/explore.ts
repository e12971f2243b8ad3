/**
 * Benchmark `explore`: what it costs to run code in every order.
 *
 * @module
 */

import {
  ExhaustiveStrategy,
  RunArena,
  runScenario,
  type Scenario,
} from "../../conformance/mod.ts";
import { MODELS } from "../../fs_models/mod.ts";
import { PromiseSchedules } from "./explore_promises.ts";
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
  readonly name = "endio, the code itself, every rule checked";
  #schedules = 0;
  #pruned = 0;

  run(n: number): void {
    const arena = new RunArena(SCENARIO);
    for (let i = 0; i < n; i++) {
      const strategy = new ExhaustiveStrategy();
      do {
        strategy.begin();
        const report = runScenario(PLAIN, SCENARIO, { strategy, arena });
        const [violation] = report.violations;
        if (violation) throw new Error(`${violation.rule}: ${report.token}`);
      } while (strategy.end());
      this.#schedules = strategy.schedules;
      this.#pruned = strategy.pruned;
    }
  }

  note(): string {
    return `${this.#schedules} schedules, ${this.#pruned} pruned, no violation`;
  }
}

/** The exploration again; a unit is one schedule. */
class Schedules implements Subject {
  readonly name = "endio, the code itself, checked by its assertions";
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
        // The peer has no rules either.
        rules: [],
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

/** The benchmark. */
export const EXPLORE_BENCHMARK: Benchmark = {
  name: "explore",
  about:
    "every order of two dios of three bios, deferred, against a truncate that waits",
  units: SCHEDULES,
  comparisons: [
    {
      subject: new Search(),
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
      peer: new PromiseSchedules({ dios: DIOS, bios: BIOS }),
      unit: "schedule",
      atMost: 1 / 20,
    },
  ],
};

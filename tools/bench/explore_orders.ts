/**
 * A peer of the exploration: how far fast-check's scheduler comes with running
 * every order of the scenario.
 *
 * @module
 */

import type { Scheduler } from "fast-check";
import {
  BIO_LOCK,
  type PromiseScenario,
  PromiseSchedules,
} from "./explore_promises.ts";

/** Points at which nothing is touched that another context could change. */
const PRIVATE: ReadonlySet<string> = new Set([
  "io_submit",
  "queue_work",
  "kworker",
  "process_one_work",
  "pwq_dec_nr_in_flight",
  "wake_up flusher",
  "bio_endio",
  "io_error",
  "truncate",
]);

/** How many schedules it runs before it looks at the time. */
const BATCH = 1000;

/**
 * The scenario under fast-check until every order that makes a difference has
 * been run, or its time is over.
 */
export class PromiseOrders extends PromiseSchedules {
  override readonly name: string =
    "fast-check's scheduler, until it has run every order or its time is over";
  readonly #budget: () => number;
  /** How often each order was run. */
  readonly #orders: Map<number, number> = new Map();

  /**
   * Describes the scenario.
   *
   * @param scenario How large it is.
   * @param budget After how many milliseconds it has to end.
   */
  constructor(scenario: PromiseScenario, budget: () => number) {
    super(scenario);
    this.#budget = budget;
  }

  /** Runs it until the time is over, or it seems to have run all of them. */
  override async run(): Promise<void> {
    const end = performance.now() + this.#budget();
    do {
      await super.run(BATCH);
    } while (performance.now() < end && this.#unseen > 0);
  }

  /** How far it has come. */
  override note(): string {
    return `${this.#orders.size} orders in ${this.schedules} runs, and ${
      (100 * this.#unseen).toFixed(2)
    } % of further runs would be others`;
  }

  /**
   * The chance that the next run is one that there was not: as good as the
   * share of those that there were once (Good and Turing).
   */
  get #unseen(): number {
    let once = 0;
    for (const runs of this.#orders.values()) if (runs === 1) once++;
    return once / this.schedules;
  }

  protected override async once(scheduler: Scheduler): Promise<void> {
    const print = new OrderPrint();
    await this.runWith(
      scheduler,
      (object, who) =>
        scheduler.schedule(Promise.resolve(), object, undefined, (task) => {
          print.note(object, who);
          return task();
        }),
    );
    const { value } = print;
    this.#orders.set(value, (this.#orders.get(value) ?? 0) + 1);
  }
}

/**
 * What tells two runs apart of which the order makes a difference: in which
 * order each object was touched. Of the drops of references, who came last.
 */
class OrderPrint {
  readonly #objects: Map<string, number> = new Map();

  note(object: string, who: string): void {
    if (PRIVATE.has(object)) return;
    const before = object.startsWith(BIO_LOCK)
      ? 0
      : this.#objects.get(object) ?? 0;
    this.#objects.set(object, Math.imul(before, 31) + hash(who));
  }

  /** The same number for the same order. */
  get value(): number {
    let value = 0;
    for (const [object, print] of this.#objects) {
      value = (value + Math.imul(hash(object), print | 1)) | 0;
    }
    return value;
  }
}

const HASHES: Map<string, number> = new Map();

/** 32 bits of a text; there are few texts. */
function hash(text: string): number {
  let value = HASHES.get(text);
  if (value === undefined) {
    value = 0x811c9dc5;
    for (let i = 0; i < text.length; i++) {
      value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
    }
    HASHES.set(text, value);
  }
  return value;
}

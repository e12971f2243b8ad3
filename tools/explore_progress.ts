/**
 * The line that says how far `explore.ts` is, on a terminal.
 *
 * @module
 */

import type { Scenario } from "../conformance/mod.ts";
import type { Sink } from "./cli.ts";
import type { Progress, Task } from "./explore_task.ts";

/** Milliseconds between two drawings. */
const REDRAW_MS = 100;
const CLEAR = "\r\x1b[K";

/** Draws the line, again and again. */
export class ProgressLine {
  readonly #sink: Sink;
  readonly #columns: number;
  readonly #clock: () => number;
  readonly #begin: number;
  /** How far each task is. */
  readonly #tasks: Map<Task, Progress> = new Map();
  #drawnAt = -Infinity;
  #isDrawn = false;

  /**
   * Draws nothing yet.
   *
   * @param sink Where it is drawn.
   * @param columns Characters of a line.
   * @param clock Tells the time in milliseconds.
   */
  constructor(
    sink: Sink,
    columns: number,
    clock: () => number = () => performance.now(),
  ) {
    this.#sink = sink;
    this.#columns = columns;
    this.#clock = clock;
    this.#begin = clock();
  }

  /**
   * A task goes on.
   *
   * @param scenario Its scenario.
   * @param task The task.
   * @param progress How far it is.
   */
  async progressed(
    scenario: Scenario,
    task: Task,
    progress: Progress,
  ): Promise<void> {
    this.#tasks.set(task, progress);
    const now = this.#clock();
    if (now < this.#drawnAt + REDRAW_MS) return;
    this.#drawnAt = now;
    this.#isDrawn = true;
    const line = this.#line(scenario, now).slice(0, this.#columns - 1);
    await this.#sink.write(`${CLEAR}${line}`);
  }

  /** Wipes the line. */
  async clear(): Promise<void> {
    if (this.#isDrawn) await this.#sink.write(CLEAR);
    this.#isDrawn = false;
  }

  #line({ id }: Scenario, now: number): string {
    let schedules = 0;
    let pruned = 0;
    let left: number | null = 0;
    for (const progress of this.#tasks.values()) {
      schedules += progress.schedules;
      pruned += progress.pruned;
      left = left === null || progress.left === null
        ? null
        : left + progress.left;
    }
    const rate = schedules * 1000 / Math.max(1, now - this.#begin);
    return [
      `${id}: ${schedules} schedules`,
      ...pruned > 0 ? [`${pruned} pruned`] : [],
      ...left === null ? [] : [`${left} or more left`],
      `${rate.toFixed(0)}/s`,
    ].join(", ");
  }
}

/// <reference lib="dom" />
/**
 * Which events of a trace are shown, and how to get from one to the next.
 *
 * @module
 */

import type { PageData } from "./page_data.ts";

/** What the reader wants to see. */
export interface RowFilter {
  /** A request, or -1 for all. */
  request: number;
  /** Words that all must be in an event. */
  text: string;
  /** Only what a reader looks for first. */
  keysOnly: boolean;
}

/** The events that are shown, a row each. */
export class TraceRows {
  /** The trace. */
  readonly data: PageData;
  /** What the reader wants to see. */
  readonly filter: RowFilter = { request: -1, text: "", keysOnly: false };
  /** The event in each row. */
  rows: Int32Array = new Int32Array(0);
  /** The row of each event, -1 for one that is not shown. */
  readonly rowOf: Int32Array;
  /** The arrows that end and begin at each event, -1 for none. */
  readonly causeOf: Int32Array;
  readonly effectOf: Int32Array;
  /** The rules that each event breaks. */
  readonly brokenAt: Map<number, number[]> = new Map();
  /** Events that break a rule, in order. */
  readonly brokenEvents: number[];
  readonly #texts: string[] = [];

  /**
   * Shows all of a trace.
   *
   * @param data The trace.
   */
  constructor(data: PageData) {
    const { events, arrows, broken } = data;
    this.data = data;
    this.rowOf = new Int32Array(events.length);
    this.causeOf = new Int32Array(events.length).fill(-1);
    this.effectOf = new Int32Array(events.length).fill(-1);
    arrows.forEach(([from, to], i) => {
      this.effectOf[from] = i;
      this.causeOf[to] = i;
    });
    broken.forEach(({ events }, i) => {
      for (const at of events) {
        this.brokenAt.set(at, [...this.brokenAt.get(at) ?? [], i]);
      }
    });
    this.brokenEvents = [...this.brokenAt.keys()].sort((a, b) => a - b);
    this.apply();
  }

  /** Finds the rows again after the filter has changed. */
  apply(): void {
    const { events, keys } = this.data;
    const { request, text, keysOnly } = this.filter;
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const isKey = new Set(keys);
    const rows: number[] = [];
    this.rowOf.fill(-1);
    events.forEach((event, at) => {
      const [, , name, of] = event;
      if (request >= 0 && of !== request) return;
      if (keysOnly && !isKey.has(name) && !this.brokenAt.has(at)) return;
      if (!words.every((word) => this.#text(at).includes(word))) return;
      this.rowOf[at] = rows.length;
      rows.push(at);
    });
    this.rows = Int32Array.from(rows);
  }

  /** What a search looks through. */
  #text(at: number): string {
    const { names, events, lanes } = this.data;
    const [, lane, name, , , args] = events[at] as PageData["events"][0];
    return this.#texts[at] ??= [
      names[name],
      ...Object.entries(args).map(([key, value]) => `${key}=${value}`),
      lanes[lane]?.[1],
    ].join(" ").toLowerCase();
  }

  /** The row that is nearest to an event, shown or not. */
  nearestRow(at: number): number {
    let low = 0;
    let high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.rows[middle] as number) < at) low = middle + 1;
      else high = middle;
    }
    return Math.min(low, this.rows.length - 1);
  }

  /** The next event of the same request, in a direction; -1 for none. */
  nextOfRequest(at: number, by: 1 | -1): number {
    const { events } = this.data;
    const request = events[at]?.[3] ?? -1;
    if (request < 0) return -1;
    for (let i = at + by; i >= 0 && i < events.length; i += by) {
      if (events[i]?.[3] === request && (this.rowOf[i] as number) >= 0) {
        return i;
      }
    }
    return -1;
  }

  /** The next event that breaks a rule, in a direction; -1 for none. */
  nextBroken(at: number, by: 1 | -1): number {
    const found = by > 0
      ? this.brokenEvents.find((other) => other > at)
      : this.brokenEvents.findLast((other) => other < at);
    return found ?? -1;
  }
}

/**
 * Where the simulated kernel writes its trace: numbers in one growing or
 * wrapping array, turned into {@linkcode TraceEvent}s only when somebody
 * reads them.
 *
 * @module
 */

import {
  type ContextKind,
  EVENT_ARGS,
  EVENT_NAMES,
  type TraceEvent,
} from "./events.ts";

/** Numbers a record: time, event code, row of the context table, 8 args. */
const STRIDE = 11;
/** The same in words of 32 bits. */
const WORDS = 2 * STRIDE;
const FIRST_ARG = 3;
const FIRST_CAPACITY = 1024;

/** Where an event happened: what its context column shows. */
export interface TraceContext {
  /** The kind of context. */
  readonly ctx: ContextKind;
  /** The processor. */
  readonly cpu: number;
  /** The thread, 0 for an interrupt on an idle processor. */
  readonly tid: number;
  /** The thread's name. */
  readonly comm: string;
}

/**
 * A trace being recorded.
 *
 * @example
 * ```ts
 * import { EV, TraceBuffer } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const trace = new TraceBuffer();
 * const row = trace.contextRow("task", 0, 12, "fio");
 * trace.emit(EV.dio_free, 100, row, 1);
 * assertEquals(trace.event(0).ev, "dio_free");
 * assertEquals(trace.event(0).dio, 1);
 * ```
 */
export class TraceBuffer {
  /** Events emitted so far, those that a ring has dropped included. */
  count = 0;
  #records: Float64Array;
  /** Where the next record goes. */
  #at = 0;
  readonly #limit: number;
  readonly #strings: string[] = [];
  readonly #stringIds: Map<string, number> = new Map();
  readonly #contexts: TraceContext[] = [];
  readonly #contextIds: Map<string, number> = new Map();
  /** The events of the last {@linkcode list}, and what they were made of. */
  readonly #listed: TraceEvent[] = [];
  #listedWords: Int32Array = new Int32Array();

  /**
   * Makes an empty trace.
   *
   * @param limit How many events to keep: the newest ones, like ftrace's own
   * ring. Without it everything is kept.
   */
  constructor(limit: number = Infinity) {
    this.#limit = limit;
    this.#records = new Float64Array(
      Math.min(limit, FIRST_CAPACITY) * STRIDE,
    );
  }

  /** How many of the oldest events a ring has dropped. */
  get dropped(): number {
    return Math.max(0, this.count - this.#limit);
  }

  /** Forgets all events, for another run. */
  reset(): void {
    this.count = 0;
    this.#at = 0;
  }

  /**
   * The number of a string, for an argument that is one.
   *
   * @param text The string.
   * @returns The number to pass to {@linkcode emit}.
   */
  str(text: string): number {
    let id = this.#stringIds.get(text);
    if (id === undefined) {
      id = this.#strings.push(text) - 1;
      this.#stringIds.set(text, id);
    }
    return id;
  }

  /**
   * The number of a context, for the third argument of {@linkcode emit}.
   *
   * @param ctx The kind of context.
   * @param cpu The processor.
   * @param tid The thread.
   * @param comm The thread's name.
   * @returns The row of the context table.
   */
  contextRow(
    ctx: ContextKind,
    cpu: number,
    tid: number,
    comm: string,
  ): number {
    const key = `${ctx}\t${cpu}\t${tid}\t${comm}`;
    let row = this.#contextIds.get(key);
    if (row === undefined) {
      row = this.#contexts.push({ ctx, cpu, tid, comm }) - 1;
      this.#contextIds.set(key, row);
    }
    return row;
  }

  /**
   * Records one event. Arguments come in the order of {@linkcode EVENTS};
   * those left out are absent from the event.
   *
   * @param code The event's code, from {@linkcode EV}.
   * @param ts The time in nanoseconds.
   * @param row The context, from {@linkcode contextRow}.
   * @param a0 First argument, and so on.
   * @param a1 Second argument.
   * @param a2 Third argument.
   * @param a3 Fourth argument.
   * @param a4 Fifth argument.
   * @param a5 Sixth argument.
   * @param a6 Seventh argument.
   * @param a7 Eighth argument.
   */
  emit(
    code: number,
    ts: number,
    row: number,
    a0?: number,
    a1?: number,
    a2?: number,
    a3?: number,
    a4?: number,
    a5?: number,
    a6?: number,
    a7?: number,
  ): void {
    let at = this.#at;
    if (at === this.#records.length) at = this.#more();
    this.#at = at + STRIDE;
    this.count++;
    const r = this.#records;
    r[at] = ts;
    r[at + 1] = code;
    r[at + 2] = row;
    // What is left out becomes NaN here.
    r[at + 3] = a0 as number;
    r[at + 4] = a1 as number;
    r[at + 5] = a2 as number;
    r[at + 6] = a3 as number;
    r[at + 7] = a4 as number;
    r[at + 8] = a5 as number;
    r[at + 9] = a6 as number;
    r[at + 10] = a7 as number;
  }

  /**
   * One recorded event.
   *
   * @param seq Its position, from {@linkcode dropped} to `count - 1`.
   * @returns A fresh object.
   * @throws {RangeError} If the event was dropped or never recorded.
   */
  event(seq: number): TraceEvent {
    if (seq < this.dropped || seq >= this.count) {
      throw new RangeError(
        `Cannot read event ${seq}: the trace holds ${this.dropped} to ${
          this.count - 1
        }`,
      );
    }
    const at = this.#slot(seq) * STRIDE;
    const r = this.#records;
    const code = r[at + 1] as number;
    const { ctx, cpu, tid, comm } = this
      .#contexts[r[at + 2] as number] as TraceContext;
    const event: TraceEvent = {
      seq,
      ts: r[at] as number,
      cpu,
      ctx,
      tid,
      comm,
      ev: EVENT_NAMES[code] as string,
    };
    const args = EVENT_ARGS[code] ?? [];
    for (let i = 0; i < args.length; i++) {
      const value = r[at + FIRST_ARG + i] as number;
      const arg = args[i];
      if (arg === undefined || Number.isNaN(value)) continue;
      event[arg.name] = arg.type === "int"
        ? value
        : arg.type === "rw"
        ? (value === 0 ? "read" : "write")
        : this.#strings[value];
    }
    return event;
  }

  /**
   * Every event that is still held, in order.
   *
   * @returns A generator of fresh objects.
   */
  *events(): Generator<TraceEvent, void, void> {
    for (let seq = this.dropped; seq < this.count; seq++) {
      yield this.event(seq);
    }
  }

  /**
   * Every event that is still held, in order. Those that are the same as in
   * the last list are the same objects, so that a run which differs from the
   * one before it only near its end costs no more than that.
   *
   * @returns A fresh array.
   */
  list(): TraceEvent[] {
    const { count, dropped } = this;
    if (dropped > 0) return [...this.events()];
    const listed = this.#listed;
    let seq = this.#sameAsListed(Math.min(count, listed.length));
    for (; seq < count; seq++) listed[seq] = this.event(seq);
    listed.length = count;
    return listed.slice();
  }

  /** How many events are the same as in the last list; it takes the others. */
  #sameAsListed(limit: number): number {
    const words = new Int32Array(this.#records.buffer, 0, this.count * WORDS);
    if (this.#listedWords.length < words.length) {
      const grown = new Int32Array(2 * words.length);
      grown.set(this.#listedWords);
      this.#listedWords = grown;
    }
    const before = this.#listedWords;
    const end = limit * WORDS;
    let at = 0;
    while (at < end && words[at] === before[at]) at++;
    const same = Math.floor(at / WORDS);
    before.set(words.subarray(same * WORDS), same * WORDS);
    return same;
  }

  /** The array is full: begins it anew if it is a ring, else grows it. */
  #more(): number {
    const at = this.#records.length;
    if (at === this.#limit * STRIDE) return 0;
    const events = Math.min(this.#limit, (at / STRIDE) * 2);
    const records = new Float64Array(events * STRIDE);
    records.set(this.#records);
    this.#records = records;
    return at;
  }

  #slot(seq: number): number {
    return seq < this.#limit ? seq : seq % this.#limit;
  }
}

/**
 * Benchmark `check`: the rules over a long trace, in flat memory.
 *
 * @module
 */

import { Checker, runScenario, scenarioById } from "../../conformance/mod.ts";
import type { TraceEvent } from "../../core/mod.ts";
import { MODELS } from "../../fs_models/mod.ts";
import type { Benchmark, Subject } from "./harness.ts";

const FS = "ext4";
const SCENARIOS = ["aio-write-unwritten-many", "aio-read", "sync-read-many"];
/** Events of the trace. */
const EVENTS = 10_000_000;
/** The memory is looked at so often. */
const LOOK_EVERY = 1 << 13;
/** Parts of a trace whose memory is compared. */
const PARTS = 8;
const NAMES = ["dio", "iocb", "bio", "wq", "ino"] as const;

/** The traces that are repeated, one behind the other. */
function record(): TraceEvent[] {
  const model = MODELS.find(({ name }) => name === FS);
  if (model === undefined) throw new Error(`no model ${FS}`);
  const all: TraceEvent[] = [];
  for (const id of SCENARIOS) {
    const span = spanOf(all);
    for (const event of runScenario(model, scenarioById(id)).events) {
      if (event.ev === "trace_end") continue;
      const copy = { ...event };
      advance(copy, span);
      all.push(copy);
    }
  }
  return all;
}

/** How far a trace reaches: its time, and its identities of each kind. */
type Span = Map<"ts" | typeof NAMES[number], number>;

function spanOf(events: readonly TraceEvent[]): Span {
  const span: Span = new Map([["ts", (events.at(-1)?.ts ?? 0) + 1]]);
  for (const name of NAMES) {
    span.set(name, Math.max(0, ...events.map((event) => event[name] ?? 0)));
  }
  return span;
}

/** Makes an event one of other requests, later. */
function advance(event: TraceEvent, span: Span, times: number = 1): void {
  event.ts += times * (span.get("ts") ?? 0);
  for (const name of NAMES) {
    const id = event[name];
    if (id) event[name] = id + times * (span.get(name) ?? 0);
  }
}

/**
 * A trace of any length: recorded requests again and again, each time with
 * identities of their own. Nothing is allocated for it: of two copies of the
 * events one is always out of use.
 *
 * @param count How many events.
 * @returns The trace; an event is good until so many as were recorded follow.
 */
export function* longTrace(count: number): Generator<TraceEvent, void, void> {
  const events = record();
  const copies = [events, structuredClone(events)];
  const span = spanOf(events);
  for (let seq = 0, turn = 0; seq < count; turn++) {
    for (const event of copies[turn % 2] ?? []) {
      if (seq >= count) return;
      event.seq = seq++;
      if (turn > 0) advance(event, span, Math.min(turn, 2));
      yield event;
    }
  }
}

/** What checking a long trace has cost beside time. */
export interface CheckCost {
  /** Requests broken rules, of which there are none. */
  readonly violations: number;
  /**
   * Bytes of the heap that are in use in the last part of the trace, less
   * those in the second: of each part the least, after a collection.
   */
  readonly grown: number;
  /** Seconds that it took. */
  readonly seconds: number;
}

/**
 * Checks a long trace.
 *
 * @param count How many events.
 * @returns What it cost.
 */
export function checkLong(count: number): CheckCost {
  const checker = new Checker();
  const least: number[] = new Array(PARTS).fill(Infinity);
  const start = performance.now();
  for (const event of longTrace(count)) {
    checker.push(event);
    if ((event.seq & (LOOK_EVERY - 1)) !== 0) continue;
    const part = Math.floor(event.seq * PARTS / count);
    const { heapUsed } = Deno.memoryUsage();
    least[part] = Math.min(least[part] as number, heapUsed);
  }
  const seconds = (performance.now() - start) / 1000;
  const { violations: { length: violations } } = checker;
  const grown = (least[PARTS - 1] as number) - (least[1] as number);
  return { violations, grown, seconds };
}

let cost: CheckCost | undefined;

const rules: Subject = {
  name: "Checker, every rule",
  run(n) {
    cost = checkLong(n);
    if (cost.violations > 0) throw new Error("the trace breaks a rule");
  },
  note() {
    if (cost === undefined) return "";
    const { grown, seconds } = cost;
    const rate = EVENTS / seconds / 1e6;
    return `${EVENTS / 1e6} million events, ${
      rate.toFixed(1)
    } million a second, ${
      (grown / 2 ** 20).toFixed(1)
    } MiB more in use at the end`;
  },
};

/** The least that a reader of a file has to do: a line is an object. */
const parse: Subject = {
  name: "JSON.parse() of the same events",
  run(n) {
    const lines = record().map((event) => JSON.stringify(event));
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const event: TraceEvent = JSON.parse(lines[i % lines.length] as string);
      sum += event.ts;
    }
    if (Number.isNaN(sum)) throw new Error("a time is no number");
  },
};

/** The benchmark. */
export const CHECK_BENCHMARK: Benchmark = {
  name: "check",
  about: "the rules over a trace of 10 million events",
  units: EVENTS,
  comparisons: [{
    subject: rules,
    peer: parse,
    unit: "event",
    atMost: 3,
    rounds: 1,
    warmUp: 0,
  }],
};

/**
 * A whole trace in memory, with what it breaks: what a picture needs.
 *
 * @module
 */

import type { ProfileName, TraceEvent } from "../core/mod.ts";
import { Checker } from "../conformance/mod.ts";
import type { Finding } from "./ftrace/recording.ts";
import { RECORDING_RULES } from "./ftrace/rules.ts";
import { queuesOf } from "./trace_args.ts";
import { RECORDED, type TraceInput } from "./trace_input.ts";
import { TraceFormatError } from "./trace_jsonl.ts";

/** A rule that a trace breaks. */
export interface Broken {
  /** The rule's id, and its sentence. */
  readonly rule: string;
  readonly sentence: string;
  /** What should have been. */
  readonly expected: string;
  /** The events that break it, as far as they are shown. */
  readonly events: readonly TraceEvent[];
}

/** A whole trace. */
export interface Collected {
  /** Its events. */
  readonly events: readonly TraceEvent[];
  /** What they break. */
  readonly broken: readonly Broken[];
  /** The names of the workqueues, by their identity. */
  readonly queues: ReadonlyMap<number, string>;
  /** Why it was not read to its end, or null. */
  readonly error: TraceFormatError | null;
}

/**
 * Reads a trace to its end.
 *
 * @param input The trace.
 * @param findings What a recording has broken; filled while it is read.
 * @param choose What to take of it.
 * @returns The trace.
 */
export async function collect(
  input: TraceInput,
  findings: readonly Finding[],
  choose: (event: TraceEvent) => readonly TraceEvent[],
): Promise<Collected> {
  const all: TraceEvent[] = [];
  const lines: number[] = [];
  const events: TraceEvent[] = [];
  let error: TraceFormatError | null = null;
  try {
    for await (const { line, event } of input.events) {
      all.push(event);
      lines.push(line);
      events.push(...choose(event));
    }
  } catch (caught) {
    if (!(caught instanceof TraceFormatError)) throw caught;
    error = caught;
  }
  const broken = input.format === "recording"
    ? findings.map((finding) => ofFinding(finding, all, lines))
    : input.header.scenario === RECORDED
    ? []
    : checked(all, input.header.profile ?? "v3.12");
  // What waited for its request to be known comes late.
  const places = new Map(all.map((event, at) => [event, at]));
  events.sort((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0));
  const shown = new Set(events);
  return {
    events,
    queues: new Map([...input.queues, ...queuesOf(all)]),
    broken: broken.map((one) => ({
      ...one,
      events: one.events.filter((event) => shown.has(event)),
    })),
    error,
  };
}

function checked(
  events: readonly TraceEvent[],
  profile: ProfileName,
): Broken[] {
  const checker = new Checker({ profile });
  for (const event of events) checker.push(event);
  const bySeq = new Map(events.map((event) => [event.seq, event]));
  return checker.finish().violations.map((violation) => ({
    ...violation,
    events: violation.events.map((seq) => bySeq.get(seq))
      .filter((event) => event !== undefined),
  }));
}

/** A line that is no event is shown as the one before it. */
function ofFinding(
  { rule, expected, lines }: Finding,
  events: readonly TraceEvent[],
  lineOf: readonly number[],
): Broken {
  const { id, sentence } = RECORDING_RULES[rule] as (typeof RECORDING_RULES)[0];
  const found = lines.map((line) => {
    const at = lineOf.findLastIndex((one) => one <= line);
    return events[at];
  });
  return {
    rule: id,
    sentence,
    expected,
    events: found.filter((event) => event !== undefined),
  };
}

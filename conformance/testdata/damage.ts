/**
 * Ways to damage a trace, for tests of the checker.
 *
 * @module
 */

import type { ProfileName, TraceEvent } from "../../core/mod.ts";

/** A trace that a rule finds something wrong with. */
export interface RuleDamage {
  readonly what: string;
  /** The rule. */
  readonly rule: string;
  /** `aio-write-unwritten` unless it says another. */
  readonly scenario?: string;
  /** `ext4` unless it says another. */
  readonly model?: string;
  readonly profile?: ProfileName;
  readonly damage: (trace: TraceEvent[]) => TraceEvent[];
  /** Whether the events keep their numbers, though they do not fit. */
  readonly keepsSeq?: boolean;
}

/**
 * The index of the n-th event of a name. Those that a filesystem makes by
 * itself, for no dio, do not count.
 */
export function find(
  events: readonly TraceEvent[],
  ev: string,
  nth = 0,
): number {
  const at =
    events.flatMap((event, i) =>
      event.ev === ev && event.dio !== 0 ? [i] : []
    )[nth];
  if (at === undefined) throw new RangeError(`no ${ev} in the trace`);
  return at;
}

/** The first event of one name, and that of another, in each other's place. */
export function swapped(
  events: readonly TraceEvent[],
  a: string,
  b: string,
): TraceEvent[] {
  const [i, j] = [find(events, a), find(events, b)];
  return events.with(i, events[j]!).with(j, events[i]!);
}

/** Without every event of a name. */
export function without(
  events: readonly TraceEvent[],
  ...names: readonly string[]
): TraceEvent[] {
  return events.filter(({ ev }) => !names.includes(ev));
}

/** The first event of a name, twice. */
export function twice(events: readonly TraceEvent[], ev: string): TraceEvent[] {
  const at = find(events, ev);
  return events.toSpliced(at, 0, events[at]!);
}

/** With other arguments in every event of a name. */
export function edited(
  events: readonly TraceEvent[],
  ev: string,
  args: Partial<TraceEvent>,
): TraceEvent[] {
  return events.map((event) =>
    event.ev === ev ? { ...event, ...args } as TraceEvent : event
  );
}

/** With one event right behind the n-th of a name, made from that. */
export function behind(
  events: readonly TraceEvent[],
  place: string,
  args: Partial<TraceEvent>,
  nth = 0,
): TraceEvent[] {
  const at = find(events, place, nth);
  const { seq, ts, cpu, ctx, tid, comm } = events[at]!;
  const event = { seq, ts, cpu, ctx, tid, comm, ev: "", ...args };
  return events.toSpliced(at + 1, 0, event);
}

/** With one event before the last. */
export function beforeEnd(
  events: readonly TraceEvent[],
  args: Partial<TraceEvent>,
): TraceEvent[] {
  return events.toSpliced(-1, 0, { ...events.at(-1)!, ...args });
}

/** With the first event of a name right behind the n-th of another. */
export function moved(
  events: readonly TraceEvent[],
  ev: string,
  place: string,
  nth = 0,
): TraceEvent[] {
  const at = find(events, ev);
  const rest = events.toSpliced(at, 1);
  return rest.toSpliced(find(rest, place, nth) + 1, 0, events[at]!);
}

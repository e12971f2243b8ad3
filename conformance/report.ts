/**
 * How a violation is told to a person.
 *
 * @module
 */

import { COMMON_FIELDS, type TraceEvent } from "../core/mod.ts";
import type { Violation } from "./rule.ts";
import type { RunReport } from "./run.ts";

/** Lines of trace shown before and behind the events of a violation. */
const AROUND = 2;
/** More lines between two events than this are left out. */
const LONG_GAP = 8;

/**
 * One line for an event: position, context, name, arguments.
 *
 * @param event The event.
 * @returns E.g. `   12  softirq/1 <idle>-0  bio_endio bio=1 dio=1 error=0`.
 *
 * @example
 * ```ts
 * import { formatEvent } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   formatEvent({
 *     seq: 7, ts: 100, cpu: 0, ctx: "task", tid: 10, comm: "fio",
 *     ev: "dio_free", dio: 1,
 *   }),
 *   "     7  task/0    fio-10            dio_free dio=1",
 * );
 * ```
 */
export function formatEvent(event: TraceEvent): string {
  const { seq, cpu, ctx, comm, tid, ev } = event;
  const where = `${ctx}/${cpu}`.padEnd(9);
  const who = `${comm}-${tid}`.padEnd(17);
  return `${String(seq).padStart(6)}  ${where} ${who} ${ev}${
    formatArgs(event)
  }`;
}

/**
 * The arguments of an event, each with a blank before it.
 *
 * @param event The event.
 * @returns E.g. ` bio=1 dio=1 error=0`.
 *
 * @example
 * ```ts
 * import { formatArgs } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   formatArgs({
 *     seq: 0, ts: 0, cpu: 0, ctx: "task", tid: 1, comm: "a", ev: "dio_free", dio: 1,
 *   }),
 *   " dio=1",
 * );
 * ```
 */
export function formatArgs(event: TraceEvent): string {
  let text = "";
  for (const [name, value] of Object.entries(event)) {
    if (!COMMON_FIELDS.has(name)) text += ` ${name}=${value}`;
  }
  return text;
}

/**
 * A violation with the lines of trace around its events, which are marked.
 *
 * @param violation The violation.
 * @param events The trace.
 * @returns Several lines.
 *
 * @example
 * ```ts
 * import { formatViolation } from "@endio/dio/conformance";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const text = formatViolation(
 *   {
 *     rule: "completion-order/free-last",
 *     sentence: "A dio is freed after everything else has been done with it",
 *     expected: "aio_complete before it",
 *     events: [0],
 *   },
 *   [{ seq: 0, ts: 0, cpu: 0, ctx: "task", tid: 1, comm: "a", ev: "dio_free", dio: 1 }],
 * );
 * assertStringIncludes(text, ">      0  task/0");
 * ```
 */
export function formatViolation(
  violation: Violation,
  events: readonly TraceEvent[],
): string {
  const { rule, sentence, expected } = violation;
  return [
    `${rule}: ${sentence}.`,
    `  expected ${expected}`,
    ...excerpt(violation.events, events),
  ].join("\n");
}

/**
 * A failed run: its violations, and how to repeat it.
 *
 * @param report The run.
 * @returns Several lines.
 *
 * @example
 * ```ts
 * import { formatFailure, runScenario, scenarioById } from "@endio/dio/conformance";
 * import { MODELS } from "@endio/dio/fs-models";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const report = runScenario(MODELS[0]!, scenarioById("aio-write"));
 * assertStringIncludes(formatFailure(report), "Replay");
 * ```
 */
export function formatFailure(report: RunReport): string {
  const { model, scenario, profile, violations, events, token } = report;
  const [first, ...others] = violations;
  const also = [...new Set(others.map(({ rule }) => rule))]
    .filter((rule) => rule !== first?.rule);
  return [
    first === undefined ? "No rule is broken." : formatViolation(first, events),
    ...(also.length > 0 ? [`  also broken: ${also.join(", ")}`] : []),
    `In scenario ${scenario.id} of ${model}, profile ${profile}: ${scenario.title}.`,
    `Replay: checkConformance(model, { replay: "${token}" })`,
    `    or: deno run tools/trace.ts record --schedule ${token}`,
  ].join("\n");
}

function excerpt(
  marked: readonly number[],
  events: readonly TraceEvent[],
): string[] {
  const lines: string[] = [];
  let last = -1;
  for (const seq of marked) {
    const at = events.findIndex((event) => event.seq === seq);
    if (at < 0) continue;
    let from = Math.max(last + 1, at - AROUND);
    if (last >= 0 && from - last <= LONG_GAP) from = last + 1;
    if (from > last + 1) lines.push("         …");
    for (let i = from; i <= Math.min(at + AROUND, events.length - 1); i++) {
      const event = events[i] as TraceEvent;
      const mark = marked.includes(event.seq) ? ">" : " ";
      lines.push(`${mark} ${formatEvent(event)}`);
      last = i;
    }
  }
  return lines;
}

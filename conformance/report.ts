/**
 * How a violation is told to a person.
 *
 * @module
 */

import { COMMON_FIELDS, type TraceEvent } from "../core/mod.ts";
import type { Violation } from "./rule.ts";
import { RULES } from "./rules/mod.ts";
import type { RunReport } from "./run.ts";
import type { Op, Scenario } from "./scenario.ts";
import { formatTest } from "./shrink/paste.ts";
import type { Shrunk } from "./shrink/shrink.ts";

/** Lines of trace shown before and behind the events of a violation. */
const AROUND = 2;
/** More lines between two events than this are left out. */
const LONG_GAP = 8;
/** What is told of a scenario in words, or says nothing of what happens. */
const TOLD: ReadonlySet<string> = new Set([
  "id",
  "title",
  "rules",
  "needs",
  "profiles",
  "file",
  "tasks",
]);

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
  const bugs = RULES.find(({ id }) => id === rule)?.bugs ?? [];
  return [
    `${rule}: ${sentence}.`,
    `  expected ${expected.replaceAll("; ", ";\n    ")}`,
    ...(bugs.length > 0 ? [`  seen before: ${bugs.join(", ")}`] : []),
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
  const { model, scenario, profile } = report;
  return [
    ...broken(report),
    `In scenario ${scenario.id} of ${model}, profile ${profile}: ${scenario.title}.`,
    ...howToRepeat(report),
  ].join("\n");
}

/**
 * A failed run that was shrunk: what the simple run breaks, what happens in
 * it, how to repeat it, and a test to be pasted.
 *
 * @param found The run that was found.
 * @param shrunk What it was shrunk to.
 * @returns Several lines.
 *
 * @example
 * ```ts
 * import { checkScenario, formatShrunk, scenarioById } from "@endio/dio/conformance";
 * import { type Dio, DirectIo } from "@endio/dio/core";
 * import { MODELS } from "@endio/dio/fs-models";
 * import { assertStringIncludes } from "@std/assert";
 *
 * class Leaks extends DirectIo {
 *   override dioFree(_dio: Dio): void {}
 * }
 * const { failure, shrunk } = checkScenario(
 *   MODELS[0]!,
 *   scenarioById("aio-write-many"),
 *   { directIo: (kernel) => new Leaks(kernel) },
 * );
 * assertStringIncludes(formatShrunk(failure!, shrunk!), "Shrunk in ");
 * ```
 */
export function formatShrunk(found: RunReport, shrunk: Shrunk): string {
  const { report, runs } = shrunk;
  const { model, scenario, profile } = report;
  return [
    ...broken(report),
    `In scenario ${scenario.id} of ${model}, profile ${profile}:`,
    ...formatScenario(scenario).map((line) => `  ${line}`),
    `Shrunk in ${runs} runs to ${complexity(shrunk)}; found as ${found.token}`,
    ...howToRepeat(report),
    "As a test:",
    "",
    formatTest(report),
  ].join("\n");
}

/**
 * What happens in a scenario.
 *
 * @param scenario The scenario.
 * @returns A line for the file, one for each task, and one for what fails.
 *
 * @example
 * ```ts
 * import { formatScenario, scenarioById } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatScenario(scenarioById("aio-write")), [
 *   "file: 4096 bytes, 0+4096 written",
 *   "writer: aio_write 0+4096, getevents min=1, read 0+4096",
 * ]);
 * ```
 */
export function formatScenario(scenario: Scenario): string[] {
  const { file, tasks } = scenario;
  const others = Object.entries(scenario).filter(([key]) => !TOLD.has(key));
  const extents = file.extents.map(({ offset, bytes, state }) =>
    `${offset}+${bytes} ${state}`
  );
  return [
    [`file: ${file.size} bytes`, ...extents].join(", "),
    ...tasks.map(({ comm, ops, ownFile }) =>
      `${comm}${ownFile ? " on a file of its own" : ""}: ${
        ops.map(formatOp).join(", ")
      }`
    ),
    ...others.map(([name, value]) => `${name}: ${JSON.stringify(value)}`),
  ];
}

/** `aio_write 0+4096 unmapped=[1]`. */
function formatOp(op: Op): string {
  const args = Object.entries(op).flatMap(([name, value]) => {
    if (name === "op" || (name === "bytes" && "offset" in op)) return [];
    return name === "offset" && "bytes" in op
      ? [`${value}+${op.bytes}`]
      : [`${name}=${JSON.stringify(value)}`];
  });
  return [op.op, ...args].join(" ");
}

function broken({ violations, events }: RunReport): string[] {
  const [first, ...others] = violations;
  const also = [...new Set(others.map(({ rule }) => rule))]
    .filter((rule) => rule !== first?.rule);
  return [
    first === undefined ? "No rule is broken." : formatViolation(first, events),
    ...(also.length > 0 ? [`  also broken: ${also.join(", ")}`] : []),
  ];
}

function howToRepeat({ token }: RunReport): string[] {
  return [
    `Replay: checkConformance(model, { replay: "${token}" })`,
    `    or: deno run tools/trace.ts record --schedule ${token}`,
  ];
}

/** How complicated a schedule is. */
function complexity({ preemptions, choices, isLeast }: Shrunk): string {
  if (choices === 0) return "the default order";
  const others = choices - preemptions;
  const parts = [
    ...preemptions > 0 ? [counted(preemptions, "preemption")] : [],
    ...others > 0 ? [counted(others, "other choice")] : [],
  ];
  return parts.join(" and ") + (isLeast ? ", the least that fails" : "");
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
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

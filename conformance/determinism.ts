/**
 * Hidden nondeterminism: something in the code under test that neither the
 * schedule nor the scenario decides.
 *
 * @module
 */

import type { TraceEvent } from "../core/mod.ts";
import { formatEvent } from "./report.ts";
import type { Violation } from "./rule.ts";
import type { RunReport } from "./run.ts";

/**
 * The id of the rule that one schedule gives one trace. It is not among
 * {@linkcode RULES}, because no trace alone can break it.
 */
export const DETERMINISM_RULE = "determinism/same-trace";

/**
 * Compares two runs of one scenario under one schedule.
 *
 * @param first One run.
 * @param second The other one.
 * @returns How they differ, at the first event that is not the same; null
 * when they are equal.
 *
 * @example
 * ```ts
 * import { compareRuns, runScenario, scenarioById } from "@endio/dio/conformance";
 * import { MODELS } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const scenario = scenarioById("aio-write");
 * const [a, b] = [0, 1].map(() => runScenario(MODELS[0]!, scenario));
 * assertEquals(compareRuns(a!, b!), null);
 * ```
 */
export function compareRuns(
  first: Pick<RunReport, "events" | "results">,
  second: Pick<RunReport, "events" | "results">,
): Violation | null {
  const at = firstDifference(first.events, second.events);
  if (at >= 0) {
    const event = first.events[at] ?? first.events.at(-1);
    return nondeterminism(
      `the same event ${at} in both runs of one schedule; the second run has ${
        told(second.events[at])
      }, the first ${told(first.events[at])}`,
      event === undefined ? [] : [event.seq],
    );
  }
  const results = JSON.stringify(first.results);
  return results === JSON.stringify(second.results) ? null : nondeterminism(
    `the same results in both runs of one schedule; the second run has ${
      JSON.stringify(second.results)
    }, the first ${results}`,
    [],
  );
}

/**
 * The violation that something is not determined.
 *
 * @param expected What should have been, one clause.
 * @param events Positions of the events concerned.
 * @returns The violation.
 *
 * @example
 * ```ts
 * import { DETERMINISM_RULE, nondeterminism } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(nondeterminism("the same", []).rule, DETERMINISM_RULE);
 * ```
 */
export function nondeterminism(
  expected: string,
  events: readonly number[],
): Violation {
  return {
    rule: DETERMINISM_RULE,
    sentence:
      "The same schedule gives the same trace: nothing depends on Math.random(), Date, the order of earlier runs, or other state outside the kernel",
    expected,
    events,
  };
}

function told(event: TraceEvent | undefined): string {
  if (event === undefined) return "none";
  return `'${formatEvent(event).trim().replaceAll(/ +/g, " ")}'`;
}

/** The place of the first event that is not the same; -1 when all are. */
function firstDifference(
  first: readonly TraceEvent[],
  second: readonly TraceEvent[],
): number {
  const length = Math.max(first.length, second.length);
  for (let i = 0; i < length; i++) {
    if (JSON.stringify(first[i]) !== JSON.stringify(second[i])) return i;
  }
  return -1;
}

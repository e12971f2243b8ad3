/**
 * Reports of runs that are made from others.
 *
 * @module
 */

import type { Violation } from "./rule.ts";
import type { RunReport } from "./run.ts";

/** A report that says that something else was broken. */
export function withViolations(
  report: RunReport,
  violations: readonly Violation[],
): RunReport {
  // Not all of a report is its own property.
  const { model, scenario, profile, exercised, events, token } = report;
  const { results, bug } = report;
  return {
    model,
    scenario,
    profile,
    violations,
    exercised,
    events,
    token,
    results,
    bug,
  };
}

/**
 * Compares reports of runs that hang, whatever the order of their steps.
 *
 * @module
 */

/** A report without its points of virtual time, which depend on the order. */
export function withoutTimes(report: string): string {
  return report.replaceAll(/ (?:since|at) \d+ ns/g, "");
}

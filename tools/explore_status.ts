/**
 * The exit status of a report.
 *
 * @module
 */

import type { ExploreReport } from "../conformance/mod.ts";
import { EXIT_OK, EXIT_VIOLATED } from "./cli.ts";

/**
 * How a program ends that has this to report.
 *
 * @param report The report.
 * @returns The exit status.
 */
export function statusOf({ scenarios }: ExploreReport): number {
  return scenarios.some(({ failing }) => failing > 0) ? EXIT_VIOLATED : EXIT_OK;
}

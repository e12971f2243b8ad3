/**
 * Every rule.
 *
 * @module
 */

import type { Rule } from "../rule.ts";
import { COMPLETION_RULES } from "./completion.ts";
import { EXECUTION_RULES } from "./execution.ts";
import { RELEASE_RULES } from "./release.ts";
import { RESULT_RULES } from "./result.ts";

/** Every rule, by class. */
export const RULES: readonly Rule[] = [
  ...COMPLETION_RULES,
  ...RESULT_RULES,
  ...RELEASE_RULES,
  ...EXECUTION_RULES,
];

/**
 * Finds a rule.
 *
 * @param id Its id.
 * @returns The rule.
 * @throws {RangeError} If there is none of that id.
 *
 * @example
 * ```ts
 * import { ruleById } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   ruleById("completion-order/end-io-before-dio-done").sentence,
 *   "end_io has returned before i_dio_count drops",
 * );
 * ```
 */
export function ruleById(id: string): Rule {
  const rule = RULES.find((rule) => rule.id === id);
  if (rule === undefined) {
    throw new RangeError(
      `Cannot find rule '${id}': 'tools/trace.ts list rules' shows all`,
    );
  }
  return rule;
}

/**
 * Every rule.
 *
 * @module
 */

import type { Rule } from "../rule.ts";
import { BIO_RULES } from "./bios.ts";
import { BLKDEV_RULES } from "./blkdev.ts";
import { CACHE_RULES, PINNED_RULES } from "./cache.ts";
import { COMPLETION_RULES } from "./completion.ts";
import { CONCURRENCY_RULES } from "./concurrency.ts";
import { CONVERSION_RULES } from "./conversion.ts";
import { DSYNC_RULES } from "./dsync.ts";
import { EXECUTION_RULES } from "./execution.ts";
import { MODEL_RULES } from "./models.ts";
import { ORDER_RULES } from "./order.ts";
import { PAGES_RULES } from "./pages.ts";
import { POSITION_RULES } from "./position.ts";
import { RELEASE_RULES } from "./release.ts";
import { RESULT_RULES } from "./result.ts";
import { RING_RULES } from "./ring.ts";
import { SIZE_RULES } from "./size.ts";
import { SUBMISSION_RULES } from "./submission.ts";
import { TRACE_RULES } from "./trace.ts";
import { TRUNCATE_RULES } from "./truncate.ts";
import { WORKQUEUE_RULES } from "./workqueue.ts";

/** Every rule, by class. */
export const RULES: readonly Rule[] = [
  ...COMPLETION_RULES,
  ...ORDER_RULES,
  ...RESULT_RULES,
  ...RELEASE_RULES,
  ...BIO_RULES,
  ...PAGES_RULES,
  ...SUBMISSION_RULES,
  ...EXECUTION_RULES,
  ...WORKQUEUE_RULES,
  ...CONCURRENCY_RULES,
  ...CONVERSION_RULES,
  ...SIZE_RULES,
  ...POSITION_RULES,
  ...MODEL_RULES,
  ...DSYNC_RULES,
  ...TRUNCATE_RULES,
  ...CACHE_RULES,
  ...PINNED_RULES,
  ...BLKDEV_RULES,
  ...RING_RULES,
  ...TRACE_RULES,
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

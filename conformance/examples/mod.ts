/**
 * The smallest failing trace of every rule, written as a diff.
 *
 * @module
 */

import { COMPLETION_EXAMPLES } from "./completion.ts";
import { EXECUTION_EXAMPLES } from "./execution.ts";
import { ORDER_EXAMPLES } from "./order.ts";
import { OTHERS_EXAMPLES } from "./others.ts";
import { RELEASE_EXAMPLES } from "./release.ts";
import { RESULT_EXAMPLES } from "./result.ts";
import { SIZE_EXAMPLES } from "./size.ts";

/** The examples, by rule. */
export const EXAMPLES: ReadonlyMap<string, string> = new Map([
  ...COMPLETION_EXAMPLES,
  ...ORDER_EXAMPLES,
  ...RESULT_EXAMPLES,
  ...RELEASE_EXAMPLES,
  ...EXECUTION_EXAMPLES,
  ...SIZE_EXAMPLES,
  ...OTHERS_EXAMPLES,
]);

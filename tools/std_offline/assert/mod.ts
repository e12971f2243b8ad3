/**
 * Stand-in for `@std/assert`: the assertions this repository uses, for
 * machines that cannot reach JSR.
 *
 * @module
 */

export { AssertionError } from "./assertion_error.ts";
export { equal } from "./equal.ts";
export {
  assert,
  assertExists,
  assertFalse,
  assertInstanceOf,
  assertMatch,
  assertStringIncludes,
  fail,
  type Falsy,
  unreachable,
} from "./conditions.ts";
export {
  type ArrayLikeArg,
  assertArrayIncludes,
  assertEquals,
  assertNotEquals,
  assertStrictEquals,
} from "./equality.ts";
export { assertObjectMatch } from "./object_match.ts";
export {
  assertGreater,
  assertGreaterOrEqual,
  assertLess,
  assertLessOrEqual,
} from "./order.ts";
export { assertRejects, assertThrows, type ErrorClass } from "./throws.ts";

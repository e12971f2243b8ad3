/**
 * Assertions that two values are, or are not, the same.
 *
 * @module
 */

import { AssertionError, ending } from "./assertion_error.ts";
import { equal } from "./equal.ts";
import { format, paint, showDiff } from "./report.ts";

/** Asserts that two values are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) return;
  throw new AssertionError(
    `Values are not equal${ending(msg)}\n${difference(actual, expected)}`,
  );
}

/** Asserts that two values are not deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!equal(actual, expected)) return;
  throw new AssertionError(
    `Expected actual: ${format(actual)} not to be: ${format(expected)}${
      ending(msg)
    }`,
  );
}

/** Asserts that two values are one and the same, as `Object.is` has it. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  if (Object.is(actual, expected)) return;
  if (format(actual) === format(expected)) {
    const shown = format(actual).replace(/^/gm, "    ");
    throw new AssertionError(
      `Values have the same structure but are not reference-equal${
        ending(msg)
      }\n\n${paint("red", shown)}\n`,
    );
  }
  throw new AssertionError(
    `Values are not strictly equal${ending(msg)}\n${
      difference(actual, expected)
    }`,
  );
}

/** Something with a length and indices that is not a string. */
export type ArrayLikeArg<T> = ArrayLike<T> & object;

/** Asserts that each expected element equals some actual one. */
export function assertArrayIncludes<T>(
  actual: ArrayLikeArg<T>,
  expected: ArrayLikeArg<T>,
  msg?: string,
): void {
  const present = Array.from(actual);
  const missing = Array.from(expected)
    .filter((item) => !present.some((other) => equal(item, other)));
  if (missing.length === 0) return;
  throw new AssertionError(
    `Expected actual: "${format(actual)}" to include: "${format(expected)}"${
      ending(msg)
    }\nmissing: ${format(missing)}`,
  );
}

function difference(actual: unknown, expected: unknown): string {
  return typeof actual === "string" && typeof expected === "string"
    ? showDiff(actual, expected)
    : showDiff(format(actual), format(expected));
}

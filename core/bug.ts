/**
 * What the simulated kernel does when the code under test is wrong: it stops
 * the run with a bug report that names the rule.
 *
 * @module
 */

/**
 * The code under test did something that crashes or corrupts a kernel: a use
 * after free, a double free, a failed `BUG_ON`. It ends the run and becomes
 * an `oops` event in the trace; it does not leave {@linkcode Kernel.run}.
 *
 * @example
 * ```ts
 * import { KernelBug } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const bug = new KernelBug("released-once/double-free", "dio 1", "freed twice");
 * assertEquals(bug.rule, "released-once/double-free");
 * ```
 */
export class KernelBug extends Error {
  /** The class, for messages. */
  override readonly name = "KernelBug";
  /** The rule that is broken, e.g. `no-use-after-release/slab`. */
  readonly rule: string;
  /** The object concerned, e.g. `dio 3`. */
  readonly object: string;

  /**
   * Makes a report.
   *
   * @param rule The rule that is broken.
   * @param object The object concerned.
   * @param message What happened, with the object's history.
   */
  constructor(rule: string, object: string, message: string) {
    super(message);
    this.rule = rule;
    this.object = object;
  }
}

/**
 * A mistake in endio itself, not in the code under test.
 *
 * @example
 * ```ts
 * import { InvariantError } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new InvariantError("ring is full").name, "InvariantError");
 * ```
 */
export class InvariantError extends Error {
  /** The class, for messages. */
  override readonly name = "InvariantError";
}

/**
 * Stops with an {@linkcode InvariantError} when endio itself is wrong.
 *
 * @param condition What must hold.
 * @param message What it means when it does not.
 * @throws {InvariantError} If the condition is false.
 *
 * @example
 * ```ts
 * import { invariant, InvariantError } from "@endio/dio/core";
 * import { assertThrows } from "@std/assert";
 *
 * invariant(1 < 2, "numbers are ordered");
 * assertThrows(() => invariant(false, "never"), InvariantError);
 * ```
 */
export function invariant(
  condition: boolean,
  message: string,
): asserts condition {
  if (!condition) throw new InvariantError(message);
}

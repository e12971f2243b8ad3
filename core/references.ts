/**
 * References that several contexts hold on one object: in which order most of
 * them are dropped makes no difference.
 *
 * @module
 */

import type { Scheduler } from "./scheduler.ts";

/**
 * Tells whoever follows the steps that the running step dropped one of several
 * references, and learned from it only that this was not the last one. It
 * could change places with others that do so. It could not with the drop of
 * the last one, because that would be another one then, nor with a take, which
 * could come too late.
 *
 * The object is that of the step's own access. Code that looks at the count
 * itself, and not only whether it is zero, must not say this.
 *
 * @param kernel The kernel.
 * @param left How many references are left, at least 1.
 *
 * @example
 * ```ts
 * import { ExhaustiveStrategy } from "@endio/dio/conformance";
 * import { Kernel, notLast, type Task, writeStep } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const strategy = new ExhaustiveStrategy();
 * const last: string[] = [];
 * do {
 *   strategy.begin();
 *   const kernel = new Kernel({ strategy });
 *   const step = writeStep(kernel.newAddr());
 *   let references = 3;
 *   const put = function* (name: string): Task<void> {
 *     yield step;
 *     if (--references > 0) notLast(kernel, references);
 *     else last.push(name);
 *   };
 *   for (const name of ["a", "b", "c"]) kernel.spawn(name, put(name));
 *   kernel.run();
 * } while (strategy.end());
 * assertEquals(last, ["c", "b", "a"]);
 * ```
 */
export function notLast(kernel: Scheduler, left: number): void {
  kernel.strategy.watcher?.notLast?.(kernel.current, left);
}

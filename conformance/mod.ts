/**
 * The conformance suite: rules that every trace of direct I/O must keep,
 * scenarios that exercise them, and a checker for traces of any origin.
 *
 * @example A model of your own, checked by `deno test`
 * ```ts ignore
 * import { describeConformance } from "@endio/dio/conformance";
 * import { MyFilesystem } from "./my_filesystem.ts";
 *
 * describeConformance({
 *   name: "myfs",
 *   mount: (kernel, bdev) => new MyFilesystem(kernel, bdev),
 * });
 * ```
 *
 * @module
 */

export * from "./checker.ts";
export * from "./conformance.ts";
export * from "./describe.ts";
export * from "./explore/dpor.ts";
export * from "./report.ts";
export * from "./requests.ts";
export * from "./rule.ts";
export { ruleById, RULES } from "./rules/mod.ts";
export * from "./run.ts";
export * from "./scenario.ts";
export * from "./scenarios.ts";
export * from "./token.ts";

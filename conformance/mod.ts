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
 * A failure prints a token, which repeats its run for as long as the program is
 * the same; what follows on a plus goes on from there.
 *
 * @example What else can happen after the first three choices of a run
 * ```ts
 * import { checkConformance, runScenario, scenarioById } from "@endio/dio/conformance";
 * import { random } from "@endio/dio/core";
 * import { MODELS } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const model = MODELS[0]!;
 * const strategy = random(7);
 * const { token } = runScenario(model, scenarioById("aio-write"), { strategy });
 * const replay = `${token}+exhaustive@3`;
 * assertEquals(checkConformance(model, { replay }).violations, []);
 * ```
 *
 * @module
 */

export * from "./check_scenario.ts";
export * from "./bios.ts";
export { type Bug, bugById, BUGS } from "./bugs/mod.ts";
export * from "./checker.ts";
export { RULE_CLASSES } from "./classes.ts";
export * from "./conformance.ts";
export * from "./conformance_options.ts";
export * from "./describe.ts";
export * from "./determinism.ts";
export * from "./explore/campaign.ts";
export * from "./explore/dpor.ts";
export * from "./explore/explore_report.ts";
export * from "./explore/part.ts";
export * from "./explore/prepare.ts";
export { measureRuns, type RunLength } from "./explore/run_meter.ts";
export type * from "./explore/saved.ts";
export type {
  ExhaustiveSearch,
  PctOdds,
  PctSearch,
  RandomSearch,
  SavedSearch,
  Search,
} from "./explore/search.ts";
export { findSplit, type Split } from "./explore/split.ts";
export type { BrokenRule, Tally } from "./explore/tally.ts";
export * from "./inodes.ts";
export * from "./replay.ts";
export * from "./report.ts";
export * from "./request_state.ts";
export * from "./requests.ts";
export * from "./rule.ts";
export { type RuleExample, ruleExample } from "./rule_example.ts";
export { ruleById, RULES } from "./rules/mod.ts";
export * from "./run.ts";
export * from "./scenario.ts";
export * from "./scenarios.ts";
export * from "./shrink/paste.ts";
export * from "./shrink/reductions.ts";
export * from "./shrink/shrink.ts";
export * from "./threads.ts";
export * from "./token.ts";

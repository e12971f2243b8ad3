/**
 * The suite as tests.
 *
 * @module
 */

import { describe, it } from "@std/testing/bdd";
import type { ModelSpec } from "../fs_models/mod.ts";
import { checkScenario } from "./check_scenario.ts";
import type { ConformanceOptions } from "./conformance_options.ts";
import { formatFailure, formatShrunk } from "./report.ts";
import { mountForQuestions, type RunReport, whyNot } from "./run.ts";
import { SCENARIOS } from "./scenarios.ts";
import type { Shrunk } from "./shrink/shrink.ts";

/**
 * A filesystem model breaks a rule. Its message says which one, shows the
 * trace around the place, how to repeat the run, and a test to be pasted.
 *
 * @example
 * ```ts
 * import { ConformanceError, runScenario, scenarioById } from "@endio/dio/conformance";
 * import { MODELS } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const report = runScenario(MODELS[0]!, scenarioById("aio-write"));
 * assertEquals(new ConformanceError(report).report.violations, []);
 * ```
 */
export class ConformanceError extends Error {
  /** The class, for messages. */
  override readonly name = "ConformanceError";
  /** The failing run. */
  readonly report: RunReport;
  /** What it was shrunk to, or null. */
  readonly shrunk: Shrunk | null;

  /**
   * Tells of a run.
   *
   * @param report The failing run.
   * @param shrunk What it was shrunk to.
   */
  constructor(report: RunReport, shrunk: Shrunk | null = null) {
    super(shrunk ? formatShrunk(report, shrunk) : formatFailure(report));
    this.report = report;
    this.shrunk = shrunk;
    // Where the suite threw it says nothing about the model.
    this.stack = `${this.name}: ${this.message}`;
  }
}

/**
 * Registers a test for every scenario, with the ids of the rules it is there
 * for in its name. Scenarios that the model is not able to run are ignored,
 * with the reason in their name.
 *
 * A scenario is run in every order that can make a difference, if 1000 runs
 * are enough for that, and is sampled otherwise.
 *
 * @param spec The model.
 * @param options Profile, budget, scenarios, rules.
 *
 * @example In a file my_filesystem_test.ts
 * ```ts ignore
 * import { describeConformance } from "@endio/dio/conformance";
 * import { MyFilesystem } from "./my_filesystem.ts";
 *
 * describeConformance({
 *   name: "myfs",
 *   mount: (kernel, bdev) => new MyFilesystem(kernel, bdev),
 * });
 * ```
 */
export function describeConformance(
  spec: ModelSpec,
  options: ConformanceOptions = {},
): void {
  const profile = options.profile ?? "v3.12";
  const fs = mountForQuestions(spec);
  describe(`${spec.name} conforms to ${profile}`, () => {
    for (const scenario of options.scenarios ?? SCENARIOS) {
      const name = `${scenario.id} [${scenario.rules.join(", ")}]`;
      const reason = whyNot(fs, scenario, profile);
      if (reason !== null) {
        it.ignore(`${name} (skipped: ${reason})`, () => {});
        continue;
      }
      it(name, () => {
        const { failure, shrunk } = checkScenario(spec, scenario, options);
        if (failure !== null) throw new ConformanceError(failure, shrunk);
      });
    }
  });
}

/**
 * The demo's first part: every scenario on every shipped model, as a table.
 *
 * @module
 */

import type { ProfileName } from "../core/mod.ts";
import {
  checkConformance,
  type ConformanceReport,
  RULES,
  type ScenarioReport,
  SCENARIOS,
} from "../conformance/mod.ts";
import { MODELS } from "../fs_models/mod.ts";
import type { Style } from "./cli.ts";

/** A scenario of so many schedules, or fewer, is run under all of them. */
const EXHAUSTIVE = 40;
/** Random schedules of every other scenario, besides the default one. */
const RUNS = 10;
const CELL = 11;
const MARKS = "abcdefghijklmnopqrstuvwxyz";

/** What a model is shown with: direct I/O of block devices is younger. */
const profileOf = (model: string): ProfileName =>
  model === "blkdev" ? "v6.1" : "v3.12";

/**
 * Runs the suite on every shipped model.
 *
 * @returns A report for each model.
 */
export function runSuite(): ConformanceReport[] {
  return MODELS.map((model) =>
    checkConformance(model, {
      profile: profileOf(model.name),
      exhaustive: EXHAUSTIVE,
      runs: RUNS,
    })
  );
}

/**
 * Shows what the suite came to.
 *
 * @param reports A report for each model.
 * @param style The styles of the output.
 * @returns The lines, each with its end.
 */
export function renderTable(
  reports: readonly ConformanceReport[],
  style: Style,
): string {
  const reasons: string[] = [];
  const width = Math.max(...SCENARIOS.map(({ id }) => id.length));
  const rows = SCENARIOS.map(({ id }, at) => {
    const cells = reports.map(({ scenarios }) =>
      cell(scenarios[at] as ScenarioReport, reasons, style)
    );
    return `  ${id.padEnd(width)}  ${cells.join(" ")}`.trimEnd();
  });
  const head = (first: string, cells: readonly string[]): string =>
    `  ${first.padEnd(width)}  ${
      cells.map((text) => text.padEnd(CELL)).join(" ")
    }`.trimEnd();
  const names = head("scenario", reports.map(({ model }) => model));
  const profiles = head("", reports.map(({ profile }) => `Linux ${profile}`));
  const notes = reasons.map((reason, i) =>
    style.dim(`  ${MARKS[i % MARKS.length]}: not run, ${reason}`)
  );
  return [
    style.bold(names),
    style.dim(profiles),
    ...rows,
    ...notes,
    total(reports, style),
    "",
  ].join("\n");
}

/** `✓ all 24`: run under all of its schedules; `✓ 51`: under some. */
function cell(
  { skipped, failure, coverage, runs }: ScenarioReport,
  reasons: string[],
  { dim, green, red }: Style,
): string {
  if (skipped !== null) {
    let at = reasons.indexOf(skipped);
    if (at < 0) at = reasons.push(skipped) - 1;
    return dim(`–  (${MARKS[at % MARKS.length]})`.padEnd(CELL));
  }
  const text = coverage === "exhaustive" ? `all ${runs}` : String(runs);
  const mark = failure === null ? green("✓") : red("✗");
  return `${mark} ${text.padEnd(CELL - 2)}`;
}

function total(
  reports: readonly ConformanceReport[],
  { bold, green, red }: Style,
): string {
  const exercised = new Set(
    reports.flatMap(({ exercised }) =>
      [...exercised].filter(([, count]) => count > 0).map(([id]) => id)
    ),
  );
  const scenarios = reports.flatMap(({ scenarios }) => scenarios);
  const runs = scenarios.reduce((sum, { runs }) => sum + runs, 0);
  const failed = scenarios.filter(({ failure }) => failure !== null).length;
  const verdict = failed === 0
    ? green("✓ no rule broken")
    : red(`✗ ${failed} broken`);
  return `  ${
    bold(verdict)
  } in ${runs} runs; ${exercised.size} of ${RULES.length} rules exercised`;
}

/**
 * What `explore.ts` has found, for a person.
 *
 * @module
 */

import type {
  ExploredScenario,
  ExploreReport,
  PctOdds,
} from "../conformance/mod.ts";
import { alignColumns, type Style, wrapText } from "./cli.ts";

/** Characters of a line of running text. */
const WIDTH = 74;

/**
 * A report as a table, and what it comes to.
 *
 * @param report The report.
 * @param style The styles of the output.
 * @returns The lines, each with its end.
 */
export function renderReport(report: ExploreReport, style: Style): string {
  const { scenarios } = report;
  const run = scenarios.filter(({ skipped }) => skipped === null);
  const skipped = scenarios.filter(({ skipped }) => skipped !== null);
  const rows = run.map((one) => [
    `${one.failing === 0 ? "✓" : "✗"} ${one.scenario}`,
    coverageOf(one, report),
    ...countsOf(one),
  ]);
  const table = alignColumns([
    ["  scenario", "coverage", "schedules", "pruned", "left"],
    ...rows,
  ]);
  return [
    `${style.bold(titleOf(report))}\n\n`,
    ...run.length > 0 ? [paint(table, style)] : [],
    ...oddsLines(run, style),
    ...skippedLines(skipped, style),
    `\n${verdictOf(report, run, style)}\n`,
    ...brokenLines(run, style),
  ].join("");
}

/** What was not run, reason by reason. */
function skippedLines(
  scenarios: readonly ExploredScenario[],
  { dim }: Style,
): string[] {
  const reasons = Map.groupBy(scenarios, ({ skipped }) => skipped);
  return [...reasons].flatMap(([reason, those]) => {
    const names = those.map(({ scenario }) => scenario).join(", ");
    return wrapText(`not run, ${reason}: ${names}`, WIDTH)
      .map((line, i) => dim(`${i === 0 ? "  – " : "    "}${line}\n`));
  });
}

function titleOf(report: ExploreReport): string {
  const { model, profile, strategy, bound, seed, depth, shards } = report;
  const { count, done } = shards;
  return [
    model,
    `profile ${profile}`,
    [
      strategy,
      ...bound === null ? [] : [`with at most ${bound} preemptions`],
      ...seed === null ? [] : [`from seed ${seed}`],
      ...depth === null ? [] : [`to depth ${depth}`],
    ].join(" "),
    ...count === 1 ? [] : [
      `shard${done.length === 1 ? "" : "s"} ${
        done.map((index) => `${index}/${count}`).join(" ")
      }`,
    ],
  ].join(", ");
}

/** In which of its schedules a scenario was run, in words. */
function coverageOf(
  { coverage, left }: ExploredScenario,
  { bound, strategy, shards }: ExploreReport,
): string {
  if (coverage === "bounded") return `bounded: ${bound} preemptions`;
  const isAllOfShard = strategy === "exhaustive" && left === 0 &&
    shards.count > 1;
  return isAllOfShard ? "all of the shard" : coverage ?? "";
}

function countsOf(
  { schedules, pruned, left }: ExploredScenario,
): [string, string, string] {
  return [
    String(schedules),
    String(pruned),
    left === null ? "unknown" : left === 0 ? "0" : `${left} or more`,
  ];
}

/** Colours the marks at the beginning of lines. */
function paint(table: string, { green, red }: Style): string {
  return table
    .replaceAll(/^ *✓/gm, (mark) => green(mark))
    .replaceAll(/^ *✗/gm, (mark) => red(mark));
}

function oddsLines(
  scenarios: readonly ExploredScenario[],
  { dim }: Style,
): string[] {
  return scenarios.flatMap(({ scenario, odds, schedules }) =>
    odds === null ? [] : [dim(`    ${scenario}: ${told(odds, schedules)}\n`)]
  );
}

/** The chances of a sample, in words. */
function told(
  { depth, steps, contexts, longer, probability }: PctOdds,
  schedules: number,
): string {
  const runs = schedules - longer;
  const one = probability.toPrecision(2);
  const all = Math.min(
    0.9999,
    Number((-Math.expm1(runs * Math.log1p(-probability))).toPrecision(2)),
  );
  return `a bug of depth ${depth} is found with a probability of at least ${one} by one run (${contexts} contexts, ${steps} steps), ${all} by ${runs}${
    longer > 0
      ? `; ${longer} ${longer === 1 ? "run was" : "runs were"} longer`
      : ""
  }`;
}

function verdictOf(
  { shards }: ExploreReport,
  run: readonly ExploredScenario[],
  { bold, green, red }: Style,
): string {
  const sum = (of: (one: ExploredScenario) => number): number =>
    run.reduce((sum, one) => sum + of(one), 0);
  const failing = sum(({ failing }) => failing);
  const schedules = sum(({ schedules }) => schedules);
  const verdict = failing === 0
    ? green(`✓ no rule broken in ${schedules} schedules`)
    : red(`✗ rules broken in ${failing} of ${schedules} schedules`);
  const missing = Array.from({ length: shards.count }, (_, i) => i)
    .filter((i) => !shards.done.includes(i));
  return `${bold(verdict)} of ${run.length} scenario${
    run.length === 1 ? "" : "s"
  }${
    missing.length === 0
      ? ""
      : `; not in this report: shard${missing.length === 1 ? "" : "s"} ${
        missing.map((i) => `${i}/${shards.count}`).join(" ")
      }`
  }`;
}

function brokenLines(
  scenarios: readonly ExploredScenario[],
  { red }: Style,
): string[] {
  return scenarios.flatMap(({ scenario, broken }) =>
    broken.map(({ rule, schedules, token }) =>
      `${red("✗")} ${scenario}: ${rule} in ${schedules} schedule${
        schedules === 1 ? "" : "s"
      }\n    ${token}\n`
    )
  );
}

/**
 * What the oracle prints.
 *
 * @module
 */

import { alignColumns, wrapText } from "./cli.ts";
import {
  type Comparison,
  describeDifference,
  type Difference,
  EXPLANATIONS,
} from "./oracle_compare.ts";

/** How much of the report is printed, and for what. */
export interface ReportOptions {
  /** Every case and every difference has a row of its own. */
  readonly isVerbose: boolean;
  /** Characters in a line. */
  readonly columns: number;
}

/**
 * The group of a case.
 *
 * @param caseId The case.
 * @returns What stands before the slash.
 */
export function groupOf(caseId: string): string {
  return caseId.replace(/\/.*/s, "");
}

/**
 * The differences that nobody can explain.
 *
 * @param comparisons What came out.
 * @returns Some of the differences.
 */
export function unexplained(
  comparisons: readonly Comparison[],
): Difference[] {
  return comparisons.flatMap(({ differences }) => differences)
    .filter(({ explanation }) => explanation === null);
}

/**
 * The report.
 *
 * @param comparisons What came out.
 * @param skipped The cases that could not be laid out.
 * @param options How much.
 * @returns Its lines.
 */
export function oracleReport(
  comparisons: readonly Comparison[],
  skipped: readonly string[],
  { isVerbose, columns }: ReportOptions,
): string {
  const differences = comparisons.flatMap(({ differences }) => differences);
  const unknown = unexplained(comparisons);
  const compared = sum(comparisons.map((each) => each.compared));
  const parts = [
    casesTable(comparisons, isVerbose),
    skipped.length === 0 ? "" : paragraph(
      `not asked, because fallocate() is missing: ${skipped.join(", ")}`,
      columns,
    ),
    differences.length === 0 ? "" : differencesTable(differences, isVerbose),
    ...EXPLANATIONS
      .filter((each) => differences.some((d) => d.explanation === each))
      .map(({ id, sentence }) => paragraph(`${id}: ${sentence}`, columns)),
    ...[...new Set(unknown.map(({ caseId }) => caseId))]
      .map((caseId) => paragraph(`alone: ${argumentsOf(caseId)}`, columns)),
    `  ${comparisons.length} cases, ${compared} results, sizes and buffers ` +
    `compared: ${differences.length - unknown.length} differences ` +
    `explained, ${unknown.length} unexplained\n`,
  ];
  return parts.filter((part) => part !== "").join("\n");
}

/** What runs one case and nothing else. */
function argumentsOf(caseId: string): string {
  const [group, seed] = caseId.split("/");
  return group === "random"
    ? `--case random --random 1 --seed ${seed}`
    : `--case ${caseId}`;
}

function paragraph(text: string, columns: number): string {
  return wrapText(text, columns - 4)
    .map((line, i) => `${i === 0 ? "  " : "    "}${line}\n`).join("");
}

function casesTable(
  comparisons: readonly Comparison[],
  isVerbose: boolean,
): string {
  const nameOf = ({ caseId }: Comparison) =>
    isVerbose ? caseId : groupOf(caseId);
  const rows = [...Map.groupBy(comparisons, nameOf)].map(([name, members]) => {
    const compared = sum(members.map((each) => each.compared));
    const all = sum(members.map(({ differences }) => differences.length));
    const unknown = unexplained(members).length;
    return [name, compared, compared - all, all - unknown, unknown].map(String);
  });
  return alignColumns([
    ["case", "compared", "same", "explained", "unexplained"],
    ...rows,
  ]);
}

/** One row for all of a case that have one explanation, or one for each. */
function differencesTable(
  differences: readonly Difference[],
  isVerbose: boolean,
): string {
  const keyOf = (each: Difference): unknown => {
    if (isVerbose || each.explanation === null) return each;
    const { caseId, explanation: { id } } = each;
    const place = caseId.startsWith("random/") ? "random" : caseId;
    return `${place} ${id}`;
  };
  const rows = [...Map.groupBy(differences, keyOf).values()].map((group) => {
    const first = group[0] as Difference;
    return [
      first.caseId,
      describeDifference(first),
      first.real,
      first.model,
      first.explanation?.id ?? "UNEXPLAINED",
      group.length === 1 ? "" : `and ${group.length - 1} more`,
    ];
  });
  return alignColumns([
    ["case", "call", "kernel", "model", "because", ""],
    ...rows,
  ]).replaceAll(/ +$/gm, "");
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

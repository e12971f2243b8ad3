/**
 * The kill matrix as text and as JSON.
 *
 * @module
 */

import { ruleClass, RULES } from "../../conformance/mod.ts";
import { alignColumns } from "../cli.ts";
import { INEXPRESSIBLE } from "./inexpressible.ts";
import { type MatrixRow, MORE_SCHEDULES, SCHEDULES } from "./matrix.ts";
import { kindOf } from "./mod.ts";

/** What a matrix comes to. */
export interface MatrixSummary {
  /** Mutants that were run. */
  readonly mutants: number;
  /** Those that the rule found that must. */
  readonly killed: number;
  /** Bugs that they stand for. */
  readonly bugs: readonly string[];
  /** Runs of all of them. */
  readonly runs: number;
  /** Most schedules of a scenario that it took. */
  readonly schedules: number;
  /** Rules that found no mutant. */
  readonly idle: readonly string[];
  /** Rules without which a mutant would have survived. */
  readonly needed: readonly string[];
}

/**
 * Sums a matrix up.
 *
 * @param rows The matrix.
 * @returns What it comes to.
 */
export function summarize(rows: readonly MatrixRow[]): MatrixSummary {
  const expected = rows.map(({ mutant, kills }) => kills.get(mutant.rule));
  const found: Set<string> = new Set(
    rows.flatMap(({ kills }) => [...kills.keys()]),
  );
  const needed: Set<string> = new Set();
  for (const { kills } of rows) {
    const [only, other] = kills.keys();
    if (only !== undefined && other === undefined) needed.add(only);
  }
  return {
    mutants: rows.length,
    killed: expected.filter((kill) => kill !== undefined).length,
    bugs: [...new Set(rows.flatMap(({ mutant }) => mutant.bugs))].sort(),
    runs: rows.reduce((sum, { runs }) => sum + runs, 0),
    schedules: Math.max(0, ...expected.map((kill) => kill?.schedule ?? 0)),
    idle: RULES.map(({ id }) => id).filter((id) => !found.has(id)),
    needed: RULES.map(({ id }) => id).filter((id) => needed.has(id)),
  };
}

/**
 * The matrix, a line a mutant.
 *
 * @param rows The matrix.
 * @returns The lines.
 */
export function matrixText(rows: readonly MatrixRow[]): string {
  const summary = summarize(rows);
  const { mutants, killed, bugs, runs, schedules, idle, needed } = summary;
  const lines = rows.map(({ mutant, kills }) => {
    const kill = kills.get(mutant.rule);
    const others = kills.size - Number(kill !== undefined);
    return [
      kill ? "killed" : "ALIVE",
      kindOf(mutant),
      mutant.id,
      mutant.bugs.join(",") || "-",
      mutant.rule,
      (kill
        ? `schedule ${kill.schedule} of ${kill.scenario}, ${kill.model}`
        : "by nobody") +
      (others > 0 ? `; and by ${others} more` : ""),
    ];
  });
  return `${alignColumns(lines, 0)}
${killed} of ${mutants} mutants killed by the rule that must find them, in ${runs} runs
of at most ${MORE_SCHEDULES} schedules a scenario (${SCHEDULES} of every one); it took ${schedules}
${bugs.length} historic bugs, ${INEXPRESSIBLE.size} more cannot be expressed
${
    RULES.length - idle.length
  } of ${RULES.length} rules kill a mutant; ${needed.length} are the only one to kill some mutant
${idle.map((id) => `no mutant is killed by ${id}\n`).join("")}`;
}

/**
 * The matrix for programs.
 *
 * @param rows The matrix.
 * @returns JSON.
 */
export function matrixJson(rows: readonly MatrixRow[]): string {
  const mutants = rows.map(({ mutant, runs, kills }) => ({
    id: mutant.id,
    kind: kindOf(mutant),
    mistake: mutant.mistake,
    bugs: mutant.bugs,
    profile: mutant.profile ?? "v3.12",
    rule: mutant.rule,
    class: ruleClass(mutant.rule),
    killed: kills.has(mutant.rule),
    runs,
    kills: Object.fromEntries(kills),
  }));
  const notExpressed = Object.fromEntries(INEXPRESSIBLE);
  return `${
    JSON.stringify(
      { ...summarize(rows), matrix: mutants, notExpressed },
      null,
      1,
    )
  }\n`;
}

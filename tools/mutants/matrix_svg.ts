/**
 * The kill matrix as a picture: a row a mutant, a column a rule; light and
 * dark as the reader has it.
 *
 * @module
 */

import { ruleClass, RULES } from "../../conformance/mod.ts";
import type { MatrixRow } from "./matrix.ts";
import { summarize } from "./matrix_report.ts";
import { kindOf } from "./mod.ts";

const CELL = 11;
const LEFT = 250;
/** Room for the names of rules, which stand on end. */
const TOP = 330;
const MARGIN = 16;
/** Between two kinds of mutants, and two classes of rules. */
const GAP = 5;

const STYLE = `
svg{--paper:#fff;--ink:#1b1f24;--dim:#59636e;--line:#d8dee4;--must:#1a7f37;
--also:#9ccfa8;--alive:#c8201f;background:var(--paper);font:9px ui-monospace,monospace}
@media(prefers-color-scheme:dark){svg{--paper:#15181d;--ink:#e3e7ec;--dim:#98a2ae;
--line:#2a3038;--must:#56d364;--also:#2f5c39;--alive:#ff7b72}}
text{fill:var(--dim)}.t{font-size:13px;font-weight:700;fill:var(--ink)}
.m{fill:var(--must)}.a{fill:var(--also)}.x{fill:none;stroke:var(--alive)}
line{stroke:var(--line)}`;

/**
 * Draws a matrix.
 *
 * @param rows The matrix.
 * @returns The picture.
 */
export function matrixSvg(rows: readonly MatrixRow[]): string {
  const columns = places(RULES.map(({ id }) => [id, ruleClass(id)]), LEFT);
  const lines = places(
    rows.map(({ mutant }) => [mutant.id, kindOf(mutant)]),
    TOP,
  );
  const right = end(columns, LEFT);
  const bottom = end(lines, TOP);
  const width = right + MARGIN + TOP / 2;
  const { mutants, killed, bugs } = summarize(rows);
  const title =
    `${killed} of ${mutants} mutants killed by the rule that must find them; ${bugs.length} historic bugs`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${
      bottom + MARGIN
    }" width="${width}" height="${bottom + MARGIN}" role="img">`,
    `<title>${title}</title>`,
    `<style>${STYLE}</style>`,
    `<text class="t" x="${MARGIN}" y="24">${title}</text>`,
    `<text x="${MARGIN}" y="42">dark: the rule that must; light: others; a row a mutant, a column a rule</text>`,
    ...[...columns].map(([id, x]) =>
      `<line x1="${x + 5}" y1="${TOP - 3}" x2="${
        x + 5
      }" y2="${bottom}"/><text transform="translate(${x + 8},${
        TOP - 6
      }) rotate(-70)">${escape(id)}</text>`
    ),
    ...rows.map((row) => line(row, columns, lines.get(row.mutant.id) ?? 0)),
    "</svg>\n",
  ].join("\n");
}

/** Where each of a list goes, with a gap where the group changes. */
function places(
  list: readonly (readonly [id: string, group: string])[],
  from: number,
): Map<string, number> {
  const at: Map<string, number> = new Map();
  let place = from;
  let previous = list[0]?.[1];
  for (const [id, group] of list) {
    if (group !== previous) place += GAP;
    at.set(id, place);
    place += CELL;
    previous = group;
  }
  return at;
}

function end(placed: ReadonlyMap<string, number>, from: number): number {
  return [...placed.values()].reduce((a, b) => Math.max(a, b), from) + CELL;
}

function line(
  { mutant, kills }: MatrixRow,
  columns: ReadonlyMap<string, number>,
  y: number,
): string {
  const cells = [...kills].map(([rule, { runs, scenario, schedule }]) =>
    `<rect class="${rule === mutant.rule ? "m" : "a"}" x="${
      columns.get(rule)
    }" y="${y}" width="9" height="9"><title>${
      escape(
        `${mutant.id}: ${rule}, ${runs} runs, schedule ${schedule} of ${scenario}`,
      )
    }</title></rect>`
  );
  if (!kills.has(mutant.rule)) {
    cells.push(
      `<rect class="x" x="${
        columns.get(mutant.rule)
      }" y="${y}" width="9" height="9"/>`,
    );
  }
  return `<text x="${MARGIN}" y="${y + 8}">${escape(mutant.id)}<title>${
    escape(
      `${mutant.mistake} (${mutant.bugs.join(", ") || "no bug on record"})`,
    )
  }</title></text>${cells.join("")}`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

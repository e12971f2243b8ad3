/**
 * The page beside the models that says, of every statement of theirs, which
 * rule finds it when it is taken out.
 *
 * @module
 */

import type { Statement } from "./statements.ts";

/** The page. */
export const PAGE: URL = new URL(
  "../../fs_models/REMOVED_LINES.md",
  import.meta.url,
);

/** A row of the page. */
export interface PageRow {
  /** The file, beside `fs_models/mod.ts`. */
  readonly file: string;
  /** The function. */
  readonly fn: string;
  /** The statement that is taken out. */
  readonly text: string;
  /** Which one, when the function has it several times. */
  readonly nth: number;
  /** The rule that finds it, or null. */
  readonly rule: string | null;
  /** The model and the scenario in which it does. */
  readonly where: { readonly model: string; readonly scenario: string } | null;
  /** Why no rule does. */
  readonly why: string;
}

/** What a row and a statement have in common. */
export function keyOf(
  file: string,
  { fn, text, nth }: Pick<Statement, "fn" | "text" | "nth">,
): string {
  return `${file} ${fn}: ${text}${nth > 1 ? ` (${nth})` : ""}`;
}

/**
 * The rows of the page.
 *
 * @param page Its text.
 * @returns The rows, in order.
 */
export function rowsOf(page: string): PageRow[] {
  const rows: PageRow[] = [];
  let file = "";
  for (const line of page.split("\n")) {
    const title = /^## (\S+\.ts)$/.exec(line)?.[1];
    if (title !== undefined) file = title;
    const cells = line.split(/(?<!\\)\|/).slice(1, -1)
      .map((cell) => cell.trim().replaceAll("\\|", "|"));
    const [fn = "", code = "", found = "", where = ""] = cells;
    const [, text, nth] = /^`(.*)`(?: \((\d+)\))?$/.exec(code) ?? [];
    if (text === undefined) continue;
    const [model, scenario] = where.split(", ");
    const isFound = found !== "";
    rows.push({
      file,
      fn,
      text,
      nth: Number(nth ?? 1),
      rule: isFound ? found : null,
      where: isFound && model && scenario ? { model, scenario } : null,
      why: isFound ? "" : where,
    });
  }
  return rows;
}

/**
 * The 2013 patch row by row: what each added or removed, and a check that it
 * is so here.
 *
 * @module
 */

import { CORE_ROWS } from "./seed_core.ts";
import { EXT4_ROWS, OTHER_ROWS } from "./seed_models.ts";
import type { SeedRow } from "./seed_rig.ts";

/** Every row, in the order of the patch. */
export const SEED_ROWS: readonly SeedRow[] = [
  ...CORE_ROWS,
  ...EXT4_ROWS,
  ...OTHER_ROWS,
];

const COLUMNS: readonly [title: string, of: (row: SeedRow) => string][] = [
  ["row", ({ id }) => id],
  ["where in Linux", ({ where }) => where],
  ["what", ({ change }) => change],
  ["where here", ({ here }) => here],
];

/** The rows as the page that lies beside the models. */
export function seedRowsPage(): string {
  return `# The 2013 patch, row by row

What the patch that moved the order of completion into the core added and
removed, and where that is here. Each row is a test of its name in
\`seed_rows_test.ts\`, which runs the models as they were before the patch and as
they are after it. Of fs/super.c, the tidied error path of alloc_super() is left
out: no completion meets it.

${table()}
`;
}

function table(): string {
  const cells = COLUMNS.map(([title, of]) => {
    const texts = [title, ...SEED_ROWS.map(of)];
    const width = Math.max(...texts.map(({ length }) => length));
    const [head = "", ...rows] = texts.map((text) => text.padEnd(width));
    return [head, "-".repeat(width), ...rows];
  });
  const lines = (cells[0] ?? []).map((_, at) =>
    `| ${cells.map((column) => column[at]).join(" | ")} |`
  );
  return lines.join("\n");
}

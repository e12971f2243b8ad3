import { checkRow } from "./testdata/dio_table.ts";
import { ALIGNMENT_ROWS } from "./testdata/dio_rows_alignment.ts";
import {
  BIO_ROWS,
  CHUNK_ROWS,
  FAILING_ROWS,
} from "./testdata/dio_rows_bios.ts";
import { HOLE_ROWS, ZERO_ROWS } from "./testdata/dio_rows_blocks.ts";
import { CALLER_ROWS, SYNC_ROWS } from "./testdata/dio_rows_callers.ts";
import { COMPLETION_ROWS } from "./testdata/dio_rows_completion.ts";
import { ENTRY_ROWS } from "./testdata/dio_rows_entry.ts";
import { FLAG_ROWS } from "./testdata/dio_rows_flags.ts";
import { CALL_ROWS } from "./testdata/dio_rows_mapping.ts";
import { PIN_ROWS } from "./testdata/dio_rows_pins.ts";
import { RESULT_ROWS } from "./testdata/dio_rows_results.ts";

const ROWS = [
  ...ALIGNMENT_ROWS,
  ...ENTRY_ROWS,
  ...FLAG_ROWS,
  ...PIN_ROWS,
  ...CALL_ROWS,
  ...ZERO_ROWS,
  ...HOLE_ROWS,
  ...CHUNK_ROWS,
  ...BIO_ROWS,
  ...FAILING_ROWS,
  ...COMPLETION_ROWS,
  ...RESULT_ROWS,
  ...SYNC_ROWS,
  ...CALLER_ROWS,
];

for (const row of ROWS) {
  const profiles = row.profiles === undefined
    ? ""
    : ` (${row.profiles.join(", ")})`;
  Deno.test(`${row.clause}: ${row.rw}: ${row.title}${profiles}`, () => {
    checkRow(row);
  });
}

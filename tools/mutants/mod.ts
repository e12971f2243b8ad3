/**
 * Every mutant.
 *
 * @module
 */

import { BLKDEV_MUTANTS } from "./blkdev.ts";
import { DIRECT_IO_MUTANTS } from "./direct_io.ts";
import { EXT4_MUTANTS } from "./ext4.ts";
import { MODEL_MUTANTS } from "./models.ts";
import type { Mutant } from "./mutant.ts";
import { RESULT_MUTANTS } from "./result.ts";
import { SUBMISSION_MUTANTS } from "./submission.ts";

/** Every mutant. */
export const MUTANTS: readonly Mutant[] = [
  ...DIRECT_IO_MUTANTS,
  ...SUBMISSION_MUTANTS,
  ...RESULT_MUTANTS,
  ...EXT4_MUTANTS,
  ...MODEL_MUTANTS,
  ...BLKDEV_MUTANTS,
];

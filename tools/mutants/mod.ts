/**
 * Every mutant.
 *
 * @module
 */

import { DIRECT_IO_MUTANTS } from "./direct_io.ts";
import { EXT4_MUTANTS } from "./ext4.ts";
import type { Mutant } from "./mutant.ts";

/** Every mutant. */
export const MUTANTS: readonly Mutant[] = [
  ...DIRECT_IO_MUTANTS,
  ...EXT4_MUTANTS,
];

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

/** What has the mistake. */
export type MutantKind = "core" | "model" | "caller" | "device" | "recorder";

/** Every mutant, by what has the mistake. */
export const MUTANTS_BY_KIND: Readonly<Record<MutantKind, readonly Mutant[]>> =
  {
    core: [...DIRECT_IO_MUTANTS, ...SUBMISSION_MUTANTS, ...RESULT_MUTANTS],
    model: [...EXT4_MUTANTS, ...MODEL_MUTANTS, ...BLKDEV_MUTANTS],
    caller: [],
    device: [],
    recorder: [],
  };

/** Every mutant. */
export const MUTANTS: readonly Mutant[] = Object.values(MUTANTS_BY_KIND).flat();

/**
 * What has the mistake of a mutant.
 *
 * @param mutant The mutant.
 * @returns Its kind.
 */
export function kindOf(mutant: Mutant): MutantKind {
  for (const [kind, list] of Object.entries(MUTANTS_BY_KIND)) {
    if (list.includes(mutant)) return kind as MutantKind;
  }
  return "model";
}

/**
 * Every mutant.
 *
 * @module
 */

import { AIO_MUTANTS } from "./aio.ts";
import { BLKDEV_MUTANTS } from "./blkdev.ts";
import { CALLER_MUTANTS } from "./callers.ts";
import { COMPLETION_MUTANTS } from "./completion.ts";
import { DEVICE_MUTANTS } from "./devices.ts";
import { DIRECT_IO_MUTANTS } from "./direct_io.ts";
import { EXT4_MUTANTS } from "./ext4.ts";
import { FILESYSTEM_MUTANTS } from "./filesystems.ts";
import { MODEL_MUTANTS } from "./models.ts";
import type { Mutant } from "./mutant.ts";
import { PIECES_MUTANTS } from "./pieces.ts";
import { RECORDER_MUTANTS } from "./recorders.ts";
import { RESULT_MUTANTS } from "./result.ts";
import { SUBMISSION_MUTANTS } from "./submission.ts";
import { XFS_MUTANTS } from "./xfs.ts";

/** What has the mistake. */
export type MutantKind = "core" | "model" | "caller" | "device" | "recorder";

/** Every mutant, by what has the mistake. */
export const MUTANTS_BY_KIND: Readonly<Record<MutantKind, readonly Mutant[]>> =
  {
    core: [
      ...DIRECT_IO_MUTANTS,
      ...SUBMISSION_MUTANTS,
      ...RESULT_MUTANTS,
      ...COMPLETION_MUTANTS,
      ...PIECES_MUTANTS,
    ],
    model: [
      ...EXT4_MUTANTS,
      ...XFS_MUTANTS,
      ...FILESYSTEM_MUTANTS,
      ...MODEL_MUTANTS,
      ...BLKDEV_MUTANTS,
    ],
    caller: [...CALLER_MUTANTS, ...AIO_MUTANTS],
    device: DEVICE_MUTANTS,
    recorder: RECORDER_MUTANTS,
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

/**
 * Bugs that Linux has had in the completion of direct I/O.
 *
 * @module
 */

import { BLOCK_BUGS } from "./block.ts";
import type { Bug } from "./bug.ts";
import { CORE_BUGS } from "./core.ts";
import { EXT4_XFS_OCFS2_BUGS } from "./ext4_xfs_ocfs2.ts";
import { OTHERS_BUGS } from "./others.ts";

export type { Bug } from "./bug.ts";

/** Every bug, by number. */
export const BUGS: readonly Bug[] = [
  ...CORE_BUGS,
  ...BLOCK_BUGS,
  ...EXT4_XFS_OCFS2_BUGS,
  ...OTHERS_BUGS,
].sort((a, b) => a.id.localeCompare(b.id));

const BY_ID: ReadonlyMap<string, Bug> = new Map(
  BUGS.map((bug) => [bug.id, bug]),
);

/**
 * Finds a bug.
 *
 * @param id Its number, e.g. `DIO-020`.
 * @returns The bug.
 * @throws {RangeError} If there is none of that number.
 *
 * @example
 * ```ts
 * import { bugById } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(bugById("DIO-020").classes, [
 *   "one-completion",
 *   "no-use-after-release",
 * ]);
 * ```
 */
export function bugById(id: string): Bug {
  const bug = BY_ID.get(id);
  if (bug !== undefined) return bug;
  throw new RangeError(
    `Cannot find bug '${id}': 'tools/trace.ts list bugs' shows all`,
  );
}

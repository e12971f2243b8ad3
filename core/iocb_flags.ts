/**
 * Flags of one request: what `preadv2()`, `pwritev2()` and `io_submit()` take
 * beside the file's own.
 *
 * Source: include/linux/fs.h: kiocb_set_rw_flags().
 *
 * @module
 */

import { EOPNOTSUPP } from "./errno.ts";
import type { Profile } from "./profile.ts";

/** Whoever waits polls for the end of the request. */
export const IOCB_HIPRI: number = 1 << 0;
/** The request fails with `-EAGAIN` instead of waiting. */
export const IOCB_NOWAIT: number = 1 << 1;

/**
 * Checks the flags of a request.
 *
 * @param profile Whose semantics are in force.
 * @param flags {@linkcode IOCB_HIPRI} (since 4.6), {@linkcode IOCB_NOWAIT}
 * (since 4.13).
 * @returns 0, or `-EOPNOTSUPP` for a flag that this kernel does not know.
 *
 * @example
 * ```ts
 * import { EOPNOTSUPP, IOCB_NOWAIT, iocbRwFlags, profileOf } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(iocbRwFlags(profileOf("v4.10"), IOCB_NOWAIT), -EOPNOTSUPP);
 * assertEquals(iocbRwFlags(profileOf("v6.1"), IOCB_NOWAIT), 0);
 * ```
 */
export function iocbRwFlags(profile: Profile, flags: number): number {
  const known = (profile.blkdev === null ? 0 : IOCB_HIPRI) |
    (profile.nowaitAgain ? IOCB_NOWAIT : 0);
  return (flags & ~known) === 0 ? 0 : -EOPNOTSUPP;
}

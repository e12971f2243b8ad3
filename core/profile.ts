/**
 * Profiles: which Linux's direct-I/O semantics are in force.
 *
 * What differs between the versions is spelled out as switches, so that the
 * code asks for the behaviour and not for a version.
 *
 * @module
 */

/** The name of a profile. */
export type ProfileName = "v3.12" | "v4.10" | "v6.1";

/** The semantics of one Linux version, as switches. */
export interface Profile {
  /** Which version this is. */
  readonly name: ProfileName;
  /**
   * `end_io` is called whenever the filesystem registered one, is told the
   * result (negative on error), and a non-zero return replaces the result.
   * Before 4.6: only when bytes were submitted, told the attempted count,
   * nothing returned.
   */
  readonly endIoAlways: boolean;
  /** A read that faulted half way returns its count instead of `-EFAULT`. */
  readonly faultedReadCounts: boolean;
  /**
   * A write also defers its completion when the inode has cached pages, and
   * the workqueue is created for every asynchronous write, because the cache
   * is invalidated in the completion (since 4.14).
   */
  readonly invalidateAfter: boolean;
  /** Asynchronous completion moves `ki_pos` (since 4.1). */
  readonly kiPosInCompletion: boolean;
  /**
   * What asynchronous completion makes of the write-sync: `"keep-error"` runs
   * it even for a failed write, and its error replaces only a count (3.12);
   * `"replace"` replaces the result unconditionally (4.7 to 4.19, the error of
   * the write is lost); `"on-success"` runs it for counts only.
   */
  readonly writeSync: "keep-error" | "replace" | "on-success";
  /** A NOWAIT bio that would have blocked gives `-EAGAIN` (since 4.13). */
  readonly nowaitAgain: boolean;
}

const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  "v3.12": {
    name: "v3.12",
    endIoAlways: false,
    faultedReadCounts: false,
    invalidateAfter: false,
    kiPosInCompletion: false,
    writeSync: "keep-error",
    nowaitAgain: false,
  },
  "v4.10": {
    name: "v4.10",
    endIoAlways: true,
    faultedReadCounts: true,
    invalidateAfter: false,
    kiPosInCompletion: true,
    writeSync: "replace",
    nowaitAgain: false,
  },
  "v6.1": {
    name: "v6.1",
    endIoAlways: true,
    faultedReadCounts: true,
    invalidateAfter: true,
    kiPosInCompletion: true,
    writeSync: "on-success",
    nowaitAgain: true,
  },
};

/** Every profile's name, oldest first. */
export const PROFILE_NAMES: readonly ProfileName[] = ["v3.12", "v4.10", "v6.1"];

/**
 * The semantics that go by a name.
 *
 * @param name A profile's name; an already resolved profile is given back.
 * @returns The profile.
 * @throws {RangeError} If there is no profile of that name.
 *
 * @example
 * ```ts
 * import { profileOf } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(profileOf("v3.12").endIoAlways, false);
 * assertEquals(profileOf("v6.1").endIoAlways, true);
 * ```
 */
export function profileOf(name: string): Profile {
  if (!isProfileName(name)) {
    throw new RangeError(
      `Cannot find profile '${name}': choose ${PROFILE_NAMES.join(", ")}`,
    );
  }
  return PROFILES[name];
}

function isProfileName(name: string): name is ProfileName {
  return Object.hasOwn(PROFILES, name);
}

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

/** What differs in the direct I/O of block devices, as switches. */
export interface BlkdevProfile {
  /**
   * The count of parts is used by a single bio too. Before that, only once a
   * second bio is needed.
   */
  readonly countsAlways: boolean;
  /** An asynchronous request of one bio has a path of its own (since 5.16). */
  readonly asyncSingle: boolean;
  /**
   * Memory has to fit the device's DMA alignment only (since 6.0). Before
   * that, addresses and lengths have to be whole logical blocks.
   */
  readonly dmaAlignment: boolean;
  /**
   * What a bio fails with whose pages cannot be pinned: the errno of the pin,
   * or the generic `-EIO`, while a submitter that waits returns the errno.
   */
  readonly pinError: "errno" | "eio";
  /**
   * Which requests with `IOCB_HIPRI` are polled for: those that a system call
   * waits for, or (since 5.16) asynchronous ones.
   */
  readonly polls: "sync" | "async";
}

/** What differs at the entry of a direct I/O, as switches. */
export interface EntryProfile {
  /**
   * When the file's size is looked at: never, for the caller did (before
   * 3.14); after the flush of what is cached; or (by 6.1) before anything else,
   * so that an unaligned read behind the end gives 0 as well.
   */
  readonly size: "by-caller" | "after-flush" | "first";
  /** Flags of a request that mean something; others are ignored. */
  readonly flags: number;
}

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
   * Which asynchronous writes the completion syncs: `"always"` failed ones
   * too, though the error of the write-sync replaces only a count (3.12);
   * `"on-success"` counts only. What Linux 4.7 to 4.19 made of the result of
   * the write-sync is not here but in the model `plain-2016`: it was a mistake.
   */
  readonly writeSync: "always" | "on-success";
  /** A NOWAIT bio that would have blocked gives `-EAGAIN` (since 4.13). */
  readonly nowaitAgain: boolean;
  /** What happens at the entry of a direct I/O. */
  readonly entry: EntryProfile;
  /**
   * The pieces of a buffer are mapped one after the other, none beyond its
   * end, as iovecs were; since 3.16 the request is mapped as a whole.
   */
  readonly segmentAtATime: boolean;
  /**
   * `DIO_SKIP_HOLES` compares with the size in blocks of the request. Since
   * 4.10 in those of the filesystem, so that the block in which the file ends
   * is inside it.
   */
  readonly holesInUsedBlocks: boolean;
  /**
   * A failed bio that is found while others are still made stops the request
   * with `-EIO`; by 4.10 with its own error.
   */
  readonly reapsAsEio: boolean;
  /**
   * Dirty pages of an asynchronous read are let go of at its end one by one.
   * By 6.1 all or none of a bio's.
   */
  readonly putsDirtyPagesFirst: boolean;
  /**
   * The protection against a freeze of the filesystem is held until an
   * asynchronous write completes (since 4.10). Before, only while it is
   * submitted, so that it could reach a device that was to be left alone.
   */
  readonly freezeUntilCompletion: boolean;
  /**
   * The block device's own direct I/O, or null where it goes through
   * `struct dio` (before 4.10).
   */
  readonly blkdev: BlkdevProfile | null;
}

const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  "v3.12": {
    name: "v3.12",
    endIoAlways: false,
    faultedReadCounts: false,
    invalidateAfter: false,
    kiPosInCompletion: false,
    writeSync: "always",
    nowaitAgain: false,
    entry: { size: "by-caller", flags: 0b0011 },
    segmentAtATime: true,
    holesInUsedBlocks: true,
    reapsAsEio: true,
    putsDirtyPagesFirst: true,
    freezeUntilCompletion: false,
    blkdev: null,
  },
  "v4.10": {
    name: "v4.10",
    endIoAlways: true,
    faultedReadCounts: true,
    invalidateAfter: false,
    kiPosInCompletion: true,
    writeSync: "on-success",
    nowaitAgain: false,
    entry: { size: "after-flush", flags: 0b1111 },
    segmentAtATime: false,
    holesInUsedBlocks: false,
    reapsAsEio: false,
    putsDirtyPagesFirst: true,
    freezeUntilCompletion: true,
    blkdev: {
      countsAlways: false,
      asyncSingle: false,
      dmaAlignment: false,
      pinError: "errno",
      polls: "sync",
    },
  },
  "v6.1": {
    name: "v6.1",
    endIoAlways: true,
    faultedReadCounts: true,
    invalidateAfter: true,
    kiPosInCompletion: true,
    writeSync: "on-success",
    nowaitAgain: true,
    entry: { size: "first", flags: 0b0011 },
    segmentAtATime: false,
    holesInUsedBlocks: false,
    reapsAsEio: false,
    putsDirtyPagesFirst: false,
    freezeUntilCompletion: true,
    blkdev: {
      countsAlways: true,
      asyncSingle: true,
      dmaAlignment: true,
      pinError: "eio",
      polls: "async",
    },
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

/**
 * Damages to traces of the scenarios about what lies around direct I/O.
 *
 * @module
 */

import { EIO, ENOSPC } from "../../core/mod.ts";
import {
  beforeEnd,
  behind,
  edited,
  moved,
  type RuleDamage,
  swapped,
} from "./damage.ts";

/** Damages that rules about caches, sizes and results find. */
export const CACHE_DAMAGES: readonly RuleDamage[] = [
  {
    what: "a reader gets from the cache what was overwritten",
    rule: "cache-coherent/reader-sees-data",
    scenario: "write-cached",
    model: "plain",
    damage: (t) => edited(t, "user_read", { wrong: 1, at: 0, got: 0 }),
  },
  {
    what: "cached pages are dropped before end_io",
    rule: "cache-coherent/invalidated-after-end-io",
    scenario: "aio-write-cached",
    profile: "v6.1",
    damage: (t) =>
      behind(t, "dio_complete", {
        ev: "invalidate_inode_pages2_range",
        ino: 12,
        start: 0,
        end: 0,
        ret: 0,
      }),
  },
  {
    what: "a file is released while a request of it is in flight",
    rule: "pinned-until-done/file",
    scenario: "aio-write-close",
    damage: (t) => moved(t, "__fput", "filp_close"),
  },
  {
    what: "an error of end_io is not reported",
    rule: "error-reported/end-io",
    profile: "v6.1",
    damage: (t) => edited(t, "end_io_return", { ret: -EIO }),
  },
  {
    what: "an error of the rest is not reported",
    rule: "error-reported/rest",
    scenario: "write-hole-no-space",
    model: "plain",
    damage: (t) =>
      edited(edited(t, "buffered_io", { ret: -ENOSPC }), "aio_complete", {
        res: 0,
      }),
  },
  {
    what: "a request that was submitted whole sleeps",
    rule: "partial-progress/whole-is-queued",
    scenario: "aio-write",
    damage: (t) =>
      behind(t, "submit_bio", { ev: "might_sleep", fn: "io_schedule" }),
  },
  {
    what: "somebody waits for a lock of somebody who waits for them",
    rule: "lock-handover/no-deadlock",
    damage: (t) =>
      beforeEnd(t, { ev: "hung_task", msg: "deadlock of a and b; a waits" }),
  },
  {
    what: "the size grows before blocks are converted",
    rule: "size-after-data/converted-first",
    scenario: "aio-append",
    model: "xfs",
    damage: (t) => swapped(t, "i_size_write", "convert_unwritten"),
  },
  {
    what: "a part of a new block is all that is written of it",
    rule: "sub-block-zeroing-serialised/block-filled",
    scenario: "write-part-of-new-block",
    damage: (t) => edited(t, "submit_bio", { size: 512 }),
  },
  {
    what: "a new block is made inside the file",
    rule: "convert-only-written/no-new-block-inside",
    scenario: "write-inside-last-block",
    model: "plain",
    profile: "v6.1",
    damage: (t) => edited(t, "dio_alloc", { i_size: 1 << 20 }),
  },
];

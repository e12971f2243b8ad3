/**
 * Damages that rules about block devices find, and those about how many
 * completions run at once.
 *
 * @module
 */

import {
  edited,
  find,
  moved,
  type RuleDamage,
  swapped,
  without,
} from "./damage.ts";

const MANY = {
  model: "blkdev",
  profile: "v6.1",
  scenario: "blkdev-aio-write-many",
} as const;

/** Damages to requests of block devices. */
export const BLKDEV_DAMAGES: readonly RuleDamage[] = [
  {
    ...MANY,
    what: "a request is reported before its last bio has ended",
    rule: "completion-after-last-bio/block-device",
    damage: (t) => moved(t, "aio_complete", "bio_endio"),
  },
  {
    ...MANY,
    what: "a request is freed before it is reported",
    rule: "released-once/first-bio",
    damage: (t) => swapped(t, "dio_free", "aio_complete"),
  },
  {
    ...MANY,
    what: "a bio goes to another sector",
    rule: "mapping-and-bios/sectors-of-512",
    damage: (t) => edited(t, "submit_bio", { sector: 1 }),
  },
  {
    ...MANY,
    what: "another result is reported",
    rule: "result-precedence/block-device",
    damage: (t) => edited(t, "aio_complete", { res: 512 }),
  },
  {
    ...MANY,
    what: "a part of the buffer has no bio",
    rule: "partial-progress/whole-buffer",
    damage: (t) => t.toSpliced(find(t, "submit_bio", 1), 1),
  },
  {
    ...MANY,
    what: "the position moves too far",
    rule: "position-once/as-reported",
    damage: (t) => edited(t, "ki_pos", { pos: 1 << 20 }),
  },
  {
    ...MANY,
    what: "a request of two bios is polled for",
    rule: "poll-single-bio/one-bio",
    damage: (t) => {
      const at = find(t, "submit_bio", 1);
      const poll = { ...t[at]!, ev: "blk_poll", found: 0 };
      return t.toSpliced(at + 1, 0, poll);
    },
  },
  {
    ...MANY,
    what: "a NOWAIT request has two bios",
    rule: "nowait-all-or-nothing/one-bio",
    damage: (t) => edited(t, "blkdev_direct_IO", { nowait: 1 }),
  },
  {
    ...MANY,
    what: "a bio of an O_DSYNC write may stay in a cache",
    rule: "dsync-durable/fua",
    scenario: "blkdev-dsync",
    damage: (t) => edited(t, "submit_bio", { opf: 1 }),
  },
  {
    ...MANY,
    what: "what was stable is gone after a power cut",
    rule: "dsync-durable/power-cut",
    scenario: "blkdev-dsync",
    damage: (t) => edited(t, "user_read", { wrong: 1 }),
  },
  {
    ...MANY,
    what: "nobody looks at the pages of a read that has ended",
    rule: "pages-dirtied/each-bio",
    scenario: "blkdev-aio-read-many",
    damage: (t) => without(t, "bio_check_pages_dirty"),
  },
  {
    ...MANY,
    what: "the first bio is freed before its pages are looked at",
    rule: "pages-dirtied/each-bio",
    scenario: "aio-read",
    damage: (t) => swapped(t, "dio_free", "bio_check_pages_dirty"),
  },
  {
    ...MANY,
    what: "who waits for a request frees it when it has returned",
    rule: "released-once/first-bio",
    scenario: "sync-write",
    damage: (t) => swapped(t, "dio_free", "direct_IO_return"),
  },
  {
    what: "a completion waits for others that run",
    rule: "completion-concurrency/runs-at-once",
    scenario: "two-writers-unwritten",
    damage: (t) =>
      without(
        edited(edited(t, "alloc_workqueue", { max_active: 1 }), "queue_work", {
          cpu: 0,
        }),
        "workqueue_execute_end",
      ),
  },
  {
    what: "the workqueue has no rescuer",
    rule: "completion-concurrency/rescuer",
    damage: (t) => edited(t, "alloc_workqueue", { flags: 0 }),
  },
];

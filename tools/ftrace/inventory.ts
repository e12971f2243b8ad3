/**
 * Which probes a recording was made with: a line that is not there means
 * something only when it would have been.
 *
 * @module
 */

import { CODE, codeName, isInner } from "./probes.ts";

/** Probes that the kit does not set whose recordings begin with `BEGIN`. */
const NOT_IN_KIT = /_ret$/;
const RETURNS_IN_KIT: ReadonlySet<string> = new Set([
  "(filesystem)_ret",
  "io_submit_one_ret",
  "__blockdev_direct_IO_ret",
  "dio_complete_ret",
  "__iomap_dio_rw_ret",
  "iomap_dio_complete_ret",
  "sb_init_dio_done_wq_ret",
  "vfs_fsync_range_ret",
  "inode_dio_wait_ret",
  "generic_file_direct_write_ret",
]);

/**
 * Probes that somebody who uses a part of the kit sets together, or leaves out
 * together: what is inside functions needs offsets of one kernel, others need
 * other options. The rest is one group more.
 */
const GROUPS: readonly RegExp[] = [
  /_ret$/,
  /^workqueue_/,
  /^block_/,
  /^(?:submit_bio|bio_endio)$/,
  /^tracing_mark_write$/,
  /^\(filesystem\)$/,
];

/** The group of each probe, by its code. */
const GROUP_OF: readonly number[] = Object.values(CODE).map((code) =>
  isInner(code)
    ? GROUPS.length
    : GROUPS.findIndex((names) => names.test(codeName(code)))
);

/** The probes of one recording. */
export class Inventory {
  /** Whether it is the kernel's `trace` file, whose lines are sorted. */
  isDump = false;
  /** Whether events were lost. */
  isLossy = false;
  /** Whether its lines tell in which context they ran. */
  tellsContext = false;
  /** Whether the end of a bio comes with its status. */
  tellsStatus = false;
  /** Events that its header announces; NaN when it does not. */
  announced: number = NaN;
  /** Events that were taken out of it, as it says. */
  thinned = 0;
  readonly #set: Uint8Array = new Uint8Array(Object.keys(CODE).length);
  readonly #thinned: Uint8Array = new Uint8Array(this.#set.length);
  /** The probes that have fired, or that it says are set. */
  readonly #fired: Uint8Array = new Uint8Array(this.#set.length);
  readonly #certain: Uint8Array = new Uint8Array(this.#set.length);
  #isKit = false;

  /** Notes that a probe has fired. @returns Whether that is news. */
  note(code: number): boolean {
    if (this.#fired[code] !== 0) return false;
    this.#fired[code] = this.#set[code] = 1;
    this.#ascertain(code);
    return true;
  }

  /** Whether a probe is set, as far as anybody can know by now. */
  shows(code: number): boolean {
    return this.#set[code] !== 0;
  }

  /**
   * Whether that is certain: it has fired, or it belongs to the kit, and
   * another one that would be left out with it has fired.
   */
  isCertain(code: number): boolean {
    return this.#certain[code] !== 0;
  }

  #ascertain(fired: number): void {
    this.#certain[fired] = 1;
    if (!this.#isKit) return;
    const group = GROUP_OF[fired];
    for (let code = 1; code < this.#set.length; code++) {
      if (this.shows(code) && GROUP_OF[code] === group) this.#certain[code] = 1;
    }
  }

  /** Whether lines of a probe were taken out. */
  isThinned(code: number): boolean {
    return this.#thinned[code] !== 0;
  }

  /** Notes that all probes of the kit are set. */
  noteKit(): void {
    this.#isKit = true;
    for (let code = 1; code < this.#set.length; code++) {
      const name = codeName(code);
      if (NOT_IN_KIT.test(name) && !RETURNS_IN_KIT.has(name)) continue;
      this.#set[code] = 1;
    }
    this.#fired.forEach((fired, code) => fired && this.#ascertain(code));
  }

  /**
   * Reads a comment.
   *
   * @param text The line.
   */
  readComment(text: string): void {
    const entries = /entries-written: (\d{1,15})\//.exec(text);
    if (entries !== null) {
      this.isDump = true;
      this.announced = (this.announced || 0) + Number(entries[1]);
    }
    const thinned = /^# TRIMMED \(events removed\): (.*)$/.exec(text)?.[1];
    for (const part of thinned?.split(", ") ?? []) {
      const [name = "", count] = part.split(" ");
      this.thinned += Number(count) || 0;
      const code = CODE[name as keyof typeof CODE] ?? 0;
      this.#thinned[code] = 1;
    }
    const declared = /^# endio probes: (.*)$/.exec(text)?.[1];
    for (const name of declared?.split(" ") ?? []) {
      const code = CODE[name as keyof typeof CODE] ?? 0;
      if (code > 0) this.note(code);
    }
  }
}

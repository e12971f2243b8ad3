/**
 * What the lines of a recording are about: the functions, inner probes and
 * tracepoints that the rules read, each with a code.
 *
 * A kprobe is known by the function that it is in, not by the name that
 * somebody gave it; only what is inside a function is known by its name.
 *
 * @module
 */

import type { ArgLayout } from "./args.ts";
import type { FtraceLine } from "./line.ts";
import type { Names } from "./names.ts";

/** Where in a function a probe is. */
export const SITE = {
  /** Nowhere in particular: a tracepoint. */
  point: 0,
  /** Its first instruction. */
  entry: 1,
  /** Its return. */
  ret: 2,
  /** Somewhere inside. */
  inner: 3,
} as const;

/** Stands for all functions that no rule knows by name. */
export const FILESYSTEM = "(filesystem)" as const;

/** Functions that the rules read at entry and return. */
const FUNCTIONS = [
  "(filesystem)",
  "io_submit_one",
  "aio_complete_rw",
  "aio_complete",
  "__blockdev_direct_IO",
  "dio_complete",
  "dio_aio_complete_work",
  "dio_bio_end_aio",
  "dio_bio_end_io",
  "dio_bio_complete",
  "__iomap_dio_rw",
  "iomap_dio_submit_bio",
  "iomap_dio_bio_end_io",
  "iomap_dio_complete",
  "iomap_dio_complete_work",
  "__blkdev_direct_IO_simple",
  "__blkdev_direct_IO_async",
  "__blkdev_direct_IO",
  "blkdev_bio_end_io",
  "blkdev_bio_end_io_async",
  "submit_bio_wait",
  "submit_bio_wait_endio",
  "blkdev_bio_end_io_simple",
  "submit_bio",
  "bio_endio",
  "bio_set_pages_dirty",
  "bio_check_pages_dirty",
  "__bio_release_pages",
  "sb_init_dio_done_wq",
  "kiocb_invalidate_post_direct_write",
  "invalidate_inode_pages2_range",
  "filemap_write_and_wait_range",
  "wake_up_bit",
  "vfs_fsync_range",
  "blkdev_issue_flush",
  "inode_dio_wait",
  "generic_file_direct_write",
  "generic_perform_write",
] as const;

/** Probes inside functions, and the function that each is in. */
const INNER = {
  dio_inode_dio_begin: "__blockdev_direct_IO",
  dio_set_defer_dsync: "__blockdev_direct_IO",
  dio_set_defer_bh: "__blockdev_direct_IO",
  dio_ref_get1: "__blockdev_direct_IO",
  dio_ref_get2: "__blockdev_direct_IO",
  dio_async_ref_drop: "__blockdev_direct_IO",
  dio_await_ref_drop: "__blockdev_direct_IO",
  dio_end_aio_ref_drop: "dio_bio_end_aio",
  dio_end_aio_wake_waiter: "dio_bio_end_aio",
  dio_end_aio_DEFER: "dio_bio_end_aio",
  dio_end_io_ref_drop: "dio_bio_end_io",
  dio_end_io_wake_waiter: "dio_bio_end_io",
  dio_call_end_io: "dio_complete",
  dio_end_io_returned: "dio_complete",
  dio_inode_dio_end: "dio_complete",
  dio_call_ki_complete: "dio_complete",
  dio_free: "dio_complete",
  iomap_inode_dio_begin: "__iomap_dio_rw",
  iomap_dio_rw_ref_drop: "__iomap_dio_rw",
  iomap_end_io_wake_waiter: "iomap_dio_bio_end_io",
  iomap_end_io_QUEUE_WORK: "iomap_dio_bio_end_io",
  iomap_call_end_io: "iomap_dio_complete",
  iomap_end_io_returned: "iomap_dio_complete",
  iomap_inode_dio_end: "iomap_dio_complete",
  iomap_dio_free: "iomap_dio_complete",
} as const;

/** Tracepoints that the rules read. */
const POINTS = [
  "tracing_mark_write",
  "workqueue_queue_work",
  "workqueue_execute_start",
  "workqueue_execute_end",
  "block_rq_issue",
  "block_rq_complete",
] as const;

type FunctionName = typeof FUNCTIONS[number];
type CodeName =
  | FunctionName
  | `${FunctionName}_ret`
  | keyof typeof INNER
  | typeof POINTS[number];

const CODE_NAMES: readonly string[] = [
  "",
  ...FUNCTIONS,
  ...FUNCTIONS.map((name) => `${name}_ret`),
  ...Object.keys(INNER),
  ...POINTS,
];

/** The code of each probe that the rules read; all others have 0. */
export const CODE: Readonly<Record<CodeName, number>> = Object.fromEntries(
  CODE_NAMES.map((name, code) => [name, code]),
) as Record<CodeName, number>;

/** The probe of a code. */
export function codeName(code: number): string {
  return CODE_NAMES[code] ?? "";
}

/** Whether a code is that of a probe inside a function. */
export function isInner(code: number): boolean {
  return Object.hasOwn(INNER, codeName(code));
}

/** Names that recordings have for functions. */
const ALIASES: Readonly<Record<string, FunctionName>> = {
  aio_submit_one: "io_submit_one",
  blockdev_direct_IO: "__blockdev_direct_IO",
  iomap_dio_rw: "__iomap_dio_rw",
  blkdev_dio_simple: "__blkdev_direct_IO_simple",
  blkdev_dio_async: "__blkdev_direct_IO_async",
  blkdev_dio_multi: "__blkdev_direct_IO",
  bio_release_pages: "__bio_release_pages",
  BUFFERED_generic_perform_write: "generic_perform_write",
  kiocb_invalidate_post: "kiocb_invalidate_post_direct_write",
};

/** Functions of other kernels that are what those of 6.1 are. */
const SUCCESSORS: Readonly<Record<string, FunctionName>> = {
  // It waited and completed by itself until 5.11, and has only called since.
  iomap_dio_rw: "__iomap_dio_rw",
};

/** What a function of a filesystem does, as far as its name tells. */
export const DOES = {
  /** Nothing that a rule reads. */
  other: 0,
  /** Says where a part of a file lies. */
  map: 1,
  /** Does what a completion of the filesystem needs. */
  convert: 2,
} as const;

const MAPS = /_get_blocks?(?:_\w+)?$|_iomap_(?:\w+_)?begin$/;
const CONVERTS =
  /convert_unwritten|write_unwritten|mark_extent_written|reflink_end_cow|dio_end_io_write$|handle_inode_extension|_rw_unlock$/;

/** What is known of the lines of one name. */
export interface Probe {
  /** The name in the recording. */
  readonly name: string;
  /** Its code, 0 when no rule reads it. */
  readonly code: number;
  /** Of {@linkcode SITE}. */
  readonly site: number;
  /** The number of the name of the function that it is in, or 0. */
  readonly fn: number;
  /** What that does, of {@linkcode DOES}. */
  readonly does: number;
  /** Its arguments, in order. */
  readonly layout: ArgLayout[];
  /** How many lines there were. */
  lines: number;
}

const OPEN = 0x28;
const decoder = new TextDecoder();
/** Of `(dio_complete+0x82/0x1f0)` and of `(caller+0x1/0x2 <- dio_complete)`. */
const PLACE =
  /^\((?:.* <- )?(?<fn>\w[\w.]*?)(?:\.(?:isra|constprop|part|cold|llvm)[\w.]*)?(?:\+0x(?<offset>[0-9a-f]+)\/0x[0-9a-f]+)?(?: \[\w+\])?\)/;

/** The probes that a recording has shown so far. */
export class Probes {
  readonly #names: Names;
  /** By twice the name's number, plus 1 when a place in brackets follows. */
  readonly #byName: (Probe | undefined)[] = [];

  /**
   * Begins without any.
   *
   * @param names The recording's names.
   */
  constructor(names: Names) {
    this.#names = names;
  }

  /**
   * What a line is about.
   *
   * @param line The line: an event.
   * @returns Its probe.
   */
  of(line: FtraceLine): Probe {
    const { bytes, nameAt, nameEnd, argsAt, argsEnd } = line;
    const id = this.#names.at(bytes, nameAt, nameEnd);
    const hasPlace = argsAt < argsEnd && bytes[argsAt] === OPEN;
    const key = id * 2 + (hasPlace ? 1 : 0);
    const known = this.#byName[key];
    if (known !== undefined) {
      known.lines++;
      return known;
    }
    const args = hasPlace
      ? decoder.decode(bytes.subarray(argsAt, argsEnd))
      : "";
    const probe = this.#make(this.#names.text(id), args);
    this.#byName[key] = probe;
    return probe;
  }

  /** Every probe that came. */
  *all(): Generator<Probe, void, void> {
    for (const probe of this.#byName) if (probe) yield probe;
  }

  #make(name: string, args: string): Probe {
    const place = PLACE.exec(args);
    if (place === null) return this.#unplaced(name, args !== "");
    const { fn = "", offset } = place.groups as Record<string, string>;
    const isRet = args.startsWith("(") && args.slice(0, place[0].length)
      .includes(" <- ");
    // An address instead of a name: the reader had no table of symbols.
    if (/^[0-9a-f]{8,16}$/.test(fn)) return this.#unplaced(name, true);
    const isEntry = !isRet && (offset === "0" || offset === "4");
    const site = isRet ? SITE.ret : isEntry ? SITE.entry : SITE.inner;
    const known = Object.hasOwn(SUCCESSORS, fn) ? SUCCESSORS[fn] : fn;
    const codeOf = isRet ? `${known}_ret` : isEntry ? `${known}` : name;
    return this.#probe(name, codeOf, site, fn);
  }

  #unplaced(name: string, hasPlace: boolean): Probe {
    if (!hasPlace) {
      // `trace-cmd report` and `perf script` print what is in a mark like that.
      if (name === "print") {
        return this.#probe(name, "tracing_mark_write", SITE.point, "");
      }
      const isPoint = (POINTS as readonly string[]).includes(name);
      return this.#probe(name, isPoint ? name : "", SITE.point, "");
    }
    const inner = Object.hasOwn(INNER, name)
      ? INNER[name as keyof typeof INNER]
      : undefined;
    if (inner !== undefined) return this.#probe(name, name, SITE.inner, inner);
    // `perf probe` calls them so.
    const base = name.replace(/_ret$|__return$/, "");
    const fn = Object.hasOwn(ALIASES, base) ? ALIASES[base] as string : base;
    return base === name
      ? this.#probe(name, fn, SITE.entry, fn)
      : this.#probe(name, `${fn}_ret`, SITE.ret, fn);
  }

  #probe(name: string, codeOf: string, site: number, fn: string): Probe {
    const code = Object.hasOwn(CODE, codeOf) ? CODE[codeOf as CodeName] : 0;
    const does = MAPS.test(fn)
      ? DOES.map
      : CONVERTS.test(fn)
      ? DOES.convert
      : DOES.other;
    const number = this.#names.of(fn);
    return { name, code, site, fn: number, does, layout: [], lines: 1 };
  }
}

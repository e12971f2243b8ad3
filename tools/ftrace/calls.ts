/**
 * The nest of calls in each context: which function a line lies in. A probe
 * at a return closes its call; a call without such a probe is over when
 * something runs that cannot run inside it.
 *
 * @module
 */

import { KEY } from "./args.ts";
import { LEVEL } from "./line.ts";
import { type Context, PATH } from "./objects.ts";
import { CODE, codeName, FILESYSTEM, type Probe, SITE } from "./probes.ts";
import type { Recording } from "./recording.ts";
import { R } from "./rules.ts";

/** What is known of a function. */
const ENTRY_SHOWN = 1;
const RETURN_SHOWN = 2;
const KNOWN = 4;
const SLEEPS = 8;
/** Something came from it before its first entry. */
const CAME_FROM = 16;

/** Functions that may sleep, and nothing else would be called like that. */
const MAY_SLEEP =
  /^(?:vfs_fsync_range|blkdev_issue_flush|submit_bio_wait|inode_dio_wait|invalidate_inode_pages2_range|kiocb_invalidate_post_direct_write|filemap_write_and_wait_range|generic_perform_write|generic_file_direct_write|\w*_(?:fsync|sync_file|file_write_iter|file_read_iter|setattr|truncate|truncate_file|iomap_begin|overwrite_begin))$|convert_unwritten|write_unwritten|mark_extent_written|reflink_end_cow|dio_end_io_write$|handle_inode_extension|iomap_write_direct/;

/** What the recording shows of each function, by the number of its name. */
export class Calls {
  readonly #known: Uint8Array = new Uint8Array(1 << 15);

  /**
   * Notes what a probe shows of its function.
   *
   * @param fn The number of the function's name.
   * @param site Of {@linkcode SITE}.
   */
  note(fn: number, site: number): void {
    if (site === SITE.entry) this.#known[fn]! |= ENTRY_SHOWN;
    else if (site === SITE.ret) this.#known[fn]! |= RETURN_SHOWN;
  }

  /** Whether a function's entries are in the recording. */
  showsEntry(fn: number): boolean {
    return (this.#known[fn]! & ENTRY_SHOWN) !== 0;
  }

  /** Notes that something came from a function that was not entered. */
  cameFrom(fn: number): void {
    this.#known[fn]! |= CAME_FROM;
  }

  /** Whether that is so, and the function is entered only now. */
  isTooLate(fn: number): boolean {
    return (this.#known[fn]! & (ENTRY_SHOWN | CAME_FROM)) === CAME_FROM;
  }

  /** Whether a function's returns are. */
  showsReturn(fn: number): boolean {
    return (this.#known[fn]! & RETURN_SHOWN) !== 0;
  }

  /** Whether a function may sleep. */
  maySleep(fn: number, r: Recording): boolean {
    if ((this.#known[fn]! & KNOWN) === 0) {
      this.#known[fn]! |= KNOWN;
      if (MAY_SLEEP.test(r.names.text(fn))) this.#known[fn]! |= SLEEPS;
    }
    return (this.#known[fn]! & SLEEPS) !== 0;
  }
}

/** The probe that tells of a function's entries. */
export function entryOf(r: Recording, fn: number): number {
  const code = CODE[r.names.text(fn) as keyof typeof CODE];
  return code ?? CODE[FILESYSTEM];
}

/** The probe that tells of a function's returns. */
export function returnOf(r: Recording, fn: number): number {
  const code = CODE[`${r.names.text(fn)}_ret` as keyof typeof CODE];
  // Of a synchronous blkdev write no other return is probed.
  const isAlone = code === CODE.vfs_fsync_range_ret &&
    r.ctx.submission?.path === PATH.blkdev;
  if (isAlone) return CODE.vfs_fsync_range;
  return code ?? CODE[`${FILESYSTEM}_ret`];
}

/** A function is entered. */
export function onEntry(r: Recording, probe: Probe): void {
  const { ctx, calls } = r;
  const { fn } = probe;
  if (calls.isTooLate(fn)) {
    r.report(R.nesting, `${r.names.text(fn)} entered before what came from it`);
  }
  calls.note(fn, SITE.entry);
  if (ctx.announced === fn) ctx.announced = 0;
  const caller = r.args.get(KEY.caller);
  if (caller > 0) comeFrom(r, caller);
  // Where no return tells of the end of a call, the next one does.
  if (!calls.showsReturn(fn)) {
    let at = ctx.depth;
    while (at > 0 && !calls.showsReturn(ctx.calls[at - 1] as number)) {
      if (ctx.calls[--at] === fn) ctx.depth = at;
    }
  }
  ctx.enter(fn, r.no);
  checkSleep(r, fn);
}

/** Something happens inside a function. */
export function onInner(r: Recording, probe: Probe): void {
  comeFrom(r, probe.fn);
}

/** A function returns. */
export function onReturn(r: Recording, probe: Probe): void {
  const { fn } = probe;
  r.calls.note(fn, SITE.ret);
  // The kit sets no probe at a return without one at the entry.
  if (r.isWhole) r.calls.note(fn, SITE.entry);
  comeFrom(r, fn);
  const { ctx } = r;
  if (ctx.calls[ctx.depth - 1] === fn && ctx.depth > 0) ctx.depth--;
}

/**
 * The function tracer saw a call. A kprobe at the same place fires after it;
 * where there is none, the call is all there is.
 */
export function onCall(r: Recording): void {
  const { line, ctx } = r;
  settleCall(r, 0);
  ctx.announced = r.names.at(line.bytes, line.nameAt, line.nameEnd);
  ctx.announcedLine = r.no;
}

/**
 * What to make of a call that the function tracer saw, now that the next line
 * of its context is here.
 *
 * @param r The recording.
 * @param entered The function that this line enters, or 0.
 */
export function settleCall(r: Recording, entered: number): void {
  const { ctx } = r;
  const fn = ctx.announced;
  if (fn === 0 || fn === entered) return;
  ctx.announced = 0;
  if (r.calls.showsEntry(fn)) {
    r.lack(
      R.nesting,
      entryOf(r, fn),
      `the kprobe of ${r.names.text(fn)} after the call`,
      ctx.announcedLine,
    );
    if (r.inventory.isCertain(entryOf(r, fn))) return;
  }
  ctx.enter(fn, ctx.announcedLine);
  checkSleep(r, fn);
  r.args.clear();
  const code = CODE[r.names.text(fn) as keyof typeof CODE] ?? 0;
  if (code > 0) r.handle(code);
}

/** The innermost call is that of a function that the recording shows. */
export function onlyIn(r: Recording, fn: number): void {
  const at = r.ctx.find(fn);
  if (at >= 0) closeTo(r, r.ctx, at + 1);
}

/** The task is in user space: no call is open. */
export function leaveCalls(r: Recording): void {
  settleCall(r, 0);
  closeTo(r, r.ctx, 0);
}

/** The line lies in a call of a function, directly or by a tail call. */
function comeFrom(r: Recording, fn: number): void {
  const at = r.ctx.find(fn);
  if (at >= 0) closeTo(r, r.ctx, at + 1);
  else if (!r.inventory.tellsContext) return;
  else if (r.isWhole && r.calls.showsEntry(fn)) {
    r.exercise(R.nesting);
    const what = `a call of ${r.names.text(fn)} that has not returned`;
    r.lack(R.nesting, entryOf(r, fn), what);
  } else if (r.isWhole) r.calls.cameFrom(fn);
}

/** The calls above a depth are over. */
function closeTo(r: Recording, ctx: Context, depth: number): void {
  while (ctx.depth > depth) {
    const fn = ctx.calls[--ctx.depth] as number;
    // Interrupts and what they have interrupted may look like one nest.
    if (!r.calls.showsReturn(fn) || !r.inventory.tellsContext) continue;
    r.exercise(R.nesting);
    r.lack(
      R.nesting,
      [entryOf(r, fn), returnOf(r, fn)],
      `the return of ${r.names.text(fn)} before it`,
      ctx.callLines[ctx.depth] as number,
    );
  }
}

function checkSleep(r: Recording, fn: number): void {
  if (!r.calls.maySleep(fn, r)) return;
  r.exercise(R.noSleep);
  const { level } = r.ctx;
  if (level === LEVEL.task && !r.line.irqsOff) return;
  const where = level === LEVEL.hardirq
    ? "in a hardirq"
    : level === LEVEL.softirq
    ? "in a softirq"
    : "with interrupts off";
  r.report(
    R.noSleep,
    `${r.names.text(fn)} in a context that may sleep, not ${where}`,
  );
}

/** Functions of filesystems whose returns the kit probes. */
const KIT_RETURNS: readonly string[] = [
  "ext4_dio_write_end_io",
  "ext4_convert_unwritten_extents",
  "xfs_dio_write_end_io",
  "ocfs2_dio_end_io",
  "ocfs2_dio_end_io_write",
];

/** Notes that all functions of the kit are probed. */
export function noteKit(r: Recording): void {
  r.inventory.noteKit();
  for (const name of KIT_RETURNS) {
    r.calls.note(r.names.of(name), SITE.ret);
    r.calls.note(r.names.of(name), SITE.entry);
  }
  for (let code = 1; codeName(code) !== ""; code++) {
    if (!r.inventory.shows(code)) continue;
    const name = codeName(code);
    const base = name.replace(/_ret$/, "");
    const isFunction = CODE[`${base}_ret` as keyof typeof CODE] !== undefined;
    if (!isFunction) continue;
    r.calls.note(r.names.of(base), base === name ? SITE.entry : SITE.ret);
  }
}

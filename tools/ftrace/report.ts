/**
 * How a request is reported: the callback of an asynchronous one, the ring,
 * and what user space says of it through `trace_marker`.
 *
 * @module
 */

import { onReported } from "./after_end_io.ts";
import { settleBio } from "./bio_settle.ts";
import { bindIocb, QUEUED } from "./submission.ts";
import { KEY } from "./args.ts";
import { leaveCalls, noteKit, onlyIn } from "./calls.ts";
import { type Dio, type Iocb, PATH } from "./objects.ts";
import { CODE } from "./probes.ts";
import type { Recording } from "./recording.ts";
import { R } from "./rules.ts";

const ERRNOS: Readonly<Record<string, number>> = {
  EIO: -5,
  EAGAIN: -11,
  EINVAL: -22,
  EFBIG: -27,
  ENOSPC: -28,
};
const ENOTBLK = 15;
const decoder = new TextDecoder();
/** How many events user space may leave on the ring. */
const MAX_RING = 1 << 16;

/** `aio_complete_rw` is entered: the request is reported. */
export function onReport(r: Recording): void {
  const { args, ctx } = r;
  const addr = args.get(KEY.iocb);
  const caller = r.names.text(args.get(KEY.caller) || 0);
  const bySubmitter = caller === "aio_write" || caller === "aio_read";
  const dio = bySubmitter ? null : dioOfReport(r);
  const iocb = dio?.iocb ??
    (bySubmitter || ctx.bio === null ? submitted(r, addr) : null) ??
    r.iocbs.get(addr) ?? unseen(r) ?? null;
  r.dio = dio;
  r.iocb = iocb;
  r.exercise(R.once);
  if (iocb === null) {
    const what = "one report of a request that is alive";
    if (r.isWhole) r.lack(R.once, CODE.io_submit_one, what);
    return;
  }
  r.noteSeen(iocb);
  if (Number.isNaN(iocb.addr)) bindIocb(r, iocb, addr);
  else if (!Number.isNaN(addr) && iocb.addr !== addr) {
    r.report(R.once, "the iocb of the request that is completed", iocb.line);
  }
  if (iocb.reported > 0) {
    r.report(R.once, "one report of a request", iocb.reported);
    return;
  }
  iocb.reported = r.no;
  iocb.res = args.get(KEY.res);
  // Where the ring is not told of, the address is soon another's.
  if (!r.inventory.shows(CODE.aio_complete)) r.iocbs.delete(addr);
  if (dio !== null) byCallback(r, dio, iocb);
  else bySubmission(r, iocb);
}

/** The request whose submission runs here, as far as that is known to run. */
function submitted({ ctx, inventory }: Recording, addr: number): Iocb | null {
  const { iocb } = ctx;
  const isOpen = inventory.isCertain(CODE.io_submit_one_ret) ||
    iocb === null || Number.isNaN(iocb.addr) || iocb.addr === addr;
  return isOpen ? iocb : null;
}

/**
 * A request that went where nobody looks, so that its address is not known:
 * the oldest that can have come to what the line tells, or the oldest.
 */
function unseen(r: Recording): Iocb | undefined {
  const { unseen } = r;
  const res = r.args.get(KEY.res);
  const pos = r.args.get(KEY.ki_pos);
  const fits = unseen.findIndex(({ bytes, offset }) =>
    Number.isNaN(pos) ? bytes === res : offset + Math.max(res, 0) === pos
  );
  return unseen[Math.max(fits, 0)];
}

/** The request whose completion calls back here. */
function dioOfReport(r: Recording): Dio | null {
  const { ctx } = r;
  if (ctx.completion !== null) return ctx.completion;
  if (ctx.reporting !== null) return ctx.reporting;
  const dio = ctx.bio?.dio;
  return dio?.path === PATH.blkdev && !dio.isSync ? dio : null;
}

function byCallback(r: Recording, dio: Dio, iocb: Iocb): void {
  r.exercise(R.neverBoth);
  if (!Number.isNaN(iocb.returned) && iocb.returned !== QUEUED) {
    r.report(
      R.neverBoth,
      "no report of a request that was returned",
      iocb.returnedLine,
    );
  }
  if (dio.path === PATH.blkdev) reportBlkdev(r, dio);
  else onReported(r, dio);
  const advance = dio.path === PATH.dio
    ? dio.transferred
    : Math.max(iocb.res || 0, 0);
  checkPosition(r, dio, iocb, advance);
}

function checkPosition(r: Recording, dio: Dio, iocb: Iocb, by: number): void {
  const told = r.args.get(KEY.ki_pos);
  if (Number.isNaN(told) || !dio.isWhole || iocb.bytes === 0) return;
  r.exercise(R.position);
  // What a fsync has failed with does not take the position back.
  if (iocb.res < 0 && dio.path !== PATH.dio && dio.synced > 0) return;
  if (told === iocb.offset + by) return;
  r.report(R.position, `${iocb.offset + by}, it is ${told}`, iocb.line);
}

function reportBlkdev(r: Recording, dio: Dio): void {
  const { ctx, args } = r;
  const res = args.get(KEY.res);
  dio.reported = r.no;
  if (!dio.isWhole) return;
  r.exercise(R.allEnded);
  r.exercise(R.everyBio);
  r.exercise(R.lastReference);
  if (dio.lastDrop === 0 && !dio.isSilent) {
    r.report(R.lastReference, "the last bio ended before it", dio.lastBio);
  } else if (dio.expectsBio > 0) {
    r.report(R.lastReference, "another bio before it", dio.expectsBio);
  }
  const { bio } = ctx;
  const pages = (bio?.checked ?? 0) || (bio?.released ?? 0);
  if (pages > 0) r.report(R.pages, "it before the pages are released", pages);
  if (dio.bioError !== 0 && res >= 0) {
    r.report(
      R.everyBio,
      `the error ${dio.bioError} of a bio`,
      dio.bioErrorLine,
    );
  }
  if (r.inventory.isThinned(CODE.submit_bio)) return;
  r.exercise(R.precedence);
  const expected = dio.bioError || dio.submittedBytes;
  if (res !== expected && dio.submittedBytes > 0) {
    r.report(R.precedence, `${expected}, it is ${res}`, dio.line);
  }
}

/** aio_read() and aio_write() report what was not left to a callback. */
function bySubmission(r: Recording, iocb: Iocb): void {
  const res = r.args.get(KEY.res);
  onlyIn(r, r.names.of("io_submit_one"));
  r.exercise(R.neverBoth);
  if (iocb.returned === QUEUED && iocb.queued && !iocb.buffered) {
    r.report(
      R.neverBoth,
      "the report left to the callback of what was queued",
      iocb.returnedLine,
    );
  }
  r.exercise(R.precedence);
  if (!agrees(iocb, res)) {
    r.report(
      R.precedence,
      `${iocb.returned}, it is ${res}`,
      iocb.returnedLine,
    );
  }
  checkBounds(r, iocb, res);
}

/**
 * Whether a result is what the direct I/O has returned. What that has left
 * the page cache may add, unseen.
 */
function agrees(iocb: Iocb, result: number): boolean {
  const { returned, bytes, buffered } = iocb;
  if (Number.isNaN(returned) || Number.isNaN(result)) return true;
  if (buffered || bytes === 0) return true;
  const isShort = returned >= 0 && returned < bytes || returned === -ENOTBLK;
  return result === returned || isShort && result > returned;
}

function checkBounds(r: Recording, iocb: Iocb, res: number): void {
  if (iocb.bytes === 0) return;
  if (res > iocb.bytes) {
    r.report(R.bytes, `at most ${iocb.bytes}, it is ${res}`, iocb.line);
  }
  const told = r.args.get(KEY.ki_pos);
  if (Number.isNaN(told)) return;
  if (res < 0 && (iocb.buffered || iocb.dio === null)) return;
  r.exercise(R.position);
  const expected = iocb.offset + Math.max(res, 0);
  if (told !== expected) {
    r.report(R.position, `${expected}, it is ${told}`, iocb.line);
  }
}

/** `aio_complete` is entered: the event goes to the ring. */
export function onRing(r: Recording): void {
  const { args, ctx } = r;
  const addr = args.get(KEY.iocb);
  if (Number.isNaN(addr)) return;
  const iocb = r.iocb = r.iocbs.get(addr) ?? null;
  r.exercise(R.ring);
  if (iocb === null) {
    if (r.isWhole) r.report(R.once, "one event of a request that is alive");
    return;
  }
  const dio = ctx.completion ?? ctx.reporting;
  if (dio !== null && dio.iocb === iocb) r.dio = dio;
  if (iocb.ring > 0) {
    r.report(R.once, "one event of a request", iocb.ring);
    return;
  }
  iocb.ring = r.no;
  if (iocb.reported === 0) {
    r.lack(
      R.once,
      CODE.aio_complete_rw,
      "aio_complete_rw before it",
      iocb.line,
    );
    iocb.reported = r.no;
    iocb.res = args.get(KEY.res);
  } else if (args.get(KEY.res) !== iocb.res) {
    r.report(
      R.precedence,
      `${iocb.res}, it is ${args.get(KEY.res)}`,
      iocb.reported,
    );
  }
  if (r.isWhole && r.ring.length < MAX_RING) r.ring.push(iocb);
}

/** What user space has written into `trace_marker`. */
export function onMark(r: Recording): void {
  const { bytes, argsAt, argsEnd } = r.line;
  const text = decoder.decode(
    bytes.subarray(argsAt, Math.min(argsEnd, argsAt + 256)),
  );
  readMark(r, text.replace(/^tracing_mark_write: /, ""));
}

function readMark(r: Recording, text: string): void {
  const [word = "", ...rest] = text.split(" ");
  if (word === "BEGIN" && /^[\w-]+\/[\w-]+$/.test(rest[0] ?? "")) {
    if (!r.isWhole) noteKit(r);
    r.isWhole = true;
    r.queues.clear();
  }
  if (!r.isWhole) return;
  if (/^(?:BEGIN|STEP|IO_SUBMIT|EVENT|RETURN|FTRUNCATE|END)$/.test(word)) {
    leaveCalls(r);
    const { ctx } = r;
    ctx.iocb = null;
    ctx.submission = null;
    settleBio(r, ctx);
  }
  if (word === "STEP") onStep(r, text);
  else if (word === "IO_SUBMIT") onSubmitted(r, text);
  else if (word === "EVENT") onUserEvent(r, text);
  else if (word === "RETURN") onUserReturn(r, text);
  else if (word === "END") onEnd(r);
}

function numberIn(text: string, name: string): number {
  const match = new RegExp(`\\b${name}=(-?\\d+)`).exec(text);
  return match === null ? NaN : Number(match[1]);
}

function onStep(r: Recording, text: string): void {
  const { ctx } = r;
  ctx.batch = [];
  ctx.batchSync = null;
  ctx.told = 0;
  ctx.emptied = 0;
  ctx.plan = {
    isWrite: / pwrite /.test(text),
    offset: numberIn(text, "off"),
    bytes: numberIn(text, "len"),
  };
}

function onSubmitted(r: Recording, text: string): void {
  const { batch } = r.ctx;
  const told = numberIn(text, "ret");
  r.exercise(R.userSpace);
  if (told !== batch.length && told >= 0) {
    r.report(R.userSpace, `${batch.length} requests, as were submitted`);
  }
}

function onUserEvent(r: Recording, text: string): void {
  const { batch } = r.ctx;
  const iocb = r.iocb = batch[numberIn(text, "iocb")] ?? null;
  const res = numberIn(text, "res");
  r.exercise(R.ring);
  r.exercise(R.userSpace);
  if (iocb === null) {
    r.report(R.ring, "an event of a request that was submitted");
    return;
  }
  iocb.told = res;
  iocb.order = r.ctx.told++;
  const next = r.ring.shift();
  if (iocb.ring === 0) {
    r.lack(
      R.ring,
      CODE.aio_complete,
      "its event on the ring before it",
      iocb.line,
    );
  } else if (next !== iocb) {
    r.report(
      R.ring,
      "the event that is next on the ring",
      iocb.ring,
      next?.ring ?? 0,
    );
  }
  if (res !== iocb.res && !Number.isNaN(iocb.res)) {
    r.report(R.userSpace, `${iocb.res}, it is ${res}`, iocb.reported);
  }
  r.iocbs.delete(iocb.addr);
}

function onUserReturn(r: Recording, text: string): void {
  const { ctx } = r;
  const iocb = r.iocb = ctx.batchSync;
  const value = Number(text.split(" ")[1]);
  const errno = text.split("errno=")[1] ?? "";
  // A system call gives -1 and an errno, and nothing else below 0.
  const result = value === -1 ? ERRNOS[errno] ?? NaN : value;
  r.exercise(R.userSpace);
  r.history?.sync.push(result);
  if (value < -1) r.report(R.userSpace, "-1 and an errno");
  if (iocb === null) return;
  const { dio } = iocb;
  if (dio?.path === PATH.blkdev && dio.bios > 0) {
    iocb.returned = dio.bioError || dio.submittedBytes;
    iocb.returnedLine = dio.lastBio;
  }
  if (!agrees(iocb, result)) {
    r.report(
      R.userSpace,
      `${iocb.returned}, it is ${result}`,
      iocb.returnedLine,
    );
  }
}

/** The recording ends: what it tells of has come to its end. */
function onEnd(r: Recording): void {
  r.ended = r.no;
  r.settle();
  r.exercise(R.neverNeither);
  for (const iocb of r.iocbs.values()) {
    if (iocb.ring > 0 || iocb.isSync) continue;
    r.lack(R.neverNeither, CODE.aio_complete, "an event before it", iocb.line);
  }
  for (const { ring } of r.ring) {
    r.lack(R.ring, CODE.tracing_mark_write, "its event in user space", ring);
  }
  r.exercise(R.zeroAtEnd);
  for (const { value, line } of r.counts.values()) {
    if (value === 0) continue;
    r.lack(R.zeroAtEnd, CODE.dio_inode_dio_end, "i_dio_count to be 0", line);
  }
  for (const dio of r.dios.values()) {
    if (!dio.isWhole) continue;
    r.lack(
      R.freedOnce,
      dio.path === PATH.iomap ? CODE.iomap_dio_free : CODE.dio_free,
      "a free of the request before it",
      dio.line,
    );
  }
  for (const bio of r.bios.values()) {
    if (bio.ended > 0 || !bio.dio.isWhole) continue;
    r.lack(R.bioOnce, CODE.bio_endio, "the end of the bio before it", bio.line);
  }
  for (const work of r.works.values()) {
    if (work.dio?.isWhole) r.report(R.workRuns, "it to run", work.line);
  }
}

/**
 * What is counted: the references of a request, and i_dio_count.
 *
 * @module
 */

import { KEY } from "./args.ts";
import { type Dio, PATH, Shared } from "./objects.ts";
import { CODE } from "./probes.ts";
import type { Recording } from "./recording.ts";
import { R } from "./rules.ts";

/** i_dio_count goes up for a request. */
export function onBegin(r: Recording, path: number): void {
  const { args, ctx } = r;
  const inode = args.get(KEY.inode);
  const dio = r.dio = ctx.submission?.path === path ? ctx.submission : null;
  count(r, inode, 1);
  if (dio === null) {
    if (r.isWhole) r.report(R.whole, "a submission that it belongs to");
    return;
  }
  r.iocb = dio.iocb;
  r.exercise(R.perRequest);
  if (dio.begun > 0) {
    r.report(R.perRequest, "one raise for a request", dio.begun);
  }
  if (dio.bios > 0) {
    r.report(R.submission, "i_dio_count raised before it", dio.lastBio);
  }
  if (dio.ino > 0 && inode > 0 && dio.ino !== inode) {
    r.report(R.perRequest, "the inode of the request", dio.line);
  }
  dio.ino = inode;
  dio.begun = r.no;
  bindDio(r, dio, args.get(KEY.dio));
}

/** Learns the address of a dio. */
export function bindDio(r: Recording, dio: Dio, addr: number): void {
  if (Number.isNaN(addr)) return;
  if (!Number.isNaN(dio.addr)) {
    if (dio.addr !== addr) {
      r.report(R.whole, "the dio of the submission that runs", dio.line);
    }
    return;
  }
  const before = r.dios.get(addr);
  if (before !== undefined && before !== dio && before.isWhole) {
    r.lack(
      R.freedOnce,
      dio.path === PATH.iomap ? CODE.iomap_dio_free : CODE.dio_free,
      "a free of the request that had the same address",
      before.line,
    );
  }
  dio.addr = addr;
  r.freed.delete(addr);
  r.keep(r.dios, addr, dio);
}

/** What i_dio_count comes to; tells whether the line agrees. */
export function count(r: Recording, inode: number, by: number): void {
  const { args, counts } = r;
  if (Number.isNaN(inode)) return;
  const before = args.get(KEY.i_dio_count_before);
  if (Number.isNaN(before)) return;
  let known = counts.get(inode);
  if (known === undefined) {
    known = new Shared(r.isWhole ? 0 : before);
    r.keep(counts, inode, known);
  }
  r.exercise(R.zeroAtEnd);
  if (before + by < 0 || !r.isTold(known, before)) {
    if (!r.inventory.isLossy) {
      r.report(
        R.zeroAtEnd,
        `i_dio_count to be ${Math.max(known.value, 0)}, it is ${before}`,
        known.line,
      );
    }
    known.value = before;
  }
  r.change(known, by);
}

/** The dio of a line in the submission that runs. */
export function submissionAt(r: Recording): Dio | null {
  const addr = r.args.get(KEY.dio);
  const dio = r.ctx.submission;
  if (dio === null) {
    if (r.isWhole) r.report(R.whole, "a submission that it belongs to");
    return r.dios.get(addr) ?? null;
  }
  bindDio(r, dio, addr);
  r.iocb = dio.iocb;
  return dio;
}

/** A reference for a bio is taken. */
export function onGet(r: Recording): void {
  const dio = r.dio = submissionAt(r);
  if (dio === null) return;
  if (!Number.isNaN(r.ctx.dirtied)) {
    r.report(R.dirtied, "the reference taken before", r.ctx.dirtiedLine);
  }
  checkRefs(r, dio, r.args.get(KEY.refcount_before));
}

/**
 * Compares the references that a line tells of with those that are held. One
 * more may be held: that of a bio whose submission is the next line.
 *
 * @param r The recording.
 * @param dio The request.
 * @param told The references before what the line does; NaN when it is silent.
 */
export function checkRefs(r: Recording, dio: Dio, told: number): void {
  if (Number.isNaN(told) || !dio.isWhole) return;
  r.exercise(R.lastReference);
  const { refs } = dio;
  if (r.isTold(refs, told)) return;
  if (dio.dropped === 0 && told === refs.value + 1) {
    dio.expectsBio ||= r.no;
    return;
  }
  const drop = dio.path === PATH.iomap
    ? CODE.iomap_dio_rw_ref_drop
    : CODE.dio_end_aio_ref_drop;
  r.lack(
    R.lastReference,
    [CODE.submit_bio, drop],
    `${refs.value} references of dio ${dio.id}, not ${told}`,
    refs.line || dio.line,
  );
}

/**
 * A reference is dropped.
 *
 * @param r The recording.
 * @param dio The request.
 * @param told The references before; NaN when the line does not tell.
 * @returns The references that are left.
 */
export function dropRef(r: Recording, dio: Dio, told: number): number {
  checkRefs(r, dio, told);
  const { refs } = dio;
  const isCounted = dio.isWhole && r.isTold(refs, told);
  r.change(refs, -1);
  return isCounted || Number.isNaN(told) ? refs.value : told - 1;
}

/**
 * Between the reference for a bio and its submission its submitter does
 * nothing else.
 *
 * @param r The recording.
 * @param dio The request.
 * @param code The probe that fires in the submitter.
 */
export function checkExpected(r: Recording, dio: Dio, code: number): void {
  const isOnTheWay = code === CODE.submit_bio ||
    code === CODE.bio_set_pages_dirty || code === CODE.iomap_dio_submit_bio;
  if (isOnTheWay || dio.path === PATH.blkdev) return;
  if (!r.inventory.tellsContext) return;
  r.lack(
    R.lastReference,
    CODE.submit_bio,
    "a bio for the reference that was taken",
    dio.expectsBio,
  );
  dio.expectsBio = 0;
}

/** The filesystem is asked where a part of the file lies. */
export function onMapping(r: Recording): void {
  const dio = r.ctx.submission;
  if (dio === null || r.ctx.completion !== null) return;
  r.dio = dio;
  if (dio.mapped === 0 && dio.bios > 0 && dio.isWhole) {
    r.report(R.bytes, "it before the first bio", dio.lastBio);
  }
  dio.mapped = r.no;
  if (dio.begun === 0) checkBegun(r, dio);
}

/** i_dio_count has been raised for a request. */
export function checkBegun(r: Recording, dio: Dio): void {
  r.lack(
    R.submission,
    dio.path === PATH.iomap
      ? CODE.iomap_inode_dio_begin
      : CODE.dio_inode_dio_begin,
    "i_dio_count raised before it",
    dio.line,
  );
}

/** The dio that a line tells of is that of its bio. */
export function checkAddress(r: Recording, dio: Dio): void {
  const addr = r.args.get(KEY.dio);
  if (Number.isNaN(addr) || Number.isNaN(dio.addr) || addr === dio.addr) return;
  r.report(R.whole, "the dio that the bio was submitted for", dio.line);
}

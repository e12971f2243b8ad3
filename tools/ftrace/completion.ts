/**
 * The completion of a request, `dio_complete` and `iomap_dio_complete`: who
 * begins it, with what, and where it ends.
 *
 * @module
 */

import { KEY } from "./args.ts";
import { settleReturn } from "./end_io.ts";
import { Dio, Iocb, PATH } from "./objects.ts";
import { CODE } from "./probes.ts";
import type { Recording } from "./recording.ts";
import { R } from "./rules.ts";
import {
  advance,
  checkDone,
  checkValue,
  checkWoken,
  running,
  STEP,
} from "./steps.ts";
import { bindDio } from "./references.ts";
import { QUEUED, returned } from "./submission.ts";

// fs/direct-io.c and fs/iomap/direct-io.c of 6.1
/** The completion reports by itself. */
export const DIO_COMPLETE_ASYNC = 1;

/** The completion may sleep, and invalidates. */
export const DIO_COMPLETE_INVALIDATE = 2;

const EFAULT = 14;

/** `dio_complete` or `iomap_dio_complete` is entered. */
export function onComplete(r: Recording, path: number): void {
  const { args, ctx } = r;
  leaveCompletion(r);
  const dio = dioOfCompletion(r, path);
  r.dio = ctx.completion = dio;
  r.iocb = dio.iocb;
  readComplete(r, dio);
  ctx.completion = dio;
  if (!dio.isWhole) {
    dio.complete ||= r.no;
    return;
  }
  r.exercise(R.completeOnce);
  if (dio.complete > 0) {
    r.report(R.completeOnce, "one completion of a request", dio.complete);
  }
  dio.complete = r.no;
  dio.step = STEP.complete;
  dio.stepLine = r.no;
  checkEnded(r, dio);
  checkWho(r, dio);
  const kiocb = args.get(KEY.iocb);
  if (!Number.isNaN(kiocb) && !Number.isNaN(dio.kiocb) && kiocb !== dio.kiocb) {
    r.report(R.whole, "the iocb of the submission", dio.line);
  }
}

function dioOfCompletion(r: Recording, path: number): Dio {
  const { args, ctx } = r;
  const addr = args.get(KEY.dio);
  const known = r.dios.get(addr) ?? ctx.work?.dio ?? null;
  if (known !== null && known.path === path) {
    if (Number.isNaN(known.addr)) bindDio(r, known, addr);
    else if (!Number.isNaN(addr) && known.addr !== addr && known.isWhole) {
      r.report(R.whole, "the dio that was queued", ctx.work?.line ?? 0);
    }
    return known;
  }
  const { submission } = ctx;
  if (submission?.path === path && Number.isNaN(submission.addr)) {
    submission.addr = addr;
    if (!Number.isNaN(addr)) r.keep(r.dios, addr, submission);
    return submission;
  }
  if (Number.isNaN(addr) && ctx.bio?.dio.path === path) return ctx.bio.dio;
  const freed = r.freed.get(addr);
  if (freed !== undefined) {
    r.report(R.useAfterFree, "it before the free of the request", freed);
  } else if (r.isWhole && !Number.isNaN(addr)) {
    r.report(R.whole, "a submission of the request");
  }
  const iocb = new Iocb(++r.newestIocb, r.no, false);
  const dio = new Dio(++r.newestDio, path, r.no, iocb, false);
  dio.addr = addr;
  return dio;
}

function readComplete(r: Recording, dio: Dio): void {
  const { args } = r;
  const iSize = args.get(KEY.i_size);
  if (!Number.isNaN(iSize)) dio.iSize = iSize;
  const inode = args.get(KEY.inode);
  if (Number.isNaN(dio.ino)) dio.ino = inode;
  if (dio.path === PATH.iomap) return readIomapComplete(r, dio);
  const ret = args.get(KEY.ret);
  dio.flags = args.get(KEY.flags);
  dio.size = args.get(KEY.result);
  dio.error = ret === QUEUED ? 0 : ret;
  if (Number.isNaN(dio.endIo)) dio.endIo = args.get(KEY.end_io);
  const room = dio.iSize - dio.offset;
  dio.transferred = dio.isWrite ? dio.size : Math.min(dio.size, room);
  if (dio.size === 0) dio.transferred = 0;
  const faulted = dio.error === -EFAULT && dio.transferred > 0;
  dio.value = (faulted ? 0 : dio.error) || args.get(KEY.page_errors) ||
    args.get(KEY.io_error) || dio.transferred;
}

function readIomapComplete(r: Recording, dio: Dio): void {
  const { args } = r;
  dio.flags = args.get(KEY.dio_flags);
  dio.size = args.get(KEY.size);
  dio.error = args.get(KEY.error);
  dio.transferred = args.get(KEY.done_before) || 0;
  dio.value = dio.error;
}

/** No bio of it is in flight, and its errors have arrived. */
function checkEnded(r: Recording, dio: Dio): void {
  const { args } = r;
  const isThinned = r.inventory.isThinned(CODE.bio_endio) ||
    r.inventory.isThinned(CODE.submit_bio);
  r.exercise(R.allEnded);
  if (dio.inFlight > 0 && !isThinned) {
    const handler = dio.path === PATH.iomap
      ? CODE.iomap_dio_bio_end_io
      : CODE.bio_endio;
    r.lack(
      R.allEnded,
      handler,
      `bio_endio of ${dio.inFlight} more of the ${dio.bios} bios first`,
      dio.line,
      dio.lastBio,
    );
  }
  if (dio.bioError !== 0) {
    r.exercise(R.everyBio);
    const told = dio.path === PATH.iomap
      ? args.get(KEY.error)
      : args.get(KEY.io_error) || args.get(KEY.page_errors) || dio.error;
    const isTold = dio.path === PATH.iomap || args.has(KEY.io_error);
    if (told === 0 && isTold) {
      r.report(
        R.everyBio,
        `the error ${dio.bioError} of a bio`,
        dio.bioErrorLine,
      );
    }
  }
  r.exercise(R.precedence);
  if (
    dio.path === PATH.dio && args.get(KEY.io_error) < 0 &&
    dio.bioError === 0 && r.inventory.tellsStatus
  ) {
    r.lack(R.precedence, CODE.bio_endio, "no error where no bio has failed");
  }
  if (dio.size > dio.bytes && dio.bytes > 0) {
    r.report(
      R.bytes,
      `at most the ${dio.bytes} bytes of the request`,
      dio.line,
    );
  }
  const mapped = dio.submittedBytes;
  if (
    dio.bios > 0 && mapped > 0 && dio.isWrite && mapped < dio.size && !isThinned
  ) {
    r.report(R.bytes, `bios of ${dio.size} bytes, not ${mapped}`, dio.lastBio);
  }
}

/** Who completes it, and whether that is the one who should. */
function checkWho(r: Recording, dio: Dio): void {
  const { ctx } = r;
  const bySubmitter = ctx.submission === dio;
  const inWork = ctx.work !== null && (ctx.work.dio ?? dio) === dio;
  // Else it may be an interrupt of the submitter, or of the work.
  if (!r.inventory.tellsContext) return;
  r.exercise(R.deferral);
  if (dio.path === PATH.dio && !Number.isNaN(dio.flags)) {
    const expected = bySubmitter
      ? DIO_COMPLETE_INVALIDATE
      : inWork
      ? DIO_COMPLETE_ASYNC | DIO_COMPLETE_INVALIDATE
      : DIO_COMPLETE_ASYNC;
    if (dio.flags !== expected) {
      r.report(R.deferral, `flags ${expected} in this place, not ${dio.flags}`);
    }
  }
  if (bySubmitter) return checkSubmitter(r, dio);
  if (inWork) return checkWork(r, dio);
  if (dio.deferred > 0) {
    r.report(R.deferral, "it in the kworker it was queued for", dio.deferred);
  } else if (ctx.bio?.dio !== dio || ctx.bio.handled === 0) {
    r.lack(
      R.whole,
      CODE.submit_bio,
      "the end of a bio, a work or a submission around it",
    );
  } else {
    checkInline(r, dio);
  }
}

function checkWork(r: Recording, dio: Dio): void {
  const { work } = r.ctx;
  if (work === null || work.entered > 0) return;
  const fn = dio.path === PATH.dio
    ? "dio_aio_complete_work"
    : "iomap_dio_complete_work";
  r.lack(R.workRuns, CODE[fn], `${fn} before it`, work.started);
}

function checkSubmitter(r: Recording, dio: Dio): void {
  r.exercise(R.lastReference);
  if (dio.begun === 0) {
    r.lack(
      R.submission,
      dio.path === PATH.dio
        ? CODE.dio_inode_dio_begin
        : CODE.iomap_inode_dio_begin,
      "i_dio_count raised before it",
      dio.line,
    );
  }
  if (dio.dropped === 0) {
    r.lack(
      R.lastReference,
      dio.path === PATH.dio
        ? CODE.dio_async_ref_drop
        : CODE.iomap_dio_rw_ref_drop,
      "the submitter's drop before it",
      dio.line,
    );
  }
}

/** A completion in the context that its last bio ended in. */
function checkInline(r: Recording, dio: Dio): void {
  const asked = dio.deferBh || dio.deferDsync;
  const mustDefer = dio.isWrite &&
    (dio.path === PATH.iomap || asked > 0 || dio.dsync || dio.cachedPages > 0);
  if (mustDefer && (dio.size > 0 || dio.path === PATH.iomap)) {
    r.report(
      R.deferral,
      "it in a kworker, where it may sleep",
      asked || dio.line,
    );
  }
  if (dio.lastDrop === 0 && dio.path === PATH.dio) {
    r.lack(
      R.lastReference,
      CODE.dio_end_aio_ref_drop,
      "the drop of the last reference before it",
      dio.refs.line,
    );
  }
}

/** `dio_complete` or `iomap_dio_complete` returns. */
export function onCompleteReturn(r: Recording, path: number): void {
  const { ctx } = r;
  const dio = running(r, path);
  if (dio === null) return;
  advance(r, dio, STEP.left);
  dio.completed = r.no;
  settleReturn(r, dio);
  checkValue(r, dio, r.args.get(KEY.ret));
  checkDone(r, dio, R.perRequest);
  checkWoken(r, dio);
  if (dio.isWhole && dio.freed === 0) {
    r.lack(
      R.freedOnce,
      path === PATH.iomap ? CODE.iomap_dio_free : CODE.dio_free,
      "the free of the request before it",
      dio.complete,
    );
  }
  forget(r, dio);
  ctx.completion = null;
  if (path === PATH.dio) return;
  if (ctx.submission === dio) {
    returned(r, dio, dio.value);
    ctx.submission = null;
  } else ctx.reporting = dio;
}

/** Where no free is told of, the address is soon another's. */
function forget(r: Recording, dio: Dio): void {
  const code = dio.path === PATH.iomap ? CODE.iomap_dio_free : CODE.dio_free;
  if (r.inventory.isCertain(code)) return;
  if (r.dios.get(dio.addr) === dio) r.dios.delete(dio.addr);
}

/** Whatever completion ran in this context is over. */
export function leaveCompletion(r: Recording): void {
  const { ctx } = r;
  const dio = ctx.completion;
  ctx.completion = null;
  if (dio === null || !dio.isWhole || dio.completed > 0) return;
  const code = dio.path === PATH.iomap
    ? CODE.iomap_dio_complete_ret
    : CODE.dio_complete_ret;
  r.lack(
    R.nesting,
    code,
    "the return of the completion before it",
    dio.complete,
  );
  if (!r.inventory.isCertain(code)) {
    dio.completed = r.no;
    forget(r, dio);
    if (dio.path === PATH.iomap && ctx.submission !== dio) ctx.reporting = dio;
  }
}

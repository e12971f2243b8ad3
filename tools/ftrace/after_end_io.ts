/**
 * What a completion does after end_io: invalidation, the count, the
 * write-sync, the report, the free.
 *
 * @module
 */

import { KEY } from "./args.ts";
import { DIO_COMPLETE_ASYNC, DIO_COMPLETE_INVALIDATE } from "./completion.ts";
import { checkEndIoDone, settleReturn, settleValue } from "./end_io.ts";
import { type Dio, PATH } from "./objects.ts";
import { CODE } from "./probes.ts";
import type { Recording } from "./recording.ts";
import { count } from "./references.ts";
import { R } from "./rules.ts";
import {
  advance,
  checkDone,
  checkValue,
  checkWoken,
  isReported,
  miss,
  running,
  STEP,
} from "./steps.ts";

const IOMAP_DIO_NEED_SYNC = 1 << 29;

/** `__I_DIO_WAKEUP` */
const DIO_WAKEUP_BIT = 9;

/** Cached pages are invalidated after a write. */
export function onInvalidate(r: Recording): void {
  const { args, ctx } = r;
  const dio = ctx.completion;
  if (dio === null || dio.done > 0 && !dio.isWhole) return;
  r.dio = dio;
  if (dio.freed > 0 || dio.completed > 0) return;
  const caller = r.names.text(args.get(KEY.caller) || 0);
  if (caller !== "" && !caller.endsWith("dio_complete")) return;
  if (!advance(r, dio, STEP.invalidate)) return;
  dio.invalidated = r.no;
  r.exercise(R.invalidate);
  checkEndIoDone(r, dio, R.invalidate);
  const expected = dio.path === PATH.iomap ? dio.size : dio.value;
  const told = args.get(KEY.count);
  if (dio.isWhole && !Number.isNaN(told) && told !== expected) {
    r.report(R.invalidate, `${expected} bytes, not ${told}`, dio.complete);
  }
}

/** i_dio_count drops. */
export function onCountDrop(r: Recording, path: number): void {
  const { args } = r;
  const inode = args.get(KEY.inode);
  count(r, inode, -1);
  const dio = running(r, path);
  if (dio === null) return;
  r.exercise(R.endIoBeforeDone);
  r.exercise(R.perRequest);
  checkEndIoDone(r, dio, R.endIoBeforeDone);
  if (!advance(r, dio, STEP.countDrop)) return;
  settleValue(r, dio);
  checkInvalidated(r, dio);
  if (dio.isWhole && dio.begun === 0) {
    r.lack(
      R.perRequest,
      path === PATH.dio ? CODE.dio_inode_dio_begin : CODE.iomap_inode_dio_begin,
      "a raise before it",
      dio.line,
    );
  }
  if (dio.isWhole && dio.ino > 0 && dio.ino !== inode) {
    r.report(R.perRequest, "the inode that was counted", dio.begun);
  }
  dio.done = r.no;
  dio.wasLast = args.get(KEY.i_dio_count_before) === 1;
}

function checkInvalidated(r: Recording, dio: Dio): void {
  if (!dio.isWhole || dio.invalidated > 0 || !dio.isWrite) return;
  const should = dio.path === PATH.iomap
    ? dio.error === 0 && dio.size > 0
    : (dio.flags & DIO_COMPLETE_INVALIDATE) !== 0 && dio.value > 0;
  if (!should) return;
  r.lack(
    R.invalidate,
    CODE.kiocb_invalidate_post_direct_write,
    "cached pages invalidated before it",
    dio.complete,
  );
}

/** Those that wait for i_dio_count are woken. */
export function onWakeBit(r: Recording): void {
  const { args, ctx } = r;
  const dio = ctx.completion;
  if (args.get(KEY.bit) !== DIO_WAKEUP_BIT || dio === null) return;
  r.dio = dio;
  if (!advance(r, dio, STEP.wake)) return;
  r.exercise(R.wakeWaiter);
  dio.wokenCount = r.no;
  if (dio.isWhole && dio.done === 0) {
    r.lack(
      R.wakeWaiter,
      dio.path === PATH.dio ? CODE.dio_inode_dio_end : CODE.iomap_inode_dio_end,
      "i_dio_count dropped before it",
      dio.complete,
    );
  } else if (dio.isWhole && !dio.wasLast) {
    r.report(R.wakeWaiter, "nobody woken as long as it is counted", dio.done);
  }
}

/** A write is made durable. */
export function onSync(r: Recording): void {
  const dio = r.ctx.completion;
  if (dio === null || dio.freed > 0) return;
  r.dio = dio;
  r.iocb = dio.iocb;
  if (!advance(r, dio, STEP.sync)) return;
  r.exercise(R.syncBetween);
  dio.synced = r.no;
  checkDone(r, dio, R.syncBetween);
  checkWoken(r, dio);
}

/** A write has been made durable, or not. */
export function onSyncReturn(r: Recording): void {
  const dio = r.ctx.completion;
  if (dio === null || dio.freed > 0) return;
  r.dio = dio;
  r.iocb = dio.iocb;
  if (!advance(r, dio, STEP.synced)) return;
  dio.syncReturned = r.no;
  if (dio.synced === 0) {
    r.lack(R.syncBetween, CODE.vfs_fsync_range, "its call before it", dio.done);
  }
  const ret = r.args.get(KEY.ret);
  if (ret !== 0 && !Number.isNaN(ret)) dio.value = ret;
}

/** `dio_complete` is about to report. */
export function onCallBack(r: Recording): void {
  const { args } = r;
  const dio = running(r, PATH.dio);
  if (dio === null || !advance(r, dio, STEP.callBack)) return;
  dio.calledBack = r.no;
  beforeReport(r, dio);
  checkValue(r, dio, args.get(KEY.res));
}

/** All that must have happened before a report. */
function beforeReport(r: Recording, dio: Dio): void {
  r.exercise(R.doneBeforeReport);
  r.exercise(R.endIoBeforeReport);
  checkDone(r, dio, R.doneBeforeReport);
  checkWoken(r, dio);
  if (!dio.isWhole || dio.value <= 0) return;
  const needsSync = dio.path === PATH.iomap
    ? (dio.flags & IOMAP_DIO_NEED_SYNC) !== 0
    : dio.isWrite && dio.dsync;
  if (!needsSync) return;
  r.exercise(R.syncBetween);
  if (dio.synced === 0 && !Number.isNaN(dio.flags)) {
    miss(
      r,
      dio,
      STEP.sync,
      R.syncBetween,
      CODE.vfs_fsync_range,
      "the write made durable before it",
      dio.done,
    );
  } else if (dio.syncReturned === 0) {
    miss(
      r,
      dio,
      STEP.synced,
      R.syncBetween,
      CODE.vfs_fsync_range_ret,
      "vfs_fsync_range returned before it",
      dio.synced,
    );
  }
}

/**
 * The report of a request is part of its completion.
 *
 * @param r The recording.
 * @param dio The request.
 */
export function onReported(r: Recording, dio: Dio): void {
  if (dio.path === PATH.iomap) {
    r.exercise(R.doneBeforeReport);
    if (dio.isWhole && dio.completed === 0) {
      checkDone(r, dio, R.doneBeforeReport);
    }
  } else {
    if (!advance(r, dio, STEP.report)) return;
    if (dio.calledBack === 0) {
      beforeReport(r, dio);
      if (dio.isWhole) {
        r.lack(
          R.nesting,
          CODE.dio_call_ki_complete,
          "its call before it",
          dio.done,
        );
      }
    }
  }
  dio.reported = r.no;
  if (dio.completed === 0) settleReturn(r, dio);
  checkValue(r, dio, r.args.get(KEY.res));
}

/** The dio is freed. */
export function onFree(r: Recording, path: number): void {
  const addr = r.args.get(KEY.dio);
  const dio = running(r, path);
  r.exercise(R.freedOnce);
  r.exercise(R.useAfterFree);
  const freed = r.freed.get(addr);
  if (freed !== undefined && !r.dios.has(addr)) {
    r.report(R.freedOnce, "one free", freed);
    return;
  }
  r.dios.delete(addr);
  r.keep(r.freed, addr, r.no);
  if (dio === null) return;
  if (dio.isWhole && dio.addr !== addr && !Number.isNaN(dio.addr)) {
    r.report(R.freedOnce, "the dio that is completed", dio.complete);
  }
  if (!advance(r, dio, STEP.free)) return;
  dio.freed = r.no;
  beforeEnd(r, dio);
}

/** All that must have happened before a request is gone. */
function beforeEnd(r: Recording, dio: Dio): void {
  r.exercise(R.freeLast);
  checkDone(r, dio, R.freeLast);
  checkWoken(r, dio);
  if (!dio.isWhole) return;
  if (dio.path === PATH.iomap) return beforeReport(r, dio);
  const isAsync = (dio.flags & DIO_COMPLETE_ASYNC) !== 0;
  if (isAsync && !isReported(dio)) {
    miss(
      r,
      dio,
      STEP.report,
      R.freeLast,
      CODE.aio_complete_rw,
      "aio_complete_rw before it",
      dio.complete,
    );
  }
}

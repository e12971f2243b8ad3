/**
 * From the system call to the return of the submission: `io_submit_one`,
 * `__blockdev_direct_IO`, `__iomap_dio_rw`.
 *
 * @module
 */

import { KEY } from "./args.ts";
import { settlePages } from "./bio_pages.ts";
import { Dio, Iocb, PATH } from "./objects.ts";
import { CODE } from "./probes.ts";
import type { Recording } from "./recording.ts";
import { checkBegun, dropRef, submissionAt } from "./references.ts";
import { R } from "./rules.ts";

/** `-EIOCBQUEUED` */
export const QUEUED = -529;

/** The lowest errno; what is below is an address. */
const MIN_ERRNO = -4095;

// linux/fs.h of 6.1
const IOCB_DSYNC = 1 << 1;

const IOCB_WRITE = 1 << 18;

// IOCB_CMD_PWRITE, IOCB_CMD_PWRITEV
const WRITES: ReadonlySet<number> = new Set([1, 8]);

/** `io_submit_one` is entered. */
export function onSubmitOne(r: Recording): void {
  const { args, ctx } = r;
  const iocb = new Iocb(++r.newestIocb, r.no, false);
  iocb.isWrite = WRITES.has(args.get(KEY.op));
  iocb.knowsRw = args.has(KEY.op);
  iocb.offset = args.get(KEY.off) || 0;
  iocb.bytes = args.get(KEY.len) || 0;
  iocb.index = ctx.batch.length;
  if (r.isWhole) ctx.batch.push(iocb);
  r.history?.aio.push(iocb);
  r.noteUnseen(iocb);
  ctx.iocb = r.iocb = iocb;
  ctx.submission = null;
  ctx.emptied = 0;
}

/** `io_submit_one` returns. */
export function onSubmitOneReturn(r: Recording): void {
  const { ctx } = r;
  const { iocb } = ctx;
  ctx.iocb = null;
  ctx.submission = null;
  if (iocb === null) return;
  r.iocb = iocb;
  iocb.submitted = r.no;
  const ret = r.args.get(KEY.ret);
  if (ret < 0) {
    ctx.batch.pop();
    r.history?.aio.pop();
    return;
  }
  const isOpen = iocb.reported === 0 && !iocb.queued;
  // In another's recording it may be one for poll, or to a socket.
  if (!r.isWhole) return;
  r.exercise(R.neverNeither);
  // What no direct I/O was seen of is left to code that is not probed.
  if (isOpen && (iocb.dio !== null || iocb.buffered)) {
    r.lack(
      R.neverNeither,
      CODE.aio_complete_rw,
      "a report of the request before it, or bios that are still to end",
      iocb.line,
      iocb.returnedLine,
    );
  }
}

/** `__blockdev_direct_IO` or `__iomap_dio_rw` is entered. */
export function onDirectIo(r: Recording, path: number): void {
  const { args, ctx } = r;
  const addr = args.get(KEY.iocb);
  const wrapped = wrappedBy(r, path, addr);
  ctx.submission = null;
  neverAfterReport(r, ctx.iocb);
  const complete = args.get(KEY.ki_complete);
  const isSync = Number.isNaN(complete) ? ctx.iocb === null : complete === 0;
  const isAio = isSync || Number.isNaN(complete) ||
    r.names.text(complete) === "aio_complete_rw";
  const iocb = iocbOf(r, isAio ? addr : NaN, isSync);
  iocb.isForeign ||= !isAio && ctx.iocb === null;
  const dio = wrapped ?? new Dio(++r.newestDio, path, r.no, iocb, true);
  ctx.emptied = 0;
  dio.pid = r.line.pid;
  dio.fn = r.probe?.fn ?? 0;
  dio.kiocb = addr;
  const flags = args.get(KEY.ki_flags) || 0;
  dio.isSync = isSync;
  // A synchronous iocb has no IOCB_WRITE; its first bio tells.
  dio.isWrite = isSync || !args.has(KEY.ki_flags)
    ? iocb.isWrite
    : (flags & IOCB_WRITE) !== 0;
  dio.dsync = (flags & IOCB_DSYNC) !== 0;
  dio.ino = args.get(KEY.inode);
  dio.offset = dio.mappedTo = args.get(KEY.pos) || 0;
  dio.bytes = args.get(KEY.count) || 0;
  dio.iSize = args.get(KEY.i_size);
  dio.endIo = args.get(KEY.end_io);
  dio.ops = args.get(KEY.dops);
  if (isSync) {
    dio.isWrite = iocb.isWrite = writes(r);
    iocb.knowsRw = dio.isWrite || ctx.plan !== null;
    iocb.offset = dio.offset;
    iocb.bytes = dio.bytes;
  } else checkRange(r, dio, iocb);
  dio.knowsRw = iocb.knowsRw || !isSync && args.has(KEY.ki_flags);
  ctx.submission = r.dio = dio;
  r.iocb = iocb;
}

/** The request that `iomap_dio_rw` has begun when it calls `__iomap_dio_rw`. */
function wrappedBy({ ctx, probe }: Recording, path: number, iocb: number) {
  const dio = ctx.submission;
  const isWrapped = dio?.path === path && dio.begun === 0 && dio.bios === 0 &&
    dio.fn !== probe?.fn && Object.is(dio.kiocb, iocb);
  return isWrapped ? dio : null;
}

/** Functions that only a write is in. */
const WRITER = /_(?:direct_write|write_iter|dio_write\w*)$/;

/** Whether a system call that waits writes, as its calls tell. */
export function writes(r: Recording): boolean {
  const { ctx, names } = r;
  for (let at = 0; at < ctx.depth; at++) {
    if (WRITER.test(names.text(ctx.calls[at] as number))) return true;
  }
  return ctx.plan?.isWrite ?? false;
}

/** A request that was reported is not submitted any more. */
export function neverAfterReport(r: Recording, iocb: Iocb | null): void {
  if (iocb === null || iocb.reported === 0) return;
  r.report(R.neverBoth, "it before the report of the request", iocb.reported);
}

function checkRange(r: Recording, dio: Dio, iocb: Iocb): void {
  if (iocb.bytes === 0 || dio.bytes === 0) return;
  r.exercise(R.bytes);
  const end = iocb.offset + iocb.bytes;
  if (
    dio.isWrite === iocb.isWrite && dio.offset >= iocb.offset &&
    dio.offset + dio.bytes <= end
  ) return;
  r.report(
    R.bytes,
    `a ${
      iocb.isWrite ? "write" : "read"
    } inside ${iocb.offset}+${iocb.bytes}, as it was submitted`,
    iocb.line,
  );
}

/** The iocb that a direct I/O is of. */
function iocbOf(r: Recording, addr: number, isSync: boolean): Iocb {
  const { ctx } = r;
  if (!isSync && ctx.iocb !== null) {
    if (Number.isNaN(ctx.iocb.addr)) bindIocb(r, ctx.iocb, addr);
    return ctx.iocb;
  }
  if (isSync) {
    // xfs tries twice with the same one.
    const before = ctx.batchSync;
    if (before !== null && before.addr === addr) return before;
    const iocb = new Iocb(++r.newestIocb, r.no, true);
    iocb.addr = addr;
    return ctx.batchSync = iocb;
  }
  const known = r.iocbs.get(addr);
  if (known !== undefined) return known;
  const iocb = new Iocb(++r.newestIocb, r.no, false);
  bindIocb(r, iocb, addr);
  return iocb;
}

/** Learns the address of an iocb. */
export function bindIocb(r: Recording, iocb: Iocb, addr: number): void {
  if (Number.isNaN(addr)) return;
  iocb.addr = addr;
  r.keep(r.iocbs, addr, iocb);
  r.noteSeen(iocb);
}

/** `sb_init_dio_done_wq` makes, or finds, the workqueue. */
export function onInitQueue(r: Recording): void {
  const { ctx, args, names } = r;
  const id = args.get(KEY.s_id);
  if (!(id > 0) || ctx.submission === null) return;
  const name = names.of(`dio/${names.text(id)}`);
  r.dio = ctx.submission;
  ctx.submission.queueName = name;
}

/** A mapping, or O_DSYNC, asks for the completion to be deferred. */
export function onSetDefer(r: Recording, isDsync: boolean): void {
  const dio = r.dio = submissionAt(r);
  if (dio === null) return;
  if (isDsync) dio.deferDsync = r.no;
  else dio.deferBh = r.no;
  if (isDsync && dio.isWhole && !dio.dsync && !Number.isNaN(dio.kiocb)) {
    r.report(R.deferral, "an iocb with IOCB_DSYNC", dio.line);
  }
}

/** Callers that flush, or drop, before they enter the request's function. */
const BEFORE: ReadonlySet<string> = new Set([
  "kiocb_invalidate_pages",
  "generic_file_direct_write",
  "blkdev_write_iter",
]);

/** Cached pages of the range are written out, or dropped, before a request. */
export function onFlush(r: Recording, isDrop: boolean): void {
  const { ctx } = r;
  const dio = ctx.submission;
  const caller = r.args.get(KEY.caller);
  if (!r.isWhole || ctx.completion !== null) return;
  if (dio !== null && dio.fn === caller) {
    r.dio = dio;
    r.exercise(R.flushed);
    if (dio.begun > 0) {
      r.report(R.flushed, "it before i_dio_count is raised", dio.begun);
    }
    if (!isDrop && dio.emptied > 0) {
      r.report(R.flushed, "it before cached pages are dropped", dio.emptied);
    }
    if (isDrop) dio.emptied = r.no;
    return;
  }
  if (!BEFORE.has(r.names.text(caller || 0))) return;
  r.exercise(R.flushed);
  if (dio !== null && dio.bios === 0 && dio.path === PATH.blkdev) {
    r.report(R.flushed, "it before the request is made", dio.line);
  } else if (!isDrop && ctx.emptied > 0) {
    r.report(R.flushed, "it before cached pages are dropped", ctx.emptied);
  }
  if (isDrop) ctx.emptied = r.no;
}

/** The submitter drops its reference. */
export function onSubmitterDrop(r: Recording, waited: boolean): void {
  const { args } = r;
  const dio = r.dio = submissionAt(r);
  if (dio === null) return;
  const isIomap = dio.path === PATH.iomap;
  r.exercise(R.lastReference);
  if (dio.dropped > 0) {
    r.report(R.lastReference, "one drop by the submitter", dio.dropped);
  }
  const told = isIomap
    ? args.get(KEY.ref_before)
    : args.get(KEY.refcount_after) + 1;
  settlePages(r, r.ctx);
  if (dio.begun === 0) checkBegun(r, dio);
  dio.dropped = r.no;
  const left = dropRef(r, dio, told);
  // iomap waits after this, fs/direct-io.c before.
  dio.waitsForIt = waited;
  if (left === 0) dio.lastDrop = r.no;
  if (!isIomap && waited && left !== 0) {
    r.report(R.lastReference, "no reference left after the wait", dio.line);
  }
  if (!isIomap && left !== 0) dio.iocb.queued = true;
}

/** `__blockdev_direct_IO` returns. */
export function onDirectIoReturn(r: Recording): void {
  const { ctx, args } = r;
  const dio = r.dio = ctx.submission;
  if (dio === null || dio.path !== PATH.dio) return;
  const ret = args.get(KEY.ret);
  if (ret === QUEUED) dio.iocb.queued = true;
  returned(r, dio, ret);
  if (dio.begun > 0 && dio.isWhole) {
    r.exercise(R.queuedCode);
    const isLeft = dio.lastDrop === 0 || dio.complete === 0;
    if (dio.dropped === 0) {
      r.lack(
        R.submission,
        CODE.dio_async_ref_drop,
        "the submitter's drop before it",
        dio.begun,
      );
    } else if (dio.lastDrop === dio.dropped && dio.complete === 0) {
      r.lack(
        R.lastReference,
        CODE.dio_complete,
        "dio_complete by the submitter, who dropped the last reference",
        dio.dropped,
      );
    } else if (dio.lastDrop !== dio.dropped && ret !== QUEUED) {
      r.lack(R.queuedCode, CODE.submit_bio, "-EIOCBQUEUED", dio.dropped);
    } else if (!isLeft && dio.lastDrop === dio.dropped) {
      if (ret !== dio.value && !Number.isNaN(ret + dio.value)) {
        r.report(R.queuedCode, `${dio.value}, it is ${ret}`, dio.complete);
      }
    }
  }
  ctx.submission = null;
}

/** `__iomap_dio_rw` returns: a pointer, null, or an errno. */
export function onIomapReturn(r: Recording): void {
  const { ctx, args } = r;
  const dio = r.dio = ctx.submission;
  if (dio === null || dio.path !== PATH.iomap) return;
  const ret = args.get(KEY.ret);
  r.iocb = dio.iocb;
  const isError = ret < 0 && ret >= MIN_ERRNO;
  if (dio.begun > 0 && dio.isWhole) {
    r.exercise(R.queuedCode);
    if (dio.dropped === 0) {
      r.lack(
        R.submission,
        CODE.iomap_dio_rw_ref_drop,
        "the submitter's drop before it",
        dio.begun,
      );
    } else if (dio.waitsForIt || dio.lastDrop === dio.dropped) {
      if (ret === QUEUED) {
        r.report(
          R.queuedCode,
          "the dio, which is to be completed",
          dio.dropped,
        );
      }
    } else if (ret !== QUEUED && dio.woken === 0) {
      r.lack(R.queuedCode, CODE.submit_bio, "-EIOCBQUEUED", dio.dropped);
    }
  }
  if (ret === QUEUED) dio.iocb.queued = true;
  if (isError || ret === 0) returned(r, dio, ret);
  if (isError || ret === 0) ctx.submission = null;
}

/** The direct I/O has returned to the filesystem. */
export function returned(r: Recording, dio: Dio, ret: number): void {
  const { iocb } = dio;
  r.iocb = iocb;
  iocb.returned = ret;
  iocb.returnedLine = r.no;
  r.exercise(R.neverBoth);
  if (ret !== QUEUED && iocb.reported > 0) {
    r.report(
      R.neverBoth,
      "-EIOCBQUEUED from a request that was reported",
      iocb.reported,
    );
  }
}

/** The page cache takes over what a direct write has left. */
export function onBuffered(r: Recording): void {
  const iocb = r.ctx.iocb ?? r.ctx.batchSync;
  if (iocb !== null) iocb.buffered = true;
}

/**
 * Direct I/O of a block device, block/fops.c: what has no struct dio of
 * fs/direct-io.c, no count, and no end_io.
 *
 * @module
 */

import { neverAfterReport } from "./submission.ts";
import { Dio, Iocb, PATH } from "./objects.ts";
import { CODE } from "./probes.ts";
import type { Recording } from "./recording.ts";
import { R } from "./rules.ts";

/** One of the three ways of a block device is entered. */
export function onBlkdev(r: Recording): void {
  const { ctx } = r;
  ctx.submission = null;
  neverAfterReport(r, ctx.iocb);
  const iocb = ctx.iocb ?? new Iocb(++r.newestIocb, r.no, true);
  if (ctx.iocb === null) ctx.batchSync = iocb;
  const dio = new Dio(++r.newestDio, PATH.blkdev, r.no, iocb, true);
  ctx.emptied = 0;
  dio.isSync = iocb.isSync;
  if (dio.isSync && ctx.plan !== null) {
    const { isWrite, offset, bytes } = ctx.plan;
    iocb.isWrite = isWrite;
    iocb.offset = offset || 0;
    iocb.bytes = bytes || 0;
  }
  dio.isWrite = iocb.isWrite;
  dio.knowsRw = iocb.knowsRw || ctx.plan !== null;
  dio.offset = dio.mappedTo = iocb.offset;
  dio.bytes = iocb.bytes;
  // It has no count, no end_io and no return that is probed.
  dio.begun = r.no;
  dio.endIo = 0;
  dio.isSimple = r.probe?.code === CODE.__blkdev_direct_IO_simple;
  iocb.queued = !dio.isSync;
  ctx.submission = r.dio = dio;
  r.iocb = iocb;
}

/** The synchronous write that runs here, once nothing of it is in flight. */
function syncWrite(r: Recording, code: number, what: string): Dio | null {
  const dio = r.ctx.submission;
  if (dio === null || dio.path !== PATH.blkdev || !dio.isSync) return null;
  r.dio = dio;
  if (dio.inFlight > 0) {
    r.report(R.allEnded, "the end of the last bio before it", dio.lastBio);
  }
  if (code > 0 && dio.isSimple && dio.bios > dio.done) {
    r.lack(R.pages, code, what, dio.lastBio);
  }
  return dio;
}

/** Cached pages are invalidated after a synchronous write. */
export function onBlkdevInvalidate(r: Recording): void {
  const dio = syncWrite(r, CODE.__bio_release_pages, "its pages released");
  if (dio === null) return;
  r.exercise(R.invalidate);
  if (dio.invalidated > 0) r.report(R.invalidate, "it once", dio.invalidated);
  dio.invalidated = r.no;
}

/** A synchronous write is made durable. */
export function onBlkdevSync(r: Recording): void {
  const dio = syncWrite(r, 0, "");
  if (dio === null || dio.bios === 0) return;
  r.exercise(R.invalidate);
  if (dio.invalidated === 0) {
    r.lack(
      R.invalidate,
      CODE.kiocb_invalidate_post_direct_write,
      "cached pages invalidated before it",
      dio.lastBio,
    );
  }
}

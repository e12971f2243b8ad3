/**
 * What becomes of the pages of a bio that has ended.
 *
 * @module
 */

import { KEY } from "./args.ts";
import { type Bio, type Context, type Dio, PATH } from "./objects.ts";
import { CODE } from "./probes.ts";
import type { Recording } from "./recording.ts";
import { R } from "./rules.ts";
import { isReported } from "./steps.ts";

/** `dio_bio_complete` is entered: by the handler, or by who waits. */
export function onBioComplete(r: Recording): void {
  const { args, ctx } = r;
  const bio = r.bios.get(args.get(KEY.bio));
  if (bio === undefined) return;
  r.bio = bio;
  const dio = r.dio = bio.dio;
  r.iocb = dio.iocb;
  if (!dio.isWhole) return;
  r.exercise(R.pages);
  if (bio.completed > 0) r.report(R.pages, "it once for a bio", bio.completed);
  bio.completed = r.no;
  settlePages(r, ctx);
  ctx.pages = bio;
  if (bio.handled === 0) {
    r.lack(R.bioOnce, bio.handler, "the end of the bio before it", bio.line);
  }
  const isAsync = args.get(KEY.is_async) === 1;
  if (isAsync && ctx.bio !== bio && ctx.submission !== dio) {
    r.report(R.nesting, "the handler of the bio around it", bio.handled);
  }
  const status = args.get(KEY.status);
  if (status !== bio.status && !Number.isNaN(status)) {
    r.report(R.everyBio, `the status ${bio.status} of the bio`, bio.ended);
  }
  const before = args.get(KEY.io_error);
  r.exercise(R.everyBio);
  if (before !== dio.ioError && !Number.isNaN(before)) {
    r.report(R.everyBio, `io_error ${dio.ioError} before it`, dio.bioErrorLine);
  }
  if (bio.status !== 0) dio.ioError = -5;
}

/** The pages of a bio are checked, or released. */
export function onPages(r: Recording, isCheck: boolean): void {
  const { args } = r;
  const bio = r.bios.get(args.get(KEY.bio));
  if (bio === undefined || !bio.dio.isWhole) return;
  r.bio = bio;
  const dio = r.dio = bio.dio;
  r.exercise(R.pages);
  const last = isCheck ? bio.checked : bio.released;
  if (last > 0) {
    r.report(R.pages, "it once for a bio", last);
    return;
  }
  const isNested = !isCheck && bio.checked > 0;
  if (isCheck) bio.checked = r.no;
  else bio.released = r.no;
  if (isNested) return;
  checkDirtied(r, bio, isCheck);
  if (dio.path === PATH.dio) {
    if (bio.completed === 0) {
      r.lack(
        R.pages,
        CODE.dio_bio_complete,
        "dio_bio_complete before it",
        bio.ended,
      );
    }
    return;
  }
  if (bio.handled === 0) {
    r.lack(R.pages, bio.handler, "the handler of the bio before it", bio.ended);
  } else if (bio.ended === 0) {
    r.lack(R.pages, CODE.bio_endio, "the end of the bio before it", bio.line);
  } else if (isWaitedFor(bio)) dio.done++;
  else afterLast(r, dio, bio);
}

/** A bio on the stack of who waits for it, and then lets go of its pages. */
export function isWaitedFor({ handler }: Bio): boolean {
  return handler === CODE.submit_bio_wait_endio ||
    handler === CODE.blkdev_bio_end_io_simple;
}

function checkDirtied(r: Recording, bio: Bio, isCheck: boolean): void {
  r.exercise(R.dirtied);
  if (isCheck && bio.dirtied === 0) {
    r.lack(
      R.dirtied,
      CODE.bio_set_pages_dirty,
      "its pages dirtied before it was submitted",
      bio.line,
    );
  } else if (!isCheck && bio.dirtied > 0) {
    r.lack(
      R.dirtied,
      CODE.bio_check_pages_dirty,
      "its pages checked, not released",
      bio.dirtied,
    );
  }
}

/** What was to be queued is queued. */
export function checkQueued(r: Recording, dio: Dio): void {
  if (dio.deferred === 0 || dio.work > 0) return;
  const code = CODE.workqueue_queue_work;
  r.lack(R.workRuns, code, "the work queued", dio.deferred);
}

/** iomap and block/fops.c complete before they let go of the last bio. */
function afterLast(r: Recording, dio: Dio, bio: Bio): void {
  if (dio.lastDrop !== bio.handled || bio.handled === 0) return;
  checkQueued(r, dio);
  const isSettled = dio.deferred > 0 || dio.woken > 0 || isReported(dio);
  if (isSettled) return;
  if (dio.path === PATH.iomap) {
    if (dio.waitsForIt) {
      r.lack(
        R.wakeWaiter,
        CODE.iomap_end_io_wake_waiter,
        "the waiter woken before it",
        bio.handled,
      );
    } else if (!dio.knowsRw) return;
    else if (dio.isWrite) {
      r.lack(
        R.deferral,
        CODE.iomap_end_io_QUEUE_WORK,
        "the completion queued before it",
        bio.handled,
      );
    } else {
      r.lack(
        R.pages,
        CODE.aio_complete_rw,
        "the report before it",
        bio.handled,
      );
    }
    return;
  }
  if (!dio.isSync) {
    r.lack(R.pages, CODE.aio_complete_rw, "the report before it", bio.handled);
  }
}

/** The pages of the bio before have been let go of. */
export function settlePages(r: Recording, ctx: Context): void {
  const { pages } = ctx;
  ctx.pages = null;
  if (pages === null || pages.checked > 0 || pages.released > 0) return;
  r.lack(
    R.pages,
    CODE.__bio_release_pages,
    "its pages released",
    pages.completed,
  );
}

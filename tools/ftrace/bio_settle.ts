/**
 * What has to follow the end of a bio: a wake-up, a deferral, a completion.
 *
 * @module
 */

import { KEY } from "./args.ts";
import { checkQueued, isWaitedFor } from "./bio_pages.ts";
import { settleCall } from "./calls.ts";
import { leaveCompletion } from "./completion.ts";
import { type Bio, type Context, type Dio, PATH } from "./objects.ts";
import { CODE } from "./probes.ts";
import type { Recording } from "./recording.ts";
import { checkAddress } from "./references.ts";
import { R } from "./rules.ts";
import { isReported } from "./steps.ts";

/** The task that waits for the request is woken. */
export function onWakeWaiter(r: Recording): void {
  const { bio } = r.ctx;
  if (bio === null) {
    if (r.isWhole) {
      r.lack(R.whole, CODE.submit_bio, "the end of a bio around it");
    }
    return;
  }
  const dio = r.dio = bio.dio;
  r.bio = bio;
  r.exercise(R.wakeWaiter);
  if (dio.woken > 0 && dio.woken !== bio.handled) {
    r.report(R.wakeWaiter, "the waiter woken once", dio.woken);
  }
  dio.woken = r.no;
  if (!dio.isWhole) return;
  if (dio.path === PATH.dio && bio.dropped === 0) {
    r.lack(
      R.wakeWaiter,
      bio.handler === CODE.dio_bio_end_aio
        ? CODE.dio_end_aio_ref_drop
        : CODE.dio_end_io_ref_drop,
      "the drop of a reference before it",
      bio.handled,
    );
  } else if (dio.path === PATH.iomap && dio.lastDrop !== bio.handled) {
    r.report(R.wakeWaiter, "the last reference dropped before it", bio.handled);
  }
}

/** The completion is left to a kworker. */
export function onDefer(r: Recording, path: number): void {
  const { ctx, args } = r;
  const dio = r.dio = ctx.bio?.dio ?? null;
  if (dio === null || dio.path !== path) {
    if (r.isWhole) {
      r.lack(R.whole, CODE.submit_bio, "the end of a bio around it");
    }
    return;
  }
  r.iocb = dio.iocb;
  r.exercise(R.deferral);
  r.exercise(R.queuedOnce);
  if (dio.deferred > 0) r.report(R.queuedOnce, "it once", dio.deferred);
  dio.deferred = r.no;
  checkAddress(r, dio);
  if (!dio.isWhole) return;
  if (dio.lastDrop === 0 || ctx.bio?.handled === 0) {
    r.lack(
      R.lastReference,
      path === PATH.dio ? CODE.dio_end_aio_ref_drop : CODE.iomap_dio_bio_end_io,
      "the drop of the last reference before it",
      dio.refs.line,
    );
  }
  if (dio.complete > 0) {
    r.report(R.queuedOnce, "it before the completion", dio.complete);
  }
  if (path === PATH.iomap) {
    if (dio.knowsRw && !dio.isWrite || dio.waitsForIt) {
      r.report(R.deferral, "only a write that nobody waits for", dio.line);
    }
    return;
  }
  checkReason(r, dio, args.get(KEY.defer_completion), args.get(KEY.nrpages));
}

function checkReason(
  r: Recording,
  dio: Dio,
  told: number,
  cached: number,
): void {
  const asked = dio.deferBh || dio.deferDsync;
  if (told === 1 && asked === 0) {
    r.lack(
      R.deferral,
      CODE.dio_set_defer_dsync,
      "a mapping or O_DSYNC that asked for it",
      dio.line,
    );
  } else if (told === 0 && asked > 0) {
    r.report(R.deferral, "defer_completion 1, as was asked for", asked);
  } else if (told === 0 && !(cached > 0 && (dio.isWrite || !dio.knowsRw))) {
    r.report(R.deferral, "a flag or cached pages of a write", dio.line);
  }
}

/**
 * What has to follow the end of a bio has followed it by now.
 *
 * @param r The recording.
 * @param ctx Where it ended.
 */
export function settleBio(r: Recording, ctx: Context): void {
  const { bio } = ctx;
  ctx.bio = null;
  if (bio === null || !bio.dio.isWhole) return;
  const { dio } = bio;
  if (bio.handled === 0) {
    if (bio.handler > 0) {
      r.lack(R.bioOnce, bio.handler, "its handler after bio_endio", bio.ended);
    }
    return;
  }
  if (dio.path === PATH.dio) {
    settleDrop(r, bio);
  } else if (
    !isWaitedFor(bio) && bio.checked === 0 &&
    bio.released === 0
  ) {
    r.lack(
      R.pages,
      CODE.__bio_release_pages,
      "its pages released",
      bio.handled,
    );
  }
  checkQueued(r, dio);
  const isLast = dio.lastDrop > 0 &&
    (dio.lastDrop === bio.dropped || dio.lastDrop === bio.handled);
  if (!isLast || dio.deferred > 0 || dio.complete > 0 || dio.waitsForIt) return;
  if (dio.path === PATH.blkdev || isReported(dio)) return;
  r.lack(
    R.neverNeither,
    dio.path === PATH.dio ? CODE.dio_complete : CODE.iomap_dio_complete,
    "the request completed, or queued to be",
    dio.lastDrop,
  );
}

function settleDrop(r: Recording, bio: Bio): void {
  if (bio.dropped > 0) return;
  r.lack(
    R.lastReference,
    bio.handler === CODE.dio_bio_end_aio
      ? CODE.dio_end_aio_ref_drop
      : CODE.dio_end_io_ref_drop,
    "the reference of the bio dropped",
    bio.handled,
  );
}

/**
 * An interrupt is over: nothing of it is open.
 *
 * @param r The recording.
 * @param ctx The interrupts of one kind on one processor.
 */
export function leaveInterrupt(r: Recording, ctx: Context): void {
  const here = r.ctx;
  r.ctx = ctx;
  leaveCompletion(r);
  settleBio(r, ctx);
  settleCall(r, 0);
  r.ctx = here;
}

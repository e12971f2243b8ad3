/**
 * The end of a bio: `bio_endio` and the handler that it calls.
 *
 * @module
 */

import { KEY } from "./args.ts";
import { settleBio } from "./bio_settle.ts";
import { type Bio, type Dio, PATH } from "./objects.ts";
import { CODE } from "./probes.ts";
import type { Recording } from "./recording.ts";
import { checkAddress, checkRefs, dropRef } from "./references.ts";
import { R } from "./rules.ts";

/** `blk_status_to_errno`; others are -EIO. */
export const ERRNOS: readonly number[] = [
  0,
  -95,
  -110,
  -28,
  -67,
  -121,
  -52,
  -61,
  -84,
  -12,
  -5,
  -11,
  -11,
  -16,
];

/** The errno of a block layer status. */
export function errnoOf(status: number): number {
  return ERRNOS[status] ?? -5;
}

/** `bio_endio` is entered. */
export function onBioEnd(r: Recording): void {
  const { args } = r;
  const bio = bioThatEnds(r);
  r.ctx.chained = 0;
  if (bio === undefined) {
    checkUnknown(r);
    return;
  }
  settleBio(r, r.ctx);
  r.bio = bio;
  r.dio = bio.dio;
  // A part of one that was split has ended, or may have: its handler tells.
  const remaining = args.get(KEY.remaining);
  if (remaining !== 1) {
    if (Number.isNaN(remaining)) bio.announced = r.no;
    return;
  }
  r.exercise(R.bioOnce);
  if (bio.ended > 0) {
    r.report(R.bioOnce, "one end of a bio", bio.ended);
    return;
  }
  bio.ended = r.no;
  bio.status = args.get(KEY.status) || 0;
  r.inventory.tellsStatus ||= args.has(KEY.status);
  const { dio } = bio;
  if (bio.isSure) dio.inFlight--;
  r.ctx.bio = bio;
  if (bio.status !== 0 && dio.bioError === 0) {
    dio.bioError = errnoOf(bio.status);
    dio.bioErrorLine = r.no;
  }
}

/** The bio at the address, when it is still the one that was submitted. */
function bioThatEnds(r: Recording): Bio | undefined {
  const addr = r.args.get(KEY.bio);
  const bio = r.bios.get(addr);
  if (bio === undefined || bio.ended === 0) return bio;
  const handler = r.names.text(r.args.get(KEY.end_io) || 0);
  if ((CODE[handler as keyof typeof CODE] ?? 0) === bio.handler) return bio;
  r.bios.delete(addr);
  return undefined;
}

/** A bio ends that is of nobody, as far as the recording tells. */
function checkUnknown(r: Recording): void {
  const handler = r.names.text(r.args.get(KEY.end_io) || 0);
  // The last part of a bio ends the whole in the same call of bio_endio.
  if (handler === "bio_chain_endio") {
    r.ctx.chained = r.ctx.events;
    r.ctx.chainedBy = r.args.get(KEY.caller);
  }
  if (!r.isWhole || r.inventory.isThinned(CODE.submit_bio)) return;
  const isOurs = handler.startsWith("dio_bio_end") ||
    handler.startsWith("blkdev_bio_end_io") ||
    handler === "iomap_dio_bio_end_io";
  if (isOurs) r.lack(R.bioOnce, CODE.submit_bio, "its submission before it");
}

/** The handler of a bio is entered. */
export function onHandler(r: Recording, path: number): void {
  const { args, ctx } = r;
  const bio = r.bios.get(args.get(KEY.bio));
  if (bio === undefined) {
    // That of a flush is of nobody.
    const isOurs = r.probe?.code !== CODE.submit_bio_wait_endio;
    if (isOurs && r.isWhole && !r.inventory.isThinned(CODE.submit_bio)) {
      r.lack(R.bioOnce, CODE.submit_bio, "the submission of the bio before it");
    }
    ctx.bio = null;
    return;
  }
  if (ctx.bio !== bio) settleBio(r, ctx);
  r.bio = ctx.bio = bio;
  const dio = r.dio = bio.dio;
  r.iocb = dio.iocb;
  r.exercise(R.bioOnce);
  if (bio.handled > 0) {
    r.report(R.bioOnce, "one end of a bio", bio.handled);
    return;
  }
  bio.handled = r.no;
  if (!bio.isSure) beSure(r, bio);
  endHere(r, bio);
  if (bio.submitted === 0 && dio.isWhole && !isSubmittedByFs(r, dio)) {
    r.lack(R.bioOnce, CODE.submit_bio, "its submission before it", bio.line);
  }
  const status = args.get(KEY.status);
  if (status !== bio.status && !Number.isNaN(status)) {
    r.report(R.everyBio, `the status ${bio.status} of the bio`, bio.ended);
  }
  const addr = args.get(KEY.dio);
  checkAddress(r, dio);
  if (Number.isNaN(dio.addr) && path !== PATH.blkdev && !Number.isNaN(addr)) {
    dio.addr = addr;
    r.keep(r.dios, addr, dio);
  }
  readHandler(r, dio, path);
}

/** The handler tells that the bio was one of the request's. */
function beSure(r: Recording, bio: Bio): void {
  const { dio } = bio;
  bio.isSure = true;
  dio.bios++;
  if (bio.ended === 0) dio.inFlight++;
  r.change(dio.refs, 1);
}

/** btrfs hands other bios down than those that iomap has made. */
export function isSubmittedByFs(r: Recording, { ops, path }: Dio): boolean {
  return path === PATH.iomap && r.names.text(ops || 0).startsWith("btrfs_");
}

/** Where bio_endio is not probed the handler tells of the end. */
function endHere(r: Recording, bio: Bio): void {
  if (bio.ended > 0) return;
  const { chained, chainedBy, events } = r.ctx;
  const isChained = chained > 0 && chained + 1 === events &&
    Object.is(r.args.get(KEY.caller), chainedBy);
  if (bio.dio.isWhole && !isChained && bio.announced === 0) {
    r.lack(
      R.bioOnce,
      CODE.bio_endio,
      "bio_endio of the bio before it",
      bio.line,
    );
  }
  r.ctx.chained = 0;
  bio.ended = r.no;
  bio.status = r.args.get(KEY.status) || 0;
  bio.dio.inFlight--;
  if (bio.status !== 0 && bio.dio.bioError === 0) {
    bio.dio.bioError = errnoOf(bio.status);
    bio.dio.bioErrorLine = r.no;
  }
}

function readHandler(r: Recording, dio: Dio, path: number): void {
  const { args } = r;
  if (path === PATH.dio) {
    const cached = args.get(KEY.nrpages);
    if (cached > 0) dio.cachedPages = cached;
    else if (cached === 0) dio.cachedPages = 0;
    checkRefs(r, dio, args.get(KEY.refcount));
    return;
  }
  const told = path === PATH.iomap ? args.get(KEY.ref) : args.get(KEY.dio_ref);
  if (path === PATH.iomap) {
    dropHere(r, dio, told);
    dio.waitsForIt = args.get(KEY.wait_for_completion) === 1;
    // Who interrupts the waiter itself need not wake it.
    const isLast = dio.lastDrop === r.no;
    if (isLast && dio.waitsForIt && r.line.pid === dio.pid) dio.woken = r.no;
    return;
  }
  if (Number.isNaN(told)) {
    const isOnly = r.probe?.code !== CODE.blkdev_bio_end_io;
    if (isOnly) dio.lastDrop = r.no;
    else dio.isSilent = true;
    return;
  }
  checkBlkdevRefs(r, dio, told);
  if (told === 1) dio.lastDrop = r.no;
}

/** block/fops.c counts bios, and the next one before it is made. */
function checkBlkdevRefs(r: Recording, dio: Dio, told: number): void {
  if (!dio.isWhole || r.inventory.isThinned(CODE.submit_bio)) return;
  if (r.inventory.isLossy) return;
  r.exercise(R.lastReference);
  const inFlight = dio.inFlight + 1;
  if (told === 1 && inFlight > 1) {
    r.exercise(R.allEnded);
    r.report(
      R.allEnded,
      `bio_endio of ${inFlight - 1} more bios first`,
      dio.lastBio,
    );
  } else if (told === inFlight + 1) {
    dio.expectsBio ||= r.no;
  } else if (told !== inFlight) {
    r.report(
      R.lastReference,
      `${inFlight} references of dio ${dio.id}, not ${told}`,
      dio.lastBio,
    );
  }
}

function dropHere(r: Recording, dio: Dio, told: number): void {
  if (dropRef(r, dio, told) === 0) dio.lastDrop = r.no;
}

/** A handler drops its reference. */
export function onHandlerDrop(r: Recording): void {
  const { bio } = r.ctx;
  if (bio === null) {
    if (r.isWhole) {
      r.lack(R.whole, CODE.submit_bio, "the end of a bio around it");
    }
    return;
  }
  const dio = r.dio = bio.dio;
  r.bio = bio;
  r.iocb = dio.iocb;
  const isAio = r.probe?.code === CODE.dio_end_aio_ref_drop;
  r.exercise(R.lastReference);
  if (bio.dropped > 0) {
    r.report(R.lastReference, "one drop for a bio", bio.dropped);
    return;
  }
  bio.dropped = r.no;
  checkAddress(r, dio);
  if (dio.isWhole && isAio) {
    const { completed, checked, released } = bio;
    if (completed === 0) {
      r.lack(
        R.pages,
        CODE.dio_bio_complete,
        "dio_bio_complete before it",
        bio.handled,
      );
    } else if (checked === 0 && released === 0) {
      r.lack(
        R.pages,
        CODE.__bio_release_pages,
        "its pages released before it",
        bio.handled,
      );
    }
  }
  dropHere(r, dio, r.args.get(KEY.refcount_after) + 1);
}

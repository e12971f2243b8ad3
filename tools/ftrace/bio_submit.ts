/**
 * How a request is handed to bios.
 *
 * @module
 */

import { KEY } from "./args.ts";
import { Bio, type Dio, PATH } from "./objects.ts";
import { CODE } from "./probes.ts";
import type { Recording } from "./recording.ts";
import { bindDio, checkRefs, submissionAt } from "./references.ts";
import { R } from "./rules.ts";

const IOMAP_DIO_WRITE = 1 << 30;

/** The operation, in `bi_opf`. */
export const REQ_OP_MASK = 0xff;

const REQ_OP_WRITE = 1;

/** The pages of a read are dirtied before it is submitted. */
export function onSetDirty(r: Recording): void {
  const addr = r.args.get(KEY.bio);
  if (r.ctx.handedDown === addr) {
    r.report(R.dirtied, "it before the bio is handed down");
  }
  r.ctx.dirtied = addr;
  r.ctx.dirtiedLine = r.no;
}

/** iomap hands a bio down, to the block layer or to the filesystem. */
export function onIomapBio(r: Recording): void {
  const dio = r.dio = submissionAt(r);
  if (dio === null) return;
  r.iocb = dio.iocb;
  checkRefs(r, dio, r.args.get(KEY.ref));
  const flags = r.args.get(KEY.dio_flags);
  if (dio.isSync && dio.bios === 0 && !Number.isNaN(flags)) {
    dio.isWrite = dio.iocb.isWrite = (flags & IOMAP_DIO_WRITE) !== 0;
    dio.knowsRw = true;
  }
  const pos = r.args.get(KEY.pos);
  // Parts of a block that are zeroed lie around what was asked for.
  r.exercise(R.bytes);
  if (pos < dio.mappedTo && dio.submittedBytes > 0) {
    r.report(R.bytes, `an offset of ${dio.mappedTo} or more`, dio.lastBio);
  }
  dio.mappedTo = pos + (r.args.get(KEY.size) || 0);
  const addr = r.args.get(KEY.bio);
  r.ctx.handedDown = addr;
  makeBio(r, dio, addr).handler = CODE.iomap_dio_bio_end_io;
}

/** A bio is made for a request; what was at its address is gone. */
function makeBio(r: Recording, dio: Dio, addr: number): Bio {
  const { ctx } = r;
  const bio = r.bio = new Bio(++r.newestBio, r.no, dio);
  // Without its handler it may as well be of the filesystem itself.
  const isHandedDown = r.probe?.code === CODE.iomap_dio_submit_bio;
  bio.isSure = isHandedDown || r.args.has(KEY.end_io);
  bio.size = r.args.get(KEY.size) || 0;
  if (ctx.dirtied === addr) bio.dirtied = ctx.dirtiedLine;
  ctx.dirtied = NaN;
  const before = r.bios.get(addr);
  const isLost = before !== undefined && before.isSure &&
    before.ended === 0 && before.announced === 0;
  if (isLost && before.dio.isWhole) {
    r.lack(
      R.bioOnce,
      CODE.bio_endio,
      "the end of the bio that had the same address",
      before.line,
    );
  }
  if (!Number.isNaN(addr)) r.keep(r.bios, addr, bio);
  noteBio(r, dio, bio);
  return bio;
}

/** `submit_bio` is entered. */
export function onSubmitBio(r: Recording): void {
  const { ctx, args } = r;
  const addr = args.get(KEY.bio);
  const dio = ownerOfBio(r);
  if (dio === null) {
    r.bios.delete(addr);
    ctx.dirtied = ctx.handedDown = NaN;
    return;
  }
  r.dio = dio;
  r.iocb = dio.iocb;
  const known = ctx.handedDown === addr ? r.bios.get(addr) : undefined;
  const isTold = !Number.isNaN(addr);
  if (dio.path === PATH.iomap && known === undefined && isTold) {
    r.lack(R.bytes, CODE.iomap_dio_submit_bio, "it handed down by iomap");
  }
  ctx.handedDown = NaN;
  const handler = r.names.text(args.get(KEY.end_io) || 0);
  const bio = known ?? makeBio(r, dio, addr);
  bio.handler = CODE[handler as keyof typeof CODE] ?? 0;
  bio.submitted = r.no;
  r.bio = bio;
  checkOp(r, dio);
}

/** The request that a bio is of, or null. */
function ownerOfBio(r: Recording): Dio | null {
  const { ctx, args } = r;
  const submission = ctx.submission;
  const end = args.get(KEY.end_io);
  if (Number.isNaN(end)) return submission;
  const handler = r.names.text(end);
  if (handler.startsWith("dio_bio_end") || handler === "iomap_dio_bio_end_io") {
    const addr = args.get(KEY.private);
    const known = r.dios.get(addr);
    if (submission === null) {
      if (r.isWhole) r.report(R.whole, "a submission that it belongs to");
      return known ?? null;
    }
    bindDio(r, submission, addr);
    return submission;
  }
  const isBlkdev = handler.startsWith("blkdev_bio_end_io") ||
    handler === "submit_bio_wait_endio";
  if (!isBlkdev || submission?.path !== PATH.blkdev) return null;
  if (handler === "blkdev_bio_end_io") bindBlkdev(r, submission);
  return submission;
}

/** Learns the address of what block/fops.c has for a dio; it is never freed. */
function bindBlkdev(r: Recording, dio: Dio): void {
  const addr = r.args.get(KEY.private);
  if (Number.isNaN(dio.addr)) dio.addr = addr;
  else if (dio.addr !== addr && !Number.isNaN(addr)) {
    r.report(R.whole, "the dio of the submission that runs", dio.line);
  }
}

function noteBio(r: Recording, dio: Dio, bio: Bio): void {
  r.exercise(R.submission);
  if (dio.begun === 0 && dio.isWhole) {
    r.lack(
      R.submission,
      dio.path === PATH.iomap
        ? CODE.iomap_inode_dio_begin
        : CODE.dio_inode_dio_begin,
      "i_dio_count raised before it",
      dio.line,
    );
  }
  if (dio.dropped > 0 && bio.isSure) {
    r.report(R.submission, "no bio after the submitter's drop", dio.dropped);
  }
  if (!bio.isSure) return;
  dio.expectsBio = 0;
  dio.bios++;
  dio.inFlight++;
  r.change(dio.refs, 1);
  dio.lastBio = r.no;
  dio.submittedBytes += bio.size;
}

/** What a bio does is what its request does. */
function checkOp(r: Recording, dio: Dio): void {
  const op = r.args.get(KEY.opf) & REQ_OP_MASK;
  if (!r.args.has(KEY.opf)) return;
  if (!dio.knowsRw || dio.isSync && dio.bios === 1) {
    dio.isWrite = dio.iocb.isWrite = op === REQ_OP_WRITE;
    dio.knowsRw = true;
  }
  r.exercise(R.bytes);
  if ((op === REQ_OP_WRITE) === dio.isWrite) return;
  r.report(R.bytes, `a bio that ${dio.isWrite ? "writes" : "reads"}`, dio.line);
}

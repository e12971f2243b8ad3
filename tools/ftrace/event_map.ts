/**
 * Which event each probe of a recording is, and with what arguments.
 *
 * @module
 */

import { KEY } from "./args.ts";
import { errnoOf, isSubmittedByFs } from "./bio_end.ts";
import { DIO_COMPLETE_ASYNC } from "./completion.ts";
import { type Bio, type Dio, type Iocb, PATH } from "./objects.ts";
import { CODE, DOES, SITE } from "./probes.ts";
import type { Recording } from "./recording.ts";

/** The arguments of an event; those that are undefined or NaN are left out. */
export type Fields = Readonly<Record<string, number | string | undefined>>;

/** What a line is: the event and its arguments, or nothing. */
type Mapping = (r: Recording) => readonly [ev: string, fields: Fields] | null;

function rw(of: Iocb | Dio): string | undefined {
  return of.knowsRw ? (of.isWrite ? "write" : "read") : undefined;
}

function nameOf(r: Recording, id: number): string {
  return r.names.text(id || 0);
}

/** What everything that happens to a dio has. */
function dioFields(dio: Dio): Fields {
  return { dio: dio.id, iocb: dio.iocb.id };
}

function mapSubmit(r: Recording): ReturnType<Mapping> {
  const { iocb } = r;
  if (iocb === null) return null;
  const { id, offset, bytes } = iocb;
  return ["io_submit", { iocb: id, rw: rw(iocb), offset, bytes }];
}

function mapDirectIo(r: Recording): ReturnType<Mapping> {
  const { dio } = r;
  if (dio === null) return null;
  const { iocb, ino, offset, bytes, isSync, dsync } = dio;
  return ["direct_IO", {
    iocb: iocb.id,
    ino,
    rw: rw(dio),
    offset,
    bytes,
    is_sync: isSync ? 1 : 0,
    dsync: dsync ? 1 : 0,
  }];
}

function mapBlkdev(r: Recording): ReturnType<Mapping> {
  const { dio } = r;
  if (dio === null) return null;
  const { iocb, offset, bytes, isSync } = dio;
  return ["blkdev_direct_IO", {
    dio: dio.id,
    iocb: iocb.id,
    rw: rw(dio),
    offset,
    bytes,
    is_sync: isSync ? 1 : 0,
    pages: r.args.get(KEY.nr_pages),
  }];
}

function mapBegin(r: Recording): ReturnType<Mapping> {
  const { dio } = r;
  if (dio === null) return null;
  return ["dio_alloc", {
    dio: dio.id,
    iocb: dio.iocb.id,
    ino: dio.ino,
    rw: rw(dio),
    end_io: nameOf(r, dio.endIo),
    i_size: dio.iSize,
  }];
}

function mapReturn(r: Recording): ReturnType<Mapping> {
  const { dio } = r;
  if (dio === null || dio.iocb.returnedLine !== r.no) return null;
  const { iocb, ino } = dio;
  return ["direct_IO_return", { iocb: iocb.id, ino, ret: iocb.returned }];
}

function mapSubmitBio(r: Recording): ReturnType<Mapping> {
  const { bio, args } = r;
  if (bio === null) return null;
  const opf = args.get(KEY.opf);
  return ["submit_bio", {
    bio: bio.id,
    dio: bio.dio.id,
    rw: rw(bio.dio),
    sector: args.get(KEY.sector),
    size: bio.size,
    opf,
  }];
}

/** What iomap hands to a filesystem that submits others in its place. */
function mapIomapBio(r: Recording): ReturnType<Mapping> {
  const { dio } = r;
  return dio !== null && isSubmittedByFs(r, dio) ? mapSubmitBio(r) : null;
}

function mapBioEnd(r: Recording): ReturnType<Mapping> {
  const { bio } = r;
  if (bio === null || bio.ended !== r.no) return null;
  return ["bio_endio", endOf(bio)];
}

/** The arguments of the end of a bio. */
export function endOf(bio: Bio): Fields {
  return { bio: bio.id, dio: bio.dio.id, error: errnoOf(bio.status) };
}

function mapHandler(ev: string): Mapping {
  return (r) => {
    const { bio } = r;
    if (bio === null) return null;
    return [ev, { dio: bio.dio.id, bio: bio.id }];
  };
}

function mapBlkdevEnd(r: Recording): ReturnType<Mapping> {
  const { bio } = r;
  if (bio === null) return null;
  return ["blkdev_bio_end_io", {
    dio: bio.dio.id,
    bio: bio.id,
    error: errnoOf(bio.status),
  }];
}

function mapComplete(r: Recording): ReturnType<Mapping> {
  const { dio, args } = r;
  if (dio === null) return null;
  return ["dio_complete", {
    ...dioFields(dio),
    offset: dio.offset,
    ret: args.get(KEY.ret),
    result: args.get(KEY.result),
    is_async: args.get(KEY.flags) & DIO_COMPLETE_ASYNC,
    page_errors: args.get(KEY.page_errors),
    io_error: args.get(KEY.io_error),
  }];
}

function mapIomapComplete(r: Recording): ReturnType<Mapping> {
  const { dio } = r;
  if (dio === null) return null;
  const { offset, size, error } = dio;
  return ["iomap_dio_complete", { ...dioFields(dio), offset, size, error }];
}

/** The call of end_io, or its entry when the call is not probed. */
function mapEndIo(r: Recording): ReturnType<Mapping> {
  const { dio } = r;
  if (dio === null || dio.endIoCalled !== r.no) return null;
  return endIoEvent(r, dio);
}

function endIoEvent(r: Recording, dio: Dio): ReturnType<Mapping> {
  const bytes = r.args.get(KEY.bytes);
  const error = r.args.get(KEY.error);
  const size = error < 0 ? error : r.args.get(KEY.size);
  return ["end_io", {
    ...dioFields(dio),
    ino: dio.ino,
    fn: nameOf(r, dio.endIo),
    offset: dio.offset,
    bytes: Number.isNaN(bytes) ? size : bytes,
  }];
}

function mapEndIoReturn(r: Recording): ReturnType<Mapping> {
  const { dio } = r;
  if (dio === null || dio.endIoReturned !== r.no) return null;
  return endIoReturnEvent(r, dio, r.args.get(KEY.err));
}

function endIoReturnEvent(
  r: Recording,
  dio: Dio,
  ret: number,
): ReturnType<Mapping> {
  return ["end_io_return", {
    ...dioFields(dio),
    fn: nameOf(r, dio.endIo),
    ret,
  }];
}

function mapDone(r: Recording): ReturnType<Mapping> {
  const { args, dio } = r;
  return ["inode_dio_done", {
    ino: args.get(KEY.inode),
    dio: dio?.id,
    count: args.get(KEY.i_dio_count_before) - 1,
  }];
}

function mapSync(r: Recording): ReturnType<Mapping> {
  const { dio } = r;
  if (dio === null || dio.syncReturned !== r.no) return null;
  return ["generic_write_sync", {
    iocb: dio.iocb.id,
    ino: dio.ino,
    offset: dio.offset,
    bytes: dio.size,
    ret: r.args.get(KEY.ret),
  }];
}

function mapReport(r: Recording): ReturnType<Mapping> {
  const { iocb } = r;
  if (iocb === null) return null;
  return ["aio_complete", { iocb: iocb.id, res: r.args.get(KEY.res) }];
}

/** The ring takes the event; that is news only if the report is not probed. */
function mapRing(r: Recording): ReturnType<Mapping> {
  return r.iocb?.reported === r.no ? mapReport(r) : null;
}

function mapQueue(r: Recording): ReturnType<Mapping> {
  const { work } = r;
  if (work === null) return null;
  return ["queue_work", {
    wq: work.queue,
    work: work.id,
    fn: nameOf(r, work.fn),
    dio: work.dio?.id,
    ret: 1,
  }];
}

function mapWork(ev: string): Mapping {
  return (r) => {
    const { work } = r;
    if (work === null) return null;
    const { queue, id, dio } = work;
    const fn = nameOf(r, work.fn);
    return [ev, {
      wq: queue > 0 ? queue : undefined,
      work: id,
      fn,
      dio: dio?.id,
    }];
  };
}

function mapInitQueue(r: Recording): ReturnType<Mapping> {
  const name = r.dio?.queueName ?? 0;
  if (name === 0) return null;
  return ["alloc_workqueue", { wq: name, name: nameOf(r, name) }];
}

function mapDefer(r: Recording): ReturnType<Mapping> {
  const { dio } = r;
  return dio === null ? null : ["dio_set_defer_completion", { dio: dio.id }];
}

function mapFree(r: Recording): ReturnType<Mapping> {
  const { dio } = r;
  return dio === null ? null : ["dio_free", { dio: dio.id }];
}

function mapPages(ev: string): Mapping {
  return (r) => r.bio === null ? null : [ev, { bio: r.bio.id }];
}

function mapWait(r: Recording): ReturnType<Mapping> {
  const { args } = r;
  return ["inode_dio_wait", {
    ino: args.get(KEY.inode),
    count: args.get(KEY.i_dio_count),
  }];
}

function mapWaitReturn(r: Recording): ReturnType<Mapping> {
  return ["inode_dio_wait_return", { ino: r.ctx.waitsFor }];
}

function mapMark(r: Recording): ReturnType<Mapping> {
  const { iocb } = r;
  if (iocb === null) return null;
  if (!iocb.isSync) return ["io_getevents", { iocb: iocb.id, res: iocb.told }];
  // block/fops.c has no return that is probed.
  return iocb.dio?.path === PATH.blkdev
    ? ["direct_IO_return", { iocb: iocb.id, ret: iocb.returned }]
    : null;
}

/** Functions of filesystems: where a file lies, and their end_io. */
function mapOther(r: Recording): ReturnType<Mapping> {
  const { probe, dio, ctx, args } = r;
  if (probe === null || probe.site === SITE.point) return null;
  if (probe.does === DOES.map && probe.site === SITE.entry) {
    const { submission } = ctx;
    const block = args.get(KEY.iblock);
    const iblock = Number.isNaN(block) ? args.get(KEY.lblock) : block;
    if (submission?.path !== PATH.dio || Number.isNaN(iblock)) return null;
    const create = args.get(KEY.create);
    return ["get_block", {
      dio: submission.id,
      ino: submission.ino,
      iblock,
      create,
    }];
  }
  if (dio === null || dio.endIoCalled > 0) return null;
  if (dio.endIoEntered === r.no) return endIoEvent(r, dio);
  if (dio.endIoLeft !== r.no) return null;
  return endIoReturnEvent(r, dio, args.get(KEY.ret));
}

const BY_NAME: { readonly [name in keyof typeof CODE]?: Mapping } = {
  io_submit_one: mapSubmit,
  __blockdev_direct_IO: mapDirectIo,
  __blockdev_direct_IO_ret: mapReturn,
  __iomap_dio_rw: mapDirectIo,
  __iomap_dio_rw_ret: mapReturn,
  iomap_dio_complete_ret: mapReturn,
  __blkdev_direct_IO: mapBlkdev,
  __blkdev_direct_IO_async: mapBlkdev,
  __blkdev_direct_IO_simple: mapBlkdev,
  sb_init_dio_done_wq: mapInitQueue,
  dio_inode_dio_begin: mapBegin,
  iomap_inode_dio_begin: mapBegin,
  dio_set_defer_bh: mapDefer,
  dio_set_defer_dsync: mapDefer,
  bio_set_pages_dirty: mapPages("bio_set_pages_dirty"),
  submit_bio: mapSubmitBio,
  iomap_dio_submit_bio: mapIomapBio,
  bio_endio: mapBioEnd,
  dio_bio_end_aio: mapHandler("dio_bio_end_aio"),
  dio_bio_end_io: mapHandler("dio_bio_end_io"),
  iomap_dio_bio_end_io: mapHandler("iomap_dio_bio_end_io"),
  blkdev_bio_end_io: mapBlkdevEnd,
  blkdev_bio_end_io_async: mapBlkdevEnd,
  bio_check_pages_dirty: mapPages("bio_check_pages_dirty"),
  workqueue_queue_work: mapQueue,
  workqueue_execute_start: mapWork("workqueue_execute_start"),
  workqueue_execute_end: mapWork("workqueue_execute_end"),
  dio_complete: mapComplete,
  iomap_dio_complete: mapIomapComplete,
  dio_call_end_io: mapEndIo,
  iomap_call_end_io: mapEndIo,
  dio_end_io_returned: mapEndIoReturn,
  iomap_end_io_returned: mapEndIoReturn,
  dio_inode_dio_end: mapDone,
  iomap_inode_dio_end: mapDone,
  vfs_fsync_range_ret: mapSync,
  aio_complete_rw: mapReport,
  aio_complete: mapRing,
  dio_free: mapFree,
  iomap_dio_free: mapFree,
  inode_dio_wait: mapWait,
  inode_dio_wait_ret: mapWaitReturn,
  tracing_mark_write: mapMark,
};

/** The event of each probe, by its code. */
const MAPPINGS: readonly (Mapping | undefined)[] = (() => {
  const mappings: (Mapping | undefined)[] = [];
  for (const [name, mapping] of Object.entries(BY_NAME)) {
    mappings[CODE[name as keyof typeof CODE]] = mapping;
  }
  return mappings;
})();

/**
 * The event that the line of a recording is.
 *
 * @param r The recording; the line is the one that it has read last.
 * @returns Its name and arguments, or null.
 */
export function mapLine(r: Recording): readonly [string, Fields] | null {
  const code = r.probe?.code ?? 0;
  const mapping = code > 0 ? MAPPINGS[code] : mapOther;
  return mapping?.(r) ?? null;
}

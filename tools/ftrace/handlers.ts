/**
 * Which function reads the lines of which probe.
 *
 * @module
 */

import {
  onCallBack,
  onCountDrop,
  onFree,
  onInvalidate,
  onSync,
  onSyncReturn,
  onWakeBit,
} from "./after_end_io.ts";
import { onBioEnd, onHandler, onHandlerDrop } from "./bio_end.ts";
import { onBioComplete, onPages } from "./bio_pages.ts";
import { onDefer, onWakeWaiter, settleBio } from "./bio_settle.ts";
import { onIomapBio, onSetDirty, onSubmitBio } from "./bio_submit.ts";
import { onComplete, onCompleteReturn } from "./completion.ts";
import { onCallEndIo, onEndIoReturned } from "./end_io.ts";
import { onBegin, onGet } from "./references.ts";
import {
  onBuffered,
  onDirectIo,
  onDirectIoReturn,
  onFlush,
  onInitQueue,
  onIomapReturn,
  onSetDefer,
  onSubmitOne,
  onSubmitOneReturn,
  onSubmitterDrop,
} from "./submission.ts";
import { onBlkdev, onBlkdevInvalidate, onBlkdevSync } from "./blkdev.ts";
import { PATH } from "./objects.ts";
import { CODE } from "./probes.ts";
import type { Recording } from "./recording.ts";
import { onMark, onReport, onRing } from "./report.ts";
import { onWait, onWaitReturn } from "./truncate.ts";
import { onQueueWork, onWorkEnd, onWorkEntry, onWorkStart } from "./work.ts";

type Handler = (r: Recording) => void;

const BY_NAME: { readonly [name in keyof typeof CODE]?: Handler } = {
  io_submit_one: (r) => {
    settleBio(r, r.ctx);
    onSubmitOne(r);
  },
  io_submit_one_ret: onSubmitOneReturn,
  __blockdev_direct_IO: (r) => onDirectIo(r, PATH.dio),
  __blockdev_direct_IO_ret: onDirectIoReturn,
  __iomap_dio_rw: (r) => onDirectIo(r, PATH.iomap),
  __iomap_dio_rw_ret: onIomapReturn,
  __blkdev_direct_IO: onBlkdev,
  __blkdev_direct_IO_async: onBlkdev,
  __blkdev_direct_IO_simple: onBlkdev,
  sb_init_dio_done_wq: onInitQueue,
  dio_inode_dio_begin: (r) => onBegin(r, PATH.dio),
  iomap_inode_dio_begin: (r) => onBegin(r, PATH.iomap),
  dio_set_defer_bh: (r) => onSetDefer(r, false),
  dio_set_defer_dsync: (r) => onSetDefer(r, true),
  dio_ref_get1: onGet,
  dio_ref_get2: onGet,
  bio_set_pages_dirty: onSetDirty,
  iomap_dio_submit_bio: onIomapBio,
  submit_bio: onSubmitBio,
  dio_async_ref_drop: (r) => onSubmitterDrop(r, false),
  dio_await_ref_drop: (r) => onSubmitterDrop(r, true),
  iomap_dio_rw_ref_drop: (r) =>
    onSubmitterDrop(r, r.ctx.submission?.isSync ?? false),
  filemap_write_and_wait_range: (r) => onFlush(r, false),
  invalidate_inode_pages2_range: (r) => onFlush(r, true),
  generic_perform_write: onBuffered,
  bio_endio: onBioEnd,
  dio_bio_end_aio: (r) => onHandler(r, PATH.dio),
  dio_bio_end_io: (r) => onHandler(r, PATH.dio),
  iomap_dio_bio_end_io: (r) => onHandler(r, PATH.iomap),
  blkdev_bio_end_io: (r) => onHandler(r, PATH.blkdev),
  blkdev_bio_end_io_async: (r) => onHandler(r, PATH.blkdev),
  submit_bio_wait_endio: (r) => onHandler(r, PATH.blkdev),
  blkdev_bio_end_io_simple: (r) => onHandler(r, PATH.blkdev),
  dio_bio_complete: onBioComplete,
  bio_check_pages_dirty: (r) => onPages(r, true),
  __bio_release_pages: (r) => onPages(r, false),
  dio_end_aio_ref_drop: onHandlerDrop,
  dio_end_io_ref_drop: onHandlerDrop,
  dio_end_aio_wake_waiter: onWakeWaiter,
  dio_end_io_wake_waiter: onWakeWaiter,
  iomap_end_io_wake_waiter: onWakeWaiter,
  dio_end_aio_DEFER: (r) => onDefer(r, PATH.dio),
  iomap_end_io_QUEUE_WORK: (r) => onDefer(r, PATH.iomap),
  workqueue_queue_work: onQueueWork,
  workqueue_execute_start: onWorkStart,
  workqueue_execute_end: onWorkEnd,
  dio_aio_complete_work: onWorkEntry,
  iomap_dio_complete_work: onWorkEntry,
  dio_complete: (r) => onComplete(r, PATH.dio),
  iomap_dio_complete: (r) => onComplete(r, PATH.iomap),
  dio_call_end_io: (r) => onCallEndIo(r, PATH.dio),
  iomap_call_end_io: (r) => onCallEndIo(r, PATH.iomap),
  dio_end_io_returned: (r) => onEndIoReturned(r, PATH.dio),
  iomap_end_io_returned: (r) => onEndIoReturned(r, PATH.iomap),
  kiocb_invalidate_post_direct_write: (r) => {
    onInvalidate(r);
    onBlkdevInvalidate(r);
  },
  dio_inode_dio_end: (r) => onCountDrop(r, PATH.dio),
  iomap_inode_dio_end: (r) => onCountDrop(r, PATH.iomap),
  wake_up_bit: onWakeBit,
  vfs_fsync_range: (r) => {
    onSync(r);
    onBlkdevSync(r);
  },
  vfs_fsync_range_ret: onSyncReturn,
  dio_call_ki_complete: onCallBack,
  dio_free: (r) => onFree(r, PATH.dio),
  iomap_dio_free: (r) => onFree(r, PATH.iomap),
  dio_complete_ret: (r) => onCompleteReturn(r, PATH.dio),
  iomap_dio_complete_ret: (r) => onCompleteReturn(r, PATH.iomap),
  aio_complete_rw: onReport,
  aio_complete: onRing,
  inode_dio_wait: onWait,
  inode_dio_wait_ret: onWaitReturn,
  tracing_mark_write: onMark,
};

/** What reads the lines of a probe, by its code. */
export const HANDLERS: readonly (Handler | undefined)[] = (() => {
  const handlers: (Handler | undefined)[] = [];
  for (const [name, handler] of Object.entries(BY_NAME)) {
    handlers[CODE[name as keyof typeof CODE]] = handler;
  }
  return handlers;
})();

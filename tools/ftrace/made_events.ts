/**
 * What recordings can tell as fully as rules need it.
 *
 * @module
 */

/** The names of the events that recordings have, with all their arguments. */
export const MADE_EVENTS: ReadonlySet<string> = new Set([
  "io_submit",
  "direct_IO",
  "direct_IO_return",
  "blkdev_direct_IO",
  "dio_alloc",
  "dio_set_defer_completion",
  "inode_dio_begin",
  "inode_dio_done",
  "inode_dio_wait",
  "inode_dio_wait_return",
  "submit_bio",
  "bio_endio",
  "dio_bio_end_aio",
  "dio_bio_end_io",
  "iomap_dio_bio_end_io",
  "blkdev_bio_end_io",
  "bio_check_pages_dirty",
  "dio_complete",
  "iomap_dio_complete",
  "end_io",
  "end_io_return",
  "generic_write_sync",
  "aio_complete",
  "dio_free",
  "io_getevents",
  "queue_work",
  "workqueue_execute_start",
  "workqueue_execute_end",
]);

/**
 * The smallest failing traces of rules of the classes
 * released-once, no-use-after-release, dio-count-balanced, pages-dirtied, pinned-until-done.
 *
 * @module
 */

/** The traces, by the rule that they break. */
export const RELEASE_EXAMPLES: readonly (readonly [string, string])[] = [
  [
    "released-once/double-free",
    `
- task/0 writer-10 oops rule=released-once/double-free
`,
  ],
  [
    "released-once/page-pin",
    `
- task/0 writer-10 oops rule=released-once/page-pin
`,
  ],
  [
    "released-once/no-leak",
    `
- task/0 swapper-0 slab_leak
`,
  ],
  [
    "released-once/dio",
    `
# v4.10
  task/0 user-10 direct_IO iocb=2 ino=12 rw=read offset=0 is_sync=1
  task/0 user-10 blkdev_direct_IO dio=2 iocb=2 rw=read
+ task/0 user-10 dio_free dio=2
  task/0 user-10 direct_IO_return iocb=2 ino=12 ret=8192
  task/0 user-10 ki_pos iocb=2 pos=8192
  task/0 swapper-0 trace_end
`,
  ],
  [
    "no-use-after-release/slab",
    `
- task/0 writer-10 oops rule=no-use-after-release/slab
`,
  ],
  [
    "no-use-after-release/page-array",
    `
- task/0 writer-10 oops rule=no-use-after-release/page-array
`,
  ],
  [
    "no-use-after-release/dio",
    `
  task/0 writer-10 io_submit iocb=1 ino=131 rw=write
  task/0 writer-10 direct_IO iocb=1 ino=131 rw=write
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=131 rw=write
  softirq/1 <idle>-0 dio_free dio=1
- softirq/1 <idle>-0 dio_bio_end_aio dio=1
`,
  ],
  [
    "no-use-after-release/iocb",
    `
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write offset=0 bytes=4096 is_sync=1
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write end_io=
  task/0 writer-10 inode_dio_begin ino=12 dio=1 count=1
  task/0 writer-10 get_block dio=1 ino=12 iblock=0 blocks=1 ret=0 b_state=1
  task/0 writer-10 submit_bio bio=1 dio=1 rw=write size=4096
  softirq/1 <idle>-0 bio_endio bio=1 dio=1 error=0
  softirq/1 <idle>-0 dio_bio_end_io dio=1 bio=1
  task/0 writer-10 bio_put bio=1 dio=1
  task/0 writer-10 dio_complete dio=1 iocb=1 ret=0
  task/0 writer-10 inode_dio_done ino=12 dio=1 count=0
  task/0 writer-10 dio_free dio=1
  task/0 writer-10 direct_IO_return iocb=1 ino=12 ret=4096
  task/0 writer-10 ki_pos iocb=1 pos=4096
  task/0 writer-10 blkdev_issue_flush ret=0
+ task/0 writer-10 generic_write_sync iocb=1 ino=12 ret=0
  task/0 writer-10 direct_IO iocb=2 ino=12 rw=read is_sync=1
- task/0 writer-10 generic_write_sync iocb=1 ino=12 ret=0
`,
  ],
  [
    "dio-count-balanced/per-request",
    `
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write is_sync=1
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write end_io=
  task/0 writer-10 inode_dio_begin ino=12 dio=1 count=1
- task/0 writer-10 inode_dio_begin ino=12 dio=1 count=2
`,
  ],
  [
    "dio-count-balanced/one-by-one",
    `
- task/0 writer-10 inode_dio_begin ino=12 dio=0
`,
  ],
  [
    "dio-count-balanced/zero-at-end",
    `
# v4.10
  task/0 user-10 inode_dio_begin ino=12 dio=0 count=1
+ task/0 user-10 inode_dio_done ino=12 dio=0 count=0
  task/0 swapper-0 trace_end
`,
  ],
  [
    "released-once/bio",
    `
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write offset=0 bytes=4096 is_sync=1
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write
  task/0 writer-10 inode_dio_begin ino=12 dio=1 count=1
  task/0 writer-10 get_block dio=1 ino=12 iblock=0 blocks=1 ret=0 b_state=1
  task/0 writer-10 submit_bio bio=1 dio=1 rw=write
- task/0 writer-10 bio_put bio=1 dio=1
`,
  ],
  [
    "released-once/bio-by-its-owner",
    `
# v4.10
  task/0 user-10 direct_IO iocb=1 ino=12 rw=write is_sync=1
  task/0 user-10 blkdev_direct_IO dio=1 iocb=1 rw=write offset=4096
  task/0 user-10 submit_bio bio=1 dio=1 rw=write sector=8
  softirq/1 <idle>-0 bio_endio bio=1 dio=1
  softirq/1 <idle>-0 blkdev_bio_end_io dio=1 bio=1
+ task/0 user-10 bio_put bio=1 dio=1
  task/0 user-10 dio_free dio=1
`,
  ],
  [
    "pages-dirtied/before-submission",
    `
  task/0 reader-10 io_submit iocb=1 ino=12 rw=read offset=0
  task/0 reader-10 direct_IO iocb=1 ino=12 rw=read bytes=8192
  task/0 reader-10 dio_alloc dio=1 iocb=1 ino=12 rw=read
  task/0 reader-10 inode_dio_begin ino=12 dio=1 count=1
  task/0 reader-10 get_block dio=1 ino=12 iblock=0 blocks=2 ret=0 b_state=1
+ task/0 reader-10 bio_set_pages_dirty bio=1
  task/0 reader-10 submit_bio bio=1 dio=1 rw=read
`,
  ],
  [
    "pages-dirtied/at-the-end",
    `
  task/0 reader-10 io_submit iocb=1 ino=12 rw=read offset=0
  task/0 reader-10 direct_IO iocb=1 ino=12 rw=read bytes=12288
  task/0 reader-10 dio_alloc dio=1 iocb=1 ino=12 rw=read
  task/0 reader-10 inode_dio_begin ino=12 dio=1 count=1
  task/0 reader-10 get_block dio=1 ino=12 iblock=0 blocks=3 ret=0 b_state=1
  task/0 reader-10 bio_set_pages_dirty bio=1
  task/0 reader-10 submit_bio bio=1 dio=1 rw=read
  softirq/1 <idle>-0 bio_endio bio=1 dio=1 error=0
  softirq/1 <idle>-0 dio_bio_end_aio dio=1 bio=1
+ softirq/1 <idle>-0 bio_check_pages_dirty bio=1
  task/0 reader-10 dio_complete dio=1 iocb=1 ret=-14
`,
  ],
  [
    "pages-dirtied/each-bio",
    `
# v6.1
  task/0 user-10 direct_IO iocb=2 ino=12 rw=read is_sync=1
  task/0 user-10 blkdev_direct_IO dio=2 iocb=2 rw=read offset=0
  task/0 user-10 submit_bio bio=3 dio=2 rw=read sector=0 size=4096
  task/0 user-10 submit_bio bio=4 dio=2 rw=read sector=8
  softirq/1 <idle>-0 bio_endio bio=3 dio=2
  softirq/1 <idle>-0 blkdev_bio_end_io dio=2 bio=3
+ softirq/1 <idle>-0 bio_check_pages_dirty bio=3
  softirq/1 <idle>-0 bio_endio bio=4 dio=2
  softirq/1 <idle>-0 blkdev_bio_end_io dio=2 bio=4
  task/0 user-10 bio_put bio=3 dio=2
  task/0 user-10 dio_free dio=2
`,
  ],
  [
    "pages-dirtied/kept",
    `
  task/0 reader-10 io_submit iocb=2 ino=12 rw=read offset=0
  task/0 reader-10 direct_IO iocb=2 ino=12 rw=read bytes=4096
  task/0 reader-10 dio_alloc dio=2 iocb=2 ino=12 rw=read end_io=
  task/0 reader-10 inode_dio_begin ino=12 dio=2 count=1
  task/0 reader-10 get_block dio=2 ino=12 iblock=0 blocks=1 ret=0 b_state=1
  task/0 reader-10 bio_set_pages_dirty bio=2
  task/0 reader-10 submit_bio bio=2 dio=2 rw=read
  task/0 reader-10 direct_IO_return iocb=2 ino=12 ret=-529
  softirq/1 <idle>-0 bio_endio bio=2 dio=2 error=0
  softirq/1 <idle>-0 dio_bio_end_aio dio=2 bio=2
  softirq/1 <idle>-0 bio_check_pages_dirty bio=2
  softirq/1 <idle>-0 queue_work wq=2 fn=bio_dirty_fn dio=0 ret=1
  softirq/1 <idle>-0 dio_complete dio=2 iocb=2 ret=0
  softirq/1 <idle>-0 inode_dio_done ino=12 dio=2 count=0
  softirq/1 <idle>-0 aio_complete iocb=2 res=4096
  task/0 reader-10 io_getevents iocb=2 res=4096
  task/0 reader-10 shrink_page_list
- task/0 reader-10 user_read ino=12 offset=0
`,
  ],
  [
    "no-use-after-release/submitter",
    `
# v4.10
  task/0 user-10 io_submit iocb=1 ino=12 rw=write
  task/0 user-10 direct_IO iocb=1 ino=12 rw=write
  task/0 user-10 blkdev_direct_IO dio=1 iocb=1 rw=write
- task/0 user-10 direct_IO_return iocb=1 ino=12 ret=-529
  task/0 user-10 dio_page_error dio=1 bio=2
`,
  ],
  [
    "dio-count-balanced/own-counters",
    `
- task/0 writer-10 oops rule=dio-count-balanced/own-counters
`,
  ],
  [
    "pinned-until-done/file",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write file=1
- kworker/1 kworker/1:0-events-11 __fput file=1 ino=12
`,
  ],
  [
    "pinned-until-done/freeze-protection",
    `
- task/0 writer-10 oops rule=pinned-until-done/freeze-protection
`,
  ],
  [
    "pinned-until-done/mount",
    `
- task/0 writer-10 oops rule=pinned-until-done/mount
`,
  ],
  [
    "released-once/first-bio",
    `
# v6.1
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write is_sync=1
  task/0 writer-10 blkdev_direct_IO dio=1 iocb=1 rw=write
- task/0 writer-10 direct_IO_return iocb=1 ino=12 ret=4096
  task/0 writer-10 dio_free dio=1
`,
  ],
];

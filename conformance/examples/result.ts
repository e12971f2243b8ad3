/**
 * The smallest failing traces of rules of the classes
 * error-reported, result-precedence, partial-progress, position-once, read-within-size.
 *
 * @module
 */

/** The traces, by the rule that they break. */
export const RESULT_EXAMPLES: readonly (readonly [string, string])[] = [
  [
    "partial-progress/not-nothing",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write offset=0 bytes=4096
- task/0 writer-10 aio_complete iocb=1 res=0
+ task/0 writer-10 aio_complete iocb=1 res=4096
`,
  ],
  [
    "error-reported/every-bio",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write offset=0
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write bytes=12288
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write end_io=
  task/0 writer-10 inode_dio_begin ino=12 dio=1 count=1
  task/0 writer-10 get_block dio=1 ino=12 iblock=0 blocks=3 ret=0 b_state=1
  task/0 writer-10 get_block dio=1 ino=12 iblock=1 blocks=2 ret=0 b_state=1
  task/0 writer-10 get_block dio=1 ino=12 iblock=2 blocks=1 ret=0 b_state=1
  task/0 writer-10 submit_bio bio=1 dio=1 rw=write
  task/0 writer-10 submit_bio bio=2 dio=1 rw=write
  task/0 writer-10 submit_bio bio=3 dio=1 rw=write
  softirq/1 <idle>-0 bio_endio bio=1 dio=1 error=0
  softirq/1 <idle>-0 dio_bio_end_aio dio=1 bio=1
  softirq/1 <idle>-0 bio_put bio=1 dio=1
  softirq/1 <idle>-0 bio_endio bio=2 dio=1
  softirq/1 <idle>-0 dio_bio_end_aio dio=1 bio=2
  softirq/1 <idle>-0 dio_io_error dio=1
  softirq/1 <idle>-0 bio_put bio=2 dio=1
  softirq/1 <idle>-0 bio_endio bio=3 dio=1 error=0
  softirq/1 <idle>-0 dio_bio_end_aio dio=1 bio=3
  softirq/1 <idle>-0 bio_put bio=3 dio=1
  softirq/1 <idle>-0 dio_complete dio=1 iocb=1 ret=0
  softirq/1 <idle>-0 inode_dio_done ino=12 dio=1 count=0
- softirq/1 <idle>-0 aio_complete iocb=1 res=12288
`,
  ],
  [
    "error-reported/noted",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write offset=0
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write bytes=12288
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write
  task/0 writer-10 inode_dio_begin ino=12 dio=1 count=1
  task/0 writer-10 get_block dio=1 ino=12 iblock=0 blocks=3 ret=0 b_state=1
  task/0 writer-10 get_block dio=1 ino=12 iblock=1 blocks=2 ret=0 b_state=1
  task/0 writer-10 get_block dio=1 ino=12 iblock=2 blocks=1 ret=0 b_state=1
  task/0 writer-10 submit_bio bio=1 dio=1 rw=write
  task/0 writer-10 submit_bio bio=2 dio=1 rw=write
  task/0 writer-10 submit_bio bio=3 dio=1 rw=write
  softirq/1 <idle>-0 bio_endio bio=1 dio=1 error=0
  softirq/1 <idle>-0 dio_bio_end_aio dio=1 bio=1
  softirq/1 <idle>-0 bio_put bio=1 dio=1
  softirq/1 <idle>-0 bio_endio bio=2 dio=1
  softirq/1 <idle>-0 dio_bio_end_aio dio=1 bio=2
+ softirq/1 <idle>-0 dio_io_error dio=1
  softirq/1 <idle>-0 bio_put bio=2 dio=1
  softirq/1 <idle>-0 bio_endio bio=3 dio=1 error=0
  softirq/1 <idle>-0 dio_bio_end_aio dio=1 bio=3
  softirq/1 <idle>-0 bio_put bio=3 dio=1
  softirq/1 <idle>-0 dio_complete dio=1 iocb=1 ret=0
`,
  ],
  [
    "error-reported/end-io",
    `
# v6.1
  task/0 user-10 io_submit iocb=1 ino=12 rw=write offset=0
  task/0 user-10 direct_IO iocb=1 ino=12 rw=write bytes=4096
  task/0 user-10 inode_dio_begin ino=12 dio=0 count=1
  task/0 user-10 dio_alloc dio=1 iocb=1 ino=12 rw=write
  task/0 user-10 inode_dio_begin ino=12 dio=1 count=2
  task/0 user-10 get_block dio=1 ino=12 iblock=0 blocks=1 ret=0 b_state=1
  task/0 user-10 submit_bio bio=1 dio=1 rw=write
  task/0 user-10 bio_endio bio=1 dio=1 error=0
  task/0 user-10 dio_bio_end_aio dio=1 bio=1
  task/0 user-10 bio_put bio=1 dio=1
  task/0 user-10 dio_complete dio=1 iocb=1 ret=-529
  task/0 user-10 end_io dio=1 iocb=1 ino=12 fn=ext4_end_io_dio
- task/0 user-10 end_io_return dio=1 iocb=1 fn=ext4_end_io_dio ret=-5
+ task/0 user-10 end_io_return dio=1 iocb=1 fn=ext4_end_io_dio ret=0
  task/0 user-10 inode_dio_done ino=12 dio=1 count=1
  task/0 user-10 dio_free dio=1
  task/0 user-10 aio_complete iocb=1 res=4096
`,
  ],
  [
    "error-reported/rest",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write
  task/0 writer-10 direct_IO_return iocb=1 ino=12 ret=0
  task/0 writer-10 buffered_io iocb=1 ino=12 rw=write ret=-28
- task/0 writer-10 aio_complete iocb=1 res=0
`,
  ],
  [
    "result-precedence/submit-page-bio-count",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write offset=0
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write bytes=4096
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write end_io=
  task/0 writer-10 inode_dio_begin ino=12 dio=1 count=1
  task/0 writer-10 get_block dio=1 ino=12 iblock=0 blocks=1 ret=0 b_state=1
  task/0 writer-10 submit_bio bio=1 dio=1 rw=write size=4096
  softirq/1 <idle>-0 bio_endio bio=1 dio=1 error=0
  softirq/1 <idle>-0 dio_bio_end_aio dio=1 bio=1
  softirq/1 <idle>-0 bio_put bio=1 dio=1
  softirq/1 <idle>-0 dio_complete dio=1 iocb=1 ret=0
  softirq/1 <idle>-0 inode_dio_done ino=12 dio=1 count=0
- softirq/1 <idle>-0 aio_complete iocb=1
`,
  ],
  [
    "result-precedence/passed-on",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write
  task/0 writer-10 direct_IO_return iocb=1 ino=12 ret=8192
- task/0 writer-10 aio_complete iocb=1
`,
  ],
  [
    "result-precedence/error-not-queued",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12
  task/0 writer-10 might_sleep fn=alloc_workqueue
- task/0 writer-10 direct_IO_return iocb=1 ino=12 ret=-529
`,
  ],
  [
    "partial-progress/short-write-waited-for",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write
- task/0 writer-10 direct_IO_return iocb=1 ino=12 ret=-529
`,
  ],
  [
    "partial-progress/whole-is-queued",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write offset=0 bytes=4096
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write offset=0 bytes=4096 is_sync=0
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write end_io= i_size=4096
  task/0 writer-10 inode_dio_begin ino=12 dio=1 count=1
  task/0 writer-10 get_block dio=1 ino=12 iblock=0 blocks=1 ret=0 b_state=1
  task/0 writer-10 submit_bio bio=1 dio=1 rw=write sector=0 size=4096
+ task/0 writer-10 direct_IO_return iocb=1 ino=12 ret=-529
- task/0 writer-10 might_sleep fn=io_schedule
  softirq/1 <idle>-0 bio_endio bio=1 dio=1 error=0
  softirq/1 <idle>-0 dio_bio_end_aio dio=1 bio=1
  softirq/1 <idle>-0 bio_put bio=1 dio=1
- softirq/1 <idle>-0 wake_up_process pid=10
- task/0 writer-10 dio_complete dio=1 iocb=1 ret=0
- task/0 writer-10 inode_dio_done ino=12 dio=1 count=0
- task/0 writer-10 dio_free dio=1
- task/0 writer-10 direct_IO_return iocb=1 ino=12 ret=4096
`,
  ],
  [
    "partial-progress/short-with-reason",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write offset=0
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write bytes=12288
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write end_io=
  task/0 writer-10 inode_dio_begin ino=12 dio=1 count=1
  task/0 writer-10 get_block dio=1 ino=12 iblock=0 blocks=3 ret=0 b_state=1
+ task/0 writer-10 get_block dio=1 ino=12 iblock=1 blocks=2 ret=0
  task/0 writer-10 submit_bio bio=1 dio=1 rw=write
  softirq/1 <idle>-0 bio_endio bio=1 dio=1 error=0
  softirq/1 <idle>-0 dio_bio_end_aio dio=1 bio=1
  task/0 writer-10 dio_complete dio=1 iocb=1 ret=0
  task/0 writer-10 inode_dio_done ino=12 dio=1 count=0
  task/0 writer-10 dio_free dio=1
  task/0 writer-10 direct_IO_return iocb=1 ino=12 ret=4096
`,
  ],
  [
    "partial-progress/no-more-than-done",
    `
  task/0 reader-10 io_submit iocb=1 ino=12 rw=read
  task/0 reader-10 direct_IO iocb=1 ino=12 rw=read
  task/0 reader-10 dio_alloc dio=1 iocb=1 ino=12 rw=read
  hardirq/1 <idle>-0 dio_complete dio=1 iocb=1 ret=0
- hardirq/1 <idle>-0 aio_complete iocb=1 res=8192
`,
  ],
  [
    "read-within-size/cut",
    `
  task/0 reader-10 io_submit iocb=1 ino=12 rw=read offset=0
  task/0 reader-10 direct_IO iocb=1 ino=12 rw=read
  task/0 reader-10 dio_alloc dio=1 iocb=1 ino=12 rw=read i_size=4096
  hardirq/1 <idle>-0 dio_complete dio=1 iocb=1 ret=0
- hardirq/1 <idle>-0 aio_complete iocb=1
`,
  ],
  [
    "read-within-size/behind-the-end",
    `
  task/0 reader-10 io_submit iocb=1 ino=12 rw=write offset=0
  task/0 reader-10 direct_IO iocb=1 ino=12 rw=write bytes=4096
  task/0 reader-10 inode_dio_begin ino=12 dio=0 count=1
  task/0 reader-10 dio_alloc dio=1 iocb=1 ino=12 rw=write i_size=4096
  task/0 reader-10 inode_dio_begin ino=12 dio=1 count=2
  task/0 reader-10 get_block dio=1 ino=12 iblock=0 blocks=1 ret=0 b_state=1
  task/0 reader-10 submit_bio bio=1 dio=1 rw=write size=4096
  task/0 reader-10 direct_IO_return iocb=1 ino=12 ret=-529
  task/0 reader-10 io_submit iocb=2 ino=12 rw=read
- task/0 reader-10 aio_complete iocb=2
`,
  ],
  [
    "position-once/moved",
    `
  task/0 writer-10 buffered_io iocb=1 ino=517 rw=write offset=4096 ret=8192
+ task/0 writer-10 ki_pos iocb=1 pos=12288
  task/0 swapper-0 trace_end
`,
  ],
  [
    "result-precedence/block-device",
    `
# v6.1
  task/0 user-10 io_submit iocb=1 ino=12 rw=write offset=0 bytes=8192
  task/0 user-10 direct_IO iocb=1 ino=12 rw=write offset=0 bytes=8192 is_sync=0
  task/0 user-10 blkdev_direct_IO dio=1 iocb=1 rw=write offset=0 bytes=8192
  task/0 user-10 dio_page_error dio=1 error=-14
  task/0 user-10 submit_bio bio=1 dio=1 rw=write sector=0 size=4096
  softirq/1 <idle>-0 bio_endio bio=1 dio=1 error=0
  softirq/1 <idle>-0 blkdev_bio_end_io dio=1 bio=1
- softirq/1 <idle>-0 ki_pos iocb=1 pos=512
- softirq/1 <idle>-0 aio_complete iocb=1 res=512
+ softirq/1 <idle>-0 ki_pos iocb=1 pos=4096
+ softirq/1 <idle>-0 aio_complete iocb=1 res=4096
`,
  ],
  [
    "partial-progress/whole-buffer",
    `
# v6.1
  task/0 user-10 io_submit iocb=1 ino=12 rw=write offset=0 bytes=8192
  task/0 user-10 direct_IO iocb=1 ino=12 rw=write offset=0 bytes=8192 is_sync=0
  task/0 user-10 blkdev_direct_IO dio=1 iocb=1 rw=write offset=0 bytes=8192
  task/0 user-10 submit_bio bio=1 dio=1 rw=write sector=0 size=4096
+ task/0 user-10 submit_bio bio=2 dio=1 rw=write sector=8 size=4096
  softirq/1 <idle>-0 bio_endio bio=1 dio=1 error=0
  softirq/1 <idle>-0 blkdev_bio_end_io dio=1 bio=1
+ softirq/1 <idle>-0 bio_endio bio=2 dio=1 error=0
+ softirq/1 <idle>-0 blkdev_bio_end_io dio=1 bio=2
- softirq/1 <idle>-0 ki_pos iocb=1 pos=4096
- softirq/1 <idle>-0 aio_complete iocb=1 res=4096
+ softirq/1 <idle>-0 ki_pos iocb=1 pos=8192
+ softirq/1 <idle>-0 aio_complete iocb=1 res=8192
`,
  ],
  [
    "position-once/as-reported",
    `
# v6.1
  task/0 reader-10 io_submit iocb=1 ino=12 rw=read offset=0
  task/0 reader-10 direct_IO iocb=1 ino=12 rw=read
  task/0 reader-10 blkdev_direct_IO dio=1 iocb=1 rw=read
+ hardirq/1 <idle>-0 ki_pos iocb=1 pos=4096
  hardirq/1 <idle>-0 aio_complete iocb=1 res=4096
`,
  ],
];

/**
 * The smallest failing traces of rules of the classes
 * completion-order.
 *
 * @module
 */

/** The traces, by the rule that they break. */
export const ORDER_EXAMPLES: readonly (readonly [string, string])[] = [
  [
    "completion-order/end-io-before-dio-done",
    `
  task/0 writer-10 direct_IO iocb=1 ino=131 rw=write is_sync=1
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=131 rw=write
  task/0 writer-10 inode_dio_begin ino=131 dio=1 count=1
  task/0 writer-10 dio_complete dio=1 iocb=1 ret=0
  task/0 writer-10 end_io dio=1 iocb=1 ino=131 fn=xfs_end_io_direct_write
- task/0 writer-10 inode_dio_done ino=131 dio=1 count=0
`,
  ],
  [
    "completion-order/dio-done-before-aio-complete",
    `
  task/0 reader-10 io_submit iocb=1 ino=12 rw=read
  task/0 reader-10 direct_IO iocb=1 ino=12 rw=read
  task/0 reader-10 dio_alloc dio=1 iocb=1 ino=12 rw=read
  task/0 reader-10 inode_dio_begin ino=12 dio=1 count=1
  task/0 reader-10 dio_refill_pages dio=1
  task/0 reader-10 dio_complete dio=1 iocb=1 ret=-14
- task/0 reader-10 aio_complete iocb=1
`,
  ],
  [
    "completion-order/end-io-before-aio-complete",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12
  kworker/1 kworker/1:0-dio/sda-11 dio_complete dio=1 iocb=1 ret=0
  kworker/1 kworker/1:0-dio/sda-11 end_io dio=1 iocb=1 ino=12 fn=ext4_end_io_dio
- kworker/1 kworker/1:0-dio/sda-11 aio_complete iocb=1
`,
  ],
  [
    "completion-order/end-io-called",
    `
  task/0 writer-10 direct_IO iocb=1 ino=131 rw=write is_sync=1
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=131 rw=write
  task/0 writer-10 inode_dio_begin ino=131 dio=1 count=1
  task/0 writer-10 dio_complete dio=1 iocb=1 ret=0
+ task/0 writer-10 end_io dio=1 iocb=1 ino=131 fn=xfs_end_io_direct_write
+ task/0 writer-10 end_io_return dio=1 iocb=1 fn=xfs_end_io_direct_write ret=0
  task/0 writer-10 inode_dio_done ino=131 dio=1 count=0
`,
  ],
  [
    "completion-order/complete-first",
    `
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write is_sync=1
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write
- task/0 writer-10 end_io dio=1 iocb=1 ino=12 fn=ext4_end_io_dio
`,
  ],
  [
    "completion-order/one-thread",
    `
  task/0 writer-10 direct_IO iocb=2 ino=131 rw=read is_sync=1
  task/0 writer-10 dio_alloc dio=2 iocb=2 ino=131 rw=read end_io=
  task/0 writer-10 inode_dio_begin ino=131 dio=2 count=1
  task/0 writer-10 dio_complete dio=2 iocb=2 ret=0
  task/0 writer-10 inode_dio_done ino=131 dio=2 count=0
- task/0 writer-99 dio_free dio=2
`,
  ],
  [
    "completion-order/converted",
    `
  task/0 writer-10 io_submit iocb=1 ino=131 rw=write offset=4096
  task/0 writer-10 direct_IO iocb=1 ino=131 rw=write bytes=8192
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=131 rw=write
  task/0 writer-10 inode_dio_begin ino=131 dio=1 count=1
  task/0 writer-10 get_block dio=1 ino=131 iblock=1 blocks=2 ret=0 b_state=27
  task/0 writer-10 dio_set_defer_completion dio=1 sb=sda
  task/0 writer-10 submit_bio bio=1 dio=1 rw=write size=8192
  softirq/1 <idle>-0 bio_endio bio=1 dio=1 error=0
  softirq/1 <idle>-0 dio_bio_end_io dio=1 bio=1
  task/0 writer-10 bio_put bio=1 dio=1
  task/0 writer-10 dio_complete dio=1 iocb=1 ret=0
  task/0 writer-10 end_io dio=1 iocb=1 ino=131 fn=xfs_end_io_direct_write
+ task/0 writer-10 convert_unwritten ino=131 offset=4096 bytes=8192 ret=0
  task/0 writer-10 i_size_write ino=131
  task/0 writer-10 end_io_return dio=1 iocb=1 fn=xfs_end_io_direct_write ret=0
  task/0 writer-10 inode_dio_done ino=131 dio=1 count=0
  task/0 writer-10 dio_free dio=1
  task/0 writer-10 direct_IO_return iocb=1 ino=131 ret=8192
  task/0 writer-10 ki_pos iocb=1 pos=12288
  task/0 writer-10 aio_complete iocb=1 res=8192
`,
  ],
  [
    "completion-order/write-sync-between",
    `
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write is_sync=1
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write
  task/0 writer-10 inode_dio_begin ino=12 dio=1 count=1
- task/0 writer-10 generic_write_sync iocb=1 ino=12 ret=0
`,
  ],
  [
    "completion-order/reader-sees-data",
    `
  task/0 writer-10 direct_IO iocb=2 ino=12 rw=read offset=0 is_sync=1
  task/0 writer-10 direct_IO_return iocb=2 ino=12 ret=4096
- task/0 writer-10 user_read ino=12 offset=0
`,
  ],
  [
    "completion-order/free-last",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write
  softirq/1 <idle>-0 dio_complete dio=1 iocb=1 ret=0
- softirq/1 <idle>-0 dio_free dio=1
`,
  ],
];

/**
 * The smallest failing traces of rules of the classes
 * truncate-waits, sub-block-zeroing-serialised, poll-single-bio, nowait-all-or-nothing, completion-ring, trace-well-formed.
 *
 * @module
 */

/** The traces, by the rule that they break. */
export const OTHERS_EXAMPLES: readonly (readonly [string, string])[] = [
  [
    "truncate-waits/in-flight-ended",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write offset=0
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write bytes=12288
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write
  task/0 writer-10 inode_dio_begin ino=12 dio=1 count=1
  task/1 truncater-11 truncate ino=12 size=0
  task/1 truncater-11 i_size_write ino=12 size=0
- task/1 truncater-11 truncate_return ino=12 ret=0
`,
  ],
  [
    "truncate-waits/for-zero",
    `
  task/0 writer-10 inode_dio_begin ino=12 dio=0 count=1
  task/1 truncater-11 inode_dio_wait ino=12 count=1
- task/1 truncater-11 inode_dio_wait_return ino=12
`,
  ],
  [
    "truncate-waits/counted-while-mapped",
    `
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write offset=0 bytes=4096 is_sync=1
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write
- task/0 writer-10 get_block dio=1 ino=12 iblock=0 blocks=1 ret=0
`,
  ],
  [
    "truncate-waits/counted-while-converted",
    `
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write offset=0 bytes=8192 is_sync=1
  task/0 writer-10 inode_dio_begin ino=12 dio=0 count=1
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write
  task/0 writer-10 inode_dio_begin ino=12 dio=1 count=2
  task/0 writer-10 get_block dio=1 ino=12 iblock=0 blocks=2 ret=0 b_state=11
  task/0 writer-10 get_block dio=1 ino=12 iblock=1 blocks=1 ret=0 b_state=11
  task/0 writer-10 submit_bio bio=1 dio=1 rw=write size=4096
  task/0 writer-10 submit_bio bio=2 dio=1 rw=write size=4096
  softirq/1 <idle>-0 bio_endio bio=1 dio=1 error=0
  softirq/1 <idle>-0 dio_bio_end_io dio=1 bio=1
  softirq/1 <idle>-0 bio_endio bio=2 dio=1 error=0
  softirq/1 <idle>-0 dio_bio_end_io dio=1 bio=2
  task/0 writer-10 bio_put bio=2 dio=1
  task/0 writer-10 bio_put bio=1 dio=1
  task/0 writer-10 dio_complete dio=1 iocb=1 ret=0
  task/0 writer-10 end_io dio=1 iocb=1 ino=12 fn=ext4_end_io_dio
  task/0 writer-10 end_io_return dio=1 iocb=1 fn=ext4_end_io_dio ret=0
  task/0 writer-10 inode_dio_done ino=12 dio=1 count=1
  task/0 writer-10 dio_free dio=1
- task/0 writer-10 inode_dio_done ino=12 dio=0 count=0
  task/0 writer-10 convert_unwritten ino=12 offset=0 bytes=8192 ret=0
`,
  ],
  [
    "truncate-waits/blocks-not-shared",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write offset=0 bytes=4096
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write offset=0 bytes=4096 is_sync=0
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write end_io= i_size=4096
  task/0 writer-10 inode_dio_begin ino=12 dio=1 count=1
  task/0 writer-10 get_block dio=1 ino=12 iblock=0 blocks=1 ret=0 b_state=1
  task/0 writer-10 submit_bio bio=1 dio=1 rw=write sector=0 size=4096
  task/1 truncater-11 truncate ino=12 size=0
  task/1 truncater-11 i_size_write ino=12 size=0
  task/2 other-12 direct_IO iocb=2 ino=13 rw=write offset=0 bytes=4096 is_sync=1
  task/2 other-12 dio_alloc dio=2 iocb=2 ino=13 rw=write
  task/2 other-12 inode_dio_begin ino=13 dio=2 count=1
  task/2 other-12 get_block dio=2 ino=13 iblock=0 blocks=1 ret=0 b_state=1
- task/2 other-12 submit_bio bio=2 dio=2 rw=write sector=0 size=4096
+ task/2 other-12 submit_bio bio=2 dio=2 rw=write sector=8 size=4096
`,
  ],
  [
    "sub-block-zeroing-serialised/alone-in-a-block",
    `
  task/0 lower-10 io_submit iocb=1 ino=12 rw=write offset=0
  task/0 lower-10 direct_IO iocb=1 ino=12 rw=write bytes=2048
  task/0 lower-10 inode_dio_begin ino=12 dio=0 count=1
  task/0 lower-10 dio_alloc dio=1 iocb=1 ino=12 rw=write
  task/0 lower-10 inode_dio_begin ino=12 dio=1 count=2
- task/0 lower-10 get_block dio=1 ino=12 iblock=0 blocks=1 ret=0
  task/0 lower-10 inode_dio_done ino=12 dio=0 count=1
  task/1 upper-11 io_submit iocb=2 ino=12 rw=write offset=2048
  task/1 upper-11 direct_IO iocb=2 ino=12 rw=write bytes=2048
  task/1 upper-11 dio_alloc dio=3 iocb=2 ino=12 rw=write
  task/1 upper-11 inode_dio_begin ino=12 dio=3 count=2
- task/1 upper-11 get_block dio=3 ino=12 iblock=0 blocks=1 ret=0 b_state=25
`,
  ],
  [
    "sub-block-zeroing-serialised/block-filled",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write offset=4096
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write bytes=8192
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write end_io=
  task/0 writer-10 inode_dio_begin ino=12 dio=1 count=1
  task/0 writer-10 get_block dio=1 ino=12 iblock=1 blocks=2 ret=0 b_state=3
- task/0 writer-10 submit_bio bio=1 dio=1 rw=write
+ task/0 writer-10 submit_bio bio=1 dio=1 rw=write size=8192
  softirq/1 <idle>-0 bio_endio bio=1 dio=1 error=0
  softirq/1 <idle>-0 dio_bio_end_io dio=1 bio=1
  task/0 writer-10 bio_put bio=1 dio=1
  task/0 writer-10 dio_complete dio=1 iocb=1 ret=0
  task/0 writer-10 inode_dio_done ino=12 dio=1 count=0
  task/0 writer-10 dio_free dio=1
  task/0 writer-10 i_size_write ino=12
  task/0 writer-10 aio_complete iocb=1 res=8192
`,
  ],
  [
    "poll-single-bio/one-bio",
    `
# v6.1
  task/0 user-10 direct_IO iocb=1 ino=12 rw=write is_sync=1
  task/0 user-10 blkdev_direct_IO dio=1 iocb=1 rw=write offset=0
  task/0 user-10 submit_bio bio=1 dio=1 rw=write sector=0 size=4096
  task/0 user-10 submit_bio bio=2 dio=1 rw=write sector=8 size=4096
- task/0 user-10 blk_poll bdev=sda found=0 dio=1
`,
  ],
  [
    "nowait-all-or-nothing/one-bio",
    `
# v6.1
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write is_sync=1
- task/0 writer-10 blkdev_direct_IO dio=1 iocb=1 rw=write offset=0 nowait=1
+ task/0 writer-10 blkdev_direct_IO dio=1 iocb=1 rw=write offset=0
  task/0 writer-10 submit_bio bio=1 dio=1 rw=write sector=0
`,
  ],
  [
    "completion-ring/event-once",
    `
- task/0 writer-10 io_getevents iocb=1
`,
  ],
  [
    "completion-ring/result-kept",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write
  task/0 writer-10 aio_complete iocb=1
- task/0 writer-10 io_getevents iocb=1 res=512
`,
  ],
  [
    "trace-well-formed/sequence",
    `
  task/0 writer-10 might_sleep fn=mutex_lock
- task/0 writer-10 might_sleep fn=mutex_lock seq=5
+ task/0 writer-10 might_sleep fn=mutex_lock
`,
  ],
  [
    "trace-well-formed/time",
    `
  task/0 writer-10 might_sleep fn=mutex_lock ts=200
- task/0 writer-10 might_sleep fn=mutex_lock ts=100
+ task/0 writer-10 might_sleep fn=mutex_lock ts=300
`,
  ],
  [
    "trace-well-formed/end",
    `
  task/0 swapper-0 trace_end
- task/0 reader-10 io_submit iocb=1 ino=12 rw=read
`,
  ],
  [
    "trace-well-formed/nesting",
    `
  task/0 reader-10 io_submit iocb=1 ino=12 rw=read
  task/0 reader-10 direct_IO iocb=1 ino=12 rw=read
+ task/0 reader-10 direct_IO_return iocb=1 ino=12 ret=-14
  task/0 reader-10 user_read ino=12 bytes=0 wrong=0
`,
  ],
  [
    "trace-well-formed/bio",
    `
+ task/0 writer-10 submit_bio bio=2 dio=0 rw=write
  softirq/1 <idle>-0 bio_endio bio=2 dio=0
`,
  ],
  [
    "trace-well-formed/request",
    `
+ task/0 writer-10 io_submit iocb=1 ino=12 rw=write
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write
`,
  ],
];

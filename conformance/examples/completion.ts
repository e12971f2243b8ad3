/**
 * The smallest failing traces of rules of the classes
 * one-completion, queued-code-kept, completion-after-last-bio.
 *
 * @module
 */

/** The traces, by the rule that they break. */
export const COMPLETION_EXAMPLES: readonly (readonly [string, string])[] = [
  [
    "one-completion/once",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write
  task/0 writer-10 aio_complete iocb=1
- task/0 writer-10 aio_complete iocb=1
`,
  ],
  [
    "one-completion/never-both",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write
- task/0 writer-10 aio_complete iocb=1
- task/0 writer-10 direct_IO_return iocb=1 ino=12 ret=8192
`,
  ],
  [
    "one-completion/never-neither",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write
+ task/0 writer-10 aio_complete iocb=1
  task/0 writer-10 io_getevents
`,
  ],
  [
    "queued-code-kept/in-flight",
    `
  task/0 reader-10 io_submit iocb=1 ino=12 rw=read
  task/0 reader-10 direct_IO iocb=1 ino=12 rw=read
  task/0 reader-10 dio_alloc dio=1 iocb=1 ino=12 rw=read
- task/0 reader-10 direct_IO_return iocb=1 ino=12 ret=4096
`,
  ],
  [
    "queued-code-kept/survives",
    `
  task/0 reader-10 io_submit iocb=1 ino=12 rw=read
  task/0 reader-10 direct_IO iocb=1 ino=12 rw=read
  task/0 reader-10 dio_alloc dio=1 iocb=1 ino=12 rw=read
  task/0 reader-10 direct_IO_return iocb=1 ino=12 ret=-529
- hardirq/1 <idle>-0 aio_complete iocb=1
`,
  ],
  [
    "completion-after-last-bio/all-ended",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write offset=0 bytes=4096
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write offset=0 bytes=4096 is_sync=0
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write end_io= i_size=4096
  task/0 writer-10 inode_dio_begin ino=12 dio=1 count=1
  task/0 writer-10 get_block dio=1 ino=12 iblock=0 blocks=1 ret=0 b_state=1
  task/0 writer-10 submit_bio bio=1 dio=1 rw=write sector=0 size=4096
+ softirq/1 <idle>-0 bio_endio bio=1 dio=1 error=0
+ softirq/1 <idle>-0 dio_bio_end_aio dio=1 bio=1
+ softirq/1 <idle>-0 bio_put bio=1 dio=1
  softirq/1 <idle>-0 dio_complete dio=1 iocb=1 ret=0
`,
  ],
  [
    "completion-after-last-bio/once",
    `
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write is_sync=1
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write
  task/0 writer-10 dio_complete dio=1 iocb=1 ret=0
- task/0 writer-10 dio_complete dio=1 iocb=1 ret=0
`,
  ],
  [
    "completion-after-last-bio/submitter",
    `
- task/0 writer-10 oops rule=completion-after-last-bio/submitter
`,
  ],
  [
    "completion-after-last-bio/end-handler",
    `
- task/0 writer-10 oops rule=completion-after-last-bio/end-handler
`,
  ],
  [
    "completion-after-last-bio/bio-ends-once",
    `
# v4.10
  task/0 user-10 direct_IO iocb=1 ino=12 rw=write is_sync=1
  task/0 user-10 blkdev_direct_IO dio=1 iocb=1 rw=write offset=0
  task/0 user-10 submit_bio bio=1 dio=1 rw=write sector=0
  softirq/1 <idle>-0 bio_endio bio=1
- softirq/1 <idle>-0 bio_endio bio=1 dio=1
`,
  ],
  [
    "one-completion/waiter",
    `
- task/0 writer-10 oops rule=one-completion/waiter
`,
  ],
  [
    "completion-after-last-bio/block-device",
    `
# v6.1
  task/0 user-10 io_submit iocb=1 ino=12 rw=write offset=0
  task/0 user-10 direct_IO iocb=1 ino=12 rw=write
  task/0 user-10 blkdev_direct_IO dio=1 iocb=1 rw=write
  task/0 user-10 dio_page_error dio=1 bio=2
  task/0 user-10 bio_endio bio=2 dio=1 error=-5
- softirq/1 <idle>-0 aio_complete iocb=1 res=-5
`,
  ],
];

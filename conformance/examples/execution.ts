/**
 * The smallest failing traces of rules of the classes
 * no-sleep-in-interrupt, no-double-deferral, lock-handover, liveness, workqueue-life, completion-concurrency.
 *
 * @module
 */

/** The traces, by the rule that they break. */
export const EXECUTION_EXAMPLES: readonly (readonly [string, string])[] = [
  [
    "no-sleep-in-interrupt/asked-for-deferral",
    `
  task/2 other-12 direct_IO iocb=2 ino=132 rw=write offset=4096 bytes=4096 is_sync=1
  task/2 other-12 dio_alloc dio=2 iocb=2 ino=132 rw=write
  task/2 other-12 inode_dio_begin ino=132 dio=2 count=1
  task/2 other-12 get_block dio=2 ino=132 iblock=1 blocks=1 ret=0 b_state=27
+ task/2 other-12 dio_set_defer_completion dio=2 sb=sda
  task/2 other-12 submit_bio bio=2 dio=2 rw=write
`,
  ],
  [
    "completion-concurrency/deferred-with-reason",
    `
  task/2 other-12 direct_IO iocb=2 ino=132 rw=write offset=4096 bytes=4096 is_sync=1
  task/2 other-12 dio_alloc dio=2 iocb=2 ino=132 rw=write
  task/2 other-12 inode_dio_begin ino=132 dio=2 count=1
+ task/2 other-12 get_block dio=2 ino=132 iblock=1 blocks=1 ret=0 b_state=27
  task/2 other-12 dio_set_defer_completion dio=2 sb=sda
`,
  ],
  [
    "no-sleep-in-interrupt/context",
    `
- softirq/0 writer-10 might_sleep fn=io_getevents
`,
  ],
  [
    "no-sleep-in-interrupt/deferred-in-worker",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write dsync=1
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write
  task/0 writer-10 dio_set_defer_completion dio=1 sb=sda
  task/0 writer-10 alloc_workqueue wq=1 flags=8
  softirq/1 <idle>-0 queue_work wq=1 fn=dio_aio_complete_work dio=1 ret=1
- kworker/1 kworker/1:0-dio/sda-11 dio_complete dio=1 iocb=1 ret=0
`,
  ],
  [
    "no-double-deferral/end-io-finishes",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write
  kworker/1 kworker/1:0-dio/sda-11 dio_complete dio=1 iocb=1 ret=0
  kworker/1 kworker/1:0-dio/sda-11 end_io dio=1 iocb=1 ino=12 fn=ext4_end_io_dio
- kworker/1 <idle>-11 queue_work wq=2 fn=dio_aio_complete_work dio=0 ret=1
`,
  ],
  [
    "no-double-deferral/queued-once",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write dsync=1
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write
  task/0 writer-10 dio_set_defer_completion dio=1 sb=sda
  task/0 writer-10 alloc_workqueue wq=1 flags=8
  softirq/1 <idle>-0 queue_work wq=1 fn=dio_aio_complete_work dio=1 ret=1
- softirq/1 <idle>-0 queue_work wq=1 fn=dio_aio_complete_work dio=1 ret=1
`,
  ],
  [
    "no-double-deferral/work-finishes",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write dsync=1
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write
  task/0 writer-10 dio_set_defer_completion dio=1 sb=sda
  task/0 writer-10 alloc_workqueue wq=1 flags=8
  softirq/1 <idle>-0 queue_work wq=1 work=1 fn=dio_aio_complete_work dio=1 ret=1
  kworker/1 kworker/1:0-dio/sda-11 workqueue_execute_start wq=1 work=1 fn=dio_aio_complete_work dio=1
- kworker/1 kworker/1:0-dio/sda-11 workqueue_execute_end wq=1 work=1 fn=dio_aio_complete_work dio=1
`,
  ],
  [
    "lock-handover/unlock-by-owner",
    `
- task/0 writer-10 oops rule=lock-handover/unlock-by-owner
`,
  ],
  [
    "lock-handover/none-left",
    `
- task/0 swapper-0 locks_held
`,
  ],
  [
    "lock-handover/no-deadlock",
    `
- task/0 swapper-0 hung_task msg=deadlock of a and b; a waits
`,
  ],
  [
    "liveness/blocked-for-ever",
    `
- task/0 swapper-0 hung_task
`,
  ],
  [
    "liveness/soft-lockup",
    `
- task/0 swapper-0 soft_lockup
`,
  ],
  [
    "liveness/woken",
    `
# v4.10
  task/0 user-10 direct_IO iocb=1 ino=12 rw=write offset=0 is_sync=1
  task/0 user-10 blkdev_direct_IO dio=1 iocb=1 rw=write offset=0
  task/0 user-10 submit_bio bio=1 dio=1 rw=write sector=0
  task/0 user-10 might_sleep fn=io_schedule
  softirq/1 <idle>-0 bio_endio bio=1 dio=1
  softirq/1 <idle>-0 blkdev_bio_end_io dio=1 bio=1
+ softirq/1 <idle>-0 wake_up_process pid=10
  task/0 user-10 ki_pos iocb=1 pos=8192
`,
  ],
  [
    "workqueue-life/alive-when-queued",
    `
- task/0 writer-10 oops rule=workqueue-life/alive-when-queued
`,
  ],
  [
    "workqueue-life/run-as-queued",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write dsync=1
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write
  task/0 writer-10 dio_set_defer_completion dio=1 sb=sda
  task/0 writer-10 alloc_workqueue wq=1 flags=8
+ softirq/1 <idle>-0 queue_work wq=1 work=1 fn=dio_aio_complete_work dio=1 ret=1
  kworker/1 kworker/1:0-dio/sda-11 workqueue_execute_start wq=1 work=1 fn=dio_aio_complete_work dio=1
`,
  ],
  [
    "workqueue-life/exists-when-queued",
    `
- task/0 writer-10 oops rule=workqueue-life/exists-when-queued
`,
  ],
  [
    "workqueue-life/on-demand",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write dsync=1
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write
+ task/0 writer-10 dio_set_defer_completion dio=1 sb=sda
  task/0 writer-10 alloc_workqueue wq=1 name=dio/sda
`,
  ],
  [
    "workqueue-life/drained",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write dsync=1
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write
  task/0 writer-10 dio_set_defer_completion dio=1 sb=sda
  task/0 writer-10 alloc_workqueue wq=1 flags=8
  softirq/1 <idle>-0 queue_work wq=1 fn=dio_aio_complete_work dio=1 ret=1
- task/0 umount-12 destroy_workqueue wq=1
`,
  ],
  [
    "workqueue-life/gone-before-put-super",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write dsync=1
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write
  task/0 writer-10 dio_set_defer_completion dio=1 sb=sda
  task/0 writer-10 alloc_workqueue wq=1 name=dio/sda
  task/0 umount-12 evict_inodes sb=sda
- task/0 umount-12 put_super sb=sda
`,
  ],
  [
    "workqueue-life/evicted-first",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write dsync=1
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write
  task/0 writer-10 dio_set_defer_completion dio=1 sb=sda
  task/0 writer-10 alloc_workqueue wq=1
- task/0 umount-12 destroy_workqueue wq=1 name=dio/sda
`,
  ],
  [
    "completion-concurrency/runs-at-once",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write offset=0
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write bytes=4096
  task/0 writer-10 inode_dio_begin ino=12 dio=0 count=1
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write
  task/0 writer-10 inode_dio_begin ino=12 dio=1 count=2
  task/0 writer-10 get_block dio=1 ino=12 iblock=0 blocks=1 ret=0 b_state=27
  task/0 writer-10 dio_set_defer_completion dio=1 sb=sda
- task/0 writer-10 alloc_workqueue wq=2 flags=8 max_active=1
  task/0 writer-10 submit_bio bio=1 dio=1 rw=write
  task/1 other-11 io_submit iocb=2 ino=13 rw=write offset=0
  task/1 other-11 direct_IO iocb=2 ino=13 rw=write bytes=4096
  task/1 other-11 inode_dio_begin ino=13 dio=0 count=1
  task/1 other-11 dio_alloc dio=2 iocb=2 ino=13 rw=write
  task/1 other-11 inode_dio_begin ino=13 dio=2 count=2
  task/1 other-11 get_block dio=2 ino=13 iblock=0 blocks=1 ret=0 b_state=27
  task/1 other-11 dio_set_defer_completion dio=2 sb=sda
  task/1 other-11 submit_bio bio=2 dio=2 rw=write
  softirq/2 <idle>-0 bio_endio bio=1 dio=1 error=0
  softirq/2 <idle>-0 dio_bio_end_aio dio=1 bio=1
  softirq/2 <idle>-0 bio_put bio=1 dio=1
- softirq/0 <idle>-0 queue_work wq=2 fn=dio_aio_complete_work dio=1 ret=1
  softirq/2 <idle>-0 bio_endio bio=2 dio=2 error=0
  softirq/2 <idle>-0 dio_bio_end_aio dio=2 bio=2
- softirq/0 <idle>-0 queue_work wq=2 fn=dio_aio_complete_work dio=2 ret=1
`,
  ],
  [
    "completion-concurrency/rescuer",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write dsync=1
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write
  task/0 writer-10 dio_set_defer_completion dio=1 sb=sda
- task/0 writer-10 alloc_workqueue wq=1
+ task/0 writer-10 alloc_workqueue wq=1 flags=8
  softirq/1 <idle>-0 queue_work wq=1 fn=dio_aio_complete_work dio=1 ret=1
`,
  ],
  [
    "no-double-deferral/reserved-only",
    `
- task/0 writer-10 oops rule=no-double-deferral/reserved-only
`,
  ],
];

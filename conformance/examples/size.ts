/**
 * The smallest failing traces of rules of the classes
 * convert-only-written, size-after-data, completion-resources, dsync-durable, mapping-and-bios, cache-coherent.
 *
 * @module
 */

/** The traces, by the rule that they break. */
export const SIZE_EXAMPLES: readonly (readonly [string, string])[] = [
  [
    "size-after-data/fallocated",
    `
  task/0 allocator-10 i_size_write ino=12 size=4096
+ task/0 allocator-10 i_size_write ino=12 size=8192
  task/0 allocator-10 fallocate ino=12 offset=0 bytes=8192 ret=0
`,
  ],
  [
    "completion-resources/nothing-behind-end",
    `
  task/0 umount-11 evict_inodes sb=sda
- task/0 umount-11 oops rule=completion-resources/nothing-behind-end obj=inode 12 msg=it has blocks behind its end
`,
  ],
  [
    "mapping-and-bios/mapped-first",
    `
  task/0 writer-10 direct_IO iocb=2 ino=131 rw=read offset=0 bytes=4096 is_sync=1
  task/0 writer-10 dio_alloc dio=2 iocb=2 ino=131 rw=read
  task/0 writer-10 inode_dio_begin ino=131 dio=2 count=1
+ task/0 writer-10 get_block dio=2 ino=131 iblock=0 blocks=1 ret=0 b_state=1
  task/0 writer-10 submit_bio bio=2 dio=2 rw=read
`,
  ],
  [
    "mapping-and-bios/in-order",
    `
  task/0 reader-10 direct_IO iocb=1 ino=12 rw=write is_sync=1
  task/0 reader-10 dio_alloc dio=1 iocb=1 ino=12 rw=write
  task/0 reader-10 inode_dio_begin ino=12 dio=1 count=1
- task/0 reader-10 get_block dio=1 ino=12 ret=0
`,
  ],
  [
    "convert-only-written/inside",
    `
  task/2 other-12 direct_IO iocb=2 ino=132 rw=write offset=4096 bytes=4096 is_sync=1
  task/2 other-12 dio_alloc dio=2 iocb=2 ino=132 rw=write
  task/2 other-12 inode_dio_begin ino=132 dio=2 count=1
  task/2 other-12 get_block dio=2 ino=132 iblock=1 blocks=1 ret=0 b_state=27
  task/2 other-12 dio_set_defer_completion dio=2 sb=sda
  task/2 other-12 submit_bio bio=2 dio=2 rw=write size=4096
- task/2 other-12 convert_unwritten ino=132 offset=4096 bytes=4096 ret=0
`,
  ],
  [
    "convert-only-written/range",
    `
  task/2 other-12 direct_IO iocb=2 ino=132 rw=write is_sync=1
  task/2 other-12 dio_alloc dio=2 iocb=2 ino=132 rw=write
  task/2 other-12 inode_dio_begin ino=132 dio=2 count=1
- task/2 other-12 convert_unwritten ino=132 ret=0
`,
  ],
  [
    "convert-only-written/no-new-block-inside",
    `
# v6.1
  task/0 writer-10 direct_IO iocb=3 ino=12 rw=write offset=12288 bytes=4096 is_sync=1
- task/0 writer-10 dio_alloc dio=3 iocb=3 ino=12 rw=write i_size=1048576
+ task/0 writer-10 dio_alloc dio=3 iocb=3 ino=12 rw=write
  task/0 writer-10 inode_dio_begin ino=12 dio=3 count=1
  task/0 writer-10 get_block dio=3 ino=12 iblock=3 blocks=1 ret=0 b_state=3
`,
  ],
  [
    "convert-only-written/not-after-an-error",
    `
# v6.1
  task/0 writer-10 io_submit iocb=1 ino=131 rw=write offset=0
  task/0 writer-10 direct_IO iocb=1 ino=131 rw=write bytes=12288
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=131 rw=write
  task/0 writer-10 inode_dio_begin ino=131 dio=1 count=1
  task/0 writer-10 get_block dio=1 ino=131 iblock=0 blocks=3 ret=0 b_state=1
  task/0 writer-10 dio_page_error dio=1
  task/0 writer-10 submit_bio bio=1 dio=1 rw=write size=12288
  softirq/1 <idle>-0 bio_endio bio=1 dio=1 error=0
  softirq/1 <idle>-0 dio_bio_end_aio dio=1 bio=1
  softirq/1 <idle>-0 bio_put bio=1 dio=1
  softirq/1 <idle>-0 dio_complete dio=1 iocb=1 ret=0
  softirq/1 <idle>-0 end_io dio=1 iocb=1 ino=131 fn=xfs_end_io_direct_write
- softirq/1 <idle>-0 convert_unwritten ino=12 offset=0 bytes=8192 ret=0
`,
  ],
  [
    "size-after-data/append-waited-for",
    `
  task/2 other-12 direct_IO iocb=2 ino=13 rw=write offset=4096 bytes=4096 is_sync=1
  task/2 other-12 dio_alloc dio=2 iocb=2 ino=13 rw=write i_size=4096
  task/2 other-12 inode_dio_begin ino=13 dio=2 count=1
  task/2 other-12 get_block dio=2 ino=13 iblock=1 blocks=1 ret=0 b_state=3
  task/2 other-12 submit_bio bio=2 dio=2 rw=write size=4096
- task/2 other-12 direct_IO_return iocb=2 ino=13 ret=-529
`,
  ],
  [
    "size-after-data/grown-when-reported",
    `
  task/0 writer-10 io_submit iocb=1 ino=517 rw=write offset=4096
  task/0 writer-10 i_size_write ino=517 size=8192
+ task/0 writer-10 i_size_write ino=517
  task/0 writer-10 buffered_io iocb=1 ino=517 rw=write ret=8192
  task/0 writer-10 ki_pos iocb=1 pos=12288
  task/0 writer-10 aio_complete iocb=1 res=8192
`,
  ],
  [
    "size-after-data/data-first",
    `
# v4.10
  task/0 user-10 direct_IO iocb=1 ino=12 rw=write offset=4096 bytes=8192 is_sync=1
  task/0 user-10 dio_alloc dio=1 iocb=1 ino=12 rw=write i_size=8192
  task/0 user-10 inode_dio_begin ino=12 dio=1 count=1
  task/0 user-10 get_block dio=1 ino=12 iblock=1 blocks=2 ret=0 b_state=1
  task/0 user-10 submit_bio bio=1 dio=1 rw=write
- task/0 user-10 i_size_write ino=12 size=12288
`,
  ],
  [
    "size-after-data/converted-first",
    `
# v4.10
  task/0 user-10 direct_IO iocb=1 ino=131 rw=write offset=4096 bytes=8192 is_sync=1
  task/0 user-10 dio_alloc dio=1 iocb=1 ino=131 rw=write i_size=8192
  task/0 user-10 inode_dio_begin ino=131 dio=1 count=1
  task/0 user-10 get_block dio=1 ino=131 iblock=1 blocks=2 ret=0
  task/0 user-10 get_block dio=1 ino=131 iblock=2 blocks=1 ret=0 b_state=27
- task/0 user-10 i_size_write ino=131 size=12288
`,
  ],
  [
    "size-after-data/truncated",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write offset=0
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write bytes=4096
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write end_io=
  task/0 writer-10 inode_dio_begin ino=12 dio=1 count=1
  task/0 writer-10 get_block dio=1 ino=12 iblock=0 blocks=1 ret=0 b_state=1
  task/0 writer-10 submit_bio bio=1 dio=1 rw=write
  task/1 truncater-11 truncate ino=12 size=0
+ task/1 truncater-11 i_size_write ino=12 size=0
  softirq/3 <idle>-0 bio_endio bio=1 dio=1 error=0
  softirq/3 <idle>-0 dio_bio_end_aio dio=1 bio=1
  softirq/3 <idle>-0 bio_put bio=1 dio=1
  softirq/3 <idle>-0 dio_complete dio=1 iocb=1 ret=0
  softirq/3 <idle>-0 inode_dio_done ino=12 dio=1 count=0
  task/1 truncater-11 truncate_return ino=12 ret=0
`,
  ],
  [
    "size-after-data/only-appends",
    `
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write offset=0 bytes=4096 is_sync=1
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write i_size=4096
  task/1 truncater-11 truncate ino=12 size=0
  task/1 truncater-11 i_size_write ino=12 size=0
- task/0 writer-10 i_size_write ino=12 size=4096
`,
  ],
  [
    "size-after-data/never-backwards",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write i_size=12288
+ task/1 truncater-11 truncate ino=12
  task/1 truncater-11 i_size_write ino=12 size=0
`,
  ],
  [
    "size-after-data/on-disk-follows",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write offset=4096
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write bytes=8192
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write end_io=
  task/0 writer-10 inode_dio_begin ino=12 dio=1 count=1
  task/0 writer-10 get_block dio=1 ino=12 iblock=1 blocks=2 ret=0 b_state=3
  task/0 writer-10 submit_bio bio=1 dio=1 rw=write size=8192
  softirq/1 <idle>-0 bio_endio bio=1 dio=1 error=0
  softirq/1 <idle>-0 dio_bio_end_io dio=1 bio=1
  task/0 writer-10 bio_put bio=1 dio=1
  task/0 writer-10 dio_complete dio=1 iocb=1 ret=0
  task/0 writer-10 inode_dio_done ino=12 dio=1 count=0
- task/0 writer-10 i_disksize_write ino=12
  task/0 writer-10 i_size_write ino=12
  task/0 writer-10 aio_complete iocb=1 res=8192
`,
  ],
  [
    "completion-resources/transactions-closed",
    `
- task/0 writer-10 oops rule=completion-resources/transactions-closed
`,
  ],
  [
    "completion-resources/blocks-accounted",
    `
- task/0 writer-10 oops rule=completion-resources/blocks-accounted
`,
  ],
  [
    "size-after-data/disk-size-at-end",
    `
- task/0 writer-10 oops rule=size-after-data/disk-size-at-end
`,
  ],
  [
    "completion-resources/no-orphan-left",
    `
- task/0 writer-10 oops rule=completion-resources/no-orphan-left
`,
  ],
  [
    "dsync-durable/synced",
    `
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write offset=0 bytes=4096 is_sync=1 dsync=1
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
  task/0 swapper-0 trace_end
`,
  ],
  [
    "dsync-durable/flushed",
    `
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write offset=0 bytes=4096 is_sync=1
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write end_io=
  task/0 writer-10 inode_dio_begin ino=12 dio=1 count=1
  task/0 writer-10 get_block dio=1 ino=12 iblock=0 blocks=1 ret=0 b_state=1
  task/0 writer-10 submit_bio bio=1 dio=1 rw=write
  softirq/1 <idle>-0 bio_endio bio=1 dio=1 error=0
  softirq/1 <idle>-0 dio_bio_end_io dio=1 bio=1
  task/0 writer-10 bio_put bio=1 dio=1
  task/0 writer-10 dio_complete dio=1 iocb=1 ret=0
  task/0 writer-10 inode_dio_done ino=12 dio=1 count=0
+ task/0 writer-10 blkdev_issue_flush ret=0
  task/0 writer-10 generic_write_sync iocb=1 ino=12 ret=0
`,
  ],
  [
    "dsync-durable/fsync-flushes",
    `
- task/0 writer-10 fsync ino=12 ret=0
`,
  ],
  [
    "dsync-durable/not-while-in-flight",
    `
  task/0 writer-10 io_submit iocb=1 ino=12 rw=write offset=0
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write bytes=8192 dsync=1
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write
  task/0 writer-10 dio_set_defer_completion dio=1 sb=sda
  task/0 writer-10 inode_dio_begin ino=12 dio=1 count=1
  task/0 writer-10 get_block dio=1 ino=12 iblock=0 blocks=2 ret=0 b_state=1
  task/0 writer-10 submit_bio bio=1 dio=1 rw=write size=8192
  task/0 writer-10 direct_IO_return iocb=1 ino=12 ret=-529
- kworker/1 kworker/1:0-dio/sda-11 generic_write_sync iocb=1 ino=12 ret=0
`,
  ],
  [
    "cache-coherent/reader-sees-data",
    `
  task/0 writer-10 buffered_io iocb=1 ino=12 rw=read offset=0 ret=4096
  task/0 writer-10 ki_pos iocb=1 pos=4096
- task/0 writer-10 user_read ino=12 offset=0
`,
  ],
  [
    "cache-coherent/invalidated-after-end-io",
    `
# v6.1
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write is_sync=1
  task/0 writer-10 dio_alloc dio=1 iocb=1 ino=12 rw=write
  task/0 writer-10 dio_complete dio=1 iocb=1 ret=0
- task/0 writer-10 invalidate_inode_pages2_range ino=12 ret=0
`,
  ],
  [
    "mapping-and-bios/sectors-of-512",
    `
# v6.1
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write is_sync=1
  task/0 writer-10 blkdev_direct_IO dio=1 iocb=1 rw=write
- task/0 writer-10 submit_bio bio=1 dio=1 rw=write
`,
  ],
  [
    "dsync-durable/fua",
    `
# v6.1
  task/0 writer-10 direct_IO iocb=1 ino=12 rw=write is_sync=1 dsync=1
  task/0 writer-10 blkdev_direct_IO dio=1 iocb=1 rw=write offset=0
- task/0 writer-10 submit_bio bio=1 dio=1 rw=write sector=0
`,
  ],
  [
    "dsync-durable/power-cut",
    `
# v6.1
  task/0 user-10 power_cut
  task/0 user-10 direct_IO iocb=2 ino=12 rw=read offset=0 is_sync=1
  task/0 user-10 direct_IO_return iocb=2 ino=12 ret=8192
- task/0 user-10 user_read ino=12 offset=0
`,
  ],
];

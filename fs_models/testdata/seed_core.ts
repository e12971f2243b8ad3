/**
 * The rows of the 2013 patch outside the filesystems.
 *
 * @module
 */

import { assertEquals, assertNotEquals } from "@std/assert";
import {
  allocWorkqueue,
  BufferHead,
  type Dio,
  DirectIo,
  ENOMEM,
  ENOSPC,
  type Inode,
  type Kernel,
  random,
  setBufferDeferCompletion,
  type Task,
  WQ_MEM_RECLAIM,
} from "../../core/mod.ts";
import type { Xfs } from "../xfs.ts";
import { BLOCK, unwritten, written } from "./mounted.ts";
import {
  after,
  argumentsOfEndIo,
  before,
  MIXED,
  only,
  order,
  queues,
  type SeedRow,
  wrote,
} from "./seed_rig.ts";

/** fs/direct-io.c, buffer_head.h, fs.h, fs/super.c. */
export const CORE_ROWS: readonly SeedRow[] = [
  {
    id: "D1",
    where: "fs/direct-io.c, struct dio",
    change: "added: the request remembers that its completion is deferred",
    here: "Dio.deferCompletion",
    check: () => {
      // Only the first of three mappings asks for it.
      const { ctx } = only(wrote(after("ext4", MIXED)), "dio_complete");
      assertEquals(ctx, "kworker");
    },
  },
  {
    id: "D2",
    where: "fs/direct-io.c, struct dio",
    change: "added: the work item shares memory with the page array",
    here: "Dio.overlay",
    check: () => {
      const overlays: string[] = [];
      class Watching extends DirectIo {
        override *dioAioCompleteWork(dio: Dio): Task<void> {
          overlays.push(dio.overlay);
          yield* super.dioAioCompleteWork(dio);
        }
      }
      const directIo = (kernel: Kernel) => new Watching(kernel);
      wrote(after("xfs", unwritten(1), { directIo }));
      assertEquals(overlays, ["work"]);
    },
  },
  {
    id: "D3",
    where: "fs/direct-io.c, dio_complete(); fs.h, dio_iodone_t",
    change: "removed: end_io is told neither the result nor who waits for it",
    here: "DioOps.endIo",
    check: () => {
      assertEquals(argumentsOfEndIo(before("ext4", written(1))), 6);
      assertEquals(argumentsOfEndIo(after("ext4", written(1))), 4);
    },
  },
  {
    id: "D4",
    where: "fs/direct-io.c, dio_complete()",
    change: "added: the core drops i_dio_count, after end_io and always",
    here: "DioCompletion.completionOrder",
    check: () => {
      const names = ["end_io_return", "inode_dio_done"];
      for (const fs of ["xfs", "ocfs2"]) {
        const old = order(wrote(before(fs, written(1))), ...names);
        assertEquals(old, names.toReversed());
        assertEquals(order(wrote(after(fs, written(1))), ...names), names);
      }
    },
  },
  {
    id: "D5",
    where: "fs/direct-io.c, dio_complete()",
    change:
      "added: the core calls the AIO callback, after that, if nobody waits",
    here: "DioReport.dioReport",
    check: () => {
      const names = ["inode_dio_done", "aio_complete"];
      assertEquals(order(wrote(after("xfs", written(1))), ...names), names);
      const rig = after("xfs", written(1));
      rig.task(rig.sync());
      rig.finish();
      assertEquals(order(rig, ...names), ["inode_dio_done"]);
    },
  },
  {
    id: "D6",
    where: "fs/direct-io.c, dio_complete()",
    change: "added: the dio is freed at the end of its completion",
    here: "DioCompletion.dioFree",
    check: () => {
      const names = ["dio_free", "aio_complete"];
      const old = wrote(before("ext4", unwritten(1)));
      assertEquals(order(old, ...names), names);
      const now = wrote(after("ext4", unwritten(1)));
      assertEquals(order(now, ...names), names.toReversed());
    },
  },
  {
    id: "D7",
    where: "fs/direct-io.c, dio_aio_complete_work()",
    change: "added: a work item that completes the request",
    here: "DioCompletion.dioAioCompleteWork",
    check: () => {
      const rig = wrote(after("ext4", unwritten(1)));
      const start = only(rig, "workqueue_execute_start");
      assertEquals(start["fn"], "dio_aio_complete_work");
      assertEquals(only(rig, "dio_complete")["is_async"], 1);
    },
  },
  {
    id: "D8",
    where: "fs/direct-io.c, dio_bio_end_aio()",
    change:
      "added: the last bio queues that item if the completion is deferred",
    here: "DioCompletion.dioBioEnded",
    check: () => {
      const deferred = wrote(after("ext4", unwritten(1)));
      assertEquals(only(deferred, "queue_work").ctx, "softirq");
      const direct = wrote(after("ext4", written(1)));
      assertEquals(only(direct, "dio_complete").ctx, "softirq");
    },
  },
  {
    id: "D9",
    where: "fs/direct-io.c, dio_bio_end_aio()",
    change: "removed: the last bio does not free the dio",
    here: "DioCompletion.dioBioEnded",
    check: () => {
      const rig = wrote(after("ext4", unwritten(1)));
      assertEquals(only(rig, "dio_free").ctx, "kworker");
    },
  },
  {
    id: "D10",
    where: "fs/direct-io.c, sb_init_dio_done_wq()",
    change:
      "added: a queue named after the superblock, with a rescuer, of the default concurrency",
    here: "DioDeferral.sbInitDioDoneWq",
    check: () => {
      const rig = wrote(after("xfs", unwritten(1)));
      const alloc = only(rig, "alloc_workqueue");
      assertEquals(
        [alloc["name"], alloc["flags"], alloc["max_active"]],
        ["dio/sda", WQ_MEM_RECLAIM, 256],
      );
    },
  },
  {
    id: "D11",
    where: "fs/direct-io.c, sb_init_dio_done_wq()",
    change:
      "added: without memory for the queue the request fails, and only it",
    here: "DioDeferral.sbInitDioDoneWq",
    check: () => {
      const rig = after("xfs", unwritten(1), {
        allocFaults: [{ what: "alloc_workqueue", nth: 1 }],
      });
      rig.task((function* () {
        yield* rig.async();
        yield* rig.async();
      })());
      assertEquals(rig.finish(), [-ENOMEM, BLOCK]);
    },
  },
  {
    id: "D12",
    where: "fs/direct-io.c, sb_init_dio_done_wq()",
    change:
      "added: of two who make the queue, one swap decides, and the loser destroys his own",
    here: "DioDeferral.sbInitDioDoneWq",
    check: () => {
      const made: Set<number> = new Set();
      for (let seed = 1; seed <= 60; seed++) {
        const strategy = random(seed);
        const rig = after("xfs", unwritten(2), { strategy });
        rig.task(rig.async());
        rig.task(rig.async({ offset: BLOCK }));
        assertEquals(rig.finish(), [BLOCK, BLOCK]);
        made.add(rig.events("alloc_workqueue").length);
        assertEquals(
          rig.events("destroy_workqueue").length,
          rig.events("alloc_workqueue").length,
        );
      }
      assertEquals(made, new Set([1, 2]));
    },
  },
  {
    id: "D13",
    where: "fs/direct-io.c, dio_set_defer_completion()",
    change: "added: a request is marked once",
    here: "DioDeferral.dioSetDeferCompletion",
    check: () => {
      only(wrote(after("ext4", MIXED)), "dio_set_defer_completion");
    },
  },
  {
    id: "D14",
    where: "fs/direct-io.c, dio_set_defer_completion()",
    change: "added: the queue is made when there is none",
    here: "DioDeferral.dioSetDeferCompletion",
    check: () => {
      const rig = after("xfs", unwritten(2));
      rig.task((function* () {
        yield* rig.async();
        yield* rig.async({ offset: BLOCK });
      })());
      rig.finish();
      assertEquals(queues(rig), ["dio/sda"]);
      assertEquals(queues(wrote(after("xfs", written(2)))), []);
    },
  },
  {
    id: "D15",
    where: "fs/direct-io.c, get_more_blocks()",
    change: "added: a mapping that succeeded is asked whether to defer",
    here: "DioMapping.getMoreBlocks",
    check: () => {
      const rig = after("xfs", unwritten(1));
      const { writeOps } = rig.fs as Xfs;
      Object.assign(writeOps, {
        getBlock: (_inode: Inode, _iblock: number, bh: BufferHead) => {
          setBufferDeferCompletion(bh);
          return -ENOSPC;
        },
      });
      rig.task(rig.async());
      assertEquals(rig.finish(), [-ENOSPC]);
      assertEquals(queues(rig), []);
    },
  },
  {
    id: "D16",
    where: "fs/direct-io.c, do_blockdev_direct_IO()",
    change: "removed: the submitter that completes does not free the dio again",
    here: "DirectIo.dioDrop",
    check: () => {
      const rig = after("xfs", written(1), {
        device: { completion: "inline" },
      });
      only(wrote(rig), "dio_free");
    },
  },
  {
    id: "B1",
    where: "buffer_head.h, BH_Defer_Completion",
    change: "added: a state bit of the mapping, and its accessors",
    here: "setBufferDeferCompletion, BufferHead.deferCompletion",
    check: () => {
      const bh = new BufferHead();
      const { bState } = bh;
      setBufferDeferCompletion(bh);
      assertEquals(bh.deferCompletion, true);
      assertNotEquals(bh.bState, bState);
    },
  },
  {
    id: "F1",
    where: "fs.h, struct super_block",
    change: "added: the queue, NULL until it is needed",
    here: "SuperBlock.sDioDoneWq",
    check: () => {
      assertEquals(after("ext4", written(1)).fs.sb.sDioDoneWq, null);
    },
  },
  {
    id: "S1",
    where: "fs/super.c, generic_shutdown_super()",
    change:
      "added: the queue is destroyed after inodes were evicted, before put_super",
    here: "genericShutdownSuper",
    check: () => {
      const names = ["evict_inodes", "destroy_workqueue", "put_super"];
      assertEquals(order(wrote(after("xfs", unwritten(1))), ...names), names);
    },
  },
  {
    id: "S2",
    where: "fs/super.c, generic_shutdown_super()",
    change: "added: and the superblock forgets it",
    here: "genericShutdownSuper",
    check: () => {
      const rig = after("xfs", unwritten(1));
      const { kernel, fs: { sb } } = rig;
      sb.sDioDoneWq = allocWorkqueue(kernel, "dio/sda", WQ_MEM_RECLAIM, 0);
      rig.finish();
      assertEquals(sb.sDioDoneWq, null);
    },
  },
];

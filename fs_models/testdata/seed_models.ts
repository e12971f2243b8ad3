/**
 * The rows of the 2013 patch in the filesystems.
 *
 * @module
 */

import {
  assertEquals,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { ENOMEM, type Inode } from "../../core/mod.ts";
import type { Ext4 } from "../ext4.ts";
import type { Xfs } from "../xfs.ts";
import { type Mounted, unwritten, written } from "./mounted.ts";
import {
  after,
  argumentsOfEndIo,
  before,
  only,
  order,
  queues,
  type Rig,
  type SeedRow,
  wrote,
} from "./seed_rig.ts";

/** fs/ext4. */
export const EXT4_ROWS: readonly SeedRow[] = [
  {
    id: "E1",
    where:
      "fs/ext4/ext4.h, EXT4_IO_END_DIRECT; page-io.c, ext4_release_io_end()",
    change:
      "removed: whoever releases an io_end drops no count and calls nobody back",
    here: "Ext4IoEnds.ext4ReleaseIoEnd",
    check: () => {
      const worker = (rig: Rig) => only(wrote(rig), "aio_complete").comm;
      const old = worker(before("ext4", unwritten(1)));
      assertStringIncludes(old, "ext4-unrsv-conversion");
      assertStringIncludes(worker(after("ext4", unwritten(1))), "dio/sda");
    },
  },
  {
    id: "E2",
    where: "fs/ext4/ext4.h, ext4_io_end_t; inode.c, ext4_end_io_dio()",
    change: "removed: an io_end knows neither the request nor its result",
    here: "Ext4IoEnd",
    check: () => {
      const has = (rig: Rig) => "iocb" in (rig.fs as Ext4).newIoEnd();
      assertEquals(has(before("ext4", written(1))), true);
      assertEquals(has(after("ext4", written(1))), false);
    },
  },
  {
    id: "E3",
    where:
      "fs/ext4/ext4.h, i_unrsv_conversion_list and _work; super.c, ext4_alloc_inode(); page-io.c, ext4_end_io_unrsv_work()",
    change:
      "removed: conversions of direct I/O have no list and no work of their own",
    here: "Ext4Inode",
    check: () => {
      const fn = (rig: Rig) =>
        only(wrote(rig), "workqueue_execute_start")["fn"];
      assertEquals(fn(before("ext4", unwritten(1))), "ext4_end_io_unrsv_work");
      assertEquals(fn(after("ext4", unwritten(1))), "dio_aio_complete_work");
    },
  },
  {
    id: "E4",
    where: "fs/ext4/ext4.h, ext4_set_io_unwritten_flag()",
    change:
      "removed: no warning about an io_end that has no transaction reserved",
    here: "Ext4IoEnds.ext4SetIoUnwrittenFlag",
    check: () => {
      wrote(after("ext4", unwritten(1)));
    },
  },
  {
    id: "E5",
    where: "fs/ext4/super.c, ext4_fill_super()",
    change: "removed: no workqueue for such conversions is made by a mount",
    here: "Ext4IoEnds",
    check: () => {
      assertEquals(queues(before("ext4", written(1))), [
        "ext4-rsv-conversion",
        "ext4-unrsv-conversion",
      ]);
      assertEquals(queues(after("ext4", written(1))), ["ext4-rsv-conversion"]);
    },
  },
  {
    id: "E6",
    where: "fs/ext4/inode.c, _ext4_get_block()",
    change:
      "added: the mapping asks for deferral when the published io_end has something to convert",
    here: "Ext4Mapping.ext4GetBlockWrite",
    check: () => {
      only(wrote(after("ext4", unwritten(1))), "dio_set_defer_completion");
      const rig = after("ext4", unwritten(1));
      rig.task(rig.sync());
      rig.finish();
      assertEquals(rig.events("dio_set_defer_completion"), []);
    },
  },
  {
    id: "E7",
    where: "fs/ext4/inode.c, ext4_end_io_dio()",
    change: "removed: without an io_end there is nothing to do",
    here: "Ext4.ext4EndIoDio",
    check: () => {
      const between = (rig: Rig) => {
        rig.task(rig.sync());
        rig.finish();
        const begin = only(rig, "end_io").seq;
        const end = only(rig, "end_io_return").seq;
        return end - begin - 1;
      };
      assertEquals(between(after("ext4", written(1))), 0);
      assertNotEquals(between(before("ext4", written(1))), 0);
    },
  },
  {
    id: "E8",
    where: "fs/ext4/inode.c, ext4_end_io_dio()",
    change:
      "changed: the reference is put here and now, not for a worker to convert",
    here: "Ext4.ext4EndIoDio",
    check: () => {
      const names = ["end_io_return", "convert_unwritten"];
      const old = order(wrote(before("ext4", unwritten(1))), ...names);
      assertEquals(old, names);
      const now = order(wrote(after("ext4", unwritten(1))), ...names);
      assertEquals(now, names.toReversed());
    },
  },
  {
    id: "E9",
    where: "fs/ext4/inode.c, ext4_ext_direct_IO()",
    change:
      "removed: the io_end is not marked as direct, nor unmarked when end_io never ran",
    here: "Ext4.ext4ExtDirectIO",
    check: () => {
      const rig = after("ext4", unwritten(1), {
        allocFaults: [{ what: "dio", nth: 1 }],
      });
      rig.task(rig.async());
      assertEquals(rig.finish(), [-ENOMEM]);
      assertEquals(rig.inode.iDioCount, 0);
    },
  },
  {
    id: "E10",
    where: "fs/ext4/page-io.c, ext4_add_complete_io()",
    change:
      "changed: only conversions with a reserved transaction enter, onto the one list",
    here: "Ext4IoEnds.ext4AddCompleteIo",
    check: () => {
      const rig = after("ext4", unwritten(1)) as Mounted<Ext4, Inode>;
      rig.task((function* () {
        const inode = rig.inode as ReturnType<Ext4["createFile"]>;
        const ioEnd = yield* rig.fs.ext4InitIoEnd(inode);
        if (ioEnd !== null) yield* rig.fs.ext4AddCompleteIo(ioEnd);
      })());
      const { bug } = rig.kernel.run();
      assertEquals(bug?.rule, "no-double-deferral/reserved-only");
    },
  },
  {
    id: "E11",
    where: "fs/ext4/super.c, ext4_put_super() and ext4_sync_fs()",
    change: "removed: one workqueue less is flushed and destroyed",
    here: "Ext4IoEnds.putSuper, Ext4IoEnds.syncFs",
    check: () => {
      const destroyed = (rig: Rig) =>
        wrote(rig).events("destroy_workqueue").map((event) => event["name"]);
      assertEquals(destroyed(after("ext4", written(1))), [
        "ext4-rsv-conversion",
      ]);
      assertEquals(destroyed(before("ext4", written(1))).length, 2);
    },
  },
];

/** fs/ocfs2 and fs/xfs. */
export const OTHER_ROWS: readonly SeedRow[] = [
  {
    id: "O1",
    where: "fs/ocfs2/aops.c, ocfs2_dio_end_io()",
    change: "removed: two arguments",
    here: "Ocfs2.ocfs2DioEndIo",
    check: () => {
      assertEquals(argumentsOfEndIo(before("ocfs2", written(1))), 6);
      assertEquals(argumentsOfEndIo(after("ocfs2", written(1))), 4);
    },
  },
  {
    id: "O2",
    where: "fs/ocfs2/aops.c, ocfs2_dio_end_io()",
    change: "removed: the handler drops no count and calls nobody back",
    here: "Ocfs2.ocfs2DioEndIo",
    check: () => {
      const names = ["end_io_return", "inode_dio_done", "aio_complete"];
      const old = order(wrote(before("ocfs2", written(1))), ...names);
      assertEquals(old.at(-1), "end_io_return");
      const now = order(wrote(after("ocfs2", written(1))), ...names);
      assertEquals(now, names);
    },
  },
  {
    id: "X1",
    where: "fs/xfs/xfs_aops.c, xfs_destroy_ioend()",
    change:
      "removed: whoever destroys an ioend drops no count and calls nobody back",
    here: "Xfs.xfsDestroyIoend",
    check: () => {
      const names = ["end_io_return", "aio_complete"];
      const old = order(wrote(before("xfs", written(1))), ...names);
      assertEquals(old, names.toReversed());
      const now = order(wrote(after("xfs", written(1))), ...names);
      assertEquals(now, names);
    },
  },
  {
    id: "X2",
    where:
      "fs/xfs/xfs_aops.h, xfs_ioend_t; xfs_alloc_ioend(); xfs_end_io_direct_write()",
    change:
      "removed: an ioend knows neither the request, nor its result, nor who waits",
    here: "XfsIoend",
    check: () => {
      const has = (rig: Rig) => "isAsync" in (rig.fs as Xfs).newIoend();
      assertEquals(has(before("xfs", written(1))), true);
      assertEquals(has(after("xfs", written(1))), false);
    },
  },
  {
    id: "X3",
    where: "fs/xfs/xfs_aops.c, __xfs_get_blocks()",
    change: "added: a direct write to unwritten blocks asks for deferral",
    here: "XfsBlocks.xfsGetBlocksDirect",
    check: () => {
      only(wrote(after("xfs", unwritten(1))), "dio_set_defer_completion");
      const rig = wrote(after("xfs", written(1)));
      assertEquals(rig.events("dio_set_defer_completion"), []);
    },
  },
  {
    id: "X4",
    where: "fs/xfs/xfs_aops.c, xfs_end_io_direct_write()",
    change:
      "changed: the ioend is always finished here, never by a worker of XFS",
    here: "Xfs.xfsEndIoDirectWrite",
    check: () => {
      const fn = (rig: Rig) =>
        only(wrote(rig), "workqueue_execute_start")["fn"];
      assertEquals(fn(before("xfs", unwritten(1))), "xfs_end_io");
      assertEquals(fn(after("xfs", unwritten(1))), "dio_aio_complete_work");
    },
  },
];

import { assertEquals, assertThrows } from "@std/assert";
import { MemoryDevice } from "../devices/mod.ts";
import { Inode, O_DIRECT, O_DSYNC, SuperBlock } from "./fs.ts";
import { Kernel } from "./kernel.ts";
import { genericShutdownSuper } from "./super.ts";
import type { Task } from "./step.ts";
import { random } from "./strategy.ts";
import { assertClean, doing, Rig, seeds } from "./testdata/identity_fs.ts";
import { WorkItem } from "./work_item.ts";
import { allocWorkqueue } from "./workqueue.ts";

Deno.test("workqueue-life: genericShutdownSuper() evicts inodes, destroys the workqueue, and only then takes the filesystem apart", () => {
  const order: string[] = [];
  const rig = new Rig({
    fs: {
      syncFs: () =>
        doing(() => {
          order.push("syncFs");
        }),
      evictInode: (inode) =>
        doing(() => {
          order.push(
            `evict ${inode.iIno}, queue ${inode.iSb.sDioDoneWq?.name}`,
          );
        }),
      putSuper: (sb) =>
        doing(() => {
          order.push(`putSuper, queue ${sb.sDioDoneWq}`);
        }),
    },
  });
  rig.submit({ fFlags: O_DIRECT | O_DSYNC });
  rig.finish();
  assertEquals(order, [
    "syncFs",
    "evict 12, queue dio/sda",
    "putSuper, queue null",
  ]);
  assertEquals(rig.order("evict_inodes", "destroy_workqueue", "put_super"), [
    "evict_inodes",
    "destroy_workqueue",
    "put_super",
  ]);
  assertEquals(rig.sb.inodes, []);
});

Deno.test("workqueue-life: genericShutdownSuper() waits for what is queued before the filesystem goes (seeds 1 to 100)", () => {
  for (const seed of seeds(100)) {
    const order: string[] = [];
    const rig = new Rig({
      strategy: random(seed),
      fs: {
        putSuper: () =>
          doing(() => {
            order.push("putSuper");
          }),
      },
    });
    const { kernel, sb } = rig;
    const wq = allocWorkqueue(kernel, "dio/sda", 0, 0);
    sb.sDioDoneWq = wq;
    const work = new WorkItem();
    work.init("slow", function* () {
      yield* kernel.sleep(1000);
      order.push("work");
    });
    kernel.spawn(
      "umount",
      (function* (): Task<void> {
        yield* wq?.queueWork(work) ?? [];
        yield* genericShutdownSuper(sb);
      })(),
    );
    assertClean(kernel.run());
    assertEquals(order, ["work", "putSuper"]);
  }
});

Deno.test("genericShutdownSuper() of a filesystem that never deferred has no workqueue to destroy", () => {
  const rig = new Rig();
  rig.submit();
  rig.finish();
  assertEquals(rig.order("alloc_workqueue", "destroy_workqueue"), []);
});

Deno.test("new SuperBlock() refuses blocks smaller than the device's", () => {
  const kernel = new Kernel();
  const device = new MemoryDevice({ sizeBytes: 65536, logicalBlockSize: 4096 });
  assertThrows(
    () =>
      new SuperBlock(kernel, device, 9, { name: "tiny", directIO: () => 0 }),
    RangeError,
    "Cannot mount tiny: its blocks of 512 bytes are smaller than those of sda (4096)",
  );
});

Deno.test("new Inode() has its superblock's block size and is listed there", () => {
  const { sb } = new Rig({ blkbits: 10 });
  const inode = new Inode(sb, 13, 100);
  assertEquals([inode.iBlkbits, inode.iSize, sb.inodes.at(-1)], [
    10,
    100,
    inode,
  ]);
});

Deno.test("Inode.sizeWrite() changes the size and leaves an i_size_write event", () => {
  const { kernel, inode } = new Rig();
  kernel.spawn("truncate", inode.sizeWrite(512));
  assertClean(kernel.run());
  assertEquals(inode.iSize, 512);
  assertEquals(
    [...kernel.trace.events()].map(({ ev, ino, size }) => [ev, ino, size]),
    [["i_size_write", 12, 512]],
  );
});

Deno.test("size-after-data: a write past the end of the file raises its size by what was written", () => {
  const rig = new Rig({ iSize: 4096 });
  assertEquals(rig.result({ offset: 4096, bytes: 8192 }), 8192);
  assertEquals(rig.inode.iSize, 12288);
  assertEquals(rig.order("bio_endio", "i_size_write"), [
    "bio_endio",
    "i_size_write",
  ]);
});

Deno.test("size-after-data: a write past the end of the file that fails leaves its size", () => {
  const rig = new Rig({ iSize: 4096, device: { faults: [{ nth: 1 }] } });
  assertEquals(rig.result({ offset: 4096 }), -5);
  assertEquals([rig.inode.iSize, rig.order("i_size_write")], [4096, []]);
});

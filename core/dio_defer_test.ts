import { assertEquals } from "@std/assert";
import { READ } from "./bio.ts";
import { type BufferHead, setBufferDeferCompletion } from "./buffer_head.ts";
import { DirectIo } from "./dio_submit.ts";
import { EIO, ENOMEM } from "./errno.ts";
import { Inode, O_DIRECT, O_DSYNC } from "./fs.ts";
import type { ProfileName } from "./profile.ts";
import type { Task } from "./step.ts";
import { random } from "./strategy.ts";
import {
  doing,
  FILE_BYTES,
  PROFILES,
  reversedBlock,
  Rig,
  seeds,
} from "./testdata/identity_fs.ts";

const DSYNC = O_DIRECT | O_DSYNC;
const NO_QUEUE = [{ what: "alloc_workqueue", nth: 1 }];

/** Maps one block, and asks for deferral if it is the given one. */
function deferring(block: number) {
  return (inode: Inode, iblock: number, bh: BufferHead): number => {
    if (iblock === block) setBufferDeferCompletion(bh);
    return reversedBlock(inode, iblock, bh);
  };
}

Deno.test("no-sleep-in-interrupt: a mapping that asks for deferral gets its end_io called in a kworker, where it may sleep (seeds 1 to 100)", () => {
  for (const profile of PROFILES) {
    const contexts = new Set<string>();
    for (const seed of seeds(100)) {
      const rig: Rig = new Rig({
        profile,
        strategy: random(seed),
        ops: {
          // A later mapping that does not ask takes nothing back.
          getBlock: deferring(0),
          *endIo(): Task<number> {
            contexts.add(rig.kernel.current.kind);
            yield* rig.kernel.sleep(100);
            return 0;
          },
        },
      });
      assertEquals(rig.result({ bytes: 8192 }), 8192, `random(${seed})`);
      const unsafe = rig.events("might_sleep").filter(({ ctx }) =>
        ctx !== "task" && ctx !== "kworker"
      );
      assertEquals(unsafe, []);
    }
    // In some orders the submitter is last and completes the request itself.
    assertEquals(contexts, new Set(["kworker", "task"]));
  }
});

Deno.test("dsync-durable: an asynchronous O_DSYNC write is completed in a kworker of dio/sda", () => {
  for (const profile of PROFILES) {
    const rig = new Rig({ profile });
    assertEquals(rig.result({ fFlags: DSYNC }), 4096);
    const [sync] = rig.events("generic_write_sync");
    assertEquals([sync?.ctx, sync?.comm], ["kworker", sync?.comm]);
    assertEquals(sync?.comm.endsWith("-dio/sda"), true);
    assertEquals(rig.order("dio_set_defer_completion").length, 1);
  }
});

Deno.test("dsync-durable: a write to an inode that is sync itself is made stable as well", () => {
  const rig = new Rig();
  rig.inode.sync = true;
  assertEquals(rig.result(), 4096);
  assertEquals(rig.order("generic_write_sync").length, 1);
});

Deno.test("dsync-durable: a write that is waited for is made stable by its caller, once, without deferral", () => {
  for (const profile of PROFILES) {
    const rig = new Rig({ profile });
    rig.submitSync({ fFlags: DSYNC });
    assertEquals(rig.finish()[0]?.res, 4096);
    assertEquals(
      rig.order("alloc_workqueue", "dio_free", "generic_write_sync"),
      [
        "dio_free",
        "generic_write_sync",
      ],
    );
  }
});

Deno.test("dsync-durable: an O_DSYNC read is not deferred", () => {
  const rig = new Rig({ profile: "v6.1" });
  assertEquals(rig.result({ fFlags: DSYNC, rw: READ }), 4096);
  assertEquals(rig.order("alloc_workqueue", "generic_write_sync"), []);
});

/** An O_DSYNC write whose sync and whose bio may fail. */
function synced(profile: ProfileName, fsync: number, bioFails: boolean): {
  res: number;
  syncs: number;
} {
  const rig = new Rig({
    profile,
    device: { faults: bioFails ? [{ nth: 1 }] : [] },
    fs: {
      fsync: () =>
        doing(() => {
          return fsync;
        }),
    },
  });
  const res = rig.result({ fFlags: DSYNC });
  return { res, syncs: rig.order("generic_write_sync").length };
}

Deno.test("error-reported: dioWriteSync() reports the error of the sync for a write that succeeded", () => {
  for (const profile of ["v3.12", "v4.10", "v6.1"] as const) {
    assertEquals(synced(profile, -ENOMEM, false), { res: -ENOMEM, syncs: 1 });
  }
});

Deno.test("error-reported: dioWriteSync() of a failed write keeps its error, and only v3.12 syncs it", () => {
  assertEquals(synced("v3.12", 0, true), { res: -EIO, syncs: 1 });
  assertEquals(synced("v3.12", -ENOMEM, true), { res: -EIO, syncs: 1 });
  assertEquals(synced("v4.10", 0, true), { res: -EIO, syncs: 0 });
  assertEquals(synced("v6.1", -ENOMEM, true), { res: -EIO, syncs: 0 });
});

Deno.test("workqueue-life: sbInitDioDoneWq() makes one queue for all requests of a superblock", () => {
  const rig = new Rig();
  for (let i = 0; i < 3; i++) rig.submit({ offset: i * 4096, fFlags: DSYNC });
  rig.finish();
  assertEquals(rig.events("alloc_workqueue").map(({ name }) => name), [
    "dio/sda",
  ]);
});

Deno.test("workqueue-life: sbInitDioDoneWq() in a race keeps one queue and destroys the other (seeds 1 to 400)", () => {
  for (const profile of PROFILES) {
    let races = 0;
    for (const seed of seeds(400)) {
      const rig = new Rig({ profile, strategy: random(seed) });
      rig.submit({ fFlags: DSYNC });
      // A second file of the filesystem: i_mutex does not keep the two apart.
      rig.submit({ fFlags: DSYNC, inode: new Inode(rig.sb, 13, FILE_BYTES) });
      rig.finish();
      const made = rig.events("alloc_workqueue").map(({ wq }) => wq);
      const gone = rig.events("destroy_workqueue").map(({ wq }) => wq);
      const used = new Set(rig.events("queue_work").map(({ wq }) => wq));
      assertEquals(gone.toSorted(), made, `random(${seed})`);
      if (made.length < 2) continue;
      races++;
      assertEquals(made.length, 2);
      assertEquals(used.size <= 1, true, `random(${seed})`);
      assertEquals(used.has(gone[0]), false, `random(${seed})`);
    }
    assertEquals(races > 10, true, `${races} of 400 runs raced`);
  }
});

Deno.test("workqueue-life: in v6.1 the first asynchronous write makes the queue, and nothing else does", () => {
  const makes = (profile: ProfileName, async: boolean, rw?: typeof READ) => {
    const rig = new Rig({ profile });
    const request = rw === undefined ? {} : { rw };
    if (async) rig.submit(request);
    else rig.submitSync(request);
    rig.finish();
    return rig.order("alloc_workqueue").length;
  };
  assertEquals(makes("v6.1", true), 1);
  assertEquals(makes("v6.1", true, READ), 0);
  assertEquals(makes("v6.1", false), 0);
  assertEquals(makes("v3.12", true), 0);
});

Deno.test("dio-count-balanced: dioPrepareDeferral() answers -ENOMEM when there is no queue, and the count stays untouched", () => {
  const cases: [ProfileName, number][] = [
    ["v3.12", DSYNC],
    ["v6.1", DSYNC],
    ["v6.1", O_DIRECT],
  ];
  for (const [profile, fFlags] of cases) {
    const rig = new Rig({ profile, allocFaults: NO_QUEUE });
    assertEquals(rig.result({ fFlags }), -ENOMEM);
    assertEquals(
      rig.order(
        "dio_alloc",
        "inode_dio_begin",
        "submit_bio",
        "end_io",
        "dio_free",
      ),
      ["dio_alloc", "dio_free"],
    );
  }
});

Deno.test("workqueue-life: dioSetDeferCompletion() that fails in the second piece waits for the bio of the first and completes in the submitter with -ENOMEM (seeds 1 to 200)", () => {
  for (const seed of seeds(200)) {
    const rig = new Rig({
      strategy: random(seed),
      allocFaults: NO_QUEUE,
      ops: { getBlock: deferring(1), endIo: () => 0 },
    });
    assertEquals(rig.result({ bytes: 8192 }), -ENOMEM, `random(${seed})`);
    assertEquals(
      rig.order("bio_endio", "dio_complete", "queue_work"),
      ["bio_endio", "dio_complete"],
    );
    const [complete] = rig.events("dio_complete");
    assertEquals(
      [complete?.ctx, complete?.ret, complete?.is_async, complete?.result],
      ["task", -ENOMEM, 0, 4096],
    );
  }
});

Deno.test("cache-coherent: dioMustDefer() in v6.1 defers a write that finds cached pages, and no read", () => {
  const contexts = (["v3.12", "v6.1"] as const).map((profile) => {
    const rig = new Rig({ profile });
    // One that the write is not about.
    rig.inode.iMapping.add(9).unlock(rig.kernel);
    rig.submit({ data: 1 });
    rig.submit({ data: 2, rw: READ });
    rig.finish();
    return rig.events("dio_complete").map(({ ctx }) => ctx).toSorted();
  });
  assertEquals(contexts, [["softirq", "softirq"], ["kworker", "softirq"]]);
});

Deno.test("workqueue-life: dioQueueCompletion() without a queue is a KernelBug", () => {
  class Forgetful extends DirectIo {
    override sbInitDioDoneWq(): Task<number> {
      return doing(() => {
        return 0;
      });
    }
  }
  const rig = new Rig({
    directIo: (kernel) => new Forgetful(kernel),
    ops: { getBlock: deferring(0) },
  });
  rig.submit();
  const { bug } = rig.kernel.run();
  assertEquals(bug?.rule, "workqueue-life/exists-when-queued");
  assertEquals(
    bug?.message,
    "dio 1 is queued but s_dio_done_wq of sda is NULL",
  );
});

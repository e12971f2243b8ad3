import { assert, assertEquals, assertMatch } from "@std/assert";
import { Kernel } from "./kernel.ts";
import { SCHEDULE, type Task } from "./step.ts";
import { random } from "./strategy.ts";
import { assertClean, doing, seeds } from "./testdata/identity_fs.ts";
import { queueAll, Shop } from "./testdata/work_shop.ts";
import { WorkItem } from "./work_item.ts";
import {
  allocWorkqueue,
  WQ_DFL_ACTIVE,
  WQ_MEM_RECLAIM,
  WQ_UNBOUND,
} from "./workqueue.ts";

Deno.test("Workqueue.queueWork() runs an item in a kworker, which may sleep", () => {
  const shop = new Shop();
  let kind = "";
  const work = new WorkItem();
  work.init("work", function* () {
    kind = shop.kernel.current.kind;
    yield* shop.kernel.sleep(100);
  });
  shop.kernel.raise("softirq", {
    *irq(): Task<void> {
      yield* shop.wq.queueWork(work);
    },
  }, null);
  assertClean(shop.kernel.run());
  assertEquals(kind, "kworker");
  assertEquals(
    shop.events(
      "ev",
      "queue_work",
      "workqueue_execute_start",
      "workqueue_execute_end",
    ),
    ["queue_work", "workqueue_execute_start", "workqueue_execute_end"],
  );
});

Deno.test("Workqueue.queueWork() of a pending item says false and runs it once", () => {
  const shop = new Shop();
  const answers: boolean[] = [];
  const work = shop.item("work");
  shop.spawn("a", function* () {
    answers.push(yield* shop.wq.queueWork(work));
    answers.push(yield* shop.wq.queueWork(work));
  });
  assertClean(shop.kernel.run());
  assertEquals([answers, shop.done], [[true, false], ["work"]]);
});

Deno.test("Workqueue.queueWork() of an item that has begun runs it again", () => {
  const shop = new Shop();
  const work = new WorkItem();
  let runs = 0;
  work.init("work", function* () {
    if (++runs === 1) assertEquals(yield* shop.wq.queueWork(work), true);
  });
  shop.spawn("a", () => shop.wq.queueWork(work));
  assertClean(shop.kernel.run());
  assertEquals(runs, 2);
});

Deno.test("completion-concurrency: an unbound Workqueue runs maxActive items at once in all, and in some order all of those (seeds 1 to 100)", () => {
  let most = 0;
  for (const seed of seeds(100)) {
    const shop = new Shop(WQ_UNBOUND, 2, { strategy: random(seed), nrCpus: 4 });
    shop.spawn("a", () => queueAll(shop, 3));
    shop.spawn("b", () => queueAll(shop, 3));
    assertClean(shop.kernel.run());
    assertEquals(shop.done.length, 6);
    assert(shop.most <= 2, `random(${seed}): ${shop.most} items at once`);
    most = Math.max(most, shop.most);
  }
  assertEquals(most, 2);
});

Deno.test("completion-concurrency: a bound Workqueue limits its items per processor", () => {
  const shop = new Shop(0, 2);
  shop.open = false;
  const body = function* (): Task<void> {
    yield* queueAll(shop, 5);
    yield SCHEDULE;
  };
  shop.spawn("on cpu 0", body);
  shop.spawn("on cpu 1", body);
  shop.kernel.run();
  assertEquals(shop.most, 4);
});

Deno.test("completion-concurrency: an item that waits keeps no other from running, unless max_active is 1", () => {
  const done = [WQ_DFL_ACTIVE, 1].map((maxActive) => {
    const shop = new Shop(WQ_UNBOUND, maxActive);
    shop.open = false;
    const blocked = shop.item("blocked");
    const quick = new WorkItem();
    quick.init("quick", () =>
      doing(() => {
        shop.done.push("quick");
      }));
    shop.spawn("a", function* () {
      yield* shop.wq.queueWork(blocked);
      yield* shop.wq.queueWork(quick);
    });
    assertMatch(
      shop.kernel.run().hung ?? "",
      /waits since \d+ ns for the gate/,
    );
    return shop.done;
  });
  assertEquals(done, [["quick"], []]);
});

Deno.test("Workqueue.flush() waits for the items queued before it, in every order (seeds 1 to 200)", () => {
  for (const seed of seeds(200)) {
    const shop = new Shop(WQ_UNBOUND, 0, { strategy: random(seed) });
    shop.spawn("a", function* () {
      yield* queueAll(shop, 3);
      yield* shop.wq.flush();
      assertEquals(shop.done.length >= 3, true, `random(${seed})`);
    });
    assertClean(shop.kernel.run());
  }
});

Deno.test("Workqueue.flush() does not wait for an item queued after it began", () => {
  const shop = new Shop(WQ_UNBOUND);
  let flushed = false;
  const first = new WorkItem();
  first.init("first", function* () {
    yield* shop.kernel.sleep(1000);
  });
  shop.spawn("flusher", function* () {
    yield* shop.wq.queueWork(first);
    yield* shop.wq.flush();
    flushed = true;
  });
  shop.spawn("later", function* () {
    shop.open = false;
    yield* shop.wq.queueWork(shop.item("blocked for ever"));
  });
  shop.kernel.run();
  assertEquals([flushed, shop.active], [true, 1]);
});

Deno.test("Workqueue.drain() also waits for the items that items queue", () => {
  const shop = new Shop();
  let depth = 0;
  const work = new WorkItem();
  work.init("work", function* () {
    yield SCHEDULE;
    if (++depth < 5) yield* shop.wq.queueWork(work);
  });
  shop.spawn("a", function* () {
    yield* shop.wq.queueWork(work);
    yield* shop.wq.drain();
    assertEquals(depth, 5);
  });
  assertClean(shop.kernel.run());
});

Deno.test("workqueue-life: Workqueue.destroy() drains before the queue is gone (seeds 1 to 100)", () => {
  for (const seed of seeds(100)) {
    const shop = new Shop(WQ_MEM_RECLAIM, 0, { strategy: random(seed) });
    shop.spawn("a", function* () {
      yield* queueAll(shop, 3);
      yield* shop.wq.destroy();
      assertEquals([shop.done.length, shop.wq.destroyed], [3, true]);
    });
    assertClean(shop.kernel.run());
    const events = shop.events(
      "ev",
      "workqueue_execute_end",
      "destroy_workqueue",
    );
    assertEquals(events.at(-1), "destroy_workqueue");
  }
});

Deno.test("workqueue-life: Workqueue.queueWork() after destroy() is a KernelBug", () => {
  const shop = new Shop();
  shop.spawn("a", function* () {
    yield* shop.wq.destroy();
    yield* shop.wq.queueWork(shop.item("late"));
  });
  const { bug } = shop.kernel.run();
  assertEquals(bug?.rule, "workqueue-life/alive-when-queued");
  assertEquals(
    bug?.message,
    "late is queued on dio/sda after that was destroyed",
  );
});

Deno.test("allocWorkqueue() gives null when the allocation fails, and says what it made otherwise", () => {
  const kernel = new Kernel({
    allocFaults: [{ what: "alloc_workqueue", nth: 1 }],
  });
  assertEquals(allocWorkqueue(kernel, "dio/sda", WQ_MEM_RECLAIM, 0), null);
  assertEquals(allocWorkqueue(kernel, "dio/sda", WQ_MEM_RECLAIM, 0)?.id, 1);
  assertEquals(
    [...kernel.trace.events()].filter(({ ev }) => ev === "alloc_workqueue")
      .map(({ name, flags, max_active }) => [name, flags, max_active]),
    [["dio/sda", WQ_MEM_RECLAIM, WQ_DFL_ACTIVE]],
  );
});

const NO_WORKER = [1, 2, 3, 4].map((nth) => ({ what: "kworker", nth }));

Deno.test("completion-concurrency: a Workqueue with WQ_MEM_RECLAIM runs its items one at a time in a rescuer when no worker can be made", () => {
  for (const seed of seeds(50)) {
    const shop = new Shop(WQ_MEM_RECLAIM, 0, {
      allocFaults: NO_WORKER,
      strategy: random(seed),
    });
    shop.spawn("a", () => queueAll(shop, 4));
    assertClean(shop.kernel.run());
    assertEquals([shop.done.length, shop.most], [4, 1]);
    assertEquals(
      new Set(shop.events("comm", "workqueue_execute_start")),
      new Set(["dio/sda"]),
    );
  }
});

Deno.test("completion-concurrency: the rescuer of a Workqueue lets the items of every processor go on", () => {
  const shop = new Shop(WQ_MEM_RECLAIM, 1, {
    allocFaults: NO_WORKER.slice(0, 2),
  });
  const body = function* (): Task<void> {
    yield* queueAll(shop, 3);
    yield SCHEDULE;
    yield* shop.wq.flush();
  };
  shop.spawn("on cpu 0", body);
  shop.spawn("on cpu 1", body);
  assertClean(shop.kernel.run());
  assertEquals(shop.done.length, 6);
});

Deno.test("completion-concurrency: a Workqueue without WQ_MEM_RECLAIM leaves an item lying when no worker can be made, and who waits for it is hung", () => {
  const shop = new Shop(0, 0, { allocFaults: NO_WORKER });
  shop.spawn("umount", function* () {
    yield* queueAll(shop, 1);
    yield* shop.wq.destroy();
  });
  assertEquals(
    shop.kernel.run().hung,
    "nobody is left to wake the one who waits; task umount-10 waits since 100 ns for workqueue dio/sda to become idle, and nobody has ever woken that queue",
  );
});

Deno.test("Workqueue names its workers as the kernel does, and uses them again", () => {
  const names = [WQ_UNBOUND, 0].map((flags) => {
    const shop = new Shop(flags);
    shop.spawn("a", function* () {
      yield* queueAll(shop, 2);
      yield* shop.wq.flush();
      yield* queueAll(shop, 1);
    });
    assertClean(shop.kernel.run());
    return shop.events("comm", "workqueue_execute_start");
  });
  assertEquals(names[0]?.slice(0, 2), [
    "kworker/u4:0-dio/sda",
    "kworker/u4:1-dio/sda",
  ]);
  assertEquals(names[0]?.slice(0, 2).includes(names[0]?.[2]), true);
  assert(
    names[1]?.every((name) => /^kworker\/\d+:\d+-dio\/sda$/.test(String(name))),
  );
});

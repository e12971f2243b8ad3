import { assertEquals } from "@std/assert";
import { Kernel } from "./kernel.ts";
import { inodeDioBegin, inodeDioWait } from "./inode_dio.ts";
import { Mutex } from "./lock.ts";
import { pct } from "./pct.ts";
import { replay } from "./replay.ts";
import { RwSemaphore } from "./rwsem.ts";
import { readStep, SCHEDULE, type Task, writeStep } from "./step.ts";
import { fifo, random, type Strategy } from "./strategy.ts";
import { assertClean, doing, Rig, seeds } from "./testdata/identity_fs.ts";
import { withoutTimes } from "./testdata/without_times.ts";
import { Shop } from "./testdata/work_shop.ts";
import { WaitQueue } from "./wait.ts";

/** Every way in which the runs of some seeds hang, times left out. */
function reportsOf(
  count: number,
  run: (strategy: Strategy) => Kernel,
): Set<string | null> {
  return new Set(
    seeds(count).map((seed) => {
      const { hung } = run(random(seed)).run();
      return hung && withoutTimes(hung);
    }),
  );
}

Deno.test("Kernel.run() reports a deadlock of two locks as a circle, and who has which lock", () => {
  const reports = reportsOf(100, (strategy) => {
    const kernel = new Kernel({ strategy });
    const a = new Mutex(kernel, "i_mutex");
    const b = new Mutex(kernel, "cluster_lock");
    const both = function* (first: Mutex, second: Mutex): Task<void> {
      yield* first.lock(kernel);
      yield* second.lock(kernel);
      second.unlock(kernel);
      first.unlock(kernel);
    };
    kernel.spawn("fio", both(a, b));
    kernel.spawn("rm", both(b, a));
    return kernel;
  });
  assertEquals(
    reports,
    new Set([
      null,
      "deadlock of task fio-10 and task rm-11; task fio-10 waits for cluster_lock held by task rm-11; task rm-11 waits for i_mutex held by task fio-10",
    ]),
  );
});

Deno.test("Kernel.run() leaves the report of a deadlock in the trace, as hung_task", () => {
  const kernel = new Kernel();
  const mutex = new Mutex(kernel, "i_mutex");
  kernel.spawn("rm", twice(kernel, mutex));
  const { hung } = kernel.run();
  const { ev, msg } = kernel.trace.event(kernel.trace.count - 1);
  assertEquals([ev, msg], ["hung_task", hung ?? ""]);
});

function* twice(kernel: Kernel, mutex: Mutex): Task<void> {
  yield* mutex.lock(kernel);
  yield* mutex.lock(kernel);
}

Deno.test("Kernel.run() reports a lock that is taken twice, and since when", () => {
  const kernel = new Kernel();
  kernel.spawn("rm", twice(kernel, new Mutex(kernel, "i_mutex")));
  assertEquals(
    kernel.run().hung,
    "task rm-10 deadlocks with itself; task rm-10 waits since 100 ns for i_mutex held by task rm-10",
  );
});

Deno.test("Kernel.run() names the readers of a semaphore that a writer waits for", () => {
  const kernel = new Kernel();
  const sem = new RwSemaphore(kernel, "i_rwsem");
  kernel.spawn("a", sem.downRead(kernel));
  kernel.spawn(
    "b",
    (function* (): Task<void> {
      yield* sem.downRead(kernel);
      yield* sem.downWrite(kernel);
    })(),
  );
  assertEquals(
    kernel.run().hung,
    "task b-11 deadlocks with itself; task b-11 waits since 200 ns for i_rwsem held by task a-10, which has ended and task b-11",
  );
});

Deno.test("Kernel.run() tells that who holds a lock has ended without releasing it", () => {
  const kernel = new Kernel();
  const mutex = new Mutex(kernel, "i_mutex");
  kernel.spawn("fio", mutex.lock(kernel));
  kernel.spawn("rm", mutex.lock(kernel));
  assertEquals(
    kernel.run().hung,
    "nobody is left to wake the one who waits; task rm-11 waits since 200 ns for i_mutex held by task fio-10, which has ended",
  );
});

Deno.test("Kernel.run() reports an inode_dio_wait() that never ends, with the count", () => {
  const rig = new Rig();
  const { kernel, inode } = rig;
  kernel.spawn("fio", inodeDioBegin(inode, 0));
  kernel.spawn("rm", inodeDioWait(inode));
  assertEquals(
    kernel.run().hung,
    "nobody is left to wake the one who waits; task rm-11 waits since 200 ns for i_dio_count of inode 12 to drop to 0 (it is 1), and nobody has ever woken that queue",
  );
});

/** A consumer that tests its condition, and only then joins the queue. */
function hasty(strategy: Strategy): Kernel {
  const kernel = new Kernel({ strategy });
  const stock = { count: 0, addr: kernel.newAddr() };
  const queue = new WaitQueue(kernel, "something to eat", {
    state: () => `there is ${stock.count}`,
  });
  kernel.spawn(
    "hasty",
    (function* (): Task<void> {
      for (;;) {
        yield readStep(stock.addr);
        if (stock.count > 0) break;
        yield queue.step;
        queue.prepareToWait(kernel);
        yield SCHEDULE;
      }
      queue.finishWait(kernel);
    })(),
  );
  kernel.spawn(
    "cook",
    (function* (): Task<void> {
      yield writeStep(stock.addr);
      stock.count++;
      yield queue.step;
      queue.wakeUp(kernel);
    })(),
  );
  return kernel;
}

Deno.test("Kernel.run() shows a lost wake-up: the condition holds, and the wake-up came before the wait (seeds 1 to 500)", () => {
  assertEquals(
    reportsOf(500, hasty),
    new Set([
      null,
      "nobody is left to wake the one who waits; task hasty-10 waits for something to eat (there is 1); the last wake-up of that queue came too early, by task cook-11",
    ]),
  );
});

Deno.test("Kernel.run() reports a workqueue that is flushed by its own worker as a deadlock", () => {
  const shop = new Shop();
  const work = shop.item("flusher");
  work.init("flush_work", () => shop.wq.flush());
  shop.spawn("fio", () => shop.wq.queueWork(work));
  assertEquals(
    withoutTimes(shop.kernel.run().hung ?? ""),
    "kworker kworker/0:0-dio/sda-11 deadlocks with itself; kworker kworker/0:0-dio/sda-11 waits for workqueue dio/sda to become idle, which is up to kworker kworker/0:0-dio/sda-11, and nobody has ever woken that queue",
  );
});

/** Two contexts, each of which gives way as long as the other is there. */
function* polite(flags: boolean[], me: number): Task<void> {
  for (;;) {
    flags[me] = true;
    yield SCHEDULE;
    if (!flags[1 - me]) return;
    yield SCHEDULE;
    flags[me] = false;
    yield SCHEDULE;
  }
}

Deno.test("Kernel.run() reports contexts that give way to each other for ever, and who waits for them, as soft_lockup", () => {
  const kernel = new Kernel({ maxSteps: 5000 });
  const mutex = new Mutex(kernel, "i_mutex");
  const flags = [false, false];
  kernel.spawn(
    "a",
    (function* (): Task<void> {
      yield* mutex.lock(kernel);
      yield* polite(flags, 0);
      mutex.unlock(kernel);
    })(),
  );
  kernel.spawn("b", polite(flags, 1));
  kernel.spawn("c", mutex.lock(kernel));
  const { hung, steps } = kernel.run();
  assertEquals(
    hung,
    "the run does not end: the last 1000 of 6000 steps are of task b-11 and task a-10; nobody else can run to end that; task c-12 waits since 300 ns for i_mutex held by task a-10; if it only takes long, raise maxSteps",
  );
  assertEquals(steps, 6000);
  const { ev, msg } = kernel.trace.event(kernel.trace.count - 1);
  assertEquals([ev, msg], ["soft_lockup", hung ?? ""]);
});

/** One context that spins until another one has set a flag. */
function spinning(strategy: Strategy, step: (addr: number) => number): Kernel {
  const kernel = new Kernel({ strategy, maxSteps: 5000 });
  const addr = kernel.newAddr();
  let done = false;
  kernel.spawn(
    "poll",
    (function* (): Task<void> {
      while (!done) yield step(addr);
    })(),
  );
  kernel.spawn(
    "setter",
    doing(() => {
      done = true;
    }),
  );
  return kernel;
}

Deno.test("Kernel.run() reports a spin that lets nobody else run, and who could have ended it", () => {
  assertEquals(
    spinning(replay([]), readStep).run().hung,
    "the run does not end: the last 1000 of 6000 steps are of task poll-10; task setter-11 could run but never came to it: a spin must let others run (yield SCHEDULE); if it only takes long, raise maxSteps",
  );
});

Deno.test("a spin that gives up the processor ends in a replay, at random and under pct()", () => {
  const yields = () => SCHEDULE;
  const strategies = [
    replay([]),
    ...seeds(20).map(random),
    ...seeds(20).map((seed) => pct({ seed, depth: 1, steps: 10 })),
  ];
  for (const strategy of strategies) {
    assertClean(spinning(strategy, yields).run());
  }
});

Deno.test("a spin that waits for a point of time ends then, at random and under pct()", () => {
  const strategies = [
    fifo(),
    ...seeds(20).map(random),
    ...seeds(20).map((seed) => pct({ seed, depth: 1, steps: 10 })),
  ];
  for (const strategy of strategies) {
    const kernel = new Kernel({ strategy, maxSteps: 5000 });
    let isDone = false;
    kernel.raise(
      "softirq",
      {
        irq: () =>
          doing(() => {
            isDone = true;
          }),
      },
      null,
      10_000,
    );
    kernel.spawn(
      "poll",
      (function* (): Task<void> {
        while (!isDone) yield SCHEDULE;
      })(),
    );
    assertClean(kernel.run());
    assertEquals(kernel.now >= 10_000 && kernel.now < 20_000, true);
  }
});

Deno.test("Kernel.run() tells of a spin who sleeps for longer", () => {
  const kernel = new Kernel({ maxSteps: 5000 });
  kernel.spawn("nap", kernel.sleep(1_000_000));
  kernel.spawn(
    "spin",
    (function* (): Task<void> {
      for (;;) yield SCHEDULE;
    })(),
  );
  assertEquals(
    kernel.run().hung?.split("; ")[2],
    "task nap-10 waits since 100 ns for its time to come",
  );
});

Deno.test("Kernel.run() names three of the contexts that spin, and counts the others", () => {
  const kernel = new Kernel({ maxSteps: 5000 });
  for (let i = 0; i < 5; i++) {
    kernel.spawn(
      `t${i}`,
      (function* (): Task<void> {
        for (;;) yield SCHEDULE;
      })(),
    );
  }
  assertEquals(
    kernel.run().hung?.split("; ")[0],
    "the run does not end: the last 1000 of 6000 steps are of task t0-10, task t1-11, task t2-12 and 2 more",
  );
});

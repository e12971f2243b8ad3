import { assert, assertEquals } from "@std/assert";
import { Kernel } from "./kernel.ts";
import type { KernelOptions } from "./kernel_options.ts";
import { type Lock, Mutex, SpinLock } from "./lock.ts";
import { RwSemaphore } from "./rwsem.ts";
import { SCHEDULE, type Task, writeStep } from "./step.ts";
import { fifo, random } from "./strategy.ts";
import { assertClean, doing, seeds } from "./testdata/identity_fs.ts";
import { withoutTimes } from "./testdata/without_times.ts";

/** Counts who is inside a critical section, and how many were at once. */
class Section {
  inside = 0;
  most = 0;
  entries = 0;

  enter(): void {
    this.entries++;
    this.most = Math.max(this.most, ++this.inside);
  }

  leave(): void {
    this.inside--;
  }
}

/** Every strategy that mutual exclusion is tried under. */
const STRATEGIES = [fifo, ...seeds(200).map((seed) => () => random(seed))];

Deno.test("Mutex keeps all but one out under fifo and random seeds 1 to 200", () => {
  for (const strategy of STRATEGIES) {
    const kernel = new Kernel({ strategy: strategy() });
    const mutex = new Mutex(kernel, "i_mutex");
    const section = new Section();
    const body = function* (): Task<void> {
      for (let i = 0; i < 3; i++) {
        yield* mutex.lock(kernel);
        section.enter();
        yield SCHEDULE;
        section.leave();
        mutex.unlock(kernel);
      }
    };
    for (const name of ["a", "b", "c"]) kernel.spawn(name, body());
    assertClean(kernel.run());
    assertEquals([section.most, section.entries], [1, 9], strategy().name);
    assertEquals(mutex.owner, null);
  }
});

Deno.test("SpinLock keeps all but one out under fifo and random seeds 1 to 200", () => {
  for (const strategy of STRATEGIES) {
    const kernel = new Kernel({ strategy: strategy() });
    const lock = new SpinLock(kernel, "bio_lock");
    const section = new Section();
    const body = function* (): Task<void> {
      yield* lock.lockIrqsave(kernel);
      section.enter();
      yield writeStep(1);
      section.leave();
      lock.unlock(kernel);
    };
    for (const name of ["a", "b"]) kernel.spawn(name, body());
    kernel.raise("softirq", { irq: body }, null);
    kernel.raise("hardirq", { irq: body }, null);
    assertClean(kernel.run());
    assertEquals([section.most, section.entries], [1, 4], strategy().name);
  }
});

Deno.test("RwSemaphore lets readers in together and a writer alone (seeds 1 to 200)", () => {
  let mostReaders = 0;
  for (const strategy of STRATEGIES) {
    const kernel = new Kernel({ strategy: strategy() });
    const sem = new RwSemaphore(kernel, "i_data_sem");
    const readers = new Section();
    const writers = new Section();
    const reader = function* (): Task<void> {
      yield* sem.downRead(kernel);
      readers.enter();
      assertEquals(writers.inside, 0);
      yield SCHEDULE;
      readers.leave();
      sem.upRead(kernel);
    };
    const writer = function* (): Task<void> {
      yield* sem.downWrite(kernel);
      writers.enter();
      assertEquals(readers.inside, 0);
      yield SCHEDULE;
      writers.leave();
      sem.upWrite(kernel);
    };
    for (const name of ["r1", "r2", "r3"]) kernel.spawn(name, reader());
    for (const name of ["w1", "w2"]) kernel.spawn(name, writer());
    assertClean(kernel.run());
    assertEquals([writers.most, writers.entries, readers.entries], [1, 2, 3]);
    mostReaders = Math.max(mostReaders, readers.most);
  }
  assertEquals(mostReaders, 3);
});

Deno.test("RwSemaphore.downgradeWrite() lets readers in and no other writer (seeds 1 to 200)", () => {
  let mostReaders = 0;
  for (const strategy of STRATEGIES) {
    const kernel = new Kernel({ strategy: strategy() });
    const sem = new RwSemaphore(kernel, "i_iolock");
    const readers = new Section();
    let version = 0;
    const writer = function* (): Task<void> {
      yield* sem.downWrite(kernel);
      const mine = ++version;
      sem.downgradeWrite(kernel);
      readers.enter();
      yield SCHEDULE;
      assertEquals(version, mine);
      readers.leave();
      sem.upRead(kernel);
    };
    const reader = function* (): Task<void> {
      yield* sem.downRead(kernel);
      readers.enter();
      yield SCHEDULE;
      readers.leave();
      sem.upRead(kernel);
    };
    for (const name of ["w1", "w2"]) kernel.spawn(name, writer());
    for (const name of ["r1", "r2"]) kernel.spawn(name, reader());
    assertClean(kernel.run());
    assertEquals([version, readers.entries, sem.readers], [2, 4, 0]);
    mostReaders = Math.max(mostReaders, readers.most);
  }
  assertEquals(mostReaders, 3);
});

Deno.test("Mutex may go to any waiter: the strategy decides who gets it", () => {
  const orders = new Set<string>();
  for (const seed of seeds(60)) {
    const kernel = new Kernel({ strategy: random(seed) });
    const mutex = new Mutex(kernel, "i_mutex");
    let order = "";
    for (const name of ["a", "b", "c"]) {
      kernel.spawn(
        name,
        (function* (): Task<void> {
          yield* mutex.lock(kernel);
          order += name;
          yield SCHEDULE;
          mutex.unlock(kernel);
        })(),
      );
    }
    assertClean(kernel.run());
    orders.add(order);
  }
  assertEquals([...orders].sort(), ["abc", "acb", "bac", "bca", "cab", "cba"]);
});

Deno.test("lock-handover: Mutex.unlock() by another context is a KernelBug that names both", () => {
  const kernel = new Kernel();
  const mutex = new Mutex(kernel, "i_mutex");
  kernel.spawn("a", mutex.lock(kernel));
  kernel.spawn(
    "b",
    doing(() => {
      mutex.unlock(kernel);
    }),
  );
  const { bug } = kernel.run();
  assertEquals(bug?.rule, "lock-handover/unlock-by-owner");
  assertEquals(
    bug?.message,
    "i_mutex is released by task b-11 but held by task a-10",
  );
});

Deno.test("lock-handover: an unlock of a free lock is a KernelBug", () => {
  const unlocks: ((kernel: Kernel) => Lock)[] = [
    (kernel) => {
      const lock = new SpinLock(kernel, "lock");
      lock.unlock(kernel);
      return lock;
    },
    (kernel) => {
      const lock = new Mutex(kernel, "lock");
      lock.unlock(kernel);
      return lock;
    },
    (kernel) => {
      const lock = new RwSemaphore(kernel, "lock");
      lock.upWrite(kernel);
      return lock;
    },
    (kernel) => {
      const lock = new RwSemaphore(kernel, "lock");
      lock.upRead(kernel);
      return lock;
    },
  ];
  for (const unlock of unlocks) {
    const kernel = new Kernel();
    kernel.spawn(
      "a",
      doing(() => {
        unlock(kernel);
      }),
    );
    const { bug } = kernel.run();
    assertEquals(bug?.rule, "lock-handover/unlock-by-owner");
    assertEquals(bug?.object, "lock");
  }
});

Deno.test("Mutex that is taken twice by one context is reported as hung", () => {
  const kernel = new Kernel();
  const mutex = new Mutex(kernel, "i_mutex");
  kernel.spawn(
    "a",
    (function* (): Task<void> {
      yield* mutex.lock(kernel);
      yield* mutex.lock(kernel);
    })(),
  );
  assertEquals(
    kernel.run().hung,
    "task a-10 deadlocks with itself; task a-10 waits since 100 ns for i_mutex held by task a-10",
  );
});

Deno.test("no-sleep-in-interrupt: Mutex.lock() under a spinlock leaves a might_sleep event that says so", () => {
  const kernel = new Kernel();
  const spin = new SpinLock(kernel, "bio_lock");
  const mutex = new Mutex(kernel, "i_mutex");
  kernel.spawn(
    "a",
    (function* (): Task<void> {
      yield* spin.lockIrqsave(kernel);
      yield* mutex.lock(kernel);
    })(),
  );
  kernel.run();
  const [event] = kernel.trace.events();
  assertEquals(
    [event?.ev, event?.fn, event?.atomic, event?.irqs_off],
    ["might_sleep", "mutex_lock", 1, 1],
  );
});

/** What a context says about locks when it ends. */
function locksHeld(body: (kernel: Kernel) => Task<unknown>): unknown[] {
  const kernel = new Kernel();
  kernel.spawn("a", body(kernel));
  assertClean(kernel.run());
  return [...kernel.trace.events()]
    .filter(({ ev }) => ev === "locks_held")
    .map(({ held, lock }) => [held, lock]);
}

Deno.test("lock-handover/none-left: a task that ends with locks of its own leaves an event that names the last one", () => {
  const left = locksHeld(function* (kernel) {
    yield* new Mutex(kernel, "i_mutex").lock(kernel);
    yield* new RwSemaphore(kernel, "i_iolock").downWrite(kernel);
  });
  assertEquals(left, [[2, "i_iolock held by task a-10"]]);
});

Deno.test("lock-handover/none-left: a shared lock may be left to somebody else to release", () => {
  const left = locksHeld(function* (kernel) {
    yield* new RwSemaphore(kernel, "i_iolock").downRead(kernel);
  });
  assertEquals(left, []);
});

Deno.test("lock-handover/none-left: a task that gives every lock back leaves no event", () => {
  const left = locksHeld(function* (kernel) {
    const mutex = new Mutex(kernel, "i_mutex");
    const sem = new RwSemaphore(kernel, "i_iolock");
    yield* mutex.lock(kernel);
    yield* sem.downWrite(kernel);
    sem.downgradeWrite(kernel);
    mutex.unlock(kernel);
    sem.upRead(kernel);
    yield* sem.downWrite(kernel);
    sem.upWrite(kernel);
  });
  assertEquals(left, []);
});

/** A task in a critical section, and an interrupt that wants in, on 1 CPU. */
function interrupted(irqsave: boolean, options: KernelOptions): {
  kernel: Kernel;
  order: string[];
} {
  const kernel = new Kernel({ nrCpus: 1, ...options });
  const lock = new SpinLock(kernel, "bio_lock");
  const order: string[] = [];
  kernel.spawn(
    "a",
    (function* (): Task<void> {
      yield* irqsave ? lock.lockIrqsave(kernel) : lock.lock(kernel);
      order.push("task in");
      kernel.raise("softirq", {
        *irq(): Task<void> {
          yield* lock.lockIrqsave(kernel);
          order.push("irq");
          lock.unlock(kernel);
        },
      }, null);
      yield SCHEDULE;
      order.push("task out");
      lock.unlock(kernel);
    })(),
  );
  return { kernel, order };
}

Deno.test("SpinLock.lockIrqsave() keeps an interrupt off its processor until unlock (seeds 1 to 50)", () => {
  for (const seed of seeds(50)) {
    const { kernel, order } = interrupted(true, { strategy: random(seed) });
    assertClean(kernel.run());
    assertEquals(order, ["task in", "task out", "irq"]);
  }
});

Deno.test("SpinLock.lock() without irqsave lets an interrupt of its processor spin for ever, which is reported as hung", () => {
  const reports = new Set<string | null>();
  for (const seed of seeds(50)) {
    const { hung } = interrupted(false, { strategy: random(seed) }).kernel
      .run();
    reports.add(hung && withoutTimes(hung));
  }
  assert(
    reports.has(
      "deadlock of task a-10 and softirq on cpu 0; task a-10 waits for cpu 0; softirq on cpu 0 waits for bio_lock held by task a-10",
    ),
    [...reports].join("\n"),
  );
});

Deno.test("SpinLock.lock() without irqsave is no deadlock when the interrupt has a processor of its own", () => {
  for (const seed of seeds(50)) {
    const { kernel } = interrupted(false, {
      nrCpus: 2,
      strategy: random(seed),
    });
    assertClean(kernel.run());
  }
});

import { assertEquals } from "@std/assert";
import { Kernel } from "./kernel.ts";
import { readStep, SCHEDULE, type Task, writeStep } from "./step.ts";
import { random, type Strategy } from "./strategy.ts";
import { assertClean, doing, seeds } from "./testdata/identity_fs.ts";
import { WaitQueue } from "./wait.ts";

const ITEMS = 3;

/** One producer, two consumers, and a buffer without bound. */
class Shop {
  readonly kernel: Kernel;
  readonly queue: WaitQueue;
  readonly addr: number;
  stock = 0;
  eaten = 0;

  constructor(strategy: Strategy) {
    this.kernel = new Kernel({ strategy });
    this.queue = new WaitQueue(this.kernel, "something to eat");
    this.addr = this.kernel.newAddr();
  }

  *producer(count = 2 * ITEMS): Task<void> {
    for (let i = 0; i < count; i++) {
      yield writeStep(this.addr);
      this.stock++;
      yield this.queue.step;
      this.queue.wakeUp(this.kernel);
    }
  }

  /** Puts itself on the queue, then tests: the order that loses nothing. */
  *consumer(): Task<void> {
    const { kernel, queue } = this;
    for (let i = 0; i < ITEMS; i++) {
      for (;;) {
        yield queue.step;
        queue.prepareToWait(kernel);
        yield writeStep(this.addr);
        if (this.stock > 0) break;
        yield SCHEDULE;
      }
      this.stock--;
      this.eaten++;
      queue.finishWait(kernel);
    }
  }

  /** Tests, then puts itself on the queue: a wake-up in between is lost. */
  *hastyConsumer(): Task<void> {
    const { kernel, queue } = this;
    for (;;) {
      yield readStep(this.addr);
      if (this.stock > 0) break;
      yield queue.step;
      queue.prepareToWait(kernel);
      yield SCHEDULE;
    }
    queue.finishWait(kernel);
  }
}

Deno.test("WaitQueue loses no wake-up of a producer and two consumers (seeds 1 to 500)", () => {
  for (const seed of seeds(500)) {
    const shop = new Shop(random(seed));
    shop.kernel.spawn("c1", shop.consumer());
    shop.kernel.spawn("producer", shop.producer());
    shop.kernel.spawn("c2", shop.consumer());
    assertClean(shop.kernel.run());
    assertEquals([shop.eaten, shop.stock], [2 * ITEMS, 0], `random(${seed})`);
    assertEquals(shop.queue.active, false);
  }
});

Deno.test("WaitQueue shows a test before prepareToWait() to be wrong: some seed of 1 to 500 is reported as hung", () => {
  const reports = new Set<string | null>();
  for (const seed of seeds(500)) {
    const shop = new Shop(random(seed));
    shop.kernel.spawn("hasty", shop.hastyConsumer());
    shop.kernel.spawn("producer", shop.producer(1));
    reports.add(shop.kernel.run().hung?.split("; ")[0] ?? null);
  }
  assertEquals(
    reports,
    new Set([null, "nobody is left to wake the one who waits"]),
  );
});

Deno.test("WaitQueue.wakeUp() wakes everybody, and the trace tells whom", () => {
  const kernel = new Kernel();
  const queue = new WaitQueue(kernel, "door");
  let open = false;
  function* guest(): Task<void> {
    for (;;) {
      queue.prepareToWait(kernel);
      if (open) break;
      yield SCHEDULE;
    }
    queue.finishWait(kernel);
  }
  kernel.spawn("a", guest());
  kernel.spawn("b", guest());
  kernel.spawn(
    "host",
    doing(() => {
      open = true;
      queue.wakeUp(kernel);
    }),
  );
  assertClean(kernel.run());
  assertEquals(
    [...kernel.trace.events()].map(({ ev, pid, target, comm }) => [
      ev,
      pid,
      target,
      comm,
    ]),
    [
      ["wake_up_process", 10, "a", "host"],
      ["wake_up_process", 11, "b", "host"],
    ],
  );
});

Deno.test("WaitQueue.wakeUp() of a context that has not gone to sleep yet keeps it awake", () => {
  const kernel = new Kernel();
  const queue = new WaitQueue(kernel, "door");
  let rounds = 0;
  kernel.spawn(
    "a",
    (function* (): Task<void> {
      queue.prepareToWait(kernel);
      queue.wakeUp(kernel);
      yield SCHEDULE;
      rounds++;
      queue.finishWait(kernel);
    })(),
  );
  assertClean(kernel.run());
  assertEquals(rounds, 1);
});

Deno.test("WaitQueue.finishWait() of a context that never slept leaves it awake", () => {
  const kernel = new Kernel();
  const queue = new WaitQueue(kernel, "door");
  kernel.spawn(
    "a",
    (function* (): Task<void> {
      queue.prepareToWait(kernel);
      queue.finishWait(kernel);
      yield SCHEDULE;
    })(),
  );
  assertClean(kernel.run());
});

Deno.test("WaitQueue.active says whether somebody is on the queue", () => {
  const kernel = new Kernel();
  const queue = new WaitQueue(kernel, "door");
  queue.prepareToWait(kernel);
  queue.prepareToWait(kernel);
  assertEquals(queue.active, true);
  queue.finishWait(kernel);
  assertEquals(queue.active, false);
});

Deno.test("wakeUpProcess() of a context that does not sleep says false and wakes nobody", () => {
  const kernel = new Kernel();
  const ctx = kernel.spawn("a", (function* (): Task<void> {})());
  assertEquals(kernel.wakeUpProcess(ctx), false);
  assertClean(kernel.run());
  assertEquals([...kernel.trace.events()], []);
});

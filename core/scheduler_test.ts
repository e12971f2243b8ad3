import { assert, assertEquals, assertThrows } from "@std/assert";
import { KernelBug } from "./bug.ts";
import { Kernel } from "./kernel.ts";
import { Mutex } from "./lock.ts";
import { SCHEDULE, type Task, writeStep } from "./step.ts";
import { random } from "./strategy.ts";
import { assertClean, doing, seeds } from "./testdata/identity_fs.ts";
import { WaitQueue } from "./wait.ts";

Deno.test("Kernel.sleep() wakes in the order of virtual time, equal times in the order of arrival", () => {
  const kernel = new Kernel();
  const order: string[] = [];
  for (
    const [name, ns] of [["a", 900], ["b", 100], ["c", 900], [
      "d",
      500,
    ]] as const
  ) {
    kernel.spawn(
      name,
      (function* (): Task<void> {
        yield* kernel.sleep(ns - kernel.now + 1000);
        order.push(name);
      })(),
    );
  }
  assertClean(kernel.run());
  assertEquals(order, ["b", "d", "a", "c"]);
  assert(kernel.now >= 1900);
});

Deno.test("Kernel.raise() with a delay interrupts at its virtual time", () => {
  const kernel = new Kernel();
  const times: number[] = [];
  const handler = {
    irq: () =>
      doing(() => {
        times.push(kernel.now);
      }),
  };
  kernel.raise("hardirq", handler, null, 5000);
  kernel.raise("softirq", handler, null, 3000);
  assertClean(kernel.run());
  assertEquals(times.length, 2);
  assert(times[0] !== undefined && times[0] >= 3000 && times[0] < 5000);
  assert(times[1] !== undefined && times[1] >= 5000);
});

Deno.test("Kernel.run() lets nobody's time go backwards in any order (seeds 1 to 50)", () => {
  for (const seed of seeds(50)) {
    const kernel = new Kernel({ strategy: random(seed) });
    let last = 0;
    for (const ns of [300, 100, 200]) {
      kernel.spawn(
        "a",
        (function* (): Task<void> {
          for (let i = 0; i < 3; i++) {
            yield* kernel.sleep(ns);
            assert(kernel.now >= last);
            last = kernel.now;
          }
        })(),
      );
    }
    assertClean(kernel.run());
  }
});

Deno.test("Kernel.run() reports a deadlock as who waits for what", () => {
  const reports = new Set<string | null>();
  for (const seed of seeds(100)) {
    const kernel = new Kernel({ strategy: random(seed) });
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
    const { hung } = kernel.run();
    const last = kernel.trace.event(kernel.trace.count - 1);
    assertEquals(last.ev === "hung_task" ? last.msg : null, hung);
    reports.add(hung);
  }
  assertEquals(
    reports,
    new Set([
      null,
      "task fio-10 waits for cluster_lock held by task rm-11; task rm-11 waits for i_mutex held by task fio-10",
    ]),
  );
});

Deno.test("Kernel.run() says so when a context sleeps that nobody is left to wake", () => {
  const kernel = new Kernel();
  const queue = new WaitQueue(kernel, "i_dio_count of inode 12 to drop to 0");
  kernel.spawn(
    "rm",
    (function* (): Task<void> {
      queue.prepareToWait(kernel);
      yield SCHEDULE;
    })(),
  );
  assertEquals(
    kernel.run().hung,
    "task rm-10 waits for i_dio_count of inode 12 to drop to 0",
  );
});

Deno.test("Kernel.run() stops at maxSteps and says what to do", () => {
  const kernel = new Kernel({ maxSteps: 100 });
  kernel.spawn(
    "spin",
    (function* (): Task<void> {
      for (;;) yield SCHEDULE;
    })(),
  );
  const { hung, steps } = kernel.run();
  assertEquals(
    hung,
    "the run does not end: 101 steps, last ran task spin-10; a spin that never ends, or raise maxSteps",
  );
  assertEquals(steps, 101);
});

Deno.test("Kernel.run() bounds a run that is decided about step by step without being asked to", () => {
  const kernel = new Kernel({ strategy: random(1) });
  kernel.spawn(
    "spin",
    (function* (): Task<void> {
      for (;;) yield writeStep(1);
    })(),
  );
  assertEquals(kernel.run().hung?.startsWith("the run does not end"), true);
});

Deno.test("Kernel.run() stops at a KernelBug, and throws what is no bug of the code under test", () => {
  const kernel = new Kernel();
  kernel.spawn(
    "bad",
    doing(() => {
      throw new KernelBug("one-completion/twice", "iocb 1", "completed twice");
    }),
  );
  assertEquals(kernel.run().bug?.rule, "one-completion/twice");
  const other = new Kernel();
  other.spawn(
    "bad",
    doing(() => {
      throw new RangeError("Cannot do that");
    }),
  );
  assertThrows(() => other.run(), RangeError, "Cannot do that");
});

Deno.test("Kernel with one processor runs a hardirq on top of a softirq, and neither below a task", () => {
  const kernel = new Kernel({ nrCpus: 1 });
  const order: string[] = [];
  const hard = {
    *irq(): Task<void> {
      order.push("hardirq in");
      yield writeStep(1);
      order.push("hardirq out");
    },
  };
  const soft = {
    *irq(): Task<void> {
      order.push("softirq in");
      kernel.raise("hardirq", hard, null);
      kernel.raise("softirq", { irq: () => says("softirq 2") }, null);
      yield SCHEDULE;
      order.push("softirq out");
    },
  };
  function says(what: string): Task<void> {
    return doing(() => {
      order.push(what);
    });
  }
  kernel.spawn(
    "a",
    (function* (): Task<void> {
      order.push("task in");
      kernel.raise("softirq", soft, null);
      yield SCHEDULE;
      order.push("task out");
    })(),
  );
  assertClean(kernel.run());
  const inside = order.slice(
    order.indexOf("softirq in"),
    order.indexOf("softirq out") + 1,
  );
  assertEquals(inside.includes("task out"), false);
  assertEquals(inside.includes("softirq 2"), false);
  assertEquals(
    order.indexOf("hardirq out") - order.indexOf("hardirq in"),
    1,
  );
});

Deno.test("Kernel with one processor nests interrupts properly in every order (seeds 1 to 200)", () => {
  let nested = 0;
  for (const seed of seeds(200)) {
    const kernel = new Kernel({ nrCpus: 1, strategy: random(seed) });
    const stack: string[] = [];
    const handler = function (): { irq(): Task<void> } {
      return {
        *irq(): Task<void> {
          const { kind } = kernel.current;
          stack.push(kind);
          if (stack.length > 1) {
            assertEquals(stack, ["softirq", "hardirq"]);
            nested++;
          }
          yield writeStep(1);
          yield writeStep(1);
          assertEquals(stack.pop(), kind);
        },
      };
    };
    kernel.spawn(
      "a",
      (function* (): Task<void> {
        for (let i = 0; i < 5; i++) {
          assertEquals(stack, []);
          yield writeStep(1);
        }
      })(),
    );
    for (let i = 0; i < 2; i++) {
      kernel.raise("softirq", handler(), null);
      kernel.raise("hardirq", handler(), null);
    }
    assertClean(kernel.run());
    assertEquals(stack, []);
  }
  assert(nested > 20, `${nested} of 200 runs nested`);
});

Deno.test("Kernel with one processor puts every context on cpu 0, with more of them on different ones", () => {
  const cpus = [1, 2, undefined].map((nrCpus) => {
    const kernel = new Kernel(nrCpus === undefined ? {} : { nrCpus });
    const seen: number[] = [];
    for (const name of ["a", "b", "c"]) {
      kernel.spawn(
        name,
        (function* (): Task<void> {
          yield SCHEDULE;
          seen.push(kernel.current.cpu);
        })(),
      );
    }
    assertClean(kernel.run());
    return seen;
  });
  assertEquals(cpus, [[0, 0, 0], [0, 1, 0], [0, 1, 2]]);
});

Deno.test("Kernel.boot() gives back what a function returns that need not wait", () => {
  const kernel = new Kernel({ strategy: random(1) });
  const mutex = new Mutex(kernel, "i_mutex");
  const result = kernel.boot((function* (): Task<number> {
    yield* mutex.lock(kernel);
    yield writeStep(1);
    mutex.unlock(kernel);
    return 7;
  })());
  assertEquals(result, 7);
});

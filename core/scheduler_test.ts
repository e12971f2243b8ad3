import { assert, assertEquals, assertThrows } from "@std/assert";
import { KernelBug } from "./bug.ts";
import { Kernel } from "./kernel.ts";
import { Mutex } from "./lock.ts";
import { SCHEDULE, type Task, writeStep } from "./step.ts";
import { random } from "./strategy.ts";
import { assertClean, doing, seeds } from "./testdata/identity_fs.ts";

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

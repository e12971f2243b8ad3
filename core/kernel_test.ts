import { assertEquals, assertThrows } from "@std/assert";
import { READ } from "./bio.ts";
import { inodeDioBegin, inodeDioWait } from "./inode_dio.ts";
import { Kernel } from "./kernel.ts";
import { Mutex } from "./lock.ts";
import { profileOf } from "./profile.ts";
import type { Task } from "./step.ts";
import { fifo, random, type Strategy } from "./strategy.ts";
import { assertClean, doing, Rig, seeds } from "./testdata/identity_fs.ts";

Deno.test("Kernel.boot() refuses to wait for a lock that somebody holds", () => {
  const kernel = new Kernel();
  const mutex = new Mutex(kernel, "i_mutex");
  kernel.spawn("a", mutex.lock(kernel));
  kernel.run();
  assertThrows(
    () => kernel.boot(mutex.lock(kernel)),
    Error,
    "Cannot boot: it waits for i_mutex held by task a-10, which has ended; run it as a task",
  );
});

Deno.test("Kernel.boot() refuses to sleep, and does not hang", () => {
  const rig = new Rig();
  rig.kernel.boot(inodeDioBegin(rig.inode, 0));
  assertThrows(
    () => rig.kernel.boot(inodeDioWait(rig.inode)),
    Error,
    "Cannot boot: it waits for i_dio_count of inode 12 to drop to 0",
  );
  const kernel = new Kernel();
  assertThrows(
    () => kernel.boot(kernel.sleep(5)),
    Error,
    "Cannot boot: it waits for time to pass",
  );
});

Deno.test("Kernel asks the clock for the time of each event, and of nothing else", () => {
  let asked = 0;
  const kernel = new Kernel({ clock: () => ++asked * 1000 });
  const order: string[] = [];
  for (const ns of [700, 300]) {
    kernel.spawn(
      `${ns}`,
      (function* () {
        yield* kernel.sleep(ns);
        order.push(`${ns}`);
        kernel.mightSleep("msleep");
      })(),
    );
  }
  assertEquals(kernel.run().hung, null);
  assertEquals(order, ["300", "700"]);
  const times = [...kernel.trace.events()].map(({ ts }) => ts);
  assertEquals(times, times.map((_, i) => (i + 1) * 1000));
  assertEquals(times.length, asked);
});

Deno.test("Kernel fails the allocations that allocFaults names, counted per cache", () => {
  const kernel = new Kernel({
    allocFaults: [
      { what: "dio", nth: 2 },
      { what: "dio", nth: 3 },
      { what: "kiocb", nth: 1 },
    ],
  });
  const asks = (what: string, count: number): boolean[] =>
    Array.from({ length: count }, () => kernel.shouldFailAlloc(what));
  assertEquals(asks("dio", 4), [false, true, true, false]);
  assertEquals(asks("kiocb", 2), [true, false]);
  assertEquals(asks("bio", 2), [false, false]);
});

Deno.test("Kernel lets the strategy decide about an allocation fault that is open", () => {
  const allocFaults = [{ what: "dio", nth: 1, open: true }];
  const fails = (strategy: Strategy): boolean =>
    new Kernel({ strategy, allocFaults }).shouldFailAlloc("dio");
  assertEquals(fails(fifo()), false);
  assertEquals(
    new Set(seeds(20).map((seed) => fails(random(seed)))),
    new Set([true, false]),
  );
});

/** Two writes and a read, one of them with O_DSYNC, to the unmount. */
function trace(seed: number, nrCpus?: number): string {
  const rig = new Rig({
    strategy: random(seed),
    ...(nrCpus === undefined ? {} : { nrCpus }),
  });
  rig.submit({ bytes: 8192 });
  rig.submit({ offset: 8192, rw: READ });
  rig.submitSync({ offset: 16384 });
  rig.finish();
  return JSON.stringify([...rig.kernel.trace.events()]);
}

Deno.test("Kernel gives a byte-identical trace for the same seed, on any number of processors (seeds 1 to 20)", () => {
  for (const seed of seeds(20)) {
    for (const nrCpus of [1, 2, undefined]) {
      assertEquals(trace(seed, nrCpus), trace(seed, nrCpus));
    }
  }
});

Deno.test("Kernel gives many different traces for different seeds", () => {
  assertEquals(new Set(seeds(20).map((seed) => trace(seed))).size > 10, true);
});

Deno.test("Kernel without tracing records nothing and comes to the same results", () => {
  const rig = new Rig({ tracing: false });
  rig.submit({ data: 5 });
  assertEquals(rig.finish(), [{ data: 5, res: 4096 }]);
  assertEquals(rig.kernel.trace.count, 0);
});

Deno.test("Kernel with traceLimit keeps the newest events", () => {
  const rig = new Rig({ traceLimit: 3 });
  rig.submit();
  rig.finish();
  const events = [...rig.kernel.trace.events()];
  assertEquals([events.length, events.at(-1)?.ev], [3, "trace_end"]);
});

Deno.test("Kernel refuses a profile that there is none of", () => {
  assertThrows(
    () => profileOf("v2.6"),
    RangeError,
    "Cannot find profile 'v2.6': choose v3.12, v4.10, v6.1",
  );
});

Deno.test("Kernel names an interrupt of an idle processor <idle>, also after it interrupted a task", () => {
  const kernel = new Kernel({ nrCpus: 1 });
  const handler = { irq: () => doing(() => kernel.mightSleep("irq")) };
  kernel.spawn(
    "fio",
    (function* (): Task<void> {
      kernel.raise("softirq", handler, null);
      yield* kernel.sleep(1000);
    })(),
  );
  assertClean(kernel.run());
  kernel.raise("softirq", handler, null);
  assertClean(kernel.run());
  const events = [...kernel.trace.events()].filter(({ fn }) => fn === "irq");
  assertEquals(events.map(({ comm }) => comm), ["fio", "<idle>"]);
});

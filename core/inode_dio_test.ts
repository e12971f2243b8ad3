import { assertEquals } from "@std/assert";
import { inodeDioBegin, inodeDioDone, inodeDioWait } from "./inode_dio.ts";
import type { Task } from "./step.ts";
import { random } from "./strategy.ts";
import { assertClean, Rig, seeds } from "./testdata/identity_fs.ts";

Deno.test("truncate-waits: inodeDioWait() comes back only when nothing is in flight (seeds 1 to 300)", () => {
  for (const seed of seeds(300)) {
    const rig = new Rig({ strategy: random(seed) });
    const { kernel, inode } = rig;
    const request = function* (): Task<void> {
      // The lock keeps new requests out while somebody waits.
      yield* inode.iMutex.lock(kernel);
      yield* inodeDioBegin(inode, 0);
      inode.iMutex.unlock(kernel);
      kernel.raise("softirq", { irq: () => inodeDioDone(inode, 0) }, null);
    };
    const truncate = function* (): Task<void> {
      yield* inode.iMutex.lock(kernel);
      yield* inodeDioWait(inode);
      assertEquals(inode.iDioCount, 0, `random(${seed})`);
      inode.iMutex.unlock(kernel);
    };
    for (const name of ["a", "b", "c"]) kernel.spawn(name, request());
    for (const name of ["rm1", "rm2"]) kernel.spawn(name, truncate());
    assertClean(kernel.run());
    assertEquals([inode.iDioCount, inode.dioWait.active], [0, false]);
  }
});

Deno.test("dio-count-balanced: inodeDioBegin() and inodeDioDone() tell the trace the new count and the request", () => {
  const { kernel, inode } = new Rig();
  kernel.spawn(
    "a",
    (function* (): Task<void> {
      yield* inodeDioBegin(inode, 3);
      yield* inodeDioBegin(inode, 4);
      yield* inodeDioDone(inode, 3);
      yield* inodeDioDone(inode, 4);
    })(),
  );
  assertClean(kernel.run());
  assertEquals(
    [...kernel.trace.events()].map(({ ev, dio, count }) => [ev, dio, count]),
    [
      ["inode_dio_begin", 3, 1],
      ["inode_dio_begin", 4, 2],
      ["inode_dio_done", 3, 1],
      ["inode_dio_done", 4, 0],
    ],
  );
});

Deno.test("truncate-waits: inodeDioWait() wakes at zero, not before", () => {
  const { kernel, inode } = new Rig();
  const order: string[] = [];
  kernel.spawn(
    "a",
    (function* (): Task<void> {
      yield* inodeDioBegin(inode, 0);
      yield* inodeDioBegin(inode, 0);
      for (const ns of [1000, 1000]) {
        yield* kernel.sleep(ns);
        order.push("done");
        yield* inodeDioDone(inode, 0);
      }
    })(),
  );
  kernel.spawn(
    "rm",
    (function* (): Task<void> {
      yield* inodeDioWait(inode);
      order.push("waited");
    })(),
  );
  assertClean(kernel.run());
  assertEquals(order, ["done", "done", "waited"]);
});

Deno.test("inodeDioWait() with nothing in flight comes back at once", () => {
  const { kernel, inode } = new Rig();
  kernel.spawn("rm", inodeDioWait(inode));
  assertClean(kernel.run());
  assertEquals([...kernel.trace.events()].map(({ ev }) => ev), [
    "might_sleep",
    "inode_dio_wait",
    "inode_dio_wait_return",
  ]);
});

Deno.test("inodeDioWait() whose request never ends is reported as hung", () => {
  const { kernel, inode } = new Rig();
  kernel.spawn("a", inodeDioBegin(inode, 0));
  kernel.spawn("rm", inodeDioWait(inode));
  assertEquals(
    kernel.run().hung,
    "nobody is left to wake the one who waits; task rm-11 waits since 200 ns for i_dio_count of inode 12 to drop to 0 (it is 1), and nobody has ever woken that queue",
  );
});

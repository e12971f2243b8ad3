import { assert, assertEquals } from "@std/assert";
import { ExhaustiveStrategy } from "../conformance/mod.ts";
import { type Bio, READ, submitBio } from "./bio.ts";
import { flusher } from "./bio_dirty.ts";
import type { Kernel } from "./kernel.ts";
import type { Page } from "./page.ts";
import { BlkdevRig, PAGE } from "./testdata/blkdev_rig.ts";
import type { Task } from "./step.ts";

/** The page of an address, without a pin. */
function pageAt(kernel: Kernel, addr: number): Page {
  const page = kernel.memory.pin(addr) as Page;
  page.pins--;
  return page;
}

/** Runs two reads that end together, their pages cleaned in between. */
function readCleaned(): BlkdevRig {
  const rig = new BlkdevRig({ device: { latency: { baseNs: 1_000_000 } } });
  const iovs = [0, 1].map(() => rig.buffer(PAGE));
  for (const iov of iovs) rig.async({ rw: READ, iov: [iov] });
  rig.kernel.spawn(
    "flusher",
    (function* (): Task<void> {
      yield* rig.kernel.sleep(500_000);
      for (const { base } of iovs) yield* flusher(rig.kernel, base, PAGE);
    })(),
  );
  assertEquals(rig.finish(), [PAGE, PAGE]);
  const pages = iovs.map(({ base }) => pageAt(rig.kernel, base));
  assertEquals(pages.map(({ dirty }) => dirty), [true, true]);
  return rig;
}

Deno.test("pages-dirtied: pages that were cleaned during a read are marked again in a worker", () => {
  const rig = readCleaned();
  const marks = rig.events("bio_set_pages_dirty").map(({ ctx }) => ctx);
  assertEquals(marks, ["task", "task", "kworker", "kworker"]);
  const works = rig.events("workqueue_execute_start").map(({ fn }) => fn);
  assertEquals(new Set(works), new Set(["bio_dirty_fn"]));
});

Deno.test("pages-dirtied: pages that are still dirty are let go of in the interrupt", () => {
  const rig = new BlkdevRig();
  rig.result(false, { rw: READ, bytes: 2 * PAGE });
  assertEquals(rig.events("queue_work"), []);
  const checks = rig.events("bio_check_pages_dirty").map(({ ctx }) => ctx);
  assertEquals(checks, ["softirq", "softirq"]);
});

Deno.test("no-sleep-in-interrupt: the end of a read marks no page", () => {
  const sleeps = readCleaned().events("might_sleep")
    .filter(({ ctx }) => ctx === "softirq");
  assertEquals(sleeps, []);
});

for (const bios of [1, 2]) {
  Deno.test(`pages-dirtied: in no order of ${bios} bios and a flusher is what was read clean, unless it was written back`, () => {
    const strategy = new ExhaustiveStrategy();
    let deferred = 0;
    do {
      strategy.begin();
      const rig = new BlkdevRig({ strategy });
      const { kernel } = rig;
      rig.device.store.fill(9);
      const iov = rig.buffer(bios * PAGE);
      const written: number[] = [];
      const pages = Array.from(
        { length: bios },
        (_, i) => pageAt(kernel, iov.base + i * PAGE),
      );
      rig.async({ rw: READ, iov: [iov] });
      kernel.spawn("flusher", writeBack(kernel, iov.base, pages, written));
      kernel.run();
      if (strategy.blocked) continue;
      assertEquals([kernel.bug, kernel.hung], [null, null]);
      const isLost = pages.map(({ dirty }, i) => !dirty && written[i] !== 9);
      assertEquals(isLost, Array(bios).fill(false));
      assertEquals(pages.map(({ pins }) => pins), Array(bios).fill(0));
      deferred += rig.events("queue_work").length;
    } while (strategy.end());
    assert(deferred > 0, "no order leaves anything to the worker");
  });
}

/** Writes pages back one by one, and notes what they held. */
function* writeBack(
  kernel: Kernel,
  base: number,
  pages: readonly Page[],
  written: number[],
): Task<void> {
  const cleaners = pages.map((_, i) => flusher(kernel, base + i * PAGE, PAGE));
  for (const [i, cleaner] of cleaners.entries()) {
    for (let step = cleaner.next(); !step.done; step = cleaner.next()) {
      yield step.value;
    }
    written[i] = pages[i]!.bytes[0]!;
  }
}

Deno.test("bioCheckPagesDirty() owns the bio: the worker frees every one on the list", () => {
  const rig = new BlkdevRig();
  const { kernel, device } = rig;
  const bios = [0, 8, 16].map((sector) => {
    const bio = kernel.bios.alloc(READ, device, sector);
    const addr = kernel.memory.alloc(PAGE);
    bio.addPage(kernel.memory.pin(addr) as Page, 0, PAGE);
    // Nobody has marked the pages, so each is left to the worker.
    bio.biEndIo = function* (bio: Bio): Task<void> {
      yield* kernel.bioDirty.bioCheckPagesDirty(bio) ?? [];
    };
    return bio;
  });
  for (const bio of bios) submitBio(bio);
  assertEquals(kernel.run().hung, null);
  assertEquals(kernel.bios.cache.inUse, 0);
  assertEquals(rig.events("bio_set_pages_dirty").length, 3);
});

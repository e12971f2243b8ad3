import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { KernelBug } from "./bug.ts";
import { Kernel } from "./kernel.ts";
import { KmemCache, SlabObject, use } from "./slab.ts";
import { doing } from "./testdata/identity_fs.ts";

class IoEnd extends SlabObject {
  flag = 0;
}

function ioEndCache(kernel: Kernel): KmemCache<IoEnd> {
  return new KmemCache(kernel, "io_end", () => new IoEnd());
}

function allocated(cache: KmemCache<IoEnd>): IoEnd {
  const obj = cache.alloc();
  if (obj === null) throw new TypeError("Cannot allocate: a fault struck");
  return obj;
}

Deno.test("KmemCache.alloc() counts what is in use and numbers allocations from 1", () => {
  const cache = ioEndCache(new Kernel());
  const [a, b] = [allocated(cache), allocated(cache)];
  assertEquals([a.id, b.id, cache.inUse], [1, 2, 2]);
  cache.free(a);
  assertEquals([a.live, cache.inUse, cache.liveIds()], [false, 1, [2]]);
});

Deno.test("released-once: KmemCache.free() of a free object is a KernelBug that tells its history", () => {
  const kernel = new Kernel();
  const cache = ioEndCache(kernel);
  const obj = allocated(cache);
  kernel.spawn(
    "one",
    doing(() => {
      cache.free(obj);
    }),
  );
  kernel.spawn(
    "two",
    doing(() => {
      cache.free(obj);
    }),
  );
  const { bug } = kernel.run();
  assertEquals(bug?.rule, "released-once/double-free");
  assertEquals(bug?.object, "io_end 1");
  assertEquals(
    bug?.message,
    "io_end 1 is freed twice: allocated at 0 ns by task swapper-0, freed at 100 ns by task one-10",
  );
});

Deno.test("no-use-after-release: use() of a free object is a KernelBug that tells its history", () => {
  const kernel = new Kernel();
  const cache = ioEndCache(kernel);
  const obj = allocated(cache);
  assertStrictEquals(use(obj), obj);
  cache.free(obj);
  const bug = assertThrows(
    () => use(obj),
    KernelBug,
    "io_end 1 is used after it was freed: allocated at 0 ns by task swapper-0, freed at 0 ns by task swapper-0",
  );
  assertEquals(bug.rule, "no-use-after-release/slab");
});

Deno.test("Kernel.run() turns a use after free into an oops event and stops", () => {
  const kernel = new Kernel();
  const cache = ioEndCache(kernel);
  const obj = allocated(cache);
  cache.free(obj);
  let later = false;
  kernel.spawn(
    "bad",
    doing(() => {
      use(obj);
    }),
  );
  kernel.spawn(
    "later",
    doing(() => {
      later = true;
    }),
  );
  assertEquals(kernel.run().bug?.rule, "no-use-after-release/slab");
  assertEquals(later, false);
  const oops = kernel.trace.event(kernel.trace.count - 1);
  assertEquals(
    [oops.ev, oops.rule, oops.comm],
    ["oops", "no-use-after-release/slab", "bad"],
  );
});

Deno.test("KmemCache.alloc() keeps a freed object back for 64 frees", () => {
  const cache = ioEndCache(new Kernel());
  const first = allocated(cache);
  cache.free(first);
  for (let i = 0; i < 64; i++) {
    const obj = allocated(cache);
    assertEquals(obj === first, false, `allocation ${i + 1} after the free`);
    cache.free(obj);
  }
  assertStrictEquals(allocated(cache), first);
});

Deno.test("KmemCache.alloc() hands freed objects out again oldest first, under new identities", () => {
  const cache = ioEndCache(new Kernel());
  const objects = Array.from({ length: 300 }, () => allocated(cache));
  for (const obj of objects) cache.free(obj);
  const again = Array.from({ length: 300 - 64 }, () => allocated(cache));
  assertEquals(
    again.every((obj, i) => obj === objects[i] && obj.id === 301 + i),
    true,
  );
  assertEquals(allocated(cache) === objects[300 - 64], false);
});

Deno.test("KmemCache.alloc() leaves an object's step addresses with its memory", () => {
  const kernel = new Kernel();
  const cache = new KmemCache(kernel, "io_end", () => new IoEnd(), 3);
  const [a, b] = [allocated(cache), allocated(cache)];
  assertEquals(b.addr >= a.addr + 3, true);
  const { addr } = a;
  cache.free(a);
  assertEquals(a.addr, addr);
});

Deno.test("KmemCache.alloc() gives null for the allocation that is to fail", () => {
  const kernel = new Kernel({ allocFaults: [{ what: "io_end", nth: 2 }] });
  const cache = ioEndCache(kernel);
  assertEquals([1, 2, 3].map(() => cache.alloc()?.id ?? null), [1, null, 2]);
  assertEquals(cache.inUse, 2);
});

Deno.test("released-once: Kernel.shutdown() lists what was not freed as slab_leak", () => {
  const kernel = new Kernel();
  const cache = ioEndCache(kernel);
  allocated(cache);
  cache.free(allocated(cache));
  allocated(cache);
  kernel.shutdown();
  const leaks = [...kernel.trace.events()].filter(({ ev }) =>
    ev === "slab_leak"
  );
  assertEquals(leaks.map((leak) => [leak.cache, leak.obj]), [
    ["io_end", 1],
    ["io_end", 3],
  ]);
});

Deno.test("Kernel.shutdown() lists a page that is still pinned as a leak", () => {
  const kernel = new Kernel();
  kernel.memory.pin(kernel.memory.alloc(4096));
  kernel.shutdown();
  assertEquals(
    [...kernel.trace.events()].map(({ ev, cache }) => [ev, cache]),
    [["slab_leak", "page pin"], ["trace_end", undefined]],
  );
});

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { KernelBug } from "./bug.ts";
import { EFAULT } from "./errno.ts";
import { type Page, PAGE_SIZE, putPage, UserMemory } from "./page.ts";

function pinned(memory: UserMemory, addr: number): Page {
  const page = memory.pin(addr);
  if (typeof page === "number") throw new TypeError(`Cannot pin: ${page}`);
  return page;
}

Deno.test("UserMemory.pin() gives the page that holds an address, one pin more on it each time", () => {
  const memory = new UserMemory(8192);
  const addr = memory.alloc(8192);
  const page = pinned(memory, addr + 4095);
  assertStrictEquals(pinned(memory, addr), page);
  assertEquals(page.pins, 2);
  assertEquals(pinned(memory, addr + 4096) === page, false);
  assertEquals(memory.liveIds(), [0, 1]);
});

Deno.test("UserMemory.pin() shows the bytes of the buffer", () => {
  const memory = new UserMemory(8192);
  const addr = memory.alloc(8192);
  memory.bytes(addr + 4096, 4).set([1, 2, 3, 4]);
  const page = pinned(memory, addr + 4096);
  assertEquals([...page.bytes.subarray(0, 4)], [1, 2, 3, 4]);
  page.bytes[0] = 9;
  assertEquals(memory.bytes(addr + 4096, 1)[0], 9);
});

Deno.test("released-once: putPage() drops a pin, and is a KernelBug when there is none", () => {
  const memory = new UserMemory(4096);
  const page = pinned(memory, memory.alloc(4096));
  putPage(page);
  assertEquals([page.pins, memory.liveIds()], [0, []]);
  const bug = assertThrows(
    () => putPage(page),
    KernelBug,
    "page 0 is released but not pinned",
  );
  assertEquals([bug.rule, page.pins], ["released-once/page-pin", 0]);
});

Deno.test("UserMemory.pin() fails with -EFAULT where memory is unmapped, and only there", () => {
  const memory = new UserMemory(5 * PAGE_SIZE);
  const addr = memory.alloc(5 * PAGE_SIZE);
  memory.unmap(addr + PAGE_SIZE + 100, PAGE_SIZE);
  const results = [0, 1, 2, 3, 4].map((i) =>
    typeof memory.pin(addr + i * PAGE_SIZE)
  );
  assertEquals(results, ["object", "number", "number", "object", "object"]);
  assertEquals(memory.pin(addr + PAGE_SIZE), -EFAULT);
});

Deno.test("UserMemory.pin() fails with -EFAULT outside the memory", () => {
  const memory = new UserMemory(4096);
  const addr = memory.alloc(4096);
  assertEquals(
    [memory.pin(0), memory.pin(addr - 1), memory.pin(addr + 4096)],
    [-EFAULT, -EFAULT, -EFAULT],
  );
});

Deno.test("UserMemory.pinZeroPage() gives one shared page of zeros, which counts as a leak while pinned", () => {
  const memory = new UserMemory(4096);
  const page = memory.pinZeroPage();
  assertStrictEquals(memory.pinZeroPage(), page);
  assertEquals(page.bytes.every((byte) => byte === 0), true);
  assertEquals(memory.liveIds(), [page.id]);
  putPage(page);
  putPage(page);
  assertEquals(memory.liveIds(), []);
});

Deno.test("UserMemory.alloc() starts on a page boundary, or as far behind it as it is told", () => {
  const memory = new UserMemory(4 * PAGE_SIZE);
  assertEquals(memory.alloc(100) % PAGE_SIZE, 0);
  assertEquals(memory.alloc(512, 512) % PAGE_SIZE, 512);
  assertEquals(memory.alloc(1) % PAGE_SIZE, 0);
});

Deno.test("UserMemory.alloc() says how much is left when it is used up", () => {
  const memory = new UserMemory(3 * PAGE_SIZE);
  memory.alloc(2 * PAGE_SIZE);
  assertThrows(
    () => memory.alloc(PAGE_SIZE + 1),
    RangeError,
    "Cannot allocate 4097 bytes of user memory: 4096 of 12288 are left; give the kernel a larger memory",
  );
});

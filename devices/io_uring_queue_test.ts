import { assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { DirectFileEngine } from "./direct_file_engine.ts";
import { EngineDriver } from "./testdata/engine_driver.ts";
import { AlignedMemory } from "./aligned_memory.ts";
import { IoUringQueue } from "./io_uring_queue.ts";
import {
  type IoUring,
  ioUringRefusal,
  setUpIoUring,
} from "./io_uring_setup.ts";
import { Libc } from "./libc.ts";
import { patch } from "./testdata/patch.ts";
import {
  engineTest,
  fileTestIf,
  TemporaryFile,
} from "./testdata/temporary_file.ts";

const PAGE = 4096;
const IORING_SETUP_NO_MMAP = 1 << 14;
const IORING_SETUP_NO_SQARRAY = 1 << 16;
const IORING_SETUP_DEFER_TASKRUN = 1 << 13;

/** A kernel that does not know some flags of a ring's setup. */
function withoutFlags(unknown: number, seen: number[]): Disposable {
  return patch(
    Libc.prototype,
    "ioUringSetup",
    (original) =>
      function (this: Libc, entries, params) {
        const flags = new DataView(params.buffer).getUint32(8, true);
        seen.push(flags & unknown);
        if ((flags & unknown) !== 0) return -22;
        return original.call(this, entries, params);
      },
  );
}

/** Registers a test that needs the engine. */
function uringTest(name: string, fn: () => void | Promise<void>): void {
  engineTest(name, fn, ["io_uring"]);
}

const hasFfi = Deno.permissions.querySync({ name: "ffi" }).state === "granted";

for (
  const [kernel, unknown, setups, mayMap] of [
    ["6.5", IORING_SETUP_NO_SQARRAY, 2, true],
    ["6.1", IORING_SETUP_NO_SQARRAY | IORING_SETUP_NO_MMAP, 3, hasFfi],
    [
      "5.6",
      IORING_SETUP_NO_SQARRAY | IORING_SETUP_NO_MMAP |
      IORING_SETUP_DEFER_TASKRUN,
      4,
      hasFfi,
    ],
  ] as const
) {
  fileTestIf(
    mayMap,
    "--allow-ffi",
    `IoUringQueue works with what Linux ${kernel} can do`,
    () => {
      using file = new TemporaryFile(300 * PAGE);
      const seen: number[] = [];
      using _ = withoutFlags(unknown, seen);
      using engine = DirectFileEngine.open(file.path, {
        engine: "io_uring",
        queueDepth: 100,
      });
      assertEquals(seen.length, setups);
      assertEquals(seen.at(-1), 0);
      new EngineDriver(engine).roundTrip(300);
    },
  );
}

Deno.test({
  name: "setUpIoUring() maps nothing when ffi is granted for a path only",
  ignore: !hasFfi,
  permissions: { ffi: ["/lib", "/lib64", "/usr/lib"] },
  fn(): void {
    const seen: number[] = [];
    using libc = Libc.open();
    using _ = withoutFlags(IORING_SETUP_NO_MMAP, seen);
    const refusal = setUpIoUring(libc, 8);
    assertEquals(seen.length, 2);
    assertStringIncludes(
      "reason" in refusal ? refusal.reason : "",
      "Linux 6.5",
    );
  },
});

uringTest(
  "closeIoUring() keeps the kernel out of memory that is free",
  async () => {
    using file = new TemporaryFile(16 * PAGE);
    const setUps: IoUring[] = [];
    for (let round = 0; round < 5; round++) {
      using libc = Libc.open();
      const fd = libc.open(file.path, libc.O_DIRECT);
      const uring = setUpIoUring(libc, 16);
      if ("errno" in uring) throw new Error(uring.reason);
      const queue = new IoUringQueue(libc, uring, fd, 16);
      const memory = new AlignedMemory(libc, 16 * PAGE);
      for (let page = 0; page < 16; page++) {
        assertEquals(queue.prepare("read", page * PAGE, page, 0), 0);
        queue.addSegment(memory.address + page * PAGE, PAGE, memory);
      }
      assertEquals(queue.submitAndReap(16, 16), 16);
      assertEquals(queue.close(), true);
      libc.closeFd(fd);
      uring.memory?.bytes.fill(0x5a);
      setUps.push(uring);
    }
    // It takes a ring apart when its grace period is over.
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (const { memory } of setUps) {
      assertEquals(new Set(memory?.bytes), new Set([0x5a]));
    }
  },
);

for (
  const [errno, advice] of [
    [1, "kernel.io_uring_disabled to 0"],
    [12, "ulimit -l"],
    [22, "--allow-ffi without a path"],
    [38, "CONFIG_IO_URING"],
    [24, "too many open files in the process"],
  ] as const
) {
  Deno.test(`ioUringRefusal() says what to do about errno ${errno}`, () => {
    const refusal = ioUringRefusal(errno);
    assertEquals(refusal.errno, errno);
    assertStringIncludes(refusal.reason, advice);
  });
}

uringTest("IoUringQueue is deeper than its ring of submissions", () => {
  using file = new TemporaryFile(1024 * PAGE);
  using engine = DirectFileEngine.open(file.path, {
    engine: "io_uring",
    queueDepth: 1000,
  });
  const driver = new EngineDriver(engine);
  const memory = engine.allocate(1000 * PAGE);
  for (let page = 0; page < 1000; page++) {
    driver.prepare("read", page * PAGE, memory.address + page * PAGE, PAGE);
  }
  assertEquals(engine.prepare("read", 0, 0), -11);
  // The ring was submitted whenever it was full.
  assertEquals([engine.prepared, engine.inFlight], [1000 % 64, 960]);
  assertEquals(driver.complete().length, 1000);
  driver.roundTrip(1024);
});

uringTest(
  "IoUringQueue registers regions, as many as there is room for",
  () => {
    using file = new TemporaryFile(100 * PAGE);
    using engine = DirectFileEngine.open(file.path, { engine: "io_uring" });
    const memories = Array.from(
      { length: 66 },
      () => engine.allocate(2 * PAGE),
    );
    const registered = memories.filter(({ bufferIndex }) => bufferIndex >= 0);
    assertGreater(registered.length, 0);
    assertEquals(new Set(registered.map((m) => m.bufferIndex)).size, 64);
    assertEquals(memories.at(-1)?.bufferIndex, -1);
    engine.release(memories[3]!.bytes);
    assertEquals(memories[3]?.bufferIndex, -1);
    const [late] = [engine.allocate(PAGE)];
    assertGreater(late.bufferIndex, -1);

    // A request whose pieces lie in both kinds of memory.
    const driver = new EngineDriver(engine);
    memories[0]?.bytes.fill(1);
    memories[65]?.bytes.fill(2);
    late.bytes.fill(3);
    assertEquals(engine.prepare("write", 0, 1), 0);
    engine.pushSegment(memories[0]!.address, 2 * PAGE);
    engine.pushSegment(memories[65]!.address, PAGE);
    engine.pushSegment(late.address, PAGE);
    assertEquals(driver.complete(), [[1, 4 * PAGE]]);
    const content = Deno.readFileSync(file.path);
    assertEquals(
      [0, PAGE, 2 * PAGE, 3 * PAGE, 4 * PAGE].map((at) => content[at]),
      [1, 1, 2, 3, 0],
    );
  },
);

uringTest("IoUringQueue goes on behind a region as another piece", () => {
  using file = new TemporaryFile(4 * PAGE);
  Deno.writeFileSync(file.path, new Uint8Array(4 * PAGE).fill(7));
  using libc = Libc.open();
  const fd = libc.open(file.path, libc.O_DIRECT);
  const uring = setUpIoUring(libc, 4);
  if ("errno" in uring) throw new Error(uring.reason);
  const queue = new IoUringQueue(libc, uring, fd, 4);
  const whole = new AlignedMemory(libc, 3 * PAGE);
  // Two regions that happen to touch, of which one is registered.
  const piece = (page: number, pages: number): AlignedMemory =>
    Object.assign(Object.create(AlignedMemory.prototype), {
      bytes: whole.bytes.subarray(page * PAGE, (page + pages) * PAGE),
      address: whole.address + page * PAGE,
      bufferIndex: -1,
    });
  const [first, second] = [piece(0, 2), piece(2, 1)];
  queue.remember(first);
  assertGreater(first.bufferIndex, -1);
  assertEquals(queue.prepare("read", 0, 1, 0), 0);
  for (const [memory, page] of [[first, 0], [first, 1], [second, 2]] as const) {
    queue.addSegment(whole.address + page * PAGE, PAGE, memory);
  }
  assertEquals(queue.submitAndReap(1, 1), 1);
  assertEquals(queue.results[0], 3 * PAGE);
  assertEquals(new Set(whole.bytes), new Set([7]));
  queue.close();
  libc.closeFd(fd);
});

uringTest(
  "IoUringQueue.reap() of none finds what only a call makes visible",
  async () => {
    using file = new TemporaryFile(PAGE);
    await Deno.writeFile(file.path, new Uint8Array(PAGE).fill(7));
    using engine = DirectFileEngine.open(file.path, { engine: "io_uring" });
    const { address } = engine.allocate(2 * PAGE);
    engine.listen();
    const driver = new EngineDriver(engine);
    driver.prepare("read", 0, address, PAGE);
    engine.submit();
    await engine.waitForCompletions();
    // The kernel refuses this at once, and that is visible at once.
    driver.prepare("read", 0, address + 1, PAGE);
    engine.submit();
    assertEquals(engine.reap(0), 2);
  },
);

uringTest("IoUringQueue goes without registrations when it must", () => {
  using file = new TemporaryFile(300 * PAGE);
  using _ = patch(Libc.prototype, "ioUringRegister", () => () => -12);
  using engine = DirectFileEngine.open(file.path, { engine: "io_uring" });
  assertEquals(engine.allocate(PAGE).bufferIndex, -1);
  new EngineDriver(engine).roundTrip(300);
});

uringTest("IoUringRegistrations puts an index back that was refused", () => {
  using file = new TemporaryFile(PAGE);
  using engine = DirectFileEngine.open(file.path, { engine: "io_uring" });
  {
    using _ = patch(Libc.prototype, "ioUringRegister", () => () => -12);
    for (let i = 0; i < 100; i++) engine.allocate(PAGE);
  }
  assertGreater(engine.allocate(PAGE).bufferIndex, -1);
});

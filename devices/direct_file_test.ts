import {
  assert,
  assertEquals,
  assertGreater,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  finish,
  Kernel,
  type Page,
  READ,
  submitBio,
  WRITE,
} from "../core/mod.ts";
import { DeviceClosedError, DeviceError } from "./device_error.ts";
import { DirectFile } from "./direct_file.ts";
import { DirectFileDevice } from "./direct_file_device.ts";
import { DirectFileEngine } from "./direct_file_engine.ts";
import { Libc } from "./libc.ts";
import { patch } from "./testdata/patch.ts";
import {
  engineTest,
  fileTest,
  TemporaryFile,
} from "./testdata/temporary_file.ts";

const PAGE = 4096;
const FALLOC_FL_KEEP_SIZE = 1;

/** A file with a number in each page. */
function numberedFile(pages: number): TemporaryFile {
  const file = new TemporaryFile(pages * PAGE);
  const content = new Uint8Array(pages * PAGE);
  const view = new DataView(content.buffer);
  for (let page = 0; page < pages; page++) view.setUint32(page * PAGE, page);
  Deno.writeFileSync(file.path, content);
  return file;
}

function numberIn(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}

engineTest(
  "DirectFile reads more at once than its queue holds",
  async (engine) => {
    using temporary = numberedFile(200);
    await using file = DirectFile.open(temporary.path, {
      engine,
      queueDepth: 8,
    });
    const memory = file.allocate(1000 * PAGE);
    const pageOf = (i: number) => memory.subarray(i * PAGE, (i + 1) * PAGE);
    const results = Array.from(
      { length: 1000 },
      (_, i) => file.read(i * 7 % 200 * PAGE, pageOf(i)),
    );
    assertEquals(file.inFlight, 1000);
    assertEquals(new Set(await Promise.all(results)), new Set([PAGE]));
    assertEquals(file.inFlight, 0);
    for (let i = 0; i < 1000; i++) {
      assertEquals(
        numberIn(pageOf(i)),
        i * 7 % 200,
      );
    }
  },
);

engineTest("DirectFile writes, flushes, reads pieces", async (engine) => {
  using temporary = new TemporaryFile(0);
  await using file = DirectFile.open(temporary.path, { engine });
  assertEquals([file.sizeBytes, file.engine], [0, engine]);
  const memory = file.allocate(8 * PAGE);
  const pieces = [6, 1, 3].map((page) =>
    memory.subarray(page * PAGE, (page + 1) * PAGE)
  );
  pieces.forEach((piece, i) => piece.fill(i + 1));
  assertEquals(await file.write(PAGE, pieces, { dsync: true }), 3 * PAGE);
  assertEquals(await file.fdatasync(), 0);
  memory.fill(0);
  // A hole, the three pages, and the end of the file.
  assertEquals(await file.read(0, memory), 4 * PAGE);
  assertEquals(
    [0, 1, 2, 3, 4].map((page) => memory[page * PAGE + 9]),
    [0, 1, 2, 3, 0],
  );
  assertEquals(await file.read(4 * PAGE, memory), 0);
  assertEquals(await file.read(0, []), 0);
  assertEquals((await Deno.stat(temporary.path)).size, 4 * PAGE);
});

engineTest("DirectFile gives errnos as values", async (engine) => {
  using temporary = numberedFile(4);
  await using file = DirectFile.open(temporary.path, {
    engine,
    readOnly: true,
  });
  const memory = file.allocate(2 * PAGE);
  const written = file.write(0, memory);
  const read = file.read(0, memory);
  assertEquals(await written, -9);
  assertEquals(await read, 2 * PAGE);
  if (file.alignmentSource !== "probe") {
    assertEquals(await file.read(1, memory), -22);
    assertEquals(await file.read(0, memory.subarray(0, 100)), -22);
    assertEquals(await file.read(0, memory.subarray(1, PAGE + 1)), -22);
  }
  const nowait = await file.read(0, memory, { nowait: true });
  assert([2 * PAGE, -11, -95].includes(nowait), `${nowait}`);
});

engineTest("DirectFile leaves the event loop alone", async (engine) => {
  using temporary = numberedFile(256);
  await using file = DirectFile.open(temporary.path, { engine });
  const memory = file.allocate(PAGE);
  let isReading = true;
  let reads = 0;
  let turns = 0;
  const reading = (async () => {
    while (isReading) {
      assertEquals(await file.read(reads++ % 256 * PAGE, memory), PAGE);
    }
  })();
  // Each turn of the loop lets one of these run, if nobody blocks it.
  while (turns < 20) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    turns++;
  }
  isReading = false;
  await reading;
  assertGreater(reads, 1);
});

engineTest(
  "DirectFile.closeAsync() waits for what is in flight",
  async (engine) => {
    using temporary = numberedFile(64);
    const file = DirectFile.open(temporary.path, { engine, queueDepth: 4 });
    const memory = file.allocate(64 * PAGE);
    const reads = Array.from(
      { length: 64 },
      (_, i) => file.read(i * PAGE, memory.subarray(i * PAGE, (i + 1) * PAGE)),
    );
    const closing = file.closeAsync();
    assertEquals(new Set(await Promise.all(reads)), new Set([PAGE]));
    await closing;
    assertEquals(numberIn(memory.subarray(63 * PAGE)), 63);
    await file.closeAsync();
  },
);

engineTest(
  "DirectFile.close() waits, blocking, for what is in flight",
  async (engine) => {
    using temporary = numberedFile(64);
    const file = DirectFile.open(temporary.path, { engine, queueDepth: 4 });
    const memory = file.allocate(64 * PAGE);
    const reads = Array.from(
      { length: 64 },
      (_, i) => file.read(i * PAGE, memory.subarray(i * PAGE, (i + 1) * PAGE)),
    );
    file.close();
    file.close();
    assertEquals(numberIn(memory.subarray(63 * PAGE)), 63);
    assertEquals(new Set(await Promise.all(reads)), new Set([PAGE]));
  },
);

fileTest(
  "DirectFile.close() rejects what may never reach the kernel",
  async () => {
    using temporary = numberedFile(4);
    const file = DirectFile.open(temporary.path, {
      engine: "libaio",
      readOnly: true,
    });
    // io_submit() refuses it on a thread of the pool, whose answer nobody can
    // wait for without the event loop.
    const write = file.write(0, file.allocate(PAGE));
    await Promise.resolve();
    file.close();
    await assertRejects(
      () => write,
      DeviceClosedError,
      "Cannot wait for /tmp/",
    );
  },
);

engineTest("DirectFile is a clear error after close()", async (engine) => {
  using temporary = numberedFile(4);
  const file = DirectFile.open(temporary.path, { engine });
  const memory = file.allocate(PAGE);
  await file.read(0, memory);
  file.close();
  for (
    const use of [
      () => file.read(0, memory),
      () => file.write(0, memory),
      () => file.fdatasync(),
      async () => await file.allocate(PAGE),
      async () => await file.release(memory),
      async () => await file.fallocateSync(0, 0, PAGE),
    ]
  ) {
    const { message } = await assertRejects(use, DeviceClosedError);
    assertMatch(message, /^Cannot .* \/tmp\/.*: it is closed$/);
  }
});

fileTest("DirectFile takes memory of its own only", async () => {
  using temporary = numberedFile(4);
  await using file = DirectFile.open(temporary.path, { queueDepth: 1 });
  await using other = DirectFile.open(temporary.path);
  const memory = file.allocate(PAGE);
  for (
    const foreign of [
      other.allocate(PAGE),
      new Uint8Array(PAGE),
      new Uint8Array(memory.buffer, memory.byteOffset, PAGE + 1),
    ]
  ) {
    await assertRejects(() => file.read(0, foreign), RangeError, "allocate()");
  }
  for (const offset of [-1, 0.5, NaN]) {
    await assertRejects(() => file.read(offset, memory), RangeError);
  }
  // Also where it has to wait for its turn.
  const first = file.read(0, memory);
  const second = file.read(0, other.allocate(PAGE));
  const third = file.read(PAGE, memory);
  await assertRejects(() => second, RangeError, "allocate()");
  assertEquals([await first, await third], [PAGE, PAGE]);
});

fileTest(
  "DirectFile.release() gives memory back when nothing uses it",
  async () => {
    using temporary = numberedFile(4);
    await using file = DirectFile.open(temporary.path);
    const memory = file.allocate(PAGE);
    const read = file.read(0, memory);
    assertThrows(
      () => file.release(memory),
      RangeError,
      "1 requests may use it",
    );
    await read;
    file.release(memory);
    await assertRejects(() => file.read(0, memory), RangeError, "allocate()");
  },
);

fileTest("DirectFile.fallocateSync() allocates unwritten blocks", async () => {
  using temporary = new TemporaryFile(PAGE);
  await using file = DirectFile.open(temporary.path);
  assertEquals(file.fallocateSync(FALLOC_FL_KEEP_SIZE, PAGE, 4 * PAGE), 0);
  assertEquals((await Deno.stat(temporary.path)).size, PAGE);
  assertEquals(file.fallocateSync(0, 0, 8 * PAGE), 0);
  assertEquals((await Deno.stat(temporary.path)).size, 8 * PAGE);
  assertGreater((await Deno.stat(temporary.path)).blocks ?? 0, 7 * PAGE / 512);
  assertEquals(file.fallocateSync(0, 0, 0), -22);
});

fileTest("DirectFile appends with append", async () => {
  using temporary = numberedFile(3);
  await using file = DirectFile.open(temporary.path, { append: true });
  const memory = file.allocate(PAGE);
  memory.fill(9);
  assertEquals(await file.write(0, memory), PAGE);
  const content = await Deno.readFile(temporary.path);
  assertEquals([content.length, content[0], content.at(-1)], [4 * PAGE, 0, 9]);
});

fileTest("DirectFile rejects all when its queue fails", async () => {
  using temporary = numberedFile(3);
  const file = DirectFile.open(temporary.path, { queueDepth: 2 });
  const memory = file.allocate(PAGE);
  {
    using _ = patch(DirectFileEngine.prototype, "reap", () => () => -5);
    const reads = [1, 2, 3].map(() => file.read(0, memory));
    for (const read of reads) {
      await assertRejects(() => read, DeviceError, "Cannot reap from /tmp/");
    }
  }
  await assertRejects(() => file.read(0, memory), DeviceError, "Cannot reap");
  await file.closeAsync();
});

fileTest(
  "DirectFile rejects when no descriptor is left to wait with",
  async () => {
    using temporary = numberedFile(3);
    await using file = DirectFile.open(temporary.path);
    const memory = file.allocate(PAGE);
    {
      using _ = patch(Libc.prototype, "eventfd", () => () => -24);
      await assertRejects(
        () => file.read(0, memory),
        DeviceError,
        "too many open files",
      );
    }
    assertEquals(await file.read(0, memory), PAGE);
  },
);

engineTest(
  "DirectFileDevice serves a kernel and promises at once",
  async (engine) => {
    using temporary = numberedFile(64);
    await using device = DirectFileDevice.open(temporary.path, {
      engine,
      queueDepth: 8,
    });
    assertEquals(device.engine, engine);
    const kernel = new Kernel({ memory: device.memory(8 * PAGE) });
    device.attach(kernel);
    const memory = device.allocate(16 * PAGE);
    const pageOf = (i: number) => memory.subarray(i * PAGE, (i + 1) * PAGE);
    const reads = Array.from(
      { length: 16 },
      (_, i) => device.read((i + 10) * PAGE, pageOf(i)),
    );
    // All of them are given to the kernel by now, some from another thread.
    await Promise.resolve();
    const errors: number[] = [];
    for (let i = 0; i < 4; i++) {
      const addr = kernel.memory.alloc(PAGE);
      kernel.memory.bytes(addr, PAGE).fill(50 + i);
      const bio = kernel.bios.alloc(i < 2 ? WRITE : READ, device, i * 8);
      bio.addPage(kernel.memory.pin(addr) as Page, 0, PAGE);
      bio.biEndIo = ({ biError }) => {
        errors.push(biError);
        return finish(undefined);
      };
      submitBio(bio);
    }
    assertEquals(kernel.run().hung, null);
    assertEquals(errors, [0, 0, 0, 0]);
    assertEquals(new Set(await Promise.all(reads)), new Set([PAGE]));
    for (let i = 0; i < 16; i++) assertEquals(numberIn(pageOf(i)), i + 10);
    memory.fill(99);
    assertEquals(await device.write(30 * PAGE, pageOf(3)), PAGE);
    assertEquals(await device.fdatasync(), 0);
    const content = await Deno.readFile(temporary.path);
    assertEquals(
      [0, 1, 30].map((page) => content[page * PAGE]),
      [50, 51, 99],
    );
  },
);

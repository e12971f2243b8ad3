import {
  assertArrayIncludes,
  assertEquals,
  assertMatch,
  assertThrows,
} from "@std/assert";
import type { AlignedMemory } from "./aligned_memory.ts";
import { DeviceClosedError } from "./device_error.ts";
import { DirectFileEngine } from "./direct_file_engine.ts";
import { RWF_DSYNC } from "./engine.ts";
import { libcCandidates } from "./libc_path.ts";
import {
  engineTest,
  fileTestIf,
  TemporaryFile,
} from "./testdata/temporary_file.ts";

const PAGE = 4096;

/** Submits what is prepared, waits for all, and gives tags with results. */
function complete(engine: DirectFileEngine): Map<number, number> {
  const found = new Map<number, number>();
  engine.submit();
  while (engine.inFlight > 0) {
    const count = engine.reap(1);
    for (let index = 0; index < count; index++) {
      found.set(
        engine.resultTags[index] ?? NaN,
        engine.results[index] ?? NaN,
      );
    }
  }
  return found;
}

/** Prepares one request for the first bytes of a region. */
function prepareOne(
  engine: DirectFileEngine,
  op: "read" | "write",
  offsetBytes: number,
  tag: number,
  memory: AlignedMemory,
  length: number = memory.bytes.length,
): void {
  assertEquals(engine.prepare(op, offsetBytes, tag), 0);
  engine.pushSegment(memory.address, length);
}

/** Page `page` of a region. */
function pageOf(memory: AlignedMemory, page: number): Uint8Array {
  return memory.bytes.subarray(page * PAGE, (page + 1) * PAGE);
}

engineTest(
  "DirectFileEngine writes and reads vectors of scattered pages",
  (kind) => {
    using file = new TemporaryFile(1 << 20);
    using engine = DirectFileEngine.open(file.path, { engine: kind });
    const memory = engine.allocate(16 * PAGE);
    const order = [6, 0, 4, 2];
    for (const page of order) pageOf(memory, page).fill(page + 1);
    assertEquals(engine.prepare("write", 8 * PAGE, 7, RWF_DSYNC), 0);
    for (const page of order) {
      engine.pushSegment(memory.address + page * PAGE, PAGE);
    }
    assertEquals(complete(engine), new Map([[7, 4 * PAGE]]));

    const target = engine.allocate(4 * PAGE);
    prepareOne(engine, "read", 8 * PAGE, -1, target);
    assertEquals(complete(engine), new Map([[-1, 4 * PAGE]]));
    order.forEach((page, index) => {
      assertEquals(new Set(pageOf(target, index)), new Set([page + 1]));
    });
  },
);

engineTest("DirectFileEngine merges segments that touch", (kind) => {
  using file = new TemporaryFile(2 << 20);
  using engine = DirectFileEngine.open(file.path, { engine: kind });
  // More pages than a vector has entries: without merging there is no room.
  const memory = engine.allocate(400 * PAGE);
  memory.bytes.forEach((_, index, bytes) => bytes[index] = index >> 12);
  assertEquals(engine.prepare("write", 0, 1), 0);
  for (let page = 0; page < 400; page++) {
    engine.pushSegment(memory.address + page * PAGE, PAGE);
  }
  assertEquals(complete(engine), new Map([[1, 400 * PAGE]]));
  const target = engine.allocate(400 * PAGE);
  prepareOne(engine, "read", 0, 2, target);
  assertEquals(complete(engine), new Map([[2, 400 * PAGE]]));
  for (let page = 0; page < 400; page++) {
    assertEquals(pageOf(target, page)[PAGE - 1], page & 255);
  }
});

engineTest(
  "DirectFileEngine has many requests in flight, in any order",
  (kind) => {
    using file = new TemporaryFile(64 * PAGE);
    using engine = DirectFileEngine.open(file.path, {
      engine: kind,
      queueDepth: 64,
    });
    const memory = engine.allocate(64 * PAGE);
    for (const op of ["write", "read"] as const) {
      for (let page = 0; page < 64; page++) {
        pageOf(memory, page).fill(op === "write" ? page + 1 : 0);
        assertEquals(engine.prepare(op, (63 - page) * PAGE, page), 0);
        engine.pushSegment(memory.address + page * PAGE, PAGE);
      }
      assertEquals([engine.prepared, engine.inFlight], [64, 0]);
      assertEquals(engine.prepare(op, 0, 0), -11);
      const found = complete(engine);
      assertEquals(found.size, 64);
      assertEquals(new Set(found.values()), new Set([PAGE]));
      assertEquals([engine.prepared, engine.inFlight], [0, 0]);
    }
    for (let page = 0; page < 64; page++) {
      assertEquals(new Set(pageOf(memory, page)), new Set([page + 1]));
    }
  },
);

engineTest("DirectFileEngine ends misaligned requests with -EINVAL", (kind) => {
  using file = new TemporaryFile(1 << 20);
  using engine = DirectFileEngine.open(file.path, { engine: kind });
  // A filesystem that serves O_DIRECT from the page cache asks for nothing.
  if (engine.alignmentSource === "probe") return;
  const memory = engine.allocate(2 * PAGE);
  const { logicalBlockSize } = engine;
  // Filesystems do not look at the alignment of reads that meet a hole.
  prepareOne(engine, "write", 0, 0, memory);
  complete(engine);
  prepareOne(engine, "read", logicalBlockSize + 1, 1, memory, PAGE);
  prepareOne(engine, "read", 0, 2, memory, logicalBlockSize - 1);
  prepareOne(engine, "read", 0, 3, memory, PAGE);
  assertEquals(engine.prepare("read", 0, 4), 0);
  engine.pushSegment(memory.address + 1, PAGE);
  const found = complete(engine);
  const results = [1, 2, 3, 4].map((tag) => found.get(tag));
  assertEquals(results, [-22, -22, PAGE, -22]);
});

engineTest(
  "DirectFileEngine reads short at the end and nothing past it",
  (kind) => {
    using file = new TemporaryFile(3 * PAGE);
    using engine = DirectFileEngine.open(file.path, { engine: kind });
    const memory = engine.allocate(2 * PAGE);
    prepareOne(engine, "read", 2 * PAGE, 1, memory);
    prepareOne(engine, "read", 3 * PAGE, 2, memory);
    assertEquals(
      [...complete(engine)].sort(),
      [[1, PAGE], [2, 0]],
    );
  },
);

engineTest(
  "DirectFileEngine completes what the kernel refuses at once",
  (kind) => {
    using file = new TemporaryFile(1 << 20);
    using engine = DirectFileEngine.open(file.path, {
      engine: kind,
      readOnly: true,
    });
    const memory = engine.allocate(PAGE);
    prepareOne(engine, "read", 0, 1, memory);
    prepareOne(engine, "write", 0, 2, memory);
    prepareOne(engine, "read", PAGE, 3, memory);
    prepareOne(engine, "write", 0, 4, memory);
    assertEquals(engine.submit(), 4);
    assertEquals([engine.prepared, engine.inFlight], [0, 4]);
    assertEquals(
      [...complete(engine)].sort(),
      [[1, PAGE], [2, -9], [3, PAGE], [4, -9]],
    );
  },
);

engineTest("DirectFileEngine flushes, blocking and in the queue", (kind) => {
  using file = new TemporaryFile(1 << 20);
  using engine = DirectFileEngine.open(file.path, {
    engine: kind,
    dsync: true,
  });
  prepareOne(engine, "write", 0, 1, engine.allocate(PAGE));
  assertEquals(complete(engine), new Map([[1, PAGE]]));
  assertEquals(engine.flush(), 0);
  assertEquals(engine.prepare("fdsync", 0, 2), 0);
  assertEquals(complete(engine), new Map([[2, 0]]));
});

engineTest(
  "DirectFileEngine.reap() never waits for what is not there",
  (kind) => {
    using file = new TemporaryFile(1 << 20);
    using engine = DirectFileEngine.open(file.path, { engine: kind });
    assertEquals(engine.submit(), 0);
    assertEquals(engine.reap(0), 0);
    assertEquals(engine.reap(5), 0);
    prepareOne(engine, "read", 0, 1, engine.allocate(PAGE));
    assertEquals(engine.reap(5), 0);
    assertEquals(engine.submit(), 1);
    assertEquals(engine.reap(5), 1);
  },
);

engineTest(
  "DirectFileEngine.pushSegment() guards memory, drops requests",
  (kind) => {
    using file = new TemporaryFile(1 << 20);
    using engine = DirectFileEngine.open(file.path, { engine: kind });
    const memory = engine.allocate(PAGE);
    const { address } = memory;
    assertThrows(() => engine.pushSegment(address, PAGE), RangeError);
    for (
      const [where, length] of [
        [address, PAGE + 1],
        [address - 1, PAGE],
        [address, 0],
        [address, -PAGE],
        [address, NaN],
        [address + 0.5, 8],
        [NaN, 8],
      ] as const
    ) {
      assertEquals(engine.prepare("write", 0, 0), 0);
      assertThrows(() => engine.pushSegment(where, length), RangeError);
      assertEquals(engine.prepared, 0);
    }
    assertThrows(() => engine.prepare("read", -PAGE, 0), RangeError);
    assertThrows(() => engine.prepare("read", 0.5, 0), RangeError);

    const many = engine.allocate(514 * PAGE);
    assertEquals(engine.prepare("read", 0, 0), 0);
    assertThrows(
      () => {
        for (let page = 0; page < 514; page += 2) {
          engine.pushSegment(many.address + page * PAGE, PAGE);
        }
      },
      RangeError,
      "at most 256",
    );
    assertEquals(engine.prepared, 0);
  },
);

engineTest(
  "DirectFileEngine.release() refuses while requests use memory",
  (kind) => {
    using file = new TemporaryFile(1 << 20);
    using engine = DirectFileEngine.open(file.path, { engine: kind });
    const memory = engine.allocate(PAGE);
    prepareOne(engine, "read", 0, 1, memory);
    assertThrows(() => engine.release(memory.bytes), RangeError, "1 requests");
    complete(engine);
    engine.release(memory.bytes);
    engine.prepare("read", 0, 1);
    assertThrows(() => engine.pushSegment(memory.address, PAGE), RangeError);
  },
);

engineTest("DirectFileEngine closes with requests in flight", (kind) => {
  using file = new TemporaryFile(256 * PAGE);
  const engine = DirectFileEngine.open(file.path, { engine: kind });
  const memory = engine.allocate(128 * PAGE);
  memory.bytes.fill(9);
  for (let page = 0; page < 127; page++) {
    prepareOne(engine, "write", page * PAGE, page, memory, PAGE);
  }
  engine.submit();
  prepareOne(engine, "write", 200 * PAGE, 0, memory, PAGE);
  engine.close();
  assertEquals([engine.prepared, engine.inFlight], [0, 0]);

  using again = DirectFileEngine.open(file.path, { engine: kind });
  const target = again.allocate(256 * PAGE);
  prepareOne(again, "read", 0, 1, target);
  complete(again);
  // Those in flight were waited for; the one only prepared was dropped.
  assertEquals(new Set(target.bytes.subarray(0, 127 * PAGE)), new Set([9]));
  assertEquals(new Set(target.bytes.subarray(127 * PAGE)), new Set([0]));
});

engineTest("DirectFileEngine is a clear error after close()", (kind) => {
  using file = new TemporaryFile(1 << 20);
  const engine = DirectFileEngine.open(file.path, { engine: kind });
  const memory = engine.allocate(PAGE);
  engine.close();
  engine.close();
  for (
    const use of [
      () => engine.prepare("read", 0, 0),
      () => engine.pushSegment(memory.address, PAGE),
      () => engine.submit(),
      () => engine.reap(0),
      () => engine.flush(),
      () => engine.allocate(PAGE),
      () => engine.release(memory.bytes),
    ]
  ) {
    const error = assertThrows(use, DeviceClosedError);
    assertMatch(error.message, /^Cannot .* \/tmp\/.*: it is closed$/);
  }
});

function mayRunDeno(): boolean {
  const command = Deno.execPath();
  return Deno.permissions.querySync({ name: "run", command }).state ===
    "granted";
}

const CHILD_PROGRAM = `
  import { DirectFileEngine } from "ENGINE";
  using engine = DirectFileEngine.open("FILE");
  const memory = engine.allocate(4096);
  engine.prepare("read", 4096, 5);
  engine.pushSegment(memory.address, 4096);
  engine.submit();
  engine.reap(1);
  console.log(engine.resultTags[0], engine.results[0], memory.bytes[4095]);
`;

/** Runs a program that reads page 1 of a file, with the flags given. */
async function runChild(path: string, flags: string[]): Promise<string> {
  const engine = import.meta.resolve("./direct_file_engine.ts");
  const program = CHILD_PROGRAM.replace("ENGINE", engine).replace("FILE", path);
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-config", ...flags, "-"],
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
  await using child = command.spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(program));
  await writer.close();
  const { stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return decoder.decode(stdout) + decoder.decode(stderr);
}

fileTestIf(
  mayRunDeno(),
  "--allow-run",
  "DirectFileEngine needs no permission but ffi for the one path",
  async () => {
    using file = new TemporaryFile(2 * PAGE);
    await Deno.writeFile(file.path, new Uint8Array(2 * PAGE).fill(42, PAGE));
    const candidates = libcCandidates();
    const all = `--allow-ffi=${candidates.join(",")}`;
    assertEquals(await runChild(file.path, [all]), "5 4096 42\n");
    const outputs = await Promise.all(
      candidates.map((path) => runChild(file.path, [`--allow-ffi=${path}`])),
    );
    assertArrayIncludes(outputs, ["5 4096 42\n"]);
    const refused = await runChild(file.path, []);
    assertMatch(refused, /DevicePermissionError: .*; add --allow-ffi=\/lib/);
  },
);

import {
  assert,
  assertEquals,
  assertFalse,
  assertGreater,
  assertLessOrEqual,
  assertMatch,
  assertThrows,
} from "@std/assert";
import {
  blockdevDirectIO,
  type DioOps,
  fifo,
  type File,
  type Filesystem,
  finish,
  Inode,
  type Iovec,
  Kernel,
  O_DIRECT,
  O_DSYNC,
  type Page,
  random,
  READ,
  REQ_FUA,
  REQ_NOWAIT,
  type Rw,
  type Strategy,
  submitBio,
  SuperBlock,
  UserMemory,
  WRITE,
} from "../core/mod.ts";
import { DeviceClosedError, DeviceError } from "./device_error.ts";
import {
  DirectFileDevice,
  type DirectFileDeviceOptions,
} from "./direct_file_device.ts";
import { DirectFileEngine } from "./direct_file_engine.ts";
import { RWF_DSYNC, RWF_NOWAIT } from "./engine.ts";
import { MemoryDevice } from "./memory_device.ts";
import { fileTest, TemporaryFile } from "./testdata/temporary_file.ts";

const PAGE = 4096;
const SIZE = 1 << 20;

const OPS: DioOps = {
  getBlock(_inode, iblock, bh) {
    bh.map(iblock, bh.bSize);
    return 0;
  },
};

/** A filesystem whose one file is the device. */
const IDENTITY: Filesystem = {
  name: "identity",
  directIO: (rw, iocb, iter, offset) =>
    blockdevDirectIO(rw, iocb, iocb.kiFilp.fInode, iter, offset, OPS),
};

/** The same file in blocks that lie in reverse order: a bio for each. */
const REVERSED: Filesystem = {
  name: "reversed",
  directIO: (rw, iocb, iter, offset) =>
    blockdevDirectIO(rw, iocb, iocb.kiFilp.fInode, iter, offset, {
      getBlock(inode, iblock, bh) {
        bh.map(inode.iSize / PAGE - 1 - iblock, PAGE);
        return 0;
      },
    }),
};

interface MachineOptions extends DirectFileDeviceOptions {
  readonly fs?: Filesystem;
  readonly strategy?: Strategy;
}

/** A kernel with a filesystem on a file of the machine. */
class Machine implements Disposable {
  readonly device: DirectFileDevice;
  readonly kernel: Kernel;
  readonly inode: Inode;
  readonly #file: TemporaryFile = new TemporaryFile(SIZE);

  constructor(
    { fs = IDENTITY, strategy = fifo(), ...options }: MachineOptions = {},
  ) {
    this.device = DirectFileDevice.open(this.#file.path, options);
    this.kernel = new Kernel({ memory: this.device.memory(SIZE), strategy });
    this.device.attach(this.kernel);
    const sb = new SuperBlock(this.kernel, this.device, 12, fs);
    this.inode = new Inode(sb, 12, SIZE);
  }

  get path(): string {
    return this.#file.path;
  }

  /** What the file holds, read by other means. */
  get content(): Uint8Array {
    return Deno.readFileSync(this.path);
  }

  /** A buffer with a pattern of its own in each sector. */
  buffer(bytes: number, first = 1): Iovec {
    const base = this.kernel.memory.alloc(bytes);
    this.bytes({ base, len: bytes }).forEach((_, i, all) => {
      all[i] = first + (i >> 9) * 3 + (i & 63);
    });
    return { base, len: bytes };
  }

  bytes({ base, len }: Iovec): Uint8Array {
    return this.kernel.memory.bytes(base, len);
  }

  file(flags = O_DIRECT): File {
    return { fInode: this.inode, fFlags: flags };
  }

  /** Runs asynchronous requests; gives their results in their order. */
  runAio(requests: readonly [Rw, Iovec, offset: number][]): number[] {
    const { kernel } = this;
    const ring = kernel.aio.ioSetup(requests.length);
    const events: { data: number; res: number }[] = [];
    const file = this.file();
    kernel.spawn(
      "aio",
      (function* () {
        for (const [data, [rw, iov, offset]] of requests.entries()) {
          const request = { file, rw, iov: [iov], offset, data };
          assertEquals(yield* kernel.aio.ioSubmit(ring, request), 1);
        }
        yield* kernel.aio.ioGetevents(ring, requests.length, events);
      })(),
    );
    this.run();
    assertEquals(events.length, requests.length);
    return events.sort((a, b) => a.data - b.data).map(({ res }) => res);
  }

  /** Runs one request that a system call waits for; gives its result. */
  runSync(rw: Rw, iov: Iovec, offset: number, flags = O_DIRECT): number {
    const { kernel } = this;
    const file = this.file(flags);
    let result = NaN;
    kernel.spawn(
      "sync",
      (function* () {
        result = yield* kernel.aio.syncRw(file, rw, [iov], offset);
      })(),
    );
    this.run();
    return result;
  }

  /** Runs one bio of one page; gives what it ended with. */
  runBio(rw: Rw, iov: Iovec, sector: number, opf = 0): number {
    const { kernel, device } = this;
    const bio = kernel.bios.alloc(rw, device, sector);
    bio.addPage(kernel.memory.pin(iov.base) as Page, 0, iov.len);
    bio.biOpf = opf;
    let error = NaN;
    bio.biEndIo = (bio) => {
      error = bio.biError;
      return finish(kernel.bios.put(bio));
    };
    submitBio(bio);
    this.run();
    return error;
  }

  run(): void {
    const { bug, hung } = this.kernel.run();
    assertEquals([bug, hung], [null, null]);
    assertEquals(this.device.inFlight, 0);
  }

  /** How often an event is in the trace. */
  count(ev: string): number {
    return [...this.kernel.trace.events()].filter((e) => e.ev === ev).length;
  }

  /** Ends the kernel: no bio is left, and no page is pinned. */
  assertNothingLeft(): void {
    this.kernel.shutdown();
    assertEquals(this.count("slab_leak"), 0);
    assertEquals(this.count("trace_end"), 1);
  }

  [Symbol.dispose](): void {
    this.device.close();
    this.#file[Symbol.dispose]();
  }
}

fileTest("DirectFileDevice writes 16 pages as one request, reads them", () => {
  using machine = new Machine();
  const source = machine.buffer(16 * PAGE);
  assertEquals(machine.runAio([[WRITE, source, 32 * PAGE]]), [16 * PAGE]);
  assertEquals(machine.count("submit_bio"), 1);

  const target = machine.buffer(16 * PAGE, 99);
  assertEquals(machine.runAio([[READ, target, 32 * PAGE]]), [16 * PAGE]);
  assertEquals(machine.bytes(target), machine.bytes(source));
  const { content } = machine;
  assertEquals(
    content.subarray(32 * PAGE, 48 * PAGE),
    machine.bytes(source),
  );
  assertEquals(new Set(content.subarray(0, 32 * PAGE)), new Set([0]));
  machine.assertNothingLeft();
});

fileTest("DirectFileDevice holds many requests, each with its bytes", () => {
  using machine = new Machine();
  const buffers = Array.from(
    { length: 40 },
    (_, i) => machine.buffer(PAGE * (1 + i % 3), i * 5),
  );
  const lengths = buffers.map(({ len }) => len);
  const at = (i: number) => i * 4 * PAGE;
  assertEquals(
    machine.runAio(buffers.map((iov, i) => [WRITE, iov, at(i)])),
    lengths,
  );
  const targets = lengths.map((len) => machine.buffer(len, 77));
  assertEquals(
    machine.runAio(targets.map((iov, i) => [READ, iov, at(i)])),
    lengths,
  );
  for (const [i, target] of targets.entries()) {
    assertEquals(machine.bytes(target), machine.bytes(buffers[i]!));
  }
  machine.assertNothingLeft();
});

fileTest("DirectFileDevice ends bios in hardirqs, without a copy", () => {
  using machine = new Machine();
  machine.runAio([[WRITE, machine.buffer(PAGE), 0]]);
  const ends = [...machine.kernel.trace.events()]
    .filter(({ ev }) => ev === "bio_endio");
  assertEquals(ends.map(({ ctx, error }) => [ctx, error]), [["hardirq", 0]]);
});

fileTest("DirectFileDevice with a full queue reaps before it takes", () => {
  using machine = new Machine({ queueDepth: 3, fs: REVERSED });
  let most = 0;
  const { device } = machine;
  const reap = device.reap.bind(device);
  let reaps = 0;
  device.reap = () => {
    most = Math.max(most, device.inFlight);
    reaps++;
    reap();
  };
  const source = machine.buffer(64 * PAGE);
  assertEquals(machine.runAio([[WRITE, source, 0]]), [64 * PAGE]);
  assertEquals(machine.count("submit_bio"), 64);
  assertEquals(most, 3);
  assertGreater(reaps, 64 / 3 - 1);
  const { content } = machine;
  for (let page = 0; page < 64; page++) {
    const from = SIZE - (page + 1) * PAGE;
    assertEquals(
      content.subarray(from, from + PAGE),
      machine.bytes(source).subarray(page * PAGE, (page + 1) * PAGE),
    );
  }
  machine.assertNothingLeft();
});

fileTest("DirectFileDevice batches what is submitted until reap()", () => {
  using machine = new Machine({ fs: REVERSED });
  const batches: number[] = [];
  const { device } = machine;
  const reap = device.reap.bind(device);
  device.reap = () => {
    batches.push(device.inFlight);
    reap();
  };
  machine.runAio([[WRITE, machine.buffer(20 * PAGE), 0]]);
  assertEquals(batches[0], 20);
  assertLessOrEqual(batches.length, 20);
});

fileTest("DirectFileDevice serves system calls that wait", () => {
  using machine = new Machine({ fs: REVERSED });
  const source = machine.buffer(100 * PAGE);
  const target = machine.buffer(100 * PAGE, 50);
  assertEquals(machine.runSync(WRITE, source, PAGE), 100 * PAGE);
  assertEquals(machine.runSync(READ, target, PAGE), 100 * PAGE);
  assertEquals(machine.bytes(target), machine.bytes(source));
  machine.assertNothingLeft();
});

fileTest("DirectFileDevice transfers pieces smaller than a page", () => {
  using machine = new Machine();
  const block = machine.device.logicalBlockSize;
  assertEquals(PAGE % block, 0);
  const { base } = machine.buffer(2 * PAGE);
  // From the last block of one page to the first of the next.
  const iov = { base: base + PAGE - block, len: 2 * block };
  assertEquals(machine.runSync(WRITE, iov, block), 2 * block);
  assertEquals(
    machine.content.subarray(block, 3 * block),
    machine.bytes(iov),
  );
  machine.assertNothingLeft();
});

fileTest("DirectFileDevice runs under a strategy that decides steps", () => {
  for (let seed = 1; seed <= 5; seed++) {
    using machine = new Machine({
      queueDepth: 4,
      fs: REVERSED,
      strategy: random(seed),
    });
    const source = machine.buffer(10 * PAGE, seed);
    const other = machine.buffer(10 * PAGE, seed + 100);
    const results = machine.runAio([
      [WRITE, source, 0],
      [WRITE, other, 10 * PAGE],
    ]);
    assertEquals(results, [10 * PAGE, 10 * PAGE]);
    const target = machine.buffer(20 * PAGE);
    assertEquals(machine.runSync(READ, target, 0), 20 * PAGE);
    assertEquals(
      machine.bytes(target).subarray(0, 10 * PAGE),
      machine.bytes(source),
    );
    assertEquals(
      machine.bytes(target).subarray(10 * PAGE),
      machine.bytes(other),
    );
    machine.assertNothingLeft();
  }
});

fileTest("DirectFileDevice.flush() makes an O_DSYNC write stable", () => {
  using machine = new Machine();
  const { device } = machine;
  const flush = device.flush.bind(device);
  const flushed: number[] = [];
  device.flush = () => {
    assertEquals(device.inFlight, 0, "the data was written before");
    flushed.push(flush());
    return flushed.at(-1) ?? NaN;
  };
  const source = machine.buffer(PAGE);
  assertEquals(machine.runSync(WRITE, source, 0), PAGE);
  assertEquals(flushed, []);
  assertEquals(machine.runSync(WRITE, source, 0, O_DIRECT | O_DSYNC), PAGE);
  assertEquals(flushed, [0]);
  assertEquals(machine.count("blkdev_issue_flush"), 1);
});

fileTest("DirectFileDevice gives requests the flags of their bios", () => {
  using machine = new Machine({ dsync: true });
  const source = machine.buffer(PAGE);
  const flags: (number | undefined)[] = [];
  const { prepare } = DirectFileEngine.prototype;
  using cleanup = new DisposableStack();
  cleanup.defer(() => DirectFileEngine.prototype.prepare = prepare);
  DirectFileEngine.prototype.prepare = function (...args) {
    flags.push(args[3]);
    return prepare.apply(this, args);
  };
  assertEquals(machine.runBio(WRITE, source, 16), 0);
  assertEquals(machine.runBio(WRITE, source, 16, REQ_FUA), 0);
  assertEquals(machine.runBio(READ, source, 16, REQ_FUA), 0);
  const waitless = [
    machine.runBio(READ, source, 16, REQ_NOWAIT),
    machine.runBio(WRITE, source, 16, REQ_NOWAIT | REQ_FUA),
  ];
  // Done, or would have waited, or the filesystem cannot tell.
  for (const error of waitless) assert([0, -11, -95].includes(error));
  assertEquals(flags, [0, RWF_DSYNC, 0, RWF_NOWAIT, RWF_DSYNC | RWF_NOWAIT]);
});

fileTest("DirectFileDevice ends a refused bio with its errno", () => {
  using machine = new Machine({ readOnly: true });
  const source = machine.buffer(PAGE);
  assertEquals(machine.runBio(WRITE, source, 0), -9);
  assertEquals(machine.runBio(READ, source, 0), 0);
});

fileTest("DirectFileDevice lets a request fail with -EIO", () => {
  using machine = new Machine({ readOnly: true });
  const source = machine.buffer(2 * PAGE);
  assertEquals(machine.runAio([[WRITE, source, 0], [READ, source, 0]]), [
    -5,
    2 * PAGE,
  ]);
  assertEquals(machine.runSync(WRITE, source, 0), -5);
  machine.assertNothingLeft();
});

fileTest("DirectFileDevice ends a short transfer with -EIO", () => {
  using machine = new Machine();
  Deno.truncateSync(machine.path, PAGE);
  const target = machine.buffer(2 * PAGE);
  assertEquals(machine.runSync(READ, target, 0), -5);
  assertEquals(machine.runSync(READ, target, 8 * PAGE), -5);
  machine.assertNothingLeft();
});

fileTest("DirectFileDevice reaches the page of zeros", () => {
  using machine = new Machine();
  const { memory } = machine.kernel;
  machine.runSync(WRITE, machine.buffer(2 * PAGE), 0);
  const source = machine.buffer(2 * PAGE, 9);
  memory.unmap(source.base + PAGE, PAGE);
  // The block of a page that is not there must not show what was in it.
  assertEquals(machine.runSync(WRITE, source, 0), -14);
  const { content } = machine;
  assertEquals(
    content.subarray(0, PAGE),
    machine.bytes(source).subarray(0, PAGE),
  );
  assertEquals(new Set(content.subarray(PAGE, 2 * PAGE)), new Set([0]));
  machine.assertNothingLeft();
});

fileTest(
  "DirectFileDevice.memory() gives whole pages at real addresses",
  () => {
    using file = new TemporaryFile(SIZE);
    using device = DirectFileDevice.open(file.path);
    const memory = device.memory(PAGE + 1);
    const first = memory.pin(memory.alloc(PAGE)) as Page;
    const second = memory.pin(memory.alloc(PAGE)) as Page;
    const zeros = memory.pinZeroPage();
    assertEquals(first.address % PAGE, 0);
    assertGreater(first.address, 0);
    assertEquals(second.address, first.address + PAGE);
    assertEquals(zeros.address, first.address + 2 * PAGE);
    assertThrows(() => memory.alloc(1), RangeError, "0 of 8192 are left");
    for (const bytes of [0, -PAGE, 0.5, NaN]) {
      assertThrows(() => device.memory(bytes), RangeError, `${bytes} is not`);
    }
  },
);

fileTest("DirectFileDevice.memory() serves a memory device as well", () => {
  using file = new TemporaryFile(SIZE);
  using device = DirectFileDevice.open(file.path);
  const kernel = new Kernel({ memory: device.memory(PAGE) });
  const ram = new MemoryDevice({ sizeBytes: PAGE });
  ram.attach(kernel);
  const addr = kernel.memory.alloc(PAGE);
  kernel.memory.bytes(addr, PAGE).fill(3);
  const bio = kernel.bios.alloc(WRITE, ram, 0);
  bio.addPage(kernel.memory.pin(addr) as Page, 0, PAGE);
  bio.biEndIo = function* () {};
  submitBio(bio);
  kernel.run();
  assertEquals(new Set(ram.store), new Set([3]));
});

fileTest("DirectFileDevice tells name, size and block size", () => {
  using file = new TemporaryFile(SIZE);
  using device = DirectFileDevice.open(file.path);
  using named = DirectFileDevice.open(file.path, { name: "sdb" });
  assertEquals([device.name, named.name], ["file", "sdb"]);
  assertEquals([device.path, device.sizeBytes], [file.path, SIZE]);
  assert([512, 4096].includes(device.logicalBlockSize));
  assertThrows(
    () => DirectFileDevice.open(file.path, { queueDepth: 0 }),
    RangeError,
    "queue depth 0",
  );
});

/** A kernel, and a bio of one page for a device. */
function pageBio(device: DirectFileDevice, memory: UserMemory) {
  const kernel = new Kernel({ memory });
  const bio = kernel.bios.alloc(READ, device, 0);
  bio.addPage(memory.pin(memory.alloc(PAGE)) as Page, 0, PAGE);
  const state = { ended: false };
  bio.biEndIo = () => {
    state.ended = true;
    return finish(undefined);
  };
  return { kernel, bio, state };
}

fileTest("DirectFileDevice.submitBio() refuses memory it cannot reach", () => {
  using file = new TemporaryFile(SIZE);
  using device = DirectFileDevice.open(file.path, { queueDepth: 1 });
  using other = DirectFileDevice.open(file.path);
  const ordinary = pageBio(device, new UserMemory(PAGE));
  device.attach(ordinary.kernel);
  assertThrows(
    () => submitBio(ordinary.bio),
    TypeError,
    "make the kernel with { memory: device.memory(bytes) }",
  );
  const foreign = pageBio(device, other.memory(PAGE));
  device.attach(foreign.kernel);
  assertThrows(() => submitBio(foreign.bio), RangeError, "do not lie in");
  assertEquals(device.inFlight, 0);

  // Its one slot is still there.
  const good = pageBio(device, device.memory(PAGE));
  device.attach(good.kernel);
  submitBio(good.bio);
  good.kernel.run();
  assert(good.state.ended);
});

fileTest("DirectFileDevice must be attached, once for each kernel", () => {
  using file = new TemporaryFile(SIZE);
  using device = DirectFileDevice.open(file.path);
  const { kernel, bio, state } = pageBio(device, device.memory(PAGE));
  assertThrows(() => submitBio(bio), TypeError, "call attach() first");
  assertThrows(() => device.reap(), TypeError, "call attach() first");
  device.attach(kernel);
  submitBio(bio);
  device.attach(kernel);
  assertEquals(device.inFlight, 1);
  kernel.run();
  assertEquals([device.inFlight, state.ended], [0, true]);
});

fileTest("DirectFileDevice.attach() drops bios of a stopped kernel", () => {
  using file = new TemporaryFile(SIZE);
  using device = DirectFileDevice.open(file.path);
  const old = pageBio(device, device.memory(PAGE));
  device.attach(old.kernel);
  submitBio(old.bio);
  assertEquals(device.inFlight, 1);
  const { kernel, bio, state } = pageBio(device, device.memory(PAGE));
  device.attach(kernel);
  assertEquals(device.inFlight, 0);
  submitBio(bio);
  kernel.run();
  old.kernel.run();
  assertEquals([state.ended, old.state.ended], [true, false]);
});

fileTest("DirectFileDevice.reap() throws when the host gives up", () => {
  using file = new TemporaryFile(SIZE);
  using device = DirectFileDevice.open(file.path);
  const { kernel, bio, state } = pageBio(device, device.memory(PAGE));
  device.attach(kernel);
  submitBio(bio);
  const { submitAndReap } = DirectFileEngine.prototype;
  for (
    const [errno, reason] of [
      [-11, "no room for a request"],
      [-22, "Cannot reap from /tmp/"],
    ] as const
  ) {
    using cleanup = new DisposableStack();
    cleanup.defer(() =>
      DirectFileEngine.prototype.submitAndReap = submitAndReap
    );
    DirectFileEngine.prototype.submitAndReap = () => errno;
    assertThrows(() => kernel.run(), DeviceError, reason);
  }
  // The request is still there, and comes back once the host recovers.
  assertEquals(device.inFlight, 1);
  kernel.run();
  assert(state.ended);
});

fileTest("DirectFileDevice is a clear error after close()", () => {
  using file = new TemporaryFile(SIZE);
  const device = DirectFileDevice.open(file.path);
  const { kernel, bio, state } = pageBio(device, device.memory(2 * PAGE));
  device.attach(kernel);
  submitBio(bio);
  device.close();
  device.close();
  for (
    const use of [
      () => submitBio(bio),
      () => kernel.run(),
      () => device.reap(),
      () => device.flush(),
      () => device.memory(PAGE),
    ]
  ) {
    const { message } = assertThrows(use, DeviceClosedError);
    assertMatch(message, /^Cannot .* \/tmp\/.*: it is closed$/);
  }
  assertFalse(state.ended);
});

Deno.test("UserMemory at real addresses keeps its last page for zeros", () => {
  const bytes = new Uint8Array(3 * PAGE).fill(1);
  const memory = new UserMemory({ bytes, address: 5 * PAGE });
  const zeros = memory.pinZeroPage();
  assertEquals(zeros.address, 7 * PAGE);
  assertEquals(zeros.bytes.byteOffset, 2 * PAGE);
  assertEquals(zeros.bytes.buffer, bytes.buffer);
  assertEquals(new Set(zeros.bytes), new Set([0]));
  assertEquals(memory.bytes(memory.alloc(2 * PAGE), 1), new Uint8Array([1]));
  assertThrows(() => memory.alloc(1), RangeError);
  for (const length of [0, 100, PAGE + 1]) {
    assertThrows(
      () => new UserMemory({ bytes: new Uint8Array(length), address: PAGE }),
      RangeError,
      `${length} bytes are not whole pages`,
    );
  }
});

Deno.test("DirectFileDevice.neededFfiFlag() names the C library", () => {
  const flag = DirectFileDevice.neededFfiFlag();
  assertMatch(flag, /^--allow-ffi=\/.*(?:libc\.so\.6|musl)/);
});

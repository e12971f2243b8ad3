import {
  assert,
  assertEquals,
  assertGreater,
  assertLessOrEqual,
} from "@std/assert";
import {
  O_DIRECT,
  O_DSYNC,
  random,
  READ,
  REQ_FUA,
  REQ_NOWAIT,
  WRITE,
} from "../core/mod.ts";
import { DirectFileEngine } from "./direct_file_engine.ts";
import { RWF_DSYNC, RWF_NOWAIT } from "./engine.ts";
import { Machine, PAGE, REVERSED, SIZE } from "./testdata/device_machine.ts";
import { fileTest } from "./testdata/temporary_file.ts";

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

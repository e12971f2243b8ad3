import {
  assert,
  assertEquals,
  assertFalse,
  assertGreater,
  assertMatch,
  assertThrows,
} from "@std/assert";
import {
  finish,
  Kernel,
  type Page,
  READ,
  submitBio,
  UserMemory,
  WRITE,
} from "../core/mod.ts";
import { DeviceClosedError, DeviceError } from "./device_error.ts";
import { DirectFileDevice } from "./direct_file_device.ts";
import { DirectFileEngine } from "./direct_file_engine.ts";
import { MemoryDevice } from "./memory_device.ts";
import { PAGE, SIZE } from "./testdata/device_machine.ts";
import { fileTest, TemporaryFile } from "./testdata/temporary_file.ts";

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

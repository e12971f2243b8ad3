import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  AlignedMemory,
  allocateForData,
  PAGE_SIZE_BYTES,
} from "./aligned_memory.ts";
import { DeviceClosedError, DevicePermissionError } from "./device_error.ts";
import { Libc } from "./libc.ts";
import { libcCandidates, neededFfiFlag } from "./libc_path.ts";
import { patch } from "./testdata/patch.ts";
import { fileTest } from "./testdata/temporary_file.ts";

const HUGE = 2 << 20;

Deno.test({
  name: "Libc.open() names the flag to add when Deno may not load libc",
  permissions: { ffi: false },
  fn(): void {
    const error = assertThrows(() => Libc.open(), DevicePermissionError);
    assertEquals(error.flag, neededFfiFlag());
    assertMatch(error.message, /Deno may not use it; add --allow-ffi=\/lib/);
  },
});

Deno.test({
  name: "neededFfiFlag() lists every candidate when it may not look",
  permissions: { read: false },
  fn(): void {
    const paths = libcCandidates().join(",");
    assertEquals(neededFfiFlag(), `--allow-ffi=${paths}`);
  },
});

Deno.test("libcCandidates() are of the kind that Deno uses itself", () => {
  for (const arch of ["x86_64", "aarch64"]) {
    assertEquals(libcCandidates(arch, "musl"), [`/lib/ld-musl-${arch}.so.1`]);
    const glibc = libcCandidates(arch, "gnu");
    assertEquals(glibc.filter((path) => !path.endsWith("/libc.so.6")), []);
    assertEquals(glibc.length, 6);
  }
  assertEquals(libcCandidates("riscv64"), []);
});

fileTest("Libc gives results as the kernel does: -errno on failure", () => {
  using libc = Libc.open();
  assertEquals(libc.closeFd(-1), -9);
  assertEquals(libc.open("/nonexistent/file", 0), -2);
  assertEquals(libc.lseek(-1, 0, 0), -9);
  assertEquals(libc.fdatasync(-1), -9);
  assertEquals(libc.ioctl(-1, 0x1268n, new Uint8Array(8)), -9);
  assertEquals(libc.pread(-1, new Uint8Array(8), 0), -9);
});

fileTest("Libc is a clear error after close()", () => {
  const libc = Libc.open();
  libc.close();
  libc.close();
  assertThrows(
    () => libc.closeFd(-1),
    DeviceClosedError,
    "Cannot call the C library: it is closed",
  );
});

fileTest("AlignedMemory lies at a page boundary and knows its bounds", () => {
  using libc = Libc.open();
  for (const length of [1, 512, PAGE_SIZE_BYTES, 1_000_003]) {
    const memory = new AlignedMemory(libc, length);
    assertEquals(memory.bytes.length, length);
    assertEquals(memory.address % PAGE_SIZE_BYTES, 0);
    assertEquals(libc.addressOf(memory.bytes), memory.address);
    assertEquals(memory.holds(memory.address, length), true);
    assertEquals(memory.holds(memory.address, length + 1), false);
    assertEquals(memory.holds(memory.address - 1, 1), false);
  }
  assertThrows(() => new AlignedMemory(libc, 0), RangeError);
});

fileTest(
  "allocateForData() gives a large region the place of huge pages",
  () => {
    using libc = Libc.open();
    const asked: number[][] = [];
    using _ = patch(
      Libc.prototype,
      "madvise",
      (original) =>
        function (this: Libc, ...args) {
          asked.push(args);
          return original.apply(this, args);
        },
    );
    const small = allocateForData(libc, HUGE - 1);
    assertEquals([small.address % PAGE_SIZE_BYTES, asked.length], [0, 0]);
    const large = allocateForData(libc, HUGE + 5);
    assertEquals(large.address % HUGE, 0);
    assertEquals(large.bytes.length, HUGE + 5);
    assertEquals(asked, [[large.address, HUGE + 5, 14]]);
    large.bytes.fill(1);
  },
);

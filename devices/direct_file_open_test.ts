import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { DeviceOpenError } from "./device_error.ts";
import { DirectFileEngine } from "./direct_file_engine.ts";
import { fileTest, TemporaryFile } from "./testdata/temporary_file.ts";

function assertOpenFails(path: string, code: string, reason: string): void {
  const error = assertThrows(
    () => DirectFileEngine.open(path),
    DeviceOpenError,
  );
  assertEquals(error.code, code);
  assertStringIncludes(error.message, `Cannot open ${path}: `);
  assertStringIncludes(error.message, reason);
  assertEquals(error.message.includes("\n"), false);
}

fileTest("DirectFileEngine.open() tells that a file is missing", () => {
  assertOpenFails("/nonexistent/file", "ENOENT", "create it first");
});

fileTest("DirectFileEngine.open() tells that a path is a directory", () => {
  assertOpenFails("/tmp", "EISDIR", "name a file or a block device");
});

fileTest(
  "DirectFileEngine.open() tells that a path goes through a file",
  () => {
    using file = new TemporaryFile(4096);
    assertOpenFails(`${file.path}/x`, "ENOTDIR", "not a directory");
  },
);

fileTest("DirectFileEngine.open() tells that a path is no kind of disk", () => {
  assertOpenFails("/dev/null", "ENOTBLK", "neither a regular file nor");
});

fileTest(
  "DirectFileEngine.open() tells that a filesystem has no O_DIRECT",
  () => {
    const path = "/proc/version";
    const error = assertThrows(
      () => DirectFileEngine.open(path, { readOnly: true }),
      DeviceOpenError,
    );
    assertEquals(error.code, "EINVAL");
    assertStringIncludes(
      error.message,
      `Cannot open ${path}: the filesystem has no O_DIRECT`,
    );
    assertStringIncludes(error.message, "use a directory on ext4 or XFS");
  },
);

fileTest("DirectFileEngine.open() tells that it may not", () => {
  // Nobody may write there, not even root.
  assertOpenFails("/sys/kernel/uevent_seqnum", "EACCES", "open it read-only");
});

fileTest("DirectFileEngine.open() takes any size when it is asked to", () => {
  for (const size of [0, 100, 8192 + 100]) {
    using file = new TemporaryFile(size);
    using engine = DirectFileEngine.open(file.path, { anySize: true });
    assertEquals(engine.sizeBytes, size);
  }
});

fileTest("DirectFileEngine.open() tells that a file is empty", () => {
  using file = new TemporaryFile(0);
  assertOpenFails(file.path, "EINVAL", "it is empty");
});

fileTest("DirectFileEngine.open() tells that a size does not fit", () => {
  using file = new TemporaryFile(8192 + 100);
  assertOpenFails(file.path, "EINVAL", "8292 bytes is not a multiple of");
});

fileTest("DirectFileEngine.open() tells that a path has a NUL", () => {
  const error = assertThrows(
    () => DirectFileEngine.open("/tmp/a\0b"),
    DeviceOpenError,
  );
  assertEquals(
    error.message,
    "Cannot open /tmp/a\\0b: the path contains a NUL",
  );
});

fileTest("DirectFileEngine.open() refuses a queue depth out of range", () => {
  using file = new TemporaryFile(4096);
  for (const queueDepth of [0, -1, 1.5, 4097, NaN]) {
    assertThrows(
      () => DirectFileEngine.open(file.path, { queueDepth }),
      RangeError,
      `queue depth ${queueDepth} is not an integer of 1 to 4096`,
    );
  }
});

fileTest("DirectFileEngine.open() finds the size and the alignment", () => {
  using file = new TemporaryFile(1 << 20);
  using engine = DirectFileEngine.open(file.path);
  assertEquals(engine.sizeBytes, 1 << 20);
  assertEquals(engine.sizeBytes % engine.logicalBlockSize, 0);
  assertEquals(4096 % engine.memoryAlignment, 0);
  assertEquals(engine.queueDepth, 128);
});

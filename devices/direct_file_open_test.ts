import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { DeviceOpenError } from "./device_error.ts";
import { DirectFileEngine } from "./direct_file_engine.ts";
import { Libc } from "./libc.ts";
import { LoopDevice, whyNoLoopDevice } from "./testdata/loop_device.ts";
import { patch } from "./testdata/patch.ts";
import { fileTest, TemporaryFile } from "./testdata/temporary_file.ts";

const STATX_DIOALIGN = 0x2000;
const STX_DIO_MEM_ALIGN = 152;
const EINVAL = 22;

/** A kernel whose answer about the alignment is another. */
function withAlignment(change: (stat: DataView) => void): Disposable {
  return patch(
    Libc.prototype,
    "statx",
    (original) =>
      function (this: Libc, dirfd, path, flags, mask, out) {
        const result = original.call(this, dirfd, path, flags, mask, out);
        if (mask === STATX_DIOALIGN) change(new DataView(out.buffer));
        return result;
      },
  );
}

/** A kernel before 6.1, or a filesystem that does not tell. */
function withoutDioAlign(): Disposable {
  return withAlignment((stat) => stat.setUint32(0, 0, true));
}

/** A disk that reads no less than so many bytes. */
function withBlocksOf(bytes: number): Disposable {
  return patch(
    Libc.prototype,
    "pread",
    (original) =>
      function (this: Libc, fd, into, offset) {
        if (into.length % bytes !== 0) return -EINVAL;
        return original.call(this, fd, into, offset);
      },
  );
}

function alignmentOf(path: string): [string, number, number] {
  using engine = DirectFileEngine.open(path);
  const { alignmentSource, logicalBlockSize, memoryAlignment } = engine;
  return [alignmentSource, logicalBlockSize, memoryAlignment];
}

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

fileTest("DirectFileEngine.open() believes what statx() tells", () => {
  using file = new TemporaryFile(1 << 20);
  using _ = withAlignment((stat) => {
    stat.setUint32(0, STATX_DIOALIGN, true);
    stat.setUint32(STX_DIO_MEM_ALIGN, 4, true);
    stat.setUint32(STX_DIO_MEM_ALIGN + 4, 1024, true);
  });
  assertEquals(alignmentOf(file.path), ["statx", 1024, 4]);
});

fileTest("DirectFileEngine.open() tells that a file has no direct I/O", () => {
  using file = new TemporaryFile(1 << 20);
  using _ = withAlignment((stat) => {
    stat.setUint32(0, STATX_DIOALIGN, true);
    stat.setBigUint64(STX_DIO_MEM_ALIGN, 0n, true);
  });
  assertOpenFails(file.path, "EINVAL", "no direct I/O on this file");
});

fileTest(
  "DirectFileEngine.open() tries reads where statx() tells nothing",
  () => {
    using file = new TemporaryFile(1 << 20);
    using _ = withoutDioAlign();
    for (const bytes of [512, 4096]) {
      using _ = withBlocksOf(bytes);
      assertEquals(alignmentOf(file.path), ["probe", bytes, bytes]);
    }
    {
      using _ = withBlocksOf(8192);
      assertOpenFails(file.path, "EINVAL", "a first direct read failed");
    }
  },
);

const noLoop = whyNoLoopDevice();
const suffix = noLoop === "" ? "" : ` [skipped: ${noLoop}]`;
Deno.test({
  name: `DirectFileEngine.open() asks a block device with BLKSSZGET${suffix}`,
  ignore: noLoop !== "",
  fn() {
    using _ = withoutDioAlign();
    for (const sectorSize of [512, 4096]) {
      using loop = new LoopDevice(1 << 20, sectorSize);
      assertEquals(alignmentOf(loop.path), ["ioctl", sectorSize, sectorSize]);
    }
  },
});

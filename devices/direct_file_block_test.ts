import { assertEquals, assertThrows } from "@std/assert";
import { DeviceOpenError } from "./device_error.ts";
import { DirectFile } from "./direct_file.ts";
import { DirectFileDevice } from "./direct_file_device.ts";
import { LoopDevice, whyNoLoopDevice } from "./testdata/loop_device.ts";
import { fileTestIf } from "./testdata/temporary_file.ts";

const SIZE = 4 << 20;

const reason = whyNoLoopDevice();

function blockTest(name: string, fn: () => void | Promise<void>): void {
  if (reason === "") return fileTestIf(true, "", name, fn);
  Deno.test({ name: `${name} [skipped: ${reason}]`, ignore: true, fn });
}

for (const sectorSize of [512, 4096]) {
  blockTest(`DirectFile finds blocks of ${sectorSize} bytes`, async () => {
    using loop = new LoopDevice(SIZE, sectorSize);
    await using file = DirectFile.open(loop.path);
    assertEquals(
      [file.sizeBytes, file.logicalBlockSize],
      [SIZE, sectorSize],
    );
    const memory = file.allocate(2 * sectorSize);
    memory.fill(7);
    assertEquals(await file.write(sectorSize, memory), 2 * sectorSize);
    assertEquals(await file.fdatasync(), 0);
    memory.fill(0);
    assertEquals(await file.read(0, memory), 2 * sectorSize);
    assertEquals([memory[0], memory[sectorSize]], [0, 7]);
    // Half a block is none.
    const half = memory.subarray(0, sectorSize / 2);
    assertEquals(await file.read(0, half), -22);
    // There is nothing behind the end, and no room for anything.
    assertEquals(await file.read(SIZE, memory), 0);
    assertEquals(await file.write(SIZE, memory), -28);
    assertEquals(await file.read(SIZE - sectorSize, memory), sectorSize);
  });
}

blockTest("DirectFileDevice has a block device for itself", () => {
  using loop = new LoopDevice(SIZE, 512);
  using device = DirectFileDevice.open(loop.path);
  assertEquals([device.sizeBytes, device.logicalBlockSize], [SIZE, 512]);
  const error = assertThrows(
    () => DirectFileDevice.open(loop.path),
    DeviceOpenError,
    "in use, perhaps mounted",
  );
  assertEquals(error.code, "EBUSY");
  using reader = DirectFileDevice.open(loop.path, { readOnly: true });
  assertEquals(reader.sizeBytes, SIZE);
});

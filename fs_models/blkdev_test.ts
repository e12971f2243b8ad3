import { assertEquals, assertThrows } from "@std/assert";
import {
  type File,
  Kernel,
  O_DIRECT,
  Partition,
  PROFILE_NAMES,
  type ProfileName,
  READ,
  type Rw,
  type Task,
  WRITE,
} from "../core/mod.ts";
import { MemoryDevice } from "../devices/mod.ts";
import { Blkdev } from "./blkdev.ts";
import { Blkdev2016 } from "./blkdev_2016.ts";

const PAGE = 4096;

/** A disk with some partitions. */
function disk(
  profile: ProfileName,
  sizes: readonly number[],
  logicalBlockSize: 512 | 4096 = 512,
) {
  const kernel = new Kernel({ profile });
  const device = new MemoryDevice({ sizeBytes: 64 * PAGE, logicalBlockSize });
  device.attach(kernel);
  const fs = new Blkdev(kernel, device);
  const files = sizes.map((size) => fs.createFile({ size, extents: [] }));
  return { kernel, device, fs, files };
}

/** Transfers a page; gives the result and the first byte of the buffer. */
function transfer(kernel: Kernel, file: File, rw: Rw, value: number): number[] {
  const base = kernel.memory.alloc(PAGE);
  const bytes = kernel.memory.bytes(base, PAGE).fill(value);
  const found: number[] = [];
  kernel.spawn(
    "dd",
    (function* (): Task<void> {
      const iov = [{ base, len: PAGE }];
      found.push(yield* kernel.aio.syncRw(file, rw, iov, 0), bytes[0]!);
    })(),
  );
  assertEquals(kernel.run().hung, null);
  return found;
}

Deno.test("Blkdev.createFile() makes partitions that lie one behind the other", () => {
  const { files } = disk("v6.1", [5 * PAGE, PAGE + 300, 0, PAGE]);
  let end = 0;
  for (const [i, { bdev, iSize }] of files.entries()) {
    assertEquals(bdev instanceof Partition, true);
    const { name, startBytes, sizeBytes } = bdev as Partition;
    assertEquals([name, sizeBytes], [`sda${i + 1}`, iSize]);
    assertEquals([startBytes % PAGE, startBytes >= end], [0, true]);
    end = startBytes + sizeBytes;
  }
  // What is no whole block is cut off.
  assertEquals(files.map(({ iSize }) => iSize), [5 * PAGE, PAGE, 0, PAGE]);
});

Deno.test("Blkdev.createFile() cuts a partition to whole blocks of the disk", () => {
  const [file] = disk("v6.1", [2 * PAGE + 512], 4096).files;
  assertEquals(file?.iSize, 2 * PAGE);
});

Deno.test("Blkdev.createFile() refuses a partition that the disk has no room for", () => {
  const { fs } = disk("v6.1", [60 * PAGE]);
  assertThrows(
    () => fs.createFile({ size: 8 * PAGE, extents: [] }),
    RangeError,
    "Cannot make partition sda2: bytes 249856 + 32768 are not whole blocks of 512 bytes inside sda (262144 bytes)",
  );
});

for (const profile of PROFILE_NAMES) {
  Deno.test(`Blkdev writes and reads each partition where it lies, in ${profile}`, () => {
    const { kernel, device, files } = disk(profile, [PAGE, 3 * PAGE]);
    for (const [i, fInode] of files.entries()) {
      const file = { fInode, fFlags: O_DIRECT };
      assertEquals(transfer(kernel, file, WRITE, i + 1), [PAGE, i + 1]);
      const { startBytes } = fInode.bdev as Partition;
      assertEquals(device.store[startBytes], i + 1);
      assertEquals(transfer(kernel, file, READ, 99), [PAGE, i + 1]);
    }
    const written = device.store.filter((byte) => byte !== 0).length;
    assertEquals(written, 2 * PAGE);
  });

  Deno.test(`Blkdev goes through ${profile === "v3.12" ? "struct dio" : "struct blkdev_dio"} in ${profile}`, () => {
    const { kernel, files: [fInode] } = disk(profile, [PAGE]);
    transfer(kernel, { fInode: fInode!, fFlags: O_DIRECT }, WRITE, 1);
    const names = new Set([...kernel.trace.events()].map(({ ev }) => ev));
    const isDio = profile === "v3.12";
    assertEquals(
      [names.has("dio_complete"), names.has("blkdev_direct_IO")],
      [isDio, !isDio],
    );
  });
}

Deno.test("Blkdev2016 is that of 4.10 in every profile that has one", () => {
  for (const profile of ["v4.10", "v6.1"] as const) {
    const kernel = new Kernel({ profile });
    const device = new MemoryDevice({ sizeBytes: PAGE });
    device.attach(kernel);
    const { directIo } = new Blkdev2016(kernel, device);
    assertEquals(
      typeof directIo === "object" && directIo.profile.asyncSingle,
      false,
    );
  }
});

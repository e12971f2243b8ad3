import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MemoryDevice, type MemoryDeviceOptions } from "../devices/mod.ts";
import { bioReleasePages, bioSetPagesDirty } from "./bio_pages.ts";
import {
  Bio,
  BIO_MAX_PAGES,
  bioEndio,
  READ,
  type Rw,
  submitBio,
  WRITE,
} from "./bio.ts";
import { KernelBug } from "./bug.ts";
import { EIO } from "./errno.ts";
import { Kernel } from "./kernel.ts";
import { Page, PAGE_SIZE } from "./page.ts";
import { assertClean, doing } from "./testdata/identity_fs.ts";

const SEED = 20136;

function page(id = 0): Page {
  return new Page(id, new Uint8Array(PAGE_SIZE), 0);
}

function bioOf(rw: Rw, sector = 0): Bio {
  const bio = new Bio();
  bio.init(rw, sector);
  return bio;
}

/** A bio of one page for a device that a kernel has. */
function submission(
  sector: number,
  bytes: number,
  options: Partial<MemoryDeviceOptions> = {},
): { kernel: Kernel; bio: Bio; errors: number[] } {
  const kernel = new Kernel();
  const device = new MemoryDevice({ sizeBytes: 65536, ...options });
  device.attach(kernel);
  const bio = kernel.bios.alloc(WRITE, device, sector);
  bio.addPage(page(), 0, bytes);
  const errors: number[] = [];
  bio.biEndIo = (ended) =>
    doing(() => {
      errors.push(ended.biError);
      kernel.bios.put(ended);
    });
  return { kernel, bio, errors };
}

Deno.test("Bio.addPage() makes a piece longer that the next one continues within its page", () => {
  const bio = bioOf(READ);
  const one = page();
  assertEquals(bio.addPage(one, 0, 512), true);
  assertEquals(bio.addPage(one, 512, 1024), false);
  assertEquals([bio.biVcnt, bio.lengths[0], bio.biSize], [1, 1536, 1536]);
});

Deno.test("Bio.addPage() begins a new piece for another page, and for a gap in the same one", () => {
  const bio = bioOf(READ);
  const one = page();
  bio.addPage(one, 0, 512);
  assertEquals(bio.addPage(one, 1024, 512), true);
  assertEquals(bio.addPage(page(1), 1536, 512), true);
  assertEquals([bio.biVcnt, bio.biSize], [3, 1536]);
});

Deno.test("Bio.full says so at 256 pieces", () => {
  const bio = bioOf(READ);
  for (let i = 0; i < BIO_MAX_PAGES; i++) {
    assertEquals(bio.full, false);
    bio.addPage(page(i), 0, PAGE_SIZE);
  }
  assertEquals([bio.full, bio.biSize], [true, 1 << 20]);
});

Deno.test("mapping-and-bios: Bio.endSector counts in sectors of 512 bytes", () => {
  const bio = bioOf(READ, 8);
  bio.addPage(page(), 0, 4096);
  assertEquals(bio.endSector, 16);
});

Deno.test("Bio.init() forgets what an earlier use left", () => {
  const bio = bioOf(WRITE, 8);
  bio.addPage(page(), 0, 4096);
  bio.biError = -EIO;
  bio.init(READ, 0);
  assertEquals(
    [bio.biVcnt, bio.biSize, bio.biError, bio.biCnt, bio.biEndIo],
    [0, 0, 0, 1, null],
  );
});

Deno.test(`Bio.transfer() writes and reads back any pieces (seed ${SEED})`, () => {
  const piece = fc.record({
    offset: fc.nat(7),
    length: fc.integer({ min: 1, max: 8 }),
  })
    .map(({ offset, length }) => ({
      offset: offset * 512,
      length: Math.min(length, 8 - offset) * 512,
    }));
  fc.assert(
    fc.property(
      fc.array(piece, { minLength: 1, maxLength: 6 }),
      fc.nat(8),
      (pieces, sector) => {
        const store = new Uint8Array(65536);
        const [out, back] = [bioOf(WRITE, sector), bioOf(READ, sector)];
        pieces.forEach(({ offset, length }, i) => {
          const source = page(2 * i);
          source.bytes.fill(i + 1, offset, offset + length);
          out.addPage(source, offset, length);
          back.addPage(page(2 * i + 1), offset, length);
        });
        out.transfer(store);
        back.transfer(store);
        assertEquals(
          back.pages.slice(0, back.biVcnt).map(({ bytes }) => bytes),
          out.pages.slice(0, out.biVcnt).map(({ bytes }) => bytes),
        );
        const end = sector * 512 + out.biSize;
        assertEquals(store.subarray(sector * 512, end).includes(0), false);
        assertEquals(store.subarray(end).every((byte) => byte === 0), true);
      },
    ),
    { seed: SEED },
  );
});

Deno.test("bioReleasePages() drops one pin a piece, bioSetPagesDirty() marks every page", () => {
  const bio = bioOf(READ);
  const pages = [page(0), page(1)];
  for (const one of pages) {
    one.pins = 2;
    bio.addPage(one, 0, 512);
  }
  bioSetPagesDirty(bio);
  bioReleasePages(bio);
  assertEquals(pages.map(({ pins, dirty }) => [pins, dirty]), [
    [1, true],
    [1, true],
  ]);
});

Deno.test("BioCaches.put() frees a bio with its last reference", () => {
  const { kernel, bio } = submission(0, 512);
  kernel.bios.get(bio);
  kernel.bios.put(bio);
  assertEquals(bio.live, true);
  kernel.bios.put(bio);
  assertEquals([bio.live, kernel.bios.cache.inUse], [false, 0]);
});

Deno.test("released-once: BioCaches.put() of a freed bio is a KernelBug", () => {
  const { kernel, bio } = submission(0, 512);
  kernel.bios.put(bio);
  const bug = assertThrows(
    () => kernel.bios.put(bio),
    KernelBug,
    "freed twice",
  );
  assertEquals(bug.rule, "released-once/double-free");
});

Deno.test("no-use-after-release: BioCaches.get() of a freed bio is a KernelBug", () => {
  const { kernel, bio } = submission(0, 512);
  kernel.bios.put(bio);
  assertThrows(
    () => kernel.bios.get(bio),
    KernelBug,
    "used after it was freed",
  );
});

Deno.test("submitBio() hands a bio to its device, which ends it once with its error", () => {
  for (const completion of ["softirq", "hardirq", "inline"] as const) {
    for (const faults of [[], [{ nth: 1 }]]) {
      const { kernel, bio, errors } = submission(8, 4096, {
        completion,
        faults,
      });
      const inline = submitBio(bio);
      if (inline !== null) kernel.boot(inline);
      assertClean(kernel.run());
      assertEquals(errors, [faults.length === 0 ? 0 : -EIO]);
      assertEquals(kernel.bios.cache.inUse, 0);
    }
  }
});

Deno.test("bioEndio() runs in the context that the device chose", () => {
  for (const completion of ["softirq", "hardirq"] as const) {
    const { kernel, bio } = submission(0, 512, { completion });
    submitBio(bio);
    kernel.run();
    const end = [...kernel.trace.events()].find(({ ev }) => ev === "bio_endio");
    assertEquals(end?.ctx, completion);
  }
});

Deno.test("bioEndio() of a bio without an end handler is a KernelBug", () => {
  const { bio } = submission(0, 512);
  bio.biEndIo = null;
  assertThrows(
    () => bioEndio(bio),
    KernelBug,
    "bio 1 ends without an end handler",
  );
});

Deno.test.each<[string, number, number, 512 | 4096]>([
  ["ends behind the device", 127, 1024, 512],
  ["begins before the device", -8, 4096, 512],
  ["is no whole number of 4096 byte blocks", 8, 512, 4096],
  ["begins within a 4096 byte block", 4, 4096, 4096],
])(
  "submitBio() throws RangeError when the bio %s",
  (_name, sector, bytes, logicalBlockSize) => {
    const { bio } = submission(sector, bytes, { logicalBlockSize });
    assertThrows(
      () => submitBio(bio),
      RangeError,
      `sectors ${sector} + ${bytes / 512}`,
    );
  },
);

Deno.test("BioCaches.alloc() refuses a fault plan for bios, which come from a pool", () => {
  const kernel = new Kernel({ allocFaults: [{ what: "bio", nth: 1 }] });
  const device = new MemoryDevice({ sizeBytes: 4096 });
  assertThrows(
    () => kernel.bios.alloc(READ, device, 0),
    RangeError,
    "Cannot let an allocation of 'bio' fail",
  );
  assertStrictEquals(kernel.bios.alloc(READ, device, 0).biBdev, device);
});

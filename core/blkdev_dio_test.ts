import { assertEquals, assertStringIncludes } from "@std/assert";
import { REQ_FUA, REQ_IDLE, REQ_NOWAIT, REQ_POLLED, REQ_SYNC } from "./bio.ts";
import { type Bio, READ, WRITE } from "./bio.ts";
import { BlkdevDirectIo } from "./blkdev_dio_submit.ts";
import {
  EAGAIN,
  EFAULT,
  EINVAL,
  EIO,
  ENOMEM,
  ENOSPC,
  EOPNOTSUPP,
} from "./errno.ts";
import { O_DIRECT, O_DSYNC } from "./fs.ts";
import { IOCB_HIPRI, IOCB_NOWAIT } from "./iocb_flags.ts";
import type { Kiocb } from "./aio.ts";
import type { Kernel } from "./kernel.ts";
import type { IovIter } from "./iov_iter.ts";
import type { Page } from "./page.ts";
import { finish } from "./step.ts";
import { BlkdevRig, DISK_BYTES, PAGE } from "./testdata/blkdev_rig.ts";

const SECTOR = 512;
const PROFILES = ["v4.10", "v6.1"] as const;

/** Tells which path a request takes. */
class Paths extends BlkdevDirectIo {
  readonly taken: string[] = [];

  override blkdevDirectIOSimple(
    ...args: Parameters<BlkdevDirectIo["blkdevDirectIOSimple"]>
  ) {
    this.taken.push("simple");
    return super.blkdevDirectIOSimple(...args);
  }

  override blkdevDirectIOAsync(
    ...args: Parameters<BlkdevDirectIo["blkdevDirectIOAsync"]>
  ) {
    this.taken.push("async");
    return super.blkdevDirectIOAsync(...args);
  }

  override blkdevDirectIOMulti(
    ...args: Parameters<BlkdevDirectIo["blkdevDirectIOMulti"]>
  ) {
    this.taken.push("multi");
    return super.blkdevDirectIOMulti(...args);
  }
}

for (
  const [profile, isSync, pages, path, bios] of [
    ["v4.10", true, 0, [], 0],
    ["v4.10", true, 1, ["simple"], 1],
    ["v4.10", true, 256, ["simple"], 1],
    ["v4.10", true, 257, ["multi"], 2],
    ["v4.10", true, 513, ["multi"], 3],
    ["v4.10", false, 0, [], 0],
    ["v4.10", false, 1, ["multi"], 1],
    ["v4.10", false, 256, ["multi"], 1],
    ["v4.10", false, 257, ["multi"], 2],
    ["v6.1", true, 0, [], 0],
    ["v6.1", true, 1, ["simple"], 1],
    ["v6.1", true, 256, ["simple"], 1],
    ["v6.1", true, 257, ["multi"], 2],
    ["v6.1", false, 0, [], 0],
    ["v6.1", false, 1, ["async"], 1],
    ["v6.1", false, 256, ["async"], 1],
    ["v6.1", false, 257, ["multi"], 2],
    ["v6.1", false, 513, ["multi"], 3],
  ] as const
) {
  const kind = isSync ? "a synchronous" : "an asynchronous";
  Deno.test(`b.1, b.2: blkdevDirectIO() sends ${kind} request of ${pages} pages down ${path[0] ?? "no"} path in ${profile}`, () => {
    const size = 514 * PAGE;
    let paths: Paths | undefined;
    const rig = new BlkdevRig({
      profile,
      bioMaxPages: 256,
      size,
      device: { sizeBytes: size },
      init: (kernel) => paths = new Paths(kernel),
    });
    // One page of memory many times over keeps the request large and cheap.
    const page = rig.buffer(PAGE, 1);
    const iov = Array.from({ length: pages }, () => page);
    assertEquals(rig.result(isSync, { iov }), pages * PAGE);
    assertEquals(paths?.taken, [...path]);
    assertEquals(rig.bios().length, bios);
  });
}

for (
  const [profile, block, offset, pageOffset, bytes, fits] of [
    ["v4.10", 512, 512, 512, 512, true],
    ["v4.10", 512, 256, 0, 512, false],
    ["v4.10", 512, 0, 256, 512, false],
    ["v4.10", 512, 0, 0, 256, false],
    ["v4.10", 4096, 4096, 0, 4096, true],
    ["v4.10", 4096, 512, 0, 4096, false],
    ["v4.10", 4096, 0, 512, 4096, false],
    ["v4.10", 4096, 0, 0, 512, false],
    ["v6.1", 512, 512, 512, 512, true],
    ["v6.1", 512, 256, 0, 512, false],
    ["v6.1", 512, 0, 256, 512, false],
    ["v6.1", 512, 0, 0, 256, false],
    ["v6.1", 4096, 4096, 0, 4096, true],
    ["v6.1", 4096, 512, 0, 4096, false],
    ["v6.1", 4096, 0, 512, 4096, true],
    ["v6.1", 4096, 0, 256, 4096, false],
    ["v6.1", 4096, 0, 0, 512, false],
  ] as const
) {
  Deno.test(`b.1, b.2: blkdevDirectIO() ${fits ? "takes" : "refuses"} ${bytes} bytes at ${offset} from address ${pageOffset} on blocks of ${block} in ${profile}`, () => {
    for (const isSync of [true, false]) {
      const rig = new BlkdevRig({
        profile,
        bioMaxPages: 256,
        device: { logicalBlockSize: block },
      });
      const iov = [rig.buffer(bytes, 7, pageOffset)];
      const result = rig.result(isSync, { offset, iov });
      assertEquals(result, fits ? bytes : -EINVAL);
    }
  });
}

Deno.test("b.2: blkdevDirectIO() cuts bios to whole blocks when memory is not", () => {
  const rig = new BlkdevRig({
    bioMaxPages: 2,
    device: { logicalBlockSize: 4096 },
  });
  const iov = [rig.buffer(4 * PAGE, 0, SECTOR)];
  const bytes = rig.kernel.memory.bytes(iov[0]!.base, 4 * PAGE);
  bytes.forEach((_, i) => bytes[i] = i >> 9);
  assertEquals(rig.result(false, { iov, offset: PAGE }), 4 * PAGE);
  assertEquals(
    rig.bios().map(([sector, size]) => [sector, size]),
    [[8, PAGE], [16, PAGE], [24, PAGE], [32, PAGE]],
  );
  assertEquals(rig.device.store.slice(PAGE, 5 * PAGE), bytes);
});

for (const profile of PROFILES) {
  for (const block of [512, 4096] as const) {
    Deno.test(`mapping-and-bios: bios go to sectors of 512 bytes on blocks of ${block} in ${profile}`, () => {
      for (const isSync of [true, false]) {
        for (const pages of [1, 2]) {
          const device = { logicalBlockSize: block };
          const rig = new BlkdevRig({ profile, device });
          rig.result(isSync, { offset: 8 * PAGE, bytes: pages * PAGE });
          const sectors = rig.bios().map(([sector]) => sector);
          assertEquals(sectors, pages === 1 ? [64] : [64, 72]);
        }
      }
    });
  }

  Deno.test(`dsync-durable: each bio of an O_DSYNC write has FUA, and who waits flushes as well, in ${profile}`, () => {
    const opf = REQ_SYNC | REQ_IDLE;
    for (const isSync of [true, false]) {
      for (const pages of [1, 2]) {
        const bytes = pages * PAGE;
        const plain = new BlkdevRig({ profile });
        plain.result(isSync, { bytes });
        assertEquals(plain.bios().map(([, , f]) => f), Array(pages).fill(opf));
        const rig = new BlkdevRig({ profile });
        rig.result(isSync, { bytes, fFlags: O_DIRECT | O_DSYNC });
        assertEquals(
          rig.bios().map(([, , f]) => f),
          Array(pages).fill(opf | REQ_FUA),
        );
        const flushes = rig.events("blkdev_issue_flush").length;
        assertEquals(flushes, isSync ? 1 : 0);
        assertEquals(plain.events("blkdev_issue_flush"), []);
      }
    }
  });

  Deno.test(`b.2: requests at the end of a device are cut, or fail, in ${profile}`, () => {
    const end = DISK_BYTES;
    for (
      const [rw, offset, bytes, expected] of [
        [READ, end - PAGE, 2 * PAGE, PAGE],
        [READ, end - SECTOR, 3 * PAGE, SECTOR],
        [READ, end, PAGE, 0],
        [READ, end + PAGE, PAGE, 0],
        [WRITE, end - PAGE, 2 * PAGE, PAGE],
        [WRITE, end - SECTOR, 3 * PAGE, SECTOR],
        [WRITE, end, PAGE, -ENOSPC],
        [WRITE, end + PAGE, PAGE, -ENOSPC],
        [WRITE, end, 0, 0],
      ] as const
    ) {
      for (const isSync of [true, false]) {
        const rig = new BlkdevRig({ profile });
        const result = rig.result(isSync, { rw, offset, bytes });
        assertEquals([rw, offset, bytes, result], [
          rw,
          offset,
          bytes,
          expected,
        ]);
      }
    }
  });

  Deno.test(`b.2: a request that is cut at the end of a device has its buffer back in ${profile}`, () => {
    const rig = new BlkdevRig({ profile });
    const iocb = rig.kernel.aio.cache.alloc()!;
    iocb.kiFilp = { fInode: rig.inode, fFlags: O_DIRECT };
    iocb.kiPos = DISK_BYTES - PAGE;
    iocb.iter.reset([rig.buffer(3 * PAGE)]);
    rig.kernel.spawn(
      "dd",
      (function* () {
        yield* finish(rig.fs.aioWrite(iocb));
      })(),
    );
    rig.kernel.run();
    assertEquals([iocb.iter.count, iocb.kiPos], [2 * PAGE, DISK_BYTES]);
  });

  Deno.test(`position-once: a request moves its position once, and not at all when it fails, in ${profile}`, () => {
    for (const isSync of [true, false]) {
      for (const pages of [1, 2, 3]) {
        for (const rw of [READ, WRITE] as const) {
          const request = { rw, offset: PAGE, bytes: pages * PAGE };
          const rig = new BlkdevRig({ profile });
          rig.result(isSync, request);
          const moves = rig.events("ki_pos").map(({ pos }) => pos);
          assertEquals(moves, [(pages + 1) * PAGE]);
          const faults = [{ nth: pages }];
          const failing = new BlkdevRig({ profile, device: { faults } });
          assertEquals(failing.result(isSync, request), -EIO);
          assertEquals(failing.events("ki_pos"), []);
        }
      }
    }
  });
}

for (
  const [profile, isSync, failing, expected] of [
    // One bio: the simple path, in 6.1 also the asynchronous one.
    ["v4.10", true, [0, 1], -EFAULT],
    ["v4.10", false, [0, 1], -EFAULT],
    ["v6.1", true, [0, 1], -EFAULT],
    ["v6.1", false, [0, 1], -EFAULT],
    // Three bios: 6.1 reports its own errno only to who waits.
    ["v4.10", true, [0, 3], -EFAULT],
    ["v4.10", true, [1, 3], -EFAULT],
    ["v4.10", true, [2, 3], -EFAULT],
    ["v4.10", false, [0, 3], -EFAULT],
    ["v4.10", false, [1, 3], -EFAULT],
    ["v4.10", false, [2, 3], -EFAULT],
    ["v6.1", true, [0, 3], -EFAULT],
    ["v6.1", true, [1, 3], -EFAULT],
    ["v6.1", true, [2, 3], -EFAULT],
    ["v6.1", false, [0, 3], -EIO],
    ["v6.1", false, [1, 3], -EIO],
    ["v6.1", false, [2, 3], -EIO],
  ] as const
) {
  const [page, pages] = failing;
  const kind = isSync ? "a synchronous" : "an asynchronous";
  Deno.test(`result-precedence, DIO-005: ${kind} request of ${pages} bios whose pages end at ${page} comes to ${expected} in ${profile}, however its bios end`, () => {
    for (const completion of ["softirq", "inline"] as const) {
      for (const rw of [READ, WRITE] as const) {
        const rig = new BlkdevRig({ profile, device: { completion } });
        const iov = [rig.buffer(pages * PAGE)];
        rig.kernel.memory.unmap(iov[0]!.base + page * PAGE, 1);
        assertEquals(rig.result(isSync, { rw, iov }), expected);
        assertEquals(rig.bios().length, page);
      }
    }
  });
}

for (const profile of PROFILES) {
  Deno.test(`b.2: a small request whose pages end early is short in ${profile}`, () => {
    const rig = new BlkdevRig({ profile, bioMaxPages: 256 });
    const iov = [rig.buffer(6 * PAGE)];
    rig.kernel.memory.unmap(iov[0]!.base + 2 * PAGE, 1);
    assertEquals(rig.result(true, { iov }), 2 * PAGE);
  });

  Deno.test(`DIO-006: a vector that does not fit on the stack is freed on every exit in ${profile}`, () => {
    for (const [pages, what] of [[4, "bio_vec"], [5, "bio_vec"]] as const) {
      const allocFaults = [{ what, nth: 1 }];
      const rig = new BlkdevRig({ profile, bioMaxPages: 256, allocFaults });
      const result = rig.result(true, { bytes: pages * PAGE });
      assertEquals(result, pages === 4 ? 4 * PAGE : -ENOMEM);
    }
    const rig = new BlkdevRig({ profile, bioMaxPages: 256 });
    const iov = [rig.buffer(5 * PAGE)];
    rig.kernel.memory.unmap(iov[0]!.base, 1);
    assertEquals(rig.result(true, { iov }), -EFAULT);
  });

  Deno.test(`DIO-007: a small request takes all pieces of its buffer in ${profile}`, () => {
    const rig = new BlkdevRig({ profile, bioMaxPages: 256 });
    const iov = [1, 2, 3].map((value) => rig.buffer(PAGE, value));
    assertEquals(rig.result(true, { iov }), 3 * PAGE);
    assertEquals(rig.bios().length, 1);
    const firsts = [0, 1, 2].map((page) => rig.device.store[page * PAGE]);
    assertEquals(firsts, [1, 2, 3]);
  });

  Deno.test(`b.1: four requests can be made without memory, the fifth waits in ${profile}`, () => {
    const allocFaults = Array.from({ length: 20 }, (_, i) => ({
      what: "blkdev_dio",
      nth: i + 1,
    }));
    const rig = new BlkdevRig({ profile, allocFaults });
    for (let i = 0; i < 5; i++) rig.async({ offset: i * PAGE });
    assertEquals(rig.finish(), Array(5).fill(PAGE));
    const frees = rig.events("dio_free");
    const begins = rig.events("blkdev_direct_IO");
    assertEquals(begins.length, 5);
    assertEquals(frees[0]!.seq < begins[4]!.seq, true);
    assertEquals(frees[0]!.seq > begins[3]!.seq, true);
  });

  Deno.test(`b.1: without its pool a block device has no direct I/O in ${profile}`, () => {
    const allocFaults = [{ what: "bioset", nth: 1 }];
    assertEquals(new BlkdevRig({ profile, allocFaults }).result(true), -ENOMEM);
    assertEquals(
      new BlkdevRig({ profile, allocFaults }).result(false),
      -ENOMEM,
    );
  });

  Deno.test(`b.1: a request waits inside its submission for room on the device in ${profile}`, () => {
    for (const isSync of [true, false]) {
      const rig = new BlkdevRig({ profile, device: { queueDepth: 1 } });
      assertEquals(rig.result(isSync, { bytes: 3 * PAGE }), 3 * PAGE);
      const order = rig.events("submit_bio", "bio_endio").map(({ ev }) => ev);
      // The second bio is handed over, and waits, before the first has ended.
      assertEquals(order.slice(0, 3), [
        "submit_bio",
        "submit_bio",
        "bio_endio",
      ]);
    }
  });
}

/** Pins pages of the first piece of a buffer only, as until 4.18. */
class OnePiece extends BlkdevDirectIo {
  override bioIovIterGetPages(bio: Bio, iter: IovIter): number {
    const others = iter.count - Math.min(iter.count, iter.contiguous);
    iter.count -= others;
    const ret = super.bioIovIterGetPages(bio, iter, 256);
    iter.count += others;
    iter.advance(0);
    return ret;
  }
}

for (const profile of PROFILES) {
  Deno.test(`b.2: what a direct write leaves undone goes through the page cache, what a read leaves comes from there, in ${profile}`, () => {
    for (const fFlags of [O_DIRECT, O_DIRECT | O_DSYNC]) {
      const rig = new BlkdevRig({
        profile,
        bioMaxPages: 256,
        init: (kernel) => new OnePiece(kernel),
      });
      const pieces = () => [1, 2, 3].map((value) => rig.buffer(PAGE, value));
      rig.sync({ iov: pieces(), offset: PAGE, fFlags });
      assertEquals(rig.finish(), [3 * PAGE]);
      const found = [1, 2, 3, 4].map((page) => rig.device.store[page * PAGE]);
      assertEquals(found, [1, 2, 3, 0]);
      const flushes = rig.events("blkdev_issue_flush").length;
      assertEquals(flushes, fFlags === O_DIRECT ? 0 : 1);
      const iov = pieces();
      rig.sync({ rw: READ, iov, offset: 2 * PAGE });
      assertEquals(rig.kernel.run().hung, null);
      assertEquals(rig.results, [3 * PAGE, 3 * PAGE]);
      const { memory } = rig.kernel;
      const read = iov.map(({ base }) => memory.bytes(base, 1)[0]);
      assertEquals(read, [2, 3, 0]);
    }
  });
}

Deno.test("nowait-all-or-nothing: NOWAIT is not known in 4.10", () => {
  for (const isSync of [true, false]) {
    const rig = new BlkdevRig({ profile: "v4.10" });
    assertEquals(rig.result(isSync, { flags: IOCB_NOWAIT }), -EOPNOTSUPP);
  }
});

Deno.test("nowait-all-or-nothing, DIO-056: a NOWAIT request of two bios is refused before anything is issued", () => {
  for (const isSync of [true, false]) {
    const rig = new BlkdevRig();
    const request = { bytes: 2 * PAGE, flags: IOCB_NOWAIT };
    assertEquals(rig.result(isSync, request), -EAGAIN);
    assertEquals(rig.bios(), []);
  }
});

Deno.test("nowait-all-or-nothing, DIO-055: a NOWAIT bio fails when the device has no room, and is passed on as it is", () => {
  for (const isSync of [true, false]) {
    const rig = new BlkdevRig({ device: { queueDepth: 1 } });
    rig.async();
    const request = { offset: PAGE, flags: IOCB_NOWAIT };
    if (isSync) rig.sync(request);
    else rig.async(request);
    assertEquals(rig.finish().toSorted(), [-EAGAIN, PAGE]);
    assertEquals(rig.bios()[1]![2] & REQ_NOWAIT, REQ_NOWAIT);
  }
});

for (
  const [profile, isSync, pages, polled] of [
    ["v4.10", true, 1, true],
    ["v4.10", true, 2, false],
    ["v4.10", false, 1, false],
    ["v4.10", false, 2, false],
    ["v6.1", true, 1, false],
    ["v6.1", true, 2, false],
    ["v6.1", false, 1, true],
    ["v6.1", false, 2, false],
  ] as const
) {
  const kind = isSync ? "a synchronous" : "an asynchronous";
  Deno.test(`poll-single-bio, DIO-008: ${kind} request of ${pages} bios with HIPRI is ${polled ? "" : "not "}polled for in ${profile}`, () => {
    const rig = new BlkdevRig({ profile, device: { completion: "polled" } });
    const request = { rw: READ, bytes: pages * PAGE, flags: IOCB_HIPRI };
    assertEquals(rig.result(isSync, request), pages * PAGE);
    const ends = new Set(rig.events("bio_endio").map(({ ctx }) => ctx));
    assertEquals(ends, new Set([polled ? "task" : "softirq"]));
    const flags = rig.bios().map(([, , opf]) => opf & REQ_POLLED);
    assertEquals(flags, Array(pages).fill(polled ? REQ_POLLED : 0));
    assertEquals(rig.events("blk_poll").length, polled ? 1 : 0);
  });
}

Deno.test("poll-single-bio: a request that polls where interrupts come waits for them", () => {
  const rig = new BlkdevRig({ profile: "v4.10" });
  assertEquals(rig.result(true, { rw: READ, flags: IOCB_HIPRI }), PAGE);
  assertEquals(rig.events("blk_poll")[0]?.["found"], 0);
});

Deno.test("poll-single-bio, DIO-058: a polled request that ends inside its submission leaves no bio to poll for", () => {
  const device = { completion: "polled", queueDepth: 1 } as const;
  const rig = new BlkdevRig({ device });
  rig.async({ offset: 0 });
  rig.async({ offset: PAGE, flags: IOCB_HIPRI });
  assertEquals(rig.finish().toSorted(), [-EAGAIN, PAGE]);
  assertEquals(rig.rings.map(({ polled }) => polled), [[], []]);
  assertEquals(rig.events("blk_poll"), []);
});

Deno.test("poll-single-bio, DIO-058: a request that has ended has no bio to poll for", () => {
  for (
    const [flags, queueDepth] of [[0, 1], [0, 2], [IOCB_HIPRI, 1]] as const
  ) {
    const device = { completion: "polled", queueDepth } as const;
    const rig = new BlkdevRig({ device });
    const iocbs: Kiocb[] = [];
    const read = rig.fs.aioRead.bind(rig.fs);
    rig.fs.aioRead = (iocb) => {
      iocbs.push(iocb);
      return read(iocb);
    };
    rig.async({ rw: READ, flags });
    rig.async({ rw: READ, offset: PAGE, flags: IOCB_HIPRI });
    rig.finish();
    assertEquals(iocbs.map((iocb) => iocb.private), [null, null]);
  }
});

Deno.test("released-once: pieces of a buffer that lie in one page share its pin", () => {
  for (const isSync of [true, false]) {
    const rig = new BlkdevRig({ bioMaxPages: 4 });
    const { base } = rig.buffer(PAGE, 5);
    const iov = [0, 1, 2, 5].map((sector) => ({
      base: base + sector * SECTOR,
      len: SECTOR,
    }));
    // Three of them are one piece of the bio, the last is another.
    assertEquals(rig.result(isSync, { iov }), 4 * SECTOR);
    assertEquals(rig.bios().map(([, size]) => size), [4 * SECTOR]);
  }
});

Deno.test("liveness: a request that waits for ever says for how many bios", () => {
  const rig = new BlkdevRig({ profile: "v4.10" });
  rig.device.submitBio = () => null;
  rig.sync({ bytes: 3 * PAGE });
  assertStringIncludes(
    rig.kernel.run().hung ?? "",
    "for the bios of dio 1 to end, 3 in flight",
  );
});

/** Whether the pages of a buffer are dirty. */
function dirty(kernel: Kernel, base: number, pages: number): boolean[] {
  return Array.from({ length: pages }, (_, i) => {
    const page = kernel.memory.pin(base + i * PAGE) as Page;
    page.pins--;
    return page.dirty;
  });
}

for (const profile of PROFILES) {
  Deno.test(`pages-dirtied: the pages of a read are dirty in the end, those of a write are not, in ${profile}`, () => {
    for (const isSync of [true, false]) {
      for (const pages of [1, 2]) {
        for (const rw of [READ, WRITE] as const) {
          const rig = new BlkdevRig({ profile });
          const iov = [rig.buffer(pages * PAGE)];
          rig.result(isSync, { rw, iov });
          const found = dirty(rig.kernel, iov[0]!.base, pages);
          assertEquals(found, Array(pages).fill(rw === READ));
        }
      }
    }
  });
}

Deno.test("i_dio_count: a request of a block device never counts on its inode", () => {
  const rig = new BlkdevRig();
  rig.async({ bytes: 2 * PAGE });
  rig.kernel.run();
  assertEquals(rig.events("inode_dio_begin", "inode_dio_done"), []);
  assertEquals(rig.inode.iDioCount, 0);
});

/**
 * The block device's direct I/O on a real file and a real loop device: what
 * requests come to there, and the bytes, are those of the simulation.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  type BlockDevice,
  EAGAIN,
  finish,
  type IoEvent,
  Kernel,
  O_DIRECT,
  O_DSYNC,
  type Page,
  PROFILE_NAMES,
  type ProfileName,
  READ,
  type Rw,
  submitBio,
  type Task,
  UserMemory,
  WRITE,
} from "../core/mod.ts";
import { Blkdev } from "../fs_models/mod.ts";
import { DirectFileDevice } from "./direct_file_device.ts";
import { MemoryDevice } from "./memory_device.ts";
import { LoopDevice, whyNoLoopDevice } from "./testdata/loop_device.ts";
import { fileTest, TemporaryFile } from "./testdata/temporary_file.ts";

const PAGE = 4096;
const SECTOR = 512;
const SIZE = 2 << 20;
const MEMORY = 8 << 20;

/** One request, in sectors, or in halves of them where it must be refused. */
interface Request {
  readonly isSync: boolean;
  readonly rw: Rw;
  readonly offset: number;
  /** Lengths of the pieces of the buffer, and where in a page each starts. */
  readonly pieces: readonly (readonly [bytes: number, pageOffset: number])[];
  readonly dsync: boolean;
}

/** A length or position: whole blocks, whole sectors, seldom neither. */
function bytes(max: number): fc.Arbitrary<number> {
  const upTo = (unit: number) =>
    fc.integer({ min: 0, max: Math.floor(max / unit) })
      .map((count) => count * unit);
  return fc.oneof(
    { arbitrary: upTo(PAGE), weight: 8 },
    { arbitrary: upTo(SECTOR), weight: 3 },
    { arbitrary: upTo(SECTOR / 2), weight: 1 },
  );
}

const requests: fc.Arbitrary<Request[]> = fc.array(
  fc.record({
    isSync: fc.boolean(),
    rw: fc.constantFrom(READ, WRITE),
    offset: fc.oneof(bytes(SIZE + PAGE), bytes(8 * PAGE)),
    pieces: fc.array(
      fc.tuple(
        bytes(5 * PAGE),
        fc.oneof(
          { arbitrary: fc.constant(0), weight: 4 },
          { arbitrary: fc.constantFrom(SECTOR, 3 * SECTOR), weight: 1 },
        ),
      ),
      { minLength: 1, maxLength: 3 },
    ),
    dsync: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
);

/** What a request came to, and what its buffer holds afterwards. */
interface Outcome {
  readonly result: number;
  readonly content: Uint8Array;
}

/** Makes requests one after the other; gives what each came to. */
function play(
  profile: ProfileName,
  bioMaxPages: number,
  bdev: BlockDevice,
  memory: UserMemory,
  list: readonly Request[],
): Outcome[] {
  memory.reset();
  const kernel = new Kernel({ profile, bioMaxPages, memory });
  bdev.attach(kernel);
  const fInode = new Blkdev(kernel, bdev).createFile({
    size: SIZE,
    extents: [],
  });
  const outcomes: Outcome[] = [];
  const ring = kernel.aio.ioSetup(1);
  function* one(request: Request, seed: number): Task<void> {
    const { isSync, rw, offset, pieces, dsync } = request;
    const file = { fInode, fFlags: O_DIRECT | (dsync ? O_DSYNC : 0) };
    const iov = pieces.map(([len, pageOffset]) => ({
      base: memory.alloc(len, pageOffset),
      len,
    }));
    const views = iov.map(({ base, len }) => memory.bytes(base, len));
    views.forEach((view, piece) =>
      view.forEach((_, i) => view[i] = seed * 31 + piece * 7 + (i >> 8))
    );
    let result: number;
    if (isSync) result = yield* kernel.aio.syncRw(file, rw, iov, offset);
    else {
      yield* kernel.aio.ioSubmit(ring, { file, rw, iov, offset, data: 0 });
      const events: IoEvent[] = [];
      yield* kernel.aio.ioGetevents(ring, 1, events);
      result = events[0]!.res;
    }
    const content = new Uint8Array(iov.reduce((sum, { len }) => sum + len, 0));
    let at = 0;
    for (const view of views) {
      content.set(view, at);
      at += view.length;
    }
    outcomes.push({ result, content });
  }
  kernel.spawn(
    "user",
    (function* (): Task<void> {
      for (const [i, request] of list.entries()) yield* one(request, i + 1);
    })(),
  );
  const { bug, hung } = kernel.run();
  assertEquals({ bug: bug?.message ?? null, hung }, { bug: null, hung: null });
  return outcomes;
}

/** The same device in memory. */
function simulated(real: DirectFileDevice, content: Uint8Array): MemoryDevice {
  class Twin extends MemoryDevice {
    readonly dmaAlignment = real.dmaAlignment;
  }
  const { logicalBlockSize } = real;
  const twin = new Twin({
    sizeBytes: SIZE,
    logicalBlockSize: logicalBlockSize as 512 | 4096,
  });
  twin.store.set(content);
  return twin;
}

/** Holds a real device against the simulation, in every profile. */
function compare(path: string): void {
  using real = DirectFileDevice.open(path);
  const memory = real.memory(MEMORY);
  const ordinary = new UserMemory(MEMORY);
  const same = (
    profile: ProfileName,
    bioMaxPages: number,
    list: readonly Request[],
  ) => {
    const twin = simulated(real, Deno.readFileSync(path));
    const expected = play(profile, bioMaxPages, twin, ordinary, list);
    const found = play(profile, bioMaxPages, real, memory, list);
    assertEquals(
      found.map(({ result }) => result),
      expected.map(({ result }) => result),
    );
    assertEquals(found, expected);
    assertEquals(Deno.readFileSync(path), twin.store);
  };
  for (const profile of PROFILE_NAMES) {
    // One large request of each kind, of two bios of 256 pages and more.
    for (const isSync of [true, false]) {
      for (const rw of [WRITE, READ] as const) {
        const pieces = [[258 * PAGE, 0]] as const;
        const large = { isSync, rw, offset: 8 * PAGE, pieces, dsync: false };
        same(profile, 256, [large]);
      }
    }
    fc.assert(
      fc.property(
        requests,
        fc.constantFrom(1, 2, 256),
        (list, bioMaxPages) => same(profile, bioMaxPages, list),
      ),
      { numRuns: 25 },
    );
  }
}

fileTest(
  "b.1, b.2: requests to a block device come to the same on a real file as in memory",
  () => {
    using file = new TemporaryFile(SIZE);
    compare(file.path);
  },
);

const reason = whyNoLoopDevice();
for (const sectorSize of [512, 4096]) {
  const name =
    `b.1, b.2: requests to a block device come to the same on a real loop device with blocks of ${sectorSize} as in memory`;
  if (reason === "") {
    fileTest(name, () => {
      using loop = new LoopDevice(SIZE, sectorSize);
      compare(loop.path);
    });
  } else {
    Deno.test({ name: `${name} [skipped: ${reason}]`, ignore: true, fn() {} });
  }
}

fileTest(
  "error-reported: a request on a real file of which a later bio fails comes to its error",
  () => {
    for (const profile of ["v4.10", "v6.1"] as const) {
      for (const isSync of [true, false]) {
        using file = new TemporaryFile(SIZE);
        using real = DirectFileDevice.open(file.path);
        // Behind the second bio the file ends: what is read there is short.
        Deno.truncateSync(file.path, 2 * PAGE);
        const request = {
          isSync,
          rw: READ,
          offset: 0,
          pieces: [[4 * PAGE, 0]],
          dsync: false,
        } as const;
        const [outcome] = play(profile, 1, real, real.memory(MEMORY), [
          request,
        ]);
        assertEquals(outcome?.result, -5);
      }
    }
  },
);

fileTest(
  "error-reported: the success of a bio on a real file leaves the error of its request",
  () => {
    using file = new TemporaryFile(SIZE);
    using real = DirectFileDevice.open(file.path);
    const kernel = new Kernel({ memory: real.memory(PAGE) });
    real.attach(kernel);
    const bio = kernel.bios.alloc(READ, real, 0);
    bio.addPage(kernel.memory.pin(kernel.memory.alloc(PAGE)) as Page, 0, PAGE);
    let error = 0;
    bio.biEndIo = ({ biError }) => {
      error = biError;
      return finish(kernel.bios.put(bio));
    };
    submitBio(bio);
    // What another bio of the same request would leave in the first one.
    bio.biError = -EAGAIN;
    kernel.run();
    assertEquals(error, -EAGAIN);
  },
);

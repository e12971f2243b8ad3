/**
 * Benchmark `scaling`: what a request costs grows with its pages, and with
 * nothing else.
 *
 * A request has a price, and each of its pages has one. How high the two are
 * is told by requests of one page, and by one of 64 MiB; what lies between
 * must cost what that makes.
 *
 * @module
 */

import {
  type File,
  type IoEvent,
  Kernel,
  type Kioctx,
  O_DIRECT,
  PAGE_SIZE,
  type Task,
  UserMemory,
  WRITE,
} from "../../core/mod.ts";
import { MemoryDevice } from "../../devices/mod.ts";
import { PlainFilesystem } from "../../fs_models/mod.ts";
import type { Benchmark, Comparison, Subject } from "./harness.ts";

const KIB = 1 << 10;
const MIB = 1 << 20;
const LARGEST = 64 * MIB;
const SIZES = [
  16 * KIB,
  64 * KIB,
  256 * KIB,
  MIB,
  4 * MIB,
  16 * MIB,
  LARGEST,
];
/** A round writes all of a file once. */
const PAGES = LARGEST / PAGE_SIZE;
/** How far from the straight line a request may cost. */
const AT_MOST = 1.5;

/** So many requests of so many bytes each. */
interface Batch {
  readonly requests: number;
  readonly bytes: number;
}

/** What a round writes from and to; made when the first one runs. */
class Arena {
  readonly memory: UserMemory = new UserMemory(LARGEST + PAGE_SIZE);
  readonly device: MemoryDevice = new MemoryDevice({
    sizeBytes: LARGEST + MIB,
  });
}

let arena: Arena | null = null;

/** Asynchronous writes, one after the other, through a whole file. */
function writes(
  name: string,
  batchesOf: (pages: number) => readonly Batch[],
): Subject {
  return {
    name,
    run(pages) {
      const { memory, device } = arena ??= new Arena();
      memory.reset();
      const kernel = new Kernel({ tracing: false, memory });
      device.attach(kernel);
      const fInode = new PlainFilesystem(kernel, device).createFile({
        size: LARGEST,
        extents: [{ offset: 0, bytes: LARGEST, state: "written" }],
      });
      const task = new Writer(kernel, { fInode, fFlags: O_DIRECT });
      kernel.spawn("bench", task.run(batchesOf(pages)));
      const { bug, hung } = kernel.run();
      if (bug !== null || hung !== null) throw new Error(bug?.message ?? hung!);
    },
  };
}

class Writer {
  readonly #kernel: Kernel;
  readonly #file: File;
  readonly #ring: Kioctx;
  readonly #base: number;
  readonly #events: IoEvent[] = [];
  #at = 0;

  constructor(kernel: Kernel, file: File) {
    this.#kernel = kernel;
    this.#file = file;
    this.#ring = kernel.aio.ioSetup(1);
    this.#base = kernel.memory.alloc(LARGEST);
  }

  *run(batches: readonly Batch[]): Task<void> {
    for (const { requests, bytes } of batches) {
      for (let i = 0; i < requests; i++) yield* this.#write(bytes);
    }
  }

  *#write(len: number): Task<void> {
    const { aio } = this.#kernel;
    const ring = this.#ring;
    if (this.#at + len > LARGEST) this.#at = 0;
    const offset = this.#at;
    this.#at += len;
    const iov = [{ base: this.#base + offset, len }];
    const request = { file: this.#file, rw: WRITE, iov, offset, data: 0 };
    const submitted = aio.ioSubmitOne(ring, request);
    if (typeof submitted !== "number") yield* submitted;
    yield* aio.ioGetevents(ring, 1, this.#events);
    const res = this.#events[0]?.res;
    if (res !== len) throw new Error(`a write of ${len} came to ${res}`);
  }
}

/** Requests of a size, against what they cost if cost is a straight line. */
function comparison(bytes: number): Comparison {
  const size = bytes < MIB ? `${bytes / KIB} KiB` : `${bytes / MIB} MiB`;
  const countOf = (pages: number): number => pages * PAGE_SIZE / bytes;
  return {
    subject: writes(`requests of ${size}`, (pages) => [
      { requests: countOf(pages), bytes },
    ]),
    peer: writes("as many of one page, the other pages in one", (pages) => {
      const requests = countOf(pages);
      const others = (pages - requests) * PAGE_SIZE;
      return [
        { requests, bytes: PAGE_SIZE },
        { requests: 1, bytes: others },
      ];
    }),
    unit: "page",
    atMost: AT_MOST,
  };
}

/** The benchmark. */
export const SCALING_BENCHMARK: Benchmark = {
  name: "scaling",
  about: "requests of 16 KiB to 64 MiB against the price of requests and pages",
  units: PAGES,
  comparisons: SIZES.map(comparison),
};

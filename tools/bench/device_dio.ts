/**
 * What is measured: direct I/O through the whole core on a real file, from
 * `io_submit()` to `io_getevents()`; and the promises of `DirectFile`.
 *
 * @module
 */

import {
  blockdevDirectIO,
  type DioOps,
  type Filesystem,
  Inode,
  type IoControlBlock,
  type IoEvent,
  Kernel,
  O_DIRECT,
  READ,
  SuperBlock,
  WRITE,
} from "../../core/mod.ts";
import { DirectFile, DirectFileDevice } from "../../devices/mod.ts";
import { checkStamps, stamp, type StampedFile } from "./device_file.ts";
import {
  type DeviceSubject,
  Offsets,
  type Sample,
  Watch,
  type Workload,
} from "./device_workload.ts";

/** One result in so many is checked. */
const CHECK_EVERY = 64;

type Engine = "io_uring" | "libaio" | "psync";

const OPS: DioOps = {
  getBlock(_inode, iblock, bh) {
    bh.map(iblock, bh.bSize);
    return 0;
  },
};

/** A filesystem whose one file is the device. */
const IDENTITY: Filesystem = {
  name: "identity",
  directIO: (rw, iocb, iter, offset) =>
    blockdevDirectIO(rw, iocb, iocb.kiFilp.fInode, iter, offset, OPS),
};

/** Direct I/O through the whole core. */
export class DioSubject implements DeviceSubject {
  readonly name: string;
  readonly #workload: Workload;
  readonly #device: DirectFileDevice;
  readonly #kernel: Kernel;
  readonly #offsets: Offsets;
  readonly #requests: readonly (IoControlBlock & { offset: number })[];

  /**
   * @param workload What to do.
   * @param file The file.
   * @param engine The engine of the device.
   */
  constructor(workload: Workload, file: StampedFile, engine: Engine) {
    const { blockBytes, depth, rw } = workload;
    this.name = `dio, ${engine}`;
    this.#workload = workload;
    this.#device = DirectFileDevice.open(file.path, { engine });
    const memory = this.#device.memory(depth * blockBytes);
    this.#kernel = new Kernel({ memory, tracing: false });
    this.#device.attach(this.#kernel);
    this.#offsets = new Offsets(workload, file.sizeBytes);
    const sb = new SuperBlock(this.#kernel, this.#device, 12, IDENTITY);
    const fInode = new Inode(sb, 12, file.sizeBytes);
    this.#requests = Array.from({ length: depth }, (_, data) => ({
      file: { fInode, fFlags: O_DIRECT },
      rw: rw === "read" ? READ : WRITE,
      iov: [{ base: memory.alloc(blockBytes), len: blockBytes }],
      offset: 0,
      data,
    }));
  }

  run(seconds: number): Promise<Sample> {
    const watch = new Watch();
    const done = { requests: 0 };
    const isOver = () => watch.seconds >= seconds;
    this.#kernel.spawn("bench", this.#loop(isOver, done));
    const { bug, hung } = this.#kernel.run();
    if (bug !== null || hung !== null) throw new Error(bug?.message ?? hung!);
    return Promise.resolve(watch.sample(done.requests));
  }

  /**
   * Carries out so many requests.
   *
   * @param count How many, at least.
   * @returns What it came to.
   */
  runRequests(count: number): Sample {
    const watch = new Watch();
    const done = { requests: 0 };
    const isOver = () => done.requests >= count;
    this.#kernel.spawn("soak", this.#loop(isOver, done));
    const { bug, hung } = this.#kernel.run();
    if (bug !== null || hung !== null) throw new Error(bug?.message ?? hung!);
    return watch.sample(done.requests);
  }

  [Symbol.dispose](): void {
    this.#device.close();
  }

  *#loop(isOver: () => boolean, done: { requests: number }) {
    const { aio } = this.#kernel;
    const { blockBytes, depth } = this.#workload;
    const ring = aio.ioSetup(depth);
    const events: IoEvent[] = [];
    let inFlight = 0;
    for (const request of this.#requests) {
      this.#aim(request);
      yield* aio.ioSubmit(ring, request);
      inFlight++;
    }
    while (inFlight > 0) {
      const taken = yield* aio.ioGetevents(ring, 1, events);
      const isLast = isOver();
      inFlight -= taken;
      for (let i = 0; i < taken; i++) {
        const { data, res } = events[i] as IoEvent;
        if (res !== blockBytes) throw new Error(`a request came to ${res}`);
        const request = this.#requests[data]!;
        if (done.requests++ % CHECK_EVERY === 0) this.#check(request);
        if (isLast) continue;
        this.#aim(request);
        yield* aio.ioSubmit(ring, request);
        inFlight++;
      }
    }
  }

  /** Gives a request its next place, and what to write there. */
  #aim(request: IoControlBlock & { offset: number }): void {
    request.offset = this.#offsets.next();
    if (this.#workload.rw === "write") {
      stamp(this.#bytesOf(request), request.offset);
    }
  }

  #check(request: IoControlBlock): void {
    if (this.#workload.rw === "read") {
      checkStamps(this.#bytesOf(request), request.offset);
    }
  }

  #bytesOf({ iov }: IoControlBlock): Uint8Array {
    const [{ base, len } = { base: 0, len: 0 }] = iov;
    return this.#kernel.memory.bytes(base, len);
  }
}

/** Promises, as many at once as the workload is deep. */
export class PromiseSubject implements DeviceSubject {
  readonly name: string;
  readonly #workload: Workload;
  readonly #file: DirectFile;
  readonly #offsets: Offsets;
  readonly #buffers: readonly Uint8Array<ArrayBuffer>[];

  /**
   * @param workload What to do.
   * @param file The file.
   * @param engine The engine of the file.
   */
  constructor(workload: Workload, file: StampedFile, engine: Engine) {
    const { blockBytes, depth } = workload;
    this.name = `promises, ${engine}`;
    this.#workload = workload;
    this.#file = DirectFile.open(file.path, { engine });
    this.#offsets = new Offsets(workload, file.sizeBytes);
    const memory = this.#file.allocate(depth * blockBytes);
    this.#buffers = Array.from(
      { length: depth },
      (_, i) => memory.subarray(i * blockBytes, (i + 1) * blockBytes),
    );
  }

  async run(seconds: number): Promise<Sample> {
    const watch = new Watch();
    let requests = 0;
    const one = async (bytes: Uint8Array<ArrayBuffer>) => {
      while (watch.seconds < seconds) {
        await this.#transfer(bytes, requests++ % CHECK_EVERY === 0);
      }
    };
    await Promise.all(this.#buffers.map(one));
    return watch.sample(requests);
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }

  async #transfer(
    bytes: Uint8Array<ArrayBuffer>,
    isChecked: boolean,
  ): Promise<void> {
    const { rw, blockBytes } = this.#workload;
    const offset = this.#offsets.next();
    if (rw === "write") stamp(bytes, offset);
    const result = await this.#file[rw](offset, bytes);
    if (result !== blockBytes) throw new Error(`a request came to ${result}`);
    if (rw === "read" && isChecked) checkStamps(bytes, offset);
  }
}

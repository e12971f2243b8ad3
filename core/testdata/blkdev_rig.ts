/**
 * What the tests of the block device's direct I/O share: a kernel, a disk with
 * one partition, and requests to it.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { MemoryDevice, type MemoryDeviceOptions } from "../../devices/mod.ts";
import { Blkdev } from "../../fs_models/mod.ts";
import type { BlkdevDirectIo } from "../blkdev_dio_submit.ts";
import type { BlkdevInode } from "../blkdev_file.ts";
import { READ, type Rw, WRITE } from "../bio.ts";
import type { TraceEvent } from "../events.ts";
import { O_DIRECT } from "../fs.ts";
import { Kernel } from "../kernel.ts";
import type { KernelOptions } from "../kernel_options.ts";
import type { IoEvent, Kioctx } from "../kioctx.ts";
import type { Iovec } from "../iov_iter.ts";
import type { Task } from "../step.ts";

/** Bytes in a page. */
export const PAGE = 4096;
/** The size of the partition, and by default of the disk. */
export const DISK_BYTES: number = 64 * PAGE;

/** What differs from a healthy disk under Linux 6.1 whose bios are small. */
export interface BlkdevRigOptions extends KernelOptions {
  readonly device?: Partial<MemoryDeviceOptions>;
  readonly size?: number;
  /** Makes a variant of the core's own direct I/O. */
  readonly init?: (kernel: Kernel) => BlkdevDirectIo;
}

/** One request. */
export interface BlkdevRequest {
  readonly rw?: Rw;
  readonly offset?: number;
  /** Length of a fresh buffer; ignored when `iov` is given. */
  readonly bytes?: number;
  readonly iov?: readonly Iovec[];
  readonly fFlags?: number;
  readonly flags?: number;
}

/** A kernel, a disk, its partition and a ring. */
export class BlkdevRig {
  readonly kernel: Kernel;
  readonly device: MemoryDevice;
  readonly fs: Blkdev;
  readonly inode: BlkdevInode;
  /** The ring of each asynchronous request. */
  readonly rings: Kioctx[] = [];
  /** What requests came to, in the order of their ends. */
  readonly results: number[] = [];

  constructor({ device, size, init, ...options }: BlkdevRigOptions = {}) {
    this.kernel = new Kernel({ profile: "v6.1", bioMaxPages: 1, ...options });
    this.device = new MemoryDevice({ sizeBytes: DISK_BYTES, ...device });
    this.device.attach(this.kernel);
    this.fs = init
      ? new (class extends Blkdev {
        override init(kernel: Kernel): BlkdevDirectIo {
          return init(kernel);
        }
      })(this.kernel, this.device)
      : new Blkdev(this.kernel, this.device);
    this.inode = this.fs.createFile({ size: size ?? DISK_BYTES, extents: [] });
  }

  /** A buffer of the user, every byte the same. */
  buffer(bytes: number, value = 0, pageOffset = 0): Iovec {
    const base = this.kernel.memory.alloc(bytes, pageOffset);
    this.kernel.memory.bytes(base, bytes).fill(value);
    return { base, len: bytes };
  }

  /** Starts a task that makes a request and waits for its result. */
  sync(request: BlkdevRequest = {}): void {
    const { kernel, results } = this;
    const { rw, iov, offset, file, flags } = this.#whole(request);
    kernel.spawn(
      "dd",
      (function* (): Task<void> {
        results.push(yield* kernel.aio.syncRw(file, rw, iov, offset, flags));
      })(),
    );
  }

  /** Starts a task that submits a request and reaps its event. */
  async(request: BlkdevRequest = {}): void {
    const { kernel: { aio }, results } = this;
    const ring = aio.ioSetup(1);
    this.rings.push(ring);
    const whole = { ...this.#whole(request), data: 0 };
    this.kernel.spawn(
      "fio",
      (function* (): Task<void> {
        const ret = yield* aio.ioSubmit(ring, whole);
        if (ret < 0) return void results.push(ret);
        const events: IoEvent[] = [];
        yield* aio.ioGetevents(ring, 1, events);
        results.push(events[0]!.res);
      })(),
    );
  }

  /** Runs to the end, and checks that nothing went wrong and nothing leaked. */
  finish(): number[] {
    const { kernel } = this;
    const { bug, hung } = kernel.run();
    assertEquals({ bug: bug?.message ?? null, hung }, {
      bug: null,
      hung: null,
    });
    kernel.shutdown();
    assertEquals(this.events("slab_leak"), [], "released-once");
    assertEquals(this.events("inode_dio_begin"), [], "no i_dio_count");
    return this.results;
  }

  /** One request, to its end. */
  result(isSync: boolean, request: BlkdevRequest = {}): number {
    if (isSync) this.sync(request);
    else this.async(request);
    const results = this.finish();
    assertEquals(results.length, 1, "one-completion");
    return results[0]!;
  }

  /** The events of some names, in order. */
  events(...names: string[]): TraceEvent[] {
    return [...this.kernel.trace.events()]
      .filter(({ ev }) => names.includes(ev));
  }

  /** Sector, size and flags of each bio. */
  bios(): (readonly [sector: number, size: number, opf: number])[] {
    return this.events("submit_bio")
      .map(({ sector, size, opf }) =>
        [Number(sector), Number(size), Number(opf)] as const
      );
  }

  #whole({ rw = WRITE, offset = 0, flags = 0, ...request }: BlkdevRequest) {
    return {
      rw,
      offset,
      flags,
      iov: request.iov ??
        [this.buffer(request.bytes ?? PAGE, rw === READ ? 255 : 7)],
      file: { fInode: this.inode, fFlags: request.fFlags ?? O_DIRECT },
    };
  }
}

/**
 * What the tests of the models share: a kernel, a disk, a mounted model with
 * one file, and what a run of it is asked afterwards.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  doTruncate,
  genericShutdownSuper,
  type Inode,
  type IoEvent,
  type Iovec,
  Kernel,
  type KernelOptions,
  O_DIRECT,
  type Rw,
  type Task,
  type TraceEvent,
  WRITE,
} from "../../core/mod.ts";
import { MemoryDevice, type MemoryDeviceOptions } from "../../devices/mod.ts";
import type { FileLayout, FilesystemModel } from "../model.ts";

export const BLOCK: number = 4096;

/** What differs from a healthy disk of a MiB. */
export interface MountedOptions extends KernelOptions {
  readonly device?: Partial<MemoryDeviceOptions>;
}

/** A disk that is slower than anything else that happens. */
export const SLOW: Partial<MemoryDeviceOptions> = {
  latency: { baseNs: 1_000_000 },
};

/** One request. */
export interface Request {
  readonly rw?: Rw;
  readonly offset?: number;
  readonly bytes?: number;
  /** What every byte of the buffer is before. */
  readonly fill?: number;
}

/** A mounted model with one file. */
export class Mounted<M extends FilesystemModel, I extends Inode> {
  readonly kernel: Kernel;
  readonly device: MemoryDevice;
  readonly fs: M;
  readonly inode: I;
  /** What requests came to, in the order of their reports. */
  readonly results: number[] = [];

  constructor(
    mount: (kernel: Kernel, device: MemoryDevice) => M,
    layout: FileLayout,
    options: MountedOptions = {},
  ) {
    this.kernel = new Kernel(options);
    this.device = new MemoryDevice({ sizeBytes: 1 << 20, ...options.device });
    this.device.attach(this.kernel);
    this.fs = mount(this.kernel, this.device);
    this.inode = this.fs.createFile(layout) as I;
  }

  /** A buffer of the user. */
  buffer({ bytes = BLOCK, fill = 0 }: Request): Iovec {
    const base = this.kernel.memory.alloc(bytes);
    this.kernel.memory.bytes(base, bytes).fill(fill);
    return { base, len: bytes };
  }

  /** Starts a task. */
  task(body: Task<unknown>, comm = "task"): void {
    this.kernel.spawn(comm, body);
  }

  /** A request that its system call waits for. */
  *sync(request: Request = {}, iov: Iovec = this.buffer(request)): Task<void> {
    const { rw = WRITE, offset = 0 } = request;
    const file = { fInode: this.inode, fFlags: O_DIRECT };
    const ret = yield* this.kernel.aio.syncRw(file, rw, [iov], offset);
    this.results.push(ret);
  }

  /** An asynchronous request on a ring of its own, and its event. */
  *async(request: Request = {}, iov: Iovec = this.buffer(request)): Task<void> {
    const { aio } = this.kernel;
    const { rw = WRITE, offset = 0 } = request;
    const file = { fInode: this.inode, fFlags: O_DIRECT };
    const events: IoEvent[] = [];
    const ring = aio.ioSetup(1);
    const iocb = { file, rw, iov: [iov], offset, data: 1 };
    assertEquals(yield* aio.ioSubmit(ring, iocb), 1);
    yield* aio.ioGetevents(ring, 1, events);
    for (const { res } of events) this.results.push(res);
  }

  /** `ftruncate()`. */
  truncate(size: number): Task<number> {
    return doTruncate(this.inode, size);
  }

  /** Runs to the end, unmounts, and checks that nothing leaked or hangs. */
  finish(): number[] {
    const { kernel } = this;
    this.run();
    kernel.spawn("umount", genericShutdownSuper(this.fs.sb));
    this.run();
    kernel.shutdown();
    assertEquals(this.events("slab_leak"), []);
    return this.results;
  }

  /** Runs until nothing is left to do. */
  run(): void {
    const { bug, hung } = this.kernel.run();
    assertEquals([bug, hung], [null, null]);
  }

  /** The events of one name. */
  events(name: string): TraceEvent[] {
    return [...this.kernel.trace.events()].filter(({ ev }) => ev === name);
  }
}

/** A file of so many blocks in one piece. */
export function written(
  blocks: number,
  size: number = blocks * BLOCK,
): FileLayout {
  return {
    size,
    extents: [{ offset: 0, bytes: blocks * BLOCK, state: "written" }],
  };
}

/** The same, allocated only. */
export function unwritten(blocks: number): FileLayout {
  return {
    size: blocks * BLOCK,
    extents: [{ offset: 0, bytes: blocks * BLOCK, state: "unwritten" }],
  };
}

/** In which contexts events of a name happened. */
export function contextsOf(events: readonly TraceEvent[]): string[] {
  return [...new Set(events.map(({ ctx }) => ctx))].toSorted();
}

/**
 * What the tests of the core share: a kernel with a disk and a filesystem
 * whose only file is that disk, and what a run of it is asked afterwards.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { MemoryDevice, type MemoryDeviceOptions } from "../../devices/mod.ts";
import type { IoEvent, Kioctx } from "../kioctx.ts";
import { type Rw, WRITE } from "../bio.ts";
import type { BufferHead } from "../buffer_head.ts";
import { blockdevDirectIO } from "../dio_submit.ts";
import type { TraceEvent } from "../events.ts";
import type { DioOps, Filesystem } from "../filesystem.ts";
import { Inode, O_DIRECT, SuperBlock } from "../fs.ts";
import { Kernel } from "../kernel.ts";
import type { KernelOptions, RunResult } from "../kernel_options.ts";
import type { Iovec } from "../iov_iter.ts";
import type { ProfileName } from "../profile.ts";
import { genericShutdownSuper } from "../super.ts";
import type { Task } from "../step.ts";

/** The size of the file, and by default of the disk. */
export const FILE_BYTES: number = 1 << 20;

/** What differs from a healthy disk with an identity mapping. */
export interface RigOptions extends KernelOptions {
  readonly device?: Partial<MemoryDeviceOptions>;
  readonly ops?: Partial<DioOps>;
  readonly fs?: Partial<Filesystem>;
  readonly iSize?: number;
  readonly flags?: number;
  readonly blkbits?: number;
  readonly nrEvents?: number;
}

/** One request. */
export interface Request {
  readonly rw?: Rw;
  readonly offset?: number;
  /** Length of a fresh buffer; ignored when `iov` is given. */
  readonly bytes?: number;
  readonly iov?: readonly Iovec[];
  readonly data?: number;
  readonly fFlags?: number;
  /** `IOCB_NOWAIT` and the like. */
  readonly flags?: number;
  /** Whether the memory is the kernel's own; of an asynchronous request. */
  readonly kernelPages?: boolean;
  /** The file; the first one without it. */
  readonly inode?: Inode;
}

/** Maps every block of the file to the same block of the device. */
export function identityBlock(
  _inode: Inode,
  iblock: number,
  bh: BufferHead,
): number {
  bh.map(iblock, bh.bSize);
  return 0;
}

/** A kernel, a disk, a mounted filesystem, one file and one ring. */
export class Rig {
  readonly kernel: Kernel;
  readonly device: MemoryDevice;
  readonly sb: SuperBlock;
  readonly inode: Inode;
  readonly ring: Kioctx;
  /** What the ring gave, in its order. */
  readonly results: IoEvent[] = [];

  constructor(options: RigOptions = {}) {
    this.kernel = new Kernel(options);
    this.device = new MemoryDevice({
      name: "sda",
      sizeBytes: FILE_BYTES,
      ...options.device,
    });
    this.device.attach(this.kernel);
    const ops: DioOps = { getBlock: identityBlock, ...options.ops };
    const { flags } = options;
    this.sb = new SuperBlock(this.kernel, this.device, options.blkbits ?? 12, {
      name: "identity",
      directIO: (rw, iocb, iter, offset) => {
        const inode = iocb.kiFilp.fInode;
        return blockdevDirectIO(rw, iocb, inode, iter, offset, ops, flags);
      },
      ...options.fs,
    });
    this.inode = new Inode(this.sb, 12, options.iSize ?? FILE_BYTES);
    this.ring = this.kernel.aio.ioSetup(options.nrEvents ?? 16);
  }

  /** A buffer of the user, every byte the same. */
  buffer(bytes: number, value = 0): Iovec {
    const base = this.kernel.memory.alloc(bytes);
    this.kernel.memory.bytes(base, bytes).fill(value);
    return { base, len: bytes };
  }

  /** Starts a task that submits an asynchronous request. */
  submit(request: Request = {}): void {
    const { aio } = this.kernel;
    const iocb = {
      file: {
        fInode: request.inode ?? this.inode,
        fFlags: request.fFlags ?? O_DIRECT,
      },
      rw: request.rw ?? WRITE,
      iov: request.iov ?? [this.buffer(request.bytes ?? 4096)],
      offset: request.offset ?? 0,
      data: request.data ?? 1,
      flags: request.flags ?? 0,
      kernelPages: request.kernelPages ?? false,
    };
    const { ring } = this;
    this.kernel.spawn(
      "fio",
      (function* (): Task<void> {
        assertEquals(yield* aio.ioSubmit(ring, iocb), 1);
      })(),
    );
  }

  /** Starts a task that makes a request and waits for its result. */
  submitSync(request: Request = {}): void {
    const { kernel, inode, results } = this;
    const iov = request.iov ?? [this.buffer(request.bytes ?? 4096)];
    const file = { fInode: inode, fFlags: request.fFlags ?? O_DIRECT };
    const { rw = WRITE, offset = 0, data = 1, flags = 0 } = request;
    kernel.spawn(
      "dd",
      (function* (): Task<void> {
        const res = yield* kernel.aio.syncRw(file, rw, iov, offset, flags);
        results.push({ data, res });
      })(),
    );
  }

  /**
   * Runs to the end, takes the events that are left, unmounts, and checks
   * that nothing went wrong and nothing leaked.
   */
  finish(): IoEvent[] {
    assertClean(this.kernel.run());
    const { kernel, ring, results } = this;
    const rest: IoEvent[] = [];
    kernel.spawn("reaper", kernel.aio.ioGetevents(ring, 0, rest));
    assertClean(kernel.run());
    results.push(...rest);
    kernel.spawn("umount", genericShutdownSuper(this.sb));
    assertClean(kernel.run());
    kernel.shutdown();
    assertEquals(this.events("slab_leak"), []);
    assertEquals(this.inode.iDioCount, 0, "dio-count-balanced");
    assertEquals(ring.available, ring.nrEvents, "completion-ring");
    return results;
  }

  /** One request on this rig, to its end. */
  result(request: Request = {}): number {
    this.submit(request);
    const results = this.finish();
    assertEquals(results.length, 1, "one-completion");
    return results[0]?.res ?? NaN;
  }

  /** The events of some names, in order. */
  events(...names: string[]): TraceEvent[] {
    return [...this.kernel.trace.events()]
      .filter(({ ev }) => names.includes(ev));
  }

  /** Their names only. */
  order(...names: string[]): string[] {
    return this.events(...names).map(({ ev }) => ev);
  }
}

/** The run came to its end by itself. */
export function assertClean({ bug, hung }: RunResult): void {
  assertEquals({ bug: bug?.message ?? null, hung }, { bug: null, hung: null });
}

/** Numbers from 1 to `count`: the seeds of a test. */
export function seeds(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

/** Blocks of 4096 bytes of the file. */
const FILE_BLOCKS = FILE_BYTES / 4096;

/** Maps the file backwards: no two blocks go into one bio. */
export function reversedBlock(
  _inode: Inode,
  iblock: number,
  bh: BufferHead,
): number {
  bh.map(FILE_BLOCKS - 1 - iblock, 4096);
  return 0;
}

/** The profiles that most of the core's tests are run under. */
export const PROFILES: readonly ProfileName[] = ["v3.12", "v6.1"];

/** A task that does one thing and waits for nothing. */
export function* doing<T>(body: () => T): Task<T> {
  yield* [];
  return body();
}

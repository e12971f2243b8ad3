/**
 * A simulated kernel on a real file, for the tests of devices.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  blockdevDirectIO,
  type DioOps,
  fifo,
  type File,
  type Filesystem,
  finish,
  Inode,
  type Iovec,
  Kernel,
  O_DIRECT,
  type Page,
  type Rw,
  type Strategy,
  submitBio,
  SuperBlock,
} from "../../core/mod.ts";
import {
  DirectFileDevice,
  type DirectFileDeviceOptions,
} from "../direct_file_device.ts";
import { TemporaryFile } from "./temporary_file.ts";

export const PAGE = 4096;
/** The size of the file. */
export const SIZE: number = 1 << 20;

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

/** The same file in blocks that lie in reverse order: a bio for each. */
export const REVERSED: Filesystem = {
  name: "reversed",
  directIO: (rw, iocb, iter, offset) =>
    blockdevDirectIO(rw, iocb, iocb.kiFilp.fInode, iter, offset, {
      getBlock(inode, iblock, bh) {
        bh.map(inode.iSize / PAGE - 1 - iblock, PAGE);
        return 0;
      },
    }),
};

/** How the machine is made. */
export interface MachineOptions extends DirectFileDeviceOptions {
  readonly fs?: Filesystem;
  readonly strategy?: Strategy;
}

/** A kernel with a filesystem on a file of the machine. */
export class Machine implements Disposable {
  readonly device: DirectFileDevice;
  readonly kernel: Kernel;
  readonly inode: Inode;
  readonly #file: TemporaryFile = new TemporaryFile(SIZE);

  constructor(
    { fs = IDENTITY, strategy = fifo(), ...options }: MachineOptions = {},
  ) {
    this.device = DirectFileDevice.open(this.#file.path, options);
    this.kernel = new Kernel({ memory: this.device.memory(SIZE), strategy });
    this.device.attach(this.kernel);
    const sb = new SuperBlock(this.kernel, this.device, 12, fs);
    this.inode = new Inode(sb, 12, SIZE);
  }

  get path(): string {
    return this.#file.path;
  }

  /** What the file holds, read by other means. */
  get content(): Uint8Array {
    return Deno.readFileSync(this.path);
  }

  /** A buffer with a pattern of its own in each sector. */
  buffer(bytes: number, first = 1): Iovec {
    const base = this.kernel.memory.alloc(bytes);
    this.bytes({ base, len: bytes }).forEach((_, i, all) => {
      all[i] = first + (i >> 9) * 3 + (i & 63);
    });
    return { base, len: bytes };
  }

  bytes({ base, len }: Iovec): Uint8Array {
    return this.kernel.memory.bytes(base, len);
  }

  file(flags: number = O_DIRECT): File {
    return { fInode: this.inode, fFlags: flags };
  }

  /** Runs asynchronous requests; gives their results in their order. */
  runAio(requests: readonly [Rw, Iovec, offset: number][]): number[] {
    const { kernel } = this;
    const ring = kernel.aio.ioSetup(requests.length);
    const events: { data: number; res: number }[] = [];
    const file = this.file();
    kernel.spawn(
      "aio",
      (function* () {
        for (const [data, [rw, iov, offset]] of requests.entries()) {
          const request = { file, rw, iov: [iov], offset, data };
          assertEquals(yield* kernel.aio.ioSubmit(ring, request), 1);
        }
        yield* kernel.aio.ioGetevents(ring, requests.length, events);
      })(),
    );
    this.run();
    assertEquals(events.length, requests.length);
    return events.sort((a, b) => a.data - b.data).map(({ res }) => res);
  }

  /** Runs one request that a system call waits for; gives its result. */
  runSync(
    rw: Rw,
    iov: Iovec,
    offset: number,
    flags: number = O_DIRECT,
  ): number {
    const { kernel } = this;
    const file = this.file(flags);
    let result = NaN;
    kernel.spawn(
      "sync",
      (function* () {
        result = yield* kernel.aio.syncRw(file, rw, [iov], offset);
      })(),
    );
    this.run();
    return result;
  }

  /** Runs one bio of one page; gives what it ended with. */
  runBio(rw: Rw, iov: Iovec, sector: number, opf = 0): number {
    const { kernel, device } = this;
    const bio = kernel.bios.alloc(rw, device, sector);
    bio.addPage(kernel.memory.pin(iov.base) as Page, 0, iov.len);
    bio.biOpf = opf;
    let error = NaN;
    bio.biEndIo = (bio) => {
      error = bio.biError;
      return finish(kernel.bios.put(bio));
    };
    submitBio(bio);
    this.run();
    return error;
  }

  run(): void {
    const { bug, hung } = this.kernel.run();
    assertEquals([bug, hung], [null, null]);
    assertEquals(this.device.inFlight, 0);
  }

  /** How often an event is in the trace. */
  count(ev: string): number {
    return [...this.kernel.trace.events()].filter((e) => e.ev === ev).length;
  }

  /** Ends the kernel: no bio is left, and no page is pinned. */
  assertNothingLeft(): void {
    this.kernel.shutdown();
    assertEquals(this.count("slab_leak"), 0);
    assertEquals(this.count("trace_end"), 1);
  }

  [Symbol.dispose](): void {
    this.device.close();
    this.#file[Symbol.dispose]();
  }
}

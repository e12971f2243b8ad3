/**
 * The only place where endio calls native code: the C library, and through its
 * `syscall()` the kernel's asynchronous I/O (`fs/aio.c` and `io_uring/`).
 *
 * Nothing here needs `Deno.UnsafePointer` or its relatives, which a scoped
 * `--allow-ffi=PATH` denies. Addresses and errno come from `memcpy()`. The one
 * exception is {@linkcode Libc.map}, which says so.
 *
 * @module
 */

import {
  DeviceClosedError,
  DeviceOpenError,
  DevicePermissionError,
} from "./device_error.ts";
import { ENOENT, ENOSYS } from "./errno_text.ts";
import {
  LIBC_ABI,
  LIBC_SYMBOLS,
  type LibcAbi,
  SYS_io_uring_enter,
  SYS_io_uring_register,
  SYS_io_uring_setup,
} from "./libc_abi.ts";
import { neededFfiFlag, permittedLibcPaths } from "./libc_path.ts";

/** Data that the C library reads or writes. */
type Bytes = Uint8Array<ArrayBuffer>;

/** The most requests of one queue; bigints of such counts are kept. */
export const MAX_QUEUE_DEPTH = 4096;

const COUNTS: readonly bigint[] = Array.from(
  { length: MAX_QUEUE_DEPTH + 1 },
  (_, count) => BigInt(count),
);

type Library = Deno.DynamicLibrary<typeof LIBC_SYMBOLS>;

/** A shared mapping of a descriptor. */
export interface Mapping {
  /** The memory; touching it after it was unmapped crashes the process. */
  readonly buffer: ArrayBuffer;
  /** What {@linkcode Libc.unmap} takes. */
  readonly pointer: Deno.PointerValue;
}

const PROT_READ_WRITE = 3;
const MAP_SHARED_POPULATE = 0x8001;
const MAP_FAILED = 2n ** 64n - 1n;

/**
 * The C library, with results in the kernel's manner: what a call returns, or
 * a negative errno. It belongs to the thread that opened it.
 */
export class Libc implements Disposable {
  /** The name under which the library was loaded. */
  readonly path: string;
  /** The value of `O_DIRECT` on this architecture. */
  readonly O_DIRECT: number;
  readonly #abi: LibcAbi;
  readonly #library: Library;
  readonly #errnoPointer: Deno.PointerValue;
  readonly #errnoBytes: Bytes = new Uint8Array(new ArrayBuffer(4));
  readonly #errnoView: DataView = new DataView(this.#errnoBytes.buffer);
  #isClosed = false;

  private constructor(path: string, library: Library, abi: LibcAbi) {
    this.path = path;
    this.O_DIRECT = abi.O_DIRECT;
    this.#abi = abi;
    this.#library = library;
    // The location belongs to the thread, and a library object cannot leave
    // the thread that made it.
    this.#errnoPointer = library.symbols.errnoLocation();
  }

  /**
   * Loads the first C library that exists and that Deno may use.
   *
   * @throws {DevicePermissionError} If Deno may load none of them.
   * @throws {DeviceOpenError} If none exists, or this is not Linux on x86-64
   * or arm64.
   */
  static open(): Libc {
    const abi = LIBC_ABI[Deno.build.arch];
    if (Deno.build.os !== "linux" || abi === undefined) {
      throw new DeviceOpenError(
        "Cannot open a direct file device: it needs Linux on x86-64 or " +
          "arm64; use the memory device",
        ENOSYS,
      );
    }
    const paths = permittedLibcPaths();
    if (paths.length === 0) throw new DevicePermissionError(neededFfiFlag());
    let cause: unknown;
    for (const path of paths) {
      try {
        return new Libc(path, Deno.dlopen(path, LIBC_SYMBOLS), abi);
      } catch (error) {
        cause = error;
      }
    }
    throw new DeviceOpenError(
      `Cannot load the C library: found at none of ${paths.join(", ")}; ` +
        "add --allow-ffi without a path",
      ENOENT,
      { cause },
    );
  }

  /** The numbers of `preadv2(2)` and `pwritev2(2)`. */
  get vectorSyscalls(): { read: bigint; write: bigint } {
    return { read: this.#abi.SYS_preadv2, write: this.#abi.SYS_pwritev2 };
  }

  /** Unloads the library; a second call does nothing. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#library.close();
  }

  /** Unloads the library at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** The real address of the first byte of `bytes`. */
  addressOf(bytes: Bytes): number {
    return Number(this.#symbols().addressOf(bytes, bytes, 0n));
  }

  /** `open(2)`: a descriptor, or a negative errno. */
  open(path: string, flags: number): number {
    return this.#result(this.#symbols().open(pathBytes(path), flags, 0));
  }

  /** `close(2)`. */
  closeFd(fd: number): number {
    return this.#result(this.#symbols().close(fd));
  }

  /** `lseek(2)`: the new position in bytes, or a negative errno. */
  lseek(fd: number, offsetBytes: number, whence: number): number {
    const { lseek } = this.#symbols();
    return this.#result(Number(lseek(fd, BigInt(offsetBytes), whence)));
  }

  /** `pread(2)`, which blocks: bytes read, or a negative errno. */
  pread(fd: number, bytes: Bytes, offsetBytes: number): number {
    const { pread } = this.#symbols();
    const length = BigInt(bytes.length);
    return this.#result(Number(pread(fd, bytes, length, BigInt(offsetBytes))));
  }

  /** `ioctl(2)` with a pointer argument. */
  ioctl(fd: number, request: bigint, argument: Bytes): number {
    return this.#result(this.#symbols().ioctl(fd, request, argument));
  }

  /** `fdatasync(2)`, which blocks. */
  fdatasync(fd: number): number {
    return this.#result(this.#symbols().fdatasync(fd));
  }

  /** `fallocate(2)`, which blocks. */
  fallocate(
    fd: number,
    mode: number,
    offsetBytes: number,
    length: number,
  ): number {
    const { fallocate } = this.#symbols();
    return this.#result(
      fallocate(fd, mode, BigInt(offsetBytes), BigInt(length)),
    );
  }

  /** `statx(2)`; `out` has the 256 bytes of `struct statx`. */
  statx(
    dirfd: number,
    path: string,
    flags: number,
    mask: number,
    out: Bytes,
  ): number {
    const name = pathBytes(path);
    const { statx } = this.#symbols();
    return this.#result(
      statx(this.#abi.SYS_statx, dirfd, name, flags, mask, out),
    );
  }

  /** `io_setup(2)`; `contextOut` has the 8 zero bytes of `aio_context_t`. */
  ioSetup(eventCount: number, contextOut: Bytes): number {
    const { ioSetup } = this.#symbols();
    return this.#result(
      ioSetup(this.#abi.SYS_io_setup, count(eventCount), contextOut),
    );
  }

  /** `io_destroy(2)`, which waits for the requests in flight. */
  ioDestroy(context: bigint): number {
    const { ioDestroy } = this.#symbols();
    return this.#result(ioDestroy(this.#abi.SYS_io_destroy, context));
  }

  /** `io_submit(2)`: requests accepted, or the errno of the first. */
  ioSubmit(context: bigint, requestCount: number, pointers: Bytes): number {
    return this.#result(
      this.#symbols().ioSubmit(
        this.#abi.SYS_io_submit,
        context,
        count(requestCount),
        pointers,
      ),
    );
  }

  /** `io_getevents(2)` without a timeout: events written, or an errno. */
  ioGetevents(
    context: bigint,
    minEvents: number,
    maxEvents: number,
    events: Bytes,
  ): number {
    return this.#result(
      this.#symbols().ioGetevents(
        this.#abi.SYS_io_getevents,
        context,
        count(minEvents),
        count(maxEvents),
        events,
        0n,
      ),
    );
  }

  /**
   * {@linkcode ioSubmit} on a thread of Deno's pool: requests accepted, or -1,
   * because errno stays behind on that thread.
   */
  async ioSubmitAside(
    context: bigint,
    requestCount: number,
    pointers: Bytes,
  ): Promise<number> {
    return await this.#symbols().ioSubmitAside(
      this.#abi.SYS_io_submit,
      context,
      count(requestCount),
      pointers,
    );
  }

  /** `io_uring_setup(2)`; `params` has the 120 bytes of its parameters. */
  ioUringSetup(entries: number, params: Bytes): number {
    const { ioUringSetup } = this.#symbols();
    return this.#result(ioUringSetup(SYS_io_uring_setup, entries, params));
  }

  /** `io_uring_enter(2)`: requests submitted, or a negative errno. */
  ioUringEnter(
    ringFd: number,
    submitCount: number,
    minEvents: number,
    flags: number,
  ): number {
    return this.#result(
      this.#symbols().ioUringEnter(
        SYS_io_uring_enter,
        ringFd,
        submitCount,
        minEvents,
        flags,
        0n,
        0n,
      ),
    );
  }

  /** `io_uring_register(2)`. */
  ioUringRegister(
    ringFd: number,
    opcode: number,
    argument: Bytes,
    argumentCount: number,
  ): number {
    return this.#result(
      this.#symbols().ioUringRegister(
        SYS_io_uring_register,
        ringFd,
        opcode,
        argument,
        argumentCount,
      ),
    );
  }

  /** `eventfd(2)` that blocks who reads zero: a descriptor, or an errno. */
  eventfd(flags: number): number {
    return this.#result(this.#symbols().eventfd(0, flags));
  }

  /** `write(2)`, which blocks: bytes written, or a negative errno. */
  write(fd: number, bytes: Bytes): number {
    const length = BigInt(bytes.length);
    return this.#result(Number(this.#symbols().write(fd, bytes, length)));
  }

  /** `read(2)` on a thread of Deno's pool: bytes read, or -1. */
  async readAside(fd: number, bytes: Bytes): Promise<number> {
    const length = BigInt(bytes.length);
    return Number(await this.#symbols().readAside(fd, bytes, length));
  }

  /**
   * `mmap(2)`, shared and populated. It needs `--allow-ffi` without a path,
   * because only `Deno.UnsafePointerView` reaches memory that is not our own.
   *
   * @returns The mapping, or a negative errno.
   * @throws {Deno.errors.NotCapable} If ffi is granted for paths only.
   */
  map(fd: number, byteLength: number, offsetBytes: number): Mapping | number {
    const pointer = this.#symbols().mmap(
      0n,
      BigInt(byteLength),
      PROT_READ_WRITE,
      MAP_SHARED_POPULATE,
      fd,
      BigInt(offsetBytes),
    );
    if (Deno.UnsafePointer.value(pointer) === MAP_FAILED) {
      return this.#result(-1);
    }
    const buffer = Deno.UnsafePointerView.getArrayBuffer(
      pointer as Deno.PointerObject,
      byteLength,
    );
    return { buffer, pointer };
  }

  /** `madvise(2)`: 0, or a negative errno. */
  madvise(address: number, byteLength: number, advice: number): number {
    const { madvise } = this.#symbols();
    return this.#result(madvise(BigInt(address), BigInt(byteLength), advice));
  }

  /** `munmap(2)` of a whole mapping. */
  unmap({ buffer, pointer }: Mapping): number {
    const { munmap } = this.#symbols();
    return this.#result(munmap(pointer, BigInt(buffer.byteLength)));
  }

  #symbols(): Library["symbols"] {
    // Deno does not notice a call into a library that was closed.
    if (this.#isClosed) throw new DeviceClosedError("call the C library");
    return this.#library.symbols;
  }

  #result(result: number): number {
    if (result !== -1) return result;
    this.#library.symbols.copyFrom(this.#errnoBytes, this.#errnoPointer, 4n);
    return -this.#errnoView.getInt32(0, true);
  }
}

/** The bigint of a small count, without making one. */
function count(value: number): bigint {
  const found = COUNTS[value];
  if (found === undefined) {
    throw new RangeError(`Cannot pass a count: ${value} is out of range`);
  }
  return found;
}

function pathBytes(path: string): Bytes {
  return new TextEncoder().encode(`${path}\0`);
}

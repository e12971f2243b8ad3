/**
 * The only place where endio calls native code: the C library, and through its
 * `syscall()` the kernel's asynchronous I/O (`fs/aio.c`).
 *
 * Nothing here uses `Deno.UnsafePointer` or its relatives, which a scoped
 * `--allow-ffi=PATH` denies. Addresses and errno come from `memcpy()`.
 *
 * How parameters are declared:
 *
 * - Deno's generated trampolines leave the upper half of the register of an
 *   `i32` or `u32` parameter undefined, as the C calling convention allows.
 *   So these types stand only where the callee takes an `int`. A `long`, a
 *   `size_t` and the number of a system call are declared with 64 bits.
 * - A number given for a 64-bit parameter leaves the fast path of V8, a bigint
 *   does not. The bigints that requests need are made once and kept.
 *
 * @module
 */

import {
  DeviceClosedError,
  DeviceOpenError,
  DevicePermissionError,
} from "./device_error.ts";
import { ENOENT, ENOSYS } from "./errno_text.ts";
import { neededFfiFlag, permittedLibcPaths } from "./libc_path.ts";

/** The numbers that differ between architectures. */
interface Abi {
  readonly O_DIRECT: number;
  readonly SYS_io_setup: bigint;
  readonly SYS_io_destroy: bigint;
  readonly SYS_io_submit: bigint;
  readonly SYS_io_getevents: bigint;
  readonly SYS_statx: bigint;
}

/** From `uapi/asm/fcntl.h` and the system call table of each architecture. */
const ABI: Readonly<Record<string, Abi>> = {
  x86_64: {
    O_DIRECT: 0o40000,
    SYS_io_setup: 206n,
    SYS_io_destroy: 207n,
    SYS_io_submit: 209n,
    SYS_io_getevents: 208n,
    SYS_statx: 332n,
  },
  aarch64: {
    O_DIRECT: 0o200000,
    SYS_io_setup: 0n,
    SYS_io_destroy: 1n,
    SYS_io_submit: 2n,
    SYS_io_getevents: 4n,
    SYS_statx: 291n,
  },
};

/** Data that the C library reads or writes. */
type Bytes = Uint8Array<ArrayBuffer>;

/** The largest count whose bigint is kept for the calls of the hot path. */
export const MAX_AIO_COUNT = 4096;

const COUNTS: readonly bigint[] = Array.from(
  { length: MAX_AIO_COUNT + 1 },
  (_, count) => BigInt(count),
);

const SYMBOLS = {
  open: { parameters: ["buffer", "i32", "u32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  lseek: { parameters: ["i32", "i64", "i32"], result: "i64" },
  pread: { parameters: ["i32", "buffer", "usize", "i64"], result: "isize" },
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  fdatasync: { parameters: ["i32"], result: "i32" },
  statx: {
    name: "syscall",
    parameters: ["i64", "i32", "buffer", "i32", "u32", "buffer"],
    result: "i32",
  },
  ioSetup: {
    name: "syscall",
    parameters: ["i64", "u64", "buffer"],
    result: "i32",
  },
  ioDestroy: { name: "syscall", parameters: ["i64", "u64"], result: "i32" },
  ioSubmit: {
    name: "syscall",
    parameters: ["i64", "u64", "i64", "buffer"],
    result: "i32",
  },
  ioGetevents: {
    name: "syscall",
    parameters: ["i64", "u64", "i64", "i64", "buffer", "u64"],
    result: "i32",
  },
  addressOf: {
    name: "memcpy",
    parameters: ["buffer", "buffer", "usize"],
    result: "usize",
  },
  copyFrom: {
    name: "memcpy",
    parameters: ["buffer", "pointer", "usize"],
    result: "void",
  },
  errnoLocation: {
    name: "__errno_location",
    parameters: [],
    result: "pointer",
  },
} as const satisfies Deno.ForeignLibraryInterface;

type Library = Deno.DynamicLibrary<typeof SYMBOLS>;

/**
 * The C library, with results in the kernel's manner: what a call returns, or
 * a negative errno. It belongs to the thread that opened it.
 */
export class Libc implements Disposable {
  /** The name under which the library was loaded. */
  readonly path: string;
  /** The value of `O_DIRECT` on this architecture. */
  readonly O_DIRECT: number;
  readonly #abi: Abi;
  readonly #library: Library;
  readonly #errnoPointer: Deno.PointerValue;
  readonly #errnoBytes: Bytes = new Uint8Array(new ArrayBuffer(4));
  readonly #errnoView: DataView = new DataView(this.#errnoBytes.buffer);
  #isClosed = false;

  private constructor(path: string, library: Library, abi: Abi) {
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
    const abi = ABI[Deno.build.arch];
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
        return new Libc(path, Deno.dlopen(path, SYMBOLS), abi);
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

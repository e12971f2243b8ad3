/**
 * How the C library is called: the numbers that differ between architectures,
 * and the signature of every function that endio uses.
 *
 * How parameters are declared:
 *
 * - Deno's generated trampolines leave the upper half of the register of an
 *   `i32` or `u32` parameter undefined, as the C calling convention allows.
 *   So these types stand where the callee, or the kernel's entry of a system
 *   call, takes an `int`. A `long`, a `size_t` and the number of a system call
 *   are declared with 64 bits.
 * - A number given for a 64-bit parameter leaves the fast path of V8, a bigint
 *   does not. The bigints that requests need are made once and kept.
 *
 * @module
 */

/** The numbers that differ between architectures. */
export interface LibcAbi {
  readonly O_DIRECT: number;
  readonly SYS_io_setup: bigint;
  readonly SYS_io_destroy: bigint;
  readonly SYS_io_submit: bigint;
  readonly SYS_io_getevents: bigint;
  readonly SYS_statx: bigint;
  readonly SYS_preadv2: bigint;
  readonly SYS_pwritev2: bigint;
}

/** From `uapi/asm/fcntl.h` and the system call table of each architecture. */
export const LIBC_ABI: Readonly<Record<string, LibcAbi>> = {
  x86_64: {
    O_DIRECT: 0o40000,
    SYS_io_setup: 206n,
    SYS_io_destroy: 207n,
    SYS_io_submit: 209n,
    SYS_io_getevents: 208n,
    SYS_statx: 332n,
    SYS_preadv2: 327n,
    SYS_pwritev2: 328n,
  },
  aarch64: {
    O_DIRECT: 0o200000,
    SYS_io_setup: 0n,
    SYS_io_destroy: 1n,
    SYS_io_submit: 2n,
    SYS_io_getevents: 4n,
    SYS_statx: 291n,
    SYS_preadv2: 286n,
    SYS_pwritev2: 287n,
  },
};

// System calls of 2019 and later have one number everywhere.
export const SYS_io_uring_setup = 425n;
export const SYS_io_uring_enter = 426n;
export const SYS_io_uring_register = 427n;

/** The functions, by the names that {@linkcode Libc} gives them. */
export const LIBC_SYMBOLS = {
  open: { parameters: ["buffer", "i32", "u32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  lseek: { parameters: ["i32", "i64", "i32"], result: "i64" },
  pread: { parameters: ["i32", "buffer", "usize", "i64"], result: "isize" },
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  fdatasync: { parameters: ["i32"], result: "i32" },
  fallocate: { parameters: ["i32", "i32", "i64", "i64"], result: "i32" },
  statx: {
    name: "syscall",
    parameters: ["i64", "i32", "buffer", "i32", "u32", "buffer"],
    result: "i32",
  },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  readAside: {
    name: "read",
    parameters: ["i32", "buffer", "usize"],
    result: "isize",
    nonblocking: true,
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
  ioSubmitAside: {
    name: "syscall",
    parameters: ["i64", "u64", "i64", "buffer"],
    result: "i32",
    nonblocking: true,
  },
  ioGetevents: {
    name: "syscall",
    parameters: ["i64", "u64", "i64", "i64", "buffer", "u64"],
    result: "i32",
  },
  ioUringSetup: {
    name: "syscall",
    parameters: ["i64", "u32", "buffer"],
    result: "i32",
  },
  ioUringEnter: {
    name: "syscall",
    parameters: ["i64", "i32", "u32", "u32", "u32", "u64", "u64"],
    result: "i32",
  },
  ioUringRegister: {
    name: "syscall",
    parameters: ["i64", "i32", "u32", "buffer", "u32"],
    result: "i32",
  },
  mmap: {
    parameters: ["usize", "usize", "i32", "i32", "i32", "i64"],
    result: "pointer",
  },
  madvise: { parameters: ["usize", "usize", "i32"], result: "i32" },
  munmap: { parameters: ["pointer", "usize"], result: "i32" },
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
} as const;

/**
 * Block devices that the simulated kernel runs on, and files for direct I/O.
 *
 * {@linkcode MemoryDevice} is an array of bytes: it is deterministic, can be
 * told to fail, and needs no permission. {@linkcode DirectFileDevice} is a
 * file or block device of the machine, opened with `O_DIRECT`; it needs Linux
 * on x86-64 or arm64, and permission to call the C library.
 * {@linkcode DirectFile} is the same for programs without a simulated kernel.
 *
 * ## Permission
 *
 * All that both need is one flag, which names the C library of the system:
 *
 * | system                       | flag                                           |
 * | ---------------------------- | ---------------------------------------------- |
 * | Debian, Ubuntu (x86-64)      | `--allow-ffi=/lib/x86_64-linux-gnu/libc.so.6`  |
 * | Debian, Ubuntu (arm64)       | `--allow-ffi=/lib/aarch64-linux-gnu/libc.so.6` |
 * | Fedora, RHEL, openSUSE       | `--allow-ffi=/lib64/libc.so.6`                 |
 * | Arch                         | `--allow-ffi=/usr/lib/libc.so.6`               |
 * | Alpine (x86-64)              | `--allow-ffi=/lib/ld-musl-x86_64.so.1`         |
 * | Alpine (arm64)               | `--allow-ffi=/lib/ld-musl-aarch64.so.1`        |
 * | image `denoland/deno:alpine` | `--allow-ffi=/usr/local/lib/libc.so.6`         |
 *
 * The path counts as it is written, links are not followed. Whoever may call
 * the C library may do whatever the user may: `--allow-read` and
 * `--allow-write` do not limit it. What the program itself does with the file
 * through Deno, to make it for instance, needs these as ever.
 *
 * ## Engines
 *
 * Requests go to the kernel through an engine; `auto`, the default, takes the
 * first that the system allows, and `engineVerdicts` says why none before it.
 *
 * - `io_uring`: a ring, with the descriptor and the regions registered. It
 *   needs Linux 6.5, and neither a sandbox nor `kernel.io_uring_disabled` that
 *   forbids it.
 * - `libaio`: `io_submit()` and `io_getevents()`. It needs room below
 *   `fs.aio-max-nr`.
 * - `psync`: `preadv2()` and `pwritev2()` on up to four threads. It needs
 *   nothing more, and costs the most.
 *
 * Before Linux 6.5 (before 6.10 for more than 128 requests at once), the ring
 * is memory of the kernel. To reach that, Deno asks for `--allow-ffi` without
 * a path; with it, `io_uring` works from Linux 5.6 on.
 *
 * @module
 */

export * from "./device_error.ts";
export * from "./direct_file.ts";
export * from "./direct_file_device.ts";
export type { AlignmentSource } from "./direct_file_open.ts";
export type { EngineKind, EngineVerdict } from "./engine.ts";
export * from "./memory_device.ts";

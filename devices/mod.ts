/**
 * Block devices that the simulated kernel runs on.
 *
 * {@linkcode MemoryDevice} is an array of bytes: it is deterministic, can be
 * told to fail, and needs no permission. {@linkcode DirectFileDevice} is a
 * file or block device of the machine, opened with `O_DIRECT`; it needs Linux
 * on x86-64 or arm64, and permission to call the C library.
 *
 * @module
 */

export * from "./device_error.ts";
export * from "./direct_file_device.ts";
export * from "./memory_device.ts";

/**
 * The errors that devices throw at the public edge.
 *
 * What a request ends with is never one of these: results of requests are
 * values, a number of bytes or a negative errno.
 *
 * @module
 */

import { describeErrno } from "./errno_text.ts";

/**
 * Something that keeps a device from being used.
 *
 * @example Telling the kinds apart
 * ```ts
 * import { DeviceError, DeviceOpenError } from "@endio/dio/devices";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const error = new DeviceOpenError("Cannot open /tmp/x: no such file", 2);
 * assert(error instanceof DeviceError);
 * assertEquals(error.code, "ENOENT");
 * ```
 */
export class DeviceError extends Error {
  /** The name of the class, which stays readable in printed errors. */
  override readonly name: string = "DeviceError";
  /** The positive errno, for example 22. */
  readonly errno: number;
  /** The name of the errno, for example `"EINVAL"`. */
  readonly code: string;

  /**
   * Makes the error of an errno.
   *
   * @param message One line that says what is wrong and what to do.
   * @param errno The positive errno.
   * @param options The cause, if there is one.
   */
  constructor(message: string, errno: number, options?: ErrorOptions) {
    super(message, options);
    this.errno = errno;
    this.code = describeErrno(errno).name;
  }
}

/**
 * A file or block device could not be opened for direct I/O.
 *
 * `code` says why: `ENOENT`, `EISDIR`, `EACCES`, `EINVAL` when the filesystem
 * has no `O_DIRECT` or the size does not fit, `EBUSY` when a block device is
 * mounted, `EAGAIN` when the system has no room for another AIO context.
 *
 * @example Reading the reason
 * ```ts
 * import { DeviceOpenError } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new DeviceOpenError("Cannot open /tmp: is a directory", 21);
 * assertEquals([error.name, error.code], ["DeviceOpenError", "EISDIR"]);
 * ```
 */
export class DeviceOpenError extends DeviceError {
  /** The name of the class, which stays readable in printed errors. */
  override readonly name: string = "DeviceOpenError";
}

/**
 * Deno was not given the permission that a device needs; the message names the
 * exact flag to add.
 *
 * @example Recognising a missing flag
 * ```ts
 * import { DevicePermissionError } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new DevicePermissionError("--allow-ffi=/lib64/libc.so.6");
 * assertEquals(error.flag, "--allow-ffi=/lib64/libc.so.6");
 * assertEquals(error.code, "EPERM");
 * ```
 */
export class DevicePermissionError extends DeviceError {
  /** The name of the class, which stays readable in printed errors. */
  override readonly name: string = "DevicePermissionError";
  /** The flag to add to the `deno` command. */
  readonly flag: string;

  /**
   * Makes the error of a missing flag.
   *
   * @param flag The flag to add to the `deno` command.
   * @param options The cause, if there is one.
   */
  constructor(flag: string, options?: ErrorOptions) {
    super(
      `Cannot load the C library: Deno may not use it; add ${flag}`,
      1,
      options,
    );
    this.flag = flag;
  }
}

/**
 * A device, or the library below it, was used after it had been closed.
 *
 * @example What it says
 * ```ts
 * import { DeviceClosedError } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new DeviceClosedError("submit to /tmp/disk");
 * assertEquals(error.message, "Cannot submit to /tmp/disk: it is closed");
 * assertEquals(error.code, "EBADF");
 * ```
 */
export class DeviceClosedError extends DeviceError {
  /** The name of the class, which stays readable in printed errors. */
  override readonly name: string = "DeviceClosedError";

  /**
   * Makes the error of an action.
   *
   * @param action What was tried, for example `"submit to /tmp/disk"`.
   */
  constructor(action: string) {
    super(`Cannot ${action}: it is closed`, 9);
  }
}

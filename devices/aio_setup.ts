/**
 * Sets up the kernel's AIO context, and says what to do when it gives none.
 *
 * @module
 */

import { DeviceOpenError } from "./device_error.ts";
import { describeErrno, EAGAIN, ENOSYS, EPERM } from "./errno_text.ts";
import type { Libc } from "./libc.ts";

/**
 * Makes an AIO context.
 *
 * @param libc The library to call.
 * @param path The file it is for, which messages name.
 * @param queueDepth How many requests it must hold.
 * @returns The `aio_context_t`, an address.
 * @throws {DeviceOpenError} If the kernel gives none.
 */
export function setUpAio(
  libc: Libc,
  path: string,
  queueDepth: number,
): bigint {
  const context = new DataView(new ArrayBuffer(8));
  const result = libc.ioSetup(queueDepth, new Uint8Array(context.buffer));
  if (result < 0) throw aioSetupError(path, queueDepth, -result);
  return context.getBigUint64(0, true);
}

/** The error for an errno of `io_setup()`. */
export function aioSetupError(
  path: string,
  queueDepth: number,
  errno: number,
): DeviceOpenError {
  return new DeviceOpenError(
    `Cannot open ${path}: ${setupHint(queueDepth, errno)}`,
    errno,
  );
}

function setupHint(queueDepth: number, errno: number): string {
  switch (errno) {
    case EAGAIN:
      return `no room for ${queueDepth} more AIO requests; lower the queue ` +
        "depth, close other devices, or raise fs.aio-max-nr with sysctl";
    case ENOSYS:
      return "this kernel or sandbox has no AIO; use a kernel with " +
        "CONFIG_AIO, or the memory device";
    case EPERM:
      return "a sandbox forbids AIO; allow io_setup in its seccomp profile, " +
        "or use the memory device";
    default:
      return `io_setup failed: ${describeErrno(errno).text}`;
  }
}

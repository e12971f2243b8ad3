/**
 * Sets up the kernel's AIO context, and says what to do when it gives none.
 *
 * @module
 */

import type { EngineRefusal } from "./engine.ts";
import { describeErrno, EAGAIN, ENOSYS, EPERM } from "./errno_text.ts";
import type { Libc } from "./libc.ts";

/**
 * Makes an AIO context.
 *
 * @param libc The library to call.
 * @param queueDepth How many requests it must hold.
 * @returns The `aio_context_t`, an address; or why there is none.
 */
export function setUpAio(
  libc: Libc,
  queueDepth: number,
): bigint | EngineRefusal {
  const context = new DataView(new ArrayBuffer(8));
  const result = libc.ioSetup(queueDepth, new Uint8Array(context.buffer));
  if (result < 0) return aioRefusal(queueDepth, -result);
  return context.getBigUint64(0, true);
}

/** Why there is no context, for an errno of `io_setup()`. */
export function aioRefusal(queueDepth: number, errno: number): EngineRefusal {
  return { errno, reason: setupHint(queueDepth, errno) };
}

function setupHint(queueDepth: number, errno: number): string {
  switch (errno) {
    case EAGAIN:
      return `no room for ${queueDepth} more AIO requests; lower the queue ` +
        "depth, close other devices, or raise fs.aio-max-nr with sysctl";
    case ENOSYS:
      return "this kernel or sandbox has no AIO; use a kernel with CONFIG_AIO";
    case EPERM:
      return "a sandbox forbids AIO; allow io_setup in its seccomp profile";
    default:
      return `io_setup failed: ${describeErrno(errno).text}`;
  }
}

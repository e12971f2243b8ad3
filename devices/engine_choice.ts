/**
 * Chooses the engine that carries the requests of a file.
 *
 * @module
 */

import { AioQueue } from "./aio_queue.ts";
import { setUpAio } from "./aio_setup.ts";
import { DeviceOpenError } from "./device_error.ts";
import type {
  EngineKind,
  EngineRefusal,
  EngineVerdict,
  RequestQueue,
} from "./engine.ts";
import { EAGAIN, ENOSYS } from "./errno_text.ts";
import { IoUringQueue } from "./io_uring_queue.ts";
import { setUpIoUring } from "./io_uring_setup.ts";
import type { Libc } from "./libc.ts";
import { PsyncQueue } from "./psync_queue.ts";

/** The engines, best first. */
export const ENGINES: readonly EngineKind[] = ["io_uring", "libaio", "psync"];

/** A queue, and what came of every engine. */
export interface ChosenQueue {
  /** The queue. */
  readonly queue: RequestQueue;
  /** One for each engine, best first. */
  readonly verdicts: readonly EngineVerdict[];
}

type SetUp = (
  libc: Libc,
  fd: number,
  depth: number,
) => RequestQueue | EngineRefusal;

const SET_UP: Readonly<Record<EngineKind, SetUp>> = {
  io_uring(libc, fd, depth) {
    const uring = setUpIoUring(libc, depth);
    return "errno" in uring ? uring : new IoUringQueue(libc, uring, fd, depth);
  },
  libaio(libc, fd, depth) {
    const context = setUpAio(libc, depth);
    return typeof context === "bigint"
      ? new AioQueue(libc, context, fd, depth)
      : context;
  },
  psync(libc, fd, depth) {
    const queue = new PsyncQueue(libc, fd, depth);
    if (queue.waitForThread()) return queue;
    queue.close();
    return {
      errno: EAGAIN,
      reason: "no worker thread starts here; raise the limits of memory and " +
        "threads",
    };
  },
};

/**
 * Makes a queue on a descriptor.
 *
 * @param libc The library to call.
 * @param path The file, which messages name.
 * @param fd The descriptor.
 * @param depth How many requests it must hold.
 * @param wanted The engine, or `auto` for the best that works.
 * @returns The queue, and why it is that one.
 * @throws {DeviceOpenError} If the engine, or every engine, is refused.
 */
export function chooseQueue(
  libc: Libc,
  path: string,
  fd: number,
  depth: number,
  wanted: EngineKind | "auto",
): ChosenQueue {
  const verdicts: EngineVerdict[] = [];
  let queue: RequestQueue | undefined;
  let errno = ENOSYS;
  for (const engine of ENGINES) {
    let reason = wanted === "auto" ? "best that works here" : "asked for";
    let isChosen = false;
    if (wanted !== "auto" && wanted !== engine) {
      reason = "not asked for";
    } else if (queue !== undefined) {
      reason = `not needed, because ${queue.engine} works`;
    } else {
      const made = SET_UP[engine](libc, fd, depth);
      isChosen = !("errno" in made);
      if ("errno" in made) ({ reason, errno } = made);
      else queue = made;
    }
    verdicts.push({ engine, isChosen, reason });
  }
  if (queue !== undefined) return { queue, verdicts };
  throw new DeviceOpenError(
    `Cannot open ${path}: ${refusals(verdicts, wanted)}`,
    errno,
  );
}

function refusals(
  verdicts: readonly EngineVerdict[],
  wanted: EngineKind | "auto",
): string {
  return verdicts
    .filter(({ engine }) => wanted === "auto" || engine === wanted)
    .map(({ engine, reason }) => `no ${engine}: ${reason}`)
    .join("; ");
}

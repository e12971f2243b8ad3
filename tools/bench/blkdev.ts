/**
 * Benchmark `blkdev`: what the block device's own direct I/O costs, against
 * the same requests through `struct dio`, as they went before Linux 4.10.
 *
 * @module
 */

import {
  type IoControlBlock,
  type IoEvent,
  Kernel,
  O_DIRECT,
  type ProfileName,
  type Task,
  UserMemory,
  WRITE,
} from "../../core/mod.ts";
import { MemoryDevice } from "../../devices/mod.ts";
import { Blkdev } from "../../fs_models/mod.ts";
import type { Benchmark, Subject } from "./harness.ts";

const PAGE = 4096;
/** Pages of a request of several bios: 4 MiB. */
const LARGE = 1024;
/** Requests in flight at once, while their buffers are small. */
const DEPTH = 32;
const DEVICE_BYTES = 2 * LARGE * PAGE;
const UNITS = 1 << 16;

/**
 * Asynchronous writes on a memory device, from `io_submit` to
 * `io_getevents`, their data copied.
 *
 * @param name What it is called.
 * @param profile Under `v3.12` requests go through `struct dio`.
 * @param pages How many pages each request has; a unit is one of them.
 */
function writes(name: string, profile: ProfileName, pages: number): Subject {
  return {
    name,
    run(n) {
      const memory = new UserMemory(pages * PAGE);
      const kernel = new Kernel({ profile, memory, tracing: false });
      const device = new MemoryDevice({ sizeBytes: DEVICE_BYTES });
      device.attach(kernel);
      const size = LARGE * PAGE;
      const fInode = new Blkdev(kernel, device)
        .createFile({ size, extents: [] });
      const bytes = pages * PAGE;
      const iov = [{ base: memory.alloc(bytes), len: bytes }];
      const requests: IoControlBlock[] = [];
      for (let i = 0; i < (pages === 1 ? DEPTH : 1); i++) {
        const offset = (i * bytes) % size;
        const file = { fInode, fFlags: O_DIRECT };
        requests.push({ file, rw: WRITE, iov, offset, data: i });
      }
      kernel.spawn("bench", submitAndReap(kernel, requests, n / pages));
      const { bug, hung } = kernel.run();
      if (bug !== null || hung !== null) throw new Error(bug?.message ?? hung!);
    },
  };
}

function* submitAndReap(
  kernel: Kernel,
  requests: readonly IoControlBlock[],
  n: number,
): Task<void> {
  const { aio } = kernel;
  const depth = requests.length;
  const ring = aio.ioSetup(depth);
  const events: IoEvent[] = [];
  for (let done = 0; done < n; done += depth) {
    for (const request of requests) yield* aio.ioSubmit(ring, request);
    for (let taken = 0; taken < depth;) {
      taken += yield* aio.ioGetevents(ring, depth - taken, events);
    }
    const bytes = requests[0]?.iov[0]?.len;
    for (const { res } of events) {
      if (res !== bytes) throw new Error(`a write came to ${res}`);
    }
  }
}

const small = writes("4 KiB through struct dio", "v3.12", 1);
const large = writes("4 MiB through struct dio", "v3.12", LARGE);

/** The benchmark. */
export const BLKDEV_BENCHMARK: Benchmark = {
  name: "blkdev",
  about: "direct I/O of a block device, and the same through struct dio",
  units: UNITS,
  comparisons: [
    {
      subject: writes("4 KiB, the path for one bio of 6.1", "v6.1", 1),
      peer: small,
      unit: "page",
      atMost: 0.9,
    },
    {
      subject: writes("4 KiB, the path for many bios of 4.10", "v4.10", 1),
      peer: small,
      unit: "page",
      atMost: 0.9,
    },
    {
      subject: writes("4 MiB in four bios, 6.1", "v6.1", LARGE),
      peer: large,
      unit: "page",
      atMost: 1,
    },
  ],
};

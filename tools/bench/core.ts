/**
 * Benchmark `core`: what a whole direct I/O costs.
 *
 * @module
 */

import {
  type IoControlBlock,
  type IoEvent,
  Kernel,
  O_DIRECT,
  UserMemory,
  WRITE,
} from "../../core/mod.ts";
import { MemoryDevice } from "../../devices/mod.ts";
import { PlainFilesystem } from "../../fs_models/mod.ts";
import type { Benchmark, Subject } from "./harness.ts";

const BLOCK = 4096;
const FILE_BLOCKS = 16;
/** Requests in flight at once. */
const DEPTH = 32;
/** Events that a tracing kernel keeps, as ftrace does. */
const TRACE_EVENTS = 4096;
const UNITS = 100_000;

/**
 * The least that a user would write: awaits a resolved promise and copies
 * 4 KiB. It writes to the same blocks as the dio does, so that both meet the
 * same caches.
 */
const promise: Subject = {
  name: "async function that awaits and copies 4 KiB",
  async run(n) {
    const from = new Uint8Array(BLOCK);
    const store = new Uint8Array(FILE_BLOCKS * BLOCK);
    const write = async (offset: number) => {
      await Promise.resolve();
      store.set(from, offset);
    };
    for (let i = 0; i < n; i++) await write((i % FILE_BLOCKS) * BLOCK);
  },
};

/**
 * Asynchronous writes of 4 KiB on a memory device, from `io_submit` to
 * `io_getevents`, through all of the core and a filesystem model.
 */
function dio(name: string, tracing: boolean): Subject {
  return {
    name,
    run(n) {
      const memory = new UserMemory(BLOCK);
      const kernel = new Kernel({ tracing, traceLimit: TRACE_EVENTS, memory });
      const bytes = FILE_BLOCKS * BLOCK;
      const device = new MemoryDevice({ sizeBytes: bytes });
      device.attach(kernel);
      const fInode = new PlainFilesystem(kernel, device).createFile({
        size: bytes,
        extents: [{ offset: 0, bytes, state: "written" }],
      });
      const file = { fInode, fFlags: O_DIRECT };
      const iov = [{ base: kernel.memory.alloc(BLOCK), len: BLOCK }];
      const requests: IoControlBlock[] = [];
      for (let i = 0; i < DEPTH; i++) {
        const offset = (i % FILE_BLOCKS) * BLOCK;
        requests.push({ file, rw: WRITE, iov, offset, data: i });
      }
      kernel.spawn("bench", submitAndReap(kernel, requests, n));
      const { bug, hung } = kernel.run();
      if (bug !== null || hung !== null) throw new Error(bug?.message ?? hung!);
    },
  };
}

function* submitAndReap(
  kernel: Kernel,
  requests: readonly IoControlBlock[],
  n: number,
) {
  const { aio } = kernel;
  const ring = aio.ioSetup(DEPTH);
  const events: IoEvent[] = [];
  for (let done = 0; done < n; done += DEPTH) {
    for (let i = 0; i < DEPTH; i++) {
      const submitted = aio.ioSubmitOne(ring, requests[i]!);
      if (typeof submitted !== "number") yield* submitted;
    }
    for (let taken = 0; taken < DEPTH;) {
      taken += yield* aio.ioGetevents(ring, DEPTH - taken, events);
    }
    check(events);
  }
}

function check(events: readonly IoEvent[]): void {
  for (const { res } of events) {
    if (res !== BLOCK) throw new Error(`a write came to ${res}`);
  }
}

/** The benchmark. */
export const CORE_BENCHMARK: Benchmark = {
  name: "core",
  about: "a whole direct I/O of 4 KiB on memory, its data copied",
  units: UNITS,
  comparisons: [
    {
      subject: dio("dio, tracing off", false),
      peer: promise,
      unit: "request",
      atMost: 5,
    },
    {
      subject: dio("dio, tracing on", true),
      peer: dio("dio, tracing off", false),
      unit: "request",
      atMost: 2,
    },
  ],
};

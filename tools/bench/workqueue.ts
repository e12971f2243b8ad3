/**
 * Benchmark `workqueue`: when deferred completions finish of which one blocks,
 * under the queues that the 2013 patch had. Everything in virtual time, so the
 * figures are the same on every machine.
 *
 * @module
 */

import {
  allocWorkqueue,
  blockdevDirectIO,
  type BlockDevice,
  type BufferHead,
  type DioOps,
  type Filesystem,
  Inode,
  type IoEvent,
  Kernel,
  type Kiocb,
  O_DIRECT,
  random,
  setBufferDeferCompletion,
  SuperBlock,
  type Task,
  WQ_MEM_RECLAIM,
  WQ_UNBOUND,
  WRITE,
} from "../../core/mod.ts";
import { MemoryDevice } from "../../devices/mod.ts";
import { EXIT_OK, type Io, readOptions, UserError } from "../cli.ts";

const BLOCK = 4096;
const REQUESTS = 32;
const CPUS = 4;
/** In whatever order: a default order would look local by accident. */
const SEED = 1;
/** How long the first completion blocks, and any other one, in ns. */
const BLOCKED_NS = 10_000_000;
const USUAL_NS = 20_000;

/** A way to make the queue. */
interface QueueKind {
  readonly name: string;
  readonly flags: number;
  readonly maxActive: number;
}

const KINDS: readonly QueueKind[] = [
  { name: "unbound, 1 (first posted)", flags: WQ_UNBOUND, maxActive: 1 },
  { name: "bound, 1", flags: WQ_MEM_RECLAIM, maxActive: 1 },
  { name: "unbound, 256", flags: WQ_UNBOUND, maxActive: 256 },
  { name: "bound, 256 (merged)", flags: WQ_MEM_RECLAIM, maxActive: 0 },
];

/** What a queue comes to. */
export interface QueueMeasurement {
  /** How the queue was made. */
  readonly queue: string;
  /** When the first of the completions that do not block was reported, in ns. */
  readonly firstNs: number;
  /** When half of them were. */
  readonly medianNs: number;
  /** When the last one was. */
  readonly lastNs: number;
  /** How many completions ran where their transfer had ended, 0 to 1. */
  readonly local: number;
}

/** A file that is the device; the first completion of it blocks. */
class BlockingFilesystem implements Filesystem, DioOps {
  readonly name = "blocking";
  readonly sb: SuperBlock;
  readonly #kernel: Kernel;

  constructor(kernel: Kernel, bdev: BlockDevice, kind: QueueKind) {
    this.#kernel = kernel;
    this.sb = new SuperBlock(kernel, bdev, 12, this);
    const { flags, maxActive } = kind;
    this.sb.sDioDoneWq = allocWorkqueue(kernel, "dio/sda", flags, maxActive);
  }

  directIO(_rw: typeof WRITE | 0, iocb: Kiocb): Task<number> | number {
    const { kiFilp: { fInode }, iter, kiPos } = iocb;
    return blockdevDirectIO(WRITE, iocb, fInode, iter, kiPos, this);
  }

  getBlock(_inode: Inode, iblock: number, bh: BufferHead): number {
    bh.map(iblock, bh.bSize);
    setBufferDeferCompletion(bh);
    return 0;
  }

  *endIo(_iocb: Kiocb, offset: number): Task<void> {
    yield* this.#kernel.sleep(offset === 0 ? BLOCKED_NS : USUAL_NS);
  }
}

/**
 * Runs the same requests through every kind of queue.
 *
 * @returns What each comes to.
 */
export function measureQueues(): QueueMeasurement[] {
  return KINDS.map(measureQueue);
}

function measureQueue(kind: QueueKind): QueueMeasurement {
  const kernel = new Kernel({ nrCpus: CPUS, strategy: random(SEED) });
  const device = new MemoryDevice({ sizeBytes: REQUESTS * BLOCK });
  device.attach(kernel);
  const fs = new BlockingFilesystem(kernel, device, kind);
  const inode = new Inode(fs.sb, 12, REQUESTS * BLOCK);
  kernel.spawn("fio", submitAll(kernel, inode));
  const { bug, hung } = kernel.run();
  if (bug !== null || hung !== null) throw bug ?? new Error(hung ?? "");
  return { queue: kind.name, ...timesOf(kernel) };
}

function* submitAll(kernel: Kernel, inode: Inode): Task<void> {
  const { aio, memory } = kernel;
  const ring = aio.ioSetup(REQUESTS);
  const iov = [{ base: memory.alloc(BLOCK), len: BLOCK }];
  const file = { fInode: inode, fFlags: O_DIRECT };
  for (let i = 0; i < REQUESTS; i++) {
    const iocb = { file, rw: WRITE, iov, offset: i * BLOCK, data: i };
    yield* aio.ioSubmit(ring, iocb);
  }
  const events: IoEvent[] = [];
  yield* aio.ioGetevents(ring, REQUESTS, events);
}

function timesOf(kernel: Kernel): Omit<QueueMeasurement, "queue"> {
  const endedOn: Map<unknown, number> = new Map();
  const reported: number[] = [];
  let begin = Infinity;
  let local = 0;
  for (const { ev, ts, cpu, dio, iocb } of kernel.trace.events()) {
    if (ev === "bio_endio") {
      endedOn.set(dio, cpu);
      begin = Math.min(begin, ts);
    }
    if (ev === "dio_complete" && endedOn.get(dio) === cpu) local++;
    // The first request is the one that blocks.
    if (ev === "aio_complete" && iocb !== 1) reported.push(ts - begin);
  }
  reported.sort((a, b) => a - b);
  return {
    firstNs: reported[0] ?? NaN,
    medianNs: reported[reported.length >> 1] ?? NaN,
    lastNs: reported.at(-1) ?? NaN,
    local: local / REQUESTS,
  };
}

/**
 * The benchmark as a command: `bench.ts workqueue [--json]`.
 *
 * @param args Its arguments.
 * @param io Its world.
 * @returns The exit status.
 */
export async function workqueueBenchmark(
  args: readonly string[],
  io: Io,
): Promise<number> {
  const { flags, rest } = readOptions(args, { boolean: ["json"] });
  if (rest[0] !== undefined) {
    throw new UserError(`Unexpected ${rest[0]}: workqueue takes only --json`);
  }
  const rows = measureQueues();
  await io.out.write(
    flags.has("json")
      ? rows.map((row) => `${JSON.stringify(row)}\n`).join("")
      : queueTable(rows),
  );
  return EXIT_OK;
}

/** The measurements as a table. */
function queueTable(rows: readonly QueueMeasurement[]): string {
  const us = (ns: number) => `${(ns / 1000).toFixed(0)} us`.padStart(10);
  const lines = rows.map(({ queue, firstNs, medianNs, lastNs, local }) =>
    `  ${queue.padEnd(26)}${us(firstNs)}${us(medianNs)}${us(lastNs)}${
      `${Math.round(local * 100)} %`.padStart(10)
    }`
  );
  return [
    `  ${REQUESTS} completions on ${CPUS} processors, one blocks for ${
      BLOCKED_NS / 1e6
    } ms, the others for ${USUAL_NS / 1000} us;`,
    "  when the others are reported, in virtual time, and how many of all run",
    "  on the processor that their transfer ended on",
    "",
    `  ${"queue, max_active".padEnd(26)}${"first".padStart(10)}${
      "median".padStart(10)
    }${"last".padStart(10)}${"local".padStart(10)}`,
    ...lines,
    "",
  ].join("\n");
}

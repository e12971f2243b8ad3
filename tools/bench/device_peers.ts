/**
 * What direct I/O is held against: fio, and what a user of Deno would write
 * otherwise.
 *
 * @module
 */

import fs from "node:fs";
import { DirectFile, DirectFileDevice } from "../../devices/mod.ts";
import { UserError } from "../cli.ts";
import { checkStamps, type StampedFile } from "./device_file.ts";
import {
  type DeviceSubject,
  Offsets,
  type Sample,
  Watch,
  type Workload,
} from "./device_workload.ts";

const CHECK_EVERY = 64;

/** The name of {@linkcode nodeReads}. */
export const NODE_READS = "node:fs.read() with O_DIRECT";
/** The name of {@linkcode ffiReads}. */
export const FFI_READS = "FFI pread(), nonblocking";

/** What is read of fio's report. */
interface FioReport {
  readonly jobs: readonly {
    readonly usr_cpu: number;
    readonly sys_cpu: number;
    readonly read: FioDirection;
    readonly write: FioDirection;
  }[];
}

interface FioDirection {
  readonly total_ios: number;
  /** In milliseconds. */
  readonly runtime: number;
}

/** Finds fio. */
export async function checkFio(): Promise<void> {
  try {
    await new Deno.Command("fio", { args: ["--version"] }).output();
  } catch (error) {
    const reason = error instanceof Deno.errors.NotCapable
      ? "Deno may not run it; add --allow-run=fio"
      : "it is not installed; install the package fio";
    throw new UserError(`Cannot compare with fio: ${reason}`);
  }
}

/** fio with one of its engines. */
export class FioSubject implements DeviceSubject {
  readonly name: string;
  readonly #workload: Workload;
  readonly #path: string;
  readonly #engine: string;

  /**
   * @param workload What to do.
   * @param file The file.
   * @param engine The engine of fio.
   */
  constructor(workload: Workload, file: StampedFile, engine: string) {
    this.name = `fio, ${engine}`;
    this.#workload = workload;
    this.#path = file.path;
    this.#engine = engine;
  }

  async run(seconds: number): Promise<Sample> {
    const { rw, isRandom, blockBytes, depth } = this.#workload;
    const { success, stdout, stderr } = await new Deno.Command("fio", {
      args: [
        "--name=endio",
        `--filename=${this.#path}`,
        "--direct=1",
        `--rw=${isRandom ? "rand" : ""}${rw}`,
        "--norandommap",
        `--bs=${blockBytes}`,
        `--iodepth=${depth}`,
        `--ioengine=${this.#engine}`,
        "--time_based",
        `--runtime=${seconds}`,
        "--output-format=json",
      ],
    }).output();
    const decoder = new TextDecoder();
    if (!success) {
      throw new UserError(
        `Cannot compare with fio: ${decoder.decode(stderr).trim()}`,
      );
    }
    const report: FioReport = JSON.parse(decoder.decode(stdout));
    const job = report.jobs[0]!;
    const took = job[rw].runtime / 1000;
    const cpuSeconds = (job.usr_cpu + job.sys_cpu) / 100 * took;
    return { requests: job[rw].total_ios, seconds: took, cpuSeconds };
  }

  [Symbol.dispose](): void {}
}

/** Reads one block; the way that a user would find by himself. */
type ReadBlock = (
  bytes: Uint8Array<ArrayBuffer>,
  at: number,
) => Promise<number>;

/** Reads that are awaited, as many at once as the workload is deep. */
class AwaitedReads implements DeviceSubject {
  readonly name: string;
  readonly #workload: Workload;
  readonly #offsets: Offsets;
  readonly #read: ReadBlock;
  /** Only for its aligned memory. */
  readonly #aligned: DirectFile;
  readonly #buffers: readonly Uint8Array<ArrayBuffer>[];
  readonly #close: () => void;

  constructor(
    name: string,
    workload: Workload,
    file: StampedFile,
    read: ReadBlock,
    close: () => void,
  ) {
    const { blockBytes, depth } = workload;
    this.name = name;
    this.#workload = workload;
    this.#offsets = new Offsets(workload, file.sizeBytes);
    this.#read = read;
    this.#close = close;
    this.#aligned = DirectFile.open(file.path, { readOnly: true });
    this.#buffers = Array.from(
      { length: depth },
      () => this.#aligned.allocate(blockBytes),
    );
  }

  async run(seconds: number): Promise<Sample> {
    const watch = new Watch();
    let requests = 0;
    const one = async (bytes: Uint8Array<ArrayBuffer>) => {
      while (watch.seconds < seconds) {
        const offset = this.#offsets.next();
        const result = await this.#read(bytes, offset);
        if (result !== this.#workload.blockBytes) {
          throw new Error(`a request came to ${result}`);
        }
        if (requests++ % CHECK_EVERY === 0) checkStamps(bytes, offset);
      }
    };
    await Promise.all(this.#buffers.map(one));
    return watch.sample(requests);
  }

  [Symbol.dispose](): void {
    this.#close();
    this.#aligned.close();
  }
}

/**
 * `node:fs` on a descriptor with `O_DIRECT`.
 *
 * @param workload What to do; it reads.
 * @param file The file.
 * @returns The subject.
 */
export function nodeReads(
  workload: Workload,
  file: StampedFile,
): DeviceSubject {
  const { O_RDONLY, O_DIRECT } = fs.constants;
  const fd = fs.openSync(file.path, O_RDONLY | O_DIRECT);
  const read: ReadBlock = (bytes, at) =>
    new Promise((resolve, reject) => {
      fs.read(fd, bytes, 0, bytes.length, at, (error, count) => {
        if (error) reject(error);
        else resolve(count);
      });
    });
  const close = () => fs.closeSync(fd);
  return new AwaitedReads(NODE_READS, workload, file, read, close);
}

const FFI_SYMBOLS = {
  open: { parameters: ["buffer", "i32", "u32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  pread: {
    parameters: ["i32", "buffer", "usize", "i64"],
    result: "isize",
    nonblocking: true,
  },
} as const;

/**
 * `pread()` through FFI, off the main thread.
 *
 * @param workload What to do; it reads.
 * @param file The file.
 * @returns The subject.
 */
export function ffiReads(workload: Workload, file: StampedFile): DeviceSubject {
  const library = openLibc();
  const { open, close, pread } = library.symbols;
  const path = new TextEncoder().encode(`${file.path}\0`);
  const fd = open(path, fs.constants.O_DIRECT, 0);
  const length = BigInt(workload.blockBytes);
  const read: ReadBlock = async (bytes, at) =>
    Number(await pread(fd, bytes, length, BigInt(at)));
  return new AwaitedReads(
    FFI_READS,
    workload,
    file,
    read,
    () => {
      close(fd);
      library.close();
    },
  );
}

function openLibc(): Deno.DynamicLibrary<typeof FFI_SYMBOLS> {
  const [, paths = ""] = DirectFileDevice.neededFfiFlag().split("=");
  let failure: unknown;
  for (const path of paths.split(",")) {
    try {
      return Deno.dlopen(path, FFI_SYMBOLS);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/**
 * What is done to the file, and what it came to.
 *
 * @module
 */

import process from "node:process";

/** One way to use a file. */
export interface Workload {
  /** What it is, for the table. */
  readonly title: string;
  /** Whether it reads or writes. */
  readonly rw: "read" | "write";
  /** Whether the next offset is random; else it follows the last. */
  readonly isRandom: boolean;
  /** The size of a request in bytes. */
  readonly blockBytes: number;
  /** Requests in flight at once. */
  readonly depth: number;
}

/** What one turn came to. */
export interface Sample {
  /** Requests that ended. */
  readonly requests: number;
  /** How long it took, in seconds. */
  readonly seconds: number;
  /** The processor time of the process, in seconds. */
  readonly cpuSeconds: number;
}

/** Something that carries out a workload. */
export interface DeviceSubject extends Disposable {
  /** What it is, for the table. */
  readonly name: string;
  /**
   * Carries it out for some time.
   *
   * @param seconds How long.
   * @returns What it came to.
   */
  run(seconds: number): Promise<Sample>;
}

/** The offsets of a workload, one after the other. */
export class Offsets {
  readonly #workload: Workload;
  readonly #count: number;
  #random = 0x2545f491;
  #next = 0;

  /**
   * @param workload The workload.
   * @param sizeBytes The size of the file.
   */
  constructor(workload: Workload, sizeBytes: number) {
    this.#workload = workload;
    this.#count = Math.floor(sizeBytes / workload.blockBytes);
  }

  /**
   * The next offset.
   *
   * @returns It, in bytes.
   */
  next(): number {
    const { isRandom, blockBytes } = this.#workload;
    if (!isRandom) return (this.#next++ % this.#count) * blockBytes;
    // xorshift32
    this.#random ^= this.#random << 13;
    this.#random ^= this.#random >>> 17;
    this.#random ^= this.#random << 5;
    return ((this.#random >>> 0) % this.#count) * blockBytes;
  }
}

/** A stop watch, for this process. */
export class Watch {
  readonly #start: number = performance.now();
  readonly #cpu: { user: number; system: number } = process.cpuUsage();

  /** Seconds since it was made. */
  get seconds(): number {
    return (performance.now() - this.#start) / 1000;
  }

  /**
   * What was done since then.
   *
   * @param requests How many requests ended.
   * @returns The sample.
   */
  sample(requests: number): Sample {
    const { user, system } = process.cpuUsage(this.#cpu);
    const cpuSeconds = (user + system) / 1e6;
    return { requests, seconds: this.seconds, cpuSeconds };
  }
}

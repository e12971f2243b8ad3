/**
 * Requests that promises stand for, on the queue of a file. The event loop is
 * never blocked: a thread of Deno's pool waits for the kernel.
 *
 * @module
 */

import { DeviceClosedError, DeviceError } from "./device_error.ts";
import type {
  DirectMemory,
  DirectReadOptions,
  DirectWriteOptions,
} from "./direct_file.ts";
import type { DirectFileEngine } from "./direct_file_engine.ts";
import {
  type DirectFileOp,
  RWF_DSYNC,
  RWF_NOWAIT,
  SUBMIT_BATCH,
} from "./engine.ts";
import { describeErrno, EAGAIN } from "./errno_text.ts";

/** Milliseconds that {@linkcode AsyncRequests.close} waits in vain. */
const MAX_NAPS = 500;
const NAP = new Int32Array(new SharedArrayBuffer(4));

interface Request {
  readonly op: DirectFileOp;
  readonly offsetBytes: number;
  readonly segments: readonly Uint8Array[];
  readonly flags: number;
  readonly resolve: (result: number) => void;
  readonly reject: (error: unknown) => void;
}

/** What becomes of the results of requests that are not ours. */
export type OtherResults = (tag: number, result: number) => void;

/**
 * The requests of one file that promises stand for. Their tags are negative;
 * others can use the same queue with tags of 0 or more.
 */
export class AsyncRequests {
  readonly #engine: DirectFileEngine;
  /** Takes the results of others. */
  other: OtherResults = () => {};
  /** The requests in the queue, at -1 - tag. */
  readonly #requests: (Request | null)[] = [];
  readonly #freeIndices: number[] = [];
  #count = 0;
  /** Those that the queue has no room for, in their order. */
  #waiting: Request[] = [];
  /** How many of these have got in since. */
  #admitted = 0;
  #isScheduled = false;
  #isRunning = false;
  /** Called when there is none any more. */
  readonly #idle: (() => void)[] = [];
  /** What broke the queue. */
  #failure: unknown = null;

  /** @param engine The queue that the requests go to. */
  constructor(engine: DirectFileEngine) {
    this.#engine = engine;
  }

  /** Requests whose promises are not settled. */
  get pending(): number {
    return this.#count + this.#waiting.length - this.#admitted;
  }

  /** Reads; see {@linkcode DirectFile.read}. */
  read(
    offsetBytes: number,
    into: DirectMemory,
    options: DirectReadOptions = {},
  ): Promise<number> {
    const flags = options.nowait ? RWF_NOWAIT : 0;
    return this.#start("read", offsetBytes, into, flags);
  }

  /** Writes; see {@linkcode DirectFile.write}. */
  write(
    offsetBytes: number,
    from: DirectMemory,
    options: DirectWriteOptions = {},
  ): Promise<number> {
    const flags = (options.nowait ? RWF_NOWAIT : 0) |
      (options.dsync ? RWF_DSYNC : 0);
    return this.#start("write", offsetBytes, from, flags);
  }

  /** Flushes; see {@linkcode DirectFile.fdatasync}. */
  fdatasync(): Promise<number> {
    return this.#start("fdsync", 0, [], 0);
  }

  /** Settles the promise of a request, or hands the result to others. */
  settle(tag: number, result: number): void {
    if (tag >= 0) return this.other(tag, result);
    const index = -1 - tag;
    const request = this.#requests[index];
    // Of a queue that has failed, something may still come.
    if (request === null || request === undefined) return;
    this.#requests[index] = null;
    this.#freeIndices.push(index);
    this.#count--;
    request.resolve(result);
  }

  /** Settles so many results that the engine holds. */
  settleAll(count: number): void {
    const { resultTags, results } = this.#engine;
    for (let i = 0; i < count; i++) {
      this.settle(resultTags[i] as number, results[i] as number);
    }
  }

  /** Waits until every promise is settled. */
  async drain(): Promise<void> {
    if (this.pending === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /**
   * Settles every promise, blocking the event loop, and closes the engine.
   * What may not have reached the kernel by then is rejected.
   */
  close(): void {
    for (let naps = 0; this.pending > 0 && naps < MAX_NAPS;) {
      this.#refill();
      const count = this.#engine.submitAndReap(1);
      if (count > 0) this.settleAll(count);
      else if (count < 0) this.#fail(reapError(this.#engine.path, count));
      else {
        // A thread of the pool is handing over the rest. What it got rid of
        // comes back; its answer to what it did not, would need the event loop.
        naps++;
        Atomics.wait(NAP, 0, 0, 1);
      }
    }
    this.#engine.close();
    this.#fail(new DeviceClosedError(`wait for ${this.#engine.path}`));
    this.#endIdle();
  }

  #start(
    op: DirectFileOp,
    offsetBytes: number,
    memory: DirectMemory,
    flags: number,
  ): Promise<number> {
    this.#engine.listen();
    if (this.#failure !== null) throw this.#failure;
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const segments = memory instanceof Uint8Array ? [memory] : memory;
    const request: Request = {
      op,
      offsetBytes,
      segments,
      flags,
      resolve,
      reject,
    };
    if (this.#waiting.length > 0 || !this.#prepare(request)) {
      this.#waiting.push(request);
    }
    if (this.#engine.prepared >= SUBMIT_BATCH) this.#engine.submitAside();
    this.#schedule();
    return promise;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // What is made in the same turn goes in one submission.
    queueMicrotask(() => {
      this.#isScheduled = false;
      if (this.pending === 0) return;
      this.#run();
    });
  }

  /** Hands over what is prepared; sees to it that somebody waits for it. */
  #run(): void {
    this.#engine.submitAside();
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#reapAll().catch((error) => this.#fail(error)).finally(() => {
      this.#isRunning = false;
      this.#endIdle();
      if (this.pending > 0) this.#schedule();
    });
  }

  async #reapAll(): Promise<void> {
    const engine = this.#engine;
    while (this.pending > 0) {
      const count = engine.reap(0);
      if (count < 0) throw reapError(engine.path, count);
      this.settleAll(count);
      this.#refill();
      engine.submitAside();
      if (this.pending === 0) return;
      if (engine.inFlight === 0) throw reapError(engine.path, -EAGAIN);
      await engine.waitForCompletions();
    }
  }

  /** Lets those in that waited for room. */
  #refill(): void {
    const waiting = this.#waiting;
    while (this.#admitted < waiting.length) {
      const request = waiting[this.#admitted] as Request;
      if (!this.#prepareWaiting(request)) return;
      this.#admitted++;
    }
    this.#waiting = [];
    this.#admitted = 0;
  }

  /** Like {@linkcode #prepare}; a request with bad memory rejects. */
  #prepareWaiting(request: Request): boolean {
    try {
      return this.#prepare(request);
    } catch (error) {
      request.reject(error);
      return true;
    }
  }

  /** Puts a request into the queue: whether there was room. */
  #prepare(request: Request): boolean {
    const engine = this.#engine;
    const { op, offsetBytes, segments, flags } = request;
    const index = this.#freeIndices.pop() ?? this.#requests.length;
    try {
      if (engine.prepare(op, offsetBytes, -1 - index, flags) !== 0) {
        this.#freeIndices.push(index);
        return false;
      }
      for (const bytes of segments) {
        if (bytes.length > 0) engine.pushBytes(bytes);
      }
    } catch (error) {
      this.#freeIndices.push(index);
      throw error;
    }
    this.#requests[index] = request;
    this.#count++;
    return true;
  }

  /** Rejects all, now and later. */
  #fail(error: unknown): void {
    this.#failure = error;
    const waiting = this.#waiting.slice(this.#admitted);
    const all = [...this.#requests, ...waiting];
    this.#waiting = [];
    this.#admitted = 0;
    this.#requests.length = 0;
    this.#count = 0;
    for (const request of all) request?.reject(error);
  }

  #endIdle(): void {
    if (this.pending > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}

/** What to throw when a queue fails with an errno. */
export function reapError(path: string, errno: number): DeviceError {
  const reason = errno === -EAGAIN
    ? "the system has no room for a request, and none is left to wait for; " +
      "free memory and run again"
    : describeErrno(errno).text;
  return new DeviceError(`Cannot reap from ${path}: ${reason}`, -errno);
}

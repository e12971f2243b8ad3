/**
 * Direct I/O on a regular file or block device, with vectored requests, driven
 * by the engine that was asked for or works best.
 *
 * Requests complete in the order in which the kernel ends them; that order is
 * the one thing here that the caller does not determine. Nothing is allocated
 * per request.
 *
 * @module
 */

import {
  AlignedMemory,
  allocateForData,
  PAGE_SIZE_BYTES,
} from "./aligned_memory.ts";
import { DeviceClosedError } from "./device_error.ts";
import {
  type AlignmentSource,
  checkWholeBlocks,
  type DirectFileGeometry,
  openDirectFile,
  type OpenFile,
  type OpenOptions,
} from "./direct_file_open.ts";
import {
  type DirectFileOp,
  type EngineKind,
  type EngineVerdict,
  MAX_RW_COUNT,
  MAX_SEGMENTS,
  type RequestQueue,
} from "./engine.ts";
import { chooseQueue, type ChosenQueue } from "./engine_choice.ts";
import { CompletionSignal } from "./engine_signal.ts";
import { Libc, MAX_QUEUE_DEPTH } from "./libc.ts";

/** How a {@linkcode DirectFileEngine} is opened. */
export interface DirectFileEngineOptions extends OpenOptions {
  /** How many requests may be prepared or in flight. @default {128} */
  readonly queueDepth?: number;
  /** Which engine to use; `auto` is the best that works. @default {"auto"} */
  readonly engine?: EngineKind | "auto";
  /** Whether the file may be empty or end inside a block. @default {false} */
  readonly anySize?: boolean;
}

/**
 * Engines that were opened and not yet closed. The kernel writes into the
 * memory of requests in flight, so an engine that was forgotten without
 * `close()` must not take its memory with it into the garbage collection.
 */
const OPEN_ENGINES: Set<DirectFileEngine> = new Set();

/** A file or block device open for direct I/O, with a queue of requests. */
export class DirectFileEngine implements DirectFileGeometry, Disposable {
  /** The path it was opened with. */
  readonly path: string;
  /** The size of the file or device in bytes. */
  readonly sizeBytes: number;
  /** What offsets and lengths must be multiples of, in bytes. */
  readonly logicalBlockSize: number;
  /** What addresses of memory must be multiples of, in bytes. */
  readonly memoryAlignment: number;
  /** Who told the alignment. */
  readonly alignmentSource: AlignmentSource;
  /** What came of every engine when the file was opened. */
  readonly verdicts: readonly EngineVerdict[];
  /** Tags of the requests that the last {@linkcode reap} found. */
  readonly resultTags: Int32Array<ArrayBuffer>;
  /** Their results: bytes transferred, or a negative errno. */
  readonly results: Int32Array<ArrayBuffer>;

  readonly #libc: Libc;
  readonly #fd: number;
  readonly #queue: RequestQueue;
  readonly #memories: AlignedMemory[] = [];
  #recentMemory: AlignedMemory | undefined;
  #signal: CompletionSignal | null = null;
  #isClosed = false;

  private constructor(
    libc: Libc,
    path: string,
    { fd, geometry }: OpenFile,
    { queue, verdicts }: ChosenQueue,
  ) {
    this.path = path;
    this.sizeBytes = geometry.sizeBytes;
    this.logicalBlockSize = geometry.logicalBlockSize;
    this.memoryAlignment = geometry.memoryAlignment;
    this.alignmentSource = geometry.alignmentSource;
    this.verdicts = verdicts;
    this.resultTags = queue.resultTags;
    this.results = queue.results;
    this.#libc = libc;
    this.#fd = fd;
    this.#queue = queue;
    OPEN_ENGINES.add(this);
  }

  /**
   * Opens a file or block device with `O_DIRECT` and sets up its queue. A
   * block device is opened for writing only when nothing else uses it.
   *
   * @throws {DevicePermissionError} If `--allow-ffi` is missing.
   * @throws {DeviceOpenError} If the file cannot be used, or the engine is
   * refused.
   * @throws {RangeError} If the queue depth is not an integer of 1 to 4096.
   */
  static open(
    path: string,
    options: DirectFileEngineOptions = {},
  ): DirectFileEngine {
    const depth = options.queueDepth ?? 128;
    if (!Number.isInteger(depth) || depth < 1 || depth > MAX_QUEUE_DEPTH) {
      throw new RangeError(
        `Cannot open ${path}: queue depth ${depth} is not an integer of ` +
          `1 to ${MAX_QUEUE_DEPTH}`,
      );
    }
    using cleanup = new DisposableStack();
    const libc = cleanup.use(Libc.open());
    const scratch = new AlignedMemory(libc, PAGE_SIZE_BYTES);
    const file = openDirectFile(libc, path, options, scratch);
    cleanup.defer(() => libc.closeFd(file.fd));
    if (!options.anySize) checkWholeBlocks(path, file.geometry);
    const wanted = options.engine ?? "auto";
    const chosen = chooseQueue(libc, path, file.fd, depth, wanted);
    const engine = new DirectFileEngine(libc, path, file, chosen);
    cleanup.move();
    return engine;
  }

  /** The engine that carries the requests. */
  get kind(): EngineKind {
    return this.#queue.engine;
  }

  /** How many requests may be prepared or in flight. */
  get queueDepth(): number {
    return this.#queue.depth;
  }

  /** Requests that were submitted and have not been reaped. */
  get inFlight(): number {
    return this.#isClosed ? 0 : this.#queue.inFlight;
  }

  /** Requests that are prepared and not yet submitted. */
  get prepared(): number {
    return this.#isClosed ? 0 : this.#queue.prepared;
  }

  /** Makes a page-aligned region for the data of this engine's requests. */
  allocate(byteLength: number): AlignedMemory {
    this.#checkOpen("allocate memory for");
    const memory = allocateForData(this.#libc, byteLength);
    this.#memories.push(memory);
    this.#queue.remember(memory);
    return memory;
  }

  /**
   * Forgets a region, so that it can be collected.
   *
   * @throws {RangeError} If requests are prepared or in flight, because one of
   * them may use the region.
   */
  release(bytes: Uint8Array): void {
    this.#checkOpen("release memory of");
    const count = this.prepared + this.inFlight;
    if (count > 0) {
      throw new RangeError(
        `Cannot release memory of ${this.path}: ${count} requests may use it`,
      );
    }
    const index = this.#memories.findIndex((each) => each.bytes === bytes);
    const memory = this.#memories[index];
    if (memory === undefined) return;
    this.#queue.forget(memory);
    this.#memories.splice(index, 1);
    this.#recentMemory = undefined;
  }

  /**
   * Prepares one request; {@linkcode pushSegment} gives it memory and
   * {@linkcode submit} hands it to the kernel.
   *
   * @param op What to do.
   * @param offsetBytes Where in the file; a misaligned one ends with `-EINVAL`.
   * @param tag An int32 that comes back with the completion.
   * @param flags `RWF_DSYNC`, `RWF_NOWAIT`, both, or 0.
   * @returns 0, or `-EAGAIN` when the queue is full: reap first.
   * @throws {RangeError} If the offset is not a safe integer of at least 0.
   */
  prepare(
    op: DirectFileOp,
    offsetBytes: number,
    tag: number,
    flags: number = 0,
  ): number {
    this.#checkOpen("prepare a request for");
    if (!Number.isSafeInteger(offsetBytes) || offsetBytes < 0) {
      throw new RangeError(
        `Cannot prepare a request for ${this.path}: offset ${offsetBytes} ` +
          "is not an integer of at least 0",
      );
    }
    return this.#queue.prepare(op, offsetBytes, tag, flags);
  }

  /**
   * Adds memory to the request that was prepared last.
   *
   * @param address The real address of its first byte.
   * @param length Its length in bytes.
   * @throws {RangeError} If it does not lie in memory of this engine, or there
   * are more than 256 segments. The request is dropped then: it must not reach
   * the file in part.
   */
  pushSegment(address: number, length: number): void {
    this.#checkOpen("add a segment for");
    if (this.#queue.prepared === 0) {
      throw new RangeError(
        `Cannot add a segment for ${this.path}: no request is prepared`,
      );
    }
    const memory = this.#memoryAt(address, length);
    if (memory === undefined) {
      this.#queue.dropLastPrepared();
      throw new RangeError(
        `Cannot add a segment for ${this.path}: its ${length} bytes do not ` +
          "lie in memory that allocate() gave",
      );
    }
    if (!this.#queue.addSegment(address, length, memory)) {
      this.#queue.dropLastPrepared();
      throw new RangeError(
        `Cannot add a segment for ${this.path}: a request has at most ` +
          `${MAX_SEGMENTS}; split it`,
      );
    }
  }

  /**
   * Adds memory to the request that was prepared last.
   *
   * @param bytes A piece of memory that {@linkcode allocate} gave.
   * @throws {RangeError} As {@linkcode pushSegment} does.
   */
  pushBytes(bytes: Uint8Array): void {
    this.#checkOpen("add a segment for");
    const isIn = (memory: AlignedMemory | undefined) =>
      memory?.bytes.buffer === bytes.buffer;
    const memory = isIn(this.#recentMemory)
      ? this.#recentMemory
      : this.#memories.find(isIn);
    const start = memory === undefined
      ? NaN
      : memory.address - memory.bytes.byteOffset;
    this.pushSegment(start + bytes.byteOffset, bytes.length);
  }

  /**
   * Hands the prepared requests to the kernel, in order. One that the kernel
   * refuses at once is completed with its errno like any other.
   *
   * @returns How many were handed over; less than all, or `-EAGAIN` for none,
   * when the kernel has no room: reap and submit again.
   */
  submit(): number {
    this.#checkOpen("submit to");
    return this.#queue.submit();
  }

  /**
   * Collects completions into {@linkcode resultTags} and {@linkcode results}.
   *
   * @param minEvents How many to wait for, blocking the thread. It never waits
   * for more than are in flight; 0 only looks.
   * @param maxEvents How many to collect at most; others are left for later.
   * @returns How many were collected, or a negative errno.
   */
  reap(minEvents: number, maxEvents: number = this.queueDepth): number {
    this.#checkOpen("reap from");
    return this.#queue.reap(minEvents, maxEvents);
  }

  /**
   * {@linkcode submit} and {@linkcode reap} at once, in one system call where
   * the engine can.
   *
   * @param minEvents How many to wait for, blocking the thread.
   * @param maxEvents How many to collect at most; others are left for later.
   * @returns How many were collected, or a negative errno: `-EAGAIN` when the
   * kernel has no room, and nothing is in flight that would make some.
   */
  submitAndReap(
    minEvents: number,
    maxEvents: number = this.queueDepth,
  ): number {
    this.#checkOpen("reap from");
    return this.#queue.submitAndReap(minEvents, maxEvents);
  }

  /**
   * Hands the prepared requests to the kernel without blocking this thread.
   * What is refused is there for {@linkcode reap} when
   * {@linkcode waitForCompletions} ends.
   */
  submitAside(): void {
    this.#checkOpen("submit to");
    const refusing = this.#queue.submitAside();
    refusing?.then(() => this.#signal?.wake());
  }

  /**
   * Lets completions be counted from now on, for
   * {@linkcode waitForCompletions}.
   *
   * @throws {DeviceError} If the system has no descriptor left.
   */
  listen(): void {
    this.#checkOpen("use");
    if (this.#signal !== null) return;
    this.#signal = new CompletionSignal(this.#libc);
    this.#queue.signalTo(this.#signal.fd);
  }

  /** Waits for completions without blocking this thread. */
  async waitForCompletions(): Promise<void> {
    this.#checkOpen("wait for");
    await this.#signal?.wait();
  }

  /**
   * Makes what was written durable by `fdatasync()`, which blocks. A request
   * `fdsync` does the same in the queue.
   *
   * @returns 0, or a negative errno.
   */
  flush(): number {
    this.#checkOpen("flush");
    return this.#libc.fdatasync(this.#fd);
  }

  /**
   * Allocates or frees blocks, by `fallocate()`, which blocks.
   *
   * @param mode `FALLOC_FL_KEEP_SIZE` and its like, or 0.
   * @param offsetBytes Where.
   * @param length How many bytes.
   * @returns 0, or a negative errno.
   */
  fallocate(mode: number, offsetBytes: number, length: number): number {
    this.#checkOpen("fallocate on");
    return this.#libc.fallocate(this.#fd, mode, offsetBytes, length);
  }

  /**
   * Waits for the requests in flight, drops those that are only prepared, and
   * gives everything back. A second call does nothing.
   */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // Should the wait fail, the kernel may still write, so the memory stays.
    if (this.#queue.close()) OPEN_ENGINES.delete(this);
    this.#libc.closeFd(this.#fd);
    const done = () => this.#libc.close();
    if (this.#signal === null) done();
    else this.#signal.close(done);
  }

  /** Closes the engine at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  #checkOpen(action: string): void {
    if (this.#isClosed) throw new DeviceClosedError(`${action} ${this.path}`);
  }

  #memoryAt(address: number, length: number): AlignedMemory | undefined {
    // A wrong number here would let the kernel write over anything.
    if (!Number.isSafeInteger(address) || !Number.isInteger(length)) {
      return undefined;
    }
    if (length < 1 || length > MAX_RW_COUNT) return undefined;
    if (this.#recentMemory?.holds(address, length)) return this.#recentMemory;
    const memory = this.#memories.find((each) => each.holds(address, length));
    if (memory !== undefined) this.#recentMemory = memory;
    return memory;
  }
}

/**
 * Direct I/O on a regular file or block device, driven by the kernel's own
 * asynchronous I/O (`fs/aio.c`) with vectored requests.
 *
 * Requests complete in the order in which the kernel ends them; that order is
 * the one thing here that the caller does not determine. Nothing is allocated
 * per request.
 *
 * @module
 */

import { MAX_RW_COUNT, MAX_SEGMENTS } from "./aio_blocks.ts";
import { AioQueue, type DirectFileOp } from "./aio_queue.ts";
import { setUpAio } from "./aio_setup.ts";
import { AlignedMemory, PAGE_SIZE_BYTES } from "./aligned_memory.ts";
import { DeviceClosedError } from "./device_error.ts";
import {
  type DirectFile,
  type DirectFileGeometry,
  type DirectFileOptions,
  openDirectFile,
} from "./direct_file_open.ts";
import { Libc, MAX_AIO_COUNT } from "./libc.ts";

/** Per-request flag: a write is durable when it completes (FUA). */
export const RWF_DSYNC = 0x2;
/** Per-request flag: the request ends with `-EAGAIN` instead of waiting. */
export const RWF_NOWAIT = 0x8;

/** How a {@linkcode DirectFileEngine} is opened. */
export interface DirectFileEngineOptions extends DirectFileOptions {
  /** How many requests may be prepared or in flight. @default {128} */
  readonly queueDepth?: number;
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
  readonly alignmentSource: "statx" | "ioctl" | "probe";
  /** Tags of the requests that the last {@linkcode reap} found. */
  readonly resultTags: Int32Array<ArrayBuffer>;
  /** Their results: bytes transferred, or a negative errno. */
  readonly results: Int32Array<ArrayBuffer>;

  readonly #libc: Libc;
  readonly #fd: number;
  readonly #context: bigint;
  readonly #queue: AioQueue;
  readonly #memories: AlignedMemory[] = [];
  #recentMemory: AlignedMemory | undefined;

  #isClosed = false;

  private constructor(
    libc: Libc,
    path: string,
    file: DirectFile,
    context: bigint,
    queueDepth: number,
  ) {
    const queue = new AioQueue(libc, context, file.fd, queueDepth);
    this.path = path;
    this.sizeBytes = file.geometry.sizeBytes;
    this.logicalBlockSize = file.geometry.logicalBlockSize;
    this.memoryAlignment = file.geometry.memoryAlignment;
    this.alignmentSource = file.geometry.alignmentSource;
    this.resultTags = queue.resultTags;
    this.results = queue.results;
    this.#libc = libc;
    this.#fd = file.fd;
    this.#context = context;
    this.#queue = queue;
    OPEN_ENGINES.add(this);
  }

  /**
   * Opens a file or block device with `O_DIRECT` and sets up its queue. A
   * block device is opened for writing only when nothing else uses it.
   *
   * @throws {DevicePermissionError} If `--allow-ffi` is missing.
   * @throws {DeviceOpenError} If the file cannot be used, or the kernel gives
   * no AIO context.
   * @throws {RangeError} If the queue depth is not an integer of 1 to 4096.
   */
  static open(
    path: string,
    options: DirectFileEngineOptions = {},
  ): DirectFileEngine {
    const depth = options.queueDepth ?? 128;
    if (!Number.isInteger(depth) || depth < 1 || depth > MAX_AIO_COUNT) {
      throw new RangeError(
        `Cannot open ${path}: queue depth ${depth} is not an integer of ` +
          `1 to ${MAX_AIO_COUNT}`,
      );
    }
    using cleanup = new DisposableStack();
    const libc = cleanup.use(Libc.open());
    const scratch = new AlignedMemory(libc, PAGE_SIZE_BYTES);
    const file = openDirectFile(libc, path, options, scratch);
    cleanup.defer(() => libc.closeFd(file.fd));
    const context = setUpAio(libc, path, depth);
    cleanup.defer(() => libc.ioDestroy(context));
    const engine = new DirectFileEngine(libc, path, file, context, depth);
    cleanup.move();
    return engine;
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
    const memory = new AlignedMemory(this.#libc, byteLength);
    this.#memories.push(memory);
    return memory;
  }

  /**
   * Forgets a region, so that it can be collected.
   *
   * @throws {RangeError} If requests are prepared or in flight, because one of
   * them may use the region.
   */
  release(memory: AlignedMemory): void {
    this.#checkOpen("release memory of");
    const count = this.prepared + this.inFlight;
    if (count > 0) {
      throw new RangeError(
        `Cannot release memory of ${this.path}: ${count} requests may use it`,
      );
    }
    const index = this.#memories.indexOf(memory);
    if (index >= 0) this.#memories.splice(index, 1);
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
    if (!this.#ownsMemory(address, length)) {
      this.#queue.dropLastPrepared();
      throw new RangeError(
        `Cannot add a segment for ${this.path}: ${length} bytes at address ` +
          `${address} do not lie in memory that allocate() gave`,
      );
    }
    if (!this.#queue.addSegment(address, length)) {
      this.#queue.dropLastPrepared();
      throw new RangeError(
        `Cannot add a segment for ${this.path}: a request has at most ` +
          `${MAX_SEGMENTS}; split it`,
      );
    }
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
   * @returns How many were collected, or a negative errno.
   */
  reap(minEvents: number): number {
    this.#checkOpen("reap from");
    return this.#queue.reap(minEvents);
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
   * Waits for the requests in flight, drops those that are only prepared, and
   * gives everything back. A second call does nothing.
   */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // io_destroy() returns when no request is in flight any more. Should it
    // fail, the kernel may still write, so the memory stays.
    if (this.#libc.ioDestroy(this.#context) === 0) OPEN_ENGINES.delete(this);
    this.#libc.closeFd(this.#fd);
    this.#libc.close();
  }

  /** Closes the engine at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  #checkOpen(action: string): void {
    if (this.#isClosed) throw new DeviceClosedError(`${action} ${this.path}`);
  }

  #ownsMemory(address: number, length: number): boolean {
    // A wrong number here would let the kernel write over anything.
    if (!Number.isSafeInteger(address) || !Number.isInteger(length)) {
      return false;
    }
    if (length < 1 || length > MAX_RW_COUNT) return false;
    if (this.#recentMemory?.holds(address, length)) return true;
    const memory = this.#memories.find((each) => each.holds(address, length));
    if (memory === undefined) return false;
    this.#recentMemory = memory;
    return true;
  }
}

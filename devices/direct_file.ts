/**
 * A file or block device of the machine, opened with `O_DIRECT`, for programs:
 * requests are promises, and the event loop is never blocked.
 *
 * @module
 */

import { AsyncRequests } from "./direct_file_async.ts";
import { DirectFileEngine } from "./direct_file_engine.ts";
import type { AlignmentSource } from "./direct_file_open.ts";
import type { EngineKind, EngineVerdict } from "./engine.ts";

/** How a {@linkcode DirectFile} is opened. */
export interface DirectFileOptions {
  /**
   * Opens for reading only; writes end with `-EBADF` then.
   *
   * @default {false}
   */
  readonly readOnly?: boolean;
  /**
   * Opens with `O_DSYNC`, so that each write is stable when it ends.
   *
   * @default {false}
   */
  readonly dsync?: boolean;
  /**
   * Opens with `O_APPEND`, so that each write goes to the end of the file,
   * whatever its offset.
   *
   * @default {false}
   */
  readonly append?: boolean;
  /**
   * How many requests the kernel holds at once, 1 to 4096. More than that wait
   * for their turn.
   *
   * @default {128}
   */
  readonly queueDepth?: number;
  /**
   * Which way requests go to the kernel. `auto` is the best that works here:
   * `io_uring`, else `libaio`, else `psync`, which is blocking calls on
   * threads of their own; to start these takes some tenths of a second, in
   * which opening the file blocks.
   *
   * @default {"auto"}
   */
  readonly engine?: EngineKind | "auto";
}

/** What a read may ask for. */
export interface DirectReadOptions {
  /**
   * `RWF_NOWAIT`: ends with `-EAGAIN` rather than wait for anything but the
   * device, or `-EOPNOTSUPP` where the filesystem cannot tell.
   *
   * @default {false}
   */
  readonly nowait?: boolean;
}

/** What a write may ask for. */
export interface DirectWriteOptions extends DirectReadOptions {
  /**
   * `RWF_DSYNC`: the data is stable when the write ends (FUA).
   *
   * @default {false}
   */
  readonly dsync?: boolean;
}

/**
 * Memory of a request: one piece, or several that follow each other in the
 * file. Pieces that touch are merged; 256 may be left.
 */
export type DirectMemory =
  | Uint8Array<ArrayBuffer>
  | readonly Uint8Array<ArrayBuffer>[];

/**
 * A regular file or block device, opened with `O_DIRECT`.
 *
 * What requests come to are values, as in the kernel: bytes transferred, or a
 * negative errno. Offsets, lengths and addresses that the filesystem does not
 * take end with `-EINVAL` (-22). Fewer bytes than were asked for is the end of
 * the file, or a full or failing disk. Requests end in any order.
 *
 * Memory comes from {@linkcode DirectFile.allocate}. As long as a request uses
 * it, it must not be changed, nor its buffer be transferred elsewhere.
 *
 * @example Write, and read it back
 * ```ts
 * import { DirectFile } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * async function roundTrip(path: string): Promise<void> {
 *   await using file = DirectFile.open(path);
 *   const data = file.allocate(8192);
 *   data.fill(7);
 *   assertEquals(await file.write(0, data, { dsync: true }), 8192);
 *   const [first, second] = [file.allocate(4096), file.allocate(4096)];
 *   assertEquals(await file.read(0, [second, first]), 8192);
 *   assertEquals(first, data.subarray(4096));
 * }
 *
 * const needed = ["ffi", "read", "write"] as const;
 * const isAllowed = needed.every((name) =>
 *   Deno.permissions.querySync({ name }).state === "granted"
 * );
 * if (isAllowed) {
 *   const path = Deno.makeTempFileSync();
 *   try {
 *     await roundTrip(path);
 *   } finally {
 *     Deno.removeSync(path);
 *   }
 * }
 * ```
 */
export class DirectFile implements Disposable, AsyncDisposable {
  readonly #engine: DirectFileEngine;
  readonly #requests: AsyncRequests;

  private constructor(engine: DirectFileEngine) {
    this.#engine = engine;
    this.#requests = new AsyncRequests(engine);
  }

  /**
   * Opens a file, which must exist, or a block device. A block device is
   * opened for writing only when nothing else uses it.
   *
   * @param path The file or block device.
   * @param options How to open it.
   * @returns The file; close it in the end.
   * @throws {DevicePermissionError} If Deno may not use the C library; the
   * message names the flag to add.
   * @throws {DeviceOpenError} If the file cannot be used for direct I/O, or
   * the engine is refused.
   * @throws {RangeError} If the queue depth is not an integer of 1 to 4096.
   */
  static open(path: string, options: DirectFileOptions = {}): DirectFile {
    const anySize = true;
    return new DirectFile(DirectFileEngine.open(path, { ...options, anySize }));
  }

  /** The path it was opened with. */
  get path(): string {
    return this.#engine.path;
  }

  /** Its size in bytes when it was opened. */
  get sizeBytes(): number {
    return this.#engine.sizeBytes;
  }

  /** What offsets and lengths must be multiples of, in bytes. */
  get logicalBlockSize(): number {
    return this.#engine.logicalBlockSize;
  }

  /** What addresses of memory must be multiples of, in bytes. */
  get memoryAlignment(): number {
    return this.#engine.memoryAlignment;
  }

  /**
   * Who told the alignment: `statx()`, the ioctl `BLKSSZGET`, or reads that
   * were tried. A filesystem that says nothing in `statx()` may well serve
   * `O_DIRECT` from the page cache, as tmpfs does.
   */
  get alignmentSource(): AlignmentSource {
    return this.#engine.alignmentSource;
  }

  /** The engine that carries the requests. */
  get engine(): EngineKind {
    return this.#engine.kind;
  }

  /** Why it is that engine, and why none of the others; best first. */
  get engineVerdicts(): readonly EngineVerdict[] {
    return this.#engine.verdicts;
  }

  /** Requests whose promises are not settled. */
  get inFlight(): number {
    return this.#requests.pending;
  }

  /**
   * Makes memory that requests can use, at a page boundary. It stays until
   * the file is closed.
   *
   * @param bytes How many bytes.
   * @returns The memory; any part of it can be used.
   * @throws {RangeError} If that is not a positive integer.
   * @throws {DeviceClosedError} If the file is closed.
   */
  allocate(bytes: number): Uint8Array<ArrayBuffer> {
    return this.#engine.allocate(bytes).bytes;
  }

  /**
   * Forgets memory, so that it can be collected.
   *
   * @param memory The whole of what {@linkcode allocate} gave.
   * @throws {RangeError} If requests are in flight, one of which may use it.
   * @throws {DeviceClosedError} If the file is closed.
   */
  release(memory: Uint8Array<ArrayBuffer>): void {
    this.#engine.release(memory);
  }

  /**
   * Reads.
   *
   * @param offsetBytes Where in the file.
   * @param into Where to, in memory of {@linkcode allocate}.
   * @param options What else is asked for.
   * @returns Bytes read, or a negative errno.
   * @throws {RangeError} If the memory is not this file's, or the offset is
   * not an integer of at least 0.
   * @throws {DeviceClosedError} If the file is closed.
   */
  async read(
    offsetBytes: number,
    into: DirectMemory,
    options?: DirectReadOptions,
  ): Promise<number> {
    return await this.#requests.read(offsetBytes, into, options);
  }

  /**
   * Writes.
   *
   * @param offsetBytes Where in the file.
   * @param from What, in memory of {@linkcode allocate}.
   * @param options What else is asked for.
   * @returns Bytes written, or a negative errno.
   * @throws {RangeError} If the memory is not this file's, or the offset is
   * not an integer of at least 0.
   * @throws {DeviceClosedError} If the file is closed.
   */
  async write(
    offsetBytes: number,
    from: DirectMemory,
    options?: DirectWriteOptions,
  ): Promise<number> {
    return await this.#requests.write(offsetBytes, from, options);
  }

  /**
   * Makes stable what the writes that have ended wrote, by `fdatasync()`.
   *
   * @returns 0 or a negative errno.
   * @throws {DeviceClosedError} If the file is closed.
   */
  async fdatasync(): Promise<number> {
    return await this.#requests.fdatasync();
  }

  /**
   * Allocates or frees blocks by `fallocate()`, blocking the event loop until
   * the filesystem has done so.
   *
   * @param mode Which of these: the `FALLOC_FL_` flags of Linux, 0 to allocate
   * unwritten blocks and to extend the file.
   * @param offsetBytes Where.
   * @param bytes How many.
   * @returns 0 or a negative errno.
   * @throws {DeviceClosedError} If the file is closed.
   */
  fallocateSync(mode: number, offsetBytes: number, bytes: number): number {
    return this.#engine.fallocate(mode, offsetBytes, bytes);
  }

  /**
   * Waits for the requests in flight, blocking the event loop; then gives
   * everything back. A second call does nothing. Better wait for them, or use
   * {@linkcode closeAsync}: a request of the engine `libaio` that was made just
   * now, and that the kernel refuses, is rejected with a
   * {@linkcode DeviceClosedError} here, because its errno needs the event loop.
   */
  close(): void {
    this.#requests.close();
  }

  /**
   * Waits for the requests in flight; then gives everything back. A second
   * call does nothing.
   */
  async closeAsync(): Promise<void> {
    await this.#requests.drain();
    this.close();
  }

  /** Closes the file at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Closes the file at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.closeAsync();
  }
}

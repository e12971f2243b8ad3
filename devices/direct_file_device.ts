/**
 * A block device that is a file or a block device of the machine, opened with
 * `O_DIRECT`.
 *
 * Each bio becomes one vectored request of an engine, straight between the
 * pages of the simulated process and the file: nothing is copied. When the
 * simulated kernel has nothing left to run, it asks the device for
 * completions, and each of them is an interrupt in it; but a bio with
 * `REQ_POLLED` ends in whoever polls for it.
 *
 * What is real here is the data, the errors, and the order in which requests
 * complete; that order differs from run to run. Time in traces is virtual, and
 * tells only what came before what, unless the kernel is made with a `clock`.
 *
 * @module
 */

import {
  type Bio,
  bioEndio,
  type BlockDevice,
  type InterruptSource,
  type Kernel,
  PAGE_SIZE,
  SECTOR_SHIFT,
  type Task,
  UserMemory,
} from "../core/mod.ts";
import type {
  DirectFileOptions,
  DirectMemory,
  DirectReadOptions,
  DirectWriteOptions,
} from "./direct_file.ts";
import { AsyncRequests } from "./direct_file_async.ts";
import { BioRequests, checkAddresses } from "./direct_file_bios.ts";
import { DirectFileEngine } from "./direct_file_engine.ts";
import type { EngineKind, EngineVerdict } from "./engine.ts";
import { neededFfiFlag } from "./libc_path.ts";

/**
 * How a {@linkcode DirectFileDevice} is opened. When all requests that its
 * queue has room for are in flight, the next bio waits inside its submission
 * until another has come back.
 */
export interface DirectFileDeviceOptions
  extends Omit<DirectFileOptions, "append"> {
  /**
   * Its name in traces and messages.
   *
   * @default {the last part of the path}
   */
  readonly name?: string;
}

/** The smallest logical block of a block device: one sector. */
const SECTOR_SIZE = 1 << SECTOR_SHIFT;

/**
 * A file or block device of the machine, as a block device of the simulated
 * kernel. It transfers by itself to and from real addresses, so the kernel
 * has to be made with the memory that it gives.
 *
 * A block device is opened for writing only when nothing else uses it.
 *
 * @example A write to a temporary file
 * ```ts
 * import { Kernel, type Page, submitBio, WRITE } from "@endio/dio/core";
 * import { DirectFileDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * function writeSector8(path: string): void {
 *   using device = DirectFileDevice.open(path);
 *   const kernel = new Kernel({ memory: device.memory(1 << 16) });
 *   device.attach(kernel);
 *   const addr = kernel.memory.alloc(4096);
 *   kernel.memory.bytes(addr, 4096).fill(7);
 *   const bio = kernel.bios.alloc(WRITE, device, 8);
 *   bio.addPage(kernel.memory.pin(addr) as Page, 0, 4096);
 *   let error: number | undefined;
 *   bio.biEndIo = function* (bio) {
 *     error = bio.biError;
 *   };
 *   submitBio(bio);
 *   kernel.run();
 *   assertEquals(error, 0);
 * }
 *
 * const needed = ["ffi", "read", "write"] as const;
 * const isAllowed = needed.every((name) =>
 *   Deno.permissions.querySync({ name }).state === "granted"
 * );
 * if (isAllowed) {
 *   const path = Deno.makeTempFileSync();
 *   Deno.truncateSync(path, 1 << 20);
 *   try {
 *     writeSector8(path);
 *     assertEquals(Deno.readFileSync(path)[4096], 7);
 *   } finally {
 *     Deno.removeSync(path);
 *   }
 * }
 * ```
 */
export class DirectFileDevice
  implements BlockDevice, InterruptSource, Disposable, AsyncDisposable {
  /** The path it was opened with. */
  readonly path: string;
  /** Its name. */
  readonly name: string;
  /** Its size in bytes when it was opened: whole logical blocks. */
  readonly sizeBytes: number;
  /** Smallest unit of transfer in bytes, 512 or more. */
  readonly logicalBlockSize: number;
  /** What addresses of memory must be multiples of, in bytes. */
  readonly dmaAlignment: number;
  readonly #engine: DirectFileEngine;
  readonly #bios: BioRequests;
  readonly #requests: AsyncRequests;
  #kernel: Kernel | null = null;

  private constructor(engine: DirectFileEngine, name: string) {
    const { path, sizeBytes } = engine;
    this.path = path;
    this.name = name;
    this.logicalBlockSize = Math.max(engine.logicalBlockSize, SECTOR_SIZE);
    this.sizeBytes = sizeBytes - sizeBytes % this.logicalBlockSize;
    this.dmaAlignment = engine.memoryAlignment;
    this.#engine = engine;
    this.#bios = new BioRequests(engine);
    this.#requests = new AsyncRequests(engine);
    this.#requests.other = (tag, result) => this.#bios.end(tag, result);
    this.#bios.other = (tag, result) => this.#requests.settle(tag, result);
  }

  /**
   * Opens a file or block device. It must exist and have a size: whole
   * logical blocks.
   *
   * @param path The file or block device.
   * @param options How to open it.
   * @returns The device; close it in the end.
   * @throws {DevicePermissionError} If Deno may not use the C library; the
   * message names the flag to add.
   * @throws {DeviceOpenError} If the file cannot be used for direct I/O, or
   * the engine is refused.
   * @throws {RangeError} If the queue depth is not an integer of 1 to 4096.
   */
  static open(
    path: string,
    options: DirectFileDeviceOptions = {},
  ): DirectFileDevice {
    const engine = DirectFileEngine.open(path, options);
    return new DirectFileDevice(engine, options.name ?? baseName(path));
  }

  /**
   * The flag that lets Deno open such devices: all the permission they need.
   *
   * @returns `--allow-ffi=` and the place of the C library, or all the places
   * where it may lie when Deno may not look.
   */
  static neededFfiFlag(): string {
    return neededFfiFlag();
  }

  /** Bios that were submitted and whose interrupt was not raised yet. */
  get inFlight(): number {
    return this.#bios.inFlight;
  }

  /** The engine that carries the requests. */
  get engine(): EngineKind {
    return this.#engine.kind;
  }

  /** Why it is that engine, and why none of the others; best first. */
  get engineVerdicts(): readonly EngineVerdict[] {
    return this.#engine.verdicts;
  }

  /**
   * Makes memory that it can transfer to and from, for the option `memory` of
   * a kernel. The memory stays until the device is closed.
   *
   * @param bytes How many bytes, rounded up to pages. One more page is made:
   * the page of zeros.
   * @returns The memory of a user's process, for one kernel.
   * @throws {RangeError} If that is not a positive integer.
   * @throws {DeviceClosedError} If the device is closed.
   */
  memory(bytes: number): UserMemory {
    if (!Number.isSafeInteger(bytes) || bytes < 1) {
      throw new RangeError(
        `Cannot make memory for ${this.name}: ${bytes} is not a positive integer`,
      );
    }
    const pages = Math.ceil(bytes / PAGE_SIZE) + 1;
    return new UserMemory(this.#engine.allocate(pages * PAGE_SIZE));
  }

  /**
   * Binds it to a kernel, as a source of its interrupts. Bios that an earlier
   * kernel left in flight, because a bug stopped it, are waited for; they end
   * nowhere.
   *
   * @param kernel The kernel, made with memory of this device.
   */
  attach(kernel: Kernel): void {
    if (kernel === this.#kernel) return;
    this.#kernel = null;
    this.#bios.drop();
    this.#bios.ended = (bio) => kernel.raise("hardirq", this, bio);
    this.#kernel = kernel;
    kernel.registerInterrupts(this);
  }

  /**
   * Takes a bio; see {@linkcode BlockDevice}. It is handed to the file with
   * those that follow it, when the kernel has nothing else to run or the
   * queue is full.
   *
   * `REQ_FUA` becomes `RWF_DSYNC`, `REQ_NOWAIT` becomes `RWF_NOWAIT`.
   *
   * @param bio The bio.
   * @returns Null: it ends in an interrupt or, with `REQ_POLLED`, in whoever
   * looks for it; whatever comes of it.
   * @throws {TypeError} If the device is not attached to a kernel, or a page
   * of the bio is not in memory of a device.
   * @throws {RangeError} If a page is in memory of another device.
   * @throws {DeviceClosedError} If the device is closed.
   */
  submitBio(bio: Bio): null {
    this.#checkAttached();
    checkAddresses(bio, this.name);
    while (!this.#bios.start(bio)) this.reap();
    return null;
  }

  /**
   * Hands over what was submitted, waits until a request or more has come
   * back, and raises a hardirq for each. The kernel calls it when no context
   * can run.
   *
   * @throws {DeviceError} If the host's asynchronous I/O itself fails.
   */
  reap(): void {
    this.#checkAttached();
    this.#bios.reap();
  }

  /**
   * Looks for a bio with `REQ_POLLED` until the file is done with it; see
   * {@linkcode BlockDevice}. Others that are found meanwhile end in interrupts.
   *
   * @param cookie The bio's `id`.
   * @returns The end of the bio; null when it is not in flight.
   * @throws {DeviceError} If the host's asynchronous I/O itself fails.
   */
  poll(cookie: number): Task<unknown> | null {
    this.#checkAttached();
    const bio = this.#bios.poll(cookie);
    return bio === null ? null : bioEndio(bio);
  }

  /**
   * The interrupt at the end of a bio.
   *
   * @param bio The bio, its `biError` set.
   * @returns The bio's end handler.
   */
  irq(bio: Bio): Task<unknown> {
    return bioEndio(bio);
  }

  /**
   * Makes stable what the writes that have ended wrote, by `fdatasync()`,
   * which blocks.
   *
   * @returns 0 or a negative errno.
   * @throws {DeviceClosedError} If the device is closed.
   */
  flush(): number {
    return this.#engine.flush();
  }

  /**
   * Makes memory for {@linkcode read} and {@linkcode write}; it stays until the
   * device is closed.
   *
   * @param bytes How many bytes.
   * @returns The memory; any part of it can be used.
   * @throws {RangeError} If that is not a positive integer.
   * @throws {DeviceClosedError} If the device is closed.
   */
  allocate(bytes: number): Uint8Array<ArrayBuffer> {
    return this.#engine.allocate(bytes).bytes;
  }

  /**
   * Reads, past any kernel and without blocking the event loop; see
   * {@linkcode DirectFile.read}.
   *
   * @param offsetBytes Where on the device.
   * @param into Where to, in memory of {@linkcode allocate}.
   * @param options What else is asked for.
   * @returns Bytes read, or a negative errno.
   * @throws {RangeError} If the memory is not this device's, or the offset is
   * not an integer of at least 0.
   * @throws {DeviceClosedError} If the device is closed.
   */
  async read(
    offsetBytes: number,
    into: DirectMemory,
    options?: DirectReadOptions,
  ): Promise<number> {
    return await this.#requests.read(offsetBytes, into, options);
  }

  /**
   * Writes, past any kernel and without blocking the event loop; see
   * {@linkcode DirectFile.write}.
   *
   * @param offsetBytes Where on the device.
   * @param from What, in memory of {@linkcode allocate}.
   * @param options What else is asked for.
   * @returns Bytes written, or a negative errno.
   * @throws {RangeError} If the memory is not this device's, or the offset is
   * not an integer of at least 0.
   * @throws {DeviceClosedError} If the device is closed.
   */
  async write(
    offsetBytes: number,
    from: DirectMemory,
    options?: DirectWriteOptions,
  ): Promise<number> {
    return await this.#requests.write(offsetBytes, from, options);
  }

  /**
   * {@linkcode flush} without blocking the event loop.
   *
   * @returns 0 or a negative errno.
   */
  async fdatasync(): Promise<number> {
    return await this.#requests.fdatasync();
  }

  /**
   * Waits for the requests that the file has, blocking the event loop, and
   * gives everything back. A second call does nothing. Bios that have not come
   * back never will: a kernel that waits for them gets a
   * {@linkcode DeviceClosedError}.
   */
  close(): void {
    this.#requests.close();
  }

  /**
   * Waits for the requests that the file has, then does {@linkcode close}.
   */
  async closeAsync(): Promise<void> {
    await this.#requests.drain();
    this.close();
  }

  /** Closes the device at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Closes the device at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.closeAsync();
  }

  #checkAttached(): void {
    if (this.#kernel !== null) return;
    throw new TypeError(
      `Cannot use ${this.name}: it is not attached to a kernel; call attach() first`,
    );
  }
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

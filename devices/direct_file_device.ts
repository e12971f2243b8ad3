/**
 * A block device that is a file or a block device of the machine, opened with
 * `O_DIRECT`.
 *
 * Each bio becomes one vectored request of the host's own asynchronous I/O
 * (`fs/aio.c`), straight between the pages of the simulated process and the
 * file: nothing is copied. When the simulated kernel has nothing left to run,
 * it asks the device for completions, and each of them is an interrupt in it.
 *
 * What is real here is the data, the errors, and the order in which requests
 * complete; that order differs from run to run. Time in traces stays virtual:
 * it tells what came before what, not how long the file took.
 *
 * @module
 */

import {
  type Bio,
  bioEndio,
  type BlockDevice,
  EAGAIN,
  EIO,
  type InterruptSource,
  type Kernel,
  type Page,
  PAGE_SIZE,
  REQ_FUA,
  REQ_NOWAIT,
  SECTOR_SHIFT,
  type Task,
  UserMemory,
  WRITE,
} from "../core/mod.ts";
import { DeviceError } from "./device_error.ts";
import {
  DirectFileEngine,
  RWF_DSYNC,
  RWF_NOWAIT,
} from "./direct_file_engine.ts";
import { describeErrno } from "./errno_text.ts";
import { neededFfiFlag } from "./libc_path.ts";

/** How a {@linkcode DirectFileDevice} is opened. */
export interface DirectFileDeviceOptions {
  /**
   * Its name in traces and messages.
   *
   * @default {the last part of the path}
   */
  readonly name?: string;
  /**
   * Opens for reading only; writes end with an error then.
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
   * How many bios it holds at once, 1 to 4096. The next one waits inside its
   * submission until another has come back.
   *
   * @default {128}
   */
  readonly queueDepth?: number;
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
  implements BlockDevice, InterruptSource, Disposable {
  /** The path it was opened with. */
  readonly path: string;
  /** Its name. */
  readonly name: string;
  /** Its size in bytes when it was opened: whole logical blocks. */
  readonly sizeBytes: number;
  /** Smallest unit of transfer in bytes, 512 or more. */
  readonly logicalBlockSize: number;
  readonly #engine: DirectFileEngine;
  /** The bios of the requests, at their tags; null where a tag is free. */
  readonly #bios: (Bio | null)[];
  /** A stack of the free tags. The engine has as many slots. */
  readonly #freeTags: Int32Array;
  #freeCount: number;
  #kernel: Kernel | null = null;

  private constructor(engine: DirectFileEngine, name: string) {
    const { path, sizeBytes, queueDepth } = engine;
    this.path = path;
    this.name = name;
    this.logicalBlockSize = Math.max(engine.logicalBlockSize, SECTOR_SIZE);
    this.sizeBytes = sizeBytes - sizeBytes % this.logicalBlockSize;
    this.#engine = engine;
    this.#bios = new Array(queueDepth).fill(null);
    this.#freeTags = Int32Array.from({ length: queueDepth }, (_, i) => i);
    this.#freeCount = queueDepth;
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
   * @throws {DeviceOpenError} If the file cannot be used for direct I/O.
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
    return this.#bios.length - this.#freeCount;
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
    while (this.inFlight > 0) {
      const count = this.#awaitResults();
      for (let i = 0; i < count; i++) this.#takeBio(i);
    }
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
   * @returns Null: it ends in an interrupt, whatever comes of it.
   * @throws {TypeError} If the device is not attached to a kernel, or a page
   * of the bio is not in memory of a device.
   * @throws {RangeError} If a page is in memory of another device.
   * @throws {DeviceClosedError} If the device is closed.
   */
  submitBio(bio: Bio): null {
    this.#attachedKernel();
    this.#checkPages(bio);
    while (this.#freeCount === 0) this.reap();
    this.#prepare(bio);
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
    const kernel = this.#attachedKernel();
    const count = this.#awaitResults();
    for (let i = 0; i < count; i++) {
      kernel.raise("hardirq", this, this.#takeBio(i));
    }
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
   * Waits for the requests that the file has, and gives everything back. A
   * second call does nothing. Bios that have not come back never will: a
   * kernel that waits for them gets a {@linkcode DeviceClosedError}.
   */
  close(): void {
    this.#engine.close();
  }

  /** Closes the device at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  #attachedKernel(): Kernel {
    if (this.#kernel !== null) return this.#kernel;
    throw new TypeError(
      `Cannot use ${this.name}: it is not attached to a kernel; call attach() first`,
    );
  }

  #checkPages(bio: Bio): void {
    for (let i = 0; i < bio.biVcnt; i++) {
      if ((bio.pages[i] as Page).address !== 0) continue;
      throw new TypeError(
        `Cannot submit bio: its pages have no real address for ${this.name} to transfer to; make the kernel with { memory: device.memory(bytes) }`,
      );
    }
  }

  #prepare(bio: Bio): void {
    const engine = this.#engine;
    const tag = this.#freeTags[this.#freeCount - 1] as number;
    const op = bio.biRw === WRITE ? "write" : "read";
    // A free tag means a free slot, so the queue is not full.
    engine.prepare(op, bio.biSector * SECTOR_SIZE, tag, requestFlags(bio));
    for (let i = 0; i < bio.biVcnt; i++) {
      const { address } = bio.pages[i] as Page;
      const offset = bio.offsets[i] as number;
      engine.pushSegment(address + offset, bio.lengths[i] as number);
    }
    // Only now, because a segment that is refused drops the request.
    this.#freeCount--;
    this.#bios[tag] = bio;
  }

  /** How many results the engine holds after at least one has come. */
  #awaitResults(): number {
    const engine = this.#engine;
    const submitted = engine.submit();
    if (submitted === -EAGAIN && engine.inFlight === 0) {
      throw new DeviceError(
        `Cannot submit to ${this.path}: the system has no room for a request, and none is left to wait for; free memory and run again`,
        EAGAIN,
      );
    }
    const count = engine.reap(1);
    if (count >= 0) return count;
    throw new DeviceError(
      `Cannot reap from ${this.path}: ${describeErrno(count).text}`,
      -count,
    );
  }

  /** The bio of a result, its error set and its tag free again. */
  #takeBio(index: number): Bio {
    const tag = this.#engine.resultTags[index] as number;
    const result = this.#engine.results[index] as number;
    const bio = this.#bios[tag] as Bio;
    this.#bios[tag] = null;
    this.#freeTags[this.#freeCount++] = tag;
    bio.biError = errorOf(bio, result);
    return bio;
  }
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function requestFlags(bio: Bio): number {
  const isDsync = bio.biRw === WRITE && (bio.biOpf & REQ_FUA) !== 0;
  const isNowait = (bio.biOpf & REQ_NOWAIT) !== 0;
  return (isDsync ? RWF_DSYNC : 0) | (isNowait ? RWF_NOWAIT : 0);
}

/**
 * What a bio ends with. A bio has no count: it ends whole or with an error.
 * It is whole blocks inside the device, which `submitBio()` of the core has
 * checked, so a short transfer is never the end of the file; something broke
 * on the way (the file was cut, the filesystem ran full), and nothing says
 * what.
 */
function errorOf(bio: Bio, result: number): number {
  if (result < 0) return result;
  return result === bio.biSize ? 0 : -EIO;
}

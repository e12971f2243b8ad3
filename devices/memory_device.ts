/**
 * A block device in memory: deterministic, with faults.
 *
 * Which of its bios ends next is left to the kernel's strategy, or follows a
 * latency model in virtual time. What may go wrong is given as data.
 *
 * @module
 */

import {
  type Bio,
  bioEndio,
  type BlockDevice,
  EAGAIN,
  EIO,
  type Kernel,
  type Page,
  READ,
  readStep,
  REQ_FUA,
  REQ_NOWAIT,
  REQ_POLLED,
  SCHEDULE,
  type Step,
  type Task,
  WRITE,
  writeStep,
} from "../core/mod.ts";
import { MemoryQueue } from "./memory_queue.ts";
import { VolatileCache } from "./volatile_cache.ts";

const SECTOR_BYTES = 512;
/** Bytes that share a step address: transfers to the same ones depend. */
const STEP_BYTES = 4096;

/**
 * In which context a device ends its bios: in an interrupt, inside their
 * submission, or in whoever polls. A polled device ends a bio without
 * `REQ_POLLED` in a softirq.
 */
export type CompletionContext = "softirq" | "hardirq" | "inline" | "polled";

/** A transfer that fails. Every condition that is given has to hold. */
export interface BioFault {
  /** Which bio since the device was attached, counted from 1. */
  readonly nth?: number;
  /** A sector that it touches, in units of 512 bytes. */
  readonly sector?: number;
  /** Its direction. */
  readonly op?: "read" | "write";
  /**
   * The negative errno that it fails with.
   *
   * @default {-EIO}
   */
  readonly error?: number;
  /**
   * Whether the strategy decides if it fails.
   *
   * @default {false}
   */
  readonly open?: boolean;
}

/** How long a transfer takes, in virtual time. */
export interface Latency {
  /** Nanoseconds for any bio. */
  readonly baseNs: number;
  /**
   * Nanoseconds for each byte on top.
   *
   * @default {0}
   */
  readonly perByteNs?: number;
}

/** How a memory device is made. */
export interface MemoryDeviceOptions {
  /**
   * Its name.
   *
   * @default {"sda"}
   */
  readonly name?: string;
  /** Its size in bytes: whole logical blocks. */
  readonly sizeBytes: number;
  /**
   * Smallest unit of transfer in bytes.
   *
   * @default {512}
   */
  readonly logicalBlockSize?: 512 | 4096;
  /**
   * In which context bios end.
   *
   * @default {"softirq"}
   */
  readonly completion?: CompletionContext;
  /**
   * How many bios it holds at once. The next one waits inside its submission
   * until another has ended; with `REQ_NOWAIT` it ends at once with `-EAGAIN`.
   *
   * @default {Infinity}
   */
  readonly queueDepth?: number;
  /**
   * Whether a write is in a volatile cache when it ends, until a flush. One
   * with `REQ_FUA` is stable when it ends.
   *
   * @default {false}
   */
  readonly volatileCache?: boolean;
  /**
   * Whether it takes `REQ_FUA` and does nothing about it, as broken disks do.
   *
   * @default {false}
   */
  readonly ignoresFua?: boolean;
  /**
   * The byte that it is full of before anything is written.
   *
   * @default {0}
   */
  readonly fill?: number;
  /**
   * How long transfers take. Without it a bio can end at any time after it
   * was submitted, and the strategy chooses.
   */
  readonly latency?: Latency;
  /** Transfers that fail. */
  readonly faults?: readonly BioFault[];
}

/**
 * A block device whose content is an array of bytes.
 *
 * @example
 * ```ts
 * import { EIO, Kernel, READ, submitBio } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 8192, faults: [{ nth: 1 }] });
 * device.attach(kernel);
 * const bio = kernel.bios.alloc(READ, device, 0);
 * let error = 0;
 * bio.biEndIo = function* (bio) {
 *   error = bio.biError;
 *   kernel.bios.put(bio);
 * };
 * submitBio(bio);
 * kernel.run();
 * assertEquals(error, -EIO);
 * ```
 */
export class MemoryDevice implements BlockDevice {
  /** Its name. */
  readonly name: string;
  /** Its size in bytes. */
  readonly sizeBytes: number;
  /** Smallest unit of transfer in bytes. */
  readonly logicalBlockSize: number;
  /** Its content. */
  readonly store: Uint8Array;
  readonly #completion: CompletionContext;
  readonly #latency: Latency | null;
  readonly #faults: readonly BioFault[] | null;
  readonly #queue: MemoryQueue;
  readonly #cache: VolatileCache | null;
  readonly #ignoresFua: boolean;
  readonly #fill: number;
  #kernel: Kernel | null = null;
  /** Step address of the first {@linkcode STEP_BYTES}, and so on. */
  #dataAddr = 0;
  #submitted = 0;
  /** The step of `#submitted`. */
  #countStep: Step = SCHEDULE;
  /** Bytes behind the last one that was ever written. */
  #written = 0;

  /**
   * Makes a device on which nothing has been written.
   *
   * @param options Its properties.
   * @throws {RangeError} If the size is not a whole number of blocks, or the
   * queue holds no bio.
   */
  constructor(options: MemoryDeviceOptions) {
    this.name = options.name ?? "sda";
    this.sizeBytes = options.sizeBytes;
    this.logicalBlockSize = options.logicalBlockSize ?? 512;
    if (this.sizeBytes <= 0 || this.sizeBytes % this.logicalBlockSize !== 0) {
      throw new RangeError(
        `Cannot make memory device ${this.name}: ${this.sizeBytes} bytes are not whole blocks of ${this.logicalBlockSize}`,
      );
    }
    this.#fill = options.fill ?? 0;
    this.store = new Uint8Array(this.sizeBytes).fill(this.#fill);
    this.#completion = options.completion ?? "softirq";
    this.#latency = options.latency ?? null;
    this.#faults = options.faults?.length ? options.faults : null;
    const { queueDepth = Infinity, volatileCache = false } = options;
    if (!(queueDepth >= 1)) {
      throw new RangeError(
        `Cannot make memory device ${this.name}: a queue of ${queueDepth} holds no bio`,
      );
    }
    this.#queue = new MemoryQueue(this.name, queueDepth, volatileCache);
    this.#cache = volatileCache
      ? new VolatileCache(this.store, this.logicalBlockSize)
      : null;
    this.#ignoresFua = options.ignoresFua ?? false;
  }

  /**
   * Binds it to a kernel. The content stays; bios are counted anew.
   *
   * @param kernel The kernel.
   */
  attach(kernel: Kernel): void {
    this.#kernel = kernel;
    this.#submitted = 0;
    this.#countStep = writeStep(kernel.newAddr());
    this.#queue.attach(kernel);
    this.#cache?.attach(kernel);
    const { length } = this.store;
    this.#dataAddr = kernel.newAddr(Math.ceil(length / STEP_BYTES));
  }

  /** Makes it as if nothing had been written, for another run. */
  reset(): void {
    this.store.fill(this.#fill, 0, this.#written);
    this.#cache?.reset(this.#written, this.#fill);
    this.#written = 0;
  }

  /**
   * Takes a bio; see {@linkcode BlockDevice}.
   *
   * @param bio The bio.
   * @returns What happens inside the submission: the end of a bio that ends at
   * once, the wait for room; else null.
   * @throws {TypeError} If the device is not attached to a kernel.
   */
  submitBio(bio: Bio): Task<unknown> | null {
    const kernel = this.#attachedKernel("submit bio");
    const error = this.#faults === null ? 0 : this.#fault(kernel, bio);
    return this.#queue.hasRoom()
      ? this.#start(kernel, bio, error)
      : this.#refuse(kernel, bio, error);
  }

  /** A bio that there is no room for. */
  #refuse(kernel: Kernel, bio: Bio, error: number): Task<unknown> {
    if ((bio.biOpf & REQ_NOWAIT) === 0) {
      return this.#startLater(kernel, bio, error);
    }
    bio.biError = -EAGAIN;
    return bioEndio(bio);
  }

  /**
   * Makes stable what the volatile cache holds, if there is one.
   *
   * @returns 0.
   */
  flush(): number {
    this.#cache?.flush();
    return 0;
  }

  /**
   * Ends a bio that was submitted with `REQ_POLLED`; see
   * {@linkcode BlockDevice}. It has a queue for each of them.
   *
   * @param cookie The bio's `id`.
   * @returns The bio's end handler, or null if it is not there.
   */
  poll(cookie: number): Task<unknown> | null {
    const bio = this.#queue.take(cookie);
    return bio === null ? null : this.#endPolled(bio);
  }

  /** Ends a bio when the poller comes to it. */
  *#endPolled(bio: Bio): Task<void> {
    yield* this.irq(bio);
  }

  /**
   * Takes the power away, and gives it back: of the writes that its volatile
   * cache holds, any may be lost, and the strategy decides which; bios that
   * have not ended fail. A device without such a cache loses nothing.
   *
   * @returns How many writes were lost.
   * @throws {TypeError} If the device is not attached to a kernel.
   */
  powerCut(): number {
    const kernel = this.#attachedKernel("cut the power");
    this.#queue.fail();
    return this.#cache?.powerCut(this.name, kernel) ?? 0;
  }

  /**
   * The interrupt at the end of a bio: transfers its data, and ends it.
   *
   * @param bio The bio.
   * @returns The bio's end handler.
   */
  irq(bio: Bio): Task<unknown> {
    const error = this.#queue.end(bio);
    // A success leaves what is there: the first bio of a request may hold
    // the error of another one.
    if (error !== 0) bio.biError = error;
    else this.#transfer(bio);
    return bioEndio(bio);
  }

  #start(kernel: Kernel, bio: Bio, error: number): Task<unknown> | null {
    const completion = this.#completion;
    const isPolled = completion === "polled" &&
      (bio.biOpf & REQ_POLLED) !== 0;
    this.#queue.start(bio, error, isPolled);
    if (completion === "inline") return this.irq(bio);
    if (isPolled) return null;
    const kind = completion === "hardirq" ? completion : "softirq";
    const delay = this.#latency === null ? 0 : delayOf(bio, this.#latency);
    kernel.raise(kind, this, bio, delay);
    return null;
  }

  *#startLater(kernel: Kernel, bio: Bio, error: number): Task<void> {
    yield* this.#queue.waitForRoom(kernel);
    const inline = this.#start(kernel, bio, error);
    if (inline !== null) yield* inline;
  }

  #transfer(bio: Bio): void {
    const kernel = this.#kernel as Kernel;
    const start = bio.biSector * SECTOR_BYTES;
    const end = start + bio.biSize;
    if (kernel.stepping) this.#touch(kernel, bio, start, end);
    bio.transfer(this.store);
    if (bio.biRw !== WRITE) return;
    if (end > this.#written) this.#written = end;
    if (this.#cache !== null) this.#wrote(this.#cache, bio, start, end);
  }

  #wrote(cache: VolatileCache, bio: Bio, start: number, end: number): void {
    const isStable = (bio.biOpf & REQ_FUA) !== 0 && !this.#ignoresFua;
    cache.wrote(start, end, isStable);
  }

  #touch(kernel: Kernel, bio: Bio, start: number, end: number): void {
    const store = bio.biRw === WRITE ? writeStep : readStep;
    const memory = bio.biRw === WRITE ? readStep : writeStep;
    const behind = Math.ceil(end / STEP_BYTES);
    for (let i = Math.floor(start / STEP_BYTES); i < behind; i++) {
      kernel.touch(store(this.#dataAddr + i));
    }
    for (let i = 0; i < bio.biVcnt; i++) {
      // Of user memory only pages that a flusher cleans are shared.
      const { addr } = bio.pages[i] as Page;
      if (addr !== 0) kernel.touch(memory(addr));
    }
  }

  #attachedKernel(action: string): Kernel {
    if (this.#kernel !== null) return this.#kernel;
    throw new TypeError(
      `Cannot ${action}: ${this.name} is not attached to a kernel; call attach() first`,
    );
  }

  #fault(kernel: Kernel, bio: Bio): number {
    // Which bio is the nth depends on the order of all of them.
    kernel.touch(this.#countStep);
    this.#submitted++;
    for (const fault of this.#faults ?? []) {
      if (fault.nth !== undefined && fault.nth !== this.#submitted) continue;
      if (
        fault.sector !== undefined &&
        (fault.sector < bio.biSector || fault.sector >= bio.endSector)
      ) continue;
      if (
        fault.op !== undefined && (fault.op === "read") !== (bio.biRw === READ)
      ) continue;
      if (
        fault.open === true &&
        kernel.choose(2, `whether bio ${bio.id} fails`) === 0
      ) continue;
      return fault.error ?? -EIO;
    }
    return 0;
  }
}

function delayOf({ biSize }: Bio, { baseNs, perByteNs = 0 }: Latency): number {
  return baseNs + biSize * perByteNs;
}

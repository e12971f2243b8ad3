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
  EIO,
  type Kernel,
  READ,
  type Task,
  WRITE,
} from "../core/mod.ts";

const SECTOR_BYTES = 512;

/** In which context a device ends its bios. */
export type CompletionContext = "softirq" | "hardirq" | "inline";

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
   * In which context bios end; `inline` is inside their submission.
   *
   * @default {"softirq"}
   */
  readonly completion?: CompletionContext;
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
  #kernel: Kernel | null = null;
  #submitted = 0;
  /** Bytes behind the last one that was ever written. */
  #written = 0;

  /**
   * Makes a device full of zeros.
   *
   * @param options Its properties.
   * @throws {RangeError} If the size is not a whole number of blocks.
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
    this.store = new Uint8Array(this.sizeBytes);
    this.#completion = options.completion ?? "softirq";
    this.#latency = options.latency ?? null;
    this.#faults = options.faults?.length ? options.faults : null;
  }

  /**
   * Binds it to a kernel. The content stays; bios are counted anew.
   *
   * @param kernel The kernel.
   */
  attach(kernel: Kernel): void {
    this.#kernel = kernel;
    this.#submitted = 0;
  }

  /** Fills it with zeros again, for another run. */
  reset(): void {
    this.store.fill(0, 0, this.#written);
    this.#written = 0;
  }

  /**
   * Takes a bio; see {@linkcode BlockDevice}.
   *
   * @param bio The bio.
   * @returns The end of the bio when it ends inline, else null.
   * @throws {TypeError} If the device is not attached to a kernel.
   */
  submitBio(bio: Bio): Task<unknown> | null {
    const kernel = this.#kernel;
    if (kernel === null) {
      throw new TypeError(
        `Cannot submit bio: ${this.name} is not attached to a kernel; call attach() first`,
      );
    }
    this.#submitted++;
    if (this.#faults !== null) bio.biError = this.#fault(kernel, bio);
    if (this.#completion === "inline") return this.irq(bio);
    kernel.raise(this.#completion, this, bio, this.#delay(bio));
    return null;
  }

  /**
   * Nothing to do: what has been written is in memory.
   *
   * @returns 0.
   */
  flush(): number {
    return 0;
  }

  /**
   * The interrupt at the end of a bio: transfers its data, and ends it.
   *
   * @param bio The bio.
   * @returns The bio's end handler.
   */
  irq(bio: Bio): Task<unknown> {
    if (bio.biError === 0) {
      bio.transfer(this.store);
      if (bio.biRw === WRITE) {
        this.#written = Math.max(this.#written, bio.endSector * SECTOR_BYTES);
      }
    }
    return bioEndio(bio);
  }

  #delay(bio: Bio): number {
    const latency = this.#latency;
    return latency === null
      ? 0
      : latency.baseNs + bio.biSize * (latency.perByteNs ?? 0);
  }

  #fault(kernel: Kernel, bio: Bio): number {
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

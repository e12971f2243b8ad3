/**
 * Bios: what the core hands to a block device, and gets back when it is done.
 *
 * Source: block/bio.c, block/blk-core.c (fs/bio.c before 3.16).
 *
 * @module
 */

import type { BlockDevice } from "./block_device.ts";
import { KernelBug } from "./bug.ts";
import { EV } from "./events.ts";
import type { Kernel } from "./kernel.ts";
import { type Page, PAGE_SIZE } from "./page.ts";
import { KmemCache, SlabObject, use } from "./slab.ts";
import { type Task, writeStep } from "./step.ts";

/** The transfer is a read: from the device to memory. */
export const READ = 0 as const;
/** The transfer is a write: from memory to the device. */
export const WRITE = 1 as const;
/** Direction of a transfer: {@linkcode READ} or {@linkcode WRITE}. */
export type Rw = 0 | 1;

/** Bit of `biOpf`: somebody waits for this bio. */
export const REQ_SYNC: number = 1 << 0;
/** Bit of `biOpf`: the data is stable when the bio ends (force unit access). */
export const REQ_FUA: number = 1 << 1;
/** Bit of `biOpf`: fail with `-EAGAIN` instead of waiting. */
export const REQ_NOWAIT: number = 1 << 2;
/** Bit of `biOpf`: more bios like it follow, a hint. */
export const REQ_IDLE: number = 1 << 3;
/** Bit of `biOpf`: whoever waits looks for its end; no interrupt tells it. */
export const REQ_POLLED: number = 1 << 4;

/** Most pages in one bio of Linux. */
export const BIO_MAX_PAGES: number = 256;
/** Binary logarithm of a sector, always 512 bytes. */
export const SECTOR_SHIFT: number = 9;
const SECTOR_BYTES = 512;

/** Where a bio goes back to: `struct bio_set`. */
export interface BioPool {
  /**
   * Takes a bio back, with whatever lies in front of it.
   *
   * @param bio The bio; nobody refers to it any more.
   */
  free(bio: Bio): void;
}

/** Called when a bio has ended: `bi_end_io`. */
export type BioEndIo = (bio: Bio) => Task<unknown>;

/**
 * One transfer between consecutive sectors and a vector of page pieces.
 *
 * @example
 * ```ts
 * import { Bio, type Page, UserMemory, WRITE } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const memory = new UserMemory(4096);
 * const bio = new Bio();
 * bio.init(WRITE, 64);
 * bio.addPage(memory.pin(memory.alloc(4096)) as Page, 0, 512);
 * assertEquals([bio.biSize, bio.biVcnt], [512, 1]);
 * ```
 */
export class Bio extends SlabObject {
  /** The kernel it lives in. */
  kernel!: Kernel;
  /** Where it goes back to: `bi_pool`. */
  biPool!: BioPool;
  /** The device it goes to. */
  biBdev!: BlockDevice;
  /** First sector, in units of 512 bytes. */
  biSector = 0;
  /** Bytes to transfer. */
  biSize = 0;
  /** Direction. */
  biRw: Rw = READ;
  /** Flags: {@linkcode REQ_SYNC} and the like. */
  biOpf = 0;
  /** 0, or the negative errno it failed with. */
  biError = 0;
  /** Called when it has ended. */
  biEndIo: BioEndIo | null = null;
  /** Its owner's business. */
  biPrivate: unknown = null;
  /** Next on its owner's list. */
  biNext: Bio | null = null;
  /** References. */
  biCnt = 0;
  /** Identity of the dio it belongs to, for traces; 0 when none. */
  dioId = 0;
  /** Number of page pieces. */
  biVcnt = 0;
  /** Most page pieces that fit. */
  biMaxVecs: number = BIO_MAX_PAGES;
  /** Pages of the pieces; the first `biVcnt` count. */
  readonly pages: Page[] = [];
  /** Where in its page each piece starts. */
  readonly offsets: number[] = [];
  /** Length of each piece in bytes. */
  readonly lengths: number[] = [];

  /**
   * Makes it ready for use, with one reference.
   *
   * @param rw Direction.
   * @param sector First sector.
   */
  init(rw: Rw, sector: number): void {
    this.biRw = rw;
    this.biSector = sector;
    this.biSize = 0;
    this.biOpf = 0;
    this.biError = 0;
    this.biEndIo = null;
    this.biPrivate = null;
    this.biNext = null;
    this.biCnt = 1;
    this.dioId = 0;
    this.biVcnt = 0;
  }

  /** Whether no further piece fits. */
  get full(): boolean {
    return this.biVcnt >= this.biMaxVecs;
  }

  /**
   * Appends a piece of a page. A piece that continues the last one within
   * its page makes that one longer.
   *
   * @param page The page.
   * @param offset Where in the page it starts.
   * @param length Its length in bytes.
   * @returns Whether a new entry of the vector, which owns a pin of the page,
   * was used.
   */
  addPage(page: Page, offset: number, length: number): boolean {
    const last = this.biVcnt - 1;
    this.biSize += length;
    if (
      last >= 0 && this.pages[last] === page &&
      (this.offsets[last] as number) + (this.lengths[last] as number) === offset
    ) {
      this.lengths[last] = (this.lengths[last] as number) + length;
      return false;
    }
    this.pages[this.biVcnt] = page;
    this.offsets[this.biVcnt] = offset;
    this.lengths[this.biVcnt] = length;
    this.biVcnt++;
    return true;
  }

  /** First sector behind it. */
  get endSector(): number {
    return this.biSector + (this.biSize >> SECTOR_SHIFT);
  }

  /**
   * Copies its data to or from the memory that stands for the device.
   *
   * @param store The device's content.
   */
  transfer(store: Uint8Array): void {
    let at = this.biSector * SECTOR_BYTES;
    for (let i = 0; i < this.biVcnt; i++) {
      const offset = this.offsets[i] as number;
      const length = this.lengths[i] as number;
      const { bytes } = this.pages[i] as Page;
      const piece = length === PAGE_SIZE
        ? bytes
        : bytes.subarray(offset, offset + length);
      if (this.biRw === WRITE) store.set(piece, at);
      else piece.set(store.subarray(at, at + length));
      at += length;
    }
  }
}

/**
 * The block layer's caches.
 *
 * @example
 * ```ts
 * import { Kernel, READ } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const { bios } = new Kernel();
 * const bio = bios.alloc(READ, new MemoryDevice({ sizeBytes: 4096 }), 0);
 * bios.put(bio);
 * assertEquals(bios.cache.inUse, 0);
 * ```
 */
export class BioCaches {
  /** Where bios come from. */
  readonly cache: KmemCache<Bio>;
  readonly #kernel: Kernel;

  /**
   * Makes the caches of a kernel.
   *
   * @param kernel The kernel.
   */
  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.cache = new KmemCache(kernel, "bio", () => new Bio());
    kernel.registerCache(kernel.memory);
  }

  /**
   * `bio_alloc()`: from a pool, so it never fails.
   *
   * @param rw Direction.
   * @param bdev The device.
   * @param sector First sector.
   * @returns A bio with one reference.
   */
  alloc(rw: Rw, bdev: BlockDevice, sector: number): Bio {
    const bio = this.cache.alloc();
    if (bio === null) {
      throw new RangeError(
        "Cannot let an allocation of 'bio' fail: the kernel takes bios from a pool that never does",
      );
    }
    bio.kernel = this.#kernel;
    bio.biPool = this.cache;
    bio.biMaxVecs = this.#kernel.bioMaxPages;
    bio.biBdev = bdev;
    bio.init(rw, sector);
    return bio;
  }

  /**
   * `bio_get()`: takes a reference.
   *
   * @param bio The bio.
   */
  get(bio: Bio): void {
    if (this.#kernel.stepping) this.#kernel.touch(writeStep(bio.addr));
    use(bio).biCnt++;
  }

  /**
   * `bio_put()`: drops a reference, and frees the bio with the last one.
   *
   * @param bio The bio.
   * @throws {KernelBug} If it has been freed.
   */
  put(bio: Bio): void {
    if (!bio.live) this.cache.free(bio);
    const kernel = this.#kernel;
    if (kernel.stepping) kernel.touch(writeStep(bio.addr));
    if (kernel.tracing) kernel.emit(EV.bio_put, bio.id, bio.dioId);
    if (--bio.biCnt === 0) bio.biPool.free(bio);
  }
}

/**
 * `submit_bio()`: hands a bio to its device. The device may end it before
 * this returns; whoever submitted it must not look at it any more.
 *
 * @param bio The bio.
 * @returns What the device does inside the submission, or null.
 * @throws {RangeError} If it is not a whole number of logical blocks inside
 * the device: a mistake of the filesystem model.
 *
 * @example
 * ```ts
 * import { Kernel, submitBio, WRITE } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * device.attach(kernel);
 * const bio = kernel.bios.alloc(WRITE, device, 0);
 * bio.biEndIo = function* (bio) {
 *   kernel.bios.put(bio);
 * };
 * submitBio(bio);
 * assertEquals(kernel.run().hung, null);
 * ```
 */
export function submitBio(bio: Bio): Task<unknown> | null {
  const { kernel, biBdev } = use(bio);
  const start = bio.biSector * SECTOR_BYTES;
  const end = start + bio.biSize;
  if (
    ((start | end) & (biBdev.logicalBlockSize - 1)) !== 0 || start < 0 ||
    end > biBdev.sizeBytes
  ) throwMisplaced(bio);
  if (kernel.tracing) traceSubmit(bio);
  return biBdev.submitBio(bio);
}

function traceSubmit(bio: Bio): void {
  bio.kernel.emit(
    EV.submit_bio,
    bio.id,
    bio.dioId,
    bio.biRw,
    bio.biSector,
    bio.biSize,
    bio.biOpf,
  );
}

function throwMisplaced({ biBdev, biSector, biSize }: Bio): never {
  const sectors = biSize >> SECTOR_SHIFT;
  throw new RangeError(
    `Cannot submit bio: sectors ${biSector} + ${sectors} are not whole blocks of ${biBdev.logicalBlockSize} bytes inside ${biBdev.name} (${biBdev.sizeBytes} bytes); look at what getBlock maps`,
  );
}

/**
 * `bio_endio()`: the device has finished with a bio. To be called in the
 * context in which the bio ends.
 *
 * @param bio The bio, its `biError` set.
 * @returns Its end handler, to be run at once in the same context.
 * @throws {KernelBug} If it has been freed, or has no end handler.
 *
 * @example
 * ```ts
 * import { bioEndio, Kernel, READ } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 4096 });
 * const bio = kernel.bios.alloc(READ, device, 0);
 * let ended = false;
 * bio.biEndIo = function* () {
 *   ended = true;
 * };
 * kernel.raise("softirq", { irq: bioEndio }, bio);
 * kernel.run();
 * assertEquals(ended, true);
 * ```
 */
export function bioEndio(bio: Bio): Task<unknown> {
  const { kernel, biEndIo } = use(bio);
  if (kernel.tracing) {
    kernel.emit(EV.bio_endio, bio.id, bio.dioId, bio.biError);
  }
  if (biEndIo === null) throwNoEndIo(bio);
  return biEndIo(bio);
}

function throwNoEndIo({ id }: Bio): never {
  throw new KernelBug(
    "completion-after-last-bio/end-handler",
    `bio ${id}`,
    `bio ${id} ends without an end handler`,
  );
}

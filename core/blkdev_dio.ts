/**
 * `struct blkdev_dio`: one direct I/O request of a block device, and the bio
 * set that it comes from.
 *
 * A blkdev_dio lies in front of the first bio of its request, and lives as
 * long as that. The first bio has two references, its own and one for whoever
 * reads the result; every other bio has one. `ref` counts the parts that have
 * not ended.
 *
 * Source: fs/block_dev.c of Linux 4.10, block/fops.c of Linux 6.1.
 *
 * @module
 */

import type { Kiocb } from "./aio.ts";
import type { Bio, BioPool, Rw } from "./bio.ts";
import type { BlockDevice } from "./block_device.ts";
import type { Context, WaitTarget } from "./context.ts";
import { EV } from "./events.ts";
import type { Kernel } from "./kernel.ts";
import { KmemCache, SlabObject, use } from "./slab.ts";
import { SCHEDULE, type Task } from "./step.ts";
import { WaitQueue } from "./wait.ts";

/** How many requests can always be made, whatever memory there is. */
const POOL_SIZE = 4;

/** Part of a blkdev_dio that is shared on its own: `ref`. */
const ADDR_REF = 0;
const ADDR_ERROR = 1;
const ADDR_WAITER = 2;
const ADDR_FLAGS = 3;
const ADDRS = 4;

/**
 * One request: `struct blkdev_dio`. The path for small synchronous requests
 * has the same on its stack.
 *
 * @example
 * ```ts
 * import { BlkdevDioPool, Kernel, READ } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel({ profile: "v6.1" });
 * const device = new MemoryDevice({ sizeBytes: 4096 });
 * const dio = new BlkdevDioPool(kernel).tryAlloc(READ, device)!;
 * kernel.bios.put(dio.bio);
 * assertEquals(dio.live, false);
 * ```
 */
export class BlkdevDio extends SlabObject implements WaitTarget, BioPool {
  /**
   * The request of the AIO layer or, if {@linkcode isSync}, the task that
   * waits and null once it need not: a union in the kernel.
   */
  owner: Kiocb | Context | null = null;
  /** Bytes of the bios that were made. */
  size = 0;
  /** Bios that have not ended, and the one that is being made. */
  ref = 0;
  /** Whether `ref` counts. */
  multiBio = false;
  /** Whether it reads into user memory. */
  shouldDirty = false;
  /** Whether a system call waits. */
  isSync = false;
  /** Where to poll for its only bio, 0 for nowhere: the submitter's cookie. */
  cookie = 0;
  /** The first bio, behind it in memory. */
  bio!: Bio;
  /** Where it goes back to. */
  pool!: BlkdevDioPool;

  /** The task that waits; null once it need not. */
  get waiter(): Context | null {
    return this.owner as Context | null;
  }

  /** The request of the AIO layer. */
  get iocb(): Kiocb {
    return this.owner as Kiocb;
  }

  /** Step address of `ref`. */
  get refAddr(): number {
    return this.addr + ADDR_REF;
  }

  /** Step address of the error, which lies in the first bio. */
  get errorAddr(): number {
    return this.addr + ADDR_ERROR;
  }

  /** Step address of the waiter. */
  get waiterAddr(): number {
    return this.addr + ADDR_WAITER;
  }

  /** Step address of what is fixed before the first bio is submitted. */
  get flagsAddr(): number {
    return this.addr + ADDR_FLAGS;
  }

  /**
   * The last reference of the first bio is gone, and with it the request.
   *
   * @param bio The first bio.
   */
  free(bio: Bio): void {
    this.pool.free(this, bio);
  }

  /**
   * Says what a submitter waits for.
   *
   * @returns E.g. `the bios of dio 1 to end, 2 in flight`.
   */
  describe(): string {
    const { id, multiBio, ref } = this;
    return `the bios of dio ${id} to end, ${multiBio ? ref : 1} in flight`;
  }
}

/**
 * `blkdev_dio_pool`: a bio set with room for a blkdev_dio in front of each
 * bio. An allocation from it waits rather than fails: four requests are kept
 * for when there is no memory.
 *
 * @example
 * ```ts
 * import { BlkdevDioPool, Kernel } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new BlkdevDioPool(new Kernel()).cache.inUse, 0);
 * ```
 */
export class BlkdevDioPool {
  /** Where requests come from. */
  readonly cache: KmemCache<BlkdevDio>;
  readonly #kernel: Kernel;
  readonly #reserve: KmemCache<BlkdevDio>;
  readonly #wait: WaitQueue;
  /** How many of those that are kept back are left. */
  #left = POOL_SIZE;

  /**
   * Makes a full pool.
   *
   * @param kernel The kernel.
   */
  constructor(kernel: Kernel) {
    const make = () => new BlkdevDio();
    // A trace does not tell a blkdev_dio from a dio.
    const ids = kernel.directIo.dioCache;
    this.#kernel = kernel;
    this.cache = new KmemCache(kernel, "blkdev_dio", make, ADDRS, ids);
    this.#reserve = new KmemCache(kernel, "mempool", make, ADDRS, ids);
    this.#wait = new WaitQueue(kernel, "a request of blkdev_dio_pool");
  }

  /**
   * `bio_alloc_bioset()`, as far as it goes without waiting.
   *
   * @param rw Direction.
   * @param bdev The device.
   * @returns A request with its first bio, which has one reference; or null
   * when there is neither memory nor anything kept back.
   */
  tryAlloc(rw: Rw, bdev: BlockDevice): BlkdevDio | null {
    let dio = this.cache.alloc();
    if (dio === null && this.#left > 0) {
      this.#left--;
      dio = this.#reserve.alloc();
    }
    if (dio === null) return null;
    const bio = this.#kernel.bios.alloc(rw, bdev, 0);
    bio.biPool = dio;
    bio.dioId = dio.id;
    dio.bio = bio;
    dio.pool = this;
    return dio;
  }

  /**
   * `bio_alloc_bioset()`: waits until it has a request; may sleep.
   *
   * @param rw Direction.
   * @param bdev The device.
   * @returns A request with its first bio, which has one reference.
   */
  *alloc(rw: Rw, bdev: BlockDevice): Task<BlkdevDio> {
    const kernel = this.#kernel;
    kernel.mightSleep("mempool_alloc");
    for (;;) {
      if (kernel.stepping) yield this.#wait.step;
      this.#wait.prepareToWait(kernel);
      const dio = this.tryAlloc(rw, bdev);
      if (dio !== null) {
        this.#wait.finishWait(kernel);
        return dio;
      }
      yield SCHEDULE;
    }
  }

  /**
   * Takes a request back. What was kept back is filled up first.
   *
   * @param dio The request.
   * @param bio Its first bio, which nobody refers to any more.
   */
  free(dio: BlkdevDio, bio: Bio): void {
    const kernel = this.#kernel;
    if (kernel.tracing) kernel.emit(EV.dio_free, dio.id);
    kernel.bios.cache.free(bio);
    const cache = dio.cacheName === this.cache.name
      ? this.cache
      : this.#reserve;
    cache.free(use(dio));
    if (this.#left === POOL_SIZE) return;
    this.#left++;
    if (kernel.stepping) kernel.touch(this.#wait.step);
    this.#wait.wakeUp(kernel);
  }
}

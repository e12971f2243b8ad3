/**
 * Slab accounting: every object of the simulated kernel is allocated and
 * freed through a cache that knows who did it and when.
 *
 * Freed objects wait in a quarantine before they are handed out again, so
 * that a stale reference meets a dead object and not somebody else's live
 * one.
 *
 * @module
 */

import { KernelBug } from "./bug.ts";
import type { Context } from "./context.ts";
import { type Step, writeStep } from "./step.ts";

/** How many freed objects a cache keeps back before it reuses the oldest. */
const QUARANTINE = 64;
/** Room of the quarantine at first: most runs of an exploration are short. */
const FIRST_ROOM = 8;

/** Freed objects in the order in which they were freed. */
class Quarantine<T> {
  /** A ring whose length is a power of two. */
  ring: (T | undefined)[] = new Array(FIRST_ROOM);
  count = 0;
  oldest = 0;

  add(obj: T): void {
    if (this.count === this.ring.length) this.grow();
    this.ring[(this.oldest + this.count++) & (this.ring.length - 1)] = obj;
  }

  /** Takes the object that has been free for longest. */
  take(): T {
    const obj = this.ring[this.oldest] as T;
    this.oldest = (this.oldest + 1) & (this.ring.length - 1);
    this.count--;
    return obj;
  }

  grow(): void {
    const { ring, oldest } = this;
    const inOrder = [...ring.slice(oldest), ...ring.slice(0, oldest)];
    inOrder.length = ring.length * 2;
    this.ring = inOrder;
    this.oldest = 0;
  }
}

/** What a cache needs from its kernel. */
export interface SlabHost {
  /** The time in nanoseconds. */
  readonly now: number;
  /** Who is running. */
  readonly current: Context;
  /** Whether every step is decided about. */
  readonly stepping: boolean;
  /** Tells that the running context touches one more object. */
  touch(step: Step): void;
  /** Whether the allocation that is being made is to fail. */
  shouldFailAlloc(what: string): boolean;
  /** A fresh range of step addresses. */
  newAddr(count?: number): number;
  /** Lists the cache for the leak report. */
  registerCache(cache: LeakSource): void;
}

/** Something that can name the objects it still has out. */
export interface LeakSource {
  /** The cache's name. */
  readonly name: string;
  /** Identities of the objects that are allocated now. */
  liveIds(): number[];
}

/**
 * An object that lives in a {@linkcode KmemCache}. Extend it to give a
 * filesystem model objects of its own.
 *
 * @example
 * ```ts
 * import { Kernel, KmemCache, SlabObject } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * class IoEnd extends SlabObject {
 *   flag = 0;
 * }
 * const cache = new KmemCache(new Kernel(), "my_io_end", () => new IoEnd());
 * const ioEnd = cache.alloc();
 * assertEquals(ioEnd?.live, true);
 * ```
 */
export abstract class SlabObject {
  /** Base of the object's step addresses; stays with the memory. */
  addr = 0;
  /** Identity in traces: counts the allocations of its cache, from 1. */
  id = 0;
  /** Whether it is allocated. */
  live = false;
  /** The name of its cache. */
  cacheName = "";
  /** When it was allocated, in nanoseconds. */
  allocTs = 0;
  /** The context that allocated it. */
  allocBy: Context | null = null;
  /** When it was freed last, in nanoseconds. */
  freeTs = 0;
  /** The context that freed it last. */
  freeBy: Context | null = null;
}

/**
 * A cache of objects of one kind.
 *
 * @typeParam T The kind of object.
 *
 * @example
 * ```ts
 * import { Kernel, KmemCache, SlabObject } from "@endio/dio/core";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * class IoEnd extends SlabObject {}
 * const cache = new KmemCache(new Kernel(), "my_io_end", () => new IoEnd());
 * const ioEnd = cache.alloc()!;
 * cache.free(ioEnd);
 * assertEquals(cache.inUse, 0);
 * assertThrows(() => cache.free(ioEnd), Error, "freed twice");
 * ```
 */
export class KmemCache<T extends SlabObject> implements LeakSource {
  /** The cache's name, e.g. `dio`. */
  readonly name: string;
  /** How many objects are allocated now. */
  inUse = 0;
  readonly #host: SlabHost;
  readonly #make: () => T;
  readonly #addrs: number;
  readonly #all: T[] = [];
  readonly #quarantine: Quarantine<T> = new Quarantine();
  /** Counts the allocations for the identities. */
  readonly #ids: { serial: number };

  /**
   * Makes an empty cache.
   *
   * @param host The kernel.
   * @param name The cache's name, shown in traces and reports.
   * @param make Makes a new object; called when none can be reused.
   * @param addrs How many step addresses an object has, one for each part
   * that is shared on its own.
   * @param ids The cache whose identities it goes on with, when traces do not
   * tell objects of the two apart.
   */
  constructor(
    host: SlabHost,
    name: string,
    make: () => T,
    addrs: number = 4,
    ids: KmemCache<SlabObject> | null = null,
  ) {
    this.#host = host;
    this.name = name;
    this.#make = make;
    this.#addrs = addrs;
    this.#ids = ids === null ? { serial: 0 } : ids.#ids;
    host.registerCache(this);
  }

  /**
   * Allocates an object. Its own fields are as the last user left them:
   * the caller initialises what it uses, as with `kmem_cache_alloc()`.
   *
   * @returns The object, or null when the allocation was made to fail.
   */
  alloc(): T | null {
    const host = this.#host;
    if (host.shouldFailAlloc(this.name)) return null;
    const quarantine = this.#quarantine;
    const obj = quarantine.count > QUARANTINE ? quarantine.take() : this.#new();
    obj.id = ++this.#ids.serial;
    obj.live = true;
    obj.allocTs = host.now;
    obj.allocBy = host.current;
    this.inUse++;
    return obj;
  }

  /**
   * Frees an object.
   *
   * @param obj The object.
   * @throws {KernelBug} If it is not allocated: a double free.
   */
  free(obj: T): void {
    if (!obj.live) throwDoubleFree(obj);
    const host = this.#host;
    obj.live = false;
    obj.freeTs = host.now;
    obj.freeBy = host.current;
    this.inUse--;
    if (host.stepping) this.#touch(obj);
    this.#quarantine.add(obj);
  }

  /**
   * The identities of the objects that are allocated now.
   *
   * @returns Their `id`s.
   */
  liveIds(): number[] {
    return this.#all.filter((obj) => obj.live).map((obj) => obj.id);
  }

  /** Whoever uses a part of it races with its free. */
  #touch(obj: T): void {
    for (let i = 0; i < this.#addrs; i++) {
      this.#host.touch(writeStep(obj.addr + i));
    }
  }

  #new(): T {
    const obj = this.#make();
    obj.addr = this.#host.newAddr(this.#addrs);
    obj.cacheName = this.name;
    this.#all.push(obj);
    return obj;
  }
}

/**
 * Checks that an object is allocated, and gives it back: the simulated
 * kernel's KASAN. Code under test calls it before it looks into an object
 * that somebody else might have freed.
 *
 * @typeParam T The kind of object.
 * @param obj The object.
 * @returns The same object.
 * @throws {KernelBug} If it has been freed: a use after free.
 *
 * @example
 * ```ts
 * import { Kernel, KmemCache, SlabObject, use } from "@endio/dio/core";
 * import { assertThrows } from "@std/assert";
 *
 * class IoEnd extends SlabObject {}
 * const cache = new KmemCache(new Kernel(), "my_io_end", () => new IoEnd());
 * const ioEnd = cache.alloc()!;
 * cache.free(ioEnd);
 * assertThrows(() => use(ioEnd), Error, "used after it was freed");
 * ```
 */
export function use<T extends SlabObject>(obj: T): T {
  if (!obj.live) throwUseAfterFree(obj);
  return obj;
}

function throwDoubleFree(obj: SlabObject): never {
  throw new KernelBug(
    "released-once/double-free",
    `${obj.cacheName} ${obj.id}`,
    `${obj.cacheName} ${obj.id} is freed twice: ${history(obj)}`,
  );
}

function throwUseAfterFree(obj: SlabObject): never {
  throw new KernelBug(
    "no-use-after-release/slab",
    `${obj.cacheName} ${obj.id}`,
    `${obj.cacheName} ${obj.id} is used after it was freed: ${history(obj)}`,
  );
}

function history(obj: SlabObject): string {
  const allocated = `allocated at ${obj.allocTs} ns by ${
    obj.allocBy?.label ?? "nobody"
  }`;
  return obj.freeBy === null
    ? allocated
    : `${allocated}, freed at ${obj.freeTs} ns by ${obj.freeBy.label}`;
}

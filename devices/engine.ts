/**
 * What carries requests to the kernel: the interface of a queue of requests on
 * one descriptor, which each engine implements in its way.
 *
 * Requests complete in the order in which the kernel ends them. Nothing is
 * allocated per request, and no bigint is made.
 *
 * @module
 */

import type { AlignedMemory } from "./aligned_memory.ts";

/**
 * A way to the kernel: `io_uring` (`io_uring/`), `libaio` (`fs/aio.c`), or
 * `psync`, which is `preadv2()` and `pwritev2()` on threads of their own.
 */
export type EngineKind = "io_uring" | "libaio" | "psync";

/**
 * What came of one engine when a file was opened.
 *
 * @example
 * ```ts
 * import type { EngineVerdict } from "@endio/dio/devices";
 *
 * const verdict: EngineVerdict = {
 *   engine: "libaio",
 *   isChosen: false,
 *   reason: "not needed, because io_uring works",
 * };
 * if (verdict.isChosen) throw new Error("it is not");
 * ```
 */
export interface EngineVerdict {
  /** The engine. */
  readonly engine: EngineKind;
  /** Whether it carries the requests. */
  readonly isChosen: boolean;
  /** Why, or why not, in lower case and without a period. */
  readonly reason: string;
}

/** What a request does; `fdsync` has neither offset, segments nor flags. */
export type DirectFileOp = "read" | "write" | "fdsync";

/** Per-request flag: a write is durable when it completes (FUA). */
export const RWF_DSYNC = 0x2;
/** Per-request flag: the request ends with `-EAGAIN` instead of waiting. */
export const RWF_NOWAIT = 0x8;

/** How many segments one request may have, as `BIO_MAX_VECS`. */
export const MAX_SEGMENTS = 256;

/** `MAX_RW_COUNT`: the kernel transfers no more than this at once, in bytes. */
export const MAX_RW_COUNT = 0x7ffff000;

/**
 * So many requests are handed over at once while more are being made, which
 * keeps the file busy. One by one costs a system call each; all at the end,
 * and the file idles until then.
 */
export const SUBMIT_BATCH = 4;

/** Requests on one descriptor: prepared, in flight, completed. */
export interface RequestQueue {
  /** Which engine it is. */
  readonly engine: EngineKind;
  /** How many requests may be prepared or in flight. */
  readonly depth: number;
  /** Tags of the requests that were reaped last. */
  readonly resultTags: Int32Array<ArrayBuffer>;
  /** Their results: bytes transferred, or a negative errno. */
  readonly results: Int32Array<ArrayBuffer>;
  /** Requests that were submitted and have not been reaped. */
  readonly inFlight: number;
  /** Requests that are prepared and not yet submitted. */
  readonly prepared: number;

  /** Prepares a request: 0, or `-EAGAIN` when the queue is full. */
  prepare(
    op: DirectFileOp,
    offsetBytes: number,
    tag: number,
    flags: number,
  ): number;

  /**
   * Adds memory to the last prepared request: whether there was room. What
   * touches the segment before it is merged with that one, as the kernel
   * would merge both into one `bio_vec`.
   */
  addSegment(address: number, length: number, memory: AlignedMemory): boolean;

  /** Drops the last prepared request. */
  dropLastPrepared(): void;

  /**
   * Hands the prepared requests to the kernel, in order. One that the kernel
   * refuses at once is completed with its errno like any other.
   *
   * @returns How many were handed over; less than all, or `-EAGAIN` for none,
   * when the kernel has no room: reap and submit again.
   */
  submit(): number;

  /**
   * Hands the prepared requests to the kernel from where it does no harm when
   * that blocks, as it may with `io_submit()`.
   *
   * @returns What to await before some of them can be refused; null when all
   * is done already.
   */
  submitAside(): Promise<void> | null;

  /**
   * Collects completions into {@linkcode resultTags} and
   * {@linkcode results}.
   *
   * @param minEvents How many to wait for, blocking the thread. It never waits
   * for more than are in flight; 0 only looks.
   * @param maxEvents How many to collect at most; others are left for later.
   * @returns How many were collected, or a negative errno.
   */
  reap(minEvents: number, maxEvents: number): number;

  /**
   * {@linkcode submit} and {@linkcode reap} at once. When the kernel has no
   * room and nothing is in flight, that is `-EAGAIN`.
   */
  submitAndReap(minEvents: number, maxEvents: number): number;

  /** From now on, each completion is counted in an eventfd. */
  signalTo(eventFd: number): void;

  /** Tells that requests will use a region until {@linkcode forget}. */
  remember(memory: AlignedMemory): void;

  /** Tells that no request will use a region any more. */
  forget(memory: AlignedMemory): void;

  /**
   * Waits for the requests in flight and gives everything back but the
   * descriptor.
   *
   * @returns Whether the kernel is done with the memory of the requests.
   */
  close(): boolean;
}

/** Why an engine cannot be used here. */
export interface EngineRefusal {
  /** The positive errno. */
  readonly errno: number;
  /** What is missing and what to do, in lower case and without a period. */
  readonly reason: string;
}

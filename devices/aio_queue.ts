/**
 * The queue of requests on one AIO context: prepared, in flight, completed.
 *
 * Nothing is allocated per request, and no bigint is made.
 *
 * @module
 */

import {
  AioBlocks,
  IOCB_CMD_FDSYNC,
  IOCB_CMD_PREADV,
  IOCB_CMD_PWRITEV,
} from "./aio_blocks.ts";
import { EAGAIN, EINTR } from "./errno_text.ts";
import type { Libc } from "./libc.ts";

/** What a request does; `fdsync` has neither offset, segments nor flags. */
export type DirectFileOp = "read" | "write" | "fdsync";

const OPCODES: Readonly<Record<DirectFileOp, number>> = {
  read: IOCB_CMD_PREADV,
  write: IOCB_CMD_PWRITEV,
  fdsync: IOCB_CMD_FDSYNC,
};

/** Requests on one descriptor and one AIO context, neither of which it owns. */
export class AioQueue {
  /** How many requests may be prepared or in flight. */
  readonly depth: number;
  /** Tags of the requests that the last {@linkcode reap} found. */
  readonly resultTags: Int32Array<ArrayBuffer>;
  /** Their results: bytes transferred, or a negative errno. */
  readonly results: Int32Array<ArrayBuffer>;
  readonly #libc: Libc;
  readonly #context: bigint;
  readonly #fd: number;
  readonly #blocks: AioBlocks;
  /** A stack of the slots that no request occupies. */
  readonly #freeSlots: Int32Array;
  #freeCount: number;
  /** Slots of the prepared requests, in the order of their pointers. */
  readonly #preparedSlots: Int32Array;
  #preparedCount = 0;
  /** Slots of requests that `io_submit()` refused, and with what errno. */
  readonly #refusedSlots: Int32Array;
  readonly #refusedResults: Int32Array;
  #refusedCount = 0;
  #inFlight = 0;

  /**
   * @param libc The library to call.
   * @param context The `aio_context_t` that `io_setup()` gave.
   * @param fd The descriptor that requests are for.
   * @param depth How many requests there can be at once.
   */
  constructor(libc: Libc, context: bigint, fd: number, depth: number) {
    this.#libc = libc;
    this.#context = context;
    this.#fd = fd;
    this.depth = depth;
    this.resultTags = new Int32Array(depth);
    this.results = new Int32Array(depth);
    this.#blocks = new AioBlocks(libc, depth);
    this.#freeSlots = Int32Array.from({ length: depth }, (_, i) => i);
    this.#freeCount = depth;
    this.#preparedSlots = new Int32Array(depth);
    this.#refusedSlots = new Int32Array(depth);
    this.#refusedResults = new Int32Array(depth);
  }

  /** Requests that were submitted and have not been reaped. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Requests that are prepared and not yet submitted. */
  get prepared(): number {
    return this.#preparedCount;
  }

  /** Prepares a request: 0, or `-EAGAIN` when the queue is full. */
  prepare(
    op: DirectFileOp,
    offsetBytes: number,
    tag: number,
    flags: number,
  ): number {
    if (this.#freeCount === 0) return -EAGAIN;
    const slot = at(this.#freeSlots, --this.#freeCount);
    const opcode = OPCODES[op];
    this.#blocks.writeRequest(slot, opcode, this.#fd, offsetBytes, tag, flags);
    this.#blocks.setPointer(this.#preparedCount, slot);
    this.#preparedSlots[this.#preparedCount++] = slot;
    return 0;
  }

  /** Adds memory to the last prepared request: whether there was room. */
  addSegment(address: number, length: number): boolean {
    const slot = at(this.#preparedSlots, this.#preparedCount - 1);
    return this.#blocks.addSegment(slot, address, length);
  }

  /** Drops the last prepared request. */
  dropLastPrepared(): void {
    const slot = at(this.#preparedSlots, --this.#preparedCount);
    this.#freeSlots[this.#freeCount++] = slot;
  }

  /**
   * Hands the prepared requests to the kernel, in order. One that the kernel
   * refuses at once is completed with its errno like any other.
   *
   * @returns How many were handed over; less than all, or `-EAGAIN` for none,
   * when the kernel has no room: reap and submit again.
   */
  submit(): number {
    const before = this.#preparedCount;
    while (this.#preparedCount > 0) {
      const result = this.#libc.ioSubmit(
        this.#context,
        this.#preparedCount,
        this.#blocks.pointerBytes,
      );
      if (result === -EAGAIN) break;
      if (result > 0) this.#dropFirstPrepared(result);
      else if (result !== -EINTR) this.#refuseFirstPrepared(result);
    }
    const submitted = before - this.#preparedCount;
    return submitted === 0 && before > 0 ? -EAGAIN : submitted;
  }

  /**
   * Collects completions into {@linkcode resultTags} and
   * {@linkcode results}.
   *
   * @param minEvents How many to wait for. It never waits for more than are in
   * flight; 0 only looks.
   * @returns How many were collected, or a negative errno.
   */
  reap(minEvents: number): number {
    const refused = this.#takeRefused();
    const kernelCount = this.#inFlight;
    if (kernelCount === 0) return refused;
    const min = Math.max(0, Math.min(minEvents - refused, kernelCount));
    let count: number;
    do {
      count = this.#libc.ioGetevents(
        this.#context,
        min,
        kernelCount,
        this.#blocks.eventBytes,
      );
    } while (count === -EINTR);
    if (count < 0) return refused > 0 ? refused : count;
    for (let event = 0; event < count; event++) {
      this.#complete(
        refused + event,
        this.#blocks.eventSlot(event),
        this.#blocks.eventTag(event),
        this.#blocks.eventResult(event),
      );
    }
    return refused + count;
  }

  #dropFirstPrepared(count: number): void {
    this.#inFlight += count;
    const rest = this.#preparedCount - count;
    if (rest > 0) {
      this.#blocks.dropPointers(count, this.#preparedCount);
      this.#preparedSlots.copyWithin(0, count, this.#preparedCount);
    }
    this.#preparedCount = rest;
  }

  #refuseFirstPrepared(result: number): void {
    this.#refusedSlots[this.#refusedCount] = at(this.#preparedSlots, 0);
    this.#refusedResults[this.#refusedCount++] = result;
    this.#dropFirstPrepared(1);
  }

  #takeRefused(): number {
    const count = this.#refusedCount;
    for (let index = 0; index < count; index++) {
      const slot = at(this.#refusedSlots, index);
      const result = at(this.#refusedResults, index);
      this.#complete(index, slot, this.#blocks.tagOf(slot), result);
    }
    this.#refusedCount = 0;
    return count;
  }

  #complete(index: number, slot: number, tag: number, result: number): void {
    this.resultTags[index] = tag;
    this.results[index] = result;
    this.#freeSlots[this.#freeCount++] = slot;
    this.#inFlight--;
  }
}

/** An element that must exist. */
function at(array: Int32Array, index: number): number {
  const value = array[index];
  if (value === undefined) {
    throw new RangeError(`Cannot read element ${index} of ${array.length}`);
  }
  return value;
}

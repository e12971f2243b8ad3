/**
 * Engine `libaio`: the queue of requests on one AIO context of the kernel.
 *
 * @module
 */

import { AioBlocks } from "./aio_blocks.ts";
import type { DirectFileOp, EngineKind, RequestQueue } from "./engine.ts";
import { FreeSlots, SlotVectors } from "./engine_slots.ts";
import { at } from "./engine_words.ts";
import { EAGAIN, EINTR } from "./errno_text.ts";
import type { Libc } from "./libc.ts";

/** Requests on one descriptor, which it does not own, and one AIO context. */
export class AioQueue implements RequestQueue {
  readonly engine: EngineKind = "libaio";
  readonly depth: number;
  readonly resultTags: Int32Array<ArrayBuffer>;
  readonly results: Int32Array<ArrayBuffer>;
  readonly #libc: Libc;
  readonly #context: bigint;
  readonly #fd: number;
  readonly #blocks: AioBlocks;
  readonly #vectors: SlotVectors;
  readonly #freeSlots: FreeSlots;
  /** Slots of the prepared requests, in the order of their pointers. */
  readonly #preparedSlots: Int32Array;
  #preparedCount = 0;
  /** Slots of requests that `io_submit()` refused, and with what errno. */
  readonly #refusedSlots: Int32Array;
  readonly #refusedResults: Int32Array;
  #refusedCount = 0;
  #inFlight = 0;
  /** Slots that another thread is handing to the kernel, and may get back. */
  readonly #asideSlots: Set<number> = new Set();
  #isClosed = false;

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
    this.#vectors = new SlotVectors(libc, depth);
    this.#freeSlots = new FreeSlots(depth);
    this.#preparedSlots = new Int32Array(depth);
    this.#refusedSlots = new Int32Array(depth);
    this.#refusedResults = new Int32Array(depth);
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get prepared(): number {
    return this.#preparedCount;
  }

  prepare(
    op: DirectFileOp,
    offsetBytes: number,
    tag: number,
    flags: number,
  ): number {
    const slot = this.#freeSlots.take();
    if (slot < 0) return -EAGAIN;
    this.#blocks.writeRequest(slot, op, this.#fd, offsetBytes, tag, flags);
    this.#blocks.setPointer(this.#preparedCount, slot);
    this.#vectors.clear(slot);
    this.#preparedSlots[this.#preparedCount++] = slot;
    return 0;
  }

  addSegment(address: number, length: number): boolean {
    const slot = at(this.#preparedSlots, this.#preparedCount - 1);
    const vectors = this.#vectors;
    if (!vectors.add(slot, address, length)) return false;
    this.#blocks.setVector(slot, vectors.addressOf(slot), vectors.count(slot));
    return true;
  }

  dropLastPrepared(): void {
    this.#freeSlots.give(at(this.#preparedSlots, --this.#preparedCount));
  }

  submit(): number {
    const before = this.#preparedCount;
    while (this.#preparedCount > 0) {
      if (!this.#submitFirst(this.#preparedCount)) break;
    }
    const submitted = before - this.#preparedCount;
    return submitted === 0 && before > 0 ? -EAGAIN : submitted;
  }

  submitAside(): Promise<void> | null {
    // One that runs takes what is prepared meanwhile.
    const isNeeded = this.#preparedCount > 0 && this.#asideSlots.size === 0;
    return isNeeded ? this.#submitAllAside() : null;
  }

  reap(minEvents: number, maxEvents: number): number {
    const refused = this.#takeRefused(maxEvents);
    const kernelCount = this.#inFlight - this.#refusedCount;
    const max = Math.min(maxEvents - refused, kernelCount);
    if (max === 0) return refused;
    // What is still on its way to the kernel may never come back from it.
    const certain = kernelCount - this.#asideSlots.size;
    const min = Math.max(0, Math.min(minEvents - refused, max, certain));
    let count: number;
    do {
      count = this.#libc.ioGetevents(
        this.#context,
        min,
        max,
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

  submitAndReap(minEvents: number, maxEvents: number): number {
    const submitted = this.submit();
    if (submitted < 0 && this.#inFlight === 0) return submitted;
    return this.reap(minEvents, maxEvents);
  }

  signalTo(eventFd: number): void {
    for (let slot = 0; slot < this.depth; slot++) {
      this.#blocks.setEventFd(slot, eventFd);
    }
  }

  remember(): void {}

  forget(): void {}

  close(): boolean {
    this.#isClosed = true;
    // io_destroy() returns when no request is in flight any more.
    return this.#libc.ioDestroy(this.#context) === 0;
  }

  /** Submits from the front, up to a count: whether the kernel had room. */
  #submitFirst(count: number): boolean {
    const result = this.#libc.ioSubmit(
      this.#context,
      count,
      this.#blocks.pointerBytes,
    );
    if (result === -EAGAIN) return false;
    if (result > 0) this.#dropFirstPrepared(result);
    else if (result !== -EINTR) this.#refuseFirstPrepared(result);
    return true;
  }

  async #submitAllAside(): Promise<void> {
    while (this.#preparedCount > 0) {
      const count = this.#preparedCount;
      const slots = this.#preparedSlots.slice(0, count);
      // The pointers are used while the next requests are being prepared.
      const pointers = this.#blocks.pointerBytes.slice(0, count * 8);
      for (const slot of slots) this.#asideSlots.add(slot);
      this.#dropFirstPrepared(count);
      const accepted = Math.max(
        0,
        await this.#libc.ioSubmitAside(this.#context, count, pointers),
      );
      this.#asideSlots.clear();
      if (this.#isClosed) return;
      if (accepted === count) continue;
      this.#putBack(slots.subarray(accepted));
      // The errno stayed on the other thread. The kernel refuses the same
      // request again, and at once.
      if (!this.#submitFirst(1)) return;
    }
  }

  #putBack(slots: Int32Array): void {
    const prepared = this.#preparedSlots;
    prepared.copyWithin(slots.length, 0, this.#preparedCount);
    prepared.set(slots);
    this.#preparedCount += slots.length;
    this.#inFlight -= slots.length;
    for (let index = 0; index < this.#preparedCount; index++) {
      this.#blocks.setPointer(index, at(prepared, index));
    }
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

  /** Takes refused requests, up to a count, the last ones first. */
  #takeRefused(max: number): number {
    let count = 0;
    for (; count < max && this.#refusedCount > 0; count++) {
      const slot = at(this.#refusedSlots, --this.#refusedCount);
      const result = at(this.#refusedResults, this.#refusedCount);
      this.#complete(count, slot, this.#blocks.tagOf(slot), result);
    }
    return count;
  }

  #complete(index: number, slot: number, tag: number, result: number): void {
    this.resultTags[index] = tag;
    this.results[index] = result;
    this.#freeSlots.give(slot);
    this.#asideSlots.delete(slot);
    this.#inFlight--;
  }
}

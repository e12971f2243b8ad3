/**
 * Engine `io_uring`: the queue of requests on one ring.
 *
 * @module
 */

import type { AlignedMemory } from "./aligned_memory.ts";
import type { DirectFileOp, EngineKind, RequestQueue } from "./engine.ts";
import { FreeSlots, isContinued, SlotVectors } from "./engine_slots.ts";
import { EAGAIN, EBUSY, EINTR } from "./errno_text.ts";
import { IoUringRegistrations } from "./io_uring_register.ts";
import type { IoUringRing } from "./io_uring_ring.ts";
import { closeIoUring, type IoUring } from "./io_uring_setup.ts";
import type { Libc } from "./libc.ts";

const IORING_OP_READV = 1;
const IORING_OP_WRITEV = 2;
const IORING_OP_FSYNC = 3;
const IORING_OP_READ_FIXED = 4;
const IORING_OP_WRITE_FIXED = 5;
const IORING_OP_READ = 22;
const IORING_OP_WRITE = 23;

const IORING_FSYNC_DATASYNC = 1;
const IORING_ENTER_GETEVENTS = 1;
/** Flag of an entry: its descriptor is an index of registered files. */
const IOSQE_FIXED_FILE = 1 << 8;

/**
 * A thread that sleeps is slow to wake. So it looks for completions a few
 * times first: so often for each one that it has found lately, and never more
 * than so often without a sleep. More looks take processor time from whoever
 * serves the disk, which costs more than they gain on a busy machine.
 */
const LOOKS = 1;
const MAX_LOOKS = 64;

/** The opcodes of a direction, by where the memory lies. */
interface Opcodes {
  /** In one piece. */
  readonly single: number;
  /** In one piece that is registered. */
  readonly fixed: number;
  /** In several pieces. */
  readonly vector: number;
}

const OPCODES: Readonly<Record<DirectFileOp, Opcodes>> = {
  read: {
    single: IORING_OP_READ,
    fixed: IORING_OP_READ_FIXED,
    vector: IORING_OP_READV,
  },
  write: {
    single: IORING_OP_WRITE,
    fixed: IORING_OP_WRITE_FIXED,
    vector: IORING_OP_WRITEV,
  },
  fdsync: {
    single: IORING_OP_FSYNC,
    fixed: IORING_OP_FSYNC,
    vector: IORING_OP_FSYNC,
  },
};

/** Requests on one descriptor, which it does not own, and one ring. */
export class IoUringQueue implements RequestQueue {
  readonly engine: EngineKind = "io_uring";
  readonly depth: number;
  readonly resultTags: Int32Array<ArrayBuffer>;
  readonly results: Int32Array<ArrayBuffer>;
  readonly #libc: Libc;
  readonly #uring: IoUring;
  readonly #ring: IoUringRing;
  readonly #registrations: IoUringRegistrations;
  readonly #vectors: SlotVectors;
  readonly #freeSlots: FreeSlots;
  /** How entries name the descriptor: by itself, or by its index. */
  readonly #fd: number;
  readonly #fileFlag: number;
  /** The opcodes of the last prepared request. */
  #opcodes: Opcodes = OPCODES.read;
  /** How the memory of the last prepared request lies. */
  #shape: keyof Opcodes | "none" = "none";
  #preparedCount = 0;
  #inFlight = 0;
  /** How often it may still look before it sleeps. */
  #looks = 0;

  /**
   * @param libc The library to call.
   * @param uring The ring, which it owns from now on.
   * @param fd The descriptor that requests are for.
   * @param depth How many requests there can be at once.
   */
  constructor(libc: Libc, uring: IoUring, fd: number, depth: number) {
    this.#libc = libc;
    this.#uring = uring;
    this.#ring = uring.ring;
    this.depth = depth;
    this.resultTags = new Int32Array(depth);
    this.results = new Int32Array(depth);
    this.#vectors = new SlotVectors(libc, depth);
    this.#freeSlots = new FreeSlots(depth);
    this.#registrations = new IoUringRegistrations(libc, uring.fd, fd);
    const { hasFile } = this.#registrations;
    this.#fd = hasFile ? 0 : fd;
    this.#fileFlag = hasFile ? IOSQE_FIXED_FILE : 0;
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
    // The ring may be shorter than the queue is deep.
    const isRingFull = this.#preparedCount === this.#ring.sqEntries;
    if (isRingFull && this.submit() < 0) return -EAGAIN;
    const slot = this.#freeSlots.take();
    if (slot < 0) return -EAGAIN;
    const opcodes = OPCODES[op];
    const opFlags = op === "fdsync" ? IORING_FSYNC_DATASYNC : flags;
    const opcode = opcodes.single | this.#fileFlag;
    this.#ring.push(opcode, this.#fd, offsetBytes, opFlags, tag, slot);
    this.#opcodes = opcodes;
    this.#shape = "none";
    this.#preparedCount++;
    return 0;
  }

  addSegment(address: number, length: number, memory: AlignedMemory): boolean {
    if (this.#shape === "none") {
      this.#setOnly(address, length, memory);
      return true;
    }
    const ring = this.#ring;
    const slot = ring.lastSlot;
    if (this.#shape !== "vector") {
      if (this.#lengthen(address, length, memory)) return true;
      this.#vectors.clear(slot);
      this.#vectors.add(slot, ring.lastAddress, ring.lastLength);
    }
    if (!this.#vectors.add(slot, address, length)) return false;
    this.#setVector(slot);
    return true;
  }

  dropLastPrepared(): void {
    this.#freeSlots.give(this.#ring.pop());
    this.#preparedCount--;
  }

  submit(): number {
    const before = this.#preparedCount;
    if (before === 0) return 0;
    const error = this.#enter(before, 0, 0);
    const submitted = before - this.#preparedCount;
    return error < 0 ? error : submitted;
  }

  submitAside(): Promise<void> | null {
    // The kernel itself puts aside what would have to wait.
    this.submit();
    return null;
  }

  reap(minEvents: number, maxEvents: number): number {
    return this.#collect(minEvents, maxEvents, false);
  }

  submitAndReap(minEvents: number, maxEvents: number): number {
    return this.#collect(minEvents, maxEvents, true);
  }

  signalTo(eventFd: number): void {
    this.#registrations.addEventFd(eventFd);
  }

  remember(memory: AlignedMemory): void {
    this.#registrations.add(memory);
  }

  forget(memory: AlignedMemory): void {
    this.#registrations.remove(memory);
  }

  close(): boolean {
    // Closing a ring does not wait for its requests.
    while (this.#inFlight > 0) {
      if (this.reap(this.#inFlight, this.#inFlight) < 0) break;
    }
    this.#registrations.removeAll();
    closeIoUring(this.#libc, this.#uring);
    return this.#inFlight === 0;
  }

  #setOnly(address: number, length: number, memory: AlignedMemory): void {
    const { bufferIndex } = memory;
    const isFixed = bufferIndex >= 0;
    this.#shape = isFixed ? "fixed" : "single";
    const opcode = this.#opcodes[this.#shape] | this.#fileFlag;
    this.#ring.setMemory(opcode, address, length, isFixed ? bufferIndex : 0);
  }

  /** Lets the only piece go on, if it does and in the same region. */
  #lengthen(address: number, length: number, memory: AlignedMemory): boolean {
    const ring = this.#ring;
    const buffer = this.#shape === "fixed" ? ring.lastBuffer : -1;
    if (
      memory.bufferIndex !== buffer ||
      !isContinued(ring.lastAddress, ring.lastLength, address, length)
    ) return false;
    ring.lengthen(length);
    return true;
  }

  #setVector(slot: number): void {
    this.#shape = "vector";
    const vectors = this.#vectors;
    const opcode = this.#opcodes.vector | this.#fileFlag;
    const address = vectors.addressOf(slot);
    this.#ring.setMemory(opcode, address, vectors.count(slot), 0);
  }

  /** Collects what is there, waiting for so many, perhaps submitting first. */
  #collect(minEvents: number, max: number, submits: boolean): number {
    let count = this.#take(0, max);
    const min = Math.min(minEvents, max);
    let canSubmit = submits;
    do {
      const submitting = canSubmit ? this.#preparedCount : 0;
      const pending = this.#inFlight + submitting;
      const missing = Math.max(0, Math.min(min - count, pending));
      // Who waits for nothing has to look into the kernel, too: the eventfd,
      // which he has read, counts what only a call makes visible.
      const isEnough = min > 0 && missing === 0 && submitting === 0;
      if (pending === 0 || isEnough) break;
      const isLook = missing > 0 && this.#looks > 0;
      if (isLook) this.#looks--;
      const wanted = isLook ? 0 : missing;
      const error = this.#enter(submitting, wanted, IORING_ENTER_GETEVENTS);
      count += this.#take(count, max);
      // What the kernel has no room for waits until something has come back.
      if (error === -EAGAIN && submitting > 0) canSubmit = false;
      else if (error < 0) return count > 0 ? count : error;
    } while (count < min);
    return count === 0 && submits && !canSubmit ? -EAGAIN : count;
  }

  /** Takes completions that are visible, as results from an index on. */
  #take(from: number, max: number): number {
    const ring = this.#ring;
    const count = Math.min(ring.available(), max - from);
    if (count === 0) return 0;
    for (let i = 0; i < count; i++) {
      this.resultTags[from + i] = ring.tagAt(i);
      this.results[from + i] = ring.resultAt(i);
      this.#freeSlots.give(ring.slotAt(i));
    }
    ring.take(count);
    this.#looks = Math.min(MAX_LOOKS, this.#looks + count * LOOKS);
    this.#inFlight -= count;
    return count;
  }

  /** `io_uring_enter()`: 0 or a negative errno. */
  #enter(submitting: number, minEvents: number, flags: number): number {
    if (submitting > 0) this.#ring.publish();
    const { fd } = this.#uring;
    let result: number;
    do {
      result = this.#libc.ioUringEnter(fd, submitting, minEvents, flags);
    } while (result === -EINTR);
    if (result < 0) return result === -EBUSY ? -EAGAIN : result;
    this.#preparedCount -= result;
    this.#inFlight += result;
    return 0;
  }
}

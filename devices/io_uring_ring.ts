/**
 * The memory that an `io_uring` shares with the kernel: the submission queue,
 * its entries, and the completion queue.
 *
 * Layouts are those of `include/uapi/linux/io_uring.h` on a little-endian
 * machine, in words of 32 bits. Where the parts lie inside the region, the
 * kernel says when it sets the ring up. The indices that the two sides give
 * each other are read and written with `Atomics`, so that neither the
 * processor nor V8 moves an access to the entries across them.
 *
 * @module
 */

import { at, getUint64, setUint64 } from "./engine_words.ts";

/** The size of a `struct io_uring_sqe`, in words. */
const SQE_WORDS = 16;
const SQE_OPCODE = 0;
const SQE_FD = 1;
const SQE_OFF = 2;
const SQE_ADDR = 4;
const SQE_LEN = 6;
const SQE_RW_FLAGS = 7;
// The tag and the slot share user_data, which comes back in the completion.
const SQE_TAG = 8;
const SQE_SLOT = 9;
const SQE_BUF_INDEX = 10;

/** The size of a `struct io_uring_cqe`, in words. */
const CQE_WORDS = 4;
const CQE_TAG = 0;
const CQE_SLOT = 1;
const CQE_RES = 2;

/** Where things lie in the region of the rings, in words. */
export interface RingOffsets {
  /** The index up to which entries were submitted. */
  readonly sqTail: number;
  /** The indices of entries, where the ring has them; else -1. */
  readonly sqArray: number;
  /** The index up to which completions were taken. */
  readonly cqHead: number;
  /** The index up to which completions are there. */
  readonly cqTail: number;
  /** The first completion. */
  readonly cqes: number;
  /** How many entries the submission queue has, a power of two. */
  readonly sqEntries: number;
  /** How many entries the completion queue has, a power of two. */
  readonly cqEntries: number;
}

/** Both queues of a ring. */
export class IoUringRing {
  /** How many entries can wait to be submitted. */
  readonly sqEntries: number;
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #sqes: Int32Array<ArrayBuffer>;
  readonly #offsets: RingOffsets;
  readonly #sqMask: number;
  readonly #cqMask: number;
  /** Where in the entries the one that was pushed last begins. */
  #last = 0;
  #sqTail = 0;
  #cqHead = 0;

  /**
   * @param words The region of both rings.
   * @param sqes The region of the submission entries.
   * @param offsets Where things lie in the former.
   */
  constructor(
    words: Int32Array<ArrayBuffer>,
    sqes: Int32Array<ArrayBuffer>,
    offsets: RingOffsets,
  ) {
    this.#words = words;
    this.#sqes = sqes;
    this.#offsets = offsets;
    this.sqEntries = offsets.sqEntries;
    this.#sqMask = offsets.sqEntries - 1;
    this.#cqMask = offsets.cqEntries - 1;
    if (offsets.sqArray < 0) return;
    for (let i = 0; i < offsets.sqEntries; i++) {
      words[offsets.sqArray + i] = i;
    }
  }

  /** Adds an entry, as yet without memory; there must be room. */
  push(
    opcode: number,
    fd: number,
    offsetBytes: number,
    flags: number,
    tag: number,
    slot: number,
  ): void {
    const base = (this.#sqTail & this.#sqMask) * SQE_WORDS;
    const sqes = this.#sqes;
    this.#sqTail = (this.#sqTail + 1) | 0;
    this.#last = base;
    sqes[base + SQE_OPCODE] = opcode;
    sqes[base + SQE_FD] = fd;
    setUint64(sqes, base + SQE_OFF, offsetBytes);
    setUint64(sqes, base + SQE_ADDR, 0);
    sqes[base + SQE_LEN] = 0;
    sqes[base + SQE_RW_FLAGS] = flags;
    sqes[base + SQE_TAG] = tag;
    sqes[base + SQE_SLOT] = slot;
    sqes[base + SQE_BUF_INDEX] = 0;
  }

  /** Takes back the entry that was pushed last: the slot it was for. */
  pop(): number {
    this.#sqTail = (this.#sqTail - 1) | 0;
    return this.lastSlot;
  }

  /** The slot of the entry that was pushed last. */
  get lastSlot(): number {
    return at(this.#sqes, this.#last + SQE_SLOT);
  }

  /** Where the memory of the entry that was pushed last begins. */
  get lastAddress(): number {
    return getUint64(this.#sqes, this.#last + SQE_ADDR);
  }

  /** How long the memory of the entry that was pushed last is, in bytes. */
  get lastLength(): number {
    return at(this.#sqes, this.#last + SQE_LEN);
  }

  /** Which registered buffer the entry that was pushed last uses. */
  get lastBuffer(): number {
    return at(this.#sqes, this.#last + SQE_BUF_INDEX);
  }

  /** Makes the memory of the entry that was pushed last longer. */
  lengthen(bytes: number): void {
    this.#sqes[this.#last + SQE_LEN] = this.lastLength + bytes;
  }

  /**
   * Gives the entry that was pushed last its memory.
   *
   * @param opcode The opcode for such memory, with the flags of the entry.
   * @param address Of the memory, or of a vector.
   * @param length In bytes, or segments of the vector.
   * @param buffer Which registered buffer the memory lies in, or 0.
   */
  setMemory(
    opcode: number,
    address: number,
    length: number,
    buffer: number,
  ): void {
    const sqes = this.#sqes;
    sqes[this.#last + SQE_OPCODE] = opcode;
    setUint64(sqes, this.#last + SQE_ADDR, address);
    sqes[this.#last + SQE_LEN] = length;
    sqes[this.#last + SQE_BUF_INDEX] = buffer;
  }

  /** Shows the kernel the entries that were pushed. */
  publish(): void {
    Atomics.store(this.#words, this.#offsets.sqTail, this.#sqTail);
  }

  /** How many completions there are to be taken. */
  available(): number {
    const tail = Atomics.load(this.#words, this.#offsets.cqTail);
    return (tail - this.#cqHead) | 0;
  }

  /** The tag of a completion, counted from the first that is available. */
  tagAt(index: number): number {
    return at(this.#words, this.#cqe(index) + CQE_TAG);
  }

  /** The slot of a completion. */
  slotAt(index: number): number {
    return at(this.#words, this.#cqe(index) + CQE_SLOT);
  }

  /** The result of a completion: bytes, or a negative errno. */
  resultAt(index: number): number {
    return at(this.#words, this.#cqe(index) + CQE_RES);
  }

  /** Lets the kernel use the places of the first completions again. */
  take(count: number): void {
    this.#cqHead = (this.#cqHead + count) | 0;
    Atomics.store(this.#words, this.#offsets.cqHead, this.#cqHead);
  }

  #cqe(index: number): number {
    const position = (this.#cqHead + index) & this.#cqMask;
    return this.#offsets.cqes + position * CQE_WORDS;
  }
}

/**
 * The structures that the kernel's asynchronous I/O reads and writes, laid out
 * once in one region: `struct iocb` and its vector for each slot, the array of
 * pointers for `io_submit()`, and the `struct io_event`s of `io_getevents()`.
 *
 * Layouts are those of `include/uapi/linux/aio_abi.h` on a little-endian
 * machine. A DataView is used, because its getters never give `undefined`.
 *
 * @module
 */

import { AlignedMemory } from "./aligned_memory.ts";
import type { Libc } from "./libc.ts";

export const IOCB_CMD_FDSYNC = 3;
export const IOCB_CMD_PREADV = 7;
export const IOCB_CMD_PWRITEV = 8;

/** How many segments one request may have, as `BIO_MAX_VECS`. */
export const MAX_SEGMENTS = 256;

/** `MAX_RW_COUNT`: the kernel transfers no more than this at once, in bytes. */
export const MAX_RW_COUNT = 0x7ffff000;

const IOCB_BYTES = 64;
// The tag and the slot share the 64 bits of aio_data, which the kernel hands
// back unchanged in io_event.data.
const AIO_DATA_TAG = 0;
const AIO_DATA_SLOT = 4;
const AIO_RW_FLAGS = 12;
const AIO_LIO_OPCODE = 16;
const AIO_FILDES = 20;
const AIO_BUF = 24;
const AIO_NBYTES = 32;
const AIO_OFFSET = 40;

const IO_EVENT_BYTES = 32;
const IO_EVENT_RES = 16;

const IOVEC_BYTES = 16;
const IOV_LEN = 8;
const VECTOR_BYTES = MAX_SEGMENTS * IOVEC_BYTES;

const POINTER_BYTES = 8;
const UINT32_RANGE = 2 ** 32;

/** The control region of one AIO context. */
export class AioBlocks {
  /** The array of pointers for `io_submit()`. */
  readonly pointerBytes: Uint8Array<ArrayBuffer>;
  /** The events that `io_getevents()` writes. */
  readonly eventBytes: Uint8Array<ArrayBuffer>;
  readonly #iocbs: DataView;
  readonly #vectors: DataView;
  readonly #pointers: DataView;
  readonly #events: DataView;
  readonly #iocbAddress: number;
  readonly #vectorAddress: number;

  /**
   * @param libc The library that tells addresses.
   * @param slotCount How many requests there can be at once.
   */
  constructor(libc: Libc, slotCount: number) {
    const slotBytes = VECTOR_BYTES + IOCB_BYTES + IO_EVENT_BYTES +
      POINTER_BYTES;
    const memory = new AlignedMemory(libc, slotCount * slotBytes);
    const { buffer, byteOffset } = memory.bytes;
    const iocbs = byteOffset + slotCount * VECTOR_BYTES;
    const events = iocbs + slotCount * IOCB_BYTES;
    const pointers = events + slotCount * IO_EVENT_BYTES;
    this.#vectors = new DataView(buffer, byteOffset, iocbs - byteOffset);
    this.#iocbs = new DataView(buffer, iocbs, events - iocbs);
    this.#events = new DataView(buffer, events, pointers - events);
    this.#pointers = new DataView(buffer, pointers, slotCount * POINTER_BYTES);
    this.eventBytes = new Uint8Array(buffer, events, pointers - events);
    this.pointerBytes = new Uint8Array(
      buffer,
      pointers,
      slotCount * POINTER_BYTES,
    );
    this.#vectorAddress = memory.address;
    this.#iocbAddress = memory.address + iocbs - byteOffset;
  }

  /** Writes the request of a slot, as yet without segments. */
  writeRequest(
    slot: number,
    opcode: number,
    fd: number,
    offsetBytes: number,
    tag: number,
    flags: number,
  ): void {
    const base = slot * IOCB_BYTES;
    this.#iocbs.setInt32(base + AIO_DATA_TAG, tag, true);
    this.#iocbs.setInt32(base + AIO_DATA_SLOT, slot, true);
    this.#iocbs.setInt32(base + AIO_RW_FLAGS, flags, true);
    this.#iocbs.setUint16(base + AIO_LIO_OPCODE, opcode, true);
    this.#iocbs.setInt32(base + AIO_FILDES, fd, true);
    // A sync request must have neither a buffer nor a length.
    setUint64(this.#iocbs, base + AIO_BUF, 0);
    setUint64(this.#iocbs, base + AIO_NBYTES, 0);
    setUint64(this.#iocbs, base + AIO_OFFSET, offsetBytes);
  }

  /**
   * Adds a segment to the request of a slot. One that begins where the last
   * ends is merged with it, as the kernel would merge it into one `bio_vec`.
   *
   * @returns Whether there was room for it.
   */
  addSegment(slot: number, address: number, length: number): boolean {
    const base = slot * IOCB_BYTES;
    const vector = slot * VECTOR_BYTES;
    const count = this.#iocbs.getUint32(base + AIO_NBYTES, true);
    const end = vector + count * IOVEC_BYTES;
    if (count > 0 && this.#mergeSegment(end - IOVEC_BYTES, address, length)) {
      return true;
    }
    if (count === MAX_SEGMENTS) return false;
    setUint64(this.#vectors, end, address);
    setUint64(this.#vectors, end + IOV_LEN, length);
    if (count === 0) {
      setUint64(this.#iocbs, base + AIO_BUF, this.#vectorAddress + vector);
    }
    this.#iocbs.setUint32(base + AIO_NBYTES, count + 1, true);
    return true;
  }

  /** Lets the pointer of an index point to the request of a slot. */
  setPointer(index: number, slot: number): void {
    const address = this.#iocbAddress + slot * IOCB_BYTES;
    setUint64(this.#pointers, index * POINTER_BYTES, address);
  }

  /** Moves the pointers from an index on, up to a count, to the front. */
  dropPointers(index: number, count: number): void {
    this.pointerBytes.copyWithin(
      0,
      index * POINTER_BYTES,
      count * POINTER_BYTES,
    );
  }

  /** The tag of the request of a slot. */
  tagOf(slot: number): number {
    return this.#iocbs.getInt32(slot * IOCB_BYTES + AIO_DATA_TAG, true);
  }

  /** The tag in an event. */
  eventTag(index: number): number {
    return this.#events.getInt32(index * IO_EVENT_BYTES + AIO_DATA_TAG, true);
  }

  /** The slot in an event. */
  eventSlot(index: number): number {
    return this.#events.getInt32(index * IO_EVENT_BYTES + AIO_DATA_SLOT, true);
  }

  /** The result in an event: bytes, or a negative errno. */
  eventResult(index: number): number {
    return this.#events.getInt32(index * IO_EVENT_BYTES + IO_EVENT_RES, true);
  }

  #mergeSegment(last: number, address: number, length: number): boolean {
    const lastLength = this.#vectors.getUint32(last + IOV_LEN, true);
    const end = getUint64(this.#vectors, last) + lastLength;
    if (end !== address || lastLength + length > MAX_RW_COUNT) return false;
    this.#vectors.setUint32(last + IOV_LEN, lastLength + length, true);
    return true;
  }
}

// Addresses and offsets are numbers below 2^53: halves of 32 bits need no
// bigint, which would be an allocation for each request.

function setUint64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value % UINT32_RANGE, true);
  view.setUint32(offset + 4, Math.floor(value / UINT32_RANGE), true);
}

function getUint64(view: DataView, offset: number): number {
  return view.getUint32(offset, true) +
    view.getUint32(offset + 4, true) * UINT32_RANGE;
}

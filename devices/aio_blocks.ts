/**
 * The structures that the kernel's asynchronous I/O reads and writes, laid out
 * once in one region: a `struct iocb` for each slot, the array of pointers for
 * `io_submit()`, and the `struct io_event`s of `io_getevents()`.
 *
 * Layouts are those of `include/uapi/linux/aio_abi.h` on a little-endian
 * machine, in words of 32 bits.
 *
 * @module
 */

import { AlignedMemory } from "./aligned_memory.ts";
import type { DirectFileOp } from "./engine.ts";
import { at, setUint64 } from "./engine_words.ts";
import type { Libc } from "./libc.ts";

const IOCB_CMD_FDSYNC = 3;
const IOCB_CMD_PREADV = 7;
const IOCB_CMD_PWRITEV = 8;

const OPCODES: Readonly<Record<DirectFileOp, number>> = {
  read: IOCB_CMD_PREADV,
  write: IOCB_CMD_PWRITEV,
  fdsync: IOCB_CMD_FDSYNC,
};

const WORD_BYTES = 4;
const IOCB_WORDS = 16;
// The tag and the slot share the 64 bits of aio_data, which the kernel hands
// back unchanged in io_event.data.
const AIO_DATA_TAG = 0;
const AIO_DATA_SLOT = 1;
const AIO_RW_FLAGS = 3;
/** The opcode, and in the upper half the priority, which is 0. */
const AIO_LIO_OPCODE = 4;
const AIO_FILDES = 5;
const AIO_BUF = 6;
const AIO_NBYTES = 8;
const AIO_OFFSET = 10;
const AIO_FLAGS = 14;
const AIO_RESFD = 15;
const IOCB_FLAG_RESFD = 1;

const IO_EVENT_WORDS = 8;
const IO_EVENT_RES = 4;

const POINTER_WORDS = 2;

/** The control region of one AIO context. */
export class AioBlocks {
  /** The events that `io_getevents()` writes. */
  readonly eventBytes: Uint8Array<ArrayBuffer>;
  /** The array of pointers for `io_submit()`. */
  readonly pointerBytes: Uint8Array<ArrayBuffer>;
  readonly #iocbs: Int32Array;
  readonly #events: Int32Array;
  readonly #pointers: Int32Array;
  readonly #iocbAddress: number;

  /**
   * @param libc The library that tells addresses.
   * @param slotCount How many requests there can be at once.
   */
  constructor(libc: Libc, slotCount: number) {
    const iocbWords = slotCount * IOCB_WORDS;
    const eventWords = slotCount * IO_EVENT_WORDS;
    const pointerWords = slotCount * POINTER_WORDS;
    const words = iocbWords + eventWords + pointerWords;
    const memory = new AlignedMemory(libc, words * WORD_BYTES);
    const { buffer, byteOffset } = memory.bytes;
    const events = byteOffset + iocbWords * WORD_BYTES;
    const pointers = events + eventWords * WORD_BYTES;
    this.#iocbs = new Int32Array(buffer, byteOffset, iocbWords);
    this.#events = new Int32Array(buffer, events, eventWords);
    this.#pointers = new Int32Array(buffer, pointers, pointerWords);
    this.eventBytes = new Uint8Array(buffer, events, pointers - events);
    this.pointerBytes = new Uint8Array(
      buffer,
      pointers,
      pointerWords * WORD_BYTES,
    );
    this.#iocbAddress = memory.address;
  }

  /** Writes the request of a slot, as yet without segments. */
  writeRequest(
    slot: number,
    op: DirectFileOp,
    fd: number,
    offsetBytes: number,
    tag: number,
    flags: number,
  ): void {
    const base = slot * IOCB_WORDS;
    const iocbs = this.#iocbs;
    iocbs[base + AIO_DATA_TAG] = tag;
    iocbs[base + AIO_DATA_SLOT] = slot;
    iocbs[base + AIO_RW_FLAGS] = flags;
    iocbs[base + AIO_LIO_OPCODE] = OPCODES[op];
    iocbs[base + AIO_FILDES] = fd;
    // A sync request must have neither a buffer nor a length.
    setUint64(iocbs, base + AIO_BUF, 0);
    setUint64(iocbs, base + AIO_NBYTES, 0);
    setUint64(iocbs, base + AIO_OFFSET, offsetBytes);
  }

  /** Gives the request of a slot its vector. */
  setVector(slot: number, address: number, count: number): void {
    const base = slot * IOCB_WORDS;
    setUint64(this.#iocbs, base + AIO_BUF, address);
    this.#iocbs[base + AIO_NBYTES] = count;
  }

  /** Lets this and the later requests of a slot count in an eventfd. */
  setEventFd(slot: number, eventFd: number): void {
    const base = slot * IOCB_WORDS;
    this.#iocbs[base + AIO_FLAGS] = IOCB_FLAG_RESFD;
    this.#iocbs[base + AIO_RESFD] = eventFd;
  }

  /** Lets the pointer of an index point to the request of a slot. */
  setPointer(index: number, slot: number): void {
    const address = this.#iocbAddress + slot * IOCB_WORDS * WORD_BYTES;
    setUint64(this.#pointers, index * POINTER_WORDS, address);
  }

  /** Moves the pointers from an index on, up to a count, to the front. */
  dropPointers(index: number, count: number): void {
    this.#pointers.copyWithin(0, index * POINTER_WORDS, count * POINTER_WORDS);
  }

  /** The tag of the request of a slot. */
  tagOf(slot: number): number {
    return at(this.#iocbs, slot * IOCB_WORDS + AIO_DATA_TAG);
  }

  /** The tag in an event. */
  eventTag(index: number): number {
    return at(this.#events, index * IO_EVENT_WORDS + AIO_DATA_TAG);
  }

  /** The slot in an event. */
  eventSlot(index: number): number {
    return at(this.#events, index * IO_EVENT_WORDS + AIO_DATA_SLOT);
  }

  /** The result in an event: bytes, or a negative errno. */
  eventResult(index: number): number {
    return at(this.#events, index * IO_EVENT_WORDS + IO_EVENT_RES);
  }
}

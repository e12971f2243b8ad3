/**
 * What is registered with an `io_uring`, so that the kernel does not look it
 * up for every request: the descriptor, the regions that data lies in, and
 * the eventfd that counts completions.
 *
 * A registered region stays pinned, which the limit of locked memory counts
 * for users without CAP_IPC_LOCK. Where that does not suffice, requests go
 * without: it is a matter of speed only.
 *
 * @module
 */

import type { AlignedMemory } from "./aligned_memory.ts";
import { setUint64 } from "./engine_words.ts";
import type { Libc } from "./libc.ts";

const IORING_UNREGISTER_BUFFERS = 1;
const IORING_REGISTER_FILES = 2;
const IORING_UNREGISTER_FILES = 3;
const IORING_REGISTER_EVENTFD = 4;
const IORING_REGISTER_BUFFERS2 = 15;
const IORING_REGISTER_BUFFERS_UPDATE = 16;
const IORING_RSRC_REGISTER_SPARSE = 1;

/** How many regions can be registered. */
const MAX_BUFFERS = 64;

/** `struct io_uring_rsrc_register` and `struct io_uring_rsrc_update2`. */
const RSRC_WORDS = 8;
const RSRC_NR = 0;
const RSRC_FLAGS = 1;
const UPDATE_OFFSET = 0;
const UPDATE_DATA = 2;
const UPDATE_NR = 6;

const IOVEC_WORDS = 4;
const IOV_LEN = 2;

/** The registrations of one ring. */
export class IoUringRegistrations {
  /** Whether the descriptor can be named by its index, which is 0. */
  readonly hasFile: boolean;
  readonly #libc: Libc;
  readonly #ringFd: number;
  /** The argument of an update, and the vector that it points to. */
  readonly #update: Int32Array<ArrayBuffer>;
  readonly #vectorAddress: number;
  /** Indices of no region, or null when there is no table. */
  readonly #freeIndices: number[] | null;

  /**
   * Registers the descriptor, and makes an empty table of regions.
   *
   * @param libc The library to call.
   * @param ringFd The descriptor of the ring.
   * @param fd The descriptor that requests are for.
   */
  constructor(libc: Libc, ringFd: number, fd: number) {
    this.#libc = libc;
    this.#ringFd = ringFd;
    this.hasFile = this.#registerInt(IORING_REGISTER_FILES, fd) === 0;
    // With a buffer of its own: a small typed array may move.
    const words = new ArrayBuffer((RSRC_WORDS + IOVEC_WORDS) * 4);
    this.#update = new Int32Array(words);
    this.#vectorAddress = libc.addressOf(new Uint8Array(words)) +
      RSRC_WORDS * 4;
    this.#freeIndices = this.#makeTable()
      ? Array.from({ length: MAX_BUFFERS }, (_, i) => MAX_BUFFERS - 1 - i)
      : null;
  }

  /** Counts completions in an eventfd: 0, or a negative errno. */
  addEventFd(eventFd: number): number {
    return this.#registerInt(IORING_REGISTER_EVENTFD, eventFd);
  }

  /** Registers a region, if the system lets it. */
  add(memory: AlignedMemory): void {
    const index = this.#freeIndices?.pop();
    if (index === undefined) return;
    if (this.#set(index, memory.address, memory.bytes.length) === 1) {
      memory.bufferIndex = index;
    } else this.#freeIndices?.push(index);
  }

  /** Ends the registration of a region. */
  remove(memory: AlignedMemory): void {
    const index = memory.bufferIndex;
    if (index < 0) return;
    memory.bufferIndex = -1;
    if (this.#set(index, 0, 0) === 1) this.#freeIndices?.push(index);
  }

  /**
   * Ends all registrations. Closing the ring would do so too, but some time
   * after it has returned; a filesystem could not be unmounted until then.
   */
  removeAll(): void {
    const nothing = new Uint8Array();
    const unregister = (opcode: number) =>
      this.#libc.ioUringRegister(this.#ringFd, opcode, nothing, 0);
    if (this.hasFile) unregister(IORING_UNREGISTER_FILES);
    if (this.#freeIndices !== null) unregister(IORING_UNREGISTER_BUFFERS);
  }

  #makeTable(): boolean {
    const words = new Int32Array(RSRC_WORDS);
    words[RSRC_NR] = MAX_BUFFERS;
    words[RSRC_FLAGS] = IORING_RSRC_REGISTER_SPARSE;
    return this.#register(IORING_REGISTER_BUFFERS2, words, RSRC_WORDS * 4) ===
      0;
  }

  /** Lets an index of the table mean a region: 1, or a negative errno. */
  #set(index: number, address: number, length: number): number {
    const words = this.#update;
    words[UPDATE_OFFSET] = index;
    setUint64(words, UPDATE_DATA, this.#vectorAddress);
    words[UPDATE_NR] = 1;
    setUint64(words, RSRC_WORDS, address);
    setUint64(words, RSRC_WORDS + IOV_LEN, length);
    return this.#register(
      IORING_REGISTER_BUFFERS_UPDATE,
      words,
      RSRC_WORDS * 4,
    );
  }

  #registerInt(opcode: number, value: number): number {
    return this.#register(opcode, Int32Array.of(value), 1);
  }

  #register(
    opcode: number,
    words: Int32Array<ArrayBuffer>,
    count: number,
  ): number {
    const bytes = new Uint8Array(words.buffer);
    return this.#libc.ioUringRegister(this.#ringFd, opcode, bytes, count);
  }
}

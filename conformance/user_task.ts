/**
 * A task of a scenario: its system calls, one after the other.
 *
 * @module
 */

import {
  doTruncate,
  EV,
  type File,
  type Inode,
  type IoEvent,
  type Kernel,
  type Kioctx,
  O_DIRECT,
  O_DSYNC,
  PAGE_SIZE,
  READ,
  type Rw,
  type Task,
  vfsFsync,
  WRITE,
} from "../core/mod.ts";
import type { Op } from "./scenario.ts";
import type { UserFile } from "./user_file.ts";

const RING_SIZE = 8;
/** What a buffer holds before a read: a byte that nobody writes. */
const POISON = 255;

/** A buffer of user memory. */
interface Buffer {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** A request that was submitted and has not been reaped. */
interface Pending {
  readonly rw: Rw;
  readonly offset: number;
  readonly buffer: Buffer;
}

/** An open file, and what its users know of it. */
export interface OpenFile {
  /** The file. */
  readonly inode: Inode;
  /** What its users know. */
  readonly content: UserFile;
}

/** Runs the operations of one task. */
export class UserTask {
  /** What the calls returned: results, event results, in order. */
  readonly results: number[] = [];
  readonly #kernel: Kernel;
  readonly #file: File;
  readonly #content: UserFile;
  readonly #ring: Kioctx;
  readonly #pending: Pending[] = [];

  constructor(kernel: Kernel, { inode, content }: OpenFile, dsync: boolean) {
    this.#kernel = kernel;
    this.#content = content;
    this.#file = {
      fInode: inode,
      fFlags: O_DIRECT | (dsync ? O_DSYNC : 0),
    };
    this.#ring = kernel.aio.ioSetup(RING_SIZE);
  }

  /** The task's code. */
  *run(ops: readonly Op[]): Task<void> {
    for (const op of ops) yield* this.#do(op);
  }

  *#do(op: Op): Task<void> {
    const { fInode } = this.#file;
    switch (op.op) {
      case "write":
        return yield* this.#sync(WRITE, op.offset, op.bytes);
      case "read":
        return yield* this.#sync(READ, op.offset, op.bytes);
      case "aio_write":
        return yield* this.#submit(WRITE, op.offset, op.bytes, op.unmapped);
      case "aio_read":
        return yield* this.#submit(READ, op.offset, op.bytes);
      case "getevents":
        return yield* this.#reap(op.min);
      case "truncate":
        this.#content.forget(0, fInode.iSize);
        this.results.push(yield* doTruncate(fInode, op.size));
        return;
      case "fsync":
        this.results.push(yield* vfsFsync(fInode));
    }
  }

  *#sync(rw: Rw, offset: number, bytes: number): Task<void> {
    const buffer = this.#buffer(rw, offset, bytes);
    const iov = [{ base: buffer.address, len: bytes }];
    const ret = yield* this.#kernel.aio.syncRw(this.#file, rw, iov, offset);
    this.#settle({ rw, offset, buffer }, ret);
  }

  *#submit(
    rw: Rw,
    offset: number,
    bytes: number,
    unmapped: readonly number[] = [],
  ): Task<void> {
    const { aio, memory } = this.#kernel;
    const buffer = this.#buffer(rw, offset, bytes);
    for (const page of unmapped) {
      memory.unmap(buffer.address + page * PAGE_SIZE, 1);
    }
    const data = this.#pending.push({ rw, offset, buffer }) - 1;
    const iov = [{ base: buffer.address, len: bytes }];
    const request = { file: this.#file, rw, iov, offset, data };
    const ret = yield* aio.ioSubmit(this.#ring, request);
    if (ret < 0) this.results.push(ret);
  }

  *#reap(min: number): Task<void> {
    const events: IoEvent[] = [];
    let taken = 0;
    while (taken < min) {
      const { aio } = this.#kernel;
      const n = yield* aio.ioGetevents(this.#ring, min - taken, events);
      for (const { data, res } of events.slice(0, n)) {
        this.#settle(this.#pending[data] as Pending, res);
      }
      taken += n;
    }
  }

  #buffer(rw: Rw, offset: number, bytes: number): Buffer {
    const { memory } = this.#kernel;
    const address = memory.alloc(bytes);
    const view = memory.bytes(address, bytes);
    if (rw === WRITE) {
      this.#content.fill(view, offset);
      // Until it is reported, nobody can say which of it is in the file.
      this.#content.forget(offset, bytes);
    } else {
      view.fill(POISON);
    }
    return { address, bytes: view };
  }

  #settle({ rw, offset, buffer }: Pending, ret: number): void {
    this.results.push(ret);
    const done = buffer.bytes.subarray(0, Math.max(ret, 0));
    if (rw === WRITE) this.#content.wrote(done, offset);
    else this.#traceRead(done, offset);
  }

  #traceRead(bytes: Uint8Array, offset: number): void {
    const kernel = this.#kernel;
    if (!kernel.tracing) return;
    const mismatch = this.#content.compare(bytes, offset);
    kernel.emit(
      EV.user_read,
      this.#file.fInode.iIno,
      offset,
      bytes.length,
      mismatch?.expected,
      mismatch?.wrong ?? 0,
      mismatch?.at,
      mismatch?.got,
    );
  }
}

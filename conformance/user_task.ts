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
  READ,
  type Rw,
  type Task,
  vfsFsync,
  vfsPunchHole,
  WRITE,
} from "../core/mod.ts";
import { MappedPages } from "./mapped_pages.ts";
import type { Op, Transfer } from "./scenario.ts";
import { UserBuffer } from "./user_buffer.ts";
import type { UserFile } from "./user_file.ts";

const RING_SIZE = 8;
/** What a buffer holds before a read: a byte that nobody writes. */
const POISON = 255;

/** A request that was submitted and has not been reaped. */
interface Pending {
  readonly rw: Rw;
  readonly offset: number;
  readonly buffer: UserBuffer;
  /** Its pages, if it is a mapped file. */
  readonly mapped: MappedPages | null;
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
      case "read":
        return yield* this.#sync(op);
      case "aio_write":
      case "aio_read":
        return yield* this.#submit(op);
      case "getevents":
        return yield* this.#reap(op.min);
      case "truncate":
        this.#content.cut(op.size, fInode.iSize - op.size);
        this.results.push(yield* doTruncate(fInode, op.size));
        return;
      case "punch_hole":
        this.#content.cut(op.offset, op.length);
        this.results.push(yield* vfsPunchHole(fInode, op.offset, op.length));
        return;
      case "fsync":
        return yield* this.#fsync();
      case "power_cut":
        this.results.push(fInode.iSb.sBdev.powerCut?.() ?? 0);
        this.#content.powerCut();
    }
  }

  *#sync(op: Transfer): Task<void> {
    const pending = this.#prepare(op);
    const { rw, offset, buffer: { iov } } = pending;
    const { aio } = this.#kernel;
    const ret = yield* aio.syncRw(this.#file, rw, iov, offset, op.flags);
    this.#settle(pending, ret);
  }

  *#submit(op: Transfer): Task<void> {
    const pending = this.#prepare(op);
    const { rw, offset, buffer: { iov } } = pending;
    const { flags = 0 } = op;
    const data = this.#pending.push(pending) - 1;
    const request = { file: this.#file, rw, iov, offset, data, flags };
    const ret = yield* this.#kernel.aio.ioSubmit(this.#ring, request);
    if (ret < 0) this.results.push(ret);
  }

  *#fsync(): Task<void> {
    const known = this.#content.known();
    const ret = yield* vfsFsync(this.#file.fInode);
    this.results.push(ret);
    if (ret === 0) this.#content.synced(known);
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

  #prepare(transfer: Transfer): Pending {
    const { op, offset, bytes, pieces, unmapped, flushed } = transfer;
    const kernel = this.#kernel;
    const { memory } = kernel;
    const buffer = new UserBuffer(memory, bytes, pieces, unmapped);
    const rw = op === "write" || op === "aio_write" ? WRITE : READ;
    buffer.load((content) => {
      if (rw === WRITE) this.#content.fill(content, offset);
      else content.fill(POISON);
    });
    // Until it is reported, nobody can say which of it is in the file.
    if (rw === WRITE) this.#content.forget(offset, bytes);
    const mapped = flushed ? new MappedPages(kernel, buffer.iov) : null;
    if (mapped !== null) kernel.spawn("flusher", mapped.flush());
    return { rw, offset, buffer, mapped };
  }

  #settle({ rw, offset, buffer, mapped }: Pending, ret: number): void {
    this.results.push(ret);
    if (mapped !== null) this.#reclaim(mapped);
    const done = buffer.content.subarray(0, Math.max(ret, 0));
    if (rw === READ) return this.#traceRead(done, offset);
    const isStable = (this.#file.fFlags & O_DSYNC) !== 0;
    this.#content.wrote(done, offset, isStable);
  }

  #reclaim(mapped: MappedPages): void {
    const reclaimed = mapped.reclaim();
    const kernel = this.#kernel;
    if (kernel.tracing) kernel.emit(EV.shrink_page_list, reclaimed);
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

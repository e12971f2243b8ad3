/**
 * A task of a scenario: its system calls, one after the other.
 *
 * @module
 */

import {
  doTruncate,
  EV,
  type File,
  filpClose,
  filpOpen,
  type Inode,
  type IoEvent,
  type Kernel,
  type Kioctx,
  O_DIRECT,
  O_DSYNC,
  OpenFile,
  READ,
  type Rw,
  syncfs,
  type Task,
  umount,
  vfsFallocate,
  vfsFsync,
  vfsPunchHole,
  WRITE,
} from "../core/mod.ts";
import { MappedPages } from "./mapped_pages.ts";
import type { Op, Transfer } from "./scenario.ts";
import { UserBuffer } from "./user_buffer.ts";
import type { Mismatch, UserCut, UserFile } from "./user_file.ts";

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
  /** Takes into account that so many bytes were transferred. */
  readonly end: (done: number) => void;
}

/** A file, and what its users know of it. */
export interface SharedFile {
  /** The file. */
  readonly inode: Inode;
  /** What its users know. */
  readonly content: UserFile;
}

/** How a task opens its file. */
export interface Opening {
  /** With O_DSYNC. */
  readonly dsync: boolean;
  /** Whether it closes the file, in the end or before. */
  readonly closes: boolean;
  /** The number of its first write, less one. */
  readonly writes: number;
}

/** Runs the operations of one task. */
export class UserTask {
  /** What the calls returned: results, event results, in order. */
  readonly results: number[] = [];
  readonly #kernel: Kernel;
  readonly #file: File;
  #isClosed = false;
  readonly #content: UserFile;
  readonly #ring: Kioctx;
  readonly #pending: Pending[] = [];
  #writes: number;

  constructor(
    kernel: Kernel,
    { inode, content }: SharedFile,
    { dsync, closes, writes }: Opening,
  ) {
    this.#kernel = kernel;
    this.#writes = writes;
    this.#content = content;
    const flags = O_DIRECT | (dsync ? O_DSYNC : 0);
    this.#file = closes
      ? filpOpen(inode, flags)
      : { fInode: inode, fFlags: flags };
    this.#ring = kernel.aio.ioSetup(RING_SIZE);
  }

  /** The task's code. */
  *run(ops: readonly Op[]): Task<void> {
    for (const op of ops) yield* this.#do(op);
    yield* this.#close();
  }

  *#close(): Task<void> {
    if (this.#isClosed || !(this.#file instanceof OpenFile)) return;
    this.#isClosed = true;
    yield* filpClose(this.#file);
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
        return yield* this.#cut(
          this.#content.truncateBegins(op.size),
          doTruncate(fInode, op.size),
        );
      case "punch_hole":
        return yield* this.#cut(
          this.#content.cutBegins(op.offset, op.offset + op.length),
          vfsPunchHole(fInode, op.offset, op.length),
        );
      case "fallocate":
        this.#content.mayGrow(op.offset + op.length);
        this.results.push(yield* vfsFallocate(fInode, op.offset, op.length));
        return;
      case "close":
        return yield* this.#close();
      case "fsync":
        return yield* this.#makeStable(vfsFsync(fInode));
      case "syncfs":
        return yield* this.#makeStable(syncfs(fInode.iSb));
      case "umount":
        return yield* umount(fInode.iSb);
      case "power_cut":
        this.results.push(fInode.iSb.sBdev.powerCut?.() ?? 0);
        this.#content.powerCut();
    }
  }

  *#sync(op: Transfer): Task<void> {
    const pending = this.#prepare(op);
    const { rw, offset, buffer: { iov } } = pending;
    const { aio } = this.#kernel;
    const file = op.cached
      ? { fInode: this.#file.fInode, fFlags: 0 }
      : this.#file;
    const ret = yield* aio.syncRw(file, rw, iov, offset, op.flags);
    this.#settle(pending, ret);
  }

  *#submit(op: Transfer): Task<void> {
    const pending = this.#prepare(op);
    const { rw, offset, buffer: { iov } } = pending;
    const { flags = 0 } = op;
    const data = this.#pending.push(pending) - 1;
    const request = { file: this.#file, rw, iov, offset, data, flags };
    const ret = yield* this.#kernel.aio.ioSubmit(this.#ring, request);
    if (ret < 0) this.#settle(pending, ret);
  }

  *#cut(cut: UserCut, cutting: Task<number>): Task<void> {
    const ret = yield* cutting;
    this.results.push(ret);
    this.#content.cutEnds(cut, ret !== 0);
  }

  *#makeStable(syncing: Task<number>): Task<void> {
    const known = this.#content.known();
    const ret = yield* syncing;
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
    const { op, offset, bytes, pieces, unmapped, flushed, cached } = transfer;
    const kernel = this.#kernel;
    const { memory } = kernel;
    const buffer = new UserBuffer(memory, bytes, pieces, unmapped);
    const rw = op === "write" || op === "aio_write" ? WRITE : READ;
    const end = rw === WRITE
      ? this.#beginWrite(buffer, offset)
      : this.#beginRead(buffer, offset, bytes, cached ?? false);
    const mapped = flushed ? new MappedPages(kernel, buffer.iov) : null;
    if (mapped !== null) kernel.spawn("flusher", mapped.flush());
    return { rw, offset, buffer, mapped, end };
  }

  #beginWrite(buffer: UserBuffer, offset: number): Pending["end"] {
    const file = this.#content;
    const nth = ++this.#writes;
    const write = buffer.load((content) =>
      file.writeBegins(content, offset, nth)
    );
    const isStable = (this.#file.fFlags & O_DSYNC) !== 0;
    return (done) => file.writeEnds(write, done, isStable);
  }

  #beginRead(
    buffer: UserBuffer,
    offset: number,
    bytes: number,
    isCached: boolean,
  ): Pending["end"] {
    const file = this.#content;
    buffer.load((content) => content.fill(POISON));
    const read = file.readBegins(offset, bytes);
    return (done) => {
      const mismatch = file.readEnds(read, buffer.content.subarray(0, done));
      this.#traceRead(offset, done, mismatch, isCached);
    };
  }

  #settle({ mapped, end }: Pending, ret: number): void {
    this.results.push(ret);
    if (mapped !== null) this.#reclaim(mapped);
    end(Math.max(ret, 0));
  }

  #reclaim(mapped: MappedPages): void {
    const reclaimed = mapped.reclaim();
    const kernel = this.#kernel;
    if (kernel.tracing) kernel.emit(EV.shrink_page_list, reclaimed);
  }

  #traceRead(
    offset: number,
    bytes: number,
    mismatch: Mismatch | null,
    isCached: boolean,
  ): void {
    const kernel = this.#kernel;
    if (!kernel.tracing) return;
    kernel.emit(
      EV.user_read,
      this.#file.fInode.iIno,
      offset,
      bytes,
      mismatch?.expected,
      mismatch?.wrong ?? 0,
      mismatch?.at,
      mismatch?.got,
      isCached ? 1 : undefined,
    );
  }
}

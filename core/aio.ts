/**
 * Asynchronous I/O: requests (`kiocb`), completion rings, and the system
 * calls around them.
 *
 * Source: fs/aio.c, fs/sync_io in fs/read_write.c.
 *
 * @module
 */

import { AioRings } from "./aio_ring.ts";
import { READ, type Rw, WRITE } from "./bio.ts";
import {
  EAGAIN,
  EINTR,
  EIOCBQUEUED,
  EOPNOTSUPP,
  ERESTART_RESTARTBLOCK,
  ERESTARTNOHAND,
  ERESTARTNOINTR,
  ERESTARTSYS,
} from "./errno.ts";
import { EV } from "./events.ts";
import { fput, getFile, OpenFile } from "./file.ts";
import { sbEndWrite, sbStartWrite } from "./freeze.ts";
import { type File, O_DSYNC, type SuperBlock } from "./fs.ts";
import { genericFileAioRead } from "./filemap_read.ts";
import { genericFileAioWrite } from "./filemap.ts";
import type { Kernel } from "./kernel.ts";
import { IOCB_HIPRI, iocbRwFlags } from "./iocb_flags.ts";
import type { Kioctx } from "./kioctx.ts";
import { type Iovec, IovIter } from "./iov_iter.ts";
import { KmemCache, SlabObject } from "./slab.ts";
import { finish, type MaybeTask, SCHEDULE, type Task } from "./step.ts";

/** What user space asks for: `struct iocb`. */
export interface IoControlBlock {
  /** The open file. */
  readonly file: File;
  /** Direction. */
  readonly rw: Rw;
  /** The buffer. */
  readonly iov: readonly Iovec[];
  /** First byte in the file. */
  readonly offset: number;
  /** Comes back with the event. */
  readonly data: number;
  /**
   * {@linkcode IOCB_HIPRI}, {@linkcode IOCB_NOWAIT}.
   *
   * @default {0}
   */
  readonly flags?: number;
  /**
   * Whether the memory is the kernel's own (`ITER_BVEC`), as that of a loop
   * device.
   *
   * @default {false}
   */
  readonly kernelPages?: boolean;
}

/**
 * A request in the kernel: `struct kiocb`.
 *
 * @example
 * ```ts
 * import { Kernel } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const iocb = new Kernel().aio.cache.alloc();
 * assertEquals(iocb?.isSync, true);
 * ```
 */
export class Kiocb extends SlabObject {
  /** The open file. */
  kiFilp!: File;
  /** The ring its event goes to; null when a system call waits for it. */
  kiCtx: Kioctx | null = null;
  /** Position in the file. */
  kiPos = 0;
  /** {@linkcode IOCB_HIPRI}, {@linkcode IOCB_NOWAIT}. */
  kiFlags = 0;
  /** Comes back with the event. */
  kiData = 0;
  /** The filesystem's own, from submission to `end_io`. */
  private: unknown = null;
  /** The user's buffer. */
  readonly iter: IovIter = new IovIter();
  /** Whether it holds the protection of its filesystem against a freeze. */
  kiFreeze = false;
  /** What the callback reported for a request that is waited for. */
  syncResult: number = -EIOCBQUEUED;

  /** Whether a system call waits for it: `is_sync_kiocb()`. */
  get isSync(): boolean {
    return this.kiCtx === null;
  }

  /** Whether a write of it has to be stable when it is reported. */
  get needsSync(): boolean {
    return (this.kiFilp.fFlags & O_DSYNC) !== 0 || this.kiFilp.fInode.sync;
  }

  /**
   * Moves the position, by what is reported.
   *
   * @param bytes How far.
   */
  advance(bytes: number): void {
    const { kernel } = this.kiFilp.fInode.iSb;
    this.kiPos += bytes;
    if (kernel.tracing) kernel.emit(EV.ki_pos, this.id, this.kiPos);
  }
}

/**
 * fs/aio.c.
 *
 * @example
 * ```ts
 * import { type AioCore, Kernel } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const aio: AioCore = new Kernel().aio;
 * const ring = aio.ioSetup(4);
 * assertEquals([ring.nrEvents, ring.available], [4, 4]);
 * ```
 */
export class AioCore extends AioRings {
  /**
   * Makes the cache of a kernel.
   *
   * @param kernel The kernel.
   */
  constructor(kernel: Kernel) {
    super(kernel, new KmemCache(kernel, "kiocb", () => new Kiocb()));
  }

  /**
   * `io_submit()` of one request.
   *
   * @param ring Where the event goes.
   * @param request What is asked for.
   * @returns 1, or `-EAGAIN` when the ring has no free slot.
   */
  *ioSubmit(ring: Kioctx, request: IoControlBlock): Task<number> {
    return yield* finish(this.ioSubmitOne(ring, request));
  }

  /**
   * `io_submit_one()`: what {@linkcode ioSubmit} does, without a task as long
   * as nothing has to be waited for.
   *
   * @param ring Where the event goes.
   * @param request What is asked for.
   * @returns 1, or `-EAGAIN` when the ring has no free slot, or
   * `-EOPNOTSUPP` for a flag that this kernel does not know.
   */
  ioSubmitOne(ring: Kioctx, request: IoControlBlock): MaybeTask<number> {
    const { kernel } = this;
    const { flags } = request;
    if (flags !== undefined && iocbRwFlags(kernel.profile, flags) !== 0) {
      return -EOPNOTSUPP;
    }
    return kernel.stepping
      ? this.#submitStepping(ring, request)
      : this.#submitNow(ring, request);
  }

  *#submitStepping(ring: Kioctx, request: IoControlBlock): Task<number> {
    yield ring.slotsStep;
    return yield* finish(this.#submitNow(ring, request));
  }

  #submitNow(ring: Kioctx, request: IoControlBlock): MaybeTask<number> {
    // User space may have taken events without telling.
    if (ring.available === 0) ring.refill();
    const iocb = ring.available > 0 ? this.cache.alloc() : null;
    if (iocb === null) return -EAGAIN;
    ring.available--;
    const { file, rw } = request;
    this.#init(iocb, ring, file, request.offset, request.iov);
    iocb.kiData = request.data;
    if (request.flags !== undefined) setFlags(iocb, ring, request.flags);
    if (request.kernelPages === true) iocb.iter.userBacked = false;
    if (this.kernel.tracing) this.#traceSubmit(iocb, request);
    // One reference is the request's, and goes when it completes; the other
    // one lasts as long as it is submitted, which may be longer.
    if (file.fCount !== undefined) {
      getFile(file);
      getFile(file);
    }
    const ret = rw === READ ? rwFile(iocb, rw) : this.#write(iocb, file);
    if (this.kernel.stepping || typeof ret !== "number") {
      return this.#submitLater(iocb, file, ret);
    }
    if (ret !== -EIOCBQUEUED) this.complete(iocb, restarted(ret));
    return file.fCount === undefined ? 1 : this.#submitted(file, 1);
  }

  /** A write, and the protection against a freeze around it. */
  #write(iocb: Kiocb, file: File): MaybeTask<number> {
    const { iSb } = file.fInode;
    const starting = sbStartWrite(iSb);
    if (starting !== null) return this.#writeLater(iocb, iSb, starting);
    const { freezeUntilCompletion } = this.kernel.profile;
    iocb.kiFreeze = freezeUntilCompletion;
    const ret = rwFile(iocb, WRITE);
    if (freezeUntilCompletion) return ret;
    if (typeof ret !== "number") return endLater(iSb, ret);
    sbEndWrite(iSb);
    return ret;
  }

  *#writeLater(
    iocb: Kiocb,
    sb: SuperBlock,
    starting: Task<void>,
  ): Task<number> {
    const { freezeUntilCompletion } = this.kernel.profile;
    yield* starting;
    iocb.kiFreeze = freezeUntilCompletion;
    const ret = yield* finish(rwFile(iocb, WRITE));
    if (!freezeUntilCompletion) sbEndWrite(sb);
    return ret;
  }

  *#submitLater(
    iocb: Kiocb,
    file: File,
    later: MaybeTask<number>,
  ): Task<number> {
    const ret = yield* finish(later);
    if (ret !== -EIOCBQUEUED) {
      yield* this.aioComplete(iocb, restarted(ret));
    }
    return yield* finish(this.#submitted(file, 1));
  }

  /** The submission lets go of the file. */
  #submitted(file: File, ret: number): MaybeTask<number> {
    const rest = fput(file);
    return rest === null ? ret : this.#fputLater(rest, ret);
  }

  *#fputLater(rest: Task<unknown>, ret: number): Task<number> {
    yield* rest;
    return ret;
  }

  #traceSubmit(
    iocb: Kiocb,
    { file, rw, offset }: IoControlBlock,
  ): void {
    this.kernel.emit(
      EV.io_submit,
      iocb.id,
      file.fInode.iIno,
      rw,
      offset,
      iocb.iter.count,
      file instanceof OpenFile ? file.id : NaN,
    );
  }

  /**
   * `pread()` or `pwrite()`: a transfer that the system call waits for.
   *
   * @param file The open file.
   * @param rw Direction.
   * @param iov The buffer.
   * @param offset First byte in the file.
   * @param flags {@linkcode IOCB_HIPRI}, {@linkcode IOCB_NOWAIT}.
   * @returns Bytes, or a negative errno.
   */
  *syncRw(
    file: File,
    rw: Rw,
    iov: readonly Iovec[],
    offset: number,
    flags: number = 0,
  ): Task<number> {
    const refused = iocbRwFlags(this.kernel.profile, flags);
    if (refused !== 0) return refused;
    const iocb = this.cache.alloc();
    if (iocb === null) return -EAGAIN;
    this.#init(iocb, null, file, offset, iov);
    iocb.kiFlags = flags;
    getFile(file);
    const { iSb } = file.fInode;
    const starting = rw === WRITE ? sbStartWrite(iSb) : null;
    if (starting !== null) yield* starting;
    let ret = yield* finish(rwFile(iocb, rw));
    if (ret === -EIOCBQUEUED) ret = yield* this.#waitOnSyncKiocb(iocb);
    if (rw === WRITE) sbEndWrite(iSb);
    const rest = this.free(iocb);
    if (rest !== null) yield* rest;
    return ret;
  }

  *#waitOnSyncKiocb(iocb: Kiocb): Task<number> {
    const kernel = this.kernel;
    const queue = this.syncWait;
    kernel.mightSleep("wait_on_sync_kiocb");
    for (;;) {
      if (kernel.stepping) yield queue.step;
      queue.prepareToWait(kernel);
      if (iocb.syncResult !== -EIOCBQUEUED) break;
      yield SCHEDULE;
    }
    queue.finishWait(kernel);
    return iocb.syncResult;
  }

  #init(
    iocb: Kiocb,
    ring: Kioctx | null,
    file: File,
    offset: number,
    iov: readonly Iovec[],
  ): void {
    iocb.kiFilp = file;
    iocb.kiCtx = ring;
    iocb.kiPos = offset;
    iocb.kiFlags = 0;
    iocb.kiData = 0;
    iocb.private = null;
    iocb.kiFreeze = false;
    iocb.syncResult = -EIOCBQUEUED;
    iocb.iter.reset(iov);
    iocb.iter.userBacked = true;
  }
}

function setFlags(iocb: Kiocb, { polled }: Kioctx, flags: number): void {
  iocb.kiFlags = flags;
  if ((flags & IOCB_HIPRI) !== 0) polled.push(iocb);
}

/**
 * What a result comes to that may ask for the system call to begin again:
 * there is no way to do that for one request of many.
 */
function restarted(ret: number): number {
  const isRestart = ret === -ERESTARTSYS || ret === -ERESTARTNOINTR ||
    ret === -ERESTARTNOHAND || ret === -ERESTART_RESTARTBLOCK;
  return isRestart ? -EINTR : ret;
}

/** The end of a write whose protection lasts as long as its submission. */
function* endLater(sb: SuperBlock, writing: Task<number>): Task<number> {
  const ret = yield* writing;
  sbEndWrite(sb);
  return ret;
}

/** The file operation of a request. */
function rwFile(iocb: Kiocb, rw: Rw): MaybeTask<number> {
  const { fs } = iocb.kiFilp.fInode.iSb;
  const own = rw === WRITE ? fs.aioWrite : fs.aioRead;
  if (own !== undefined) return own.call(fs, iocb, iocb.iter);
  return rw === READ ? genericFileAioRead(iocb) : genericFileAioWrite(iocb);
}

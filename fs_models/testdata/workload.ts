/**
 * A workload: calls on one file, one after the other, on a model and on the
 * specification.
 *
 * @module
 */

import {
  type DirectIo,
  doTruncate,
  EOPNOTSUPP,
  errnoName,
  fifo,
  type File,
  type Inode,
  type IoEvent,
  type Iovec,
  Kernel,
  type Kioctx,
  O_APPEND,
  O_DIRECT,
  O_DSYNC,
  PAGE_SIZE,
  type ProfileName,
  random,
  READ,
  type Rw,
  type Task,
  UserMemory,
  vfsFallocate,
  vfsFsync,
  vfsPunchHole,
  WRITE,
} from "../../core/mod.ts";
import { MemoryDevice } from "../../devices/mod.ts";
import type { ModelSpec } from "../model.ts";
import { ReferenceFile } from "./reference_file.ts";

/** A piece of a buffer: length, and how far behind a page it starts. */
export type Piece = readonly [bytes: number, shift: number];

/** A read or write. */
export interface WorkTransfer {
  readonly op: "write" | "append" | "read" | "buffered_write" | "buffered_read";
  /** First byte in the file; an append begins at its end. */
  readonly offset: number;
  /** The buffer. */
  readonly pieces: readonly Piece[];
  /** Whether it is submitted, and its event taken. */
  readonly isAsync: boolean;
}

/** One call. */
export type WorkOp =
  | WorkTransfer
  | { readonly op: "truncate"; readonly size: number }
  | {
    readonly op: "fallocate" | "punch_hole";
    readonly offset: number;
    readonly bytes: number;
  }
  | { readonly op: "fsync" };

/** Calls on one file, and what is special about it. */
export interface Workload {
  readonly ops: readonly WorkOp[];
  /** Whether the file is open with O_DSYNC. */
  readonly isDsync: boolean;
  /** Smallest unit of transfer of the device in bytes. */
  readonly sector: 512 | 4096;
  /** Who decides about every step; null when nobody does. */
  readonly seed: number | null;
}

/** Appends that would reach behind it are left out. */
const FILE_LIMIT = 80 << 10;

const DEVICE_BYTES = 1 << 20;
const MEMORY_BYTES = 1 << 20;
/** What the disk holds where nothing was written, and a buffer before a read. */
const STALE = 0xee;

/** Where workloads are run, again and again. */
export class WorkBench {
  readonly #memory: UserMemory = new UserMemory(MEMORY_BYTES);
  readonly #devices: ReadonlyMap<number, MemoryDevice> = new Map(
    ([512, 4096] as const).map((logicalBlockSize) => [
      logicalBlockSize,
      new MemoryDevice({ sizeBytes: DEVICE_BYTES, logicalBlockSize }),
    ]),
  );

  /**
   * Runs a workload on a model and on the specification.
   *
   * @param spec The model.
   * @param profile Whose semantics are in force.
   * @param workload The workload.
   * @param directIo A variant of the core, if any.
   * @returns The first difference, or null.
   */
  run(
    spec: ModelSpec,
    profile: ProfileName,
    workload: Workload,
    directIo?: (kernel: Kernel) => DirectIo,
  ): string | null {
    this.#memory.reset();
    const device = this.#devices.get(workload.sector) as MemoryDevice;
    device.store.fill(STALE);
    const { seed } = workload;
    const kernel = new Kernel({
      profile,
      memory: this.#memory,
      tracing: false,
      strategy: seed === null ? fifo() : random(seed),
      ...(directIo && { directIo }),
    });
    device.attach(kernel);
    const fs = spec.mount(kernel, device);
    const inode = fs.createFile({ size: 0, extents: [] });
    const run = new WorkRun(kernel, inode, workload);
    kernel.spawn("workload", run.task());
    const { bug, hung } = kernel.run();
    return bug?.message ?? hung ?? run.difference ?? leak(kernel, inode);
  }
}

/** One run of a workload. */
class WorkRun {
  difference: string | null = null;
  readonly #kernel: Kernel;
  readonly #inode: Inode;
  readonly #ring: Kioctx;
  readonly #workload: Workload;
  readonly #reference: ReferenceFile;
  #nth = 0;

  constructor(kernel: Kernel, inode: Inode, workload: Workload) {
    this.#kernel = kernel;
    this.#inode = inode;
    this.#ring = kernel.aio.ioSetup(1);
    this.#workload = workload;
    this.#reference = new ReferenceFile(FILE_LIMIT, workload.sector);
  }

  *task(): Task<void> {
    for (const op of this.#workload.ops) {
      this.#nth++;
      yield* this.#step(op);
      const { size } = this.#reference;
      const { iSize } = this.#inode;
      if (iSize !== size) this.#differ(`a size of ${iSize}, not ${size}`);
      if (this.difference !== null) return;
    }
    const pieces: Piece[] = [[
      this.#reference.size + PAGE_SIZE & -PAGE_SIZE,
      0,
    ]];
    for (const op of ["read", "buffered_read"] as const) {
      yield* this.#step({ op, offset: 0, pieces, isAsync: false });
    }
  }

  *#step(op: WorkOp): Task<void> {
    const inode = this.#inode;
    const reference = this.#reference;
    switch (op.op) {
      case "truncate":
        reference.truncate(op.size);
        return this.#expect([0], yield* doTruncate(inode, op.size));
      case "fallocate": {
        const ret = yield* vfsFallocate(inode, op.offset, op.bytes);
        if (ret === -EOPNOTSUPP) return;
        reference.fallocate(op.offset, op.bytes);
        return this.#expect([0], ret);
      }
      case "punch_hole":
        reference.punchHole(op.offset, op.bytes);
        return this.#expect(
          [0],
          yield* vfsPunchHole(inode, op.offset, op.bytes),
        );
      case "fsync":
        return this.#expect([0], yield* vfsFsync(inode));
      default:
        return yield* this.#transfer(op);
    }
  }

  *#transfer(op: WorkTransfer): Task<void> {
    const reference = this.#reference;
    const isDirect = op.op === "write" || op.op === "append" ||
      op.op === "read";
    const rw = op.op.endsWith("read") ? READ : WRITE;
    const offset = op.op === "append" ? reference.size : op.offset;
    const room = FILE_LIMIT - offset;
    if (op.pieces.reduce((sum, [len]) => sum + len, 0) > room) return;
    const iov = this.#buffer(op.pieces, rw);
    // A piece without bytes has an address all the same, before iov_iter.
    const counts = iov.filter(({ len }) =>
      len > 0 || this.#kernel.profile.segmentAtATime
    );
    const align = counts.reduce((bits, { base, len }) => bits | base | len, 0);
    const bytes = iov.reduce((sum, { len }) => sum + len, 0);
    const flags = (isDirect ? O_DIRECT : 0) |
      (op.op === "append" ? O_APPEND : 0) |
      (this.#workload.isDsync ? O_DSYNC : 0);
    const file = { fInode: this.#inode, fFlags: flags };
    const actual = yield* this.#call(file, rw, iov, op.offset, op.isAsync);
    if (rw === READ) {
      const expected = isDirect
        ? reference.readDirect(offset, bytes, align)
        : [reference.read(offset, bytes)];
      this.#expect(expected, actual);
      if (actual > 0) this.#compare(iov, offset, actual);
      return;
    }
    const data = this.#gather(iov, bytes);
    const written = isDirect
      ? reference.writeDirect(offset, data, align)
      : reference.write(offset, data);
    this.#expect([written], actual);
  }

  *#call(
    file: File,
    rw: Rw,
    iov: readonly Iovec[],
    offset: number,
    isAsync: boolean,
  ): Task<number> {
    const { aio } = this.#kernel;
    if (!isAsync) return yield* aio.syncRw(file, rw, iov, offset);
    const request = { file, rw, iov, offset, data: this.#nth };
    const submitted = yield* aio.ioSubmit(this.#ring, request);
    if (submitted !== 1) return submitted;
    const events: IoEvent[] = [];
    yield* aio.ioGetevents(this.#ring, 1, events);
    const [event] = events;
    if (event?.data !== this.#nth) this.#differ("the event of another call");
    return event?.res ?? NaN;
  }

  /** A buffer, full of what no other call writes, or of what no call does. */
  #buffer(pieces: readonly Piece[], rw: Rw): Iovec[] {
    const { memory } = this.#kernel;
    let next = this.#nth * 31;
    return pieces.map(([len, shift]) => {
      const base = memory.alloc(len, shift);
      const bytes = memory.bytes(base, len);
      if (rw === READ) bytes.fill(STALE);
      else for (let i = 0; i < len; i++) bytes[i] = 1 + next++ % 229;
      return { base, len };
    });
  }

  #gather(iov: readonly Iovec[], length: number): Uint8Array {
    const data = new Uint8Array(length);
    let at = 0;
    for (const { base, len } of iov) {
      data.set(this.#kernel.memory.bytes(base, len), at);
      at += len;
    }
    return data;
  }

  #compare(iov: readonly Iovec[], offset: number, bytes: number): void {
    const got = this.#gather(iov, iov.reduce((sum, { len }) => sum + len, 0));
    const { content } = this.#reference;
    for (let i = 0; i < bytes; i++) {
      if (got[i] === content[offset + i]) continue;
      return this.#differ(
        `${got[i]} at byte ${offset + i}, not ${content[offset + i]}`,
      );
    }
  }

  #expect(expected: readonly number[], actual: number): void {
    if (expected.includes(actual)) return;
    const [wanted = NaN] = expected;
    this.#differ(`a result of ${text(actual)}, not ${text(wanted)}`);
  }

  #differ(what: string): void {
    const op = this.#workload.ops[this.#nth - 1];
    this.difference ??= `${what}, of call ${this.#nth}: ${JSON.stringify(op)}`;
  }
}

function text(result: number): string {
  return result < 0 ? errnoName(result) : `${result}`;
}

/** What is still allocated, pinned or counted when nothing is in flight. */
function leak(kernel: Kernel, { iDioCount }: Inode): string | null {
  const { bios, memory, directIo, aio } = kernel;
  const pins = memory.liveIds().length;
  const live = bios.cache.inUse + directIo.dioCache.inUse + aio.cache.inUse;
  return pins + live + iDioCount === 0
    ? null
    : `${pins} pages pinned, ${live} objects allocated, ${iDioCount} counted`;
}

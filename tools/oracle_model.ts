/**
 * Runs the oracle's cases on a filesystem model.
 *
 * @module
 */

import {
  doTruncate,
  EOPNOTSUPP,
  type File,
  IOCB_NOWAIT,
  type IoEvent,
  type Iovec,
  Kernel,
  type Kioctx,
  O_APPEND,
  O_DIRECT,
  O_DSYNC,
  type ProfileName,
  READ,
  type Task,
  UserMemory,
  vfsFallocate,
  vfsFsync,
  vfsPunchHole,
  WRITE,
} from "../core/mod.ts";
import { MemoryDevice } from "../devices/mod.ts";
import type { ModelSpec } from "../fs_models/mod.ts";
import {
  blocksAround,
  bytesRead,
  fillBuffer,
  piecesOf,
} from "./oracle_buffer.ts";
import {
  BLOCK,
  isRefusal,
  isTransfer,
  type OracleCase,
  type OracleOp,
  type OracleRun,
  type OracleStep,
  type OracleTransfer,
} from "./oracle_case.ts";

const DEVICE_BYTES = 4 << 20;
const MEMORY_BYTES = 8 << 20;

/** A model, and whose semantics it has. */
export interface ModelChoice {
  /** The model. */
  readonly spec: ModelSpec;
  /** Whose semantics are in force. */
  readonly profile: ProfileName;
  /** What offsets and lengths must be multiples of, in bytes. */
  readonly logicalBlockSize: 512 | 4096;
}

/**
 * Runs a case.
 *
 * @param choice The model.
 * @param oracleCase The case.
 * @returns What it came to; null when the model has no fallocate() and the
 * set-up needs it.
 * @throws {Error} If a task of the simulated kernel waits for ever, or breaks
 * something: a defect of the model.
 */
export function runOnModel(
  { spec, profile, logicalBlockSize }: ModelChoice,
  oracleCase: OracleCase,
): OracleRun | null {
  const memory = new UserMemory(MEMORY_BYTES);
  const kernel = new Kernel({
    profile,
    memory,
    tracing: false,
    ...(spec.directIo && { directIo: spec.directIo }),
  });
  const device = new MemoryDevice({
    sizeBytes: DEVICE_BYTES,
    logicalBlockSize,
  });
  device.attach(kernel);
  const fs = spec.mount(kernel, device);
  const task = new ModelTask(kernel, fs.createFile({ size: 0, extents: [] }));
  kernel.spawn("oracle", task.run(oracleCase));
  const { bug, hung } = kernel.run();
  if (bug !== null || hung !== null) throw new Error(bug?.message ?? hung!);
  return task.isUnable ? null : task;
}

type ModelInode = ReturnType<ReturnType<ModelSpec["mount"]>["createFile"]>;

class ModelTask implements OracleRun {
  startSize = 0;
  readonly steps: OracleStep[] = [];
  content: Uint8Array = new Uint8Array();
  /** Whether the model lacks something that the set-up needs. */
  isUnable = false;
  readonly #kernel: Kernel;
  readonly #inode: ModelInode;
  readonly #ring: Kioctx;

  constructor(kernel: Kernel, inode: ModelInode) {
    this.#kernel = kernel;
    this.#inode = inode;
    this.#ring = kernel.aio.ioSetup(1);
  }

  *run(oracleCase: OracleCase): Task<void> {
    const { dsync = false, append = false } = oracleCase;
    let nth = 0;
    for (const op of oracleCase.setUp) {
      const { result } = yield* this.#step(op, O_DIRECT, nth++);
      if (result === -EOPNOTSUPP) this.isUnable = true;
      if (result < 0) return;
    }
    this.startSize = this.#inode.iSize;
    const flags = O_DIRECT | (dsync ? O_DSYNC : 0) | (append ? O_APPEND : 0);
    for (const op of oracleCase.ops) {
      this.steps.push(yield* this.#step(op, flags, nth++));
    }
    const bytes = Math.ceil(this.#inode.iSize / BLOCK) * BLOCK;
    const all = { op: "read", offset: 0, bytes } as const;
    this.content = (yield* this.#step(all, O_DIRECT, nth)).data;
  }

  *#step(op: OracleOp, flags: number, nth: number): Task<OracleStep> {
    const inode = this.#inode;
    let result: number;
    let data: Uint8Array = new Uint8Array();
    if (isTransfer(op)) {
      ({ result, data } = yield* this.#transfer(op, flags, nth));
    } else if (op.op === "truncate") {
      result = yield* doTruncate(inode, op.size);
    } else if (op.op === "fallocate") {
      result = yield* vfsFallocate(inode, op.offset, op.bytes);
    } else if (op.op === "punch_hole") {
      result = yield* vfsPunchHole(inode, op.offset, op.bytes);
    } else result = yield* vfsFsync(inode);
    return { op, result, size: inode.iSize, data };
  }

  *#transfer(
    op: OracleTransfer,
    fFlags: number,
    nth: number,
  ): Task<{ result: number; data: Uint8Array }> {
    const { memory } = this.#kernel;
    const pieces = piecesOf(op);
    const { start = 0, length = 0 } = pieces.at(-1) ?? {};
    const base = memory.alloc(start + length + BLOCK);
    const iov = pieces.map((each) => ({
      base: base + each.start,
      len: each.length,
    }));
    const views = iov.map(({ base, len }) => memory.bytes(base, len));
    fillBuffer(op, views, nth);
    const file = { fInode: this.#inode, fFlags };
    const first = yield* this.#call(op, file, iov, op.nowait);
    const result = isRefusal(op, first)
      ? yield* this.#call(op, file, iov)
      : first;
    const data = result < 0
      ? yield* this.#holds(op)
      : bytesRead(op, views, result);
    return { result: first, data };
  }

  /** What lies where a transfer would have gone. */
  *#holds(op: OracleTransfer): Task<Uint8Array> {
    const { offset, bytes, skip } = blocksAround(op);
    if (bytes === 0) return new Uint8Array();
    const all = { op: "read", offset, bytes } as const;
    const { data } = yield* this.#transfer(all, O_DIRECT, 0);
    return data.subarray(skip, skip + op.bytes);
  }

  *#call(
    op: OracleTransfer,
    file: File,
    iov: Iovec[],
    nowait: boolean = false,
  ): Task<number> {
    const { aio } = this.#kernel;
    const rw = op.op === "write" ? WRITE : READ;
    const flags = nowait ? IOCB_NOWAIT : 0;
    if (!op.isAsync) return yield* aio.syncRw(file, rw, iov, op.offset, flags);
    const request = { file, rw, iov, offset: op.offset, data: 0, flags };
    const submitted = yield* aio.ioSubmit(this.#ring, request);
    if (submitted < 0) return submitted;
    const events: IoEvent[] = [];
    yield* aio.ioGetevents(this.#ring, 1, events);
    return events[0]?.res ?? NaN;
  }
}

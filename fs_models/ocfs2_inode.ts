/**
 * The in-memory inode of ocfs2, and what a request carries through direct I/O
 * for it: four bits in its private word.
 *
 * Source: fs/ocfs2/inode.h, fs/ocfs2/aops.h.
 *
 * @module
 */

import {
  Inode,
  type Kiocb,
  SCHEDULE,
  type Step,
  type SuperBlock,
  type Task,
  WaitQueue,
  writeStep,
} from "../core/mod.ts";
import {
  ClusterLock,
  LEVEL_EXCLUSIVE,
  LEVEL_SHARED,
  type LockLevel,
} from "./cluster_lock.ts";
import type { ExtentMap } from "./extent_map.ts";

/** Bit of the private word: the rw lock is held for this request. */
export const OCFS2_IOCB_RW_LOCK: number = 1 << 0;
/** Bit of the private word: it is held exclusively. */
export const OCFS2_IOCB_RW_LOCK_LEVEL: number = 1 << 1;
/** Bit of the private word: a semaphore of old was held. */
export const OCFS2_IOCB_SEM: number = 1 << 2;
/** Bit of the private word: it is counted as writing parts of blocks. */
export const OCFS2_IOCB_UNALIGNED_IO: number = 1 << 3;

/**
 * A file of ocfs2.
 *
 * @example
 * ```ts
 * import { Kernel } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { Ocfs2 } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * device.attach(kernel);
 * const inode = new Ocfs2(kernel, device).createFile({ size: 0, extents: [] });
 * assertEquals(inode.rwLock.holders, 0);
 * ```
 */
export class Ocfs2Inode extends Inode {
  /** Where its blocks lie. */
  readonly extents: ExtentMap;
  /** `ip_rw_lockres`: who reads and writes, from submission to end. */
  readonly rwLock: ClusterLock;
  /** `ip_inode_lockres`: who looks at or changes the inode. */
  readonly inodeLock: ClusterLock;
  /** Asynchronous writes of parts of blocks in flight. */
  ipUnalignedAio = 0;
  readonly #unalignedWait: WaitQueue;
  readonly #unalignedStep: Step;

  /**
   * Makes a file.
   *
   * @param sb The filesystem.
   * @param ino Its number.
   * @param size Its size in bytes.
   * @param extents Where its blocks lie.
   */
  constructor(sb: SuperBlock, ino: number, size: number, extents: ExtentMap) {
    super(sb, ino, size);
    const { kernel } = sb;
    this.extents = extents;
    this.rwLock = new ClusterLock(kernel, `rw lock of inode ${ino}`);
    this.inodeLock = new ClusterLock(kernel, `inode lock of inode ${ino}`);
    this.#unalignedWait = new WaitQueue(
      kernel,
      `unaligned writes of inode ${ino} to end`,
    );
    this.#unalignedStep = writeStep(kernel.newAddr());
  }

  /** `ocfs2_aiodio_wait()`: until no write of parts of blocks is in flight. */
  *aiodioWait(): Task<void> {
    const { kernel } = this.iSb;
    kernel.mightSleep("ocfs2_aiodio_wait");
    for (;;) {
      if (kernel.stepping) yield this.#unalignedWait.step;
      this.#unalignedWait.prepareToWait(kernel);
      if (kernel.stepping) yield this.#unalignedStep;
      if (this.ipUnalignedAio === 0) break;
      yield SCHEDULE;
    }
    this.#unalignedWait.finishWait(kernel);
  }

  /** Such a write begins. */
  *unalignedBegin(): Task<void> {
    if (this.iSb.kernel.stepping) yield this.#unalignedStep;
    this.ipUnalignedAio++;
  }

  /** Such a write has ended: who waits is woken. */
  *unalignedDone(): Task<void> {
    const { kernel } = this.iSb;
    if (kernel.stepping) yield this.#unalignedStep;
    if (--this.ipUnalignedAio > 0) return;
    if (kernel.stepping) yield this.#unalignedWait.wakeStep;
    this.#unalignedWait.wakeUp(kernel);
  }
}

/**
 * The private word of a request.
 *
 * @param iocb The request.
 * @returns Its bits: {@linkcode OCFS2_IOCB_RW_LOCK} and the like.
 *
 * @example
 * ```ts
 * import { Kernel } from "@endio/dio/core";
 * import { ocfs2IocbBits, ocfs2IocbSetRwLocked } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const iocb = new Kernel().aio.cache.alloc()!;
 * iocb.private = 0;
 * ocfs2IocbSetRwLocked(iocb, 1);
 * assertEquals(ocfs2IocbBits(iocb), 3);
 * ```
 */
export function ocfs2IocbBits(iocb: Kiocb): number {
  return (iocb.private as number | null) ?? 0;
}

/**
 * `ocfs2_iocb_set_rw_locked()`: from now on whoever ends the request lets go
 * of the lock.
 *
 * @param iocb The request.
 * @param level How the lock is held.
 *
 * @example See {@linkcode ocfs2IocbBits}
 * ```ts
 * import { Kernel } from "@endio/dio/core";
 * import { ocfs2IocbLevel, ocfs2IocbSetRwLocked } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const iocb = new Kernel().aio.cache.alloc()!;
 * iocb.private = 0;
 * ocfs2IocbSetRwLocked(iocb, 0);
 * assertEquals(ocfs2IocbLevel(iocb), 0);
 * ```
 */
export function ocfs2IocbSetRwLocked(iocb: Kiocb, level: LockLevel): void {
  const bits = ocfs2IocbBits(iocb) & ~OCFS2_IOCB_RW_LOCK_LEVEL;
  iocb.private = bits | OCFS2_IOCB_RW_LOCK |
    (level === LEVEL_EXCLUSIVE ? OCFS2_IOCB_RW_LOCK_LEVEL : 0);
}

/**
 * `ocfs2_iocb_rw_locked_level()`.
 *
 * @param iocb The request.
 * @returns How the lock is held for it.
 *
 * @example
 * ```ts
 * import { Kernel } from "@endio/dio/core";
 * import { OCFS2_IOCB_RW_LOCK_LEVEL, ocfs2IocbLevel } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const iocb = new Kernel().aio.cache.alloc()!;
 * iocb.private = OCFS2_IOCB_RW_LOCK_LEVEL;
 * assertEquals(ocfs2IocbLevel(iocb), 1);
 * ```
 */
export function ocfs2IocbLevel(iocb: Kiocb): LockLevel {
  return (ocfs2IocbBits(iocb) & OCFS2_IOCB_RW_LOCK_LEVEL) !== 0
    ? LEVEL_EXCLUSIVE
    : LEVEL_SHARED;
}

/**
 * Clears bits of the private word.
 *
 * @param iocb The request.
 * @param bits Which ones.
 *
 * @example
 * ```ts
 * import { Kernel } from "@endio/dio/core";
 * import { ocfs2IocbBits, ocfs2IocbClear } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const iocb = new Kernel().aio.cache.alloc()!;
 * iocb.private = 7;
 * ocfs2IocbClear(iocb, 5);
 * assertEquals(ocfs2IocbBits(iocb), 2);
 * ```
 */
export function ocfs2IocbClear(iocb: Kiocb, bits: number): void {
  iocb.private = ocfs2IocbBits(iocb) & ~bits;
}

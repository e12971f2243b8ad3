/**
 * The count of direct I/O in flight on an inode, and how truncate waits for
 * it.
 *
 * Source: fs/inode.c, include/linux/fs.h.
 *
 * @module
 */

import { EV } from "./events.ts";
import type { Inode } from "./fs.ts";
import { SCHEDULE, type Task } from "./step.ts";

/**
 * `i_dio_count` goes up by one. The caller holds the lock that keeps those
 * out who wait for the count to drop.
 *
 * @param inode The file.
 * @param dioId The request that is counted, for traces; 0 for a count that a
 * filesystem takes by itself.
 *
 * @example
 * ```ts
 * import { Inode, inodeDioBegin, inodeDioDone, Kernel, SuperBlock } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * const fs = { name: "nofs", directIO: () => 0 };
 * const inode = new Inode(new SuperBlock(kernel, device, 12, fs), 12, 0);
 * kernel.spawn("a", (function* () {
 *   yield* inodeDioBegin(inode, 0);
 *   assertEquals(inode.iDioCount, 1);
 *   yield* inodeDioDone(inode, 0);
 * })());
 * kernel.run();
 * assertEquals(inode.iDioCount, 0);
 * ```
 */
export function* inodeDioBegin(inode: Inode, dioId: number): Task<void> {
  const { kernel } = inode.iSb;
  if (kernel.stepping) yield inode.dioCountStep;
  inode.dioCountUp(dioId);
}

/**
 * `inode_dio_done()` (`inode_dio_end()` since 4.2): `i_dio_count` goes down
 * by one, and who waits for it is woken when it reaches zero.
 *
 * @param inode The file.
 * @param dioId The request, for traces; 0 as in {@linkcode inodeDioBegin}.
 *
 * @example See {@linkcode inodeDioBegin}
 * ```ts
 * import { Inode, inodeDioBegin, inodeDioDone, Kernel, SuperBlock } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * const fs = { name: "nofs", directIO: () => 0 };
 * const inode = new Inode(new SuperBlock(kernel, device, 12, fs), 12, 0);
 * kernel.boot(inodeDioBegin(inode, 0));
 * kernel.boot(inodeDioBegin(inode, 0));
 * kernel.boot(inodeDioDone(inode, 0));
 * assertEquals(inode.iDioCount, 1);
 * ```
 */
export function* inodeDioDone(inode: Inode, dioId: number): Task<void> {
  const { kernel } = inode.iSb;
  if (kernel.stepping) yield inode.dioCountStep;
  if (!inode.dioCountDown(dioId)) return;
  if (kernel.stepping) yield inode.dioWait.wakeStep;
  inode.dioWait.wakeUp(kernel);
}

/**
 * `inode_dio_wait()`: sleeps until no direct I/O is in flight. The caller
 * holds a lock that keeps new requests out.
 *
 * @param inode The file.
 *
 * @example
 * ```ts
 * import { Inode, inodeDioWait, Kernel, SuperBlock } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * const fs = { name: "nofs", directIO: () => 0 };
 * const inode = new Inode(new SuperBlock(kernel, device, 12, fs), 12, 0);
 * kernel.spawn("truncate", inodeDioWait(inode));
 * assertEquals(kernel.run().hung, null);
 * ```
 */
export function* inodeDioWait(inode: Inode): Task<void> {
  const { kernel } = inode.iSb;
  kernel.mightSleep("inode_dio_wait");
  const queue = inode.dioWait;
  for (let round = 0;; round++) {
    if (kernel.stepping) yield queue.step;
    queue.prepareToWait(kernel);
    if (kernel.stepping) yield inode.dioCountReadStep;
    const { iDioCount } = inode;
    if (round === 0 && kernel.tracing) {
      kernel.emit(EV.inode_dio_wait, inode.iIno, iDioCount);
    }
    if (iDioCount === 0) break;
    yield SCHEDULE;
  }
  queue.finishWait(kernel);
  if (kernel.tracing) kernel.emit(EV.inode_dio_wait_return, inode.iIno);
}

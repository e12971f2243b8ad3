/**
 * Freezing a filesystem: from then on nothing is written to its device, until
 * it is thawed. Who is about to write takes a protection, and a freeze waits
 * until nobody has one.
 *
 * Source: fs/super.c.
 *
 * @module
 */

import { KernelBug } from "./bug.ts";
import { EBUSY, EINVAL } from "./errno.ts";
import { EV } from "./events.ts";
import type { SuperBlock } from "./fs.ts";
import type { Kernel } from "./kernel.ts";
import { readStep, SCHEDULE, type Step, type Task, writeStep } from "./step.ts";
import { syncfs } from "./sync.ts";
import { WaitQueue } from "./wait.ts";

/**
 * Who writes to a filesystem, and whether anybody may: `struct sb_writers`.
 *
 * @example
 * ```ts
 * import { Kernel, SbWriters } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const writers = new SbWriters(new Kernel(), "sda");
 * assertEquals([writers.count, writers.frozen], [0, false]);
 * ```
 */
export class SbWriters {
  /** Protections that are held. */
  count = 0;
  /** Whether a freeze has begun and was not undone. */
  frozen = false;
  /** Who waits until nobody writes. */
  readonly wait: WaitQueue;
  /** Who waits until it is thawed. */
  readonly waitUnfrozen: WaitQueue;
  /**
   * The step before a protection is taken or dropped. The order of two of them
   * makes no difference, only that of one and a freeze.
   */
  readonly writerStep: Step;
  /** The step before a freeze or a thaw changes anything. */
  readonly freezeStep: Step;

  /**
   * Makes the counter of a superblock.
   *
   * @param kernel The kernel.
   * @param sId The superblock's name.
   */
  constructor(kernel: Kernel, sId: string) {
    this.wait = new WaitQueue(kernel, `writers of ${sId} to end`, {
      state: () => `${this.count} are left`,
    });
    this.waitUnfrozen = new WaitQueue(kernel, `${sId} to be thawed`);
    const addr = kernel.newAddr();
    this.writerStep = readStep(addr);
    this.freezeStep = writeStep(addr);
  }
}

/**
 * `sb_start_write()`: takes the protection, as soon as the filesystem is not
 * frozen; may sleep.
 *
 * @param sb The filesystem.
 * @returns What is left to be run in this context, or null.
 *
 * @example
 * ```ts
 * import { Kernel, sbEndWrite, sbStartWrite, SuperBlock } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * const fs = { name: "nofs", directIO: () => 0 };
 * const sb = new SuperBlock(kernel, device, 12, fs);
 * assertEquals(sbStartWrite(sb), null);
 * assertEquals(sb.sWriters.count, 1);
 * sbEndWrite(sb);
 * ```
 */
export function sbStartWrite(sb: SuperBlock): Task<void> | null {
  const { sWriters, kernel } = sb;
  if (kernel.stepping || sWriters.frozen) return startLater(kernel, sWriters);
  sWriters.count++;
  return null;
}

function* startLater(kernel: Kernel, writers: SbWriters): Task<void> {
  kernel.mightSleep("sb_start_write");
  const { waitUnfrozen } = writers;
  for (;;) {
    if (kernel.stepping) yield writers.writerStep;
    if (!writers.frozen) break;
    waitUnfrozen.prepareToWait(kernel);
    yield SCHEDULE;
  }
  waitUnfrozen.finishWait(kernel);
  writers.count++;
}

/**
 * `sb_end_write()`: drops the protection, in any context.
 *
 * @param sb The filesystem.
 * @throws {KernelBug} If nobody has one.
 *
 * @example See {@linkcode sbStartWrite}
 * ```ts
 * import { Kernel, sbEndWrite, SuperBlock } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertThrows } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * const fs = { name: "nofs", directIO: () => 0 };
 * const sb = new SuperBlock(kernel, device, 12, fs);
 * assertThrows(() => sbEndWrite(sb), Error, "but nobody has it");
 * ```
 */
export function sbEndWrite(sb: SuperBlock): void {
  const { sWriters, kernel } = sb;
  if (kernel.stepping) kernel.touch(sWriters.writerStep);
  if (sWriters.count === 0) {
    throw new KernelBug(
      "pinned-until-done/freeze-protection",
      `superblock ${sb.sId}`,
      `the protection of ${sb.sId} against a freeze is dropped, but nobody has it`,
    );
  }
  sWriters.count--;
  if (sWriters.frozen) sWriters.wait.wakeUp(kernel);
}

/**
 * `freeze_super()`: keeps new writers out, waits for those that are there, and
 * makes everything stable.
 *
 * @param sb The filesystem.
 * @returns 0, or `-EBUSY` when it is frozen already.
 *
 * @example
 * ```ts
 * import { freezeSuper, Kernel, SuperBlock, thawSuper } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * const fs = { name: "nofs", directIO: () => 0 };
 * const sb = new SuperBlock(kernel, device, 12, fs);
 * kernel.spawn("fsfreeze", (function* () {
 *   assertEquals(yield* freezeSuper(sb), 0);
 *   assertEquals(yield* freezeSuper(sb), -16);
 *   assertEquals(yield* thawSuper(sb), 0);
 * })());
 * assertEquals(kernel.run().hung, null);
 * ```
 */
export function* freezeSuper(sb: SuperBlock): Task<number> {
  const { sWriters: writers, kernel } = sb;
  kernel.mightSleep("freeze_super");
  if (kernel.stepping) yield writers.freezeStep;
  if (writers.frozen) return -EBUSY;
  writers.frozen = true;
  if (kernel.tracing) kernel.emit(EV.freeze_super, kernel.trace.str(sb.sId));
  for (;;) {
    if (kernel.stepping) yield writers.freezeStep;
    if (writers.count === 0) break;
    writers.wait.prepareToWait(kernel);
    yield SCHEDULE;
  }
  writers.wait.finishWait(kernel);
  yield* syncfs(sb);
  if (kernel.tracing) {
    kernel.emit(EV.freeze_super_return, kernel.trace.str(sb.sId), 0);
  }
  return 0;
}

/**
 * `thaw_super()`: lets writers in again.
 *
 * @param sb The filesystem.
 * @returns 0, or `-EINVAL` when it is not frozen.
 *
 * @example See {@linkcode freezeSuper}
 * ```ts
 * import { EINVAL, Kernel, SuperBlock, thawSuper } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * const fs = { name: "nofs", directIO: () => 0 };
 * const sb = new SuperBlock(kernel, device, 12, fs);
 * assertEquals(kernel.boot(thawSuper(sb)), -EINVAL);
 * ```
 */
export function* thawSuper(sb: SuperBlock): Task<number> {
  const { sWriters: writers, kernel } = sb;
  if (kernel.stepping) yield writers.freezeStep;
  if (!writers.frozen) return -EINVAL;
  writers.frozen = false;
  if (kernel.tracing) kernel.emit(EV.thaw_super, kernel.trace.str(sb.sId));
  writers.waitUnfrozen.wakeUp(kernel);
  return 0;
}

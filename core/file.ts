/**
 * Open files whose references are counted: who may still use one, and when it
 * is gone.
 *
 * A plain object with an inode and flags will do for a file that is open all
 * the time; this is for files that somebody closes while requests are in
 * flight.
 *
 * Source: fs/open.c, fs/file_table.c.
 *
 * @module
 */

import { KernelBug } from "./bug.ts";
import { EV } from "./events.ts";
import type { File, Inode } from "./fs.ts";
import type { Kernel } from "./kernel.ts";
import { SlabObject, use } from "./slab.ts";
import { type Task, writeStep } from "./step.ts";
import { WorkItem } from "./work_item.ts";

/**
 * An open file: `struct file`. Made by {@linkcode filpOpen}.
 *
 * @example
 * ```ts
 * import { filpClose, filpOpen, Inode, Kernel, O_DIRECT, SuperBlock } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * const fs = { name: "nofs", directIO: () => 0 };
 * const inode = new Inode(new SuperBlock(kernel, device, 12, fs), 12, 8192);
 * const file = filpOpen(inode, O_DIRECT);
 * assertEquals([file.fCount, inode.iSb.openFiles], [1, 1]);
 * kernel.spawn("a", filpClose(file));
 * kernel.run();
 * assertEquals([file.live, inode.iSb.openFiles], [false, 0]);
 * ```
 */
export class OpenFile extends SlabObject implements File {
  /** The file. */
  fInode!: Inode;
  /** `O_DIRECT` and the like. */
  fFlags = 0;
  /** References: the descriptor's, and one for each request. */
  fCount = 0;
  /** What runs when the last reference goes where that must not sleep. */
  readonly fputWork: WorkItem = new WorkItem();
}

/**
 * `filp_open()`.
 *
 * @param inode The file.
 * @param flags `O_DIRECT` and the like.
 * @returns The open file, with one reference.
 * @throws {RangeError} If the kernel was told that the allocation fails.
 *
 * @example See {@linkcode OpenFile}
 * ```ts
 * import { filpOpen, Inode, Kernel, O_DIRECT, SuperBlock } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * const fs = { name: "nofs", directIO: () => 0 };
 * const sb = new SuperBlock(kernel, device, 12, fs);
 * const file = filpOpen(new Inode(sb, 12, 8192), O_DIRECT);
 * assertEquals([file.fCount, sb.openFiles], [1, 1]);
 * ```
 */
export function filpOpen(inode: Inode, flags: number): OpenFile {
  const file = inode.iSb.kernel.filps.alloc();
  if (file === null) {
    throw new RangeError(
      "Cannot let an allocation of 'filp' fail: open files are there before anything is tested",
    );
  }
  file.fInode = inode;
  file.fFlags = flags;
  file.fCount = 1;
  inode.iSb.openFiles++;
  return file;
}

/**
 * `filp_close()`: the task lets go of its file. Requests in flight keep it.
 *
 * @param file The open file.
 *
 * @example See {@linkcode OpenFile}
 * ```ts
 * import { filpClose, filpOpen, Inode, Kernel, O_DIRECT, SuperBlock } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * const fs = { name: "nofs", directIO: () => 0 };
 * const sb = new SuperBlock(kernel, device, 12, fs);
 * const file = filpOpen(new Inode(sb, 12, 8192), O_DIRECT);
 * kernel.spawn("close", filpClose(file));
 * kernel.run();
 * assertEquals([file.live, sb.openFiles], [false, 0]);
 * ```
 */
export function* filpClose(file: OpenFile): Task<void> {
  const { kernel } = use(file).fInode.iSb;
  if (kernel.stepping) yield writeStep(file.addr);
  if (kernel.tracing) kernel.emit(EV.filp_close, file.id, file.fInode.iIno);
  const rest = fput(file);
  if (rest !== null) yield* rest;
}

/**
 * `get_file()`: takes a reference for a request.
 *
 * @param file The open file.
 *
 * @example
 * ```ts
 * import {
 *   filpOpen,
 *   getFile,
 *   Inode,
 *   Kernel,
 *   O_DIRECT,
 *   SuperBlock,
 * } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * const fs = { name: "nofs", directIO: () => 0 };
 * const sb = new SuperBlock(kernel, device, 12, fs);
 * const file = filpOpen(new Inode(sb, 12, 8192), O_DIRECT);
 * getFile(file);
 * assertEquals(file.fCount, 2);
 * ```
 */
export function getFile(file: File): void {
  if (!isCounted(file)) return;
  const { kernel } = use(file).fInode.iSb;
  kernel.touch(writeStep(file.addr));
  file.fCount++;
}

/**
 * `fput()`: drops a reference. Without the last one the file is gone; that may
 * sleep, so an interrupt or a worker leaves it to another.
 *
 * @param file The open file.
 * @returns What is left to be run in this context, or null.
 *
 * @example
 * ```ts
 * import { fput, Inode, Kernel, O_DIRECT, SuperBlock } from "@endio/dio/core";
 * import { MemoryDevice } from "@endio/dio/devices";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const device = new MemoryDevice({ sizeBytes: 1 << 20 });
 * const fs = { name: "nofs", directIO: () => 0 };
 * const inode = new Inode(new SuperBlock(kernel, device, 12, fs), 12, 8192);
 * assertEquals(fput({ fInode: inode, fFlags: O_DIRECT }), null);
 * ```
 */
export function fput(file: File): Task<unknown> | null {
  if (!isCounted(file)) return null;
  const { kernel } = use(file).fInode.iSb;
  kernel.touch(writeStep(file.addr));
  if (--file.fCount > 0) return null;
  if (kernel.current.kind === "task") return release(kernel, file);
  file.fputWork.init("delayed_fput", () => release(kernel, file));
  return kernel.systemWq.queueWork(file.fputWork);
}

function isCounted(file: File): file is OpenFile {
  return file.fCount !== undefined;
}

/** `__fput()`: nobody refers to the file any more. */
function* release(kernel: Kernel, file: OpenFile): Task<void> {
  const { id, fInode: { iIno, iSb } } = use(file);
  kernel.mightSleep("__fput");
  if (kernel.tracing) kernel.emit(EV.__fput, id, iIno);
  if (kernel.stepping) yield iSb.openFilesStep;
  iSb.openFiles--;
  kernel.filps.free(file);
  const { unpinned } = iSb;
  if (unpinned === null) return;
  if (kernel.stepping) yield unpinned.wakeStep;
  unpinned.wakeUp(kernel);
}

/**
 * Checks that no file is open when a filesystem is taken apart: open files
 * pin the mount.
 *
 * @param openFiles How many are open.
 * @param sId The name of the superblock.
 * @throws {KernelBug} If there are any.
 *
 * @example
 * ```ts
 * import { checkUnpinned } from "@endio/dio/core";
 * import { assertThrows } from "@std/assert";
 *
 * checkUnpinned(0, "sda");
 * assertThrows(() => checkUnpinned(2, "sda"), Error, "2 files of sda are open");
 * ```
 */
export function checkUnpinned(openFiles: number, sId: string): void {
  if (openFiles === 0) return;
  throw new KernelBug(
    "pinned-until-done/mount",
    `superblock ${sId}`,
    `${openFiles} files of ${sId} are open while it is taken apart`,
  );
}

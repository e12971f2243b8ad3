/**
 * What the rows of the 2013 patch are checked with: models as they were before
 * it, with the direct I/O of Linux 3.11, and as they are after it.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { DioOps, Inode, Kernel, TraceEvent } from "../../core/mod.ts";
import type { MemoryDevice } from "../../devices/mod.ts";
import { Ext4 } from "../ext4.ts";
import { LegacyDirectIo } from "../legacy_direct_io.ts";
import { LegacyExt4 } from "../legacy_ext4.ts";
import { LegacyOcfs2 } from "../legacy_ocfs2.ts";
import { LegacyXfs } from "../legacy_xfs.ts";
import type { FileLayout, FilesystemModel } from "../model.ts";
import { Ocfs2 } from "../ocfs2.ts";
import { Xfs } from "../xfs.ts";
import { BLOCK, Mounted, type MountedOptions } from "./mounted.ts";

/** One row of the patch. */
export interface SeedRow {
  /** Its number in the table. */
  readonly id: string;
  /** The file and function. */
  readonly where: string;
  /** What was added or removed, in our words. */
  readonly change: string;
  /** Where it is here. */
  readonly here: string;
  /** Fails when it is not so. */
  readonly check: () => void;
}

type Mount = (kernel: Kernel, device: MemoryDevice) => FilesystemModel;
/** Any mounted model. */
export type Rig = Mounted<FilesystemModel, Inode>;

const AFTER: Readonly<Record<string, Mount>> = {
  ext4: (kernel, device) => new Ext4(kernel, device),
  xfs: (kernel, device) => new Xfs(kernel, device),
  ocfs2: (kernel, device) => new Ocfs2(kernel, device),
};
const BEFORE: Readonly<Record<string, Mount>> = {
  ext4: (kernel, device) => new LegacyExt4(kernel, device),
  xfs: (kernel, device) => new LegacyXfs(kernel, device),
  ocfs2: (kernel, device) => new LegacyOcfs2(kernel, device),
};

/** A model as it is since the patch. */
export function after(
  fs: string,
  layout: FileLayout,
  options: MountedOptions = {},
): Rig {
  return new Mounted(AFTER[fs] as Mount, layout, options);
}

/** A model as it was before the patch. */
export function before(fs: string, layout: FileLayout): Rig {
  return new Mounted(BEFORE[fs] as Mount, layout, {
    directIo: (kernel) => new LegacyDirectIo(kernel),
  });
}

/** One asynchronous write of the whole file, to its end. */
export function wrote(rig: Rig): Rig {
  rig.task(rig.async({ bytes: rig.inode.iSize }));
  rig.finish();
  return rig;
}

/** The names of some events, in order. */
export function order(rig: Rig, ...names: string[]): string[] {
  return [...rig.kernel.trace.events()].map(({ ev }) => ev).filter((ev) =>
    names.includes(ev)
  );
}

/** The only event of a name. */
export function only(rig: Rig, name: string): TraceEvent {
  const events = rig.events(name);
  assertEquals(events.length, 1, name);
  return events[0] as TraceEvent;
}

/** Workqueues that were made, by name. */
export function queues(rig: Rig): unknown[] {
  return rig.events("alloc_workqueue").map((event) => event["name"]);
}

/** With how many arguments `end_io` is called. */
export function argumentsOfEndIo(rig: Rig): number {
  const { fs } = rig;
  const ops = fs instanceof Ocfs2 ? fs.ops : (fs as Ext4 | Xfs).writeOps;
  const real = ops.endIo as NonNullable<DioOps["endIo"]>;
  let count = 0;
  Object.assign(ops, {
    endIo: (...args: Parameters<typeof real>) => {
      count = args.length;
      return real(...args);
    },
  });
  wrote(rig);
  return count;
}

/** Of three blocks the middle one is written. */
export const MIXED: FileLayout = {
  size: 3 * BLOCK,
  extents: [
    { offset: 0, bytes: BLOCK, state: "unwritten" },
    { offset: BLOCK, bytes: BLOCK, state: "written" },
    { offset: 2 * BLOCK, bytes: BLOCK, state: "unwritten" },
  ],
};

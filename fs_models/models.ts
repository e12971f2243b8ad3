/**
 * The shipped models by name.
 *
 * @module
 */

import { Blkdev } from "./blkdev.ts";
import { Blkdev2016 } from "./blkdev_2016.ts";
import { DirectIo2016 } from "./direct_io_2016.ts";
import { Ext4 } from "./ext4.ts";
import { Ext4Nolock312 } from "./ext4_3_12.ts";
import { LegacyDirectIo } from "./legacy_direct_io.ts";
import { LegacyExt4 } from "./legacy_ext4.ts";
import { LegacyOcfs2 } from "./legacy_ocfs2.ts";
import { LegacyXfs } from "./legacy_xfs.ts";
import type { ModelSpec } from "./model.ts";
import { Ocfs2 } from "./ocfs2.ts";
import { PlainFilesystem } from "./plain.ts";
import { Xfs } from "./xfs.ts";
import { Xfs312, XfsAppendQueued } from "./xfs_3_12.ts";

/** Every shipped model: what the demo, the tools and the tests go through. */
export const MODELS: readonly ModelSpec[] = [
  {
    name: "plain",
    mount: (kernel, bdev) => new PlainFilesystem(kernel, bdev),
  },
  { name: "ext4", mount: (kernel, bdev) => new Ext4(kernel, bdev) },
  {
    name: "ext4-nolock",
    mount: (kernel, bdev) => new Ext4(kernel, bdev, { dioreadNolock: true }),
  },
  { name: "xfs", mount: (kernel, bdev) => new Xfs(kernel, bdev) },
  { name: "ocfs2", mount: (kernel, bdev) => new Ocfs2(kernel, bdev) },
  { name: "blkdev", mount: (kernel, bdev) => new Blkdev(kernel, bdev) },
];

/**
 * The models as they were before the 2013 patch, each with the direct I/O of
 * that time. They show what the patch changed: they keep some rules, and
 * cannot keep others.
 */
export const LEGACY_MODELS: readonly ModelSpec[] = [
  {
    name: "ext4-legacy",
    mount: (kernel, bdev) => new LegacyExt4(kernel, bdev),
    directIo: (kernel) => new LegacyDirectIo(kernel),
  },
  {
    name: "xfs-legacy",
    mount: (kernel, bdev) => new LegacyXfs(kernel, bdev),
    directIo: (kernel) => new LegacyDirectIo(kernel),
  },
  {
    name: "ocfs2-legacy",
    mount: (kernel, bdev) => new LegacyOcfs2(kernel, bdev),
    directIo: (kernel) => new LegacyDirectIo(kernel),
  },
];

/** Code as it was merged, mistakes included: the suite has to find them. */
export const HISTORIC_MODELS: readonly ModelSpec[] = [
  {
    name: "blkdev-2016",
    mount: (kernel, bdev) => new Blkdev2016(kernel, bdev),
  },
  {
    name: "ext4-nolock-3.12",
    mount: (kernel, bdev) => new Ext4Nolock312(kernel, bdev),
  },
  { name: "xfs-3.12", mount: (kernel, bdev) => new Xfs312(kernel, bdev) },
  {
    name: "xfs-append-queued",
    mount: (kernel, bdev) => new XfsAppendQueued(kernel, bdev),
  },
  {
    name: "plain-2016",
    mount: (kernel, bdev) => new PlainFilesystem(kernel, bdev),
    directIo: (kernel) => new DirectIo2016(kernel),
  },
];

/** Every model there is, for tools that are told a name. */
export const ALL_MODELS: readonly ModelSpec[] = [
  ...MODELS,
  ...LEGACY_MODELS,
  ...HISTORIC_MODELS,
];

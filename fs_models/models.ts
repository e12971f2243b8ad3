/**
 * The shipped models by name.
 *
 * @module
 */

import { Ext4 } from "./ext4.ts";
import type { ModelSpec } from "./model.ts";
import { PlainFilesystem } from "./plain.ts";
import { Xfs } from "./xfs.ts";

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
];

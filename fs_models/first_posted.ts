/**
 * The workqueue of the 2013 patch as it was first posted: one for each
 * filesystem that needs a device, made with its superblock, unbound, and one
 * item at a time. The review had three objections: an unbound worker runs far
 * from the processor that the transfer ended on, one item that blocks stops
 * all others, and the name does not say whose queue it is.
 *
 * Source: the first posting of the patch, fs/super.c.
 *
 * @module
 */

import { allocWorkqueue, WQ_UNBOUND } from "../core/mod.ts";
import type { ModelSpec } from "./model.ts";

/** What the queue was called, whatever the filesystem. */
export const DIO_SYNC: string = "dio-sync";

/**
 * A model whose completions go through the queue as it was first posted.
 *
 * @param spec The model.
 * @returns The same, mounted with that queue.
 *
 * @example The queue lets one completion run, and the others wait
 * ```ts
 * import { checkConformance, scenarioById } from "@endio/dio/conformance";
 * import { firstPosted, MODELS } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const ext4 = MODELS.find(({ name }) => name === "ext4")!;
 * const { violations } = checkConformance(firstPosted(ext4), {
 *   scenarios: [scenarioById("two-writers-unwritten")],
 * });
 * const broken = new Set(violations.map(({ rule }) => rule));
 * assertEquals(broken.has("completion-concurrency/runs-at-once"), true);
 * ```
 */
export function firstPosted(spec: ModelSpec): ModelSpec {
  return {
    ...spec,
    name: `${spec.name}-first-posted`,
    mount: (kernel, bdev) => {
      const fs = spec.mount(kernel, bdev);
      const wq = allocWorkqueue(kernel, DIO_SYNC, WQ_UNBOUND, 1, DIO_SYNC);
      if (wq === null) {
        throw new Error(`Cannot mount ${spec.name}: no memory for ${DIO_SYNC}`);
      }
      fs.sb.sDioDoneWq = wq;
      return fs;
    },
  };
}

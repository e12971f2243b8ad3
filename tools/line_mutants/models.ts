/**
 * The models whose lines are taken out.
 *
 * @module
 */

import type {
  Ext4,
  ModelSpec,
  Ocfs2,
  PlainFilesystem,
  Xfs,
} from "../../fs_models/mod.ts";
import { loadChanged, type SourceChange } from "./load.ts";

/** What the modules of the models export, as far as it is used here. */
interface Exports {
  readonly PlainFilesystem: typeof PlainFilesystem;
  readonly Ext4: typeof Ext4;
  readonly Xfs: typeof Xfs;
  readonly Ocfs2: typeof Ocfs2;
}

/** A model, and the file that has its class. */
interface ModelSource {
  readonly entry: string;
  readonly mount: (exports: Exports) => ModelSpec["mount"];
}

const SOURCES: Readonly<Record<string, ModelSource>> = {
  plain: {
    entry: "plain.ts",
    mount: ({ PlainFilesystem }) => (kernel, bdev) =>
      new PlainFilesystem(kernel, bdev),
  },
  ext4: {
    entry: "ext4.ts",
    mount: ({ Ext4 }) => (kernel, bdev) => new Ext4(kernel, bdev),
  },
  "ext4-nolock": {
    entry: "ext4.ts",
    mount: ({ Ext4 }) => (kernel, bdev) =>
      new Ext4(kernel, bdev, { dioreadNolock: true }),
  },
  xfs: {
    entry: "xfs.ts",
    mount: ({ Xfs }) => (kernel, bdev) => new Xfs(kernel, bdev),
  },
  ocfs2: {
    entry: "ocfs2.ts",
    mount: ({ Ocfs2 }) => (kernel, bdev) => new Ocfs2(kernel, bdev),
  },
  "ocfs2-buffered": {
    entry: "ocfs2.ts",
    mount: ({ Ocfs2 }) => (kernel, bdev) =>
      new Ocfs2(kernel, bdev, { fullCoherency: false }),
  },
};

/** The files whose lines are taken out. */
export const FILES: readonly string[] = [
  "plain.ts",
  "ext4.ts",
  "ext4_mapping.ts",
  "ext4_io_end.ts",
  "ext4_inode.ts",
  "ext4_blocks.ts",
  "journal.ts",
  "xfs.ts",
  "xfs_blocks.ts",
  "xfs_inode.ts",
  "ocfs2.ts",
  "ocfs2_blocks.ts",
  "ocfs2_inode.ts",
  "cluster_lock.ts",
];

/**
 * A model with a change.
 *
 * @param name Its name.
 * @param change What is changed.
 * @returns The model.
 * @throws {RangeError} If there is none of that name.
 */
export async function changedModel(
  name: string,
  change: SourceChange,
): Promise<ModelSpec> {
  const source = SOURCES[name];
  if (source === undefined) {
    throw new RangeError(
      `Cannot change model '${name}': choose ${
        Object.keys(SOURCES).join(", ")
      }`,
    );
  }
  const exports = await loadChanged(source.entry, change);
  return { name, mount: source.mount(exports as unknown as Exports) };
}

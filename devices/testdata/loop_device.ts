/**
 * A block device for tests, which only root can make.
 *
 * @module
 */

import { TemporaryFile } from "./temporary_file.ts";

/** A loop device on a temporary file, gone when disposed of. */
export class LoopDevice implements Disposable {
  /** The block device, e.g. `/dev/loop0`. */
  readonly path: string;
  readonly #file: TemporaryFile;

  /**
   * @param sizeBytes Its size.
   * @param sectorSize The size of its logical blocks.
   */
  constructor(sizeBytes: number, sectorSize: number) {
    this.#file = new TemporaryFile(sizeBytes);
    try {
      this.path = losetup(
        "--find",
        "--show",
        `--sector-size=${sectorSize}`,
        this.#file.path,
      );
    } catch (error) {
      this.#file[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    losetup("--detach", this.path);
    this.#file[Symbol.dispose]();
  }
}

/** Why no loop device can be made here; empty when one can. */
export function whyNoLoopDevice(): string {
  const run = { name: "run", command: "losetup" } as const;
  if (Deno.permissions.querySync(run).state !== "granted") {
    return "needs --allow-run=losetup";
  }
  try {
    using _ = new LoopDevice(1 << 20, 512);
    return "";
  } catch (error) {
    return `no loop device: ${(error as Error).message}`;
  }
}

function losetup(...args: string[]): string {
  const { success, stdout, stderr } = new Deno.Command("losetup", { args })
    .outputSync();
  const decoder = new TextDecoder();
  if (!success) throw new Error(decoder.decode(stderr).trim());
  return decoder.decode(stdout).trim();
}

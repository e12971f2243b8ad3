/**
 * Filesystems on loop devices, made for the oracle and gone after it. Only
 * root can do that.
 *
 * @module
 */

import { fileError, lookUp, UserError } from "./cli.ts";
import { onInterrupt } from "./interrupt.ts";

/** XFS takes no less than 300 MiB; the image is one hole. */
const IMAGE_BYTES = 400 << 20;

/** How each filesystem is made; all have blocks of 4096 bytes. */
const MAKE: ReadonlyMap<string, readonly string[]> = new Map([
  ["ext4", ["mkfs.ext4", "-q", "-F", "-b", "4096"]],
  ["xfs", ["mkfs.xfs", "-q", "-f", "-b", "size=4096"]],
  ["btrfs", ["mkfs.btrfs", "-q", "-f"]],
]);

/**
 * Checks names of filesystems.
 *
 * @param names What somebody has asked for.
 * @throws {UserError} If one cannot be made.
 */
export function checkLoops(names: readonly string[]): void {
  for (const name of names) lookUp("filesystem", name, MAKE);
}

/** A mounted filesystem on an image of its own. */
export class LoopMount implements Disposable {
  /** Where it is mounted. */
  readonly directory: string;
  readonly #stack: DisposableStack;

  /**
   * @param fs Its name.
   * @param parent Where the image lies.
   * @param sectorSize The size of the disk's logical blocks, in bytes.
   * @throws {UserError} If it cannot be made or mounted.
   */
  constructor(fs: string, parent: string, sectorSize: number) {
    const command = lookUp("filesystem", fs, MAKE);
    using stack = new DisposableStack();
    stack.use(onInterrupt(() => this[Symbol.dispose]()));
    const home = makeHome(parent);
    stack.defer(() => Deno.removeSync(home, { recursive: true }));
    const image = `${home}/${fs}.img`;
    Deno.writeFileSync(image, new Uint8Array());
    Deno.truncateSync(image, IMAGE_BYTES);
    const sectors = `--sector-size=${sectorSize}`;
    const disk = run(fs, ["losetup", "--find", "--show", sectors, image]);
    stack.defer(() => run(fs, ["losetup", "--detach", disk]));
    run(fs, [...command, disk]);
    this.directory = `${home}/mnt`;
    Deno.mkdirSync(this.directory);
    run(fs, ["mount", disk, this.directory]);
    // Whoever is interrupted still has a file open there; others may look.
    stack.defer(() => run(fs, ["umount", "-l", this.directory]));
    this.#stack = stack.move();
  }

  /** Unmounts it, and removes the image. */
  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

function makeHome(parent: string): string {
  try {
    return Deno.makeTempDirSync({ dir: parent, prefix: "endio-loop-" });
  } catch (error) {
    throw fileError("write", parent, error);
  }
}

/** Runs a command that has to succeed, and gives what it prints. */
function run(fs: string, [command = "", ...args]: readonly string[]): string {
  let reason: string;
  try {
    const { success, stdout, stderr } = new Deno.Command(command, { args })
      .outputSync();
    const decoder = new TextDecoder();
    if (success) return decoder.decode(stdout).trim();
    const text = decoder.decode(stderr).trim();
    const hint = command === "losetup" ? " (it takes root)" : "";
    reason = `${text.replaceAll(/\s*\n\s*/g, "; ")}${hint}`;
  } catch (error) {
    reason = error instanceof Deno.errors.NotFound
      ? `${command} is not installed`
      : error instanceof Deno.errors.NotCapable
      ? `Deno may not run ${command}; add --allow-run=${command}`
      : (error as Error).message;
  }
  throw new UserError(`Cannot make a loop mount of ${fs}: ${reason}`);
}

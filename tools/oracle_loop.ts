/**
 * Filesystems on loop devices, made for the oracle and gone after it. Only
 * root can do that.
 *
 * @module
 */

import { UserError } from "./cli.ts";

/** XFS takes no less than 300 MiB; the image is one hole. */
const IMAGE_BYTES = 400 << 20;

/** What a shell gives a command that SIGINT has ended. */
const EXIT_INTERRUPTED = 130;

/** How each filesystem is made; all have blocks of 4096 bytes. */
const MAKE: ReadonlyMap<string, readonly string[]> = new Map([
  ["ext4", ["mkfs.ext4", "-q", "-F", "-b", "4096"]],
  ["xfs", ["mkfs.xfs", "-q", "-f", "-b", "size=4096"]],
  ["btrfs", ["mkfs.btrfs", "-q", "-f"]],
]);

/** A mounted filesystem on an image of its own. */
export class LoopMount implements Disposable {
  /** Where it is mounted. */
  readonly directory: string;
  readonly #stack: DisposableStack;

  /**
   * @param fs Its name.
   * @param parent Where the image lies.
   * @throws {UserError} If it cannot be made or mounted.
   */
  constructor(fs: string, parent: string) {
    const command = MAKE.get(fs);
    if (command === undefined) {
      throw new UserError(
        `Cannot make ${fs}: choose ${[...MAKE.keys()].join(", ")}`,
      );
    }
    using stack = new DisposableStack();
    const home = Deno.makeTempDirSync({ dir: parent, prefix: "endio-loop-" });
    stack.defer(() => Deno.removeSync(home, { recursive: true }));
    const image = `${home}/${fs}.img`;
    Deno.writeFileSync(image, new Uint8Array());
    Deno.truncateSync(image, IMAGE_BYTES);
    run(fs, [...command, image]);
    this.directory = `${home}/mnt`;
    Deno.mkdirSync(this.directory);
    run(fs, ["mount", "-o", "loop", image, this.directory]);
    stack.defer(() => run(fs, ["umount", this.directory]));
    // Whoever is interrupted still has a file open there.
    const stop = () => {
      run(fs, ["umount", "--lazy", this.directory]);
      Deno.removeSync(home, { recursive: true });
      Deno.exit(EXIT_INTERRUPTED);
    };
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      Deno.addSignalListener(signal, stop);
      stack.defer(() => Deno.removeSignalListener(signal, stop));
    }
    this.#stack = stack.move();
  }

  /** Unmounts it, and removes the image. */
  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

/** Runs a command that has to succeed. */
function run(fs: string, [command = "", ...args]: readonly string[]): void {
  let reason: string;
  try {
    const { success, stderr } = new Deno.Command(command, { args })
      .outputSync();
    if (success) return;
    const text = new TextDecoder().decode(stderr).trim();
    reason = `${command}: ${text.replaceAll(/\s*\n\s*/g, "; ")}`;
  } catch (error) {
    reason = error instanceof Deno.errors.NotFound
      ? `${command} is not installed`
      : error instanceof Deno.errors.NotCapable
      ? `Deno may not run ${command}; add --allow-run=${command}`
      : (error as Error).message;
  }
  throw new UserError(`Cannot make a loop mount of ${fs}: ${reason}`);
}

/**
 * The file that the devices are measured on: every block carries its own
 * number, so that a sample of what is read can be checked.
 *
 * @module
 */

import { fileError, UserError } from "../cli.ts";
import { onInterrupt } from "../interrupt.ts";

/** The size of a stamped block, in bytes. */
export const BLOCK = 4096;
const MIB = 1 << 20;
/** Where the second copy of the number lies in a block. */
const SECOND_STAMP = BLOCK - 4;

/** A file full of stamped blocks, removed when disposed of. */
export class StampedFile implements Disposable {
  /** Its path. */
  readonly path: string;
  /** Its size in bytes. */
  readonly sizeBytes: number;
  readonly #stack: DisposableStack;

  /**
   * Makes the file.
   *
   * @param parent The directory to make it in.
   * @param mib Its size in MiB.
   * @throws {UserError} If it cannot be made there.
   */
  constructor(parent: string, mib: number) {
    this.sizeBytes = mib * MIB;
    using stack = new DisposableStack();
    stack.use(onInterrupt(() => this[Symbol.dispose]()));
    try {
      const options = { dir: parent, prefix: "endio-bench-" };
      const directory = Deno.makeTempDirSync(options);
      stack.defer(() => Deno.removeSync(directory, { recursive: true }));
      this.path = `${directory}/file`;
      this.#fill(mib);
    } catch (error) {
      throw fileError("write", parent, error);
    }
    this.#stack = stack.move();
  }

  /** Removes the file. */
  [Symbol.dispose](): void {
    this.#stack.dispose();
  }

  #fill(mib: number): void {
    using file = Deno.openSync(this.path, { write: true, create: true });
    const piece = new Uint8Array(MIB);
    // Not zeros: some disks are faster with these.
    for (let at = 0; at < MIB; at += 65536) {
      crypto.getRandomValues(piece.subarray(at, at + 65536));
    }
    for (let at = 0; at < mib; at++) {
      stamp(piece, at * MIB);
      for (let done = 0; done < MIB;) {
        done += file.writeSync(piece.subarray(done));
      }
    }
    file.syncSync();
  }
}

/**
 * Puts their numbers into the blocks of a buffer.
 *
 * @param bytes Whole blocks.
 * @param offset Where in the file they lie.
 */
export function stamp(bytes: Uint8Array, offset: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; at += BLOCK) {
    const number = (offset + at) / BLOCK;
    view.setUint32(at, number);
    view.setUint32(at + SECOND_STAMP, number);
  }
}

/**
 * Checks the numbers of the first and the last block of a buffer.
 *
 * @param bytes Whole blocks.
 * @param offset Where in the file they were read.
 * @throws {UserError} If one is wrong: the disk gave other data.
 */
export function checkStamps(bytes: Uint8Array, offset: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const at of [0, bytes.length - BLOCK]) {
    const number = (offset + at) / BLOCK;
    const isRight = view.getUint32(at) === number &&
      view.getUint32(at + SECOND_STAMP) === number;
    if (isRight) continue;
    throw new UserError(
      `Cannot trust what was measured: the data at offset ${
        offset + at
      } is not what was written there`,
    );
  }
}

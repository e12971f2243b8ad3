/**
 * What user space knows of a file: the bytes that it has written, and those it
 * cannot know because a write failed or a truncate came in between.
 *
 * @module
 */

const SECTOR = 512;
const UNKNOWN = -1;

/** The first byte of a read that was not what it had to be. */
export interface Mismatch {
  /** How many bytes were wrong. */
  readonly wrong: number;
  /** Offset of the first one in the file. */
  readonly at: number;
  /** What was written there. */
  readonly expected: number;
  /** What was read. */
  readonly got: number;
}

/** The content that a reader of a file has to get. */
export class UserFile {
  readonly #content: Int16Array;
  #generation = 0;

  constructor(bytes: number) {
    this.#content = new Int16Array(bytes);
  }

  /**
   * Fills a buffer with what is to be written. Every sector is different, and
   * so is every write.
   */
  fill(buffer: Uint8Array, offset: number): void {
    this.#generation++;
    for (let i = 0; i < buffer.length; i++) {
      const sector = Math.floor((offset + i) / SECTOR);
      buffer[i] = 1 + ((sector * 7 + this.#generation * 31 + i) % 251);
    }
  }

  /** A write was reported: `buffer` is what is in the file. */
  wrote(buffer: Uint8Array, offset: number): void {
    this.#content.set(buffer, offset);
  }

  /** Nobody can say what is in a range now. */
  forget(offset: number, bytes: number): void {
    this.#content.fill(UNKNOWN, offset, offset + bytes);
  }

  /** Compares what was read; null when it is right. */
  compare(buffer: Uint8Array, offset: number): Mismatch | null {
    let first: Omit<Mismatch, "wrong"> | null = null;
    let wrong = 0;
    for (let i = 0; i < buffer.length; i++) {
      const expected = this.#content[offset + i] ?? UNKNOWN;
      const got = buffer[i] as number;
      if (expected === UNKNOWN || expected === got) continue;
      wrong++;
      first ??= { at: offset + i, expected, got };
    }
    return first === null ? null : { ...first, wrong };
  }
}

/**
 * What user space knows of a file: what it has written, sector by sector, and
 * what it cannot know because a write failed or a truncate came in between.
 *
 * @module
 */

const SECTOR = 512;
const UNKNOWN = -1;
/** Written sectors hold one byte again and again, from 1 to this. */
const BYTES = 251;

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

/** The content that a reader of a file has to get; transfers are in sectors. */
export class UserFile {
  /** The byte that fills each sector; 0 where nothing was written. */
  readonly #sectors: number[] = [];
  #writes = 0;

  /**
   * Fills a buffer with what is to be written. Every sector is different, and
   * so is every write.
   */
  fill(buffer: Uint8Array, offset: number): void {
    this.#writes++;
    for (let at = 0; at < buffer.length; at += SECTOR) {
      const sector = (offset + at) / SECTOR;
      const byte = 1 + ((sector * 7 + this.#writes * 31) % BYTES);
      buffer.fill(byte, at, at + SECTOR);
    }
  }

  /** A write was reported: `buffer` is what is in the file. */
  wrote(buffer: Uint8Array, offset: number): void {
    for (let at = 0; at < buffer.length; at += SECTOR) {
      this.#sectors[(offset + at) / SECTOR] = buffer[at] as number;
    }
  }

  /** Nobody can say what is in a range now. */
  forget(offset: number, bytes: number): void {
    for (let at = 0; at < bytes; at += SECTOR) {
      this.#sectors[(offset + at) / SECTOR] = UNKNOWN;
    }
  }

  /** Compares what was read; null when it is right. */
  compare(buffer: Uint8Array, offset: number): Mismatch | null {
    let first: Omit<Mismatch, "wrong"> | null = null;
    let wrong = 0;
    for (let i = 0; i < buffer.length; i++) {
      const sector = Math.floor((offset + i) / SECTOR);
      const expected = this.#sectors[sector] ?? 0;
      const got = buffer[i] as number;
      if (expected === UNKNOWN || expected === got) continue;
      wrong++;
      first ??= { at: offset + i, expected, got };
    }
    return first === null ? null : { ...first, wrong };
  }
}

/**
 * What user space knows of a file: what it has written, sector by sector, and
 * what it cannot know because a write failed or a truncate came in between.
 *
 * @module
 */

const SECTOR = 512;
const UNKNOWN = -1;
/** A sector that has been cut off is so far below what was in it, or less. */
const CUT = -2;
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
  /** The byte that fills each sector, if 0 or more: 0 where nothing was written. */
  readonly #sectors: number[] = [];
  /** Sectors that the power may take away, and which report wrote each. */
  readonly #unstable: Map<number, number> = new Map();
  #reports = 0;
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
  wrote(buffer: Uint8Array, offset: number, isStable: boolean): void {
    this.#reports++;
    for (let at = 0; at < buffer.length; at += SECTOR) {
      const sector = (offset + at) / SECTOR;
      this.#sectors[sector] = buffer[at] as number;
      if (isStable) this.#unstable.delete(sector);
      else this.#unstable.set(sector, this.#reports);
    }
  }

  /** What an fsync that begins now makes stable, for {@linkcode synced}. */
  known(): ReadonlyMap<number, number> {
    return new Map(this.#unstable);
  }

  /** An fsync has ended. */
  synced(known: ReadonlyMap<number, number>): void {
    for (const [sector, report] of known) {
      if (this.#unstable.get(sector) === report) this.#unstable.delete(sector);
    }
  }

  /** Nobody can say which of what was not stable is left. */
  powerCut(): void {
    for (const sector of this.#unstable.keys()) this.#sectors[sector] = UNKNOWN;
    this.#unstable.clear();
  }

  /** Nobody can say what is in a range now. */
  forget(offset: number, bytes: number): void {
    for (let at = 0; at < bytes; at += SECTOR) {
      this.#sectors[(offset + at) / SECTOR] = UNKNOWN;
    }
  }

  /**
   * A range is cut off. Whoever reads it in the meantime gets what was in it,
   * or zeros, and never what belongs to somebody else.
   */
  cut(offset: number, bytes: number): void {
    for (let at = 0; at < bytes; at += SECTOR) {
      const sector = Math.floor((offset + at) / SECTOR);
      const known = this.#sectors[sector] ?? 0;
      if (known >= 0) this.#sectors[sector] = CUT - known;
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
      const wasCut = expected <= CUT;
      if (wasCut && (got === 0 || got === CUT - expected)) continue;
      wrong++;
      first ??= {
        at: offset + i,
        expected: wasCut ? CUT - expected : expected,
        got,
      };
    }
    return first === null ? null : { ...first, wrong };
  }
}

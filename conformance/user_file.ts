/**
 * What user space knows of a file: what it has written, sector by sector, and
 * what may be there while a write, a truncate or a hole punch is under way. A
 * read may give what was there at any time while it was under way itself.
 *
 * @module
 */

import { type Possible, union, UserSector } from "./user_sector.ts";

const SECTOR = 512;
/** Written sectors hold one byte again and again, from 1 to this. */
const BYTES = 251;

/** The first byte of a read that was not what it had to be. */
export interface Mismatch {
  /** How many bytes were wrong. */
  readonly wrong: number;
  /** Offset of the first one in the file. */
  readonly at: number;
  /** What was written there; -1 where the file has ended. */
  readonly expected: number;
  /** What was read. */
  readonly got: number;
}

/** A write that is under way. */
export interface UserWrite {
  /** First byte in the file, a whole number of sectors. */
  readonly offset: number;
  /** How many. */
  readonly bytes: number;
}

/** A read that is under way. */
export interface UserRead {
  /** First byte in the file. */
  readonly offset: number;
  /** Its first sector. */
  readonly first: number;
  /** What may have been in each sector since it began. */
  readonly possible: Possible[];
}

/** A truncate or hole punch that is under way. */
export interface UserCut {
  /** First byte that is cut off. */
  readonly from: number;
  /** Byte behind the last one. */
  readonly to: number;
  /** When it began. */
  readonly begun: number;
}

/** The content that a reader of a file has to get; writes are of sectors. */
export class UserFile {
  readonly #sectors: UserSector[] = [];
  readonly #reads: Set<UserRead> = new Set();
  readonly #cuts: Set<UserCut> = new Set();
  readonly #mayFail: boolean;
  /** Sectors that the power may take away, and which report wrote each. */
  readonly #unstable: Map<number, number> = new Map();
  /** No size that the file may have had was larger. */
  #end: number;
  #now = 0;
  #writes = 0;

  /**
   * A file that holds zeros.
   *
   * @param size Its size in bytes.
   * @param mayFail Whether writes may fail: then nobody can say what a reader
   * gets while they are under way.
   */
  constructor(size: number, mayFail: boolean) {
    this.#end = size;
    this.#mayFail = mayFail;
  }

  /**
   * A write begins, of what its buffer is filled with here. Every sector is
   * different, and so is every write.
   */
  writeBegins(content: Uint8Array, offset: number): UserWrite {
    this.#writes++;
    const end = offset + content.length;
    this.#grow(end, offset);
    for (let at = 0; at < content.length; at += SECTOR) {
      const sector = (offset + at) / SECTOR;
      const byte = 1 + ((sector * 7 + this.#writes * 31) % BYTES);
      content.fill(byte, at, at + SECTOR);
      this.#change(sector, (it) => it.writeBegins(byte, this.#mayFail));
    }
    this.#end = Math.max(this.#end, end);
    return { offset, bytes: content.length };
  }

  /** A write was reported: so many bytes of it are in the file. */
  writeEnds(
    { offset, bytes }: UserWrite,
    done: number,
    isStable: boolean,
  ): void {
    const now = ++this.#now;
    for (let at = 0; at < bytes; at += SECTOR) {
      const sector = (offset + at) / SECTOR;
      const hasFailed = at + SECTOR > done;
      this.#change(sector, (it) => it.writeEnds(hasFailed, now));
      if (hasFailed) continue;
      if (isStable) this.#unstable.delete(sector);
      else this.#unstable.set(sector, now);
    }
  }

  /** A truncate begins: what is behind its size is cut off, and stays so. */
  truncateBegins(size: number): UserCut {
    this.#grow(size, size);
    this.#end = Math.max(this.#end, size);
    return this.cutBegins(size, Infinity);
  }

  /** A range begins to be cut off. */
  cutBegins(from: number, to: number): UserCut {
    const cut = { from, to, begun: ++this.#now };
    for (const sector of this.#cutBy(cut)) {
      this.#change(sector, (it) => it.cutBegins());
    }
    this.#cuts.add(cut);
    return cut;
  }

  /** It has been cut off, or that has failed. */
  cutEnds(cut: UserCut, hasFailed: boolean): void {
    this.#cuts.delete(cut);
    for (const sector of this.#cutBy(cut)) {
      const isWhole = !hasFailed && sector * SECTOR >= cut.from &&
        (sector + 1) * SECTOR <= cut.to;
      this.#change(sector, (it) => it.cutEnds(cut.begun, isWhole));
    }
  }

  /** A read begins. */
  readBegins(offset: number, bytes: number): UserRead {
    const first = Math.floor(offset / SECTOR);
    const possible: Possible[] = [];
    for (let at = first; at * SECTOR < offset + bytes; at++) {
      possible.push(this.#sector(at).possible);
    }
    const read = { offset, first, possible };
    this.#reads.add(read);
    return read;
  }

  /** A read has ended: compares what it got; null when that is right. */
  readEnds(read: UserRead, buffer: Uint8Array): Mismatch | null {
    this.#reads.delete(read);
    const { offset, first, possible } = read;
    let found: Omit<Mismatch, "wrong"> | null = null;
    let wrong = 0;
    for (let i = 0; i < buffer.length; i++) {
      const at = offset + i;
      const allowed = possible[Math.floor(at / SECTOR) - first] ?? null;
      const got = buffer[i] as number;
      if (allowed === null || allowed.includes(got)) continue;
      wrong++;
      found ??= { at, expected: allowed.at(-1) ?? -1, got };
    }
    return found === null ? null : { ...found, wrong };
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
    for (const sector of this.#unstable.keys()) {
      this.#change(sector, (it) => void (it.possible = null));
    }
    this.#unstable.clear();
  }

  /** The file may end at `end` from now on; behind `hole` it has data. */
  #grow(end: number, hole: number): void {
    for (let at = 0; at * SECTOR < end; at++) {
      if (at * SECTOR >= hole) break;
      this.#change(at, (it) => it.grows());
    }
  }

  #change(at: number, change: (sector: UserSector) => void): void {
    const sector = this.#sector(at);
    change(sector);
    for (const { first, possible } of this.#reads) {
      const seen = possible[at - first];
      if (seen !== undefined) {
        possible[at - first] = union(seen, sector.possible);
      }
    }
  }

  #sector(at: number): UserSector {
    let sector = this.#sectors[at];
    if (sector === undefined) {
      sector = new UserSector(at * SECTOR < this.#end);
      this.#sectors[at] = sector;
      for (const { from, to } of this.#cuts) {
        if ((at + 1) * SECTOR > from && at * SECTOR < to) sector.cutBegins();
      }
    }
    return sector;
  }

  /** The sectors that user space knows, or that are in the file, of a range. */
  *#cutBy({ from, to }: UserCut): Iterable<number> {
    const end = Math.max(this.#end, this.#sectors.length * SECTOR);
    const first = Math.floor(from / SECTOR);
    for (let at = first; at * SECTOR < Math.min(to, end); at++) yield at;
  }
}

/**
 * What user space knows of a file: what it has written, sector by sector, and
 * what may be there while a write, a truncate or a hole punch is under way. A
 * read may give what was there at any time while it was under way itself.
 *
 * @module
 */

import { readStep, type Step, writeStep } from "../core/mod.ts";
import type { FileLayout } from "../fs_models/mod.ts";
import { type Possible, union, UserSector } from "./user_sector.ts";

const SECTOR = 512;
/** What lies on a device before it is written: nobody may get to see it. */
export const STALE = 254;
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

/** What it takes to tell of accesses. */
interface FileHost {
  readonly stepping: boolean;
  newAddr(count?: number): number;
  touch(step: Step): void;
}

/** What a file is like. */
export interface UserFileOptions {
  /** How it was laid out. */
  readonly layout: FileLayout;
  /**
   * Whether writes may fail: then nobody can say what a reader gets while they
   * are under way.
   */
  readonly mayFail: boolean;
  /**
   * The kernel, if some of several tasks read: then the order in which they
   * begin and end what they do makes a difference.
   *
   * @default {null}
   */
  readonly host?: FileHost | null;
}

/** So many sectors have a step address of their own; then they share. */
const STEPS = 64;

/** The content that a reader of a file has to get; writes are of sectors. */
export class UserFile {
  /** Those that somebody has looked at. */
  readonly #sectors: Map<number, UserSector> = new Map();
  /** Behind the last of them. */
  #length = 0;
  readonly #reads: Set<UserRead> = new Set();
  readonly #cuts: Set<UserCut> = new Set();
  readonly #mayFail: boolean;
  /** Sectors that the power may take away, and which report wrote each. */
  readonly #unstable: Map<number, number> = new Map();
  /** No size that the file may have had was larger. */
  #end: number;
  #now = 0;
  readonly #size: number;
  readonly #host: FileHost | null;
  readonly #addr: number;

  /**
   * A file that was not written to: its written blocks hold what the device
   * was full of, everything else zeros.
   *
   * @param options What it is like.
   */
  constructor({ layout, mayFail, host = null }: UserFileOptions) {
    const { size, extents } = layout;
    this.#end = size;
    this.#size = size;
    this.#mayFail = mayFail;
    this.#host = host?.stepping ? host : null;
    this.#addr = this.#host?.newAddr(STEPS) ?? 0;
    for (const { offset, bytes, state } of extents) {
      const end = Math.min(offset + bytes, size);
      if (state !== "written") continue;
      for (let at = offset / SECTOR; at * SECTOR < end; at++) {
        this.#put(at, new UserSector(STALE));
      }
    }
  }

  /**
   * A write begins, of what its buffer is filled with here. Every sector is
   * different, and so is every write with a number of its own.
   */
  writeBegins(content: Uint8Array, offset: number, write: number): UserWrite {
    const end = offset + content.length;
    this.#touch(writeStep, Math.min(offset, this.#size), end);
    this.#grow(end, offset);
    for (let at = 0; at < content.length; at += SECTOR) {
      const sector = (offset + at) / SECTOR;
      const byte = 1 + ((sector * 7 + write * 31) % BYTES);
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
    this.#touch(writeStep, offset, offset + bytes);
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
    this.mayGrow(size);
    return this.cutBegins(size, Infinity);
  }

  /** Somebody begins to make it so long, without writing to it. */
  mayGrow(size: number): void {
    this.#touch(writeStep, Math.min(size, this.#size), size);
    this.#grow(size, size);
    this.#end = Math.max(this.#end, size);
  }

  /** A range begins to be cut off. */
  cutBegins(from: number, to: number): UserCut {
    this.#touch(writeStep, from, to);
    const cut = { from, to, begun: ++this.#now };
    for (const sector of this.#cutBy(cut)) {
      this.#change(sector, (it) => it.cutBegins());
    }
    this.#cuts.add(cut);
    return cut;
  }

  /** It has been cut off, or that has failed. */
  cutEnds(cut: UserCut, hasFailed: boolean): void {
    this.#touch(writeStep, cut.from, cut.to);
    this.#cuts.delete(cut);
    for (const sector of this.#cutBy(cut)) {
      const isWhole = !hasFailed && sector * SECTOR >= cut.from &&
        (sector + 1) * SECTOR <= cut.to;
      this.#change(sector, (it) => it.cutEnds(cut.begun, isWhole));
    }
  }

  /** A read begins. */
  readBegins(offset: number, bytes: number): UserRead {
    this.#touch(readStep, offset, offset + bytes);
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
    this.#touch(readStep, offset, offset + possible.length * SECTOR);
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
    this.#touch(readStep, 0, Infinity);
    return new Map(this.#unstable);
  }

  /** An fsync has ended. */
  synced(known: ReadonlyMap<number, number>): void {
    this.#touch(writeStep, 0, Infinity);
    for (const [sector, report] of known) {
      if (this.#unstable.get(sector) === report) this.#unstable.delete(sector);
    }
  }

  /** Nobody can say which of what was not stable is left. */
  powerCut(): void {
    this.#touch(writeStep, 0, Infinity);
    for (const sector of this.#unstable.keys()) {
      this.#change(sector, (it) => void (it.possible = null));
    }
    this.#unstable.clear();
  }

  /** The file may end at `end` from now on; behind `hole` it has data. */
  #grow(end: number, hole: number): void {
    // Those that nobody has looked at are zeros inside the file anyway.
    for (const at of this.#sectors.keys()) {
      if (at * SECTOR >= Math.min(end, hole)) continue;
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
    let sector = this.#sectors.get(at);
    if (sector === undefined) {
      sector = new UserSector(at * SECTOR < this.#end ? 0 : null);
      this.#put(at, sector);
      for (const { from, to } of this.#cuts) {
        if ((at + 1) * SECTOR > from && at * SECTOR < to) sector.cutBegins();
      }
    }
    return sector;
  }

  #put(at: number, sector: UserSector): void {
    this.#sectors.set(at, sector);
    this.#length = Math.max(this.#length, at + 1);
  }

  /** The sectors that user space knows, or that are in the file, of a range. */
  *#cutBy({ from, to }: UserCut): Iterable<number> {
    const end = Math.max(this.#end, this.#length * SECTOR);
    const first = Math.floor(from / SECTOR);
    for (let at = first; at * SECTOR < Math.min(to, end); at++) yield at;
  }

  /** Tells whoever follows the steps of an access to a range. */
  #touch(step: (addr: number) => Step, from: number, to: number): void {
    if (this.#host === null) return;
    const first = Math.floor(from / SECTOR);
    const count = Math.min(Math.ceil(to / SECTOR) - first, STEPS);
    for (let i = 0; i < count; i++) {
      this.#host.touch(step(this.#addr + (first + i) % STEPS));
    }
  }
}

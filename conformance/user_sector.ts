/**
 * What may be in one sector of a file, as far as user space can know: what was
 * written, what is being written, and zeros where somebody cuts.
 *
 * @module
 */

/** The bytes that may fill a sector; null when nobody can say. */
export type Possible = readonly number[] | null;

/** Where no file is, no byte can be read. */
const ABSENT: Possible = [];
const ZERO: Possible = [0];

/** Either of two. */
export function union(one: Possible, other: Possible): Possible {
  if (one === null || other === null) return null;
  const more = other.filter((byte) => !one.includes(byte));
  return more.length === 0 ? one : [...one, ...more];
}

/** One sector. */
export class UserSector {
  /** What may be in it. */
  possible: Possible;
  /** Writes and cuts that have not come to their end. */
  #writers = 0;
  #cuts = 0;
  /** When the newest write of it ended. */
  #written = 0;
  /** What was written since nobody wrote, and whether one of that failed. */
  #batch: number[] = [];
  #hasFailed = false;
  /** Whether a cut came between them. */
  #wasCut = false;
  /** Whether it was not there when the first of them began. */
  #isAppended = false;

  /** @param byte What it holds; null where the file has ended. */
  constructor(byte: number | null) {
    this.possible = byte === null ? ABSENT : [byte];
  }

  /** A write of a byte begins. Until it ends, the old one may be there. */
  writeBegins(byte: number, mayFail: boolean): void {
    if (this.#writers === 0) {
      this.#batch = [];
      this.#hasFailed = false;
      this.#wasCut = this.#cuts > 0;
      this.#isAppended = this.possible?.length === 0;
    }
    this.#writers++;
    this.#batch.push(byte);
    this.possible = mayFail ? null : union(this.possible, [byte]);
  }

  /**
   * A write has ended. Of several that were under way together, each may be
   * the last.
   */
  writeEnds(hasFailed: boolean, now: number): void {
    this.#writers--;
    this.#written = now;
    this.#hasFailed ||= hasFailed;
    const written = this.#hasFailed ? null : [...new Set(this.#batch)];
    this.possible = this.#wasCut ? union(written, ZERO) : written;
  }

  /** Somebody begins to cut it off. */
  cutBegins(): void {
    this.#cuts++;
    this.#wasCut = true;
    this.possible = union(this.possible, ZERO);
  }

  /**
   * It has been cut off: zeros are left, if no write came in between.
   *
   * @param begun When that began.
   * @param isWhole Whether it was cut off, and all of it.
   */
  cutEnds(begun: number, isWhole: boolean): void {
    this.#cuts--;
    const isAlone = this.#writers === 0 && this.#written < begun;
    if (isWhole && isAlone && this.#cuts === 0) this.possible = ZERO;
  }

  /** The file may grow over it: a hole, where nobody has written. */
  grows(): void {
    const isHole = this.possible?.length === 0 ||
      (this.#writers > 0 && this.#isAppended);
    if (isHole) this.possible = union(this.possible, ZERO);
  }
}

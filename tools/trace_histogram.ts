/**
 * How long things took: counts by size, in memory that does not grow.
 *
 * @module
 */

/** Parts of each doubling: a percentile is off by 3 % at most. */
const PARTS = 16;
const OCTAVES = 64;
/** Characters of the longest bar. */
const BAR = 38;

/** Durations, in nanoseconds. */
export class Histogram {
  /** How many there were. */
  count = 0;
  /** The shortest, the longest, and all together. */
  min: number = Infinity;
  max: number = -Infinity;
  sum = 0;
  readonly #counts: Float64Array = new Float64Array(PARTS * OCTAVES);

  /** Takes one. */
  add(ns: number): void {
    this.count++;
    this.sum += ns;
    this.min = Math.min(this.min, ns);
    this.max = Math.max(this.max, ns);
    this.#counts[binOf(ns)]! += 1;
  }

  /** The mean, in nanoseconds. */
  get mean(): number {
    return this.sum / this.count;
  }

  /**
   * The duration that a part of them does not exceed.
   *
   * @param part The part, from 0 to 1.
   * @returns Nanoseconds, as exact as the bins are.
   */
  percentile(part: number): number {
    let left = Math.max(1, Math.ceil(part * this.count));
    for (let bin = 0; bin < this.#counts.length; bin++) {
      left -= this.#counts[bin] as number;
      if (left > 0) continue;
      // The first one has 0 in it; and never beyond what there was.
      const middle = bin === 0 ? this.min : Math.round(middleOf(bin));
      return Math.max(this.min, Math.min(this.max, middle));
    }
    return this.max;
  }

  /**
   * A picture: a line for each doubling of microseconds.
   *
   * @returns The lines, without their ends.
   */
  *lines(): Generator<string, void, void> {
    const octaves = new Map<number, number>();
    this.#counts.forEach((count, bin) => {
      if (count === 0) return;
      const us = Math.floor(Math.log2(Math.max(1, middleOf(bin) / 1000)));
      octaves.set(us, (octaves.get(us) ?? 0) + count);
    });
    const most = Math.max(...octaves.values());
    const all = [...octaves.keys()];
    yield `${"usecs".padStart(19)} : count    distribution`;
    for (let us = Math.min(...all); us <= Math.max(...all); us++) {
      const count = octaves.get(us) ?? 0;
      const from = us === 0 ? 0 : 2 ** us;
      const bar = "*".repeat(Math.round(count / most * BAR)).padEnd(BAR);
      yield `${String(from).padStart(8)} -> ${
        String(2 ** (us + 1) - 1).padEnd(7)
      } : ${String(count).padEnd(8)} |${bar}|`;
    }
  }
}

function binOf(ns: number): number {
  const bin = Math.floor(Math.log2(Math.max(1, ns)) * PARTS);
  return Math.min(PARTS * OCTAVES - 1, bin);
}

function middleOf(bin: number): number {
  return 2 ** ((bin + 0.5) / PARTS);
}

/**
 * Measuring: a subject against a named peer, in turns, in one run.
 *
 * @module
 */

/** Something that is measured. */
export interface Subject {
  /** What it is, for the table. */
  readonly name: string;
  /**
   * Does the work so many times.
   *
   * @param n How many times.
   * @returns Nothing, or a promise for an asynchronous peer.
   */
  run(n: number): void | Promise<void>;
}

/** A claim: a subject costs at most so many times what its peer does. */
export interface Comparison {
  /** What is measured. */
  readonly subject: Subject;
  /** What it is held against. */
  readonly peer: Subject;
  /** What the work is done on, e.g. `dio`. */
  readonly unit: string;
  /** The ratio that is claimed. */
  readonly atMost: number;
}

/** A benchmark: a name and its comparisons. */
export interface Benchmark {
  /** What it is called on the command line. */
  readonly name: string;
  /** One sentence. */
  readonly about: string;
  /** What is compared. */
  readonly comparisons: readonly Comparison[];
  /** How many units a round does. */
  readonly units: number;
}

/** What a comparison came to; times in nanoseconds a unit, medians. */
export interface Measurement {
  /** The benchmark's name. */
  readonly benchmark: string;
  /** The subject's name. */
  readonly subject: string;
  /** The peer's name. */
  readonly peer: string;
  /** What is counted. */
  readonly unit: string;
  /** The subject's time. */
  readonly subjectNs: number;
  /** The peer's time. */
  readonly peerNs: number;
  /** The median of the rounds' ratios. */
  readonly ratio: number;
  /** The ratio that is claimed. */
  readonly atMost: number;
}

const WARM_UP = 3;
const ROUNDS = 15;

/**
 * Measures a benchmark: subject and peer take turns, so that a machine that
 * changes its speed changes both.
 */
export async function measure(benchmark: Benchmark): Promise<Measurement[]> {
  const results: Measurement[] = [];
  for (const { subject, peer, unit, atMost } of benchmark.comparisons) {
    const subjectNs: number[] = [];
    const peerNs: number[] = [];
    const ratios: number[] = [];
    for (let round = 0; round < WARM_UP + ROUNDS; round++) {
      const a = await time(subject, benchmark.units);
      const b = await time(peer, benchmark.units);
      if (round < WARM_UP) continue;
      subjectNs.push(a);
      peerNs.push(b);
      ratios.push(a / b);
    }
    results.push({
      benchmark: benchmark.name,
      subject: subject.name,
      peer: peer.name,
      unit,
      subjectNs: median(subjectNs),
      peerNs: median(peerNs),
      ratio: median(ratios),
      atMost,
    });
  }
  return results;
}

async function time(subject: Subject, units: number): Promise<number> {
  const start = performance.now();
  await subject.run(units);
  return ((performance.now() - start) * 1e6) / units;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

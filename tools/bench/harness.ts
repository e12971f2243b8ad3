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
   * Makes it ready; its time does not count.
   *
   * @returns Why it cannot run here, or null when it can.
   */
  prepare?(): Promise<string | null>;
  /**
   * Does the work so many times.
   *
   * @param n How many times.
   * @returns Nothing, or a promise for an asynchronous peer.
   */
  run(n: number): void | Promise<void>;
  /**
   * Says more about the work that was done.
   *
   * @returns E.g. `7952278 states`.
   */
  note?(): string;
  /** Leaves nothing behind, prepared or not. */
  close?(): Promise<void>;
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
  /**
   * How many units a round does.
   *
   * @default {those of the benchmark}
   */
  readonly units?: number;
  /**
   * How many rounds count.
   *
   * @default {15}
   */
  readonly rounds?: number;
  /**
   * How many rounds come before those that count.
   *
   * @default {3}
   */
  readonly warmUp?: number;
  /** The name by which it has to be asked for: its peer is not everywhere. */
  readonly onRequest?: string;
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
  /** What there is to say about it, or nothing. */
  readonly subjectNote: string;
  /** The peer's name. */
  readonly peer: string;
  /** What there is to say about it, or nothing. */
  readonly peerNote: string;
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
  /** Whether the claim holds. */
  readonly holds: boolean;
}

/** A comparison that cannot be made here. */
export interface Unmeasured {
  /** The benchmark's name. */
  readonly benchmark: string;
  /** The subject's or the peer's name. */
  readonly subject: string;
  /** Why it cannot run. */
  readonly reason: string;
}

const WARM_UP = 3;
const ROUNDS = 15;

/**
 * Measures a benchmark: subject and peer take turns, so that a machine that
 * changes its speed changes both.
 *
 * @param benchmark The benchmark.
 * @param requested The comparison that was asked for by name, if any.
 * @returns What each comparison came to, as soon as it has.
 */
export async function* measure(
  benchmark: Benchmark,
  requested?: string,
): AsyncGenerator<Measurement | Unmeasured, void, void> {
  for (const comparison of benchmark.comparisons) {
    const { subject, peer, onRequest } = comparison;
    if (onRequest !== undefined && onRequest !== requested) continue;
    try {
      yield await missing(benchmark, subject) ??
        await missing(benchmark, peer) ??
        await compare(benchmark, comparison);
    } finally {
      await subject.close?.();
      await peer.close?.();
    }
  }
}

async function missing(
  benchmark: Benchmark,
  subject: Subject,
): Promise<Unmeasured | null> {
  const reason = await subject.prepare?.() ?? null;
  return reason === null
    ? null
    : { benchmark: benchmark.name, subject: subject.name, reason };
}

async function compare(
  benchmark: Benchmark,
  comparison: Comparison,
): Promise<Measurement> {
  const { subject, peer, unit, atMost } = comparison;
  const { units = benchmark.units, rounds = ROUNDS } = comparison;
  const { warmUp = WARM_UP } = comparison;
  const subjectNs: number[] = [];
  const peerNs: number[] = [];
  const ratios: number[] = [];
  for (let round = 0; round < warmUp + rounds; round++) {
    const a = await time(subject, units);
    const b = await time(peer, units);
    if (round < warmUp) continue;
    subjectNs.push(a);
    peerNs.push(b);
    ratios.push(a / b);
  }
  const ratio = median(ratios);
  return {
    benchmark: benchmark.name,
    subject: subject.name,
    subjectNote: subject.note?.() ?? "",
    peer: peer.name,
    peerNote: peer.note?.() ?? "",
    unit,
    subjectNs: median(subjectNs),
    peerNs: median(peerNs),
    ratio,
    atMost,
    holds: ratio <= atMost,
  };
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

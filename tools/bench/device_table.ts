/**
 * What the benchmark `device` prints.
 *
 * @module
 */

import { alignColumns } from "../cli.ts";
import type { Sample } from "./device_workload.ts";

/** A subject and its samples, one a round. */
export interface Measured {
  /** The subject's name. */
  readonly name: string;
  /** Its samples. */
  readonly samples: Sample[];
}

/** What is claimed of two subjects. */
export interface Claim {
  /** The subject. */
  readonly subject: string;
  /** What it is held against. */
  readonly peer: string;
  /** Requests a second, or processor time a request. */
  readonly of: "rate" | "cpu";
  /** The least ratio of rates, or the greatest of processor times. */
  readonly wanted: number;
}

/** A claim, and what came out. */
export interface Outcome extends Claim {
  /** The median of the rounds' ratios. */
  readonly ratio: number;
  /** The least of them. */
  readonly least: number;
  /** The greatest of them. */
  readonly greatest: number;
  /** Whether the claim holds. */
  readonly holds: boolean;
}

/**
 * The middle one of some numbers.
 *
 * @param values The numbers.
 * @returns The median.
 */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

/**
 * Judges a claim.
 *
 * @param claim The claim.
 * @param measured All that was measured.
 * @returns What came out; null when one of both was not measured.
 */
export function judge(
  claim: Claim,
  measured: readonly Measured[],
): Outcome | null {
  const subject = measured.find(({ name }) => name === claim.subject);
  const peer = measured.find(({ name }) => name === claim.peer);
  if (subject === undefined || peer === undefined) return null;
  const value = claim.of === "rate" ? rate : cpuPerRequest;
  const ratios = subject.samples.map((sample, round) =>
    value(sample) / value(peer.samples[round]!)
  );
  const ratio = median(ratios);
  return {
    ...claim,
    ratio,
    least: Math.min(...ratios),
    greatest: Math.max(...ratios),
    holds: claim.of === "rate" ? ratio >= claim.wanted : ratio <= claim.wanted,
  };
}

/**
 * The table of what was measured.
 *
 * @param measured The subjects and their samples.
 * @param blockBytes The size of a request.
 * @returns Its lines.
 */
export function samplesTable(
  measured: readonly Measured[],
  blockBytes: number,
): string {
  const rows = measured.map(({ name, samples }) => {
    const perSecond = median(samples.map(rate));
    const cpu = median(samples.map(cpuPerRequest));
    return [
      name,
      Math.round(perSecond).toLocaleString("en-US").padStart(9),
      Math.round(perSecond * blockBytes / (1 << 20)).toString().padStart(7),
      (cpu * 1e6).toFixed(1).padStart(10),
    ];
  });
  return alignColumns([
    ["", "requests/s", "  MiB/s", "CPU µs/request"],
    ...rows,
  ]);
}

/**
 * The table of the claims.
 *
 * @param outcomes What came out.
 * @returns Its lines.
 */
export function claimsTable(outcomes: readonly Outcome[]): string {
  return alignColumns(outcomes.map((outcome) => {
    const { subject, peer, of, wanted, ratio, least, greatest } = outcome;
    return [
      `${of === "rate" ? "rate" : "CPU"} of ${subject} : ${peer}`,
      ratio.toFixed(2),
      `(${least.toFixed(2)} to ${greatest.toFixed(2)})`,
      `at ${of === "rate" ? "least" : "most"} ${wanted} is claimed: ${
        outcome.holds ? "holds" : "does not hold"
      }`,
    ];
  }));
}

function rate({ requests, seconds }: Sample): number {
  return requests / seconds;
}

function cpuPerRequest({ requests, cpuSeconds }: Sample): number {
  return cpuSeconds / requests;
}

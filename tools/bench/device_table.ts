/**
 * What the benchmark `device` prints.
 *
 * @module
 */

import { alignColumns } from "../cli.ts";
import type { Sample } from "./device_workload.ts";

/** What counts as the same speed. */
const NEARLY = 0.95;

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
  /** Who shows what the disk can do: about as fast is fast enough. */
  readonly orAs?: string;
}

/** A claim, and what came out. */
export interface Outcome extends Claim {
  /** The median of the rounds' ratios. */
  readonly ratio: number;
  /** The least of them. */
  readonly least: number;
  /** The greatest of them. */
  readonly greatest: number;
  /** What {@linkcode Claim.orAs} has of the peer's rate, if it was measured. */
  readonly limit: number | null;
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
  const peer = samplesOf(claim.peer, measured);
  const ratios = ratiosOf(claim.subject, peer, claim.of, measured);
  if (ratios.length === 0) return null;
  const ratio = median(ratios);
  const limits = ratiosOf(claim.orAs, peer, claim.of, measured);
  const limit = limits.length === 0 ? null : median(limits);
  return {
    ...claim,
    ratio,
    least: Math.min(...ratios),
    greatest: Math.max(...ratios),
    limit,
    holds: claim.of === "cpu"
      ? ratio <= claim.wanted
      : ratio >= Math.min(claim.wanted, NEARLY * (limit ?? Infinity)),
  };
}

function samplesOf(
  name: string | undefined,
  measured: readonly Measured[],
): readonly Sample[] {
  return measured.find((each) => each.name === name)?.samples ?? [];
}

/** Round by round; nothing when one of both was not measured. */
function ratiosOf(
  name: string | undefined,
  peer: readonly Sample[],
  of: Claim["of"],
  measured: readonly Measured[],
): number[] {
  const value = of === "rate" ? rate : cpuPerRequest;
  return samplesOf(name, measured).slice(0, peer.length)
    .map((sample, round) => value(sample) / value(peer[round]!));
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
    const { subject, peer, of, wanted, ratio, least, greatest, limit } =
      outcome;
    return [
      `${of === "rate" ? "rate" : "CPU"} of ${subject} : ${peer}`,
      ratio.toFixed(2),
      `(${least.toFixed(2)} to ${greatest.toFixed(2)})`,
      `at ${of === "rate" ? "least" : "most"} ${wanted}${
        limit === null ? "" : `, or ${NEARLY} of fio's ${limit.toFixed(2)},`
      } is claimed: ${outcome.holds ? "holds" : "does not hold"}`,
    ];
  }));
}

function rate({ requests, seconds }: Sample): number {
  return requests / seconds;
}

function cpuPerRequest({ requests, cpuSeconds }: Sample): number {
  return cpuSeconds / requests;
}

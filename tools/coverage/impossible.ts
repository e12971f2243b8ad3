/**
 * Which combinations of two axes no request can be in, and why.
 *
 * @module
 */

import type { AXES, Axis } from "./shape.ts";

/** Places on two axes, each of the one with each of the other. */
export interface Impossible {
  readonly are: { readonly [A in Axis]?: readonly (typeof AXES)[A][number][] };
  /** The reason. */
  readonly why: string;
}

const NOT_SUBMITTER = ["inline", "interrupt", "kworker"] as const;
const BY_LATE_BIO = ["interrupt", "kworker"] as const;
const SOME = ["one", "in order", "out of order"] as const;
const OF_MANY = ["first bio", "middle bio", "last bio"] as const;
const BIO_ERROR = ["only bio", ...OF_MANY] as const;
const ENDED = ["task", "softirq", "hardirq"] as const;

/** What cannot be; everything else must be met. */
export const IMPOSSIBLE: readonly Impossible[] = [
  {
    are: { caller: ["sync"], completer: NOT_SUBMITTER },
    why: "what a system call waits for, that completes",
  },
  {
    are: { size: ["append"], completer: NOT_SUBMITTER },
    why: "a write that extends the file is waited for, whoever asked",
  },
  {
    are: { error: ["submission"], completer: NOT_SUBMITTER },
    why: "after an error of the submission what is in flight is waited for",
  },
  {
    are: { size: ["part"], completer: ["kworker"] },
    why: "a short write is waited for, and no read is deferred",
  },
  {
    are: { profile: ["v3.12"], completer: ["inline"] },
    why: "struct dio has a reference of its submitter; blkdev_dio came later",
  },
  {
    are: { error: ["end_io"], completer: ["inline", "interrupt"] },
    why: "an end_io that can fail sleeps",
  },
  {
    are: { ends: ["task"], completer: BY_LATE_BIO },
    why: "when all bios ended in the submission, that is the last to finish",
  },
  {
    are: { ends: ["task"], bios: ["out of order"] },
    why: "each ended before the next was submitted",
  },
  {
    are: { ends: ["never"], completer: BY_LATE_BIO },
    why: "there was no bio to complete it",
  },
  {
    are: { bios: ["none"], completer: BY_LATE_BIO },
    why: "there was no bio to complete it",
  },
  {
    are: { ends: ["never"], bios: SOME },
    why: "every bio ends",
  },
  { are: { ends: ENDED, bios: ["none"] }, why: "there was no bio to end" },
  {
    are: { ends: ["never"], error: [...BIO_ERROR, "end_io"] },
    why: "there was no bio that could fail, or whose end_io could",
  },
  {
    are: { bios: ["none"], error: [...BIO_ERROR, "end_io"] },
    why: "there was no bio that could fail, or whose end_io could",
  },
  { are: { bios: ["one"], error: OF_MANY }, why: "there was but one bio" },
  {
    are: { bios: ["in order", "out of order"], error: ["only bio"] },
    why: "there were several bios",
  },
  {
    are: { size: ["nothing"], bios: SOME },
    why: "a bio has bytes",
  },
  { are: { size: ["nothing"], ends: ENDED }, why: "a bio has bytes" },
  {
    are: { size: ["nothing"], completer: BY_LATE_BIO },
    why: "there was no bio to complete it",
  },
  {
    are: { size: ["nothing"], error: [...BIO_ERROR, "end_io"] },
    why: "there was no bio that could fail, or whose end_io could",
  },
];

/**
 * Cases that nobody has thought of: calls chosen by a seed.
 *
 * @module
 */

import { Prng } from "../core/mod.ts";
import { BLOCK, type OracleCase, type OracleOp } from "./oracle_case.ts";

const SECTOR = 512;
/** Offsets lie below so many blocks. */
const BLOCKS = 10;
const CALLS = 16;

/** What is called how often. */
const KINDS = [
  ...Array<"write">(6).fill("write"),
  ...Array<"read">(5).fill("read"),
  "truncate",
  "fallocate",
  "punch_hole",
  "fsync",
] as const;

/**
 * A case of calls that a seed determines.
 *
 * @param seed The seed.
 * @returns The case, which repeats with the seed.
 */
export function randomCase(seed: number): OracleCase {
  const prng = new Prng(seed);
  const ops = Array.from({ length: CALLS }, () => randomOp(prng));
  return {
    id: `random/${seed}`,
    dsync: prng.below(4) === 0,
    setUp: [],
    ops,
  };
}

function randomOp(prng: Prng): OracleOp {
  const kind = KINDS[prng.below(KINDS.length)] ?? "read";
  const block = prng.below(BLOCKS) * BLOCK;
  const blocks = (1 + prng.below(4)) * BLOCK;
  switch (kind) {
    case "fsync":
      return { op: kind };
    case "truncate":
      return { op: kind, size: prng.below(BLOCKS * BLOCK) };
    case "fallocate":
    case "punch_hole":
      return { op: kind, offset: block, bytes: blocks };
    default: {
      // Mostly blocks, sometimes sectors, rarely anything.
      const unit = [BLOCK, BLOCK, BLOCK, SECTOR, SECTOR, 1][prng.below(6)] ?? 1;
      return {
        op: kind,
        offset: block + (unit === BLOCK ? 0 : prng.below(8) * unit),
        bytes: unit === BLOCK ? blocks : (1 + prng.below(20)) * unit,
        isAsync: prng.below(2) === 0,
      };
    }
  }
}

/**
 * What scenarios are put together from.
 *
 * @module
 */

import type {
  ExtentLayout,
  ExtentState,
  FileLayout,
} from "../fs_models/mod.ts";
import type { Op, ScenarioTask } from "./scenario.ts";

/** Bytes in a block of a scenario's file. */
export const BLOCK: number = 4096;

/** A file of blocks in these states, each of which needs a bio of its own. */
export function blocks(
  ...states: readonly (ExtentState | "hole")[]
): FileLayout {
  const extents: ExtentLayout[] = [];
  for (const [i, state] of states.entries()) {
    if (state === "hole") continue;
    extents.push({ offset: i * BLOCK, bytes: BLOCK, state });
  }
  return { size: states.length * BLOCK, extents };
}

/** A file of so many blocks, each of which needs a bio of its own. */
export function pieces(count: number, state: ExtentState): FileLayout {
  return blocks(...Array<ExtentState>(count).fill(state));
}

/** One task that submits a request over so many blocks, and waits for it. */
export function submits(
  op: "aio_write" | "aio_read",
  count: number,
  ...then: readonly Op[]
): ScenarioTask {
  return {
    comm: op === "aio_write" ? "writer" : "reader",
    ops: [
      { op, offset: 0, bytes: count * BLOCK },
      { op: "getevents", min: 1 },
      ...then,
    ],
  };
}

/** Reads so many blocks from the start, and compares them. */
export function readsBack(count: number): Op {
  return { op: "read", offset: 0, bytes: count * BLOCK };
}

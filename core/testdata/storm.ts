/**
 * A run with much to choose: four requests at once, one of which may fail.
 *
 * @module
 */

import { READ, WRITE } from "../bio.ts";
import type { Strategy } from "../strategy.ts";
import { Rig } from "./identity_fs.ts";

/** Four requests at once, one of which may fail. */
export function storm(strategy: Strategy): Rig {
  const rig = new Rig({
    strategy,
    device: { faults: [{ nth: 2, open: true }] },
  });
  for (let i = 0; i < 4; i++) {
    rig.submit({ offset: i * 4096, rw: i === 3 ? READ : WRITE, data: i });
  }
  rig.finish();
  return rig;
}

/** The trace of a run, to be compared. */
export function traceOf(rig: Rig): string {
  return JSON.stringify([...rig.kernel.trace.events()]);
}

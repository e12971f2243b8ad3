/**
 * What has to be run besides a run that has few preemptions: as dynamic
 * partial-order reduction, but so that runs within the bound are enough.
 *
 * Coons, Musuvathi and McKinley, "Bounded partial-order reduction" (OOPSLA
 * 2013). To go on with another context just before a race can take a
 * preemption too many; so it is tried as well where the earlier step's context
 * was switched to, for there that may cost none.
 *
 * Of sleep sets one case is left. Where a context could have gone on and was
 * preempted, it need not take that very step once it goes on after all, as
 * long as nothing has touched what the step touches: the preemption may as
 * well come after the step, and costs no more. It might where the step lets go
 * of a lock: to switch away from a context that waits for it costs nothing.
 *
 * @module
 */

import { dependent, STEP_LOCK, stepAddr } from "../../core/mod.ts";
import type { HappensBefore } from "./happens_before.ts";
import type { IntList } from "./int_list.ts";
import type { Node } from "./node.ts";

/**
 * Sees to it that what conflicts with the newest step is also run the other
 * way round, where that is within the bound.
 *
 * @param nodes The states of the run.
 * @param later Which of them has the newest step, not appended to the order
 * yet.
 * @param order What comes before what.
 */
export function addBoundedAlternatives(
  nodes: readonly Node[],
  later: number,
  order: HappensBefore,
): void {
  const step = nodes[later] as Node;
  const ctx = step.chosen;
  for (let i = later - 1; i >= 0; i--) {
    const earlier = nodes[i] as Node;
    if (earlier.chosen === ctx || !conflict(earlier, step)) continue;
    if (order.comesBefore(i, ctx)) continue;
    tryAlso(earlier, ctx);
    tryAlso(nodes[switchedTo(nodes, i)] as Node, ctx);
  }
}

/** Where the context of a step was switched to. */
function switchedTo(nodes: readonly Node[], at: number): number {
  const ctx = (nodes[at] as Node).chosen;
  while ((nodes[at] as Node).current === ctx) at--;
  return at;
}

/** Has a context tried; everything, where that is not possible. */
function tryAlso(
  { enabled, backtrack, tried, sleep }: Node,
  ctx: number,
): void {
  if (tried.has(ctx) || backtrack.has(ctx) && !sleep.has(ctx)) return;
  if (enabled.has(ctx) && !sleep.has(ctx)) backtrack.push(ctx);
  else backtrack.addMissing(enabled);
}

function conflict(earlier: Node, later: Node): boolean {
  const { accesses } = later;
  for (let i = 0; i < accesses.length; i++) {
    const access = accesses.at(i);
    if (touches(earlier.accesses, access)) return true;
    const isLock = (access & 3) === STEP_LOCK;
    if (isLock && earlier.releases.has(stepAddr(access))) return true;
  }
  return false;
}

function touches(accesses: IntList, access: number): boolean {
  for (let i = 0; i < accesses.length; i++) {
    if (dependent(accesses.at(i), access)) return true;
  }
  return false;
}

/**
 * Runs that do not end: who waits for whom, and who spins.
 *
 * @module
 */

import {
  type Context,
  TASK_DEAD,
  TASK_LOCK_WAIT,
  TASK_RUNNING,
  type WaitTarget,
} from "./context.ts";

/** Steps that are looked at when a run has had too many. */
const WINDOW = 1000;
/** Contexts that are named; of the others only their number is told. */
const NAMED = 3;

/**
 * Says who waits for whom, among contexts of which none can run: first what
 * that comes to, then each context with what it waits for, since when, and
 * who has that or when it was woken last.
 *
 * @param contexts All contexts of a run.
 * @returns Clauses with `; ` between them, or null when all have ended.
 *
 * @example
 * ```ts
 * import { Kernel, Mutex, waitGraph } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const mutex = new Mutex(kernel, "i_mutex");
 * const task = kernel.spawn("rm", (function* () {
 *   yield* mutex.lock(kernel);
 *   yield* mutex.lock(kernel);
 * })());
 * kernel.run();
 * assertEquals(
 *   waitGraph([task]),
 *   "task rm-10 deadlocks with itself; task rm-10 waits since 100 ns for i_mutex held by task rm-10",
 * );
 * ```
 */
export function waitGraph(contexts: Iterable<Context>): string | null {
  const stuck = [...contexts].filter(isAlive);
  if (stuck.length === 0) return null;
  return [verdict(stuck), ...stuck.map(describeWait)].join("; ");
}

/** Looks at the steps of a run that has had too many. */
export class SpinWatch {
  readonly #steps: Map<Context, number> = new Map();
  #seen = 0;

  /**
   * Takes a step into account.
   *
   * @param ctx Who made it.
   * @returns True when enough steps have been seen.
   */
  note(ctx: Context): boolean {
    this.#steps.set(ctx, (this.#steps.get(ctx) ?? 0) + 1);
    return ++this.#seen >= WINDOW;
  }

  /**
   * Says who spins, who cannot run meanwhile, and who waits.
   *
   * @param contexts All contexts of the run.
   * @param steps How many steps it has had.
   * @returns Clauses with `; ` between them.
   */
  describe(contexts: Iterable<Context>, steps: number): string {
    const ran = [...this.#steps].sort(([, a], [, b]) => b - a)
      .map(([ctx]) => ctx);
    const others = [...contexts].filter((ctx) =>
      isAlive(ctx) && !this.#steps.has(ctx)
    );
    const starved = others.filter(({ state }) => state === TASK_RUNNING);
    const waiting = others.filter(({ state }) => state !== TASK_RUNNING);
    return [
      `the run does not end: the last ${WINDOW} of ${steps} steps are of ${
        names(ran)
      }`,
      starved.length > 0
        ? `${
          names(starved)
        } could run but never came to it: a spin must let others run (yield SCHEDULE)`
        : "nobody else can run to end that",
      ...waiting.map(describeWait),
      "if it only takes long, raise maxSteps",
    ].join("; ");
  }
}

function isAlive(ctx: Context): boolean {
  return (ctx.body !== null || ctx.handler !== null) &&
    ctx.state !== TASK_DEAD;
}

/** What it comes to that none of the contexts can run. */
function verdict(stuck: readonly Context[]): string {
  for (const ctx of stuck) {
    const circle = circleOf(ctx, ctx, [], stuck);
    if (circle === null) continue;
    return circle.length === 1
      ? `${ctx.label} deadlocks with itself`
      : `deadlock of ${names(circle, circle.length)}`;
  }
  return stuck.length === 1
    ? "nobody is left to wake the one who waits"
    : `nobody is left to wake the ${stuck.length} who wait`;
}

/** The contexts from one back to itself, each of which waits for the next. */
function circleOf(
  start: Context,
  ctx: Context,
  path: readonly Context[],
  stuck: readonly Context[],
): Context[] | null {
  const trail = [...path, ctx];
  for (const blocker of blockersOf(ctx, stuck)) {
    if (blocker === start) return trail;
    if (trail.includes(blocker)) continue;
    const circle = circleOf(start, blocker, trail, stuck);
    if (circle !== null) return circle;
  }
  return null;
}

/** Who is in a context's way: who has the lock, or interrupts its processor. */
function blockersOf(
  ctx: Context,
  stuck: readonly Context[],
): Iterable<Context> {
  return waitsForCpu(ctx)
    ? stuck.filter((other) => other.inInterrupt && other.cpu === ctx.cpu)
    : ctx.waitingOn?.blockers?.() ?? [];
}

/** Whether it could run if its processor were free. */
function waitsForCpu({ queued, waitingOn }: Context): boolean {
  if (!queued) return false;
  const [holder] = waitingOn?.blockers?.() ?? [];
  return holder === undefined;
}

function describeWait(ctx: Context): string {
  return `${ctx.label} waits since ${ctx.waitingSince} ns for ${target(ctx)}`;
}

function target(ctx: Context): string {
  const { waitingOn, state, cpu } = ctx;
  if (waitsForCpu(ctx)) return `cpu ${cpu}`;
  if (waitingOn !== null) return waitingOn.describe() + describeWake(waitingOn);
  return state === TASK_LOCK_WAIT
    ? "its time to come"
    : "a wake-up that nobody is left to send";
}

/** A wake-up that came too early is what gets lost. */
function describeWake({ lastWake }: WaitTarget): string {
  if (lastWake === undefined) return "";
  return lastWake === null
    ? ", and nobody has ever woken that queue"
    : `; the last wake-up of that queue came too early, at ${lastWake.at} ns by ${lastWake.by}`;
}

function names(contexts: readonly Context[], most: number = NAMED): string {
  const shown = contexts.slice(0, most).map(({ label }) => label);
  const more = contexts.length - shown.length;
  if (more > 0) shown.push(`${more} more`);
  const last = shown.pop() ?? "nobody";
  return shown.length === 0 ? last : `${shown.join(", ")} and ${last}`;
}

/**
 * Happens-before: which steps of a run are ordered by what they touch, and
 * which only happened in this order.
 *
 * @module
 */

import { STEP_LOCK, STEP_READ } from "../../core/mod.ts";

/** The last step of each context, by context, that comes before something. */
export type Clock = readonly number[];

/** What is known of an object. */
interface ObjectState {
  /** The last step that wrote it, or took it if it is a lock; -1 for none. */
  readonly write: number;
  /** The steps that have read it since. */
  readonly reads: readonly number[];
  /** The step in which the lock was let go of last; -1 for none. */
  readonly release: number;
}

/** What a step has changed, to be undone. */
interface Change {
  readonly addr: number;
  readonly before: ObjectState | undefined;
}

/** One executed step. */
export interface ExecutedStep {
  /** The context. */
  readonly ctx: number;
  /** What it touched. */
  readonly accesses: readonly number[];
  /** Contexts that it made runnable. */
  readonly enabled: readonly number[];
  /** Locks that it let go of, as addresses. */
  readonly released: readonly number[];
}

/** A step as it is kept. */
interface Kept extends ExecutedStep {
  readonly clock: Clock;
  readonly previous: number;
  readonly changes: readonly Change[];
}

const UNTOUCHED: ObjectState = { write: -1, reads: [], release: -1 };

/** The steps of a run, their order, and what races. */
export class HappensBefore {
  readonly #steps: Kept[] = [];
  readonly #objects: Map<number, ObjectState> = new Map();
  readonly #lastOf: Map<number, number> = new Map();
  /** For each context, the steps that made it runnable. */
  readonly #enablers: Map<number, number[]> = new Map();
  /** For each context that was started from outside, what came before it. */
  readonly #origins: Map<number, Clock> = new Map();

  /** How many steps there are. */
  get length(): number {
    return this.#steps.length;
  }

  /** A context was started from outside, after everything so far. */
  startOutside(ctx: number): void {
    const clock: number[] = [];
    for (const [id, step] of this.#lastOf) clock[id] = step;
    this.#origins.set(ctx, clock);
  }

  /**
   * Appends a step.
   *
   * @param step What was executed.
   * @returns The earlier steps that it races with: the order of the two could
   * be the other one.
   */
  append(step: ExecutedStep): number[] {
    const { ctx } = step;
    const index = this.#steps.length;
    const clock = this.#clockBefore(ctx);
    const changes: Change[] = [];
    const races = this.#races(step, clock);
    for (const access of step.accesses) this.#join(clock, access);
    clock[ctx] = index;
    for (const access of step.accesses) this.#touch(access, index, changes);
    for (const addr of step.released) {
      const before = this.#objects.get(addr);
      changes.push({ addr, before });
      this.#objects.set(addr, { ...before ?? UNTOUCHED, release: index });
    }
    for (const id of step.enabled) {
      const list = this.#enablers.get(id);
      if (list) list.push(index);
      else this.#enablers.set(id, [index]);
    }
    const previous = this.#lastOf.get(ctx) ?? -1;
    this.#lastOf.set(ctx, index);
    this.#steps.push({ ...step, clock, previous, changes });
    return races;
  }

  /** Forgets the steps from one on. */
  truncate(length: number): void {
    while (this.#steps.length > length) {
      const step = this.#steps.pop() as Kept;
      for (const { addr, before } of step.changes.toReversed()) {
        if (before) this.#objects.set(addr, before);
        else this.#objects.delete(addr);
      }
      for (const id of step.enabled) this.#enablers.get(id)?.pop();
      if (step.previous < 0) this.#lastOf.delete(step.ctx);
      else this.#lastOf.set(step.ctx, step.previous);
    }
  }

  /**
   * The contexts that could go first if a race were run the other way round:
   * those whose next step, among the ones that do not depend on the earlier
   * step of the race, depends on none of them either.
   *
   * @param earlier The earlier step of the race.
   * @param later The later one.
   * @returns The contexts.
   */
  initials(earlier: number, later: number): number[] {
    const { ctx } = this.#steps[earlier] as Kept;
    /** The first step of each context among those that do not depend. */
    const firsts: Map<number, number> = new Map();
    const contexts: number[] = [];
    for (let i = earlier + 1; i <= later; i++) {
      const step = this.#steps[i] as Kept;
      if (i < later && (step.clock[ctx] ?? -1) >= earlier) continue;
      if (firsts.has(step.ctx)) continue;
      let first = true;
      for (const [other, j] of firsts) {
        if ((step.clock[other] ?? -1) >= j) first = false;
      }
      firsts.set(step.ctx, i);
      if (first) contexts.push(step.ctx);
    }
    return contexts;
  }

  #clockBefore(ctx: number): number[] {
    const last = this.#lastOf.get(ctx);
    const clock = last === undefined
      ? [...this.#origins.get(ctx) ?? []]
      : [...(this.#steps[last] as Kept).clock];
    for (const enabler of this.#enablers.get(ctx) ?? []) {
      if (enabler > (last ?? -1)) this.#joinStep(clock, enabler);
    }
    return clock;
  }

  #races({ ctx, accesses }: ExecutedStep, clock: Clock): number[] {
    const races: number[] = [];
    for (const access of accesses) {
      const state = this.#objects.get(addrOf(access));
      if (state === undefined) continue;
      const others = (access & 3) === STEP_READ
        ? [state.write]
        : [state.write, ...state.reads];
      for (const other of others) {
        if (other < 0 || races.includes(other)) continue;
        const step = this.#steps[other] as Kept;
        if (step.ctx !== ctx && (clock[step.ctx] ?? -1) < other) {
          races.push(other);
        }
      }
    }
    return races;
  }

  /** What a step touched before comes before it. */
  #join(clock: number[], access: number): void {
    const state = this.#objects.get(addrOf(access));
    if (state === undefined) return;
    if (state.write >= 0) this.#joinStep(clock, state.write);
    if ((access & 3) === STEP_READ) return;
    for (const read of state.reads) this.#joinStep(clock, read);
    if ((access & 3) === STEP_LOCK && state.release >= 0) {
      this.#joinStep(clock, state.release);
    }
  }

  #joinStep(clock: number[], index: number): void {
    const other = (this.#steps[index] as Kept).clock;
    for (let id = 0; id < other.length; id++) {
      const step = other[id];
      if (step !== undefined && step > (clock[id] ?? -1)) clock[id] = step;
    }
  }

  #touch(access: number, index: number, changes: Change[]): void {
    const addr = addrOf(access);
    const before = this.#objects.get(addr);
    const state = before ?? UNTOUCHED;
    changes.push({ addr, before });
    this.#objects.set(
      addr,
      (access & 3) === STEP_READ
        ? { ...state, reads: [...state.reads, index] }
        : { write: index, reads: [], release: state.release },
    );
  }
}

function addrOf(access: number): number {
  return (access - (access & 3)) / 4;
}

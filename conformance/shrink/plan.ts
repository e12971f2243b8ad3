/**
 * Plans: which context ran for how long, by names that survive a change of the
 * scenario. From a plan a schedule can be made anew where the recorded choices
 * do not fit any more.
 *
 * @module
 */

import {
  Bio,
  type Context,
  type StepWatcher,
  type Strategy,
} from "../../core/mod.ts";

/** A context that runs for some steps without another one in between. */
export interface Segment {
  /** Who, by a name that is the same in every run of like scenarios. */
  readonly who: string;
  /** For how many steps. */
  readonly steps: number;
}

/** A schedule that is not tied to one program. */
export interface Plan {
  /** Who runs, one after the other. */
  readonly segments: readonly Segment[];
  /** What is decided that is not about contexts. */
  readonly decisions: readonly number[];
}

/** Gives contexts their names: an interrupt has that of its bio's place. */
class Names {
  readonly #names: Map<number, string> = new Map();
  readonly #raised: Map<string, number> = new Map();

  /** New contexts get their names in the order of their identities. */
  see(runnable: readonly Context[]): void {
    const unseen = runnable.filter(({ id }) => !this.#names.has(id));
    for (const ctx of unseen.sort((a, b) => a.id - b.id)) {
      const name = `${ctx.kind} ${
        ctx.arg instanceof Bio ? ctx.arg.biSector : ctx.comm
      }`;
      const nth = (this.#raised.get(name) ?? 0) + 1;
      this.#raised.set(name, nth);
      this.#names.set(ctx.id, `${name} ${nth}`);
    }
  }

  of(ctx: Context): string {
    return this.#names.get(ctx.id) ?? "";
  }
}

/** What both sides of a plan share: they look at every step. */
abstract class EveryStep implements Strategy, StepWatcher {
  readonly name: string;
  readonly stepping = true;
  readonly timeless: boolean;
  readonly watcher: StepWatcher = this;
  protected readonly names: Names = new Names();

  constructor(name: string = "plan", timeless: boolean = false) {
    this.name = name;
    this.timeless = timeless;
  }

  abstract pick(runnable: readonly Context[], current: number): number;
  abstract choose(options: number, what: string): number;
  resumed(_ctx: Context): void {}
  enabled(_ctx: Context, _by: Context): void {}
  released(_step: number): void {}
  touched(_step: number): void {}
}

/** A point of a run at which there was something to choose. */
export interface ChoicePoint {
  /** How many options there were. */
  readonly options: number;
  /** Whether all but the default one keep a context from going on. */
  readonly preempts: boolean;
}

/** Lets another strategy decide, and makes a plan of what it does. */
export class Planner extends EveryStep implements Plan {
  readonly segments: { who: string; steps: number }[] = [];
  readonly decisions: number[] = [];
  /** Every choice point of the run. */
  readonly points: ChoicePoint[] = [];
  /** How often a context was kept from going on by another one. */
  preemptions = 0;
  /** How many steps the run has. */
  steps = 0;
  readonly #inner: Strategy;

  constructor(inner: Strategy, name: string, timeless: boolean) {
    super(name, timeless);
    this.#inner = inner;
  }

  override pick(runnable: readonly Context[], current: number): number {
    const { watcher } = this.#inner;
    const index = runnable.length > 1 || watcher !== undefined
      ? this.#inner.pick(runnable, current)
      : 0;
    const ctx = runnable[index];
    if (ctx === undefined) return index;
    const preempts = current >= 0;
    if (preempts && index !== current) this.preemptions++;
    if (runnable.length > 1) {
      this.points.push({ options: runnable.length, preempts });
    }
    this.names.see(runnable);
    const who = this.names.of(ctx);
    const last = this.segments.at(-1);
    if (last?.who === who) last.steps++;
    else this.segments.push({ who, steps: 1 });
    return index;
  }

  override choose(options: number, what: string): number {
    const option = this.#inner.choose(options, what);
    this.decisions.push(option);
    this.points.push({ options, preempts: false });
    return option;
  }

  override resumed(ctx: Context): void {
    this.steps++;
    this.#inner.watcher?.resumed(ctx);
  }

  /** Ends the run. */
  finish(): void {
    this.#inner.finish?.();
  }
}

/** Follows a plan as far as it goes, and then the default order. */
export class Follower extends EveryStep {
  readonly #plan: Plan;
  #segment = 0;
  #steps = 0;
  #decision = 0;

  constructor(plan: Plan) {
    super();
    this.#plan = plan;
  }

  override pick(runnable: readonly Context[], current: number): number {
    this.names.see(runnable);
    const { segments } = this.#plan;
    for (; this.#segment < segments.length; this.#segment++, this.#steps = 0) {
      const { who, steps } = segments[this.#segment] as Segment;
      if (this.#steps >= steps) continue;
      const index = runnable.findIndex((ctx) => this.names.of(ctx) === who);
      if (index < 0) continue;
      this.#steps++;
      return index;
    }
    return Math.max(current, 0);
  }

  override choose(options: number): number {
    const option = this.#plan.decisions[this.#decision++] ?? 0;
    return Math.min(option, options - 1);
  }
}

/**
 * Plans that are simpler than one: parts of it, and parts moved to where they
 * save a change of context. Those that take away most come first.
 */
export function* simplerPlans(plan: Plan): Generator<Plan, void, void> {
  const { segments, decisions } = plan;
  const count = segments.length;
  yield { segments: [], decisions };
  if (decisions.some((option) => option !== 0)) {
    yield { segments, decisions: [] };
    for (let i = 0; i < decisions.length; i++) {
      if (decisions[i] !== 0) {
        yield { segments, decisions: decisions.with(i, 0) };
      }
    }
  }
  for (let size = count >> 1; size >= 1; size >>= 1) {
    for (let from = count - size; from >= 0; from -= size) {
      yield { segments: segments.toSpliced(from, size), decisions };
    }
  }
  for (let i = 0; i < count; i++) {
    const { who } = segments[i] as Segment;
    const next = segments.findIndex((segment, j) =>
      j > i && segment.who === who
    );
    if (next < 0) continue;
    yield { segments: moved(segments, next, i + 1), decisions };
    yield { segments: moved(segments, i, next - 1), decisions };
  }
}

function moved(
  segments: readonly Segment[],
  from: number,
  to: number,
): Segment[] {
  const segment = segments[from] as Segment;
  return segments.toSpliced(from, 1).toSpliced(to, 0, segment);
}

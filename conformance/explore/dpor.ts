/**
 * Exhaustive exploration with dynamic partial-order reduction: runs a program
 * again and again, each time in another order, until every order that can
 * make a difference has been run.
 *
 * Source sets and sleep sets, after Abdulla, Aronis, Jonsson and Sagonas,
 * "Optimal dynamic partial order reduction" (POPL 2014), algorithm 1.
 *
 * @module
 */

import {
  BOOT_ID,
  type Context,
  readStep,
  ReplayError,
  SCHEDULE,
  stepAddr,
  type StepWatcher,
  type Strategy,
  writeStep,
} from "../../core/mod.ts";
import { HappensBefore } from "./happens_before.ts";
import {
  advance,
  countOptions,
  type DataChoice,
  loadChoices,
  Node,
  saveChoices,
} from "./node.ts";
import type { Part } from "./part.ts";
import { addBoundedAlternatives } from "./preemptions.ts";
import type { SavedExploration } from "./saved.ts";
import { Trunk } from "./trunk.ts";

const CHANGED =
  "Cannot go on with the exploration: under the same choices the program does something else than before";

/** How an exploration is done; see {@linkcode ExhaustiveStrategy}. */
export interface ExhaustiveOptions {
  /**
   * Whether orders are left out that make no difference.
   *
   * @default {true}
   */
  readonly reduce?: boolean;
  /**
   * How many preemptions a run has at most: how often a context that could go
   * on has to let another one go.
   *
   * @default {Infinity}
   */
  readonly bound?: number;
  /**
   * Which part of the exploration is run.
   *
   * @default {the whole}
   */
  readonly part?: Part;
  /**
   * What {@linkcode ExhaustiveStrategy.save} gave, to go on from there.
   *
   * @default {from the beginning}
   */
  readonly resume?: SavedExploration;
}

/**
 * The strategy of an exploration. One object drives all of its runs:
 *
 * ```ts ignore
 * const strategy = new ExhaustiveStrategy();
 * do {
 *   strategy.begin();
 *   new Kernel({ strategy }).run();
 * } while (strategy.end());
 * ```
 *
 * @example Two contexts that write one object: two orders
 * ```ts
 * import { ExhaustiveStrategy } from "@endio/dio/conformance";
 * import { Kernel, type Task, writeStep } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const strategy = new ExhaustiveStrategy();
 * const orders: string[] = [];
 * do {
 *   strategy.begin();
 *   const kernel = new Kernel({ strategy });
 *   let order = "";
 *   const addr = kernel.newAddr();
 *   const body = function* (name: string): Task<void> {
 *     yield writeStep(addr);
 *     order += name;
 *   };
 *   kernel.spawn("a", body("a"));
 *   kernel.spawn("b", body("b"));
 *   kernel.run();
 *   orders.push(order);
 * } while (strategy.end());
 * assertEquals(orders, ["ab", "ba"]);
 * ```
 */
export class ExhaustiveStrategy implements Strategy, StepWatcher {
  /** Its name. */
  readonly name = "exhaustive";
  /** It decides at every step. */
  readonly stepping = true;
  /** What is due later may happen at any time. */
  readonly timeless = true;
  /** It follows its runs itself. */
  readonly watcher: StepWatcher = this;
  /** Runs that came to their end. */
  schedules = 0;
  /** Runs that were given up because they could only repeat another one. */
  pruned = 0;
  /** Whether the present run was given up. */
  blocked = false;
  /** Whether runs were left out because of their preemptions. */
  hitBound = false;
  /** Whether the present run is that of another part. */
  isForeign = false;
  readonly #reduce: boolean;
  readonly #bound: number;
  readonly #trunk: Trunk | null;
  readonly #order: HappensBefore = new HappensBefore();
  /** The states of the run, and behind them some that were dropped. */
  readonly #nodes: Node[] = [];
  /** How many states there are; a new run repeats all of them first. */
  #depth = 0;
  readonly #outside: DataChoice[] = [];
  /** The node whose step runs, -1 before the first. */
  #at = -1;
  #choice = 0;

  /**
   * Begins an exploration.
   *
   * @param options What is explored of it, and how.
   */
  constructor(options: ExhaustiveOptions = {}) {
    this.#reduce = options.reduce ?? true;
    this.#bound = options.bound ?? Infinity;
    this.#trunk = options.part ? new Trunk(options.part) : null;
    if (options.resume) this.#load(options.resume);
  }

  /**
   * How many runs are known to be left, at least; of a part, in the unit that
   * was begun.
   */
  get left(): number {
    let left = this.#trunk === null ? countOptions(this.#outside) : 0;
    for (let i = 0; i < this.#depth; i++) {
      const node = this.#nodes[i] as Node;
      if (!node.isInUnit) continue;
      left += node.countOpen(this.#bound);
      if (i === this.#depth - 1) left++;
    }
    return left;
  }

  /** How many units of the whole were begun, also those of other parts. */
  get units(): number {
    return this.#trunk?.units ?? 0;
  }

  /** Begins a run. */
  begin(): void {
    this.#at = -1;
    this.#choice = 0;
    this.blocked = false;
    this.isForeign = false;
  }

  /**
   * Ends a run, and prepares the next one.
   *
   * @returns False when everything has been run.
   */
  end(): boolean {
    this.#settle();
    this.#count();
    return this.#advance();
  }

  /**
   * Leaves out what is left of the unit that the next run is in.
   *
   * @returns False when everything else has been run.
   */
  leaveUnit(): boolean {
    if (this.#nodes[this.#depth - 1]?.isInUnit !== true) return true;
    while (this.#nodes[this.#depth - 1]?.isInUnit) this.#depth--;
    return this.#advance();
  }

  /** Prepares the next run. */
  #advance(): boolean {
    let more = false;
    while (this.#depth > 0 && !more) {
      const node = this.#nodes[this.#depth - 1] as Node;
      more = node.nextChoice() || node.nextContext(this.#bound);
      if (more) break;
      if (node.hitBound(this.#bound)) this.hitBound = true;
      this.#depth--;
    }
    this.#order.truncate(Math.max(this.#depth - 1, 0));
    return more || advance(this.#outside);
  }

  /**
   * Picks the context that goes next; see {@linkcode Strategy}.
   *
   * @param runnable The contexts that can run.
   * @param current Where the one that ran last stands.
   * @returns An index into `runnable`, or -1 when everything that could
   * follow has been run.
   */
  pick(runnable: readonly Context[], current: number): number {
    this.#settle();
    this.#at++;
    this.#choice = 0;
    if (this.#at === this.#depth && !this.#addNode(runnable, current)) {
      this.blocked = true;
      this.#at--;
      return -1;
    }
    const { chosen } = this.#node;
    let index = runnable.length - 1;
    while (index >= 0 && runnable[index]?.id !== chosen) index--;
    if (index < 0) throw new ReplayError(CHANGED);
    return index;
  }

  /**
   * Decides something inside a step: every option is run.
   *
   * @param options How many options there are.
   * @returns An option.
   */
  choose(options: number): number {
    const choices = this.#nodes[this.#at]?.choices ?? this.#outside;
    const choice = choices[this.#choice] ?? { options, taken: 0 };
    choices[this.#choice++] = choice;
    return choice.taken;
  }

  /**
   * A context goes on.
   *
   * @param ctx The context.
   */
  resumed(ctx: Context): void {
    this.touched(ctx.step);
  }

  /**
   * A context was made runnable, by the running step or from outside.
   *
   * @param ctx The context.
   * @param by Who did it.
   */
  enabled(ctx: Context, by: Context): void {
    if (by.id === BOOT_ID) {
      this.#settle();
      if (this.#order.length === this.#at + 1) this.#order.startOutside(ctx.id);
    } else if (this.#recording) this.#node.enables.push(ctx.id);
  }

  /**
   * The running step has let go of a lock.
   *
   * @param step The step of the lock.
   */
  released(step: number): void {
    if (this.#recording) this.#node.releases.push(stepAddr(step));
  }

  /**
   * The running step touches one more object.
   *
   * @param step The access.
   */
  touched(step: number): void {
    if (this.#recording && step !== SCHEDULE) this.#node.accesses.push(step);
  }

  /**
   * The running step dropped one of several references: it depends on steps
   * that do more with the object, and not on others like it. If only one is
   * left, then each of those that sleep would drop the last one now.
   *
   * @param ctx The context.
   * @param left How many references are left.
   */
  notLast({ step }: Context, left: number): void {
    if (!this.#recording) return;
    const { accesses, alarms } = this.#node;
    if (accesses.length === 0 || accesses.at(0) !== step) return;
    accesses.set(0, readStep(stepAddr(step)));
    if (left === 1) alarms.push(writeStep(stepAddr(step)));
  }

  get #node(): Node {
    return this.#nodes[this.#at] as Node;
  }

  /** Whether the running step has not been appended to the order yet. */
  get #recording(): boolean {
    return this.#at >= 0 && this.#order.length === this.#at;
  }

  /** The running step has come to its end: what does it race with? */
  #settle(): void {
    if (!this.#recording) return;
    const isBounded = this.#reduce && this.#bound < Infinity;
    if (isBounded) addBoundedAlternatives(this.#nodes, this.#at, this.#order);
    const races = this.#order.append(this.#node);
    if (!this.#reduce || isBounded) return;
    for (let i = 0; i < races.length; i++) this.#reverse(races.at(i), this.#at);
  }

  /** Sees to it that a race is also run the other way round. */
  #reverse(earlier: number, later: number): void {
    const { backtrack, enabled } = this.#nodes[earlier] as Node;
    const initials = this.#order.initials(earlier, later);
    for (let i = 0; i < initials.length; i++) {
      if (backtrack.has(initials.at(i))) return;
    }
    const { chosen } = this.#nodes[later] as Node;
    const ctx = initials.has(chosen) ? chosen : initials.at(0);
    if (enabled.has(ctx)) backtrack.push(ctx);
    else backtrack.addMissing(enabled);
  }

  /** Adds a state, unless everything that could follow has been run. */
  #addNode(runnable: readonly Context[], current: number): boolean {
    const node = this.#nodes[this.#at] ?? new Node();
    this.#nodes[this.#at] = node;
    node.clear();
    for (let i = 0; i < runnable.length; i++) {
      node.enabled.push((runnable[i] as Context).id);
    }
    const before = this.#nodes[this.#at - 1];
    if (before !== undefined && this.#reduce) {
      node.sleep.inherit(before.sleep, before.accesses, before.alarms);
    }
    node.follow(before, this.#trunk === null);
    if (!node.choose(current)) return false;
    this.isForeign = this.#trunk?.enter(node) === false;
    if (this.isForeign) return false;
    if (this.#reduce && node.isInUnit) node.backtrack.push(node.chosen);
    else node.backtrack.pushAll(node.enabled);
    this.#depth++;
    return true;
  }

  #count(): void {
    const isInUnit = this.#nodes[this.#depth - 1]?.isInUnit === true;
    if (this.#trunk !== null && !isInUnit && !this.isForeign) {
      this.isForeign = !this.#trunk.enterShort();
      if (this.isForeign) this.blocked = true;
    }
    if (this.isForeign) return;
    if (this.blocked) this.pruned++;
    else this.schedules++;
  }

  /**
   * What is needed to go on later, between two runs: after {@linkcode end} has
   * said that there is more.
   *
   * @returns What `resume` takes.
   */
  save(): SavedExploration {
    const { schedules, pruned, hitBound } = this;
    const trunk = this.#trunk?.save() ?? null;
    const nodes = this.#nodes.slice(0, this.#depth).map((node) => node.save());
    const outside = saveChoices(this.#outside);
    return { schedules, pruned, hitBound, trunk, outside, nodes };
  }

  #load(saved: SavedExploration): void {
    this.schedules = saved.schedules;
    this.pruned = saved.pruned;
    this.hitBound = saved.hitBound;
    if (saved.trunk !== null) this.#trunk?.load(saved.trunk);
    this.#outside.push(...loadChoices(saved.outside));
    for (const node of saved.nodes) {
      this.#nodes[this.#depth] = new Node();
      this.#nodes[this.#depth++]?.load(node);
    }
  }
}

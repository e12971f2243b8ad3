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
  dependent,
  SCHEDULE,
  stepAddr,
  type StepWatcher,
  type Strategy,
} from "../../core/mod.ts";
import { HappensBefore } from "./happens_before.ts";

/** Something that is decided inside a step. */
interface DataChoice {
  readonly options: number;
  taken: number;
}

/** A state of the run in which one of several contexts goes on. */
interface Node {
  /** Contexts that can go on here. */
  readonly enabled: readonly number[];
  /** Contexts that are to be tried here. */
  readonly backtrack: Set<number>;
  /**
   * Contexts that need not be tried, because what they lead to has been run,
   * and what their step touches.
   */
  readonly sleep: Map<number, readonly number[]>;
  /** The context that goes on in this run. */
  chosen: number;
  /** What its step touches. */
  accesses: number[];
  /** What it touched under other choices. */
  readonly formerAccesses: number[];
  /** Contexts that it makes runnable. */
  enables: number[];
  /** Locks that it lets go of. */
  releases: number[];
  /** What is decided inside its step. */
  choices: DataChoice[];
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
  readonly #reduce: boolean;
  readonly #order: HappensBefore = new HappensBefore();
  readonly #nodes: Node[] = [];
  readonly #outside: DataChoice[] = [];
  /** The node whose step runs, -1 before the first. */
  #at = -1;
  #choice = 0;

  /**
   * Begins an exploration.
   *
   * @param options `reduce: false` runs every order, also those that make no
   * difference.
   */
  constructor(options: { readonly reduce?: boolean } = {}) {
    this.#reduce = options.reduce ?? true;
  }

  /** Begins a run. */
  begin(): void {
    this.#at = -1;
    this.#choice = 0;
    this.blocked = false;
  }

  /**
   * Ends a run, and prepares the next one.
   *
   * @returns False when everything has been run.
   */
  end(): boolean {
    this.#settle();
    if (this.blocked) this.pruned++;
    else this.schedules++;
    for (let i = this.#nodes.length - 1; i >= 0; i--) {
      const node = this.#nodes[i] as Node;
      this.#order.truncate(i);
      if (this.#nextChoice(node) || this.#nextContext(node)) return true;
      this.#nodes.pop();
    }
    return advance(this.#outside);
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
    const node = this.#nodes[this.#at] ?? this.#newNode(runnable, current);
    if (node === null) {
      this.blocked = true;
      this.#at--;
      return -1;
    }
    return runnable.findIndex(({ id }) => id === node.chosen);
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
    const { chosen: ctx, accesses, enables, releases } = this.#node;
    const races = this.#order.append({
      ctx,
      accesses,
      enabled: enables,
      released: releases,
    });
    if (!this.#reduce) return;
    for (const earlier of races) this.#reverse(earlier, this.#at);
  }

  /** Sees to it that a race is also run the other way round. */
  #reverse(earlier: number, later: number): void {
    const { backtrack, enabled } = this.#nodes[earlier] as Node;
    const initials = this.#order.initials(earlier, later);
    if (initials.some((ctx) => backtrack.has(ctx))) return;
    const { chosen } = this.#nodes[later] as Node;
    const ctx = initials.includes(chosen) ? chosen : initials[0];
    if (ctx !== undefined && enabled.includes(ctx)) backtrack.add(ctx);
    else for (const any of enabled) backtrack.add(any);
  }

  #newNode(runnable: readonly Context[], current: number): Node | null {
    const enabled = runnable.map(({ id }) => id);
    const sleep = this.#sleepHere();
    const preferred = runnable[current]?.id;
    const chosen = preferred !== undefined && !sleep.has(preferred)
      ? preferred
      : enabled.find((id) => !sleep.has(id));
    if (chosen === undefined) return null;
    const node: Node = {
      enabled,
      backtrack: new Set(this.#reduce ? [chosen] : enabled),
      sleep,
      chosen,
      accesses: [],
      formerAccesses: [],
      enables: [],
      releases: [],
      choices: [],
    };
    this.#nodes.push(node);
    return node;
  }

  /** Who sleeps after the last step: who slept before it and is not touched. */
  #sleepHere(): Map<number, readonly number[]> {
    const sleep: Map<number, readonly number[]> = new Map();
    const parent = this.#nodes[this.#at - 1];
    if (parent === undefined || !this.#reduce) return sleep;
    for (const [ctx, accesses] of parent.sleep) {
      const touched = accesses.some((a) =>
        parent.accesses.some((b) => dependent(a, b))
      );
      if (ctx !== parent.chosen && !touched) sleep.set(ctx, accesses);
    }
    return sleep;
  }

  /** Decides otherwise inside the step, if there is an option left. */
  #nextChoice(node: Node): boolean {
    if (!advance(node.choices)) return false;
    node.formerAccesses.push(...node.accesses);
    rerun(node);
    return true;
  }

  /** Lets another context go on, if one is to be tried. */
  #nextContext(node: Node): boolean {
    node.sleep.set(node.chosen, [...node.formerAccesses, ...node.accesses]);
    for (const ctx of node.backtrack) {
      if (node.sleep.has(ctx)) continue;
      node.chosen = ctx;
      node.choices = [];
      node.formerAccesses.length = 0;
      rerun(node);
      return true;
    }
    return false;
  }
}

function rerun(node: Node): void {
  node.accesses = [];
  node.enables = [];
  node.releases = [];
}

/** Takes the next option of the last choice that has one. */
function advance(choices: DataChoice[]): boolean {
  for (;;) {
    const last = choices.at(-1);
    if (last === undefined) return false;
    if (++last.taken < last.options) return true;
    choices.pop();
  }
}

/**
 * Happens-before: which steps of a run are ordered by what they touch, and
 * which only happened in this order.
 *
 * Every run of an exploration asks, so all of it lies in numbers that the next
 * run uses again: the clocks in one matrix, the rest in a journal from which
 * steps are taken back.
 *
 * @module
 */

import { STEP_LOCK, STEP_READ, stepAddr } from "../../core/mod.ts";
import { IntList } from "./int_list.ts";
import { Journal, NONE } from "./journal.ts";

/** One executed step. */
export interface ExecutedStep {
  /** The context. */
  readonly chosen: number;
  /** What it touched. */
  readonly accesses: IntList;
  /** Contexts that it made runnable. */
  readonly enables: IntList;
  /** Locks that it let go of, as addresses. */
  readonly releases: IntList;
}

/** Of an object: the last step that wrote it, or took it if it is a lock. */
const WRITE = 0;
/** Of an object: the steps that have read it since, a list. */
const READS = 1;
/** Of a lock: the step in which it was let go of last. */
const RELEASE = 2;
/** Of a context: its last step. */
const LAST = 3;
/** Of a context: the steps that made it runnable, a list. */
const ENABLERS = 4;
/** Of a context that was started from outside: how many steps there were. */
const ORIGIN = 5;
const FIELDS = 6;

const FIRST_STEPS = 128;
const FIRST_CONTEXTS = 32;

/** The steps of a run, their order, and what races. */
export class HappensBefore {
  /** How many steps there are. */
  length = 0;
  /** What is known of each object and of each context, by number and field. */
  readonly #journal: Journal = new Journal();
  /** Where the journal stood before each step. */
  readonly #marks: number[] = [];
  /** The context of each step. */
  readonly #ctxs: number[] = [];
  /**
   * A row for each step: for each context how many of all steps, counted from
   * the first, one has to take to have the last one of that context that comes
   * before this step, or is this step; 0 when none does.
   */
  #clocks: Int32Array = new Int32Array(FIRST_STEPS * FIRST_CONTEXTS);
  #width = FIRST_CONTEXTS;
  /** More than the number of any context. */
  #contexts = 0;
  readonly #races: IntList = new IntList();
  readonly #initials: IntList = new IntList();
  /** While initials are looked for: contexts, and the first step of each. */
  readonly #firstCtxs: number[] = [];
  readonly #firstSteps: number[] = [];

  /** A context was started from outside, after everything so far. */
  startOutside(ctx: number): void {
    this.#set(ctx, ORIGIN, this.length);
  }

  /**
   * Appends a step.
   *
   * @param step What was executed.
   * @returns The earlier steps that it races with: the order of the two could
   * be the other one. Good until the next call.
   */
  append({ chosen: ctx, accesses, enables, releases }: ExecutedStep): IntList {
    const index = this.length++;
    this.#makeRoom(ctx);
    const row = index * this.#width;
    this.#marks[index] = this.#journal.mark();
    this.#ctxs[index] = ctx;
    this.#startClock(row, ctx);
    this.#findRaces(ctx, accesses, row);
    for (let i = 0; i < accesses.length; i++) {
      this.#join(row, accesses.at(i));
    }
    this.#clocks[row + ctx] = index + 1;
    for (let i = 0; i < accesses.length; i++) {
      this.#touch(accesses.at(i), index);
    }
    for (let i = 0; i < releases.length; i++) {
      this.#set(releases.at(i), RELEASE, index);
    }
    for (let i = 0; i < enables.length; i++) {
      this.#push(enables.at(i), ENABLERS, index);
    }
    this.#set(ctx, LAST, index);
    return this.#races;
  }

  /**
   * Whether a step comes before whatever a context does next.
   *
   * @param index The step.
   * @param ctx The context.
   * @returns True when it does, whatever the context is going to touch.
   */
  comesBefore(index: number, ctx: number): boolean {
    const by = this.#ctxs[index] as number;
    const last = this.#get(ctx, LAST);
    if (last !== NONE) {
      if (this.#knows(last, by, index)) return true;
    } else if (this.#get(ctx, ORIGIN) > index) return true;
    const journal = this.#journal;
    let list = this.#get(ctx, ENABLERS);
    for (; list !== NONE; list = journal.rest(list)) {
      const enabler = journal.first(list);
      if (enabler <= last) break;
      if (this.#knows(enabler, by, index)) return true;
    }
    return false;
  }

  /** Whether a step of a context comes before another step, or is it. */
  #knows(later: number, by: number, index: number): boolean {
    return (this.#clocks[later * this.#width + by] as number) > index;
  }

  /** Forgets the steps from one on. */
  truncate(length: number): void {
    if (length >= this.length) return;
    this.#journal.undo(this.#marks[length] as number);
    this.length = length;
  }

  /**
   * The contexts that could go first if a race were run the other way round:
   * those whose next step, among the ones that do not depend on the earlier
   * step of the race, depends on none of them either.
   *
   * @param earlier The earlier step of the race.
   * @param later The later one.
   * @returns The contexts. Good until the next call.
   */
  initials(earlier: number, later: number): IntList {
    const ctx = this.#ctxs[earlier] as number;
    const clocks = this.#clocks;
    const firstCtxs = this.#firstCtxs;
    const firstSteps = this.#firstSteps;
    const initials = this.#initials;
    let found = 0;
    initials.clear();
    for (let i = earlier + 1; i <= later; i++) {
      const row = i * this.#width;
      if (i < later && (clocks[row + ctx] as number) > earlier) continue;
      const id = this.#ctxs[i] as number;
      let known = 0;
      let first = true;
      for (; known < found; known++) {
        const other = firstCtxs[known] as number;
        if (other === id) break;
        const before = clocks[row + other] as number;
        if (before > (firstSteps[known] as number)) first = false;
      }
      if (known < found) continue;
      firstCtxs[found] = id;
      firstSteps[found++] = i;
      if (first) initials.push(id);
    }
    return initials;
  }

  /** The clock of a context before its next step. */
  #startClock(row: number, ctx: number): void {
    const last = this.#get(ctx, LAST);
    const clock = this.#clocks;
    if (last !== NONE) {
      const from = last * this.#width;
      clock.copyWithin(row, from, from + this.#width);
    } else {
      clock.fill(0, row, row + this.#width);
      const origin = this.#get(ctx, ORIGIN);
      for (let i = 0; i < origin; i++) {
        clock[row + (this.#ctxs[i] as number)] = i + 1;
      }
    }
    const journal = this.#journal;
    let list = this.#get(ctx, ENABLERS);
    for (; list !== NONE; list = journal.rest(list)) {
      const enabler = journal.first(list);
      if (enabler <= last) break;
      this.#joinStep(row, enabler);
    }
  }

  #findRaces(ctx: number, accesses: IntList, row: number): void {
    this.#races.clear();
    for (let i = 0; i < accesses.length; i++) {
      const access = accesses.at(i);
      const addr = stepAddr(access);
      this.#race(this.#get(addr, WRITE), ctx, row);
      if ((access & 3) === STEP_READ) continue;
      const journal = this.#journal;
      let list = this.#get(addr, READS);
      for (; list !== NONE; list = journal.rest(list)) {
        this.#race(journal.first(list), ctx, row);
      }
    }
  }

  /** Notes an earlier step, if nothing but chance has put it before. */
  #race(other: number, ctx: number, row: number): void {
    if (other === NONE) return;
    const by = this.#ctxs[other] as number;
    if (by === ctx || (this.#clocks[row + by] as number) > other) return;
    if (!this.#races.has(other)) this.#races.push(other);
  }

  /** What a step touched before comes before it. */
  #join(row: number, access: number): void {
    const addr = stepAddr(access);
    const write = this.#get(addr, WRITE);
    if (write !== NONE) this.#joinStep(row, write);
    if ((access & 3) === STEP_READ) return;
    const journal = this.#journal;
    let list = this.#get(addr, READS);
    for (; list !== NONE; list = journal.rest(list)) {
      this.#joinStep(row, journal.first(list));
    }
    if ((access & 3) !== STEP_LOCK) return;
    const release = this.#get(addr, RELEASE);
    if (release !== NONE) this.#joinStep(row, release);
  }

  #joinStep(row: number, index: number): void {
    const clocks = this.#clocks;
    const from = index * this.#width;
    // What comes before a step that is known already is known as well.
    const by = this.#ctxs[index] as number;
    if ((clocks[row + by] as number) > index) return;
    for (let id = 0; id < this.#contexts; id++) {
      const other = clocks[from + id] as number;
      if (other > (clocks[row + id] as number)) clocks[row + id] = other;
    }
  }

  #touch(access: number, index: number): void {
    const addr = stepAddr(access);
    if ((access & 3) === STEP_READ) return this.#push(addr, READS, index);
    this.#set(addr, WRITE, index);
    if (this.#get(addr, READS) !== NONE) this.#set(addr, READS, NONE);
  }

  #get(id: number, field: number): number {
    return this.#journal.get(id * FIELDS + field);
  }

  #set(id: number, field: number, value: number): void {
    this.#journal.set(id * FIELDS + field, value);
  }

  #push(id: number, field: number, step: number): void {
    const slot = id * FIELDS + field;
    this.#journal.set(slot, this.#journal.cons(step, this.#journal.get(slot)));
  }

  /** Makes room for the clock of the newest step, one of a context. */
  #makeRoom(ctx: number): void {
    this.#contexts = Math.max(this.#contexts, ctx + 1);
    const old = this.#width;
    while (this.#width < this.#contexts) this.#width *= 2;
    const needed = this.length * this.#width;
    if (needed <= this.#clocks.length && old === this.#width) return;
    const clocks = this.#clocks;
    this.#clocks = new Int32Array(Math.max(2 * needed, clocks.length));
    for (let i = 0; i < this.length - 1; i++) {
      const row = clocks.subarray(i * old, (i + 1) * old);
      this.#clocks.set(row, i * this.#width);
    }
  }
}

/**
 * A recording being read: who is who in it, and what it breaks.
 *
 * Every line goes to the context that it ran in (a task, or the interrupts of
 * a processor), and from there to the requests, bios and work items that it is
 * about, found by their addresses, which are used again after a free, or by
 * what runs in the context. All of it is kept only while it is alive.
 *
 * @module
 */

import { leaveInterrupt } from "./bio_settle.ts";
import { onOtherEntry, onOtherReturn } from "./end_io.ts";
import { checkExpected } from "./references.ts";
import { Args } from "./args.ts";
import {
  Calls,
  onCall,
  onEntry,
  onInner,
  onReturn,
  settleCall,
} from "./calls.ts";
import { HANDLERS } from "./handlers.ts";
import { FtraceLine, LEVEL, LINE } from "./line.ts";
import { Names } from "./names.ts";
import {
  type Bio,
  Context,
  type Dio,
  type Iocb,
  type Shared,
  type Work,
} from "./objects.ts";
import { Inventory } from "./inventory.ts";
import { type Probe, Probes, SITE } from "./probes.ts";
import { R, RECORDING_RULES } from "./rules.ts";

/** What a recording breaks. */
export interface Finding {
  /** The rule: its place among the rules for recordings. */
  readonly rule: number;
  /** What should have been, one clause. */
  readonly expected: string;
  /** The lines that break it, counted from 1. */
  readonly lines: readonly number[];
}

/** All requests of a recording. */
export interface History {
  /** Those of io_submit, in order. */
  readonly aio: Iocb[];
  /** What the system calls that wait have returned. */
  readonly sync: number[];
}

/** Objects of a kind that are kept; the oldest goes when there are more. */
const MAX_OBJECTS = 1 << 16;
/** Findings that wait for a sign that their probe was set. */
const MAX_PENDING = 64;
const MAX_CPU = 4096;
/** How long a processor may take from a probe to what it has announced. */
const RACE_NS = 200_000;

/** A recording being read. */
export class Recording {
  /** The names in it. */
  readonly names: Names = new Names();
  /** The probes in it. */
  readonly probes: Probes = new Probes(this.names);
  /** Which probes were set. */
  readonly inventory: Inventory = new Inventory();
  /** The line that is read. */
  readonly line: FtraceLine = new FtraceLine();
  readonly args: Args = new Args(this.names);
  /** What it shows of each function. */
  readonly calls: Calls = new Calls();
  /** Its number, from 1. */
  no = 0;
  /** What it is about. */
  probe: Probe | null = null;
  ctx: Context = new Context(LEVEL.task);
  dio: Dio | null = null;
  iocb: Iocb | null = null;
  bio: Bio | null = null;
  work: Work | null = null;
  /** What is broken and was not yet taken away. */
  readonly findings: Finding[] = [];
  /** How often each rule had something to say. */
  readonly exercised: Int32Array = new Int32Array(RECORDING_RULES.length);
  /** Whether all that happens in it begins in it. */
  isWhole = false;
  /** Where the program that it is of has said that it is through. */
  ended = 0;
  /** Lines by kind, of {@linkcode LINE}. */
  readonly lines: Int32Array = new Int32Array(5);
  /** Events that were lost, as far as it says. */
  lost = 0;

  readonly dios: Map<number, Dio> = new Map();
  readonly iocbs: Map<number, Iocb> = new Map();
  readonly bios: Map<number, Bio> = new Map();
  readonly works: Map<number, Work> = new Map();
  /** Where the dio at an address was freed. */
  readonly freed: Map<number, number> = new Map();
  /** i_dio_count of each inode. */
  readonly counts: Map<number, Shared> = new Map();
  /** Names of completion workqueues, by inode. */
  readonly queues: Map<number, number> = new Map();
  /** Name of the completion workqueue, when it is known from elsewhere. */
  queueName = 0;
  /** All requests, when somebody is to compare them in the end. */
  history: History | null = null;
  /** Iocbs whose events lie on the ring. */
  readonly ring: Iocb[] = [];
  newestDio = 0;
  newestIocb = 0;
  newestBio = 0;
  newestWork = 0;

  readonly #tasks: Map<number, Context> = new Map();
  readonly #interrupts: (Context | undefined)[] = [];
  readonly #levels: Uint8Array = new Uint8Array(MAX_CPU);
  readonly #times: Float64Array = new Float64Array(MAX_CPU);
  #time = 0;
  readonly #pending: Map<number, Finding[]> = new Map();
  #named = 0;

  /**
   * Reads the next line.
   *
   * @param bytes The buffer that it lies in.
   * @param from Where it begins.
   * @param to Where it ends, without the line feed.
   * @returns What it is, of {@linkcode LINE}.
   */
  push(bytes: Uint8Array, from: number, to: number): number {
    this.no++;
    this.dio =
      this.iocb =
      this.bio =
      this.work =
      this.probe =
        null;
    const kind = this.line.parse(bytes, from, to);
    this.lines[kind]! += 1;
    if (kind === LINE.event) this.#onEvent();
    else if (kind === LINE.call) this.#onCall();
    else if (kind === LINE.lost) this.#onLost();
    return kind;
  }

  /**
   * Counts that a rule had something to say.
   *
   * @param rule The rule, of {@linkcode R}.
   */
  exercise(rule: number): void {
    this.exercised[rule]! += 1;
  }

  /**
   * Reports what the line breaks.
   *
   * @param rule The rule, of {@linkcode R}.
   * @param expected What should have been.
   * @param earlier Lines that break it with this one; 0 for none.
   */
  report(rule: number, expected: string, ...earlier: readonly number[]): void {
    this.findings.push(this.#finding(rule, expected, earlier));
  }

  /**
   * Reports that something has not come by now: at once when its probe is
   * known to be set, else as soon as it is, else never.
   *
   * @param rule The rule, of {@linkcode R}.
   * @param code The probe.
   * @param expected What should have been.
   * @param earlier Lines that break it with this one; 0 for none.
   */
  lack(
    rule: number,
    code: number,
    expected: string,
    ...earlier: readonly number[]
  ): void {
    if (this.inventory.isThinned(code) || this.inventory.isLossy) return;
    const finding = this.#finding(rule, expected, earlier);
    if (this.inventory.shows(code)) {
      this.findings.push(finding);
      return;
    }
    const pending = this.#pending.get(code) ?? [];
    if (pending.length < MAX_PENDING) pending.push(finding);
    this.#pending.set(code, pending);
  }

  /**
   * Puts an object where its address leads to it.
   *
   * @typeParam T What it is.
   * @param map All of its kind.
   * @param addr Its address.
   * @param object The object.
   */
  keep<T>(map: Map<number, T>, addr: number, object: T): void {
    map.delete(addr);
    map.set(addr, object);
    if (map.size <= MAX_OBJECTS) return;
    for (const oldest of map.keys()) {
      map.delete(oldest);
      break;
    }
  }

  /**
   * Whether a line can tell of a shared number what it does. A probe reads
   * before the processor changes it, so another one may be in between.
   *
   * @param shared What it should be.
   * @param told What the line tells.
   * @returns Whether that is possible.
   */
  isTold(shared: Shared, told: number): boolean {
    if (told === shared.value) return true;
    const { cpu, ts } = this.line;
    return shared.cpu !== cpu && ts - shared.ts < RACE_NS &&
      Math.abs(told - shared.value) === 1;
  }

  /** The line changes a shared number. */
  change(shared: Shared, by: number): void {
    shared.value += by;
    shared.line = this.no;
    shared.cpu = this.line.cpu;
    shared.ts = this.line.ts;
  }

  /** All that has ended has come to its end by now. */
  settle(): void {
    for (const ctx of this.#interrupts) if (ctx) leaveInterrupt(this, ctx);
    for (const ctx of this.#tasks.values()) leaveInterrupt(this, ctx);
  }

  /** Takes the line to what reads its probe. */
  handle(code: number): void {
    HANDLERS[code]?.(this);
  }

  /** The context of another kind on the line's processor, if there is one. */
  interruptOf(level: number): Context | undefined {
    return this.#interrupts[this.line.cpu * 2 + level - 1];
  }

  #finding(
    rule: number,
    expected: string,
    earlier: readonly number[],
  ): Finding {
    const lines = [...new Set([...earlier, this.no])].filter((no) => no > 0);
    return { rule, expected, lines: lines.sort((a, b) => a - b) };
  }

  #onEvent(): void {
    const probe = this.probe = this.probes.of(this.line);
    const { code, site } = probe;
    this.#checkTime();
    this.ctx = this.#contextOf(probe);
    this.ctx.events++;
    if (code !== 0) this.#show(code);
    const { submission } = this.ctx;
    if (submission !== null && submission.expectsBio > 0) {
      checkExpected(this, submission, code);
    }
    if (this.ctx.announced !== 0) {
      settleCall(this, site === SITE.entry ? probe.fn : 0);
    }
    if (site === SITE.point) {
      this.handle(code);
      return;
    }
    this.args.read(this.line, probe.layout);
    if (site === SITE.entry) onEntry(this, probe);
    else if (site === SITE.inner) onInner(this, probe);
    if (code !== 0) this.handle(code);
    else if (site === SITE.entry) onOtherEntry(this, probe);
    else if (site === SITE.ret) onOtherReturn(this, probe.fn);
    if (site === SITE.ret) onReturn(this, probe);
  }

  #onCall(): void {
    this.#checkTime();
    this.ctx = this.#contextOf(null);
    onCall(this);
  }

  #show(code: number): void {
    if (!this.inventory.note(code)) return;
    this.findings.push(...this.#pending.get(code) ?? []);
    this.#pending.delete(code);
  }

  #checkTime(): void {
    const { cpu, ts } = this.line;
    const slot = cpu % MAX_CPU;
    const before = this.#times[slot] as number;
    const last = this.inventory.isDump ? this.#time : before;
    this.exercise(R.timeOrder);
    if (ts < last) {
      this.report(R.timeOrder, `a time of ${last} ns or later, not ${ts} ns`);
    }
    this.#times[slot] = ts;
    this.#time = ts;
  }

  #contextOf(probe: Probe | null): Context {
    const { cpu, pid } = this.line;
    const level = this.line.level === LEVEL.unknown
      ? this.#guessLevel(probe)
      : this.line.level;
    this.line.level = level;
    const slot = cpu % MAX_CPU;
    if (level < (this.#levels[slot] as number)) this.#leave(level);
    this.#levels[slot] = level;
    if (level !== LEVEL.task) {
      const at = cpu * 2 + level - 1;
      return this.#interrupts[at] ??= new Context(level);
    }
    const key = pid === 0 ? -1 - cpu : pid;
    let ctx = this.#tasks.get(key);
    if (ctx === undefined) {
      this.keep(this.#tasks, key, ctx = new Context(level));
    }
    return ctx;
  }

  /** An interrupt is over when something of a lower level runs. */
  #leave(level: number): void {
    for (let other: number = LEVEL.hardirq; other > level; other--) {
      const ctx = this.interruptOf(other);
      if (ctx === undefined) continue;
      leaveInterrupt(this, ctx);
      ctx.clear();
    }
  }

  /** The context of a probe by breakpoint is that of the function it is in. */
  #guessLevel(probe: Probe | null): number {
    const fn = probe?.fn ?? 0;
    for (const level of [LEVEL.hardirq, LEVEL.softirq]) {
      const ctx = this.interruptOf(level);
      if (ctx !== undefined && ctx.find(fn) >= 0) return level;
    }
    const task = this.#tasks.get(this.line.pid);
    if (task !== undefined && task.find(fn) >= 0) return LEVEL.task;
    return this.#levels[this.line.cpu % MAX_CPU] as number;
  }

  /** After a loss nothing that was begun can be judged any more. */
  #onLost(): void {
    this.lost += Math.max(1, this.line.lost);
    this.isWhole = false;
    this.inventory.isLossy = true;
    for (const ctx of this.#tasks.values()) ctx.clear();
    for (const ctx of this.#interrupts) ctx?.clear();
    for (
      const map of [
        this.dios,
        this.iocbs,
        this.bios,
        this.works,
        this.counts,
        this.queues,
        this.freed,
      ]
    ) map.clear();
    this.ring.length = 0;
  }
}

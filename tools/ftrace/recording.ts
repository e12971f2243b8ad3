/**
 * A recording being read: who is who in it, and what it breaks.
 *
 * Every line goes to the context that it ran in (a task, or the interrupts of
 * a processor), and from there to the requests, bios and work items that it is
 * about, found by their addresses, which are used again after a free, or by
 * what runs in the context. All of it is kept only while it is alive.
 *
 * The way of a line: `reader.ts` cuts it out of the bytes, `line.ts` takes it
 * apart, `probes.ts` says which function it is about and `args.ts` reads its
 * arguments, `contexts.ts` finds where it ran and `calls.ts` which calls it
 * lies in. `handlers.ts` then leads it to what follows that part of a request:
 * `submission.ts`, `bio_submit.ts`, `bio_end.ts`, `bio_pages.ts`, `work.ts`,
 * `completion.ts`, `end_io.ts`, `after_end_io.ts`, `report.ts`. What they find
 * broken is a rule of `rules.ts`; `check.ts` tells the user, and `events.ts`
 * makes events of the same lines.
 *
 * Nobody records everything. What a line tells is judged at once; what is
 * missing, only when `inventory.ts` knows that its probe was set.
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
import { Contexts, MAX_CPU } from "./contexts.ts";
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
import { CODE, FILESYSTEM, type Probe, Probes, SITE } from "./probes.ts";
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
/** Iocbs whose addresses are still to be learnt. */
const MAX_UNSEEN = 1024;
/** Findings that wait for a sign that their probe was set. */
const MAX_PENDING = 64;
/** What stands for a function that no rule knows, by where its probe is. */
const OTHERS: readonly number[] = [
  0,
  CODE[FILESYSTEM],
  CODE[`${FILESYSTEM}_ret`],
  0,
];
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
  /** Iocbs in flight whose addresses no line has told. */
  readonly unseen: Iocb[] = [];
  /** Iocbs whose events lie on the ring. */
  readonly ring: Iocb[] = [];
  newestDio = 0;
  newestIocb = 0;
  newestBio = 0;
  newestWork = 0;

  readonly #contexts: Contexts = new Contexts();
  readonly #leave = (ctx: Context): void => leaveInterrupt(this, ctx);
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
   * Reports that something has not come by now, or does not agree with what
   * has: at once when the probe that would have told is certain to be set,
   * else as soon as it is, else never.
   *
   * @param rule The rule, of {@linkcode R}.
   * @param code The probe, or two of them.
   * @param expected What should have been.
   * @param earlier Lines that break it with this one; 0 for none.
   */
  lack(
    rule: number,
    code: number | readonly [number, number],
    expected: string,
    ...earlier: readonly number[]
  ): void {
    const { inventory } = this;
    const [first, second] = typeof code === "number" ? [code, code] : code;
    if (inventory.isThinned(first) || inventory.isThinned(second)) return;
    if (inventory.isLossy || first === 0) return;
    const finding = this.#finding(rule, expected, earlier);
    if (inventory.isCertain(first) && inventory.isCertain(second)) {
      this.findings.push(finding);
      return;
    }
    const key = first << 16 | second;
    const pending = this.#pending.get(key) ?? [];
    if (pending.length < MAX_PENDING) pending.push(finding);
    this.#pending.set(key, pending);
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
    if (Number.isNaN(addr)) return;
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
    for (const ctx of this.#contexts.all()) leaveInterrupt(this, ctx);
  }

  /** An iocb is in flight, and no line has told its address. */
  noteUnseen(iocb: Iocb): void {
    this.unseen.push(iocb);
    if (this.unseen.length > MAX_UNSEEN) this.unseen.shift();
  }

  /** A line has told of it. */
  noteSeen(iocb: Iocb): void {
    const at = this.unseen.indexOf(iocb);
    if (at >= 0) this.unseen.splice(at, 1);
  }

  /** Takes the line to what reads its probe. */
  handle(code: number): void {
    HANDLERS[code]?.(this);
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
    this.#checkLine();
    this.ctx = this.#contexts.at(this.line, probe, this.#leave);
    this.ctx.events++;
    const { submission } = this.ctx;
    if (submission !== null && submission.expectsBio > 0) {
      checkExpected(this, submission, code);
    }
    if (this.ctx.announced !== 0) {
      settleCall(this, site === SITE.entry ? probe.fn : 0);
    }
    if (site === SITE.point) {
      this.#show(code);
      this.handle(code);
      return;
    }
    this.args.read(this.line, probe.layout);
    // What a probe without arguments tells cannot be told apart.
    if (probe.layout.length > 0) this.#show(code || this.#other(site));
    if (site === SITE.entry) onEntry(this, probe);
    else if (site === SITE.inner) onInner(this, probe);
    if (code !== 0) this.handle(code);
    else if (site === SITE.entry) onOtherEntry(this, probe);
    else if (site === SITE.ret) onOtherReturn(this, probe.fn);
    if (site === SITE.ret) onReturn(this, probe);
  }

  /** What stands for a function that no rule knows, if a request calls it. */
  #other(site: number): number {
    const { submission, completion } = this.ctx;
    return submission ?? completion ? OTHERS[site] as number : 0;
  }

  #onCall(): void {
    this.#checkLine();
    this.ctx = this.#contexts.at(this.line, null, this.#leave);
    onCall(this);
  }

  #show(code: number): void {
    if (code === 0) return;
    if (!this.inventory.note(code)) return;
    const { inventory } = this;
    for (const [key, findings] of this.#pending) {
      if (!inventory.isCertain(key >> 16)) continue;
      if (!inventory.isCertain(key & 0xffff)) continue;
      this.findings.push(...findings);
      this.#pending.delete(key);
    }
  }

  #checkLine(): void {
    const { cpu, ts, level } = this.line;
    this.inventory.tellsContext ||= level !== LEVEL.unknown;
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

  /** After a loss nothing that was begun can be judged any more. */
  #onLost(): void {
    this.lost += Math.max(1, this.line.lost);
    this.isWhole = false;
    this.inventory.isLossy = true;
    for (const ctx of this.#contexts.all()) ctx.clear();
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
    this.ring.length = this.unseen.length = 0;
  }
}

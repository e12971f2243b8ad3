/**
 * The checker: reads a trace event by event and reports what rules it breaks.
 *
 * @module
 */

import {
  type EventName,
  type ProfileName,
  profileOf,
  type TraceEvent,
} from "../core/mod.ts";
import type { IocbState } from "./request_state.ts";
import { Requests } from "./requests.ts";
import { type Handlers, type Rule, ruleClass, type Violation } from "./rule.ts";
import { RULES } from "./rules/mod.ts";
import { SYSTEM_CALLS, Threads, type ThreadState } from "./threads.ts";

type Handler = (event: TraceEvent) => void;

/** How a trace is checked. */
export interface CheckOptions {
  /**
   * Whose semantics are in force.
   *
   * @default {"v3.12"}
   */
  readonly profile?: ProfileName;
  /**
   * The rules that are checked.
   *
   * @default {all}
   */
  readonly rules?: readonly Rule[];
  /**
   * The events that the trace would have if they happened; a recording of a
   * real kernel has those that were probed. Rules that need others are left
   * out.
   *
   * @default {all}
   */
  readonly recorded?: ReadonlySet<string>;
  /**
   * Whether to read no further than the first event that breaks a rule.
   *
   * @default {false}
   */
  readonly first?: boolean;
}

/** What a check found. */
export interface CheckResult {
  /** What was broken, in the order of the trace. */
  readonly violations: readonly Violation[];
  /** How often each rule had something to say, by id. */
  readonly exercised: ReadonlyMap<string, number>;
  /** How many events were read. */
  readonly events: number;
}

/** A rule, and how often it had something to say. */
interface Count {
  readonly id: string;
  count: number;
}

/**
 * Checks a trace while it comes. Its memory grows with the requests that are
 * alive, not with the trace.
 *
 * @example
 * ```ts
 * import { Checker } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * const checker = new Checker({ profile: "v3.12" });
 * assertEquals(checker.finish().violations, []);
 * ```
 */
export class Checker {
  /** What has been broken so far. */
  violations: Violation[] = [];
  readonly #requests: Requests = new Requests();
  readonly #threads: Threads = new Threads();
  readonly #counts: Count[] = [];
  readonly #handlers: Map<string, Handler[]> = new Map();
  readonly #each: ((event: TraceEvent, seq: number) => void)[] = [];
  readonly #reported: NonNullable<Handlers["reported"]>[] = [];
  readonly #finishers: (() => void)[] = [];
  readonly #resets: (() => void)[] = [];
  #events = 0;
  /** The position that the next event should have. */
  #next = 0;
  /** Events that are missing, and the first one behind the newest gap. */
  #missing = 0;
  #behindGap: TraceEvent | undefined = undefined;

  /**
   * Prepares to check one trace.
   *
   * @param options Profile and rules.
   */
  constructor(options: CheckOptions = {}) {
    const { rules = RULES, recorded } = options;
    const profile = profileOf(options.profile ?? "v3.12");
    this.#on("aio_complete", (event) => this.#completed(event));
    for (const ev of SYSTEM_CALLS) this.#on(ev, (event) => this.#goesOn(event));
    this.#on("buffered_io", (event) => this.#mayGoOn(event));
    this.#on("trace_end", (event) => this.#allGoOn(event));
    for (const rule of rules) {
      if (rule.profiles && !rule.profiles.includes(profile.name)) continue;
      if (recorded && rule.needs?.some((ev) => !recorded.has(ev))) continue;
      const count: Count = { id: rule.id, count: 0 };
      this.#counts.push(count);
      this.#register(rule.check({
        profile,
        requests: this.#requests,
        threads: this.#threads,
        exercised: () => void count.count++,
        violated: (expected, ...events) => this.#report(rule, expected, events),
      }));
    }
  }

  /** Forgets everything, to check another trace. */
  reset(): void {
    this.violations = [];
    this.#requests.reset();
    this.#threads.reset();
    for (const count of this.#counts) count.count = 0;
    for (const reset of this.#resets) reset();
    this.#events = 0;
    this.#next = 0;
    this.#missing = 0;
    this.#behindGap = undefined;
  }

  /**
   * Reads the next event.
   *
   * @param event The event. Violations name it by its `seq`.
   * @param seq Its position as the trace says it, if its `seq` is another.
   */
  push(event: TraceEvent, seq: number = event.seq): void {
    this.#events++;
    if (seq > this.#next) this.#lose(event, seq - this.#next);
    this.#next = Math.max(this.#next, seq + 1);
    this.#threads.enter(event);
    const handlers = this.#handlers.get(event.ev);
    if (handlers !== undefined) {
      for (let i = 0; i < handlers.length; i++) handlers[i]?.(event);
    }
    for (let i = 0; i < this.#each.length; i++) this.#each[i]?.(event, seq);
    this.#requests.update(event, this.#threads.current);
    this.#threads.update(event);
  }

  /**
   * Ends the trace.
   *
   * @returns What was found.
   */
  finish(): CheckResult {
    for (const finish of this.#finishers) finish();
    return {
      violations: this.violations,
      exercised: new Map(this.#counts.map(({ id, count }) => [id, count])),
      events: this.#events,
    };
  }

  #register(handlers: Handlers): void {
    const { each, reported, finish, reset } = handlers;
    if (each) this.#each.push(each);
    if (reported) this.#reported.push(reported);
    if (finish) this.#finishers.push(finish);
    if (reset) this.#resets.push(reset);
    for (const ev in handlers) {
      if (!HOOKS.has(ev)) this.#on(ev, handlers[ev as EventName]);
    }
  }

  #on(ev: string, handler: Handler | undefined): void {
    if (handler === undefined) return;
    const list = this.#handlers.get(ev);
    if (list) list.push(handler);
    else this.#handlers.set(ev, [handler]);
  }

  /** Events are missing before one. */
  #lose(event: TraceEvent, count: number): void {
    this.#missing = count;
    this.#behindGap = event;
    this.#requests.lose();
  }

  #completed(event: TraceEvent): void {
    const iocb = this.#requests.iocbOf(event);
    if (iocb === undefined || iocb.completed !== undefined) return;
    this.#tell(iocb, Number(event["res"]), event);
  }

  #goesOn(event: TraceEvent): void {
    this.#leave(this.#threads.current, event);
  }

  /** A transfer through the page cache is a system call, or part of one. */
  #mayGoOn(event: TraceEvent): void {
    if (this.#requests.iocbOf(event) === undefined) this.#goesOn(event);
  }

  #allGoOn(event: TraceEvent): void {
    for (const thread of this.#threads.all) this.#leave(thread, event);
  }

  /** The system call that kept a thread waiting has returned. */
  #leave(thread: ThreadState, event: TraceEvent): void {
    const iocb = thread.leaving;
    if (iocb === undefined) return;
    thread.leaving = undefined;
    const { returned, completed } = iocb;
    const res = Number(completed?.["res"] ?? returned?.["ret"]);
    this.#tell(iocb, res, event);
    if (!iocb.isWrite) thread.gotRead(iocb);
    this.#requests.leave(iocb);
  }

  #tell(iocb: IocbState, res: number, event: TraceEvent): void {
    const { length } = this.#reported;
    for (let i = 0; i < length; i++) this.#reported[i]?.(iocb, res, event);
  }

  #report(
    rule: Rule,
    expected: string,
    events: readonly (TraceEvent | undefined)[],
  ): void {
    const named = events.filter((event) => event !== undefined)
      .map((event) => event.seq).sort((a, b) => a - b);
    this.violations.push({
      rule: rule.id,
      sentence: rule.sentence,
      expected: expected + this.#doubt(rule, named),
      events: named,
    });
  }

  /** What a violation has to say of events that are missing before its end. */
  #doubt({ id }: Rule, [first, ...others]: readonly number[]): string {
    if (ruleClass(id) === "trace-well-formed") return "";
    const behind = this.#behindGap?.seq;
    const last = others.at(-1);
    if (behind === undefined || first === undefined || last === undefined) {
      return "";
    }
    return first < behind && last >= behind
      ? `; or it is among the ${this.#missing} missing before ${behind}`
      : "";
  }
}

/** Handlers that are not of an event. */
const HOOKS: ReadonlySet<string> = new Set([
  "each",
  "reported",
  "finish",
  "reset",
]);

/**
 * Checkers that have done their work and can be used again, by rules and by
 * profile. Only rules of our own are known to forget what they have kept.
 */
const idle: WeakMap<readonly Rule[], Map<string, Checker>> = new WeakMap();

/**
 * Checks a whole trace.
 *
 * @param events The trace.
 * @param options Profile and rules.
 * @returns What was found.
 *
 * @example
 * ```ts
 * import { checkTrace } from "@endio/dio/conformance";
 * import type { TraceEvent } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const sleep: TraceEvent = {
 *   seq: 0, ts: 0, cpu: 0, ctx: "softirq", tid: 0, comm: "<idle>",
 *   ev: "might_sleep", fn: "mutex_lock", atomic: 0, irqs_off: 0,
 * };
 * const { violations } = checkTrace([sleep]);
 * assertEquals(violations[0]?.rule, "no-sleep-in-interrupt/context");
 * ```
 */
export function checkTrace(
  events: Iterable<TraceEvent>,
  options: CheckOptions = {},
): CheckResult {
  const { profile = "v3.12", rules = RULES, recorded, first } = options;
  const checkers = recorded === undefined ? idleOf(rules) : undefined;
  const checker = checkers?.get(profile) ?? new Checker(options);
  checkers?.delete(profile);
  const result = pushAll(checker, events, first ?? false);
  checker.reset();
  checkers?.set(profile, checker);
  return result;
}

/**
 * Checks a trace while it comes in, such as a `ReadableStream` of events. Its
 * memory grows with the requests that are alive, not with the trace.
 *
 * @param events The trace.
 * @param options Profile and rules.
 * @returns What was found, when the trace has ended or, with `first`, as soon
 * as it breaks a rule.
 *
 * @example
 * ```ts
 * import { checkTraceStream } from "@endio/dio/conformance";
 * import type { TraceEvent } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const sleep: TraceEvent = {
 *   seq: 0, ts: 0, cpu: 0, ctx: "softirq", tid: 0, comm: "<idle>",
 *   ev: "might_sleep", fn: "mutex_lock", atomic: 0, irqs_off: 0,
 * };
 * const stream = ReadableStream.from([sleep, { ...sleep, seq: 1 }]);
 * const { events, violations } = await checkTraceStream(stream, { first: true });
 * assertEquals([events, violations.length], [1, 1]);
 * ```
 */
export async function checkTraceStream(
  events: AsyncIterable<TraceEvent>,
  options: CheckOptions = {},
): Promise<CheckResult> {
  const checker = new Checker(options);
  for await (const event of events) {
    checker.push(event);
    if (options.first && checker.violations.length > 0) break;
  }
  return checker.finish();
}

function idleOf(rules: readonly Rule[]): Map<string, Checker> | undefined {
  const found = idle.get(rules);
  if (found !== undefined) return found;
  if (rules.some((rule) => !RULES.includes(rule))) return undefined;
  const none: Map<string, Checker> = new Map();
  idle.set(rules, none);
  return none;
}

function pushAll(
  checker: Checker,
  events: Iterable<TraceEvent>,
  isFirst: boolean,
): CheckResult {
  for (const event of events) {
    checker.push(event);
    if (isFirst && checker.violations.length > 0) break;
  }
  return checker.finish();
}

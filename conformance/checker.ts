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
import { Requests } from "./requests.ts";
import type { Handlers, Rule, Violation } from "./rule.ts";
import { RULES } from "./rules/mod.ts";

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
  readonly violations: Violation[] = [];
  readonly #requests: Requests = new Requests();
  readonly #exercised: Map<string, number> = new Map();
  readonly #handlers: Map<string, Handler[]> = new Map();
  readonly #finishers: (() => void)[] = [];
  #events = 0;

  /**
   * Prepares to check one trace.
   *
   * @param options Profile and rules.
   */
  constructor(options: CheckOptions = {}) {
    const profile = profileOf(options.profile ?? "v3.12");
    for (const rule of options.rules ?? RULES) {
      if (rule.profiles && !rule.profiles.includes(profile.name)) continue;
      this.#exercised.set(rule.id, 0);
      this.#register(rule.check({
        profile,
        requests: this.#requests,
        exercised: () => this.#count(rule.id),
        violated: (expected, ...events) => this.#report(rule, expected, events),
      }));
    }
  }

  /**
   * Reads the next event.
   *
   * @param event The event.
   */
  push(event: TraceEvent): void {
    this.#events++;
    for (const handler of this.#handlers.get(event.ev) ?? []) handler(event);
    this.#requests.update(event);
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
      exercised: this.#exercised,
      events: this.#events,
    };
  }

  #register(handlers: Handlers): void {
    if (handlers.finish) this.#finishers.push(handlers.finish);
    for (const ev in handlers) {
      if (ev !== "finish") this.#on(ev, handlers[ev as EventName]);
    }
  }

  #on(ev: string, handler: Handler | undefined): void {
    if (handler === undefined) return;
    const list = this.#handlers.get(ev);
    if (list) list.push(handler);
    else this.#handlers.set(ev, [handler]);
  }

  #count(id: string): void {
    this.#exercised.set(id, (this.#exercised.get(id) ?? 0) + 1);
  }

  #report(
    rule: Rule,
    expected: string,
    events: readonly (TraceEvent | undefined)[],
  ): void {
    this.violations.push({
      rule: rule.id,
      sentence: rule.sentence,
      expected,
      events: events.filter((event) => event !== undefined)
        .map((event) => event.seq).sort((a, b) => a - b),
    });
  }
}

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
  const checker = new Checker(options);
  for (const event of events) checker.push(event);
  return checker.finish();
}

/**
 * Rules: what must hold in every trace, as data.
 *
 * @module
 */

import type {
  EventName,
  Profile,
  ProfileName,
  TraceEvent,
} from "../core/mod.ts";
import type { IocbState } from "./request_state.ts";
import type { Requests } from "./requests.ts";
import type { Threads } from "./threads.ts";

/** What a rule looks at: a handler for each event that concerns it. */
export type Handlers =
  & { [ev in EventName]?: (event: TraceEvent) => void }
  & {
    /**
     * Called for every event, after the handlers of its name. `seq` is its
     * position as the trace says it.
     */
    each?: (event: TraceEvent, seq: number) => void;
    /**
     * Called when user space learns what a request has come to: before the
     * handlers of `aio_complete` or, for one that a system call waits for, of
     * the next thing that its thread does.
     */
    reported?: (iocb: IocbState, res: number, event: TraceEvent) => void;
    /** Called at the end of the trace. */
    finish?: () => void;
    /**
     * Called before another trace is checked. Whatever a rule has kept of its
     * own from event to event is forgotten here.
     */
    reset?: () => void;
  };

/** What a rule's handlers are given. */
export interface RuleScope {
  /** The semantics in force. */
  readonly profile: Profile;
  /** The requests that are alive, as they were before the event. */
  readonly requests: Requests;
  /** What the threads are in the middle of, as it was before the event. */
  readonly threads: Threads;
  /** Counts that the rule had something to say. */
  exercised(): void;
  /**
   * Reports a violation.
   *
   * @param expected What should have been, one clause.
   * @param events The events that break the rule, in order.
   */
  violated(
    expected: string,
    ...events: readonly (TraceEvent | undefined)[]
  ): void;
}

/** What must hold. */
export interface Rule {
  /** The class of the rule, and a detail: `completion-order/free-last`. */
  readonly id: string;
  /** One sentence that must be true. */
  readonly sentence: string;
  /** What a user would see if it were not. */
  readonly why: string;
  /** The kernel function it comes from. */
  readonly source: string;
  /** Historic bugs that broke it. */
  readonly bugs: readonly string[];
  /**
   * The profiles it holds for.
   *
   * @default {all}
   */
  readonly profiles?: readonly ProfileName[];
  /**
   * Events whose absence it takes as a proof that something did not happen. It
   * is checked only in traces that would have them.
   *
   * @default {[]}
   */
  readonly needs?: readonly EventName[];
  /**
   * Rules of which at least one is broken as well, in every run of a mutant
   * that breaks this one. It is kept because it says where. Without them it is
   * the only one to find some mistake.
   *
   * @default {none}
   */
  readonly impliedBy?: readonly string[];
  /**
   * Begins to check a trace.
   *
   * @param scope Where to look and to report.
   * @returns The handlers.
   */
  check(scope: RuleScope): Handlers;
}

/** A rule that a trace breaks. */
export interface Violation {
  /** The rule's id. */
  readonly rule: string;
  /** The rule's sentence. */
  readonly sentence: string;
  /** What should have been in this trace. */
  readonly expected: string;
  /** Positions (`seq`) of the events that break it, in order. */
  readonly events: readonly number[];
}

/**
 * The class that a rule belongs to: its id up to the slash.
 *
 * @param id A rule's id.
 * @returns The class.
 *
 * @example
 * ```ts
 * import { ruleClass } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(ruleClass("completion-order/free-last"), "completion-order");
 * ```
 */
export function ruleClass(id: string): string {
  return id.split("/")[0] as string;
}

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
import type { Requests } from "./requests.ts";

/** What a rule looks at: a handler for each event that concerns it. */
export type Handlers =
  & { [ev in EventName]?: (event: TraceEvent) => void }
  & {
    /** Called at the end of the trace. */
    finish?: () => void;
  };

/** What a rule's handlers are given. */
export interface RuleScope {
  /** The semantics in force. */
  readonly profile: Profile;
  /** The requests that are alive, as they were before the event. */
  readonly requests: Requests;
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

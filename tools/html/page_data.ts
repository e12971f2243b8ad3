/// <reference lib="dom" />
/**
 * What the page of a trace is given: everything that it shows, as short as it
 * can be said.
 *
 * The files in this folder are the page's own code, which runs in a browser.
 * They are put into the page as they stand, one function or class after the
 * other, so each uses nothing but the others and the browser.
 *
 * @module
 */

/** An event: time in ns, lane, name, request or -1, short text, arguments. */
export type PageEvent = readonly [
  ts: number,
  lane: number,
  name: number,
  request: number,
  text: string,
  args: Readonly<Record<string, number | string>>,
];

/** A rule that is broken. */
export interface PageBroken {
  /** The rule's id, its sentence, and what should have been. */
  readonly rule: string;
  readonly sentence: string;
  readonly expected: string;
  /** The events that break it. */
  readonly events: readonly number[];
}

/** A trace as its page is given it. Events are told by their places. */
export interface PageData {
  /** What the trace is of. */
  readonly title: string;
  /** What it says of itself. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** Kind and label of each lane. */
  readonly lanes: readonly (readonly [kind: string, label: string])[];
  /** The names of events. */
  readonly names: readonly string[];
  /** Those of them that a reader looks for first, by their places. */
  readonly keys: readonly number[];
  /** The events. */
  readonly events: readonly PageEvent[];
  /** The requests: label, first and last event. */
  readonly requests: readonly (readonly [string, number, number])[];
  /** What takes time in a lane: from, to, depth, name. */
  readonly spans: readonly (readonly [number, number, number, string])[];
  /** What sets off what: cause, effect, what carries it. */
  readonly arrows: readonly (readonly [number, number, string])[];
  /** What is broken. */
  readonly broken: readonly PageBroken[];
}

/**
 * Reads the data out of the page.
 *
 * @returns It.
 */
export function readPageData(): PageData {
  const text = document.getElementById("trace")?.textContent ?? "";
  return JSON.parse(text) as PageData;
}

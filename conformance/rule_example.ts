/**
 * The smallest trace that breaks a rule, beside one that keeps it, written as
 * a diff: lines with a minus are in the first, lines with a plus in the
 * second, all others in both.
 *
 * @module
 */

import {
  EV,
  EVENT_ARGS,
  isEventName,
  type ProfileName,
  profileOf,
  type TraceEvent,
} from "../core/mod.ts";
import { EXAMPLES } from "./examples/mod.ts";

/** A trace that breaks one rule only, and what it should have been. */
export interface RuleExample {
  /** Whose semantics are in force. */
  readonly profile: ProfileName;
  /** Both traces, as a diff. */
  readonly diff: readonly string[];
  /** The trace that breaks the rule, and no other one. */
  readonly broken: readonly TraceEvent[];
  /** The same in the order that it should have had. */
  readonly kept: readonly TraceEvent[];
}

const LINE =
  /^(?<side>[ +-]) (?<ctx>task|softirq|hardirq|kworker)\/(?<cpu>\d+) +(?<comm>\S+)-(?<tid>\d+) +(?<ev>\w+)(?<args>.*)$/;
/** Between two lines of an example, in nanoseconds. */
const STEP_NS = 100;

/**
 * The example of a rule.
 *
 * @param id The rule's id.
 * @returns Its smallest failing trace, and the corrected one.
 * @throws {RangeError} If there is none for that id.
 *
 * @example
 * ```ts
 * import { checkTrace, ruleExample } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * const { broken, kept } = ruleExample("completion-order/free-last");
 * const { violations } = checkTrace(broken);
 * assertEquals(new Set(violations.map(({ rule }) => rule)), new Set(["completion-order/free-last"]));
 * assertEquals(checkTrace(kept).violations, []);
 * ```
 */
export function ruleExample(id: string): RuleExample {
  const text = EXAMPLES.get(id);
  if (text === undefined) {
    throw new RangeError(
      `Cannot show an example of '${id}': 'tools/trace.ts list rules' shows all rules`,
    );
  }
  const lines = text.split("\n").filter((line) => line !== "");
  const [first = ""] = lines;
  const profile = first.startsWith("#")
    ? profileOf(first.slice(1).trim()).name
    : "v3.12";
  const diff = lines.filter((line) => !line.startsWith("#"));
  return {
    profile,
    diff,
    broken: traceOf(diff, "+"),
    kept: traceOf(diff, "-"),
  };
}

/** The events of all lines but those of one side. */
function traceOf(diff: readonly string[], without: "+" | "-"): TraceEvent[] {
  return diff.filter((line) => !line.startsWith(without)).map(parseLine);
}

function parseLine(line: string, seq: number): TraceEvent {
  const match = LINE.exec(line)?.groups;
  if (match === undefined || !isEventName(match["ev"] ?? "")) {
    throw new RangeError(`Cannot read line '${line}' of an example`);
  }
  const { ctx, cpu, comm, tid, ev, args = "" } = match;
  return {
    seq,
    ts: seq * STEP_NS,
    cpu: Number(cpu),
    ctx: ctx as TraceEvent["ctx"],
    tid: Number(tid),
    comm: comm as string,
    ev: ev as string,
    ...parseArgs(ev as keyof typeof EV, args),
  };
}

/** `iocb=1 msg=all of it`: a value goes on up to the next known name. */
function parseArgs(
  ev: keyof typeof EV,
  text: string,
): Record<string, number | string> {
  const known = new Map(
    (EVENT_ARGS[EV[ev]] ?? []).map((arg) => [arg.name, arg]),
  );
  const names = ["seq", "ts", ...known.keys()].join("|");
  const found: Record<string, number | string> = {};
  const pattern = new RegExp(` (${names})=(.*?)(?= (?:${names})=|$)`, "g");
  for (const [, name = "", value = ""] of text.matchAll(pattern)) {
    const isNumber = name === "seq" || name === "ts" ||
      known.get(name)?.type === "int";
    found[name] = isNumber ? Number(value) : value;
  }
  return found;
}

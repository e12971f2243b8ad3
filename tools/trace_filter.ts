/**
 * Chooses events of a trace: by request, inode, context, name, time.
 *
 * @module
 */

import { EVENT_NAMES, isEventName, type TraceEvent } from "../core/mod.ts";
import { lookUp, type Options, UserError } from "./cli.ts";

/** The options that choose events, for the help of a command. */
export const FILTER_HELP =
  `  --dio N, --iocb N, --ino N    of these requests, or this inode
  --ctx C, --ev NAME            in these contexts, of these names
  --since T, --until T          in this time: 1200 (ns), 1.2us, 49.29s
                                (--from and --to do the same for a time)
`;

/** The names of these options. */
export const FILTER_NAMES: readonly string[] = [
  "dio",
  "iocb",
  "ino",
  "ctx",
  "ev",
  "since",
  "until",
];

const CONTEXTS: ReadonlyMap<string, string> = new Map(
  ["task", "softirq", "hardirq", "kworker"].map((ctx) => [ctx, ctx]),
);
const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  ms: 1e6,
  s: 1e9,
};

/** Which events are wanted. */
export interface Wanted {
  /** Requests by the identity of their dio; null for all. */
  readonly dios: ReadonlySet<number> | null;
  /** Requests by the identity of their iocb. */
  readonly iocbs: ReadonlySet<number> | null;
  /** Inodes. */
  readonly inos: ReadonlySet<number> | null;
  /** Contexts. */
  readonly contexts: ReadonlySet<string> | null;
  /** Names of events. */
  readonly names: ReadonlySet<string> | null;
  /** First and last time. */
  readonly since: number;
  readonly until: number;
}

/**
 * Gives `--from` and `--to` their other meaning when a time follows.
 *
 * @param args A command line.
 * @returns The same with `--since` and `--until`.
 */
export function withTimes(args: readonly string[]): string[] {
  const isTime = (text: string | undefined) => /^[.\d]/.test(text ?? "");
  const names: Readonly<Record<string, string>> = {
    "--from": "--since",
    "--to": "--until",
  };
  return args.map((arg, i) => {
    const [, name = "", value] = /^(--from|--to)(?:=(.*))?$/s.exec(arg) ?? [];
    const other = names[name];
    if (other === undefined) return arg;
    if (value !== undefined) return isTime(value) ? `${other}=${value}` : arg;
    return isTime(args[i + 1]) ? other : arg;
  });
}

/**
 * Reads which events are wanted.
 *
 * @param options The command line.
 * @returns It.
 * @throws {UserError} If a value cannot be read.
 */
export function readWanted({ values }: Options): Wanted {
  const ids = (name: string) => {
    const text = values.get(name);
    if (text === undefined) return null;
    return new Set(
      text.split(",").map((id) => {
        if (/^\d{1,15}$/.test(id)) return Number(id);
        throw new UserError(
          `Cannot use --${name} ${text}: give numbers, for example --${name} 1,2`,
        );
      }),
    );
  };
  const events = new Map(EVENT_NAMES.map((name) => [name as string, name]));
  const since = timeOf(values, "since", -Infinity);
  const until = timeOf(values, "until", Infinity);
  if (since > until) {
    throw new UserError("Cannot use --since and --until: nothing lies between");
  }
  return {
    dios: ids("dio"),
    iocbs: ids("iocb"),
    inos: ids("ino"),
    contexts: namesOf(values, "ctx", CONTEXTS),
    names: namesOf(values, "ev", events),
    since,
    until,
  };
}

function namesOf(
  values: Options["values"],
  name: string,
  all: ReadonlyMap<string, string>,
): ReadonlySet<string> | null {
  const text = values.get(name);
  if (text === undefined) return null;
  const kind = name === "ev" ? "event" : "context";
  const hint = name === "ev" ? "core/events.ts lists all" : undefined;
  return new Set(text.split(",").map((one) => lookUp(kind, one, all, hint)));
}

function timeOf(
  values: Options["values"],
  name: string,
  none: number,
): number {
  const text = values.get(name);
  if (text === undefined) return none;
  const match = /^(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s)?$/.exec(text);
  if (match === null) {
    throw new UserError(
      `Cannot use --${name} ${text}: give a time, for example 1200, 1.2us, 5ms or 49.29s`,
    );
  }
  const unit = (match[2] ?? "ns").replace("µ", "u");
  return Math.round(Number(match[1]) * (UNITS[unit] ?? 1));
}

/**
 * Makes the filter that lets through what is wanted.
 *
 * @param wanted What is wanted.
 * @returns For each event, in order: those that come through with it, in
 * order. What comes before a dio waits until it is known whose it is.
 */
export function makeFilter(
  wanted: Wanted,
): (event: TraceEvent) => readonly TraceEvent[] {
  const { dios, iocbs } = wanted;
  const byRequest = dios === null && iocbs === null
    ? null
    : new RequestFilter(dios, iocbs);
  return (event) => {
    const through = byRequest === null ? [event] : byRequest.push(event);
    return through.filter((event) => isWanted(event, wanted));
  };
}

function isWanted(event: TraceEvent, wanted: Wanted): boolean {
  const { inos, contexts, names, since, until } = wanted;
  return event.ts >= since && event.ts <= until &&
    (contexts === null || contexts.has(event.ctx)) &&
    (names === null || names.has(event.ev) && isEventName(event.ev)) &&
    (inos === null || event.ino !== undefined && inos.has(event.ino));
}

/** Iocbs whose first events wait for their dio. */
const MAX_WAITING = 1 << 12;

/** Lets through all that belongs to some requests. */
class RequestFilter {
  /** What is wanted, and what belongs to it. */
  readonly #dios: Set<number>;
  readonly #iocbs: Set<number>;
  readonly #bios: Set<number> = new Set();
  readonly #works: Set<number> = new Set();
  readonly #waiting: Map<number, TraceEvent[]> = new Map();

  constructor(
    dios: ReadonlySet<number> | null,
    iocbs: ReadonlySet<number> | null,
  ) {
    this.#dios = new Set(dios);
    this.#iocbs = new Set(iocbs);
  }

  /** What comes through with an event. */
  push(event: TraceEvent): readonly TraceEvent[] {
    const { dio, iocb, bio } = event;
    const work = event["work"] as number | undefined;
    const isOurs = dio !== undefined && this.#dios.has(dio) ||
      iocb !== undefined && this.#iocbs.has(iocb) ||
      bio !== undefined && this.#bios.has(bio) ||
      work !== undefined && this.#works.has(work);
    if (isOurs) return this.#take(event);
    if (iocb !== undefined && dio === undefined && this.#dios.size > 0) {
      this.#wait(iocb, event);
    }
    return [];
  }

  #take(event: TraceEvent): readonly TraceEvent[] {
    const { iocb, dio, bio } = event;
    const before = this.#waiting.get(iocb ?? -1) ?? [];
    if (iocb !== undefined) {
      this.#iocbs.add(iocb);
      this.#waiting.delete(iocb);
    }
    // 0 is a count that is held for no request in particular.
    if (dio !== undefined && dio > 0) this.#dios.add(dio);
    if (bio !== undefined && dio !== undefined) this.#bios.add(bio);
    if (event["work"] !== undefined) this.#works.add(Number(event["work"]));
    return [...before, event];
  }

  #wait(iocb: number, event: TraceEvent): void {
    const waiting = this.#waiting.get(iocb);
    if (waiting) waiting.push(event);
    else this.#waiting.set(iocb, [event]);
    if (this.#waiting.size <= MAX_WAITING) return;
    for (const oldest of this.#waiting.keys()) {
      this.#waiting.delete(oldest);
      break;
    }
  }
}

/**
 * The arguments of an event, shortened to the room there is.
 *
 * @module
 */

import { COMMON_FIELDS, errnoName, type TraceEvent } from "../core/mod.ts";

/** One argument as it is shown. */
export interface ShownArg {
  /** Its text, e.g. `bio=1` or `ret=-EIO`. */
  readonly text: string;
  /** Whether it tells of an error. */
  readonly isError: boolean;
}

/** Results: negative ones are errnos. */
const RESULTS: ReadonlySet<string> = new Set([
  "ret",
  "res",
  "error",
  "result",
  "page_errors",
  "io_error",
]);
/** Flags of which 0 says nothing. */
const FLAGS: ReadonlySet<string> = new Set([
  "atomic",
  "irqs_off",
  "opf",
  "dsync",
  "is_sync",
  "page_errors",
  "io_error",
]);
/** Arguments whose value says enough. */
const BARE: ReadonlySet<string> = new Set(["fn", "rw"]);

/** What matters most, for events where it is not what matters elsewhere. */
const FIRST: Readonly<Record<string, readonly string[]>> = {
  direct_IO: ["rw", "iocb", "offset"],
  io_submit: ["rw", "iocb", "offset"],
  dio_alloc: ["dio", "iocb", "rw", "end_io"],
  bio_endio: ["bio", "error"],
  submit_bio: ["bio", "rw", "sector"],
  queue_work: ["wq", "dio"],
  workqueue_execute_start: ["dio", "wq"],
  workqueue_execute_end: ["dio", "wq"],
  dio_complete: ["result", "dio"],
  inode_dio_begin: ["dio", "count"],
  inode_dio_done: ["dio", "count"],
  get_block: ["iblock", "blocks", "ret"],
  wake_up_process: ["target"],
  user_read: ["wrong", "offset"],
};
const ELSEWHERE: readonly string[] = [
  "fn",
  "ret",
  "res",
  "error",
  "result",
  "dio",
  "bio",
  "iocb",
  "name",
  "count",
  "wq",
  "offset",
  "sector",
  "size",
  "ino",
  "sb",
];

/**
 * Chooses what to show of an event's arguments: errors first, then what
 * matters for that event, as many as there is room for. They come in the
 * order of the vocabulary.
 *
 * @param event The event.
 * @param room Characters there are, the blank before each argument counted.
 * @param wide Characters there are for the one that matters most.
 * @param queues Names of the workqueues by their identity.
 * @returns The arguments.
 */
export function shortArgs(
  event: TraceEvent,
  room: number,
  wide: number = room,
  queues: ReadonlyMap<number, string> = new Map(),
): ShownArg[] {
  const order = [...FIRST[event.ev] ?? [], ...ELSEWHERE];
  const args = allArgs(event, queues).map((arg, at) => {
    const place = order.indexOf(arg.name);
    const rank = arg.isError ? -1 : place < 0 ? order.length : place;
    return { ...arg, at, rank };
  });
  let left = room;
  return args.toSorted((a, b) => a.rank - b.rank || a.at - b.at)
    .filter(({ text }, i) => {
      const limit = i === 0 ? Math.max(wide, left) : left;
      if (text.length + 1 > limit) return false;
      left -= text.length + 1;
      return true;
    })
    .sort((a, b) => a.at - b.at);
}

type NamedArg = ShownArg & { readonly name: string };

function allArgs(
  event: TraceEvent,
  queues: ReadonlyMap<number, string>,
): NamedArg[] {
  const args: NamedArg[] = [];
  for (const [name, value] of Object.entries(event)) {
    if (COMMON_FIELDS.has(name) || value === undefined || value === "") {
      continue;
    }
    if (FLAGS.has(name) && value === 0) continue;
    // Shown in one: as blktrace does, 0+4096.
    if (name === "bytes" && event["offset"] !== undefined) continue;
    const isResult = RESULTS.has(name) && typeof value === "number";
    const queued = isResult && errnoName(value) === "-EIOCBQUEUED";
    args.push({
      name,
      text: argText(event, name, queues),
      isError: isResult && value < 0 && !queued ||
        name === "wrong" && value !== 0,
    });
  }
  return args;
}

function argText(
  event: TraceEvent,
  name: string,
  queues: ReadonlyMap<number, string>,
): string {
  const value = event[name] as number | string;
  if (BARE.has(name)) return String(value);
  if (name === "offset" && event["bytes"] !== undefined) {
    return `${value}+${event["bytes"]}`;
  }
  if (name === "wq") return `wq=${queues.get(Number(value)) ?? value}`;
  return RESULTS.has(name)
    ? `${name}=${errnoName(Number(value))}`
    : `${name}=${value}`;
}

/**
 * The value of an argument with what it means beside it.
 *
 * @param name The argument.
 * @param value Its value.
 * @param queues Names of the workqueues by their identity.
 * @returns E.g. `-529 -EIOCBQUEUED` or `1 dio/sda`.
 */
export function explained(
  name: string,
  value: number | string,
  queues: ReadonlyMap<number, string>,
): number | string {
  const meaning = name === "wq"
    ? queues.get(Number(value))
    : RESULTS.has(name) && Number(value) < 0
    ? errnoName(Number(value))
    : undefined;
  return meaning === undefined ? value : `${value} ${meaning}`;
}

/**
 * The names of the workqueues of a trace.
 *
 * @param events Its events.
 * @returns They, by their identity.
 */
export function queuesOf(events: Iterable<TraceEvent>): Map<number, string> {
  const queues = new Map<number, string>();
  for (const { ev, wq, name } of events) {
    if (ev === "alloc_workqueue" && wq !== undefined) {
      queues.set(Number(wq), String(name));
    }
  }
  return queues;
}

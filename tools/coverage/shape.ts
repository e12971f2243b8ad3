/**
 * What kind of request each one of a trace was, on every axis along which the
 * completion of direct I/O can go another way.
 *
 * @module
 */

import { isQueued } from "../../conformance/mod.ts";
import type { ContextKind, ProfileName, TraceEvent } from "../../core/mod.ts";

/** The axes, and the places on each. */
export const AXES = {
  profile: ["v3.12", "v4.10", "v6.1"],
  caller: ["sync", "async"],
  completer: ["submitter", "inline", "interrupt", "kworker"],
  ends: ["never", "task", "softirq", "hardirq"],
  bios: ["none", "one", "in order", "out of order"],
  error: [
    "none",
    "submission",
    "page",
    "end_io",
    "only bio",
    "first bio",
    "middle bio",
    "last bio",
  ],
  size: ["nothing", "part", "whole", "append"],
} as const;

/** The name of an axis. */
export type Axis = keyof typeof AXES;

/** Where one request is on every axis. */
export type Shape = { readonly [A in Axis]: (typeof AXES)[A][number] };

/** What is known of a request that has not come to its end. */
interface Live {
  readonly begin: TraceEvent;
  /** Bios in the order of their submission; the errno once they have ended. */
  readonly bios: Map<number, number | undefined>;
  /** Bios in the order of their end. */
  readonly ended: number[];
  /** Contexts that bios ended in. */
  readonly contexts: Set<ContextKind>;
  submitted: number;
  iSize: number;
  pageError: boolean;
  endIoError: boolean;
  completed: TraceEvent | undefined;
  returned: TraceEvent | undefined;
}

/**
 * Tells the requests of a trace that came to their end.
 *
 * @param events The trace.
 * @param profile The semantics that it ran with.
 * @returns A shape for each, in the order in which they ended.
 */
export function shapesOf(
  events: Iterable<TraceEvent>,
  profile: ProfileName,
): Shape[] {
  const shapes: Shape[] = [];
  const iocbs: Map<number, Live> = new Map();
  const dios: Map<number, Live> = new Map();
  for (const event of events) {
    const { ev, iocb = 0, dio = 0 } = event;
    if (ev === "direct_IO") iocbs.set(iocb, begun(event));
    const live = iocbs.get(iocb) ?? dios.get(dio);
    if (live === undefined) continue;
    if (iocb > 0 && dio > 0) dios.set(dio, live);
    note(event, live);
    if (!isOver(live)) continue;
    shapes.push(shapeOf(live, profile));
    iocbs.delete(live.begin.iocb ?? 0);
  }
  return shapes;
}

function begun(begin: TraceEvent): Live {
  return {
    begin,
    bios: new Map(),
    ended: [],
    contexts: new Set(),
    submitted: 0,
    iSize: Infinity,
    pageError: false,
    endIoError: false,
    completed: undefined,
    returned: undefined,
  };
}

function note(event: TraceEvent, live: Live): void {
  const { bio = 0 } = event;
  switch (event.ev) {
    case "dio_alloc":
      live.iSize = Number(event["i_size"]);
      break;
    case "submit_bio":
      live.bios.set(bio, undefined);
      live.submitted += Number(event["size"]);
      break;
    case "bio_endio":
      // The block device ends a bio that it has no page for, unsubmitted.
      if (!live.bios.has(bio)) {
        live.pageError = true;
        break;
      }
      live.bios.set(bio, Number(event["error"]));
      live.ended.push(bio);
      live.contexts.add(event.ctx);
      break;
    case "dio_page_error":
    case "dio_refill_pages":
      live.pageError = true;
      break;
    case "end_io_return":
      live.endIoError ||= Number(event["ret"]) < 0;
      break;
    case "aio_complete":
    case "ki_complete":
      live.completed = event;
      break;
    case "direct_IO_return":
      live.returned = event;
  }
}

function isOver({ completed, returned }: Live): boolean {
  return returned !== undefined &&
    (completed !== undefined || !isQueued(returned));
}

function shapeOf(live: Live, profile: ProfileName): Shape {
  return {
    profile,
    caller: live.begin["is_sync"] === 1 ? "sync" : "async",
    completer: completerOf(live),
    ends: endsOf(live),
    bios: orderOf(live),
    error: errorOf(live),
    size: sizeOf(live),
  };
}

function completerOf({ completed, returned }: Live): Shape["completer"] {
  if (!isQueued(returned) || completed === undefined) return "submitter";
  if (completed.ctx === "kworker") return "kworker";
  return completed.ctx === "task" ? "inline" : "interrupt";
}

/** Where bios ended: in a task only if all of them did. */
function endsOf({ contexts }: Live): Shape["ends"] {
  if (contexts.size === 0) return "never";
  if (contexts.has("hardirq")) return "hardirq";
  return contexts.has("softirq") ? "softirq" : "task";
}

function orderOf({ bios, ended }: Live): Shape["bios"] {
  if (bios.size < 2) return bios.size === 0 ? "none" : "one";
  const submitted = [...bios.keys()];
  return ended.every((bio, i) => bio === submitted[i])
    ? "in order"
    : "out of order";
}

function errorOf(live: Live): Shape["error"] {
  const errors = [...live.bios.values()];
  const failed = errors.findIndex((error) => (error ?? 0) < 0);
  if (failed >= 0) {
    if (errors.length === 1) return "only bio";
    if (failed === 0) return "first bio";
    return failed === errors.length - 1 ? "last bio" : "middle bio";
  }
  if (live.pageError) return "page";
  if (live.endIoError) return "end_io";
  return resultOf(live) < 0 ? "submission" : "none";
}

function sizeOf(live: Live): Shape["size"] {
  const { begin, iSize, submitted } = live;
  const bytes = Number(begin["bytes"]);
  const end = Number(begin["offset"]) + bytes;
  if (begin["rw"] === "write" && end > iSize) return "append";
  const result = resultOf(live);
  const done = result > 0 ? result : submitted;
  if (done === 0) return "nothing";
  return done < bytes ? "part" : "whole";
}

/** What the request came to, for whoever asked for it. */
function resultOf({ completed, returned }: Live): number {
  return Number(
    isQueued(returned) ? completed?.["res"] : returned?.["ret"],
  );
}

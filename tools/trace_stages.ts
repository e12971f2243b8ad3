/**
 * How long the stages of requests took, where they ended, and why some were
 * deferred; follows only requests that are alive.
 *
 * @module
 */

import type { TraceEvent } from "../core/mod.ts";
import { Histogram } from "./trace_histogram.ts";

/** What a request has come to so far. */
interface Live {
  readonly begin: number;
  readonly isWrite: boolean;
  /** Reported by an event of the ring, not by a return. */
  readonly isAsync: boolean;
  fs: string;
  dsync: boolean;
  isIomap: boolean;
  asked: boolean;
  lastEnd: number;
  workStart: number;
  /** Why its completion was queued, or an empty string. */
  reason: string;
  /** Its stages so far, and how long each took. */
  readonly stages: (readonly [stage: string, ns: number])[];
}

/** The numbers of one filesystem. */
export class FsNumbers {
  reads = 0;
  writes = 0;
  bytes = 0;
  errors = 0;
  /** Requests that ended in each context. */
  readonly contexts: Map<string, number> = new Map();
  /** Completions that were queued, by the reason. */
  readonly deferred: Map<string, number> = new Map();
  /** Durations of each stage, by its name. */
  readonly stages: Map<string, Histogram> = new Map();

  /** Counts one more of something. */
  static count(map: Map<string, number>, name: string): void {
    map.set(name, (map.get(name) ?? 0) + 1);
  }

  /** Notes how long a stage took. */
  took(stage: string, ns: number): void {
    let histogram = this.stages.get(stage);
    if (histogram === undefined) {
      this.stages.set(stage, histogram = new Histogram());
    }
    histogram.add(ns);
  }
}

/** Requests that are followed; the oldest goes when there are more. */
const MAX_LIVE = 1 << 16;

/** Follows requests through a trace. */
export class Stages {
  /** The numbers, by filesystem. */
  readonly byFs: Map<string, FsNumbers> = new Map();
  events = 0;
  first: number = NaN;
  last = 0;
  readonly #fs: string;
  readonly #live: Map<number, Live> = new Map();
  readonly #iocbOf: Map<number, number> = new Map();
  readonly #bios: Map<number, number> = new Map();

  /**
   * Begins.
   *
   * @param fs What to call the filesystem of requests that do not tell.
   */
  constructor(fs: string) {
    this.#fs = fs;
  }

  /** Takes the next event. */
  push(event: TraceEvent): void {
    this.events++;
    if (Number.isNaN(this.first)) this.first = event.ts;
    this.last = event.ts;
    const { ev, iocb, dio, bio } = event;
    if (ev === "io_submit" || ev === "direct_IO" || ev === "blkdev_direct_IO") {
      this.#begin(event);
    } else if (ev === "submit_bio") keep(this.#bios, bio ?? 0, event.ts);
    if (dio !== undefined && iocb !== undefined && dio > 0) {
      keep(this.#iocbOf, dio, iocb);
    }
    const live = this.#liveOf(event);
    if (live !== undefined) this.#note(event, live);
  }

  #begin(event: TraceEvent): void {
    const { iocb = 0, ev } = event;
    const known = this.#live.get(iocb);
    if (known !== undefined && ev !== "io_submit") {
      known.dsync ||= event["dsync"] === 1;
      if (ev === "blkdev_direct_IO") known.fs = "blkdev";
      return;
    }
    keep(this.#live, iocb, {
      begin: event.ts,
      isWrite: event["rw"] === "write",
      isAsync: event["is_sync"] !== 1,
      fs: ev === "blkdev_direct_IO" ? "blkdev" : this.#fs,
      dsync: event["dsync"] === 1,
      isIomap: false,
      asked: false,
      lastEnd: NaN,
      workStart: NaN,
      reason: "",
      stages: [],
    });
  }

  #liveOf({ iocb, dio }: TraceEvent): Live | undefined {
    const id = iocb ?? this.#iocbOf.get(dio ?? 0);
    return id === undefined ? undefined : this.#live.get(id);
  }

  #note(event: TraceEvent, live: Live): void {
    const { ev, ts, ctx, bio } = event;
    switch (ev) {
      case "dio_alloc":
      case "end_io":
        live.fs = fsOf(event) ?? live.fs;
        return;
      case "dio_set_defer_completion":
        live.asked = true;
        return;
      case "bio_endio": {
        const submitted = this.#bios.get(bio ?? 0);
        this.#bios.delete(bio ?? 0);
        live.lastEnd = ts;
        if (submitted === undefined) return;
        live.stages.push([`submit_bio to bio_endio, ${ctx}`, ts - submitted]);
        return;
      }
      case "iomap_dio_bio_end_io":
        live.isIomap = true;
        return;
      case "queue_work":
        live.reason = reasonOf(live);
        return;
      case "workqueue_execute_start":
        live.workStart = ts;
        live.stages.push(["bio_endio to work start", ts - live.lastEnd]);
        return;
      case "direct_IO_return":
      case "aio_complete":
        return this.#end(event, live);
    }
  }

  #end(event: TraceEvent, live: Live): void {
    const { ev, iocb = 0, ts, ctx } = event;
    const result = Number(event["res"] ?? event["ret"]);
    if (live.isAsync !== (ev === "aio_complete")) return;
    this.#live.delete(iocb);
    const numbers = this.#numbers(live);
    if (live.isWrite) numbers.writes++;
    else numbers.reads++;
    if (result < 0) numbers.errors++;
    else numbers.bytes += result;
    FsNumbers.count(numbers.contexts, ctx);
    if (live.reason !== "") FsNumbers.count(numbers.deferred, live.reason);
    for (const [stage, ns] of live.stages) numbers.took(stage, ns);
    if (!Number.isNaN(live.workStart)) {
      numbers.took("work start to report", ts - live.workStart);
    } else if (!Number.isNaN(live.lastEnd)) {
      numbers.took(`last bio_endio to report, ${ctx}`, ts - live.lastEnd);
    }
    numbers.took(`submission to report, ${ctx}`, ts - live.begin);
  }

  #numbers({ fs }: Live): FsNumbers {
    let numbers = this.byFs.get(fs);
    if (numbers === undefined) this.byFs.set(fs, numbers = new FsNumbers());
    return numbers;
  }
}

/** The filesystem that an end_io is of. */
function fsOf(event: TraceEvent): string | undefined {
  const fn = String(event["fn"] ?? event["end_io"] ?? "");
  return /^(\w+?)_(?:\w+_)?end_io/.exec(fn)?.[1];
}

function reasonOf({ isIomap, dsync, asked, isWrite }: Live): string {
  if (isIomap) return isWrite ? "iomap write" : "iomap";
  if (dsync) return "O_DSYNC";
  return asked ? "mapping asks" : "cached pages";
}

function keep<T>(map: Map<number, T>, id: number, value: T): void {
  map.delete(id);
  map.set(id, value);
  if (map.size <= MAX_LIVE) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    break;
  }
}

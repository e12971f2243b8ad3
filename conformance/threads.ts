/**
 * What the threads of a trace are in the middle of.
 *
 * @module
 */

import { ENOMEM, type TraceEvent } from "../core/mod.ts";
import type { DioState, IocbState } from "./request_state.ts";

/** A function that has an event when it is entered and one when it is left. */
export interface Call {
  /** The event of its entry. */
  readonly entry: string;
  /** What entry and return have in common. */
  readonly by: readonly string[];
}

/** The functions that have both, by the event of their return. */
export const CALLS: ReadonlyMap<string, Call> = new Map([
  ["direct_IO_return", { entry: "direct_IO", by: ["iocb"] }],
  ["end_io_return", { entry: "end_io", by: ["dio"] }],
  [
    "workqueue_execute_end",
    { entry: "workqueue_execute_start", by: ["wq", "work"] },
  ],
  ["truncate_return", { entry: "truncate", by: ["ino"] }],
  ["punch_hole_return", { entry: "punch_hole", by: ["ino"] }],
  ["inode_dio_wait_return", { entry: "inode_dio_wait", by: ["ino"] }],
  ["put_super", { entry: "evict_inodes", by: ["sb"] }],
]);

const ENTRIES: ReadonlyMap<string, string> = new Map(
  [...CALLS].map(([ret, { entry }]) => [entry, ret]),
);

/** What a thread does that begins a system call, or is all of one. */
export const SYSTEM_CALLS: ReadonlySet<string> = new Set([
  "io_submit",
  "direct_IO",
  "io_getevents",
  "user_read",
  "truncate",
  "punch_hole",
  "fsync",
  "evict_inodes",
]);

/** Functions that sleep until they are woken, by what `might_sleep` says. */
const SLEEPERS: ReadonlySet<unknown> = new Set(["io_getevents", "io_schedule"]);
/** Reported reads that are kept in mind. */
const MAX_READS = 64;
/** Threads that are kept in mind before idle ones are forgotten. */
const MAX_THREADS = 1024;

/**
 * The event that an entry waits for.
 *
 * @param entry The event of the entry.
 * @returns The event of the return.
 *
 * @example
 * ```ts
 * import { returnOf } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(returnOf("truncate"), "truncate_return");
 * ```
 */
export function returnOf(entry: string): string {
  return ENTRIES.get(entry) ?? `${entry}_return`;
}

/**
 * What a thread, or the interrupts of a processor, are in the middle of.
 *
 * @example
 * ```ts
 * import { ThreadState } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new ThreadState().calls.length, 0);
 * ```
 */
export class ThreadState {
  /** Functions that it has entered and not left, the innermost last. */
  readonly calls: TraceEvent[] = [];
  /** Its newest event that is no wake-up, which comes in the middle of one. */
  last: TraceEvent | undefined = undefined;
  /** The end of a bio whose handler has not begun. */
  ending: TraceEvent | undefined = undefined;
  /** The dio that it completes. */
  completing: DioState | undefined = undefined;
  /** The requests whose methods it runs, the innermost last. */
  readonly requests: IocbState[] = [];
  /** The request that its system call has waited for, until it goes on. */
  leaving: IocbState | undefined = undefined;
  /** The beginning of its newest system call, or the end of a short one. */
  called: TraceEvent | undefined = undefined;
  /** The newest flush of a device. */
  flushed: TraceEvent | undefined = undefined;
  /** How often the count of the file had dropped to zero when it waited. */
  zeros = 0;
  /** The function that it sleeps in: `might_sleep`. */
  sleeping: TraceEvent | undefined = undefined;
  /** How often it was woken since. */
  wakes = 0;
  /** The allocation that it is in the middle of: `might_sleep`. */
  allocating: TraceEvent | undefined = undefined;
  /** The newest allocation that failed. */
  allocFailed: TraceEvent | undefined = undefined;
  /** The bio whose pages it has marked as dirty. */
  dirtied = 0;
  /** The bio whose end handler it runs. */
  handled = 0;
  /** The dio of that bio. */
  handledFor: DioState | undefined = undefined;
  /** The request that it has to report before it goes on. */
  owed: IocbState | undefined = undefined;
  /** Reads that have been reported to it, the newest last. */
  readonly reads: IocbState[] = [];

  /** The request whose method it runs. */
  get request(): IocbState | undefined {
    return this.requests[this.requests.length - 1];
  }

  /**
   * The innermost call of a function that it has not left.
   *
   * @param entry The event of the entry.
   * @returns That event, or undefined.
   */
  inside(entry: string): TraceEvent | undefined {
    for (let i = this.calls.length - 1; i >= 0; i--) {
      const call = this.calls[i];
      if (call?.ev === entry) return call;
    }
    return undefined;
  }

  /**
   * Notes that a read has been reported to it.
   *
   * @param iocb The read.
   */
  gotRead(iocb: IocbState): void {
    this.reads.push(iocb);
    if (this.reads.length > MAX_READS) this.reads.shift();
  }

  /**
   * The read whose bytes an event compares, the oldest one of several.
   *
   * @param event `user_read`.
   * @returns The read, or undefined when none was reported.
   */
  readOf(event: TraceEvent): IocbState | undefined {
    return this.reads.find(({ inode, offset }) =>
      inode.ino === event.ino && offset === event["offset"]
    );
  }

  /** Forgets a read whose bytes have been compared. */
  compared(event: TraceEvent): void {
    const read = this.readOf(event);
    if (read !== undefined) this.reads.splice(this.reads.indexOf(read), 1);
  }

  /** Whether nothing of it is worth remembering. */
  get isIdle(): boolean {
    return this.calls.length === 0 && this.leaving === undefined &&
      this.completing === undefined && this.sleeping === undefined;
  }
}

/**
 * The threads of a trace.
 *
 * @example
 * ```ts
 * import { Threads } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * const threads = new Threads();
 * const event = { seq: 0, ts: 0, cpu: 0, ctx: "task", tid: 7, comm: "a",
 *   ev: "truncate", ino: 12, size: 0 } as const;
 * threads.enter(event);
 * threads.update(event);
 * assertEquals(threads.current.inside("truncate"), event);
 * ```
 */
export class Threads {
  /** The thread of the event that is looked at. */
  current: ThreadState = new ThreadState();
  readonly #threads: Map<number, ThreadState> = new Map();
  #key: number = NaN;

  /** Forgets everything, for another trace. */
  reset(): void {
    this.#threads.clear();
    this.#key = NaN;
  }

  /** Every thread that is in the middle of something. */
  get all(): Iterable<ThreadState> {
    return this.#threads.values();
  }

  /**
   * The thread of a process or worker.
   *
   * @param tid Its identity.
   * @returns What it is in the middle of, or undefined when it has not been
   * seen.
   */
  get(tid: number): ThreadState | undefined {
    return this.#threads.get(tid * 2);
  }

  /**
   * Makes the thread of an event the current one.
   *
   * @param event The event.
   */
  enter(event: TraceEvent): void {
    const key = keyOf(event);
    if (key !== this.#key) this.#switch(key);
    const { current } = this;
    const { allocating } = current;
    if (allocating === undefined) return;
    current.allocating = undefined;
    if (event.ev === "alloc_workqueue") return;
    // Nothing came of it, and the request it was for has failed.
    current.allocFailed = allocating;
    current.request?.liveDio?.fail(allocating, -ENOMEM);
  }

  /**
   * Takes an event of the current thread into account.
   *
   * @param event The event.
   */
  update(event: TraceEvent): void {
    const { current } = this;
    const { ev } = event;
    if (ev === "wake_up_process") return this.#wake(event);
    if (ev === "user_read") current.compared(event);
    current.last = event;
    if (ev === "might_sleep") return this.#mightSleep(event);
    current.sleeping = undefined;
    current.wakes = 0;
    if (SYSTEM_CALLS.has(ev)) current.called = event;
    if (ENTRIES.has(ev)) current.calls.push(event);
    else if (CALLS.has(ev)) leave(current, event);
    else if (ev === "blkdev_issue_flush") current.flushed = event;
    else if (ev === "alloc_workqueue") current.allocFailed = undefined;
  }

  #wake(event: TraceEvent): void {
    const woken = this.get(Number(event["pid"]));
    if (woken !== undefined) woken.wakes++;
  }

  #mightSleep(event: TraceEvent): void {
    const { current } = this;
    const fn = event["fn"];
    if (SLEEPERS.has(fn)) {
      if (current.sleeping !== undefined) current.wakes--;
      current.sleeping = event;
      return;
    }
    current.sleeping = undefined;
    current.wakes = 0;
    if (fn === "alloc_workqueue") current.allocating = event;
  }

  #switch(key: number): void {
    this.#key = key;
    let thread = this.#threads.get(key);
    if (thread === undefined) {
      if (this.#threads.size >= MAX_THREADS) this.#forgetIdle();
      thread = new ThreadState();
      this.#threads.set(key, thread);
    }
    this.current = thread;
  }

  #forgetIdle(): void {
    for (const [key, thread] of this.#threads) {
      if (thread.isIdle) this.#threads.delete(key);
    }
  }
}

/** Interrupts belong to their processor, everything else to its thread. */
function keyOf({ ctx, cpu, tid }: TraceEvent): number {
  if (ctx === "softirq") return cpu * 4 + 1;
  if (ctx === "hardirq") return cpu * 4 + 3;
  return tid * 2;
}

/** Leaves a call, and with it whatever was entered in it and not left. */
function leave(thread: ThreadState, event: TraceEvent): void {
  const { calls } = thread;
  for (let i = calls.length - 1; i >= 0; i--) {
    if (!isReturn(calls[i] as TraceEvent, event)) continue;
    calls.length = i;
    return;
  }
}

/**
 * Whether one event is the return of the call that another began.
 *
 * @param entry The event of an entry.
 * @param event Another event.
 * @returns True when it is.
 *
 * @example
 * ```ts
 * import { isReturn } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * const at = { seq: 0, ts: 0, cpu: 0, ctx: "task", tid: 1, comm: "a" } as const;
 * const entry = { ...at, ev: "truncate", ino: 12, size: 0 };
 * const other = { ...at, ev: "truncate_return", ino: 13, ret: 0 };
 * assertEquals(isReturn(entry, other), false);
 * ```
 */
export function isReturn(entry: TraceEvent, event: TraceEvent): boolean {
  const call = CALLS.get(event.ev);
  if (call === undefined || call.entry !== entry.ev) return false;
  for (const name of call.by) {
    if (entry[name] !== event[name]) return false;
  }
  return true;
}

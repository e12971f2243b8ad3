/**
 * Engine `psync`: the queue of requests that a few threads carry out with
 * `preadv2()`, `pwritev2()` and `fdatasync()`, each of them blocking.
 *
 * @module
 */

import type { DirectFileOp, EngineKind, RequestQueue } from "./engine.ts";
import { FreeSlots, SlotVectors } from "./engine_slots.ts";
import { at, setUint64 } from "./engine_words.ts";
import { EAGAIN } from "./errno_text.ts";
import type { Libc } from "./libc.ts";
import {
  PSYNC_WORKER_CODE,
  type PsyncLayout,
  type PsyncSetup,
} from "./psync_worker.ts";

/** How many requests can be carried out at once; a thread is 40 ms to start. */
const MAX_THREADS = 4;
/** How long the first one may take before none is expected any more. */
const START_TIMEOUT_MS = 10_000;

const OPS: Readonly<Record<DirectFileOp, number>> = {
  read: 0,
  write: 1,
  fdsync: 2,
};

/** The words that come first; those behind them depend on the depth. */
const HEAD = {
  started: 0,
  stop: 1,
  submitted: 2,
  taken: 3,
  reserved: 4,
  completed: 5,
  eventFd: 6,
} as const;
const HEAD_WORDS = 16;

/** Where things lie in a slot. */
const SLOT = { op: 0, flags: 1, offset: 2, vector: 4, count: 6, result: 7 };
const SLOT_WORDS = 8;

/** Requests on one descriptor, which it does not own, and some threads. */
export class PsyncQueue implements RequestQueue {
  readonly engine: EngineKind = "psync";
  readonly depth: number;
  readonly resultTags: Int32Array<ArrayBuffer>;
  readonly results: Int32Array<ArrayBuffer>;
  readonly #layout: PsyncLayout;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #threads: readonly Worker[];
  readonly #vectors: SlotVectors;
  readonly #freeSlots: FreeSlots;
  readonly #tags: Int32Array;
  readonly #preparedSlots: Int32Array;
  #preparedCount = 0;
  #inFlight = 0;
  /** How many completions were taken. */
  #reaped = 0;

  /**
   * @param libc The library whose functions the threads call.
   * @param fd The descriptor that requests are for.
   * @param depth How many requests there can be at once.
   */
  constructor(libc: Libc, fd: number, depth: number) {
    this.depth = depth;
    this.resultTags = new Int32Array(depth);
    this.results = new Int32Array(depth);
    this.#vectors = new SlotVectors(libc, depth);
    this.#freeSlots = new FreeSlots(depth);
    this.#tags = new Int32Array(depth);
    this.#preparedSlots = new Int32Array(depth);
    this.#layout = layoutOf(depth);
    const { slots } = this.#layout;
    const shared = new SharedArrayBuffer((slots + depth * SLOT_WORDS) * 4);
    this.#words = new Int32Array(shared);
    this.#words[HEAD.eventFd] = -1;
    this.#threads = startThreads(Math.min(depth, MAX_THREADS), {
      libcPath: libc.path,
      fd,
      syscalls: libc.vectorSyscalls,
      shared,
      layout: this.#layout,
    });
  }

  /** Waits until a thread is ready: whether one is. */
  waitForThread(): boolean {
    const result = Atomics.wait(
      this.#words,
      HEAD.started,
      0,
      START_TIMEOUT_MS,
    );
    return result !== "timed-out";
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get prepared(): number {
    return this.#preparedCount;
  }

  prepare(
    op: DirectFileOp,
    offsetBytes: number,
    tag: number,
    flags: number,
  ): number {
    const slot = this.#freeSlots.take();
    if (slot < 0) return -EAGAIN;
    const base = this.#slotBase(slot);
    const words = this.#words;
    words[base + SLOT.op] = OPS[op];
    words[base + SLOT.flags] = flags;
    words[base + SLOT.count] = 0;
    setUint64(words, base + SLOT.offset, offsetBytes);
    setUint64(words, base + SLOT.vector, this.#vectors.addressOf(slot));
    this.#vectors.clear(slot);
    this.#tags[slot] = tag;
    this.#preparedSlots[this.#preparedCount++] = slot;
    return 0;
  }

  addSegment(address: number, length: number): boolean {
    const slot = at(this.#preparedSlots, this.#preparedCount - 1);
    if (!this.#vectors.add(slot, address, length)) return false;
    const count = this.#vectors.count(slot);
    this.#words[this.#slotBase(slot) + SLOT.count] = count;
    return true;
  }

  dropLastPrepared(): void {
    this.#freeSlots.give(at(this.#preparedSlots, --this.#preparedCount));
  }

  submit(): number {
    const count = this.#preparedCount;
    if (count === 0) return 0;
    const words = this.#words;
    const { submissions, mask } = this.#layout;
    const submitted = at(words, HEAD.submitted);
    for (let i = 0; i < count; i++) {
      const place = (submitted + i) & mask;
      words[submissions + place] = at(this.#preparedSlots, i);
    }
    // This store is what makes all that was written before visible.
    Atomics.store(words, HEAD.submitted, submitted + count);
    Atomics.notify(words, HEAD.submitted, count);
    this.#inFlight += count;
    this.#preparedCount = 0;
    return count;
  }

  submitAside(): Promise<void> | null {
    this.submit();
    return null;
  }

  reap(minEvents: number, maxEvents: number): number {
    const min = Math.min(minEvents, maxEvents, this.#inFlight);
    for (let count = 0;;) {
      const completed = Atomics.load(this.#words, HEAD.completed);
      count += this.#take(count, maxEvents);
      if (count >= min) return count;
      Atomics.wait(this.#words, HEAD.completed, completed);
    }
  }

  submitAndReap(minEvents: number, maxEvents: number): number {
    this.submit();
    return this.reap(minEvents, maxEvents);
  }

  signalTo(eventFd: number): void {
    Atomics.store(this.#words, HEAD.eventFd, eventFd);
  }

  remember(): void {}

  forget(): void {}

  close(): boolean {
    while (this.#inFlight > 0) this.reap(this.#inFlight, this.depth);
    Atomics.store(this.#words, HEAD.stop, 1);
    Atomics.notify(this.#words, HEAD.submitted);
    for (const thread of this.#threads) thread.terminate();
    return true;
  }

  #slotBase(slot: number): number {
    return this.#layout.slots + slot * SLOT_WORDS;
  }

  /** Takes completions that are there, as results from an index on. */
  #take(from: number, max: number): number {
    const words = this.#words;
    const { completions, mask } = this.#layout;
    let index = from;
    while (index < max) {
      const place = completions + (this.#reaped & mask);
      // A place is reserved before it is filled.
      const filled = Atomics.exchange(words, place, 0);
      if (filled === 0) break;
      const slot = filled - 1;
      const result = this.#slotBase(slot) + SLOT.result;
      this.resultTags[index] = at(this.#tags, slot);
      this.results[index] = Atomics.load(words, result);
      this.#freeSlots.give(slot);
      this.#reaped = (this.#reaped + 1) | 0;
      this.#inFlight--;
      index++;
    }
    return index - from;
  }
}

function layoutOf(depth: number): PsyncLayout {
  const ringWords = 2 ** Math.ceil(Math.log2(depth));
  return {
    ...HEAD,
    submissions: HEAD_WORDS,
    completions: HEAD_WORDS + ringWords,
    mask: ringWords - 1,
    slots: HEAD_WORDS + 2 * ringWords,
    slotWords: SLOT_WORDS,
    ...SLOT,
  };
}

function startThreads(count: number, setup: PsyncSetup): Worker[] {
  const code = encodeURIComponent(PSYNC_WORKER_CODE);
  return Array.from({ length: count }, (_, i) => {
    const thread = new Worker(`data:text/javascript,${code}`, {
      type: "module",
      name: `endio-psync-${i}`,
    });
    // Whoever opens the file sees that no thread is ready, and says so.
    thread.onerror = (event) => event.preventDefault();
    thread.postMessage(setup);
    return thread;
  });
}

/**
 * Workqueues: work items that run later in kernel threads, which may sleep.
 *
 * A bound queue limits how many of its items run at once per processor, an
 * unbound one in all. Up to that limit every item gets a worker at once: more
 * concurrency than the kernel's worker pools give, never less, so that no
 * interleaving is missed.
 *
 * Source: kernel/workqueue.c.
 *
 * @module
 */

import { KernelBug } from "./bug.ts";
import type { Context } from "./context.ts";
import { EV } from "./events.ts";
import type { Kernel } from "./kernel.ts";
import { readStep, SCHEDULE, type Step, type Task, writeStep } from "./step.ts";
import { WaitQueue } from "./wait.ts";
import type { WorkItem } from "./work_item.ts";

/** Items run on any processor. */
export const WQ_UNBOUND: number = 1 << 1;
/** A rescuer runs the items when no worker can be made. */
export const WQ_MEM_RECLAIM: number = 1 << 3;
/** How many items run at once when 0 is asked for. */
export const WQ_DFL_ACTIVE: number = 256;

/** Items of one queue that share a concurrency limit. */
interface PoolWorkqueue {
  /** The processor they run on, -1 for any. */
  readonly cpu: number;
  /** Items that have a worker, or have asked for one. */
  active: number;
  /** Items that wait for the limit. */
  readonly inactive: WorkItem[];
  /** Workers that have nothing to do. */
  readonly idle: IdleWorker[];
  /** Workers ever made. */
  workers: number;
}

/** A thread that has run an item and can run the next. */
interface IdleWorker {
  readonly comm: string;
  /** 0 for one that has not run yet. */
  readonly tid: number;
}

/** An item, and where it belongs. */
interface QueuedItem {
  readonly work: WorkItem;
  readonly pool: PoolWorkqueue;
}

/**
 * A workqueue: `struct workqueue_struct`. Made by
 * {@linkcode allocWorkqueue}.
 *
 * @example
 * ```ts
 * import { allocWorkqueue, Kernel, WorkItem } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel();
 * const wq = allocWorkqueue(kernel, "my-wq", 0, 0)!;
 * let ran = false;
 * const work = new WorkItem();
 * work.init("my_work", function* () {
 *   ran = true;
 * });
 * kernel.spawn("a", (function* () {
 *   yield* wq.queueWork(work);
 *   yield* wq.destroy();
 * })());
 * kernel.run();
 * assertEquals(ran, true);
 * ```
 */
export class Workqueue {
  /** Identity in traces. */
  readonly id: number;
  /** Its name, e.g. `dio/sda`. */
  readonly name: string;
  /** {@linkcode WQ_UNBOUND}, {@linkcode WQ_MEM_RECLAIM}. */
  readonly flags: number;
  /** How many items run at once, per processor unless unbound. */
  readonly maxActive: number;
  /** Whether it has been destroyed. */
  destroyed = false;

  readonly #kernel: Kernel;
  /** The step before an item comes or goes: in general any order will do. */
  readonly #step: Step;
  /** The step of what depends on which items are there. */
  readonly #stateStep: Step;
  readonly #pools: Map<number, PoolWorkqueue> = new Map();
  readonly #idle: WaitQueue;
  /** Sequence numbers of the items that are queued or running. */
  readonly #outstanding: number[] = [];
  readonly #rescued: QueuedItem[] = [];
  readonly #running: Map<WorkItem, Context> = new Map();
  /** Items that were queued again while they run. */
  readonly #collided: QueuedItem[] = [];
  #rescuerRuns = false;
  #sequence = 0;

  /**
   * Use {@linkcode allocWorkqueue}.
   *
   * @param kernel The kernel.
   * @param id Identity in traces.
   * @param name Its name.
   * @param flags Its flags.
   * @param maxActive Its concurrency, at least 1.
   */
  constructor(
    kernel: Kernel,
    id: number,
    name: string,
    flags: number,
    maxActive: number,
  ) {
    this.#kernel = kernel;
    this.id = id;
    this.name = name;
    this.flags = flags;
    this.maxActive = maxActive;
    const addr = kernel.newAddr();
    this.#step = readStep(addr);
    this.#stateStep = writeStep(addr);
    this.#idle = new WaitQueue(kernel, `workqueue ${name} to become idle`, {
      blockers: () => this.#running.values(),
    });
  }

  /**
   * `queue_work()`: runs the item later in a worker. Does not sleep.
   *
   * @param work The item.
   * @returns False when it is pending already.
   * @throws {KernelBug} If the queue has been destroyed.
   */
  *queueWork(work: WorkItem): Task<boolean> {
    const kernel = this.#kernel;
    if (kernel.stepping) {
      yield this.#step;
      this.#touch(work, this.#pool());
    }
    if (this.destroyed) {
      throw new KernelBug(
        "workqueue-life/alive-when-queued",
        `workqueue ${this.name}`,
        `${work.fnName} is queued on ${this.name} after that was destroyed`,
      );
    }
    const queued = !work.pending;
    if (queued) {
      work.pending = true;
      work.id = ++this.#sequence;
      this.#outstanding.push(work.id);
    }
    if (kernel.tracing) this.#emit(EV.queue_work, work, queued);
    if (queued) this.#insert(work, this.#pool());
    return queued;
  }

  /**
   * `flush_workqueue()`: waits for every item that was queued before.
   */
  *flush(): Task<void> {
    const kernel = this.#kernel;
    const last = this.#sequence;
    kernel.touch(this.#stateStep);
    kernel.mightSleep("flush_workqueue");
    for (;;) {
      if (kernel.stepping) yield this.#idle.step;
      this.#idle.prepareToWait(kernel);
      if (kernel.stepping) yield this.#stateStep;
      if (this.#outstanding.every((sequence) => sequence > last)) break;
      yield SCHEDULE;
    }
    this.#idle.finishWait(kernel);
  }

  /**
   * `drain_workqueue()`: waits until nothing is queued or running, also for
   * items that items queue.
   */
  *drain(): Task<void> {
    do {
      yield* this.flush();
    } while (this.#outstanding.length > 0);
  }

  /**
   * `destroy_workqueue()`: drains it; nothing may be queued on it any more.
   */
  *destroy(): Task<void> {
    yield* this.drain();
    const kernel = this.#kernel;
    if (kernel.stepping) yield this.#stateStep;
    this.destroyed = true;
    if (kernel.tracing) {
      kernel.emit(EV.destroy_workqueue, this.id, kernel.trace.str(this.name));
    }
  }

  #pool(): PoolWorkqueue {
    const key = this.flags & WQ_UNBOUND ? -1 : this.#kernel.current.cpu;
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      pool = { cpu: key, active: 0, inactive: [], idle: [], workers: 0 };
      this.#pools.set(key, pool);
    }
    return pool;
  }

  #insert(work: WorkItem, pool: PoolWorkqueue): void {
    // An item never runs twice at once: it waits for its own end.
    if (this.#running.has(work)) this.#collided.push({ work, pool });
    else if (pool.active < this.maxActive) this.#activate(work, pool);
    else pool.inactive.push(work);
  }

  #activate(work: WorkItem, pool: PoolWorkqueue): void {
    const kernel = this.#kernel;
    pool.active++;
    if (!kernel.shouldFailAlloc("kworker")) {
      const { comm, tid } = pool.idle.pop() ?? this.#newWorker(pool);
      kernel.startKworker(comm, this.#worker(work, pool), pool.cpu, tid);
      return;
    }
    // Without a worker the item waits for the rescuer. A queue without one
    // leaves it lying: that is what WQ_MEM_RECLAIM is for.
    if (!(this.flags & WQ_MEM_RECLAIM)) return;
    kernel.touch(this.#stateStep);
    this.#rescued.push({ work, pool });
    if (this.#rescuerRuns) return;
    this.#rescuerRuns = true;
    kernel.startKworker(this.name, this.#rescuer());
  }

  #newWorker(pool: PoolWorkqueue): IdleWorker {
    const where = pool.cpu < 0 ? "u4" : String(pool.cpu);
    return { comm: `kworker/${where}:${pool.workers++}-${this.name}`, tid: 0 };
  }

  *#worker(work: WorkItem, pool: PoolWorkqueue): Task<void> {
    const { comm, tid } = this.#kernel.current;
    yield* this.#process(work, pool);
    pool.idle.push({ comm, tid });
  }

  *#rescuer(): Task<void> {
    for (;;) {
      this.#kernel.touch(this.#stateStep);
      const item = this.#rescued.shift();
      if (item === undefined) break;
      yield* this.#process(item.work, item.pool);
    }
    this.#rescuerRuns = false;
  }

  *#process(work: WorkItem, pool: PoolWorkqueue): Task<void> {
    const kernel = this.#kernel;
    if (kernel.stepping) yield writeStep(work.addr);
    // The function may free what the item lives in: nothing of it is looked
    // at after the call.
    const { id, fn, fnName, dioId } = work;
    work.pending = false;
    this.#running.set(work, kernel.current);
    if (kernel.tracing) this.#emit(EV.workqueue_execute_start, work);
    if (fn !== null) yield* fn();
    if (kernel.tracing) {
      kernel.emit(
        EV.workqueue_execute_end,
        this.id,
        id,
        kernel.trace.str(fnName),
        dioId,
      );
    }
    if (kernel.stepping) {
      yield this.#step;
      this.#touch(work, pool);
    }
    this.#retire(work, id, pool);
    if (kernel.stepping) yield this.#idle.wakeStep;
    this.#idle.wakeUp(kernel);
  }

  #retire(work: WorkItem, id: number, pool: PoolWorkqueue): void {
    this.#outstanding.splice(this.#outstanding.indexOf(id), 1);
    this.#running.delete(work);
    const again = this.#collided.findIndex((item) => item.work === work);
    pool.active--;
    if (again >= 0) {
      const [item] = this.#collided.splice(again, 1) as [QueuedItem];
      this.#insert(item.work, item.pool);
    }
    if (pool.active >= this.maxActive) return;
    const next = pool.inactive.shift();
    if (next !== undefined) this.#insert(next, pool);
  }

  /**
   * Tells whoever follows the steps that an item comes or goes. Two that both
   * find room do not disturb each other; at the limit they do.
   */
  #touch(work: WorkItem, { active, inactive }: PoolWorkqueue): void {
    const kernel = this.#kernel;
    kernel.touch(writeStep(work.addr ||= kernel.newAddr()));
    const full = active + 1 >= this.maxActive || inactive.length > 0;
    if (full) kernel.touch(this.#stateStep);
  }

  #emit(code: number, work: WorkItem, queued?: boolean): void {
    const kernel = this.#kernel;
    kernel.emit(
      code,
      this.id,
      work.id,
      kernel.trace.str(work.fnName),
      work.dioId,
      queued === undefined ? undefined : Number(queued),
    );
  }
}

/**
 * `alloc_workqueue()`: may sleep, and may fail when the kernel was told so.
 *
 * @param kernel The kernel.
 * @param name Its name, e.g. `dio/sda`.
 * @param flags {@linkcode WQ_UNBOUND}, {@linkcode WQ_MEM_RECLAIM}.
 * @param maxActive How many items run at once, per processor unless unbound;
 * 0 for {@linkcode WQ_DFL_ACTIVE}.
 * @param what What allocation faults call it.
 * @returns The queue, or null when there is no memory.
 *
 * @example
 * ```ts
 * import { allocWorkqueue, Kernel, WQ_MEM_RECLAIM } from "@endio/dio/core";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel({
 *   allocFaults: [{ what: "alloc_workqueue", nth: 2 }],
 * });
 * const first = allocWorkqueue(kernel, "dio/sda", WQ_MEM_RECLAIM, 0);
 * assertEquals(first?.maxActive, 256);
 * assertEquals(allocWorkqueue(kernel, "dio/sdb", WQ_MEM_RECLAIM, 0), null);
 * ```
 */
export function allocWorkqueue(
  kernel: Kernel,
  name: string,
  flags: number,
  maxActive: number,
  what: string = "alloc_workqueue",
): Workqueue | null {
  kernel.mightSleep("alloc_workqueue");
  if (kernel.shouldFailAlloc(what)) return null;
  const wq = new Workqueue(
    kernel,
    kernel.newWorkqueueId(),
    name,
    flags,
    maxActive === 0 ? WQ_DFL_ACTIVE : maxActive,
  );
  if (kernel.tracing) {
    kernel.emit(
      EV.alloc_workqueue,
      wq.id,
      kernel.trace.str(name),
      flags,
      wq.maxActive,
    );
  }
  return wq;
}

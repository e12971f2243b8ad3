/**
 * A peer of the exploration: the same scenario written with promises, in an
 * order that the scheduler of fast-check decides.
 *
 * It has no kernel under it and records no trace: requests, locks, bios, the
 * workqueue and the ring are what the protocol needs of them, and what must
 * hold is asserted on the way. Wherever the kernel's code yields a step, this
 * waits for the scheduler: before each lock, count, queue and wake-up, and
 * when a context begins.
 *
 * @module
 */

import fc, { type Scheduler } from "fast-check";
import type { Subject } from "./harness.ts";

const BLOCK = 4096;
const SEED = 20130710;

/** Asks the scheduler when to go on. */
type Point = (label: string) => Promise<void>;

/** How large the scenario is. */
export interface PromiseScenario {
  /** How many requests, each of a task of its own. */
  readonly dios: number;
  /** How many bios each of them has. */
  readonly bios: number;
}

/** A lock; who waits for it competes again when it is let go of. */
class Lock {
  readonly #point: Point;
  readonly #name: string;
  #released: PromiseWithResolvers<void> | null = null;

  constructor(point: Point, name: string) {
    this.#point = point;
    this.#name = name;
  }

  async lock(): Promise<void> {
    do {
      while (this.#released !== null) await this.#released.promise;
      await this.#point(this.#name);
    } while (this.#released !== null);
    this.#released = Promise.withResolvers();
  }

  unlock(): void {
    const released = this.#released;
    this.#released = null;
    released?.resolve();
  }
}

/** The file, its filesystem and its device. */
class Inode {
  readonly point: Point;
  readonly mutex: Lock;
  readonly store: Uint8Array;
  iDioCount = 0;
  /** Completions that have been reported. */
  reported = 0;
  #hasDioDoneWq = false;
  #workers = 0;
  #waiter: PromiseWithResolvers<void> | null = null;

  constructor(point: Point, bytes: number) {
    this.point = point;
    this.mutex = new Lock(point, "i_mutex");
    this.store = new Uint8Array(bytes);
  }

  /** `sb_init_dio_done_wq()` */
  async initDioDoneWq(): Promise<void> {
    await this.point("s_dio_done_wq");
    if (this.#hasDioDoneWq) return;
    await this.point("cmpxchg s_dio_done_wq");
    this.#hasDioDoneWq = true;
  }

  /** `inode_dio_begin()` */
  async dioBegin(): Promise<void> {
    await this.point("i_dio_count");
    this.iDioCount++;
  }

  /** `inode_dio_done()` */
  async dioDone(): Promise<void> {
    await this.point("i_dio_count");
    if (--this.iDioCount > 0) return;
    await this.point("wake_up_bit");
    this.#waiter?.resolve();
  }

  /** `inode_dio_wait()` */
  async dioWait(): Promise<void> {
    for (;;) {
      await this.point("prepare_to_wait");
      this.#waiter = Promise.withResolvers();
      await this.point("i_dio_count");
      if (this.iDioCount === 0) break;
      await this.#waiter.promise;
      await this.point("schedule");
    }
    this.#waiter = null;
  }

  /** `queue_work()`, and the worker that runs the item. */
  async queueWork(complete: () => Promise<void>): Promise<void> {
    await this.point("queue_work");
    this.#workers++;
    void this.#worker(complete);
  }

  /** `truncate()` of a file whose size stays as it is. */
  async truncate(): Promise<void> {
    await this.point("truncate");
    await this.mutex.lock();
    await this.point("i_size_write");
    await this.dioWait();
    check(this.iDioCount === 0, "no request is in flight under a truncate");
    this.mutex.unlock();
  }

  /** `umount()`, when everything else has ended. */
  async umount(): Promise<void> {
    await this.point("umount");
    await this.point("flush_workqueue");
    check(this.#workers === 0, "no worker is left");
    check(this.iDioCount === 0, "no request is left");
  }

  async #worker(complete: () => Promise<void>): Promise<void> {
    await this.point("kworker");
    await this.point("process_one_work");
    await complete();
    await this.point("pwq_dec_nr_in_flight");
    this.#workers--;
    await this.point("wake_up flusher");
  }
}

/** A request: `struct dio`. */
class Dio {
  readonly #inode: Inode;
  readonly #bioLock: Lock;
  readonly #completionLock: Lock;
  #refcount = 1;
  #completed = false;

  constructor(inode: Inode) {
    this.#inode = inode;
    this.#bioLock = new Lock(inode.point, "bio_lock");
    this.#completionLock = new Lock(inode.point, "completion_lock");
  }

  /** `io_submit()` of a write. */
  async submit(data: Uint8Array, offset: number): Promise<void> {
    const inode = this.#inode;
    await inode.point("io_submit");
    await inode.mutex.lock();
    await inode.point("i_size_read");
    await inode.initDioDoneWq();
    await inode.dioBegin();
    for (let at = 0; at < data.length; at += BLOCK) {
      await this.#bioLock.lock();
      this.#refcount++;
      this.#bioLock.unlock();
      void this.#bioEndAio(data.subarray(at, at + BLOCK), offset + at);
    }
    inode.mutex.unlock();
    if (await this.#dropRefcount()) await this.#complete();
  }

  /** The transfer, and `dio_bio_end_aio()`. */
  async #bioEndAio(data: Uint8Array, offset: number): Promise<void> {
    await this.#inode.point("bio_endio");
    this.#inode.store.set(data, offset);
    if (!await this.#dropRefcount()) return;
    await this.#inode.queueWork(() => this.#complete());
  }

  async #dropRefcount(): Promise<boolean> {
    await this.#bioLock.lock();
    const isLast = --this.#refcount === 0;
    this.#bioLock.unlock();
    return isLast;
  }

  /** `dio_complete()` and `aio_complete()` */
  async #complete(): Promise<void> {
    const inode = this.#inode;
    check(!this.#completed, "a request is completed once");
    this.#completed = true;
    await inode.point("io_error");
    await inode.dioDone();
    await this.#completionLock.lock();
    await inode.point("ring tail");
    inode.reported++;
    this.#completionLock.unlock();
    await inode.point("wake_up ring");
  }
}

/** The scenario under fast-check; a unit is one schedule. */
export class PromiseSchedules implements Subject {
  /** Its name. */
  readonly name = "fast-check's scheduler, the scenario written with promises";
  readonly #scenario: PromiseScenario;
  readonly #data: Uint8Array;
  #points = 0;
  #schedules = 0;

  /**
   * Describes the scenario.
   *
   * @param scenario How large it is.
   */
  constructor(scenario: PromiseScenario) {
    this.#scenario = scenario;
    this.#data = new Uint8Array(scenario.bios * BLOCK);
  }

  /** Runs it in so many random orders. */
  async run(n: number): Promise<void> {
    const property = fc.asyncProperty(fc.scheduler(), (s) => this.#once(s));
    await fc.assert(property, { numRuns: n, seed: SEED });
    this.#schedules += n;
  }

  /** How many steps it lets the scheduler decide about. */
  note(): string {
    return `${(this.#points / this.#schedules).toFixed(0)} steps each`;
  }

  async #once(scheduler: Scheduler): Promise<void> {
    const { dios } = this.#scenario;
    const bytes = this.#data.length;
    const inode = new Inode((label) => {
      this.#points++;
      return scheduler.schedule(Promise.resolve(), label);
    }, dios * bytes);
    for (let i = 0; i < dios; i++) {
      void new Dio(inode).submit(this.#data, i * bytes);
    }
    void inode.truncate();
    await scheduler.waitIdle();
    check(inode.reported === dios, "every request is reported");
    void inode.umount();
    await scheduler.waitIdle();
  }
}

function check(condition: boolean, what: string): void {
  if (!condition) throw new Error(`Broken: ${what}`);
}

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
/** How the name of the lock begins under which a reference is dropped. */
export const BIO_LOCK = "bio_lock";

/**
 * Asks the scheduler when to go on.
 *
 * @param object What is touched then.
 * @param who Who touches it.
 */
export type Point = (object: string, who: string) => Promise<void>;

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

  async lock(who: string): Promise<void> {
    do {
      while (this.#released !== null) await this.#released.promise;
      await this.#point(this.#name, who);
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
  async initDioDoneWq(who: string): Promise<void> {
    await this.point("s_dio_done_wq", who);
    if (this.#hasDioDoneWq) return;
    await this.point("cmpxchg s_dio_done_wq", who);
    this.#hasDioDoneWq = true;
  }

  /** `inode_dio_begin()` */
  async dioBegin(who: string): Promise<void> {
    await this.point("i_dio_count", who);
    this.iDioCount++;
  }

  /** `inode_dio_done()` */
  async dioDone(who: string): Promise<void> {
    await this.point("i_dio_count", who);
    if (--this.iDioCount > 0) return;
    await this.point("wake_up_bit", who);
    this.#waiter?.resolve();
  }

  /** `inode_dio_wait()` */
  async dioWait(who: string): Promise<void> {
    for (;;) {
      await this.point("prepare_to_wait", who);
      this.#waiter = Promise.withResolvers();
      await this.point("i_dio_count", who);
      if (this.iDioCount === 0) break;
      await this.#waiter.promise;
      await this.point("schedule", who);
    }
    this.#waiter = null;
  }

  /** `queue_work()`, and the worker that runs the item. */
  async queueWork(
    who: string,
    complete: (who: string) => Promise<void>,
  ): Promise<void> {
    await this.point("queue_work", who);
    this.#workers++;
    void this.#worker(`worker of ${who}`, complete);
  }

  /** `truncate()` of a file whose size stays as it is. */
  async truncate(): Promise<void> {
    const who = "truncater";
    await this.point("truncate", who);
    await this.mutex.lock(who);
    await this.point("i_size_write", who);
    await this.dioWait(who);
    check(this.iDioCount === 0, "no request is in flight under a truncate");
    this.mutex.unlock();
  }

  /** `umount()`, when everything else has ended. */
  async umount(): Promise<void> {
    const who = "umount";
    await this.point("umount", who);
    await this.point("flush_workqueue", who);
    check(this.#workers === 0, "no worker is left");
    check(this.iDioCount === 0, "no request is left");
  }

  async #worker(
    who: string,
    complete: (who: string) => Promise<void>,
  ): Promise<void> {
    await this.point("kworker", who);
    await this.point("process_one_work", who);
    await complete(who);
    await this.point("pwq_dec_nr_in_flight", who);
    this.#workers--;
    await this.point("wake_up flusher", who);
  }
}

/** A request: `struct dio`. */
class Dio {
  readonly #inode: Inode;
  readonly #bioLock: Lock;
  readonly #completionLock: Lock;
  readonly #ring: string;
  #refcount = 1;
  #completed = false;

  constructor(inode: Inode, id: number) {
    this.#inode = inode;
    this.#bioLock = new Lock(inode.point, `${BIO_LOCK} ${id}`);
    this.#ring = `ring ${id}`;
    this.#completionLock = new Lock(inode.point, `completion_lock ${id}`);
  }

  /** `io_submit()` of a write. */
  async submit(data: Uint8Array, offset: number): Promise<void> {
    const inode = this.#inode;
    const who = `writer at ${offset}`;
    await inode.point("io_submit", who);
    await inode.mutex.lock(who);
    await inode.point("i_size_read", who);
    await inode.initDioDoneWq(who);
    await inode.dioBegin(who);
    for (let at = 0; at < data.length; at += BLOCK) {
      await this.#bioLock.lock(who);
      this.#refcount++;
      this.#bioLock.unlock();
      void this.#bioEndAio(data.subarray(at, at + BLOCK), offset + at);
    }
    inode.mutex.unlock();
    if (await this.#dropRefcount(who)) await this.#complete(who);
  }

  /** The transfer, and `dio_bio_end_aio()`. */
  async #bioEndAio(data: Uint8Array, offset: number): Promise<void> {
    const who = `bio at ${offset}`;
    await this.#inode.point("bio_endio", who);
    this.#inode.store.set(data, offset);
    if (!await this.#dropRefcount(who)) return;
    await this.#inode.queueWork(who, (who) => this.#complete(who));
  }

  async #dropRefcount(who: string): Promise<boolean> {
    await this.#bioLock.lock(who);
    const isLast = --this.#refcount === 0;
    this.#bioLock.unlock();
    return isLast;
  }

  /** `dio_complete()` and `aio_complete()` */
  async #complete(who: string): Promise<void> {
    const inode = this.#inode;
    check(!this.#completed, "a request is completed once");
    this.#completed = true;
    await inode.point("io_error", who);
    await inode.dioDone(who);
    await this.#completionLock.lock(who);
    await inode.point(this.#ring, who);
    inode.reported++;
    this.#completionLock.unlock();
    await inode.point(this.#ring, who);
  }
}

/** The scenario under fast-check; a unit is one schedule. */
export class PromiseSchedules implements Subject {
  /** Its name. */
  readonly name: string =
    "fast-check's scheduler, the scenario written with promises";
  readonly #scenario: PromiseScenario;
  readonly #data: Uint8Array;
  #points = 0;
  /** How many times it has run. */
  protected schedules = 0;

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
    const property = fc.asyncProperty(fc.scheduler(), (s) => this.once(s));
    await fc.assert(property, { numRuns: n, seed: SEED + this.schedules });
    this.schedules += n;
  }

  /** How many steps it lets the scheduler decide about. */
  note(): string {
    return `${(this.#points / this.schedules).toFixed(0)} steps each`;
  }

  /**
   * Runs it once.
   *
   * @param scheduler Who decides.
   */
  protected once(scheduler: Scheduler): Promise<void> {
    return this.runWith(scheduler, (object) => {
      this.#points++;
      return scheduler.schedule(Promise.resolve(), object);
    });
  }

  /**
   * Runs it once.
   *
   * @param scheduler Who decides.
   * @param point How it is asked.
   */
  protected async runWith(scheduler: Scheduler, point: Point): Promise<void> {
    const { dios } = this.#scenario;
    const bytes = this.#data.length;
    const inode = new Inode(point, dios * bytes);
    for (let i = 0; i < dios; i++) {
      void new Dio(inode, i).submit(this.#data, i * bytes);
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

/**
 * A kernel with one workqueue, for the tests of workqueues.
 *
 * @module
 */

import { Kernel } from "../kernel.ts";
import type { KernelOptions } from "../kernel_options.ts";
import { SCHEDULE, type Task, writeStep } from "../step.ts";
import { WaitQueue } from "../wait.ts";
import { WorkItem } from "../work_item.ts";
import { allocWorkqueue, type Workqueue } from "../workqueue.ts";

/** A kernel with one workqueue, and how many of its items ran at once. */
export class Shop {
  readonly kernel: Kernel;
  readonly wq: Workqueue;
  readonly done: string[] = [];
  active = 0;
  most = 0;
  /** Items wait here until it is set. */
  open = true;
  readonly gate: WaitQueue;

  constructor(flags = 0, maxActive = 0, options: KernelOptions = {}) {
    this.kernel = new Kernel(options);
    const wq = allocWorkqueue(this.kernel, "dio/sda", flags, maxActive);
    if (wq === null) throw new TypeError("Cannot allocate: a fault struck");
    this.wq = wq;
    this.gate = new WaitQueue(this.kernel, "the gate");
  }

  /** An item that takes some steps, and waits while the gate is closed. */
  item(name: string): WorkItem {
    const work = new WorkItem();
    work.init(name, () => this.#run(name));
    return work;
  }

  *#run(name: string): Task<void> {
    this.most = Math.max(this.most, ++this.active);
    for (;;) {
      this.gate.prepareToWait(this.kernel);
      if (this.open) break;
      yield SCHEDULE;
    }
    this.gate.finishWait(this.kernel);
    yield writeStep(1);
    this.active--;
    this.done.push(name);
  }

  spawn(comm: string, body: () => Task<unknown>): void {
    this.kernel.spawn(comm, body());
  }

  /** Events by name, with one argument of each. */
  events(arg: string, ...names: string[]): unknown[] {
    return [...this.kernel.trace.events()]
      .filter(({ ev }) => names.includes(ev)).map((event) => event[arg]);
  }
}

/** Queues `count` items one after the other, from one task. */
export function* queueAll(shop: Shop, count: number): Task<void> {
  for (let i = 0; i < count; i++) yield* shop.wq.queueWork(shop.item(`w${i}`));
}

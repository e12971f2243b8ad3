/**
 * The volatile write cache of a memory device: what it holds is gone when the
 * power is, until it has been flushed.
 *
 * @module
 */

import {
  EV,
  type Kernel,
  readStep,
  type Step,
  writeStep,
} from "../core/mod.ts";

/** What of a device's content is not stable. */
export class VolatileCache {
  /** The content as a reader gets it. */
  readonly #store: Uint8Array;
  /** The content that stays. */
  readonly #medium: Uint8Array;
  readonly #blockBytes: number;
  /** Blocks that are not stable, and which write wrote each last. */
  readonly #blocks: Map<number, number> = new Map();
  #writes = 0;
  #kernel!: Kernel;
  /** The step of a transfer: they do not depend on each other. */
  #transferStep: Step = 0;
  /** The step before what is not stable is dealt with. */
  #settleStep: Step = 0;

  /**
   * @param store The content; writes appear in it at once.
   * @param blockBytes What is written whole or not at all.
   */
  constructor(store: Uint8Array, blockBytes: number) {
    this.#store = store;
    this.#medium = store.slice();
    this.#blockBytes = blockBytes;
  }

  /** Binds it to a kernel. */
  attach(kernel: Kernel): void {
    this.#kernel = kernel;
    const addr = kernel.newAddr();
    this.#transferStep = readStep(addr);
    this.#settleStep = writeStep(addr);
  }

  /** Everything up to `end` is one byte again and again, and stable. */
  reset(end: number, fill: number): void {
    this.#medium.fill(fill, 0, end);
    this.#blocks.clear();
    this.#writes = 0;
  }

  /** A range was written, whole blocks of it, in the store already. */
  wrote(start: number, end: number, isStable: boolean): void {
    this.#touch(this.#transferStep);
    this.#writes++;
    const behind = end / this.#blockBytes;
    for (let block = start / this.#blockBytes; block < behind; block++) {
      if (isStable) this.#keep(block);
      else this.#blocks.set(block, this.#writes);
    }
  }

  /** Makes everything stable. */
  flush(): void {
    this.#touch(this.#settleStep);
    for (const block of this.#blocks.keys()) this.#keep(block);
  }

  /** Loses any of the writes; gives how many. */
  powerCut(name: string, kernel: Kernel): number {
    this.#touch(this.#settleStep);
    const writes = new Set(this.#blocks.values());
    for (const write of writes) {
      const kept = kernel.choose(2, `whether write ${write} survives`) === 1;
      for (const [block, last] of this.#blocks) {
        if (last !== write) continue;
        if (kept) this.#keep(block);
        else this.#lose(block);
      }
      if (kept) writes.delete(write);
    }
    if (kernel.tracing) {
      kernel.emit(EV.power_cut, kernel.trace.str(name), writes.size);
    }
    return writes.size;
  }

  #keep(block: number): void {
    this.#copy(block, this.#store, this.#medium);
  }

  #lose(block: number): void {
    this.#copy(block, this.#medium, this.#store);
  }

  #copy(block: number, from: Uint8Array, to: Uint8Array): void {
    const at = block * this.#blockBytes;
    to.set(from.subarray(at, at + this.#blockBytes), at);
    this.#blocks.delete(block);
  }

  #touch(step: Step): void {
    if (this.#kernel.stepping) this.#kernel.touch(step);
  }
}

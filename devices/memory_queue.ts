/**
 * The queue of a memory device: which bios it has taken, how many it holds at
 * once, and what those come to that are to fail.
 *
 * @module
 */

import {
  type Bio,
  EIO,
  type Kernel,
  SCHEDULE,
  type Step,
  type Task,
  WaitQueue,
  writeStep,
} from "../core/mod.ts";

/** Bios that were taken and have not ended. */
export class MemoryQueue {
  readonly #name: string;
  readonly #depth: number;
  /** Those that it has, where they are to be known by the end. */
  readonly #bios: Set<Bio> | null;
  /** How many it has. */
  #held = 0;
  /** What the bios come to that are to fail. */
  readonly #errors: Map<Bio, number> = new Map();
  /** Bios that somebody has to look for, by their ids. */
  readonly #polled: Map<number, Bio> = new Map();
  #kernel!: Kernel;
  #room!: WaitQueue;
  /** The step before the bios are counted. */
  #countStep: Step = 0;
  /** The step before somebody looks for bios. */
  #pollStep: Step = 0;

  /**
   * @param name The device's name.
   * @param depth How many bios it holds at once.
   * @param canFail Whether {@linkcode fail} is to be possible.
   */
  constructor(name: string, depth: number, canFail: boolean) {
    this.#name = name;
    this.#depth = depth;
    this.#bios = canFail ? new Set() : null;
  }

  /** Binds it to a kernel; what an earlier one left is forgotten. */
  attach(kernel: Kernel): void {
    this.#kernel = kernel;
    this.#bios?.clear();
    this.#held = 0;
    this.#errors.clear();
    this.#polled.clear();
    this.#room = new WaitQueue(kernel, `room in the queue of ${this.#name}`);
    const addr = kernel.newAddr(2);
    this.#countStep = writeStep(addr);
    this.#pollStep = writeStep(addr + 1);
  }

  /** Whether it can take one more bio. */
  hasRoom(): boolean {
    if (this.#depth === Infinity) return true;
    this.#touch(this.#countStep);
    return this.#held < this.#depth;
  }

  /** Waits until it can take one more bio: `blk_mq_get_tag()`. */
  *waitForRoom(kernel: Kernel): Task<void> {
    kernel.mightSleep("blk_mq_get_tag");
    for (;;) {
      if (kernel.stepping) yield this.#room.step;
      this.#room.prepareToWait(kernel);
      if (kernel.stepping) yield this.#countStep;
      if (this.#held < this.#depth) break;
      yield SCHEDULE;
    }
    this.#room.finishWait(kernel);
  }

  /** Takes a bio, which will fail if `error` is not 0. */
  start(bio: Bio, error: number, isPolled: boolean): void {
    this.#held++;
    this.#bios?.add(bio);
    if (error !== 0) this.#errors.set(bio, error);
    if (isPolled) this.#poll(bio);
  }

  #poll(bio: Bio): void {
    this.#touch(this.#pollStep);
    this.#polled.set(bio.id, bio);
  }

  /** Finds a bio that has to be looked for; it is not found again. */
  take(cookie: number): Bio | null {
    this.#touch(this.#pollStep);
    const bio = this.#polled.get(cookie) ?? null;
    this.#polled.delete(cookie);
    return bio;
  }

  /** Makes all bios fail that it has. */
  fail(): void {
    for (const bio of this.#bios ?? []) this.#errors.set(bio, -EIO);
  }

  /** Lets go of a bio; gives 0 or what it fails with. */
  end(bio: Bio): number {
    this.#held--;
    this.#bios?.delete(bio);
    if (this.#depth !== Infinity) this.#makeRoom();
    return this.#errors.size === 0 ? 0 : this.#takeError(bio);
  }

  #makeRoom(): void {
    this.#touch(this.#countStep);
    this.#touch(this.#room.step);
    this.#room.wakeUp(this.#kernel);
  }

  #takeError(bio: Bio): number {
    const error = this.#errors.get(bio) ?? 0;
    this.#errors.delete(bio);
    return error;
  }

  #touch(step: Step): void {
    if (this.#kernel.stepping) this.#kernel.touch(step);
  }
}

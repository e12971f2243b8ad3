/**
 * The end handler of the block device's direct I/O as it was merged in 2016,
 * at the points drop, store, complete and put: SEMANTICS.md has the figures.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  EIO,
  Kernel,
  KmemCache,
  readStep,
  SlabObject,
  type Step,
  type Task,
  use,
  writeStep,
} from "../../core/mod.ts";
import { ExhaustiveStrategy } from "./dpor.ts";

const SIZE = 8192;

/** The dio inside its first bio. */
class FirstBio extends SlabObject {
  error = 0;
  /** Its own end, and the completion. */
  references = 2;
  /** Parts that have not ended. */
  parts = 2;
}

/** Two bios of which the second, not the embedded one, fails. */
class Request {
  /** What the callback was told; undefined before. */
  reported?: number;
  readonly #kernel: Kernel;
  readonly #cache: KmemCache<FirstBio>;
  readonly #first: FirstBio;
  readonly #partsStep: Step;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#cache = new KmemCache(kernel, "blkdev_dio", () => new FirstBio());
    this.#first = this.#cache.alloc()!;
    this.#partsStep = writeStep(kernel.newAddr());
  }

  /** As merged: the error is stored after the count was dropped. */
  *endAsMerged(error: number, embedded: boolean): Task<void> {
    const last = this.#drop();
    yield last ? readStep(this.#first.addr) : writeStep(this.#first.addr);
    let ret = 0;
    if (last) ret = use(this.#first).error || SIZE;
    else if (error !== 0 && use(this.#first).error === 0) {
      this.#first.error = error;
    }
    yield* this.#finish(last, ret, embedded);
  }

  /** As corrected in 2019: the error is stored before the count is dropped. */
  *endCorrected(error: number, embedded: boolean): Task<void> {
    const first = this.#first;
    this.#kernel.touch(writeStep(first.addr));
    if (error !== 0 && use(first).error === 0) first.error = error;
    yield this.#partsStep;
    const last = this.#drop();
    this.#kernel.touch(readStep(first.addr));
    const ret = last ? use(first).error || SIZE : 0;
    yield* this.#finish(last, ret, embedded);
  }

  #drop(): boolean {
    this.#kernel.touch(this.#partsStep);
    return --use(this.#first).parts === 0;
  }

  *#finish(last: boolean, ret: number, embedded: boolean): Task<void> {
    yield writeStep(this.#first.addr);
    if (last) {
      this.reported = ret;
      this.#put();
    }
    yield writeStep(this.#first.addr);
    if (embedded) this.#put();
  }

  #put(): void {
    if (--use(this.#first).references === 0) this.#cache.free(this.#first);
  }
}

/** What all interleavings of the two ends come to. */
function explore(reduce: boolean, handler: "endAsMerged" | "endCorrected") {
  const strategy = new ExhaustiveStrategy({ reduce });
  const found = { schedules: 0, lost: 0, afterFree: 0 };
  do {
    strategy.begin();
    const kernel = new Kernel({ strategy, tracing: false });
    const request = new Request(kernel);
    kernel.raise("softirq", { irq: () => request[handler](0, true) }, 0);
    kernel.raise("softirq", { irq: () => request[handler](-EIO, false) }, 0);
    const { bug } = kernel.run();
    if (strategy.blocked) continue;
    if (request.reported === SIZE) found.lost++;
    if (bug?.rule === "no-use-after-release/slab") found.afterFree++;
  } while (strategy.end());
  found.schedules = strategy.schedules;
  return found;
}

Deno.test("error-reported: plain enumeration of the handler of 2016 finds the error lost in 45 of 70 interleavings", () => {
  const { schedules, lost } = explore(false, "endAsMerged");
  assertEquals([schedules, lost], [70, 45]);
});

Deno.test("error-reported: plain enumeration of the corrected handler finds the error lost in none of 70 interleavings", () => {
  assertEquals(explore(false, "endCorrected"), {
    schedules: 70,
    lost: 0,
    afterFree: 0,
  });
});

Deno.test("error-reported, no-use-after-release: exploration with reduction finds both mistakes of the handler of 2016 in fewer runs", () => {
  const { schedules, lost, afterFree } = explore(true, "endAsMerged");
  assertEquals([lost > 0, afterFree > 0, schedules < 70], [true, true, true]);
});

Deno.test("error-reported: exploration with reduction finds nothing in the corrected handler", () => {
  const { lost, afterFree } = explore(true, "endCorrected");
  assertEquals([lost, afterFree], [0, 0]);
});

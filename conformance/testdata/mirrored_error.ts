/**
 * A variant of the core with a bug that needs three preemptions.
 *
 * @module
 */

import {
  type Bio,
  type Dio,
  DirectIo,
  EV,
  type Kernel,
  readStep,
  type Task,
  use,
  writeStep,
} from "../../core/mod.ts";
import type { Scenario } from "../scenario.ts";

/** How many steps it takes to look at the pages of a bio. */
export interface Pages {
  /** Of one that has not failed. */
  readonly quick: number;
  /** Of one that has. */
  readonly thorough: number;
}

/** The error of a request, twice. */
interface Mirror {
  readonly copies: [number, number];
  readonly addr: number;
  /** What only the one who looks at pages touches. */
  readonly pagesAddr: number;
}

/**
 * Keeps the error of a request in two copies, each of which every bio loads,
 * and stores again when it has looked at its pages; one is enough to report
 * the error. No lock guards them. The error is lost only if both stores of the
 * failing bio fall between the load and the store of another one, which has to
 * stop twice, and has to get there in time, for which the failing one has to
 * stop in between.
 */
export class MirroredError extends DirectIo {
  readonly #mirrors: Map<number, Mirror> = new Map();
  readonly #pages: Pages;

  constructor(kernel: Kernel, pages: Pages) {
    super(kernel);
    this.#pages = pages;
  }

  override *dioBioEndAio(bio: Bio): Task<void> {
    const dio = use(bio.biPrivate as Dio);
    yield* this.#note(this.#mirrorOf(dio), bio.biError);
    yield* super.dioBioEndAio(bio);
  }

  /** Only those who wait for their bios have the error in one place. */
  override *dioNoteError(dio: Dio, bio: Bio): Task<void> {
    if (!dio.isAsync) return yield* super.dioNoteError(dio, bio);
    const { kernel } = this;
    if (kernel.tracing) kernel.emit(EV.dio_io_error, dio.id, bio.biError);
  }

  override dioResult(dio: Dio): void {
    if (dio.isAsync) {
      const [first, second] = this.#mirrorOf(dio).copies;
      dio.ioError = first || second;
    }
    super.dioResult(dio);
  }

  *#note({ copies, addr, pagesAddr }: Mirror, error: number): Task<void> {
    const { stepping } = this.kernel;
    const { quick, thorough } = this.#pages;
    const pages = error === 0 ? quick : thorough;
    for (const copy of [0, 1] as const) {
      if (stepping) yield readStep(addr + copy);
      const before = copies[copy];
      for (let i = 0; stepping && i < pages; i++) yield readStep(pagesAddr);
      if (stepping) yield writeStep(addr + copy);
      copies[copy] = error || before;
    }
  }

  #mirrorOf({ id }: Dio): Mirror {
    let mirror = this.#mirrors.get(id);
    if (mirror === undefined) {
      const addr = this.kernel.newAddr(3);
      mirror = { copies: [0, 0], addr, pagesAddr: addr + 2 };
      this.#mirrors.set(id, mirror);
    }
    return mirror;
  }
}

/** Two bios of which one fails, beside a request that has nothing to do with it. */
export const TWO_BIOS: Scenario = {
  id: "two-bios-one-fails",
  title: "A write of two bios of which one fails, and another writer",
  rules: ["error-reported/every-bio"],
  faults: [{ sector: 0 }],
  file: {
    size: 8192,
    extents: [
      { offset: 0, bytes: 4096, state: "written" },
      { offset: 4096, bytes: 4096, state: "written" },
    ],
  },
  tasks: [
    {
      comm: "writer",
      ops: [
        { op: "aio_write", offset: 0, bytes: 8192 },
        { op: "getevents", min: 1 },
      ],
    },
    {
      comm: "other",
      ownFile: true,
      ops: [{ op: "read", offset: 4096, bytes: 512 }],
    },
  ],
};

/**
 * Devices with one mistake each, and workqueues.
 *
 * @module
 */

import {
  type Bio,
  type Dio,
  DirectIo,
  EV,
  READ,
  SCHEDULE,
  type Task,
  use,
} from "../../core/mod.ts";
import { MemoryDevice } from "../../devices/mod.ts";
import { PlainFilesystem } from "../../fs_models/mod.ts";
import type { Mutant } from "./mutant.ts";

/** The driver looks at a bio that it has ended. */
class LooksAtEnded extends MemoryDevice {
  override *irq(bio: Bio): Task<void> {
    yield* super.irq(bio) as Task<void>;
    use(bio).biNext = null;
  }
}

/** A bio ends twice. */
class EndsTwice extends MemoryDevice {
  #ended = 0;

  override *irq(bio: Bio): Task<void> {
    const { kernel, id, dioId } = bio;
    yield* super.irq(bio) as Task<void>;
    if (dioId === 0 || this.#ended++ > 0 || !kernel.tracing) return;
    kernel.emit(EV.bio_endio, id, dioId, 0);
    kernel.emit(EV.dio_bio_end_io, dioId, id);
  }
}

/** The end of the second bio is lost. */
class LosesEnd extends MemoryDevice {
  #submitted = 0;

  override submitBio(bio: Bio): Task<unknown> | null {
    return ++this.#submitted === 2 ? null : super.submitBio(bio);
  }

  override attach(kernel: Bio["kernel"]): void {
    super.attach(kernel);
    this.#submitted = 0;
  }
}

/** A flush is told to have been made. */
class DoesNotFlush extends MemoryDevice {
  override flush(): number {
    return 0;
  }
}

/** A submitter spins until nobody has a reference, itself included. */
class Spins extends DirectIo {
  override *dioAwaitCompletion(dio: Dio): Task<void> {
    while (dio.rw === READ && dio.refcount > 0) yield SCHEDULE;
    yield* super.dioAwaitCompletion(dio);
  }
}

/** The workqueue goes while its work is under way. */
class DoesNotDrain extends DirectIo {
  override *dioQueueCompletion(dio: Dio): Task<void> {
    const { kernel } = this;
    const { iSb } = dio.inode;
    const wq = iSb.sDioDoneWq;
    yield* super.dioQueueCompletion(dio);
    if (wq === null || wq.destroyed) return;
    wq.destroyed = true;
    iSb.sDioDoneWq = null;
    if (!kernel.tracing) return;
    kernel.emit(EV.destroy_workqueue, wq.id, kernel.trace.str(wq.name));
  }
}

/** Mutants of devices. */
export const DEVICE_MUTANTS: readonly Mutant[] = [
  {
    id: "driver-looks-at-ended",
    mistake: "a driver looks at a bio that it has ended",
    rule: "no-use-after-release/slab",
    bugs: ["DIO-155"],
    Device: LooksAtEnded,
  },
  {
    id: "device-ends-twice",
    mistake: "a bio ends twice",
    rule: "completion-after-last-bio/bio-ends-once",
    bugs: [],
    Device: EndsTwice,
  },
  {
    id: "device-loses-end",
    mistake: "the end of a bio is lost",
    rule: "liveness/blocked-for-ever",
    bugs: [],
    Device: LosesEnd,
  },
  {
    id: "device-does-not-flush",
    mistake: "a flush is told to have been made, and was not",
    rule: "dsync-durable/power-cut",
    bugs: [],
    Device: DoesNotFlush,
  },
  {
    id: "submitter-spins",
    mistake: "a reader that has to wait spins",
    rule: "liveness/soft-lockup",
    bugs: [],
    model: {
      name: "plain",
      mount: (kernel, bdev) => new PlainFilesystem(kernel, bdev),
      directIo: (kernel) => new Spins(kernel),
    },
  },
  {
    id: "workqueue-not-drained",
    mistake:
      "the completion workqueue is destroyed while its work is under way",
    rule: "workqueue-life/drained",
    bugs: ["DIO-016"],
    directIo: (kernel) => new DoesNotDrain(kernel),
  },
];

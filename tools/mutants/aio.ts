/**
 * The AIO layer with one mistake each.
 *
 * @module
 */

import {
  AioCore,
  type BlockDevice,
  fput,
  type IoControlBlock,
  type Iovec,
  type Kernel,
  type Kiocb,
  type Kioctx,
  type MaybeTask,
  sbEndWrite,
  type Task,
  WRITE,
} from "../../core/mod.ts";
import { type ModelSpec, PlainFilesystem } from "../../fs_models/mod.ts";
import type { Mutant } from "./mutant.ts";

/** The plain filesystem on a kernel with another AIO layer. */
function aio(init: (kernel: Kernel) => AioCore): ModelSpec {
  return {
    name: "plain",
    mount: (kernel: Kernel, bdev: BlockDevice) => {
      Object.assign(kernel, { aio: init(kernel) });
      return new PlainFilesystem(kernel, bdev);
    },
  };
}

/** An event is put on the ring twice. */
class PublishesTwice extends AioCore {
  /** Buffers of writes that have not been published. */
  readonly #writes: Set<readonly Iovec[]> = new Set();

  override ioSubmitOne(
    ring: Kioctx,
    request: IoControlBlock,
  ): MaybeTask<number> {
    if (request.rw === WRITE) this.#writes.add(request.iov);
    return super.ioSubmitOne(ring, request);
  }

  protected override free(iocb: Kiocb): Task<unknown> | null {
    const ring = iocb.kiCtx;
    if (ring === null || !this.#writes.delete(iocb.iter.iov)) {
      return super.free(iocb);
    }
    // It is not freed yet, so that it can be published again.
    const event = ring.ring[(ring.tail - 1) & (ring.ring.length - 1)];
    this.complete(iocb, event?.res ?? 0);
    return null;
  }
}

/** A slot of the ring is free again when its request has ended. */
class FreesSlots extends AioCore {
  protected override free(iocb: Kiocb): Task<unknown> | null {
    if (iocb.kiCtx !== null) iocb.kiCtx.available++;
    return super.free(iocb);
  }
}

/** The end of a request drops the submission's reference to the file too. */
class DropsFileTwice extends AioCore {
  protected override free(iocb: Kiocb): Task<unknown> | null {
    const { kiFilp } = iocb;
    const isLast = kiFilp.fCount === 1;
    const rest = super.free(iocb);
    return isLast ? rest : fput(kiFilp);
  }
}

/** The end of a request does not drop its reference to the file. */
class KeepsFile extends AioCore {
  protected override free(iocb: Kiocb): Task<unknown> | null {
    this.cache.free(iocb);
    return null;
  }
}

/** A submission gives back the protection that its request holds. */
class EndsWriteTwice extends AioCore {
  override *ioSubmit(
    ring: Kioctx,
    request: IoControlBlock,
  ): Task<number> {
    const ret = yield* super.ioSubmit(ring, request);
    const { iSb } = request.file.fInode;
    if (iSb.sWriters.count > 0) sbEndWrite(iSb);
    return ret;
  }
}

/** The slot of an event is written to again. */
class WritesSlotAgain extends AioCore {
  protected override free(iocb: Kiocb): Task<unknown> | null {
    const { kiCtx: ring } = iocb;
    const event = ring?.ring[(ring.tail - 1) & (ring.ring.length - 1)];
    if (event !== undefined && event.res > 0) event.res -= 1;
    return super.free(iocb);
  }
}

/** A request that is not queued is not reported. */
class ForgetsReturned extends AioCore {
  override *aioComplete(iocb: Kiocb, res: number): Task<void> {
    const { kind } = this.kernel.current;
    if (kind !== "task") return yield* super.aioComplete(iocb, res);
    const rest = this.free(iocb);
    if (rest !== null) yield* rest;
  }
}

/** Who waits for events is woken before there is one. */
class WakesEarly extends AioCore {
  override *aioComplete(iocb: Kiocb, res: number): Task<void> {
    iocb.kiCtx?.wait.wakeUp(this.kernel);
    yield* super.aioComplete(iocb, res);
  }
}

function layer(
  id: string,
  bugs: readonly string[],
  rule: string,
  mistake: string,
  model: ModelSpec,
  profile: Mutant["profile"] = "v3.12",
): Mutant {
  return { id, mistake, rule, bugs, profile, model };
}

/** Mutants of the AIO layer. */
export const AIO_MUTANTS: readonly Mutant[] = [
  layer(
    "published-twice",
    ["DIO-143"],
    "one-completion/once",
    "an event is put on the ring twice",
    aio((kernel) => new PublishesTwice(kernel)),
  ),
  layer(
    "returned-not-reported",
    [],
    "one-completion/never-neither",
    "a request that is returned has no event",
    aio((kernel) => new ForgetsReturned(kernel)),
  ),
  layer(
    "slot-freed-early",
    ["DIO-139"],
    "completion-ring/event-once",
    "a slot of the ring is free when its request has ended, not when it was read",
    aio((kernel) => new FreesSlots(kernel)),
  ),
  layer(
    "slot-written-again",
    ["DIO-139"],
    "completion-ring/result-kept",
    "the slot of an event is written to again",
    aio((kernel) => new WritesSlotAgain(kernel)),
  ),
  layer(
    "file-dropped-twice",
    ["DIO-137"],
    "pinned-until-done/file",
    "the end of a request drops one reference to its file too many",
    aio((kernel) => new DropsFileTwice(kernel)),
  ),
  layer(
    "file-kept",
    ["DIO-137"],
    "pinned-until-done/mount",
    "the end of a request does not let go of its file",
    aio((kernel) => new KeepsFile(kernel)),
  ),
  layer(
    "freeze-protection-twice",
    [],
    "pinned-until-done/freeze-protection",
    "the submission gives back the protection that its request holds",
    aio((kernel) => new EndsWriteTwice(kernel)),
    "v6.1",
  ),
  layer(
    "readers-woken-early",
    [],
    "liveness/woken",
    "who waits for events is woken before there is one",
    aio((kernel) => new WakesEarly(kernel)),
  ),
];

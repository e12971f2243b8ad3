/**
 * Direct I/O as it was before the 2013 patch: the filesystem's `end_io` gets
 * the result, and has to drop `i_dio_count` and call the AIO callback itself,
 * now or whenever its own workqueue comes to it. The core frees the dio at
 * once.
 *
 * Kept to show what the patch changed. It puts a {@linkcode LegacyDirectIo} in
 * place of the core's own, through {@linkcode ModelSpec.directIo}.
 *
 * Source: fs/direct-io.c before 7b7a8665edd8 (Linux 3.11).
 *
 * @module
 */

import {
  type CompletionStage,
  type Dio,
  type DioOps,
  DirectIo,
  EV,
  finish,
  type Inode,
  inodeDioDone,
  type Kiocb,
  type MaybeTask,
  type Task,
} from "../core/mod.ts";

/** What a filesystem handed to direct I/O before the patch. */
export interface LegacyDioOps extends DioOps {
  /**
   * Called when all transfers of a request have ended: `dio_iodone_t` before
   * the patch. Whoever calls it is done with the request, so the handler sees
   * to it that {@linkcode LegacyDirectIo.legacyDone} is called once, in
   * whatever context.
   *
   * @param iocb The request.
   * @param offset First byte in the file.
   * @param bytes The bytes that were attempted.
   * @param priv What the mapping function left in `bPrivate`.
   * @param ret The result: a count, or a negative errno.
   * @param isAsync Whether the AIO callback is to be called.
   */
  endIo?(
    iocb: Kiocb,
    offset: number,
    bytes: number,
    priv: unknown,
    ret?: number,
    isAsync?: boolean,
  ): MaybeTask<number | void>;
}

const ORDER: readonly CompletionStage[] = ["result", "end_io", "free"];

/**
 * fs/direct-io.c before the patch.
 *
 * @example
 * ```ts
 * import { Kernel } from "@endio/dio/core";
 * import { LegacyDirectIo } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new Kernel({ directIo: (k) => new LegacyDirectIo(k) });
 * const dio = kernel.directIo.dioCache.alloc()!;
 * assertEquals(kernel.directIo.completionOrder(dio), ["result", "end_io", "free"]);
 * ```
 */
export class LegacyDirectIo extends DirectIo {
  /** Which dio a request has, for traces: none once `end_io` has returned. */
  readonly #dioIds: Map<Kiocb, number> = new Map();

  /**
   * The stages of a completion before the patch.
   *
   * @param _dio The request.
   * @returns Result, `end_io`, the free.
   */
  override completionOrder(_dio: Dio): readonly CompletionStage[] {
    return ORDER;
  }

  /**
   * Nothing is deferred: the filesystem sees to that.
   *
   * @param _dio The request.
   * @returns False.
   */
  override dioMustDefer(_dio: Dio): boolean {
    return false;
  }

  /**
   * What the mapping says about deferral was not known.
   *
   * @param _dio The request.
   * @returns 0.
   */
  override dioSetDeferCompletion(_dio: Dio): Task<number> {
    return finish(0);
  }

  /**
   * O_DSYNC was not known here either.
   *
   * @param _dio The request.
   * @returns False.
   */
  override dioMayDefer(_dio: Dio): boolean {
    return false;
  }

  /**
   * One stage of a completion.
   *
   * @param dio The request.
   * @param stage The stage.
   * @returns What is left of it to be run in this context, or null.
   */
  override dioStage(
    dio: Dio,
    stage: CompletionStage | undefined,
  ): Task<void> | null {
    if (stage !== "end_io") return super.dioStage(dio, stage);
    this.#dioIds.set(dio.iocb, dio.id);
    return this.dioHasEndIo(dio)
      ? this.dioEndIo(dio)
      : this.legacyDone(dio.inode, dio.iocb, dio.value, dio.reported);
  }

  /**
   * Calls the filesystem's `end_io`, which completes the request.
   *
   * @param dio The request.
   */
  override *dioEndIo(dio: Dio): Task<void> {
    const { kernel } = this;
    const { iocb, id, inode, offset, transferred, value, reported } = dio;
    const ops: LegacyDioOps = dio.ops;
    const { id: iocbId } = iocb;
    const name = ops.endIoName ?? "end_io";
    if (kernel.tracing) {
      kernel.emit(
        EV.end_io,
        id,
        iocbId,
        inode.iIno,
        kernel.trace.str(name),
        offset,
        transferred,
      );
    }
    yield* finish(
      ops.endIo?.(iocb, offset, transferred, dio.private, value, reported),
    );
    if (kernel.tracing) {
      kernel.emit(EV.end_io_return, id, iocbId, kernel.trace.str(name), 0);
    }
    // The dio is freed next, whether the request has been completed or not.
    if (this.#dioIds.get(iocb) === id) this.#dioIds.delete(iocb);
  }

  /**
   * What every handler ends with: `inode_dio_done()`, then `aio_complete()`
   * for a request that nobody waits for.
   *
   * @param inode The file.
   * @param iocb The request.
   * @param ret The result.
   * @param isAsync Whether the AIO callback is to be called.
   */
  *legacyDone(
    inode: Inode,
    iocb: Kiocb,
    ret: number,
    isAsync: boolean,
  ): Task<void> {
    const dioId = this.#dioIds.get(iocb) ?? 0;
    this.#dioIds.delete(iocb);
    yield* inodeDioDone(inode, dioId);
    if (isAsync) yield* this.kernel.aio.aioComplete(iocb, ret);
  }
}

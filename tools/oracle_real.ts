/**
 * Runs the oracle's cases on a filesystem of the running kernel.
 *
 * @module
 */

import { EOPNOTSUPP, errnoName } from "../core/mod.ts";
import { DirectFile, type EngineKind } from "../devices/mod.ts";
import { onInterrupt } from "./interrupt.ts";
import {
  blocksAround,
  bytesRead,
  fillBuffer,
  piecesOf,
} from "./oracle_buffer.ts";
import {
  describeOp,
  isRefusal,
  isTransfer,
  type OracleCase,
  type OracleOp,
  type OracleRun,
  type OracleStep,
  type OracleTransfer,
} from "./oracle_case.ts";

const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;
const MEMORY_BYTES = 1 << 20;

/** Files that are open on one path: for calls that wait, and for others. */
interface OpenFiles {
  readonly sync: DirectFile;
  readonly async: DirectFile;
  readonly memory: ReadonlyMap<DirectFile, Uint8Array<ArrayBuffer>>;
}

/** A file in a directory that cases are run on, one after the other. */
export class RealOracle implements Disposable {
  readonly #path: string;
  readonly #engine: EngineKind | "auto";
  readonly #stack: DisposableStack;
  readonly #open: Map<string, OpenFiles> = new Map();

  /**
   * @param directory Where to make the file.
   * @param engine The engine of requests that nobody waits for.
   */
  constructor(directory: string, engine: EngineKind | "auto") {
    this.#engine = engine;
    using stack = new DisposableStack();
    stack.use(onInterrupt(() => this[Symbol.dispose]()));
    const home = Deno.makeTempDirSync({ dir: directory, prefix: "endio-" });
    stack.defer(() => Deno.removeSync(home, { recursive: true }));
    this.#path = `${home}/file`;
    Deno.writeFileSync(this.#path, new Uint8Array());
    this.#stack = stack.move();
  }

  /** Whether the filesystem itself tells what alignment it needs. */
  get tellsAlignment(): boolean {
    return this.#files({}).sync.alignmentSource !== "probe";
  }

  /** What addresses of memory must be multiples of, in bytes. */
  get memoryAlignment(): number {
    return this.#files({}).sync.memoryAlignment;
  }

  /** What offsets and lengths must be multiples of, in bytes. */
  get logicalBlockSize(): number {
    return this.#files({}).sync.logicalBlockSize;
  }

  /** The engine of requests that nobody waits for. */
  get engine(): string {
    return this.#files({}).async.engine;
  }

  /**
   * Runs a case.
   *
   * @param oracleCase The case.
   * @returns What it came to; null when the filesystem has no fallocate() and
   * the set-up needs it.
   * @throws {SetUpError} If the set-up fails otherwise.
   */
  async run(oracleCase: OracleCase): Promise<OracleRun | null> {
    await Deno.truncate(this.#path, 0);
    const plain = this.#files({});
    let nth = 0;
    for (const op of oracleCase.setUp) {
      const { result } = await this.#step(plain, op, nth++);
      if (!isTransfer(op) && result === -EOPNOTSUPP) return null;
      if (result < 0) throw new SetUpError(op, result);
    }
    const { size: startSize } = await Deno.stat(this.#path);
    const files = this.#files(oracleCase);
    const steps: OracleStep[] = [];
    for (const op of oracleCase.ops) {
      steps.push(await this.#step(files, op, nth++));
    }
    return { startSize, steps, content: await Deno.readFile(this.#path) };
  }

  /** Closes and removes the file. */
  [Symbol.dispose](): void {
    this.#stack.dispose();
  }

  #files({ dsync = false, append = false }: Partial<OracleCase>): OpenFiles {
    const key = `${dsync} ${append}`;
    const found = this.#open.get(key);
    if (found !== undefined) return found;
    const stack = this.#stack;
    const options = { dsync, append };
    const engine = this.#engine;
    const async = stack.use(
      DirectFile.open(this.#path, { ...options, engine }),
    );
    // preadv2() and pwritev2() are the calls that wait.
    const sync = stack.use(
      DirectFile.open(this.#path, { ...options, engine: "psync" }),
    );
    const memory = new Map(
      [async, sync].map((file) => [file, file.allocate(MEMORY_BYTES)]),
    );
    const files = { sync, async, memory };
    this.#open.set(key, files);
    return files;
  }

  async #step(
    files: OpenFiles,
    op: OracleOp,
    nth: number,
  ): Promise<OracleStep> {
    let result: number;
    let data: Uint8Array = new Uint8Array();
    if (isTransfer(op)) {
      ({ result, data } = await this.#transfer(files, op, nth));
    } else result = await this.#change(files, op);
    const { size } = await Deno.stat(this.#path);
    return { op, result, size, data };
  }

  async #transfer(
    files: OpenFiles,
    op: OracleTransfer,
    nth: number,
  ): Promise<{ result: number; data: Uint8Array }> {
    const { offset, nowait = false } = op;
    const file = op.isAsync ? files.async : files.sync;
    const memory = files.memory.get(file)!;
    const views = piecesOf(op).map(({ start, length }) =>
      memory.subarray(start, start + length)
    );
    fillBuffer(op, views, nth);
    const first = await file[op.op](offset, views, { nowait });
    const result = isRefusal(op, first)
      ? await file[op.op](offset, views)
      : first;
    const data = result < 0
      ? await this.#holds(op)
      : bytesRead(op, views, result);
    return { result: first, data };
  }

  /** What lies where a transfer would have gone. */
  async #holds(op: OracleTransfer): Promise<Uint8Array> {
    const { sync, memory } = this.#files({});
    const { offset, bytes, skip } = blocksAround(op);
    if (bytes === 0) return new Uint8Array();
    const buffer = memory.get(sync)!.subarray(0, bytes);
    const read = Math.max(0, await sync.read(offset, buffer));
    return buffer.slice(skip, Math.min(read, skip + op.bytes));
  }

  async #change(
    { sync }: OpenFiles,
    op: Exclude<OracleOp, OracleTransfer>,
  ): Promise<number> {
    switch (op.op) {
      case "truncate":
        await Deno.truncate(this.#path, op.size);
        return 0;
      case "fallocate":
        return sync.fallocateSync(0, op.offset, op.bytes);
      case "punch_hole":
        return sync.fallocateSync(
          FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
          op.offset,
          op.bytes,
        );
      case "fsync":
        return await sync.fdatasync();
    }
  }
}

/** A filesystem that a file cannot even be laid out on. */
export class SetUpError extends Error {
  override readonly name = "SetUpError";
  /** Its errno, negative. */
  readonly result: number;

  /**
   * @param op What failed.
   * @param result Its errno, negative.
   */
  constructor(op: OracleOp, result: number) {
    super(`${describeOp(op)} gave ${errnoName(result)}`);
    this.result = result;
  }
}

/**
 * What the tests of devices on real files share: whether Deno may run them
 * here, and a file that goes away by itself.
 *
 * @module
 */

import { DeviceError } from "../device_error.ts";
import { DirectFileEngine } from "../direct_file_engine.ts";
import type { EngineKind } from "../engine.ts";
import { ENGINES } from "../engine_choice.ts";
import { permittedLibcPaths } from "../libc_path.ts";

const DIRECTORY = "/tmp";

/** A file in a directory of its own, removed when disposed of. */
export class TemporaryFile implements Disposable {
  /** The directory, for tests that need more files. */
  readonly directory: string;
  /** The file. */
  readonly path: string;

  /** @param sizeBytes Its size; it is one hole. */
  constructor(sizeBytes: number) {
    this.directory = Deno.makeTempDirSync({ dir: DIRECTORY });
    this.path = `${this.directory}/file`;
    using file = Deno.openSync(this.path, { write: true, create: true });
    file.truncateSync(sizeBytes);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

// The class above must exist before this runs.
const SKIP_REASON: string = findSkipReason("auto");
const ENGINE_SKIP_REASONS: ReadonlyMap<EngineKind, string> = new Map(
  ENGINES.map((engine) => [engine, findSkipReason(engine)]),
);

/** Registers a test, ignored with the reason in its name if it cannot run. */
export function fileTest(name: string, fn: () => void | Promise<void>): void {
  register(name, SKIP_REASON, fn);
}

/** Registers a test for each engine, ignored where the system has none. */
export function engineTest(
  name: string,
  fn: (engine: EngineKind) => void | Promise<void>,
  engines: readonly EngineKind[] = ENGINES,
): void {
  for (const engine of engines) {
    const reason = ENGINE_SKIP_REASONS.get(engine) ?? "";
    register(`${name} [${engine}]`, reason, () => fn(engine));
  }
}

function register(
  name: string,
  skipReason: string,
  fn: () => void | Promise<void>,
): void {
  const reason = skipReason === "" ? "" : ` [skipped: ${skipReason}]`;
  Deno.test({ name: name + reason, ignore: reason !== "", fn });
}

/** Like {@linkcode fileTest}, for a test that needs more than the others. */
export function fileTestIf(
  isPermitted: boolean,
  flag: string,
  name: string,
  fn: () => void | Promise<void>,
): void {
  if (isPermitted) return fileTest(name, fn);
  Deno.test({ name: `${name} [skipped: needs ${flag}]`, ignore: true, fn });
}

function findSkipReason(engine: EngineKind | "auto"): string {
  if (permittedLibcPaths().length === 0) return "needs --allow-ffi";
  const write = { name: "write", path: DIRECTORY } as const;
  if (Deno.permissions.querySync(write).state !== "granted") {
    return `needs --allow-write=${DIRECTORY}`;
  }
  try {
    using file = new TemporaryFile(4096);
    using _ = DirectFileEngine.open(file.path, { engine, queueDepth: 1 });
    return "";
  } catch (error) {
    if (error instanceof DeviceError) return error.message;
    throw error;
  }
}

/**
 * A program that opens a file again and again, by an engine, and prints how
 * many descriptors it has before and afterwards. A process of its own, because
 * other tests open and close theirs meanwhile.
 *
 * Arguments: the engine, the file, a file that no engine opens.
 *
 * @module
 */

import { DirectFile } from "../direct_file.ts";
import { DirectFileEngine } from "../direct_file_engine.ts";
import type { EngineKind } from "../engine.ts";

const ROUNDS = 40;

/** What the descriptors of this process are of. */
function descriptors(): string[] {
  return [...Deno.readDirSync("/proc/self/fd")].flatMap(({ name }) => {
    try {
      return [Deno.readLinkSync(`/proc/self/fd/${name}`)];
    } catch (error) {
      // The one that the directory was read with is gone.
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  });
}

function fails(open: () => Disposable): boolean {
  try {
    using _ = open();
    return false;
  } catch {
    return true;
  }
}

const [engine, path, odd] = Deno.args as [EngineKind, string, string];
const before = descriptors().length;
let failed = 0;
for (let round = 0; round < ROUNDS; round++) {
  if (fails(() => DirectFileEngine.open(odd, { engine }))) failed++;
  await using file = DirectFile.open(path, { engine });
  await file.read(0, file.allocate(4096));
}
const after = descriptors();
const count = JSON.stringify({
  failed: failed / ROUNDS,
  more: after.length - before,
  left: after.filter((name) =>
    name === path || name === odd || name === "anon_inode:[io_uring]"
  ),
});
await Deno.stdout.write(new TextEncoder().encode(count));

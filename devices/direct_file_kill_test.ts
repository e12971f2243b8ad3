import { assert, assertGreater } from "@std/assert";
import { ENGINES } from "./engine_choice.ts";
import { libcCandidates } from "./libc_path.ts";
import { BLOCK, isBlock } from "./testdata/checked_block.ts";
import { fileTestIf, TemporaryFile } from "./testdata/temporary_file.ts";

const KILLS = 50;
const BLOCKS = 16384;
/** The longest that a writer lives after its first write. */
const MOST_MS = 60;

const WRITER = new URL("./testdata/dsync_writer.ts", import.meta.url);

function mayRunDeno(): boolean {
  const command = Deno.execPath();
  return Deno.permissions.querySync({ name: "run", command }).state ===
    "granted";
}

/** Lets a writer write for a while, kills it; gives what it reported. */
async function writeAndKill(
  path: string,
  engine: string,
  lifeMs: number,
): Promise<number[]> {
  await using child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-config",
      `--allow-ffi=${libcCandidates().join(",")}`,
      WRITER.href,
      path,
      engine,
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let output = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    timer ??= setTimeout(() => child.kill("SIGKILL"), lifeMs);
    output += text;
  }
  clearTimeout(timer);
  await child.status;
  // What stands behind the last line end may be half a number.
  return output.split("\n").slice(0, -1).map(Number);
}

/** Kills one writer; gives how many blocks it had reported, all of them there. */
async function killOnce(
  engine: string,
  lifeMs: number,
  seed: number,
): Promise<number> {
  using file = new TemporaryFile(BLOCKS * BLOCK);
  const numbers = await writeAndKill(file.path, engine, lifeMs);
  const content = await Deno.readFile(file.path);
  for (const number of numbers) {
    const bytes = content.subarray(number * BLOCK, (number + 1) * BLOCK);
    assert(
      isBlock(bytes, number),
      `block ${number}, ${engine}, killed after ${lifeMs} ms, seed ${seed}`,
    );
  }
  return numbers.length;
}

fileTestIf(
  mayRunDeno(),
  "--allow-run",
  "DirectFile reports an O_DSYNC write only when it is in the file, whoever dies",
  async () => {
    const seed = crypto.getRandomValues(new Uint32Array(1))[0] ?? 1;
    let state = seed | 1;
    const lives = Array.from({ length: KILLS }, (_, kill) => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      const engine = ENGINES[kill % ENGINES.length] ?? "auto";
      return { engine, lifeMs: (state >>> 0) % MOST_MS };
    });
    let reported = 0;
    // Three at once: most of the time of one goes into its start.
    for (let first = 0; first < KILLS; first += 3) {
      const counts = await Promise.all(
        lives.slice(first, first + 3)
          .map(({ engine, lifeMs }) => killOnce(engine, lifeMs, seed)),
      );
      reported += counts.reduce((sum, count) => sum + count, 0);
    }
    assertGreater(reported, KILLS);
  },
);

// The tool as a process: killed and begun again, with workers, in shards, and
// with just the permissions it asks for.

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { Prng } from "../core/mod.ts";
import { parseReport } from "../conformance/mod.ts";

const TOOL = new URL("./explore.ts", import.meta.url).pathname;
const ROOT = new URL("../", import.meta.url).pathname;
const LEAKY = new URL("./testdata/leaky_model.ts", import.meta.url).pathname;
const CLI = new URL("./cli.ts", import.meta.url).pathname;
const DIRECTORY = "/tmp";
/** Seed of the times at which processes are killed. */
const SEED = 20130710;
const KILLS = 3;
/** Takes long enough to be killed in between. */
const LARGE = ["--fs", "ocfs2", "--scenario", "aio-two-writes", "--json"];

const NEEDED = [
  { name: "read", path: DIRECTORY },
  { name: "write", path: DIRECTORY },
  { name: "run", command: Deno.execPath() },
] as const;
const missing = NEEDED
  .filter((need) => Deno.permissions.querySync(need).state !== "granted")
  .map(({ name }) => `--allow-${name}`);
const reason = missing.length > 0
  ? ` [ignored: needs ${missing.join(" ")}]`
  : "";

/** Registers a test that has a directory for itself. */
function test(name: string, fn: (directory: string) => Promise<void>): void {
  Deno.test({
    name: name + reason,
    ignore: missing.length > 0,
    fn: async () => {
      const directory = await Deno.makeTempDir({ dir: DIRECTORY });
      try {
        await fn(directory);
      } finally {
        await Deno.remove(directory, { recursive: true });
      }
    },
  });
}

/** Starts the tool without any permission but those given. */
function start(
  args: readonly string[],
  flags: readonly string[] = [],
): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--quiet", ...flags, TOOL, ...args],
    cwd: DIRECTORY,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function ended(child: Deno.ChildProcess): Promise<Ended> {
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

/** What the tool gives when it is left alone. */
async function outputOf(
  args: readonly string[],
  flags: readonly string[] = [],
): Promise<string> {
  const { code, stdout, stderr } = await ended(start(args, flags));
  assertEquals([code, stderr], [0, ""]);
  return stdout;
}

let whole: Promise<string> | undefined;

/** What the large scenario comes to. */
function wholeOutput(): Promise<string> {
  return whole ??= outputOf(LARGE);
}

/** The permissions for a checkpoint. */
function flagsFor(file: string): string[] {
  const files = `${file},${file}.tmp`;
  return [`--allow-read=${files}`, `--allow-write=${files}`];
}

/** How many schedules a checkpoint has; 0 if there is none yet. */
function schedulesIn(file: string): number {
  try {
    const { work } = JSON.parse(Deno.readTextFileSync(file));
    return work.scenarios[0].pieces
      .reduce(
        (sum: number, piece: { saved: { tally: Tally } | null }) =>
          sum + (piece.saved?.tally.schedules ?? 0),
        0,
      );
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

interface Tally {
  readonly schedules: number;
}

for (const jobs of [1, 2]) {
  test(`explore.ts --jobs ${jobs} that is killed and begun again gives the same report (seed ${SEED})`, async (directory) => {
    const file = `${directory}/checkpoint.json`;
    const args = [...LARGE, "--checkpoint", file, "--jobs", String(jobs)];
    const flags = jobs === 1
      ? flagsFor(file)
      : [`--allow-read=${ROOT},${file},${file}.tmp`, flagsFor(file)[1]!];
    const expected = await wholeOutput();
    const total = parseReport(expected).scenarios[0]!.schedules;
    const prng = new Prng(SEED + jobs);
    let known = 0;
    let isOver = false;
    for (let i = 0; i < KILLS && !isOver; i++) {
      const child = start(args, flags);
      const target = known + 1 + prng.below(total >> 2);
      const status = child.status.then(() => isOver = true);
      while (!isOver && schedulesIn(file) < target) {
        await new Promise((resolve) => setTimeout(resolve, prng.below(30)));
      }
      if (!isOver) child.kill("SIGKILL");
      await Promise.all([status, ended(child)]);
      const now = schedulesIn(file);
      assert(now >= known);
      isOver = now === total;
      known = now;
    }
    assert(known > 0);
    assertEquals(await outputOf(args, flags), expected);
    assertEquals(schedulesIn(file), total);
    // The file is that of a finished campaign now.
    assertEquals(await outputOf(args, flags), expected);
  });
}

test("explore.ts that is interrupted says how far it is, and goes on", async (directory) => {
  const file = `${directory}/checkpoint.json`;
  const args = [...LARGE, "--checkpoint", file];
  const child = start(args, flagsFor(file));
  while (schedulesIn(file) === 0) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  child.kill("SIGINT");
  const { code, stdout, stderr } = await ended(child);
  assertEquals([code, stdout], [130, ""]);
  assertStringIncludes(stderr, `Interrupted: ${file} says how far`);
  assertEquals(await outputOf(args, flagsFor(file)), await wholeOutput());
});

test("explore.ts does not go on with something else", async (directory) => {
  const file = `${directory}/checkpoint.json`;
  const write = ["--fs", "plain", "--scenario", "aio-write"];
  const go = (...args: string[]) =>
    ended(start([...args, "--checkpoint", file], flagsFor(file)));
  assertEquals((await go(...write)).code, 0);
  const message = async (...args: string[]) => {
    const { code, stderr } = await go(...args);
    assertEquals(code, 2);
    return stderr;
  };
  assertStringIncludes(
    await message("--fs", "ext4", "--scenario", "aio-write"),
    `Cannot resume from ${file}: its model is plain, not ext4; name another`,
  );
  assertStringIncludes(
    await message(...write, "--bound", "1"),
    "its bound is none, not 1",
  );
  assertStringIncludes(
    await message("--fs", "plain", "--scenario", "aio-read"),
    "its scenarios are aio-write, not aio-read",
  );
  for (const text of ["", "{", '{"endio":1}', "null"]) {
    await Deno.writeTextFile(file, text);
    assertStringIncludes(await message(...write), "it is no checkpoint");
  }
});

test("explore.ts --jobs 3 gives the report of one job", async () => {
  const flags = [`--allow-read=${ROOT}`];
  assertEquals(
    await outputOf([...LARGE, "--jobs", "3"], flags),
    await wholeOutput(),
  );
  const sample = [
    ...["--fs", "ext4", "--strategy", "pct", "--runs", "30", "--json"],
    ...["--scenario", "aio-write-many", "--scenario", "aio-write"],
  ];
  assertEquals(
    await outputOf([...sample, "--jobs", "2"], flags),
    await outputOf(sample),
  );
});

test("explore.ts merge of shards 0/4 to 3/4 gives the report of the whole", async (directory) => {
  const files: string[] = [];
  for (const index of [2, 0, 3, 1]) {
    const file = `${directory}/${index}.json`;
    const text = await outputOf([...LARGE, "--shard", `${index}/4`]);
    await Deno.writeTextFile(file, text);
    files.push(file);
    const { shards, scenarios } = parseReport(text);
    assertEquals(shards, { count: 4, done: [index] });
    assertEquals(scenarios[0]?.coverage, "sampled");
  }
  const flags = [`--allow-read=${directory}`];
  assertEquals(
    await outputOf(["merge", "--json", ...files], flags),
    await wholeOutput(),
  );
  const some = await outputOf(["merge", ...files.slice(0, 3)], flags);
  assertMatch(some, /all of the shard/);
  assertMatch(some, /; not in this report: shard 1\/4\n$/);
  const twice = await ended(
    start(["merge", files[0]!, files[0]!], flags),
  );
  assertEquals([twice.code, twice.stderr], [
    2,
    "explore.ts: Cannot merge reports: shard 2/4 is there twice\n",
  ]);
  const other = await ended(start(["merge", LEAKY], [`--allow-read=${LEAKY}`]));
  assertEquals(other.code, 2);
  assertStringIncludes(other.stderr, `Cannot read ${LEAKY}: `);
});

test("explore.ts --model explores a module's model, also with workers", async () => {
  const args = ["--model", LEAKY, "--scenario", "aio-write", "--json"];
  const [one, two] = await Promise.all(
    [[], ["--jobs", "2"]].map((jobs) =>
      ended(start([...args, ...jobs], [`--allow-read=${ROOT}`]))
    ),
  );
  assertEquals([one?.code, two?.code], [1, 1]);
  assertEquals(one?.stdout, two?.stdout);
  assertEquals(parseReport(one!.stdout).model, "leaky");
  const { code, stderr } = await ended(start(args));
  assertEquals([code, stderr], [
    2,
    `explore.ts: Cannot read ${LEAKY}: Deno may not; add --allow-read=${LEAKY}\n`,
  ]);
  const none = await ended(
    start(["--model", CLI], [`--allow-read=${ROOT}`]),
  );
  assertEquals(none.code, 2);
  assertStringIncludes(none.stderr, "it exports no models, where one is");
});

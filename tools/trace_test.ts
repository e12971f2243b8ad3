// The tool as a whole: its help, its list, and how it behaves as a process.

import {
  assert,
  assertEquals,
  assertLessOrEqual,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { RULES, SCENARIOS } from "../conformance/mod.ts";
import { MODELS } from "../fs_models/mod.ts";
import { UserError } from "./cli.ts";
import { fakeIo } from "./testdata/fake_io.ts";
import { trace } from "./trace.ts";

const TOOL = new URL("./trace.ts", import.meta.url);
const ROOT = new URL("../", import.meta.url);
const RECORD = ["record", "--fs", "ext4", "--scenario", "aio-write-unwritten"];

async function outputOf(...args: string[]): Promise<string> {
  const io = fakeIo();
  assertEquals([await trace(args, io), io.stderr()], [0, ""]);
  return io.stdout();
}

const COMMANDS = [
  "record",
  "check",
  "convert",
  "stat",
  "diff",
  "recipe",
  "list",
];
for (const command of ["", ...COMMANDS]) {
  Deno.test(`trace.ts ${command} --help fits a terminal and has an example`, async () => {
    const help = await outputOf(
      ...command.split(" ").filter(Boolean),
      "--help",
    );
    const lines = help.trimEnd().split("\n");
    assertLessOrEqual(lines.length, 24);
    for (const line of lines) assertLessOrEqual(line.length, 80);
    assertMatch(help, /Example: deno run (?:--allow-read )?tools\/trace.ts /);
  });
}

const MISTAKES: [args: string[], message: string][] = [
  [[], "No command: record, check, convert, stat, diff, recipe, list; see"],
  [["recrod"], "Unknown command 'recrod': did you mean record?"],
  [["chekc", "-"], "Unknown command 'chekc': did you mean check?"],
  [["--fs"], "No command before --fs: record, check, convert,"],
  [["foo"], "Unknown command 'foo': choose record, check, convert, stat"],
  [["list", "rule"], "Unknown kind 'rule': did you mean rules?"],
  [["list", "fs", "ext3"], "Unknown filesystem 'ext3': did you mean ext4?"],
  [["list", "fs", "ext4", "x"], "Unexpected 'x'"],
  [
    ["list", "scenarios", "banana"],
    "Unknown scenario 'banana': 'trace.ts list scenarios' shows all",
  ],
  [["list", "--al"], "Unknown option --al: --help lists all"],
];

for (const [args, message] of MISTAKES) {
  Deno.test(`trace.ts refuses '${args.join(" ")}'`, async () => {
    const error = await assertRejects(() => trace(args, fakeIo()), UserError);
    assert(error.message.startsWith(message), error.message);
  });
}

Deno.test("trace.ts list gives an overview that fits a terminal", async () => {
  const overview = await outputOf("list");
  for (const { name } of MODELS) assertStringIncludes(overview, name);
  const scenarios = await outputOf("list", "scenarios");
  for (const { id } of SCENARIOS) assertStringIncludes(scenarios, id);
  const lines = overview.split("\n");
  assertLessOrEqual(lines.length, 40);
  for (const line of lines) assertLessOrEqual(line.length, 80);
});

Deno.test("trace.ts list rules ID says everything of a rule", async () => {
  for (const { id, bugs } of RULES) {
    const text = await outputOf("list", "rules", id);
    assert(text.startsWith(`${id}\n`));
    for (const bug of bugs) assertStringIncludes(text, bug);
    for (const name of ["why", "source", "bugs", "profiles", "scenarios"]) {
      assertStringIncludes(text, `\n  ${name} `);
    }
  }
});

Deno.test("trace.ts list scenarios ID, fs ID, formats ID", async () => {
  for (const { id } of SCENARIOS) {
    assert((await outputOf("list", "scenarios", id)).startsWith(`${id}\n`));
  }
  assertStringIncludes(await outputOf("list", "fs", "ext4"), "unwritten");
  assertStringIncludes(await outputOf("list", "formats", "jsonl"), "JSON");
  assertStringIncludes(await outputOf("list", "formats"), "text");
  assertStringIncludes(await outputOf("list", "scenarios"), "aio-write  ");
});

const canRun = Deno.permissions.querySync({
  name: "run",
  command: Deno.execPath(),
}).state === "granted";

/** Registers a test that runs the tool as a process of its own. */
function processTest(name: string, fn: () => Promise<void>): void {
  const reason = canRun ? "" : " [ignored: needs --allow-run]";
  Deno.test({ name: name + reason, ignore: !canRun, fn });
}

/** Starts the tool without any permission but those given. */
function start(args: readonly string[], flags: readonly string[] = []) {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--quiet", ...flags, TOOL.pathname, ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function finish(
  child: Deno.ChildProcess,
  input: string = "",
): Promise<Outcome> {
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

processTest("trace.ts record | trace.ts check - ends with 0", async () => {
  const recorded = await finish(start(RECORD));
  assertEquals([recorded.code, recorded.stderr], [0, ""]);
  const checked = await finish(start(["check", "-"]), recorded.stdout);
  assertEquals([checked.code, checked.stderr], [0, ""]);
  assertMatch(checked.stdout, /^stdin: \d+ events, .*, 0 violations\n$/);
});

processTest(
  "trace.ts check ends with 1 for a broken trace, 2 for a cut one",
  async () => {
    const { stdout } = await finish(start(RECORD));
    const lines = stdout.split("\n");
    const at = lines.findLastIndex((line) => line.includes('"aio_complete"'));
    const swapped = lines.with(at, lines[at - 1]!).with(at - 1, lines[at]!);
    const broken = await finish(start(["check", "-"]), swapped.join("\n"));
    assertEquals([broken.code, broken.stderr], [1, ""]);
    const cut = stdout.slice(0, 1000);
    const { code, stderr } = await finish(start(["check", "-"]), cut);
    assertEquals(code, 2);
    assertMatch(
      stderr,
      /^stdin:\d+: the trace ends in the middle of this line\n$/,
    );
  },
);

processTest("trace.ts tells a mistake in one line, status 2", async () => {
  const { code, stdout, stderr } = await finish(
    start(["record", "--sed", "1"]),
  );
  assertEquals([code, stdout], [2, ""]);
  assertEquals(
    stderr,
    "trace.ts: Unknown option --sed: did you mean --seed?\n",
  );
});

processTest("trace.ts names the permission that it lacks", async () => {
  const { code, stderr } = await finish(start(["check", "a.jsonl"]));
  assertEquals(code, 2);
  assertEquals(
    stderr,
    "trace.ts: Cannot read a.jsonl: Deno may not; add --allow-read=a.jsonl\n",
  );
});

const FULL_DEVICE = "/dev/full";

/** Why nothing can be written to the device that is always full, or "". */
function whyNotFull(): string {
  for (const command of [Deno.execPath(), "sh"]) {
    const query = { name: "run", command } as const;
    if (Deno.permissions.querySync(query).state !== "granted") {
      return `needs --allow-run=${command}`;
    }
  }
  const read = { name: "read", path: FULL_DEVICE } as const;
  if (Deno.permissions.querySync(read).state !== "granted") {
    return `needs --allow-read=${FULL_DEVICE}`;
  }
  try {
    Deno.statSync(FULL_DEVICE);
    return "";
  } catch {
    return `there is no ${FULL_DEVICE}`;
  }
}

const noFull = whyNotFull();

/** Registers a test that sends an output of the tool where nothing fits. */
function fullTest(
  name: string,
  args: readonly string[],
  redirection: string,
  expected: readonly [code: number, stdout: string, stderr: string],
): void {
  const suffix = noFull === "" ? "" : ` [ignored: ${noFull}]`;
  Deno.test({
    name: name + suffix,
    ignore: noFull !== "",
    async fn() {
      const command = new Deno.Command("sh", {
        args: [
          "-c",
          `exec "$0" run --no-prompt --quiet "$@" ${redirection} ${FULL_DEVICE}`,
          Deno.execPath(),
          TOOL.pathname,
          ...args,
        ],
        cwd: ROOT,
        env: { NO_COLOR: "1" },
        stdin: "null",
      });
      const { code, stdout, stderr } = await command.output();
      const decoder = new TextDecoder();
      assertEquals(
        [code, decoder.decode(stdout), decoder.decode(stderr)],
        expected,
      );
    },
  });
}

fullTest("trace.ts says that standard output is full, status 2", RECORD, ">", [
  2,
  "",
  "trace.ts: Cannot write standard output: no space left on device\n",
]);

fullTest(
  "trace.ts keeps its status when messages cannot be written",
  ["recrod"],
  "2>",
  [2, "", ""],
);

processTest("trace.ts is quiet when its reader is gone", async () => {
  const child = start([...RECORD, "--seed", "1"]);
  await child.stdout.cancel();
  await child.stdin.close();
  let stderr = "";
  for await (const chunk of child.stderr.pipeThrough(new TextDecoderStream())) {
    stderr += chunk;
  }
  assertEquals([(await child.status).code, stderr], [0, ""]);
});

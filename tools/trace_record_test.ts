import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import type { ModelSpec } from "../fs_models/mod.ts";
import { UserError } from "./cli.ts";
import { MUTANTS } from "./mutants/mod.ts";
import { fakeIo } from "./testdata/fake_io.ts";
import { record } from "./trace_record.ts";

const UNWRITTEN = ["--fs", "ext4", "--scenario", "aio-write-unwritten"];

/** Runs the command; gives what it wrote. */
async function run(...args: string[]): Promise<string> {
  const io = fakeIo();
  assertEquals([await record(args, io), io.stderr()], [0, ""]);
  return io.stdout();
}

function headerOf(trace: string): Record<string, unknown> {
  return JSON.parse(trace.slice(0, trace.indexOf("\n")));
}

Deno.test("record writes jsonl, first come, first served", async () => {
  const trace = await run(...UNWRITTEN);
  const { schedule, ...header } = headerOf(trace);
  assertEquals(header, {
    endio: 1,
    profile: "v3.12",
    fs: "ext4",
    scenario: "aio-write-unwritten",
    clock: "virtual",
  });
  assertMatch(
    String(schedule),
    /^endio1:v3\.12:ext4:aio-write-unwritten:fifo:\.AAA\w+$/,
  );
  assertStringIncludes(trace, '"ev":"trace_end"');
});

Deno.test("record gives the same trace for a seed, byte by byte", async () => {
  const trace = await run(...UNWRITTEN, "--seed", "7");
  assertEquals(trace, await run(...UNWRITTEN, "--seed", "7"));
  assertEquals(headerOf(trace)["seed"], 7);
  assert(trace !== await run(...UNWRITTEN, "--seed", "8"));
});

Deno.test("record repeats a run from its token", async () => {
  const scenario = ["--fs", "ext4", "--scenario", "two-writers-unwritten"];
  const trace = await run(...scenario, "--seed", "3", "--profile", "v6.1");
  const { schedule } = headerOf(trace);
  const again = await run("--schedule", String(schedule), "--fs", "ext4");
  const eventsOf = (text: string) => text.slice(text.indexOf("\n"));
  assertEquals(eventsOf(again), eventsOf(trace));
  assertEquals(headerOf(again), headerOf(trace));
  assertEquals(headerOf(again)["profile"], "v6.1");
  assertEquals(headerOf(again)["seed"], 3);
});

Deno.test("record goes on at random behind the first choices of a token", async () => {
  const scenario = ["--fs", "ext4", "--scenario", "two-writers-unwritten"];
  const { schedule } = headerOf(await run(...scenario, "--seed", "3"));
  const goesOn = await run("--schedule", `${schedule}+random-5@4`);
  const header = headerOf(goesOn);
  assertEquals(header["seed"], undefined);
  const again = await run("--schedule", String(header["schedule"]));
  assertEquals(again, goesOn);
});

Deno.test("record runs a scenario that another one was shrunk to", async () => {
  const trace = await run(
    "--schedule",
    "endio1:v3.12:ext4:aio-write-many~1:fifo:",
  );
  assertEquals(headerOf(trace)["scenario"], "aio-write-many~1");
  assert(!trace.includes("truncater"));
});

Deno.test("record writes text without colours where there is no terminal", async () => {
  const text = await run(...UNWRITTEN, "--format", "text");
  assert(text.startsWith("seq   ns  swapper-0 "));
  assert(!text.includes("\x1b"));
  const coloured = await run(
    ...[...UNWRITTEN, "--format", "text", "--color", "always"],
  );
  assertStringIncludes(coloured, "\x1b[");
});

const TOKEN = "endio1:v3.12:ext4:aio-write:fifo:";
const MISTAKES: [args: string[], message: string][] = [
  [[], "Option --fs is missing"],
  [["--fs", "ext4"], "Option --scenario is missing"],
  [["--fs", "ext5", "--scenario", "aio-write"], "did you mean ext4?"],
  [
    ["--fs", "ext4", "--scenario", "aio-wrte"],
    "Unknown scenario 'aio-wrte': did you mean aio-write?",
  ],
  [
    ["--fs", "plain", "--scenario", "aio-write-unwritten"],
    "Cannot run aio-write-unwritten on plain, profile v3.12: the model lacks unwritten",
  ],
  [[...UNWRITTEN, "--profile", "v5"], "Unknown profile 'v5'"],
  [[...UNWRITTEN, "--seed", "x"], "--seed x: it is not an integer from 0"],
  [[...UNWRITTEN, "--seed", "-1"], "Unexpected -1: no option takes a negative"],
  [[...UNWRITTEN, "--seed=-1"], "--seed -1: it is not an integer from 0"],
  [[...UNWRITTEN, "--seed", "1.5"], "--seed 1.5: it is not an integer from 0"],
  [[...UNWRITTEN, "--format", "txt"], "Unknown format 'txt'"],
  [[...UNWRITTEN, "extra"], "Unexpected 'extra'"],
  [["--schedule", "x"], "Cannot read schedule token"],
  [
    ["--schedule", "endio1:v3.12:ext4:aio-write:fifo:!"],
    "Cannot read schedule: '!'",
  ],
  [["--schedule", TOKEN, "--fs", "plain"], "leave out --fs"],
  [["--schedule", TOKEN, "--scenario", "aio-read"], "leave out --scenario"],
  [["--schedule", TOKEN, "--profile", "v6.1"], "leave out --profile"],
  [["--schedule", TOKEN, "--seed", "1"], "leave out --seed"],
  [["--schedule", TOKEN.replace("ext4", "ext9")], "Unknown filesystem 'ext9'"],
  [["--schedule", `${TOKEN}F`], "Cannot replay choice"],
  [
    ["--schedule", `${TOKEN}.AAAA`],
    " steps, the recorded one 0; the program is not the one that was recorded",
  ],
  [["--schedule", `${TOKEN}+exhaustive`], "it stands for many runs"],
  [["--schedule", `${TOKEN}+lifo`], "it goes on with 'lifo', choose fifo"],
  [
    ["--schedule", TOKEN.replace("aio-write", "aio-write~99")],
    "Cannot reduce scenario aio-write to aio-write~99: it has no reduction 99",
  ],
  [["--schedule", TOKEN, "--device", "f"], "Cannot run a schedule on a real"],
  [
    ["--fs", "ext4", "--scenario", "aio-write-inline", "--device", "f"],
    "Cannot run aio-write-inline on a real device",
  ],
  [
    ["--fs", "ext4", "--scenario", "aio-write-error", "--device", "f"],
    "Cannot run aio-write-error on a real device",
  ],
];

for (const [args, message] of MISTAKES) {
  Deno.test(`record refuses '${args.join(" ")}'`, async () => {
    const io = fakeIo();
    const error = await assertRejects(() => record(args, io), UserError);
    assertStringIncludes(error.message, message);
    assert(!error.message.includes("\n"), error.message);
    assertEquals(io.stdout(), "");
  });
}

Deno.test("record ends with 1 when a rule is broken, the trace written", async () => {
  const mutant = MUTANTS.find(({ id, model }) => model && id.includes("defer"));
  const model = mutant?.model as ModelSpec;
  const io = fakeIo();
  const args = ["--fs", model.name, "--scenario", "aio-write-unwritten"];
  assertEquals(await record(args, io, [model]), 1);
  assertStringIncludes(io.stdout(), '"ev":"trace_end"');
  assertStringIncludes(io.stderr(), `${mutant?.rule.split("/")[0]}/`);
  assertStringIncludes(io.stderr(), "expected ");
  assertStringIncludes(io.stderr(), "record --schedule endio1:");
});

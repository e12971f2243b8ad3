import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { UserError } from "./cli.ts";
import { fakeIo } from "./testdata/fake_io.ts";
import { check } from "./trace_check.ts";
import { record } from "./trace_record.ts";

async function recorded(scenario: string): Promise<string[]> {
  const io = fakeIo();
  await record(["--fs", "ext4", "--scenario", scenario], io);
  return io.stdout().trimEnd().split("\n");
}

const TRACE = await recorded("aio-write-unwritten");

interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Checks a trace that comes through standard input. */
async function run(
  lines: readonly string[],
  ...args: string[]
): Promise<Outcome> {
  return await runText(lines.map((line) => `${line}\n`).join(""), ...args);
}

async function runText(text: string, ...args: string[]): Promise<Outcome> {
  const io = fakeIo(text);
  const status = await check([...args, "-"], io);
  return { status, stdout: io.stdout(), stderr: io.stderr() };
}

/** The line, counted from 1, of the first event like this behind another. */
function lineOf(part: string, behind: number = 0): number {
  return TRACE.findIndex((line, i) => i >= behind && line.includes(part)) + 1;
}

Deno.test("check finds nothing in the trace of a right run", async () => {
  const { status, stdout, stderr } = await run(TRACE);
  assertEquals([status, stderr], [0, ""]);
  assertMatch(
    stdout,
    /^stdin: \d+ events, \d+ rules exercised, 0 violations\n$/,
  );
  assertStringIncludes(stdout, ` ${TRACE.length - 1} events`);
});

/** Two lines in each other's place, numbered and timed as if it were so. */
function swapped(one: number, other: number): string[] {
  const place = /^\{"seq":\d+,"ts":\d+,/;
  const at = (line: number) => place.exec(TRACE[line - 1]!)![0];
  return TRACE.with(one - 1, TRACE[other - 1]!.replace(place, at(one)))
    .with(other - 1, TRACE[one - 1]!.replace(place, at(other)));
}

Deno.test("check names rule, lines and expectation when two events are swapped", async () => {
  const report = lineOf('"ev":"aio_complete"');
  const done = report - 1;
  assertStringIncludes(TRACE[done - 1]!, '"ev":"inode_dio_done"');
  const { status, stdout, stderr } = await run(swapped(done, report));
  assertEquals([status, stderr], [1, ""]);
  const lines = stdout.split("\n");
  assertEquals(
    lines[0],
    `stdin:${done}: completion-order/dio-done-before-aio-complete: i_dio_count has dropped before the completion is reported`,
  );
  assertStringIncludes(lines[1]!, "expected inode_dio_done");
  assertStringIncludes(stdout, `  line ${done}  kworker/`);
  assertStringIncludes(stdout, "aio_complete iocb=1 res=4096");
  assertMatch(lines.at(-2)!, /rules exercised, [1-9]\d* violations?$/);
});

Deno.test("trace-well-formed/sequence: check names the lines that stand in another order than they were numbered", async () => {
  const done = lineOf('"ev":"inode_dio_done"');
  const moved = TRACE.with(done - 1, TRACE[done]!).with(done, TRACE[done - 1]!);
  const { status, stdout } = await run(moved);
  assertEquals(status, 1);
  const place = `stdin:${done}: trace-well-formed/sequence: `;
  const told = stdout.slice(stdout.indexOf(place)).split("\n");
  assertStringIncludes(told[0]!, place);
  assertEquals(
    told[1],
    `  expected ${done - 2} next, not ${done - 1}: 1 missing`,
  );
  assertStringIncludes(told[2]!, `  line ${done - 1}  `);
  assertStringIncludes(told[3]!, `  line ${done}  `);
});

Deno.test("trace-well-formed/sequence: check says where lines are missing", async () => {
  const { status, stdout } = await run(TRACE.toSpliced(4, 3));
  assertEquals(status, 1);
  assertStringIncludes(
    stdout,
    "stdin:5: trace-well-formed/sequence: Events are numbered one by one, in the order of the trace\n  expected 3 next, not 6: 3 missing\n",
  );
});

Deno.test("check says that the beginning of a trace is missing, and nothing else", async () => {
  const { status, stdout } = await run(TRACE.toSpliced(1, 12));
  assertEquals(status, 1);
  assertStringIncludes(
    stdout,
    "expected 0 first, not 12: the beginning is missing, and what was alive then is not checked\n",
  );
  assertMatch(stdout, /, 1 violation\n$/);
});

Deno.test("check reads a trace without a last line end", async () => {
  assertEquals((await runText(TRACE.join("\n"))).status, 0);
  assertEquals((await runText(TRACE.join("\r\n"))).status, 0);
});

const BEGIN = lineOf('"ev":"inode_dio_begin"') - 1;
const MALFORMED: [what: string, lines: readonly string[], message: RegExp][] = [
  ["an empty file", [], /^stdin:1: the trace is empty\n$/],
  ["no header", TRACE.slice(1), /^stdin:1: no trace of endio/],
  [
    "a cut line",
    [...TRACE.slice(0, 9), TRACE[9]!.slice(0, 50)],
    /^stdin:10: the trace ends in the middle of this line\n$/,
  ],
  [
    "an unknown event",
    TRACE.with(BEGIN, TRACE[BEGIN]!.replace("_begin", "_start")),
    /^stdin:\d+: unknown event 'inode_dio_start'\n$/,
  ],
  [
    "an unknown field",
    TRACE.with(BEGIN, TRACE[BEGIN]!.replace('"count"', '"number"')),
    /^stdin:\d+: unknown field 'number' of inode_dio_begin\n$/,
  ],
  ["no JSON", TRACE.with(6, "oops"), /^stdin:7: this line is not a JSON/],
];

for (const [what, lines, message] of MALFORMED) {
  Deno.test(`check tells where it stopped at ${what}`, async () => {
    const { status, stdout, stderr } = await run(lines);
    assertEquals(status, 2);
    assertMatch(stderr, message);
    const isRead = lines.length > 0 && lines[0] === TRACE[0];
    assertEquals(stdout.includes("0 violations, cut short"), isRead);
  });
}

Deno.test("check still shows what is broken before a malformed line", async () => {
  const done = lineOf('"ev":"inode_dio_done","ino":12,"dio":1');
  const lines = [...TRACE.toSpliced(done - 1, 1), "{"];
  const { status, stdout, stderr } = await run(lines);
  assertEquals(status, 2);
  assertStringIncludes(stdout, "completion-order/dio-done-before-aio-complete");
  assertMatch(stderr, new RegExp(`^stdin:${lines.length}: `));
});

Deno.test("check shows a rule three times and counts the rest", async () => {
  const at = lineOf('"ev":"bio_endio"');
  const sleep = TRACE[at - 1]!.replace(
    /"ev":.*/,
    '"ev":"might_sleep","fn":"mutex_lock","atomic":0,"irqs_off":0}',
  );
  const lines = TRACE.toSpliced(at, 0, ...Array(10).fill(sleep));
  const { status, stdout } = await run(lines);
  assertEquals(status, 1);
  assertEquals(
    stdout.match(/: no-sleep-in-interrupt\/context: [A-Z]/g)?.length,
    3,
  );
  assertStringIncludes(
    stdout,
    "stdin: no-sleep-in-interrupt/context: 7 more violations\n",
  );
  assertMatch(stdout, /, [1-9]\d+ violations\n$/);
});

Deno.test("check says so when an event is too far back to be shown", async () => {
  const done = lineOf('"ev":"inode_dio_done","ino":12,"dio":1');
  const filler = Array(20_000).fill(TRACE[2]);
  const lines = TRACE.toSpliced(done - 1, 1, ...filler);
  const { status, stdout } = await run(lines);
  assertEquals(status, 1);
  assertStringIncludes(stdout, "(too far back to be shown)");
});

Deno.test("check takes the profile of the trace, unless it is given one", async () => {
  const v61 = TRACE.with(0, '{"endio":1,"profile":"v6.1"}');
  assertEquals((await run(v61, "--profile", "v3.12")).status, 0);
  assertEquals((await run(TRACE.with(0, '{"endio":1}'))).status, 0);
});

Deno.test("check goes on with the next file when one cannot be read", async () => {
  const io = fakeIo(TRACE.join("\n"));
  assertEquals(await check(["./no/such/file", "-"], io), 2);
  assertMatch(io.stderr(), /^trace\.ts: Cannot read \.\/no\/such\/file: .*\n$/);
  assertStringIncludes(io.stdout(), "0 violations");
});

const MISTAKES: [args: string[], message: string][] = [
  [[], "No FILE to check"],
  [["--profile", "v3.11", "-"], "Unknown profile 'v3.11': did you mean v3.12?"],
  [["--from", "json", "-"], "Unknown format 'json': did you mean jsonl?"],
  [["--frm", "jsonl", "-"], "Unknown option --frm: did you mean --from?"],
];

for (const [args, message] of MISTAKES) {
  Deno.test(`check refuses '${args.join(" ")}'`, async () => {
    const error = await assertRejects(() => check(args, fakeIo()), UserError);
    assert(error.message.startsWith(message), error.message);
  });
}

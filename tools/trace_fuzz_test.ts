// Input that is no trace: never a crash, never a hang, always a line number.
//
// ENDIO_FUZZ=1000000 tries so many cases, ENDIO_SEED=N repeats a run:
//
//   ENDIO_FUZZ=1000000 deno test -A tools/trace_fuzz_test.ts

import { assert, assertEquals, assertMatch } from "@std/assert";
import { runScenario, scenarioById } from "../conformance/mod.ts";
import { MODELS } from "../fs_models/mod.ts";
import { type Io, UserError } from "./cli.ts";
import { parseOutcome } from "./ftrace/outcome.ts";
import { MAX_LINE_BYTES } from "./ftrace/reader.ts";
import { fakeIo } from "./testdata/fake_io.ts";
import { noRecordings, readRecordings } from "./testdata/recordings.ts";
import { newSeed, numbersOf, setting } from "./testdata/setting.ts";
import { trace } from "./trace.ts";
import { encodeFtrace } from "./trace_ftrace.ts";
import { encodeJsonl, type TraceHeader } from "./trace_jsonl.ts";

const CASES = Number(setting("ENDIO_FUZZ") ?? 15_000);
/** A case may take so long on a machine that does other things, too. */
const SLOW_MS = 5_000;
const encoder = new TextEncoder();

type Random = (limit: number) => number;

/** What to begin with: traces of every format, as their lines. */
function examples(): Uint8Array[][] {
  const found: string[] = [];
  for (const id of ["aio-write-unwritten", "sync-read-many", "append-error"]) {
    const model = MODELS.find(({ name }) => name === "ext4")!;
    const { events } = runScenario(model, scenarioById(id));
    const header: TraceHeader = { profile: "v3.12", fs: "ext4" };
    found.push([...encodeJsonl(header, events)].join(""));
    found.push([...encodeFtrace(header, events)].join(""));
  }
  if (noRecordings === "") {
    for (const { lines } of readRecordings(true)) found.push(lines.join("\n"));
  }
  return found.map((text) =>
    text.split("\n").map((line) => encoder.encode(`${line}\n`))
  );
}

/** Bytes that are put in. */
const ODD: readonly Uint8Array[] = [
  new Uint8Array([0]),
  new Uint8Array([0xff, 0xfe]),
  new Uint8Array([0xef, 0xbb, 0xbf]),
  new Uint8Array([0xc3, 0x28]),
  new Uint8Array([0xed, 0xa0, 0x80]),
  ...[
    "\n",
    "\r",
    "\r\n",
    "\t",
    "{",
    "}",
    '"',
    "[",
    "=",
    ":",
    "-",
    "0x",
    "999999999999999999999",
    "1e999",
    "__proto__",
    "constructor",
    "CPU:0 [LOST 99999 EVENTS]\n",
    "# entries-in-buffer/entries-written: 9/9   #P:1\n",
    "# TRIMMED (events removed): submit_bio 3\n",
    '{"endio":1}\n',
    "# endio: {}\n",
    "\u{1f600}",
    " ".repeat(300),
    "(".repeat(99),
  ].map((text) => encoder.encode(text)),
];

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Some lines of a trace, and perhaps its header. */
function someLines(traces: readonly Uint8Array[][], next: Random) {
  const lines = traces[next(traces.length)] as Uint8Array[];
  const from = next(lines.length);
  const head = next(2) === 0 ? lines.slice(0, 3) : [];
  return joined([...head, ...lines.slice(from, from + next(8))]);
}

/** Damages bytes in one way. */
function mutated(bytes: Uint8Array, next: Random): Uint8Array {
  const at = next(bytes.length + 1);
  const to = Math.min(bytes.length, at + next(40));
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(to)];
  switch (next(6)) {
    case 0: {
      const copy = bytes.slice();
      if (at < copy.length) copy[at] = next(256);
      return copy;
    }
    case 1:
      return joined([before, after]);
    case 2:
      return joined([bytes.subarray(0, to), bytes.subarray(at)]);
    case 3:
      return before;
    case 4: {
      const noise = Uint8Array.from({ length: next(20) }, () => next(256));
      return joined([before, noise, after]);
    }
    default:
      return joined([before, ODD[next(ODD.length)]!, bytes.subarray(at)]);
  }
}

/** Random bytes, another encoding, or a trace that was damaged. */
function someCase(traces: readonly Uint8Array[][], next: Random): Uint8Array {
  const kind = next(20);
  if (kind === 0) {
    return Uint8Array.from({ length: next(200) }, () => next(256));
  }
  let bytes = someLines(traces, next);
  if (kind === 1) {
    return joined([...bytes].map((byte) => Uint8Array.of(byte, 0)));
  }
  for (let left = next(5); left > 0; left--) bytes = mutated(bytes, next);
  return bytes;
}

/** A world whose standard input comes in pieces. */
function worldOf(bytes: Uint8Array, next: Random) {
  const io = fakeIo();
  const cut = next(bytes.length + 1);
  const stdin = (): ReturnType<Io["stdin"]> =>
    ReadableStream.from([bytes.slice(0, cut), bytes.slice(cut)]);
  return { ...io, stdin };
}

const COMMANDS: readonly (readonly string[])[] = [
  ["check"],
  ["check"],
  ["check", "--from", "jsonl"],
  ["check", "--from", "ftrace"],
  ["convert", "--to", "jsonl"],
  ["convert", "--to", "text", "--iocb", "1"],
  ["stat"],
];

/** Every line of messages names a line that is there. */
function checkMessages(text: string, lines: number): void {
  for (const message of text.split("\n").filter(Boolean)) {
    const no = /^(?:trace\.ts: (?:Cannot .*)?)?stdin:(\d+): /.exec(message)
      ?.[1];
    if (no === undefined) {
      assertMatch(
        message,
        /^stdin: \d+ (?:more )?lines? (?:of that kind|of the \d+ that)|^trace\.ts: Cannot check stdin: it was made of a recording|^trace\.ts: Cannot read stdin: it is compressed/,
      );
    } else assert(Number(no) >= 1 && Number(no) <= lines, message);
  }
}

async function tryCase(bytes: Uint8Array, next: Random): Promise<string> {
  const command = COMMANDS[next(COMMANDS.length)] as readonly string[];
  const io = worldOf(bytes, next);
  const lines = bytes.filter((byte) => byte === 0x0a).length + 1;
  const start = performance.now();
  try {
    const status = await trace([...command, "-"], io);
    assert(status >= 0 && status <= 2, `status ${status}`);
    if (status === 2) assert(io.stderr() !== "", "status 2 without a message");
    checkMessages(io.stderr(), lines);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    checkMessages(`trace.ts: ${error.message}`, lines);
  }
  const took = performance.now() - start;
  assert(took < SLOW_MS, `${command.join(" ")} took ${took} ms`);
  return command.join(" ");
}

const seed = newSeed();

Deno.test(`${CASES} cases of anything are read to the end or to a line, seed ${seed}`, async () => {
  const next = numbersOf(seed);
  const traces = examples();
  for (let i = 0; i < CASES; i++) {
    const bytes = someCase(traces, next);
    try {
      await tryCase(bytes, next);
      parseOutcome(new TextDecoder().decode(bytes));
    } catch (error) {
      const text = JSON.stringify(new TextDecoder("latin1").decode(bytes));
      throw new Error(`case ${i}: ${text}`, { cause: error });
    }
  }
});

/** Bytes without a line feed, 100 MB of them, after what comes first. */
async function* longLine(first: string): AsyncGenerator<Uint8Array> {
  yield encoder.encode(first);
  const piece = new Uint8Array(1 << 20).fill(0x61);
  for (let i = 0; i < 100; i++) yield await Promise.resolve(piece);
  yield encoder.encode("\n");
}

const LONG: readonly (readonly [first: string, line: number, said: RegExp])[] =
  [
    ["", 1, new RegExp(`^stdin:1: this line is longer than ${MAX_LINE_BYTES}`)],
    [
      "a-1 [000] ..... 1.5: dio_free: (dio_complete+0xef/0x1f0) dio=0x1\n",
      2,
      /^stdin:2: this line is longer than/,
    ],
    ['{"endio":1}\n{"seq":', 2, /^stdin:2: this line is longer than/],
    [
      '# tracer: nop\n# endio: {"endio":1}\n',
      3,
      /^stdin:3: this line is longer than/,
    ],
  ];

for (const [first, line, said] of LONG) {
  Deno.test(`check passes over 100 MB without an end in line ${line} after ${JSON.stringify(first.slice(0, 12))}`, async () => {
    const io = fakeIo();
    const stdin = () => ReadableStream.from(longLine(first)) as never;
    assertEquals(await trace(["check", "-"], { ...io, stdin }), 2);
    assertMatch(io.stderr(), said);
  });
}

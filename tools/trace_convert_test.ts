// Every format: what is written, and what can be read back.

import {
  assert,
  assertEquals,
  assertLessOrEqual,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import fc from "fast-check";
import {
  EVENT_ARGS,
  EVENT_NAMES,
  PROFILE_NAMES,
  random,
  type TraceEvent,
} from "../core/mod.ts";
import {
  mountForQuestions,
  runScenario,
  scenarioById,
  SCENARIOS,
  whyNot,
} from "../conformance/mod.ts";
import { MODELS } from "../fs_models/mod.ts";
import { UserError } from "./cli.ts";
import { chromeProblems } from "./testdata/chrome_rules.ts";
import { fakeIo } from "./testdata/fake_io.ts";
import { noRecordings, readRecordings } from "./testdata/recordings.ts";
import { trace } from "./trace.ts";
import { encodeChrome } from "./trace_chrome.ts";
import { encodeFtrace } from "./trace_ftrace.ts";
import { decodeFtrace } from "./trace_input.ts";
import { encodeJsonl, type TraceHeader } from "./trace_jsonl.ts";

async function* linesOf(text: Iterable<string>): AsyncGenerator<string> {
  yield* [...text].join("").trimEnd().split("\n");
}

async function readBack(text: Iterable<string>) {
  const { header, events } = await decodeFtrace(linesOf(text));
  const read = await Array.fromAsync(events, ({ event }) => event);
  return { header, events: read };
}

/** Runs of every model, scenario and profile, in order and out of it. */
function* runs(): Generator<readonly [TraceHeader, readonly TraceEvent[]]> {
  for (const model of MODELS) {
    const asked = mountForQuestions(model);
    for (const scenario of SCENARIOS) {
      for (const [i, profile] of PROFILE_NAMES.entries()) {
        if (whyNot(asked, scenario, profile) !== null) continue;
        const seed = i === 0 ? undefined : i;
        const options = seed && { strategy: random(seed) };
        const { events } = runScenario(model, scenario, {
          profile,
          ...options,
        });
        yield [
          {
            profile,
            fs: model.name,
            scenario: scenario.id,
            ...seed && { seed },
            clock: "virtual",
          },
          events,
        ];
      }
    }
  }
}

Deno.test("ftrace: what was written of a run is the same run again", async () => {
  let count = 0;
  for (const [header, events] of runs()) {
    const read = await readBack(encodeFtrace(header, events));
    assertEquals(read, { header, events });
    count++;
  }
  assert(count > 500, `${count} runs`);
});

/** Events of all kinds, whose strings hold whatever strings can. */
const EVENTS = fc.array(
  fc.integer({ min: 0, max: EVENT_NAMES.length - 1 }).chain((code) => {
    const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
    const args = Object.fromEntries(
      (EVENT_ARGS[code] ?? []).map(({ name, type }) => [
        name,
        type === "int"
          ? fc.maxSafeInteger()
          : type === "rw"
          ? fc.constantFrom("read", "write")
          : fc.string({ unit: "grapheme" }),
      ]),
    );
    return fc.record({
      seq: fc.constant(0),
      ts: fc.nat({ max: 2 ** 50 }),
      cpu: fc.nat(),
      ctx: fc.constantFrom("task", "softirq", "hardirq", "kworker"),
      tid: fc.nat({ max: 1e9 - 1 }),
      comm: fc.string({ unit: "grapheme", maxLength: 20 }),
      ev: fc.constant(EVENT_NAMES[code] as string),
      ...args,
    }, {
      requiredKeys: ["seq", "ts", "cpu", "ctx", "tid", "comm", "ev"],
    }).chain((event) => count.map((gap) => ({ event, gap: gap % 3 })));
  }),
  { maxLength: 8 },
).map((list) => {
  let seq = 0;
  return list.map(({ event, gap }) => {
    seq += gap;
    return { ...event, seq: seq++ } as TraceEvent;
  });
});

Deno.test("ftrace: events with any arguments are the same again", async () => {
  await fc.assert(
    fc.asyncProperty(EVENTS, async (events) => {
      const read = await readBack(encodeFtrace({}, events));
      assertEquals(read.events, events);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("chrome: Perfetto can show every run whole", () => {
  for (const [header, events] of runs()) {
    const text = [...encodeChrome(header, events)].join("");
    assertEquals(chromeProblems(text), [], `${header.fs} ${header.scenario}`);
  }
});

Deno.test("chromeProblems() finds what Perfetto would drop", () => {
  const at = { pid: 1, tid: 1, cat: "a", name: "b" };
  const name = { pid: 1, tid: 1, ph: "M", name: "thread_name", args: {} };
  const problems = (...traceEvents: object[]) =>
    chromeProblems(JSON.stringify({ traceEvents: [name, ...traceEvents] }));
  const slice = { ...at, ph: "X", ts: 1, dur: 2 };
  assertEquals(problems(slice), []);
  assertEquals(problems({ ...slice, dur: undefined }), ["1: X without dur"]);
  assertEquals(problems({ ...slice, tid: 0 }), [
    "1: tid 0",
    "thread 1/0 has no name",
  ]);
  assertEquals(problems({ ...slice, ph: "N" }), ["1: phase N"]);
  assertEquals(problems({ ...slice, ts: 1.0005 }), [
    "1: time 1.0005 is no whole nanosecond",
  ]);
  assertEquals(problems(slice, { ...slice, ts: 2 }), [
    "slices of 1/1 overlap at 2",
  ]);
  assertEquals(problems({ ...at, ph: "e", id: 1, ts: 1 }), [
    "1 a 1 b ends without beginning",
  ]);
  const flow = { ...at, id: 1, ts: 5 };
  assertEquals(problems(slice, { ...flow, ph: "s" }), [
    "flow a b 1: no slice around 5",
    "flow a b 1 has no end",
  ]);
});

const SIMULATED = [
  ...encodeJsonl(
    { profile: "v3.12", fs: "ext4", scenario: "aio-write-error" },
    runScenario(
      MODELS.find(({ name }) => name === "ext4")!,
      scenarioById("aio-write-error"),
    ).events,
  ),
].join("");

async function converted(input: string, ...args: string[]): Promise<string> {
  const io = fakeIo(input);
  const status = await trace(["convert", ...args, "-"], io);
  assertEquals([status, io.stderr()], [0, ""]);
  return io.stdout();
}

/** What each format has to look like. */
const LOOKS:
  readonly (readonly [format: string, check: (text: string) => void])[] = [
    ["text", (text) => {
      assertStringIncludes(text, "writer-10");
      for (const line of text.split("\n")) {
        assertLessOrEqual(line.length, 100);
      }
    }],
    ["jsonl", (text) => {
      for (const line of text.trimEnd().split("\n")) JSON.parse(line);
    }],
    [
      "ftrace",
      (text) => assertMatch(text, /\[\d{3}\] \S{5} +\d+\.\d{9}: \w+: /),
    ],
    ["chrome", (text) => assertEquals(chromeProblems(text), [])],
    ["html", (text) => assertMatch(text, /^<!DOCTYPE html>[\s\S]*<\/html>\n$/)],
    ["svg", checkSvg],
    ["mermaid", checkMermaid],
  ];

/** Every element ends, and no text holds what is markup. */
function checkSvg(text: string): void {
  const open: string[] = [];
  for (
    const [, end, name, , empty] of text.matchAll(
      /<(\/?)(\w+)((?:\s[\w-]+="[^"<&]*")*)\s*(\/?)>/g,
    )
  ) {
    if (end !== "") assertEquals(open.pop(), name);
    else if (empty === "") open.push(name!);
  }
  assertEquals(open, []);
  const rest = text.replaceAll(/<\/?\w[^<>]*>/g, "")
    .replaceAll(/&(?:amp|lt|gt|quot|#\d+);/g, "");
  assertEquals(/[<&]/.exec(rest), null);
}

/** The grammar of what Mermaid takes of it. */
function checkMermaid(text: string): void {
  const [head, ...lines] = text.trimEnd().split("\n");
  assertEquals(head, "sequenceDiagram");
  const actors = new Set<string>();
  let messages = 0;
  for (const line of lines) {
    const participant = /^ {4}participant (\w+) as [^;#]+$/.exec(line);
    if (participant) {
      actors.add(participant[1]!);
      continue;
    }
    const step =
      /^ {4}(?:(\w+)(?:-\)|--\)|->>|-->>|-x)(\w+)|Note over ([\w,]+)): (.*)$/
        .exec(line);
    assert(step !== null, line);
    messages++;
    const [, from, to, over, said] = step;
    for (const actor of over?.split(",") ?? [from!, to!]) {
      assert(actors.has(actor), line);
    }
    // These end a line, begin an entity, or end a block.
    assertEquals(
      /;|#(?!\d+;)|\bend\b/.exec(said!.replaceAll(/#\d+;/g, "")),
      null,
    );
  }
  assertLessOrEqual(messages, 101);
}

for (const [format, look] of LOOKS) {
  Deno.test(`convert --to ${format} writes a run of the simulation`, async () => {
    look(await converted(SIMULATED, "--to", format));
  });

  Deno.test({
    name: `convert --to ${format} writes every recording${
      noRecordings === "" ? "" : ` [ignored: ${noRecordings}]`
    }`,
    ignore: noRecordings !== "",
    async fn() {
      for (const { lines } of readRecordings(true)) {
        const input = `${lines.join("\n")}\n`;
        const text = await converted(input, "--to", format);
        if (format !== "text") look(text);
      }
    },
  });
}

Deno.test({
  name: `convert names the workqueue of a recording${
    noRecordings === "" ? "" : ` [ignored: ${noRecordings}]`
  }`,
  ignore: noRecordings !== "",
  async fn() {
    const { lines } = readRecordings(true)
      .find(({ name }) => name === "ext4/delayed_aio_overwrite_dsync")!;
    const input = `${lines.join("\n")}\n`;
    for (const format of ["text", "html", "svg"]) {
      const text = await converted(input, "--to", format);
      assertStringIncludes(text, "queue_work");
      assertStringIncludes(text, "wq=dio/dm-0");
    }
  },
});

Deno.test("convert reads what it has written, whatever the way", async () => {
  const ftrace = await converted(SIMULATED, "--to", "ftrace");
  assertEquals(await converted(ftrace, "--to", "jsonl"), SIMULATED);
  assertEquals(await converted(ftrace, "--to", "ftrace"), ftrace);
});

function eventsIn(jsonl: string): TraceEvent[] {
  return jsonl.trimEnd().split("\n").slice(1).map((line) => JSON.parse(line));
}

const TWO = [
  ...encodeJsonl(
    {},
    runScenario(
      MODELS.find(({ name }) => name === "ext4")!,
      scenarioById("aio-two-writes"),
    ).events,
  ),
].join("");

/** Options, and what must be true of each event that comes through. */
const FILTERS: readonly (readonly [
  args: readonly string[],
  isWanted: (event: TraceEvent) => boolean,
])[] = [
  [["--ctx", "softirq"], ({ ctx }) => ctx === "softirq"],
  [["--ctx", "task,kworker"], ({ ctx }) => ctx === "task" || ctx === "kworker"],
  [
    ["--ev", "submit_bio,bio_endio"],
    ({ ev }) => /^(?:submit_bio|bio_endio)$/.test(ev),
  ],
  [["--ino", "12"], ({ ino }) => ino === 12],
  [["--from", "100", "--to=200ns"], ({ ts }) => ts >= 100 && ts <= 200],
  [["--since", ".2us"], ({ ts }) => ts >= 200],
];

for (const [args, isWanted] of FILTERS) {
  Deno.test(`convert ${args.join(" ")} takes these events and no others`, async () => {
    const left = eventsIn(await converted(TWO, "--to", "jsonl", ...args));
    const all = eventsIn(TWO);
    assertEquals(left, all.filter(isWanted));
    assert(left.length > 0 && left.length < all.length);
  });
}

Deno.test("convert --iocb and --dio take a request from its submission to its event", async () => {
  for (const args of [["--iocb", "2"], ["--dio", "2"]]) {
    const left = eventsIn(await converted(TWO, "--to", "jsonl", ...args));
    assertEquals(left.at(0)?.ev, "io_submit");
    assertEquals(left.at(-1)?.ev, "io_getevents");
    const others = left.filter(({ iocb, dio }) => iocb === 1 || dio === 1);
    assertEquals(others, []);
    assertEquals(left.filter(({ ev }) => ev === "bio_endio").length, 1);
  }
});

const MISTAKES: readonly (readonly [args: readonly string[], said: string])[] =
  [
    [[], "No FILE to convert"],
    [["-"], "Option --to is missing: name a format, text"],
    [["--to", "chrom", "-"], "Unknown format 'chrom': did you mean chrome?"],
    [["--to", "svg", "a", "b"], "Unexpected 'b'"],
    [["--to", "svg", "--dio", "x", "-"], "Cannot use --dio x: give numbers"],
    [["--to", "svg", "--ctx", "nmi", "-"], "Unknown context 'nmi'"],
    [["--to", "svg", "--ev", "submit_boi", "-"], "did you mean submit_bio?"],
    [["--to", "svg", "--since", "soon", "-"], "Cannot use --since soon"],
    [["--to", "svg", "--since", "2us", "--until", "1us", "-"], "nothing lies"],
    [["--to", "svg", "--color", "blue", "-"], "Unknown color 'blue'"],
  ];

for (const [args, said] of MISTAKES) {
  Deno.test(`convert ${args.join(" ")} says what is wrong`, async () => {
    const error = await assertRejects(
      () => trace(["convert", ...args], fakeIo(SIMULATED)),
      UserError,
    );
    assertStringIncludes(error.message, said);
  });
}

Deno.test("convert writes what comes before a malformed line, and says where it is", async () => {
  const io = fakeIo(`${SIMULATED}nonsense\n`);
  assertEquals(await trace(["convert", "--to", "jsonl", "-"], io), 2);
  assertEquals(io.stdout(), SIMULATED);
  const line = SIMULATED.split("\n").length;
  assertStringIncludes(io.stderr(), `stdin:${line}: `);
});

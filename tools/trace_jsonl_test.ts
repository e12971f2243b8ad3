import { assertEquals, assertRejects } from "@std/assert";
import type { TraceEvent } from "../core/mod.ts";
import {
  mountForQuestions,
  runScenario,
  SCENARIOS,
  whyNot,
} from "../conformance/mod.ts";
import { MODELS } from "../fs_models/mod.ts";
import {
  decodeJsonl,
  encodeJsonl,
  TraceFormatError,
  type TraceHeader,
} from "./trace_jsonl.ts";

const HEADER = '{"endio":1,"profile":"v3.12"}';
const FREE =
  '{"seq":0,"ts":5,"cpu":0,"ctx":"task","tid":1,"comm":"a","ev":"dio_free","dio":1}';

/** A line of {@linkcode FREE} with some fields put in place of others. */
function changed(fields: Record<string, unknown>): string {
  return JSON.stringify({ ...JSON.parse(FREE), ...fields });
}

async function* linesOf(lines: Iterable<string>): AsyncGenerator<string> {
  for (const line of lines) yield line.trimEnd();
}

interface Decoded {
  readonly header: TraceHeader;
  readonly events: TraceEvent[];
  readonly lines: number[];
  readonly error: unknown;
}

async function decode(text: Iterable<string>): Promise<Decoded> {
  const { header, events } = await decodeJsonl(linesOf(text));
  const decoded: Decoded = { header, events: [], lines: [], error: null };
  try {
    for await (const { line, event } of events) {
      decoded.events.push(event);
      decoded.lines.push(line);
    }
  } catch (error) {
    return { ...decoded, error };
  }
  return decoded;
}

for (const model of MODELS) {
  Deno.test(`decodeJsonl() reads what encodeJsonl() wrote of ${model.name}`, async () => {
    const asked = mountForQuestions(model);
    for (const scenario of SCENARIOS) {
      if (whyNot(asked, scenario, "v4.10") !== null) continue;
      const { events } = runScenario(model, scenario, { profile: "v4.10" });
      const header: TraceHeader = {
        profile: "v4.10",
        fs: model.name,
        scenario: scenario.id,
        seed: 7,
        clock: "virtual",
        schedule: "endio1:…",
      };
      const decoded = await decode(encodeJsonl(header, events));
      assertEquals(decoded.error, null, scenario.id);
      assertEquals(decoded.header, header);
      assertEquals(decoded.events, events);
      assertEquals(decoded.lines, events.map((_, i) => i + 2));
    }
  });
}

Deno.test("encodeJsonl() writes fields in a stable order", () => {
  const event: TraceEvent = {
    rw: "read",
    bio: 2,
    dio: 1,
    ev: "submit_bio",
    comm: "a",
    tid: 1,
    ctx: "task",
    cpu: 0,
    ts: 5,
    seq: 0,
    sector: 8,
  };
  assertEquals([...encodeJsonl({ schedule: "t", fs: "ext4" }, [event])], [
    '{"endio":1,"fs":"ext4","schedule":"t"}\n',
    '{"seq":0,"ts":5,"cpu":0,"ctx":"task","tid":1,"comm":"a","ev":"submit_bio","bio":2,"dio":1,"rw":"read","sector":8}\n',
  ]);
});

Deno.test("decodeJsonl() does without optional fields", async () => {
  const { header, events } = await decode(['{"endio":1}', FREE]);
  assertEquals(header, {});
  assertEquals(events.length, 1);
});

const BAD_HEADERS: [line: string, message: string][] = [
  ["", 'no trace of endio: its first line is no header {"endio":1,…}'],
  [FREE, 'no trace of endio: its first line is no header {"endio":1,…}'],
  ["[1]", 'no trace of endio: its first line is no header {"endio":1,…}'],
  ['{"endio":2}', "version 2 of the format; this endio reads 1"],
  ['{"endio":1,"fsx":"a"}', "unknown field 'fsx' in the header"],
  ['{"endio":1,"toString":1}', "unknown field 'toString' in the header"],
  [
    '{"endio":1,"profile":"v2"}',
    "field 'profile' is \"v2\", not v3.12, v4.10, v6.1",
  ],
  ['{"endio":1,"seed":"1"}', "field 'seed' is \"1\", not an integer from 0"],
];

for (const [line, message] of BAD_HEADERS) {
  Deno.test(`decodeJsonl() refuses the header ${line}`, async () => {
    const error = await assertRejects(() => decode([line]), TraceFormatError);
    assertEquals([error.line, error.message], [1, message]);
  });
}

Deno.test("decodeJsonl() refuses an empty trace", async () => {
  const error = await assertRejects(() => decode([]), TraceFormatError);
  assertEquals([error.line, error.message], [1, "the trace is empty"]);
});

const BAD_LINES: [line: string, message: string][] = [
  [FREE.slice(0, 40), "the trace ends in the middle of this line"],
  ["[]", "this line is not a JSON object"],
  [changed({ ev: "dio_fre" }), "unknown event 'dio_fre'"],
  [changed({ ev: "constructor" }), "unknown event 'constructor'"],
  [changed({ bytes: 4 }), "unknown field 'bytes' of dio_free"],
  [
    FREE.replace("}", ',"__proto__":1}'),
    "unknown field '__proto__' of dio_free",
  ],
  [changed({ dio: "1" }), "field 'dio' is \"1\", not an integer"],
  [changed({ dio: null }), "field 'dio' is null, not an integer"],
  [
    changed({ ts: 1.5 }),
    "field 'ts' is 1.5, not an integer from 0, in nanoseconds",
  ],
  [changed({ tid: undefined }), "field 'tid' is missing"],
  [
    changed({ ctx: "nmi" }),
    "field 'ctx' is \"nmi\", not task, softirq, hardirq, kworker",
  ],
];

for (const [line, message] of BAD_LINES) {
  Deno.test(`decodeJsonl() reads up to a line where ${message}`, async () => {
    const { events, error } = await decode([HEADER, FREE, line]);
    assertEquals(events.length, 1);
    const { line: at, message: said } = error as TraceFormatError;
    assertEquals([at, said], [3, message]);
  });
}

Deno.test("decodeJsonl() takes a cut line in the middle for what it is", async () => {
  const { error } = await decode([HEADER, "{,}", FREE]);
  const { line, message } = error as TraceFormatError;
  assertEquals([line, message], [2, "this line is not a JSON object"]);
});

Deno.test("decodeJsonl() passes over blank lines, and counts them", async () => {
  const { lines, error } = await decode([HEADER, "", FREE, " ", FREE, ""]);
  assertEquals([lines, error], [[3, 5], null]);
});

Deno.test("decodeJsonl() gives an event before the next line is there", async () => {
  const { readable, writable } = new TransformStream<string, string>();
  const writer = writable.getWriter();
  const writes = [writer.write(HEADER), writer.write(FREE)];
  const { events } = await decodeJsonl(readable.values());
  const { value } = await events.next();
  assertEquals(value?.line, 2);
  await events.return();
  await Promise.all(writes);
});

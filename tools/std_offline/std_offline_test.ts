// The same tests hold for the stand-ins (`deno test`) and for the genuine
// packages (`deno task test:jsr`), so that the one may stand for the other.

import {
  assert,
  assertArrayIncludes,
  assertEquals,
  assertExists,
  assertFalse,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  AssertionError,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertObjectMatch,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
  equal,
  fail,
  unreachable,
} from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import { ProgressBar } from "@std/cli/unstable-progress-bar";
import { mergeReadableStreams, TextLineStream, toText } from "@std/streams";
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  it,
} from "@std/testing/bdd";
import { stripVTControlCharacters } from "node:util";

/** The message of the assertion that fails, its colours taken off. */
function failure(assertion: () => unknown): string {
  return stripVTControlCharacters(
    assertThrows(assertion, AssertionError).message,
  );
}

const EQUAL: [name: string, a: unknown, b: unknown][] = [
  ["NaN", NaN, NaN],
  ["zeros of either sign", 0, -0],
  ["objects whatever the order of keys", { a: 1, b: [2] }, { b: [2], a: 1 }],
  ["an object without prototype", Object.create(null), {}],
  ["bytes", new Uint8Array([1, 2]), new Uint8Array([1, 2])],
  ["big integers in arrays", new BigInt64Array(2), new BigInt64Array(2)],
  ["buffers", new ArrayBuffer(3), new ArrayBuffer(3)],
  ["dates", new Date(5), new Date(5)],
  ["patterns", /a/g, /a/g],
  ["sets of objects", new Set([{ a: 1 }]), new Set([{ a: 1 }])],
  ["maps", new Map([["k", { v: 1 }]]), new Map([["k", { v: 1 }]])],
  ["maps by object", new Map([[{ k: 1 }, 1]]), new Map([[{ k: 1 }, 1]])],
];

const UNEQUAL: [name: string, a: unknown, b: unknown][] = [
  ["a number and a text", 1, "1"],
  ["a missing key and an undefined one", {}, { a: undefined }],
  ["an undefined key and another", { a: undefined }, { b: undefined }],
  ["arrays of other length", [1, 2], [1]],
  ["an array and an object", [], {}],
  ["bytes", new Uint8Array([1, 2]), new Uint8Array([1, 3])],
  ["kinds of arrays", new Uint8Array(2), new Int8Array(2)],
  ["instances of two classes", new class A {}(), new class B {}()],
  ["dates", new Date(5), new Date(6)],
  ["flags of patterns", /a/g, /a/i],
  ["sets", new Set([1]), new Set([2])],
  ["values of maps", new Map([["k", 1]]), new Map([["k", 2]])],
  ["null and an object", null, {}],
];

for (const [name, a, b] of EQUAL) {
  Deno.test(`assert equal() holds for ${name}`, () => {
    assert(equal(a, b));
    assert(equal(b, a));
    assertEquals(a, b);
    assertThrows(() => assertNotEquals(a, b), AssertionError);
  });
}

for (const [name, a, b] of UNEQUAL) {
  Deno.test(`assert equal() tells apart ${name}`, () => {
    assertFalse(equal(a, b));
    assertFalse(equal(b, a));
    assertNotEquals(a, b);
    assertThrows(() => assertEquals(a, b), AssertionError);
  });
}

Deno.test("assert equal() compares values that contain themselves", () => {
  const ring = (length: number) => {
    const value: Record<string, unknown> = { length };
    value.self = value;
    return value;
  };
  assert(equal(ring(1), ring(1)));
  assertFalse(equal(ring(1), ring(2)));
});

Deno.test("assertEquals() shows where two values differ", () => {
  const message = failure(() => assertEquals({ a: 1, b: 2 }, { a: 1, b: 3 }));
  assertMatch(message, /^Values are not equal\.\n/);
  assertStringIncludes(message, "[Diff] Actual / Expected");
  assertStringIncludes(message, "\n-     b: 2,\n");
  assertStringIncludes(message, "\n+     b: 3,\n");
});

Deno.test("assertions end in the caller's words or a full stop", () => {
  const words = [
    failure(() => assertEquals(1, 2, "why")),
    failure(() => assertStrictEquals(1, 2, "why")),
    failure(() => assertMatch("a", /b/, "why")),
  ].map((message) => message.split("\n")[0]);
  assertEquals(words, [
    "Values are not equal: why",
    "Values are not strictly equal: why",
    'Expected actual: "a" to match: "/b/": why',
  ]);
});

Deno.test("assertStrictEquals() wants the very same value", () => {
  const value = { a: 1 };
  assertStrictEquals(value, value);
  assertStrictEquals(NaN, NaN);
  assertMatch(
    failure(() => assertStrictEquals({ a: 1 }, value)),
    /^Values have the same structure but are not reference-equal\.\n/,
  );
  assertThrows(() => assertStrictEquals(0, -0), AssertionError);
});

const FAILURES: [assertion: () => unknown, message: string][] = [
  [() => assert(0, "nought"), "nought"],
  [() => assertFalse(1, "one"), "one"],
  [
    () => assertExists(null),
    'Expected actual: "null" to not be null or undefined.',
  ],
  [
    () => assertStringIncludes("abc", "d"),
    'Expected actual: "abc" to contain: "d".',
  ],
  [() => assertMatch("abc", /d/), 'Expected actual: "abc" to match: "/d/".'],
  [() => assertNotEquals(1, 1), "Expected actual: 1 not to be: 1."],
  [() => assertGreater(1, 1), "Expect 1 > 1"],
  [() => assertGreaterOrEqual(1, 2), "Expect 1 >= 2"],
  [() => assertLess(1, 1), "Expect 1 < 1"],
  [() => assertLessOrEqual(2, 1), "Expect 2 <= 1"],
  [() => assertLess(1, 1, "in order"), "in order"],
  [
    () => assertInstanceOf(1, Date),
    'Expected object to be an instance of "Date" but was "number".',
  ],
  [
    () => assertInstanceOf(null, Date),
    'Expected object to be an instance of "Date" but was "null".',
  ],
  [
    () => assertInstanceOf(new Date(), Map),
    'Expected object to be an instance of "Map" but was "Date".',
  ],
  [() => fail("by hand"), "Failed assertion: by hand"],
  [() => fail(), "Failed assertion."],
  [() => unreachable(), "Unreachable."],
  [() => assertThrows(() => {}), "Expected function to throw."],
];

for (const [assertion, message] of FAILURES) {
  Deno.test(`assert fails with the message ${message}`, () => {
    assertEquals(failure(assertion), message);
  });
}

Deno.test("assert passes what holds", () => {
  assert("text");
  assertFalse(0);
  assertExists(0);
  assertStringIncludes("abc", "b");
  assertMatch("abc", /^a/);
  assertGreater(2, 1);
  assertGreaterOrEqual(1n, 1n);
  assertLess("a", "b");
  assertLessOrEqual(1, 1);
  assertInstanceOf(new TypeError(), Error);
});

Deno.test("assertArrayIncludes() finds elements by their structure", () => {
  assertArrayIncludes([{ a: 1 }, { a: 2 }, { a: 3 }], [{ a: 2 }]);
  const message = failure(() => assertArrayIncludes([1, 2], [2, 3]));
  assertStringIncludes(message, "to include:");
  assertMatch(message, /\nmissing: \[\s*3,?\s*\]$/);
});

Deno.test("assertObjectMatch() compares what is expected only", () => {
  assertObjectMatch({ a: 1, b: { c: 2, d: 3 } }, { b: { c: 2 } });
  assertObjectMatch({ list: [{ a: 1, b: 2 }] }, { list: [{ a: 1 }] });
  const message = failure(() =>
    assertObjectMatch({ a: 1, b: { c: 2 } }, { b: { c: 3 } })
  );
  assertStringIncludes(message, "\n-       c: 2,\n");
  assertThrows(() => assertObjectMatch({ a: 1 }, { a: 1, b: 2 }));
});

Deno.test("assertThrows() returns the error and checks its class and text", () => {
  const thrown = new RangeError("too far");
  const throwing = () => {
    throw thrown;
  };
  assertStrictEquals(assertThrows(throwing), thrown);
  assertStrictEquals(assertThrows(throwing, RangeError, "far"), thrown);
  assertEquals(
    failure(() => assertThrows(throwing, TypeError)),
    'Expected error to be instance of "TypeError", but was "RangeError".',
  );
  assertEquals(
    failure(() => assertThrows(throwing, RangeError, "near")),
    'Expected error message to include "near", but got "too far".',
  );
});

Deno.test("assertRejects() returns the reason and checks its class and text", async () => {
  const reason = new TypeError("not that");
  const rejecting = () => Promise.reject(reason);
  assertStrictEquals(await assertRejects(rejecting), reason);
  assertStrictEquals(await assertRejects(rejecting, TypeError, "not"), reason);
  const messages = [
    await assertRejects(() => assertRejects(() => Promise.resolve())),
    await assertRejects(() =>
      assertRejects(() => {
        throw reason;
      })
    ),
    await assertRejects(() => assertRejects(rejecting, RangeError)),
  ].map((error) => (error as Error).message);
  assertEquals(messages, [
    "Expected function to reject.",
    "Function throws when expected to reject.",
    'Expected error to be instance of "RangeError", but was "TypeError".',
  ]);
});

/** What the suites below did, in order. */
const calls: string[] = [];

describe("testing bdd", () => {
  beforeAll(() => void calls.push("beforeAll"));
  beforeEach(() => void calls.push("beforeEach"));
  afterEach(() => void calls.push("afterEach"));
  afterAll(() => void calls.push("afterAll"));

  it("runs a case between the hooks", () => void calls.push("case"));
  it("takes options", { sanitizeOps: true }, async (t) => {
    await t.step("and gives the context of the test", () => {
      calls.push("step");
    });
  });
  it.ignore("leaves out an ignored case", () => unreachable());
  it.skip("leaves out a skipped case", () => unreachable());
  it("leaves out by option", { ignore: true }, () => unreachable());

  describe("inner suite", () => {
    beforeEach(() => void calls.push("inner beforeEach"));
    afterEach(() => void calls.push("inner afterEach"));
    it({ name: "runs inside both", fn: () => void calls.push("inner") });
  });
});

describe.ignore("testing bdd, ignored suite", () => {
  it("is not even registered", () => unreachable());
});

describe("testing bdd, options", { sanitizeResources: true }, () => {
  beforeEach(function (this: { value?: number }) {
    this.value = 7;
  });
  it("shares `this` with the hooks", function (this: { value?: number }) {
    assertEquals(this.value, 7);
  });
});

it("testing bdd, a case outside of any suite comes in its turn", () => {
  assertEquals(calls, [
    ...["beforeAll", "beforeEach", "case", "afterEach"],
    ...["beforeEach", "step", "afterEach"],
    ...["beforeEach", "inner beforeEach", "inner"],
    ...["inner afterEach", "afterEach", "afterAll"],
  ]);
});

Deno.test("parseArgs() gives values the types the options say", () => {
  const args = parseArgs(
    ["-o", "out", "--json", "--fs=ext4", "--fs", "xfs", "--seed", "7", "FILE"],
    {
      alias: { o: "output" },
      boolean: ["json", "quiet"],
      collect: ["fs"],
      default: { format: "text" },
      string: ["fs", "format", "output"],
    },
  );
  const json: boolean = args.json;
  const fs: string[] = args.fs;
  const output: string | undefined = args.output;
  const format: string = args.format;
  assertEquals([json, args.quiet, fs, output, format, args.seed, args._], [
    ...[true, false, ["ext4", "xfs"], "out", "text", 7, ["FILE"]],
  ]);
});

const COMMAND_LINES: [line: string, parsed: Record<string, unknown>][] = [
  ["", { _: [] }],
  ["a 12 0x10 -", { _: ["a", 12, 16, "-"] }],
  ["--long value", { long: "value", _: [] }],
  ["--long=a=b", { long: "a=b", _: [] }],
  ["--long= next", { long: "", _: ["next"] }],
  ["--long --other", { long: true, other: true, _: [] }],
  ["--long -1", { long: true, 1: true, _: [] }],
  ["-abc value", { a: true, b: true, c: "value", _: [] }],
  ["-n5", { n: 5, _: [] }],
  ["-n=5 -x=a", { n: 5, x: "a", _: [] }],
  ["-o -", { o: "-", _: [] }],
  ["--o -", { o: true, _: ["-"] }],
  ["--a 1 --a 2", { a: 2, _: [] }],
  ["--a 1 -- --b", { a: 1, _: ["--b"] }],
  ["--no-color", { "no-color": true, _: [] }],
];

for (const [line, parsed] of COMMAND_LINES) {
  Deno.test(`parseArgs() reads the command line "${line}"`, () => {
    assertEquals(parseArgs(line === "" ? [] : line.split(" ")), parsed);
  });
}

Deno.test("parseArgs() takes a string as it is, and an empty one without value", () => {
  const given = ["--a", "007", "-b", "08", "09"];
  assertEquals<unknown>(parseArgs(given, { string: ["a", "b", "_"] }), {
    a: "007",
    b: "08",
    _: ["09"],
  });
  assertEquals(parseArgs(["--a", "--b"], { string: ["a", "b"] }), {
    a: "",
    b: "",
    _: [],
  });
});

Deno.test("parseArgs() lets a boolean take no value but true and false", () => {
  const args = parseArgs(["--a", "x", "-b", "false"], {
    alias: { a: "all" },
    boolean: ["a", "b"],
  });
  assertEquals(args, { a: true, all: true, b: false, _: ["x"] });
  assertEquals(parseArgs(["--x", "y"], { boolean: true }), {
    x: true,
    _: ["y"],
  });
  assertEquals(parseArgs(["--a=false"], { boolean: "a" }).a, false);
});

Deno.test("parseArgs() negates what is negatable", () => {
  const read = (line: string[]) =>
    parseArgs(line, {
      boolean: ["color"],
      default: { color: true },
      negatable: ["color"],
    }).color;
  assertEquals([read([]), read(["--no-color"])], [true, false]);
});

Deno.test("parseArgs() collects what may be repeated", () => {
  const options = { collect: ["f", "g"], string: ["f", "g"] };
  assertEquals(parseArgs(["-f", "1", "--f=2"], options), {
    f: ["1", "2"],
    g: [],
    _: [],
  });
});

Deno.test("parseArgs() keeps apart what follows a double dash", () => {
  const args = parseArgs(["a", "--", "-b", "1"], { "--": true });
  const after: string[] = args["--"];
  assertEquals(args._, ["a"]);
  assertEquals(after, ["-b", "1"]);
});

Deno.test("parseArgs() leaves alone what follows the first argument", () => {
  const args = parseArgs(["-a", "--b=1", "run", "-c"], {
    boolean: ["a"],
    stopEarly: true,
  });
  assertEquals(args._, ["run", "-c"]);
  assertEquals(args.c, undefined);
});

Deno.test("parseArgs() asks about unknown arguments", () => {
  const asked: unknown[][] = [];
  const args = parseArgs(["--known", "--what=1", "-x", "file"], {
    boolean: ["known"],
    unknown: (...argument) => {
      asked.push(argument);
      return argument.length === 1;
    },
  });
  assertEquals(asked, [
    ["--what=1", "what", "1"],
    ["-x", "x", "file"],
  ]);
  assertEquals(args, { known: true, _: [] });
});

/** A stream to write to, and what was written. */
function sink(): { writable: WritableStream<Uint8Array>; text: () => string } {
  const decoder = new TextDecoder();
  let text = "";
  const writable = new WritableStream<Uint8Array>({
    write: (chunk) => void (text += decoder.decode(chunk, { stream: true })),
  });
  return { writable, text: () => text };
}

Deno.test("ProgressBar draws at once and at the end, each time on one line", async () => {
  const { writable, text } = sink();
  const bar = new ProgressBar({ max: 4096, barLength: 8, writable });
  bar.value += 2048;
  await bar.stop();
  assertEquals(
    text(),
    "\r\x1b[K[00:00] [--------] [0.00/4.00 KiB]" +
      "\r\x1b[K[00:00] [####----] [2.00/4.00 KiB]\n",
  );
});

Deno.test("ProgressBar takes a formatter and can disappear", async () => {
  const { writable, text } = sink();
  const bar = new ProgressBar({
    max: 3,
    value: 1,
    barLength: 3,
    fillChar: "=",
    emptyChar: ".",
    clear: true,
    keepOpen: false,
    formatter: ({ progressBar, value, max }) =>
      `${progressBar} ${value}/${max}`,
    writable,
  });
  await bar.stop();
  assertEquals(text(), "\r\x1b[K=.. 1/3\r\x1b[K");
});

/** The lines of a text that comes in pieces. */
function linesOf(pieces: string[], allowCR = false): Promise<string[]> {
  const lines = ReadableStream.from(pieces)
    .pipeThrough(new TextLineStream({ allowCR }));
  return Array.fromAsync(lines);
}

Deno.test("TextLineStream cuts at line ends wherever the pieces end", async () => {
  const text = "one\r\ntwo\n\nthr\ree\r\nlast";
  const lines = ["one", "two", "", "thr\ree", "last"];
  for (let cut = 0; cut <= text.length; cut++) {
    const pieces = [text.slice(0, cut), "", text.slice(cut)];
    assertEquals(await linesOf(pieces), lines, `cut at ${cut}`);
  }
  assertEquals(await linesOf([...text]), lines);
});

Deno.test("TextLineStream can cut at carriage returns", async () => {
  const text = "a\rb\r\nc\n\rd\r";
  const lines = ["a", "b", "c", "", "d"];
  assertEquals(await linesOf([text], true), lines);
  assertEquals(await linesOf([...text], true), lines);
});

Deno.test("TextLineStream gives no line for no text", async () => {
  assertEquals(await linesOf([]), []);
  assertEquals(await linesOf(["\n"]), [""]);
});

Deno.test("mergeReadableStreams() gives every chunk of every stream", async () => {
  const merged = mergeReadableStreams(
    ReadableStream.from([1, 3]),
    ReadableStream.from([2]),
    ReadableStream.from<number>([]),
  );
  assertEquals((await Array.fromAsync(merged)).sort(), [1, 2, 3]);
});

Deno.test("mergeReadableStreams() fails when a stream fails", async () => {
  const broken = new ReadableStream<number>({
    start: (controller) => controller.error(new RangeError("broken")),
  });
  const merged = mergeReadableStreams(ReadableStream.from([1]), broken);
  await assertRejects(() => Array.fromAsync(merged), RangeError, "broken");
});

Deno.test("toText() reads texts, and bytes cut inside a character", async () => {
  assertEquals(await toText(ReadableStream.from(["a", "b"])), "ab");
  const bytes = new TextEncoder().encode("aéb");
  const stream = ReadableStream.from([bytes.slice(0, 2), bytes.slice(2)]);
  assertEquals(await toText(stream), "aéb");
});

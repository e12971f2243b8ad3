import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { LINE } from "./line.ts";
import { MAX_LINE_BYTES, RecordingReader } from "./reader.ts";

const encoder = new TextEncoder();
const MARK = "a-1 [000] ..... 1.500000: tracing_mark_write: END x/y";
const FREE =
  "a-1 [000] ..... 1.500000: dio_free: (dio_complete+0x1/0x2) dio=0x1";

/** Reads a text in pieces. */
function read(text: string | Uint8Array, size: number = Infinity) {
  const reader = new RecordingReader();
  const bytes = typeof text === "string" ? encoder.encode(text) : text;
  for (let at = 0; at < bytes.length; at += size) {
    reader.push(bytes.slice(at, at + size));
  }
  reader.end();
  return reader;
}

Deno.test("RecordingReader reads the same whatever the pieces", () => {
  const text = `# tracer: nop\n${FREE}\n\n${FREE}\r\nhello\n${MARK}\n`;
  const whole = read(text);
  assertEquals([...whole.recording.lines], [1, 2, 3, 0, 0]);
  for (let size = 1; size < 40; size++) {
    const { recording, bad } = read(text, size);
    assertEquals(recording.lines, whole.recording.lines);
    assertEquals(bad, whole.bad);
  }
});

Deno.test("RecordingReader gives back the text of lines", () => {
  const reader = read(`${FREE}\n${MARK}\r\n`, 7);
  assertEquals([reader.text(1), reader.text(2)], [FREE, MARK]);
  assertEquals([reader.text(0), reader.text(3)], [null, null]);
});

Deno.test("RecordingReader forgets what is far back", () => {
  const reader = read(`${FREE}\n`.repeat(20_000), 1 << 16);
  assertEquals(reader.text(1), null);
  assertEquals(reader.text(20_000), FREE);
});

Deno.test("RecordingReader does not take a cut line for a whole one", () => {
  const { recording, bad } = read(`${FREE}\n${FREE.slice(0, -3)}`);
  assertEquals(recording.lines[LINE.event], 1);
  assertEquals(bad, [{
    line: 2,
    message: "the recording ends in the middle of this line",
  }]);
});

Deno.test("RecordingReader takes a mark without an end for whole", () => {
  const { recording, bad } = read(`${FREE}\n${MARK}`);
  assertEquals([recording.lines[LINE.event], bad], [2, []]);
});

Deno.test("RecordingReader passes over a line of 100 MB", () => {
  const reader = new RecordingReader();
  reader.push(encoder.encode(`${FREE}\n`));
  const piece = new Uint8Array(1 << 20).fill(0x61);
  for (let i = 0; i < 100; i++) reader.push(piece);
  reader.push(encoder.encode(`\n${FREE}\n`));
  reader.end();
  const { recording, bad } = reader;
  assertEquals([...recording.lines], [1, 0, 2, 0, 0]);
  const message = `this line is longer than ${MAX_LINE_BYTES} bytes`;
  assertEquals(bad, [{ line: 2, message }]);
  assertEquals(reader.text(3), FREE);
});

const PIECES = [
  "a-1 [000] ..... 1.5: ",
  "dio_complete: (dio_complete+0x0/0x1f0) dio=0x1 ret=0 flags=0x1 result=9",
  "dio_complete_ret: (a+0x1/0x2 <- dio_complete) ret=-5",
  "bio_endio: (bio_endio+0x0/0x150) bio=0x1 status=10 remaining=1",
  "submit_bio: (submit_bio+0x0/0xa0) bio=0x1 end_io=dio_bio_end_aio+0x0/0x1 private=0x1",
  "workqueue_queue_work: work struct=01 function=dio_aio_complete_work workqueue=dio/a",
  "workqueue_execute_start: work struct 01: function dio_aio_complete_work",
  "tracing_mark_write: BEGIN a/b",
  "tracing_mark_write: EVENT iocb=0 res=9",
  "io_submit_one <-x",
  "CPU:0 [LOST 3 EVENTS]",
  "# TRIMMED (events removed): submit_bio 3",
  "iocb=0x",
  "=",
  "[",
  "\0",
  "\n",
];

Deno.test("RecordingReader survives anything, and tells the line", () => {
  const text = fc.array(
    fc.oneof(
      fc.constantFrom(...PIECES).map((piece) => encoder.encode(piece)),
      fc.uint8Array({ maxLength: 40 }),
      fc.constant(encoder.encode("\n")),
    ),
    { maxLength: 60 },
  ).map((parts) => new Uint8Array(parts.flatMap((part) => [...part])));
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 300 }), (bytes, size) => {
      const { recording, bad } = read(bytes, size);
      const lines = bytes.filter((byte) => byte === 0x0a).length + 1;
      for (const { line } of bad) assert(line >= 1 && line <= lines);
      for (const { lines: broken } of recording.findings) {
        for (const line of broken) assert(line >= 1 && line <= lines);
      }
    }),
    { numRuns: 2000 },
  );
});

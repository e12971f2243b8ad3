import { assert, assertEquals } from "@std/assert";
import { FtraceLine, LEVEL, LINE } from "./line.ts";

/** What a line is, taken apart. */
function parse(text: string) {
  const bytes = new TextEncoder().encode(text);
  const line = new FtraceLine();
  const kind = line.parse(bytes, 0, bytes.length);
  const piece = (from: number, to: number) =>
    new TextDecoder().decode(bytes.subarray(from, to));
  return {
    kind,
    comm: piece(line.commAt, line.commEnd),
    pid: line.pid,
    cpu: line.cpu,
    level: line.level,
    ts: line.ts,
    name: piece(line.nameAt, line.nameEnd),
    args: piece(line.argsAt, line.argsEnd),
    lost: line.lost,
  };
}

const EVENTS: [what: string, line: string, expected: object][] = [
  [
    "the kernel's trace",
    "             fio-1234    [002] d.h1.   100.000350: bio_endio: (bio_endio+0x0/0x150) bio=0x1",
    {
      comm: "fio",
      pid: 1234,
      cpu: 2,
      level: LEVEL.hardirq,
      ts: 100000350000,
      name: "bio_endio",
      args: "(bio_endio+0x0/0x150) bio=0x1",
    },
  ],
  [
    "a thread group",
    "  fio-12      (     12) [000] ..s..     1.000001: bio_endio: bio=1",
    { comm: "fio", pid: 12, level: LEVEL.softirq, ts: 1000001000 },
  ],
  [
    "a thread without a known group",
    "  fio-12      (-------) [000] .....     1.000001: bio_endio: bio=1",
    { comm: "fio", pid: 12, level: LEVEL.task },
  ],
  [
    "flags without migrate-disable, as before Linux 5.14",
    "  fio-12 [000] d.h. 1.000001: bio_endio: bio=1",
    { level: LEVEL.hardirq, name: "bio_endio" },
  ],
  [
    "a hardirq inside a softirq",
    "  fio-12 [000] dNH3. 1.000001: bio_endio: bio=1",
    { level: LEVEL.hardirq },
  ],
  [
    "a breakpoint's context",
    "  fio-12 [000] ..Zff 1.000001: dio_free: dio=1",
    { level: LEVEL.unknown },
  ],
  [
    "a kworker, whose name has dashes and a slash",
    "   kworker/0:1H-dio-17      [000] .....    49.338644: workqueue_execute_start: work struct 1: function f",
    { comm: "kworker/0:1H-dio", pid: 17, name: "workqueue_execute_start" },
  ],
  [
    "a name with blanks and brackets",
    "   a [b] c-d-17      [000] .....    49.338644: dio_free: dio=1",
    { comm: "a [b] c-d", pid: 17 },
  ],
  [
    "the idle thread",
    "          <idle>-0       [001] dNh2.    49.339422: dio_complete_ret: ret=1",
    { comm: "<idle>", pid: 0, cpu: 1 },
  ],
  [
    "trace-cmd report, with the blanks that it puts behind the name",
    "           fio-1234  [002]   100.000350123: bio_endio:            bio=0x1",
    {
      comm: "fio",
      level: LEVEL.unknown,
      ts: 100000350123,
      name: "bio_endio",
      args: "bio=0x1",
    },
  ],
  [
    "perf script, with the group of the event",
    "fio  1234 [002]   100.000350: probe:bio_endio: (ffffffff81234560) bio=0x1",
    {
      comm: "fio",
      pid: 1234,
      level: LEVEL.unknown,
      name: "bio_endio",
      args: "(ffffffff81234560) bio=0x1",
    },
  ],
  ["an event without arguments", "a-1 [000] ..... 1.5: e:", {
    name: "e",
    args: "",
    ts: 1500000000,
  }],
];

for (const [what, text, expected] of EVENTS) {
  Deno.test(`FtraceLine reads ${what}`, () => {
    const found = parse(text);
    assertEquals(found.kind, LINE.event);
    assertEquals({ ...found, ...expected }, found);
  });
}

const OTHERS: [line: string, kind: number][] = [
  ["", LINE.note],
  ["   ", LINE.note],
  ["# tracer: nop", LINE.note],
  ["##### CPU 2 buffer started ####", LINE.note],
  ["cpus=2", LINE.note],
  ["CPU 1 is empty", LINE.note],
  ["CPU:2 [LOST 17 EVENTS]", LINE.lost],
  ["CPU:2 [EVENTS DROPPED]", LINE.lost],
  ["a-1 [000] ..... 1.5: submit_bio <-iomap_dio_bio_iter", LINE.call],
  ["a-1 [000] ..... 1.5: function:  submit_bio <-- iomap", LINE.call],
  ["hello", LINE.bad],
  ["a-1 [000] ..... 1.5:", LINE.bad],
  ["a-1 [000] ..... 1.5: e", LINE.bad],
  ["a-1 [000] ..... 1: e: ", LINE.bad],
  ["a-1 [000] ..... 1.0000000001: e: ", LINE.bad],
  ["a-1 [000 ..... 1.5: e: ", LINE.bad],
  ["a [000] ..... 1.5: e: ", LINE.bad],
  ["-1 [000] ..... 1.5: e: ", LINE.bad],
  ["a-1 [000] .. 1.5: e: ", LINE.bad],
  ["a-1 [000] ..... 1.5: é: ", LINE.bad],
  ["\0\0\0", LINE.bad],
];

for (const [text, kind] of OTHERS) {
  Deno.test(`FtraceLine tells '${text.replaceAll("\0", "NUL ")}'`, () => {
    assertEquals(parse(text).kind, kind);
  });
}

Deno.test("FtraceLine tells how many events were lost, and where", () => {
  const { lost, cpu } = parse("CPU:2 [LOST 17 EVENTS]");
  assertEquals([lost, cpu], [17, 2]);
});

Deno.test("FtraceLine reads nothing behind the end of its line", () => {
  const bytes = new TextEncoder().encode("a-1 [000] ..... 1.5: e: x=1 y=2");
  const line = new FtraceLine();
  assertEquals(line.parse(bytes, 0, 27), LINE.event);
  assertEquals(line.argsEnd, 27);
  const name = "a-1 [000] ..... 1.5: e:".length;
  for (let to = 0; to < name; to++) {
    assert(line.parse(bytes, 0, to) !== LINE.event, `${to} bytes`);
  }
});

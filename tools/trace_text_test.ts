import {
  assert,
  assertEquals,
  assertGreater,
  assertLessOrEqual,
} from "@std/assert";
import { random, type TraceEvent } from "../core/mod.ts";
import {
  mountForQuestions,
  runScenario,
  type Scenario,
  scenarioById,
  SCENARIOS,
  whyNot,
} from "../conformance/mod.ts";
import { MODELS } from "../fs_models/mod.ts";
import { renderText, type TextOptions } from "./trace_text.ts";

const EXT4 = MODELS.find(({ name }) => name === "ext4")!;

function eventsOf(scenario: Scenario, seed?: number): readonly TraceEvent[] {
  const options = seed === undefined ? {} : { strategy: random(seed) };
  return runScenario(EXT4, scenario, options).events;
}

function render(
  events: readonly TraceEvent[],
  options: TextOptions = {},
): string[] {
  return [...renderText(events, options)].map((line) => line.trimEnd());
}

/** What the mount did is left out. */
const UNWRITTEN = eventsOf(scenarioById("aio-write-unwritten"))
  .filter(({ comm, ev }) => comm !== "swapper" || ev === "trace_end");

/** What a deferred write is made of; the numbers do not count the rest. */
const STEPS = [
  "alloc_workqueue",
  "submit_bio",
  "direct_IO_return",
  "bio_endio",
  "queue_work",
  "workqueue_execute_start",
  "end_io",
  "inode_dio_done",
  "aio_complete",
  "wake_up_process",
  "dio_free",
  "io_getevents",
];

const DEFERRED = `
seq   ns  writer-10                   softirq/1                   kworker/1:0-dio/sda
  0  100  ┃ alloc_workqueue name=dio/sda                          │
  1       ┃ submit_bio bio=1 ────────▶│                           │
  2       ┃ inode_dio_done dio=0 count=1                          │
  3       ┃ direct_IO_return ret=-EIOCBQUEUED                     │
  4  200  │                           ┃ bio_endio bio=1 dio=1 error=0
  5       │                           ┃ queue_work wq=dio/sda ───▶│
  6  300  │                           │                           ┃ workqueue_execute_start dio=1
  7       │                           │                           ┃ end_io dio=1 ext4_end_io_dio
  8       │                           │                           ┃ inode_dio_done dio=1 count=0
  9       │                           │                           ┃ aio_complete iocb=1 res=4096
 10       │◀──────────────────────────┼───────────────────────────┃ wake_up_process target=writer
 11       │                           │                           ┃ dio_free dio=1
 12  400  ┃ io_getevents iocb=1 res=4096                          │`;

Deno.test("renderText() shows who completes a deferred write", () => {
  const end = UNWRITTEN.findIndex(({ ev }) => ev === "io_getevents") + 1;
  const steps = UNWRITTEN.slice(0, end)
    .filter(({ ev }) => STEPS.includes(ev))
    .map((event, seq) => ({ ...event, seq }));
  assertEquals(`\n${render(steps).join("\n")}`, DEFERRED);
});

Deno.test("renderText() gives the column of a task that ended to the next", () => {
  const lines = render(UNWRITTEN);
  const at = lines.findIndex((line) => line.includes("umount-12"));
  assertEquals(lines[at]?.indexOf("umount-12"), lines[0]?.indexOf("writer-10"));
  assert(lines[at + 1]?.includes("flush_workqueue"));
});

Deno.test("renderText() of no events is nothing", () => {
  assertEquals(render([]), []);
});

for (const scenario of SCENARIOS) {
  Deno.test(`renderText() keeps ${scenario.id} in its width, every event shown`, () => {
    if (whyNot(mountForQuestions(EXT4), scenario, "v3.12") !== null) return;
    for (const seed of [undefined, 1, 2, 3]) {
      const events = eventsOf(scenario, seed);
      for (const width of [72, 80, 100, 160]) {
        const lines = render(events, { width });
        const shown = lines.filter((line) => /^ *\d+ /.test(line));
        assertEquals(shown.length, events.length);
        shown.forEach((line, i) => assert(line.includes(events[i]!.ev), line));
        for (const line of lines) assertLessOrEqual(line.length, width);
      }
    }
  });
}

Deno.test("renderText() has colours only when asked to", () => {
  const coloured = [...renderText(UNWRITTEN, { color: true })].join("");
  assert(coloured.includes("\x1b["));
  // deno-lint-ignore no-control-regex -- the escape sequences.
  const plain = coloured.replaceAll(/\x1b\[\d+m/g, "").replaceAll(
    / +\n/g,
    "\n",
  );
  assertEquals(plain, [...renderText(UNWRITTEN)].join(""));
});

Deno.test("renderText() puts interrupts together when there are too many", () => {
  const events = [0, 1, 2, 3, 4, 5].map((cpu): TraceEvent => ({
    seq: cpu,
    ts: cpu,
    cpu,
    ctx: "softirq",
    tid: 0,
    comm: "<idle>",
    ev: "dio_free",
    dio: cpu,
  }));
  const wide = render(events, { width: 160 });
  assert(wide[0]?.includes("softirq/5"), wide[0]);
  const narrow = render(events, { width: 80 });
  assertEquals(narrow[0], "seq   ns  softirq");
  assertEquals(narrow[3], "  2    2  ┃ [cpu 2] dio_free dio=2");
});

Deno.test("renderText() puts everything together when nothing else fits", () => {
  const events = Array.from({ length: 30 }, (_, i): TraceEvent => ({
    seq: i,
    ts: i,
    cpu: 0,
    ctx: i % 2 ? "task" : "kworker",
    tid: i % 10 + 1,
    comm: "t",
    ev: "dio_free",
    dio: i,
  }));
  const lines = render(events, { width: 60 });
  assert(lines[0]?.endsWith("kworkers"), lines[0]);
  assertEquals(lines.length, 1 + events.length);
});

Deno.test("renderText() shows errors before anything else", () => {
  const lines = render(eventsOf(scenarioById("aio-write-error")), {
    width: 72,
  });
  const failed = lines.filter((line) => line.includes("error=-EIO"));
  assertGreater(failed.length, 1);
});

Deno.test("renderText() puts notes and messages under their event", () => {
  const oops: TraceEvent = {
    seq: 0,
    ts: 0,
    cpu: 0,
    ctx: "task",
    tid: 1,
    comm: "t",
    ev: "oops",
    rule: "released-once/double-free",
    msg: "dio 1 is freed twice\nit was freed by t-1",
  };
  const free: TraceEvent = { ...oops, seq: 1, ev: "dio_free" };
  delete free["rule"];
  delete free["msg"];
  const notes = new Map([[1, "a note"]]);
  assertEquals(render([oops, free], { notes }), [
    "seq   ns  t-1",
    "  0    0  ┃ oops",
    "          ┃ ╰ dio 1 is freed twice",
    "          ┃   it was freed by t-1",
    "  1       ┃ dio_free",
    "          ┃ ╰ a note",
  ]);
});

Deno.test("renderText() shows long times from the first event on", () => {
  const at = (seq: number, ts: number): TraceEvent => ({
    seq,
    ts,
    cpu: 0,
    ctx: "task",
    tid: 1,
    comm: "t",
    ev: "dio_free",
  });
  assertEquals(render([at(0, 5e12), at(1, 5e12 + 2500)]), [
    "seq    µs  t-1",
    "  0 0.000  ┃ dio_free",
    "  1 2.500  ┃ dio_free",
  ]);
});

import {
  assert,
  assertEquals,
  assertLessOrEqual,
  assertStringIncludes,
} from "@std/assert";
import fc from "fast-check";
import type { ContextKind, TraceEvent } from "../core/mod.ts";
import { fakeIo } from "./testdata/fake_io.ts";
import { noRecordings, readRecordings } from "./testdata/recordings.ts";
import { trace } from "./trace.ts";
import { Histogram } from "./trace_histogram.ts";
import { encodeJsonl } from "./trace_jsonl.ts";

/** Events at times, in contexts: a request of each number of iocb. */
function traceOf(
  ...events: [ts: number, ctx: ContextKind, ev: string, args: object][]
): string {
  const made = events.map(([ts, ctx, ev, args], seq): TraceEvent => ({
    seq,
    ts,
    cpu: 0,
    ctx,
    tid: 1,
    comm: "a",
    ev,
    ...args,
  }));
  return [...encodeJsonl({ fs: "ext4" }, made)].join("");
}

const DEFERRED = traceOf(
  [1000, "task", "io_submit", {
    iocb: 1,
    ino: 5,
    rw: "write",
    offset: 0,
    bytes: 4096,
  }],
  [1100, "task", "dio_alloc", { dio: 1, iocb: 1, ino: 5, rw: "write" }],
  [1500, "task", "dio_set_defer_completion", { dio: 1 }],
  [2000, "task", "submit_bio", { bio: 1, dio: 1, rw: "write", size: 4096 }],
  [5000, "hardirq", "bio_endio", { bio: 1, dio: 1, error: 0 }],
  [5500, "hardirq", "queue_work", { wq: 1, work: 1, dio: 1 }],
  [9000, "kworker", "workqueue_execute_start", { wq: 1, work: 1, dio: 1 }],
  [11000, "kworker", "aio_complete", { iocb: 1, res: 4096 }],
);

async function statOf(input: string, ...args: string[]): Promise<string> {
  const io = fakeIo(input);
  assertEquals([await trace(["stat", ...args, "-"], io), io.stderr()], [0, ""]);
  return io.stdout();
}

Deno.test("stat says how long each stage of a deferred write took", async () => {
  const { events, filesystems } = JSON.parse(await statOf(DEFERRED, "--json"));
  assertEquals([events, filesystems.length], [8, 1]);
  const { stages, ...counts } = filesystems[0];
  assertEquals(counts, {
    fs: "ext4",
    reads: 0,
    writes: 1,
    bytes: 4096,
    errors: 0,
    contexts: { kworker: 1 },
    deferred: { "mapping asks": 1 },
  });
  const means = stages.map((
    { stage, mean }: { stage: string; mean: number },
  ) => [stage, mean]);
  assertEquals(means, [
    ["submit_bio to bio_endio, hardirq", 3000],
    ["bio_endio to work start", 4000],
    ["work start to report", 2000],
    ["submission to report, kworker", 10000],
  ]);
});

Deno.test("stat shows the numbers in columns, and a histogram", async () => {
  const text = await statOf(DEFERRED, "--hist");
  assertStringIncludes(text, "stdin: 8 events in 10 µs\n");
  assertStringIncludes(text, "ext4: 0 reads, 1 write, 4096 bytes, 0 errors\n");
  assertStringIncludes(text, "  deferred  mapping asks 1\n");
  assertStringIncludes(
    text,
    "  submit_bio to bio_endio, hardirq  1  3.000  3.000",
  );
  assertStringIncludes(text, "       2 -> 3       : 1        |****");
  for (const line of text.split("\n")) assertLessOrEqual(line.length, 100);
});

Deno.test("stat keeps in a narrow terminal", async () => {
  const io = { ...fakeIo(DEFERRED), columns: 60 };
  assertEquals(await trace(["stat", "-"], io), 0);
  for (const line of io.stdout().split("\n")) {
    assertLessOrEqual(line.length, 60);
  }
  assertStringIncludes(io.stdout(), "  bio_endio to work start\n");
});

Deno.test("stat counts a failed write as an error", async () => {
  const failed = DEFERRED.replace('"res":4096', '"res":-5');
  assertStringIncludes(await statOf(failed), "1 write, 0 bytes, 1 error\n");
});

Deno.test("stat of a trace without requests has no table", async () => {
  assertEquals(await statOf('{"endio":1}\n'), "stdin: 0 events\n");
});

Deno.test("stat says what it cannot read", async () => {
  const io = fakeIo(`${DEFERRED}{"seq":`);
  assertEquals(await trace(["stat", "-"], io), 2);
  assertStringIncludes(io.stderr(), "stdin:10: the trace ends in the middle");
  assertStringIncludes(io.stdout(), "1 write");
  const other = fakeIo("x\n");
  assertEquals(await trace(["stat", "-"], other), 2);
  assertStringIncludes(other.stderr(), "stdin:1: ");
});

Deno.test({
  name: `stat finds all requests of recordings${
    noRecordings === "" ? "" : ` [ignored: ${noRecordings}]`
  }`,
  ignore: noRecordings !== "",
  async fn() {
    for (const { name, lines, outcome } of readRecordings(true)) {
      if (outcome?.missed !== 0) continue;
      const [config = ""] = name.split("/");
      const text = `${lines.join("\n")}\n`;
      const { filesystems } = JSON.parse(await statOf(text, "--json"));
      const aio = outcome.ops.filter(({ kind }) => kind === "aio");
      const bytes = aio.reduce(
        (sum, { result }) => sum + Math.max(0, result),
        0,
      );
      const found = filesystems.reduce(
        (sum: number, { bytes }: { bytes: number }) => sum + bytes,
        0,
      );
      assert(found >= bytes, `${name}: ${found} of ${bytes} bytes`);
      const names = filesystems.map(({ fs }: { fs: string }) => fs);
      const own = config.replace(/_.*/, "");
      for (const fs of names) {
        assert(fs === own || fs === "unknown filesystem", `${name}: ${fs}`);
      }
      if (own === "blkdev") assertEquals(names[0], own, name);
    }
  },
});

Deno.test("Histogram: percentiles are exact to 3 %", () => {
  const durations = fc.array(fc.nat({ max: 2 ** 40 }), { minLength: 1 });
  const part = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(fc.property(durations, part, (all, part) => {
    const histogram = new Histogram();
    for (const ns of all) histogram.add(ns);
    const sorted = all.toSorted((a, b) => a - b);
    const exact = sorted[Math.max(0, Math.ceil(part * all.length) - 1)]!;
    const got = histogram.percentile(part);
    assertLessOrEqual(Math.abs(got - exact), Math.max(1, exact * 0.03));
  }));
});

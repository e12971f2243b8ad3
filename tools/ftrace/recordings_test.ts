// The real kernel's own recordings: each is read without an unexplained line,
// and breaks no rule; parts of them raise no false alarm.

import { assert, assertEquals } from "@std/assert";
import type { TraceEvent } from "../../core/mod.ts";
import {
  noRecordings,
  readRecordings,
  type RecordingFile,
  recordingOf,
} from "../testdata/recordings.ts";
import { VARIANTS } from "../testdata/recording_variants.ts";
import { EventMaker } from "./events.ts";
import { MADE_EVENTS } from "./made_events.ts";
import { LINE } from "./line.ts";
import { Recording } from "./recording.ts";
import { R, RECORDING_RULES } from "./rules.ts";

const suffix = noRecordings === "" ? "" : ` [ignored: ${noRecordings}]`;

function recordingTest(name: string, fn: () => void): void {
  Deno.test({ name: name + suffix, ignore: noRecordings !== "", fn });
}

/** What a recording breaks, in words. */
function brokenIn(recording: Recording): string[] {
  return recording.findings.map(({ rule, expected, lines }) =>
    `${RECORDING_RULES[rule]?.id}: expected ${expected} (${lines.join(", ")})`
  );
}

function nonEmpty(
  findings: readonly (readonly [name: string, found: readonly string[]])[],
) {
  return Object.fromEntries(findings.filter(([, found]) => found.length > 0));
}

recordingTest(
  "every recording breaks no rule, and has no line that is none",
  () => {
    const files = readRecordings();
    const findings = files.map(({ name, lines, outcome }) => {
      const recording = recordingOf(lines, outcome);
      const bad = recording.lines[LINE.bad] ?? 0;
      const unread = bad > 0 ? [`${bad} lines that are none`] : [];
      return [name, [...unread, ...brokenIn(recording)]] as const;
    });
    assertEquals(nonEmpty(findings), {});
  },
);

recordingTest("every rule has something to say about some recording", () => {
  const counts = new Int32Array(RECORDING_RULES.length);
  for (const { lines, outcome } of readRecordings()) {
    recordingOf(lines, outcome).exercised.forEach((count, rule) => {
      counts[rule]! += count;
    });
  }
  // These have something to say only when they are broken.
  const silent = new Set([R.whole, R.nesting]);
  const unexercised = RECORDING_RULES.filter((_, rule) =>
    counts[rule] === 0 && !silent.has(rule)
  );
  assertEquals(unexercised.map(({ id }) => id), []);
});

recordingTest("a recording says itself that hits of probes were missed", () => {
  const [file] = readRecordings(true)
    .filter(({ name }) => name === "jfs/enospc_partial_append");
  assertEquals(file?.outcome?.missed, 9);
  const alone = brokenIn(recordingOf(file?.lines ?? []));
  assert(alone.length > 0, "without the .json it looks like lost ends of bios");
  assertEquals(brokenIn(recordingOf(file?.lines ?? [], file?.outcome)), []);
});

/** The parts of a recording that somebody may have kept. */
function* partsOf(lines: readonly string[]): Generator<readonly string[]> {
  const head = lines.findIndex((line) => !line.startsWith("#"));
  const marked = (line: string) => line.includes("tracing_mark_write");
  for (let i = 1; i < 6; i++) {
    const at = head + Math.floor((lines.length - head) * i / 6);
    const [before, after] = [lines.slice(0, at), lines.slice(at)];
    yield before;
    yield after;
    yield before.filter((line) => !marked(line));
    yield lines.filter((line) => !marked(line)).slice(at - head);
  }
}

recordingTest("parts of recordings raise no false alarm", () => {
  const findings = readRecordings()
    .filter(({ outcome }) => outcome?.missed === 0)
    .map(({ name, lines }) => {
      for (const part of partsOf(lines)) {
        const broken = brokenIn(recordingOf(part));
        if (broken.length > 0) return [name, broken] as const;
      }
      return [name, []] as const;
    });
  assertEquals(nonEmpty(findings), {});
});

recordingTest("recordings that others would make raise no false alarm", () => {
  const files = readRecordings().filter(({ outcome }) => outcome?.missed === 0);
  const findings = VARIANTS.map(({ name, make, except }) => {
    const broken = files
      .filter(({ name }) => except?.test(name) !== true)
      .flatMap(({ name, lines, outcome }) =>
        brokenIn(recordingOf(make(lines), outcome))
          .map((what) => `${name}: ${what}`)
      );
    return [name, broken.slice(0, 3)] as const;
  });
  assertEquals(nonEmpty(findings), {});
});

const LOST = "CPU:1 [LOST 7 EVENTS]";

recordingTest("lost events raise no false alarm, and are counted", () => {
  const findings = readRecordings(true).map(({ name, lines }) => {
    const third = Math.floor(lines.length / 3);
    const cut = [...lines.slice(0, third), LOST, ...lines.slice(third + 7)];
    const recording = recordingOf(cut);
    assertEquals(recording.lost, 7);
    return [name, brokenIn(recording)] as const;
  });
  assertEquals(nonEmpty(findings), {});
});

/** The events that a recording is turned into. */
function eventsOf({ lines }: RecordingFile): TraceEvent[] {
  const recording = new Recording();
  const maker = new EventMaker(recording);
  const events: TraceEvent[] = [];
  for (const line of lines) {
    const bytes = new TextEncoder().encode(line);
    recording.push(bytes, 0, bytes.length);
    maker.take(events);
  }
  return events;
}

recordingTest("events have identities in place of addresses, used once", () => {
  for (const file of readRecordings(true)) {
    const events = eventsOf(file);
    const of = (ev: string, id: string) =>
      events.filter((event) => event.ev === ev).map((event) => event[id]);
    for (const [ev, id] of [["dio_alloc", "dio"], ["submit_bio", "bio"]]) {
      const ids = of(ev as string, id as string);
      assertEquals(new Set(ids).size, ids.length, `${file.name} ${ev}`);
    }
    assertEquals(of("dio_alloc", "dio").length, of("dio_free", "dio").length);
    const seen = new Set(of("io_getevents", "iocb"));
    assertEquals(seen, new Set(of("aio_complete", "iocb")), file.name);
    assertEquals(seen, new Set(of("io_submit", "iocb")), file.name);
  }
});

recordingTest("every event that recordings are said to tell is told", () => {
  const told = new Set(
    readRecordings(true).flatMap((file) => eventsOf(file).map(({ ev }) => ev)),
  );
  const untold = [...MADE_EVENTS].filter((name) => !told.has(name));
  assertEquals(untold, []);
});

recordingTest("events of one asynchronous write are the known ones", () => {
  const [file] = readRecordings(true)
    .filter(({ name }) => name === "ocfs2/delayed_aio_overwrite");
  const events = eventsOf(file as RecordingFile);
  assertEquals(
    events.map(({ ctx, ev }) => `${ctx} ${ev}`),
    [
      "task io_submit",
      "task direct_IO",
      "task alloc_workqueue",
      "task dio_alloc",
      "task inode_dio_begin",
      "task get_block",
      "task submit_bio",
      "task direct_IO_return",
      "hardirq bio_endio",
      "hardirq dio_bio_end_aio",
      "hardirq dio_complete",
      "hardirq end_io",
      "hardirq end_io_return",
      "hardirq inode_dio_done",
      "hardirq aio_complete",
      "hardirq dio_free",
      "task io_getevents",
    ],
  );
  const complete = events.find(({ ev }) => ev === "dio_complete");
  assertEquals(complete?.["result"], 65536);
  assertEquals(complete?.comm, "<idle>");
});

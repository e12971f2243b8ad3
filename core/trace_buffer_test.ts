import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { EV, EVENT_ARGS, EVENT_NAMES, isEventName } from "./events.ts";
import { TraceBuffer } from "./trace_buffer.ts";

const SEED = 20134;

/** A trace of `dio_free` events whose argument is their number. */
function numbered(count: number, limit?: number): TraceBuffer {
  const trace = new TraceBuffer(limit);
  const row = trace.contextRow("task", 0, 10, "fio");
  for (let i = 0; i < count; i++) trace.emit(EV.dio_free, i * 100, row, i);
  return trace;
}

Deno.test("TraceBuffer.event() gives time, context, name and arguments", () => {
  const trace = new TraceBuffer();
  const row = trace.contextRow("softirq", 3, 0, "<idle>");
  trace.emit(EV.bio_endio, 700, row, 4, 2, -5);
  assertEquals(trace.event(0), {
    seq: 0,
    ts: 700,
    cpu: 3,
    ctx: "softirq",
    tid: 0,
    comm: "<idle>",
    ev: "bio_endio",
    bio: 4,
    dio: 2,
    error: -5,
  });
});

Deno.test("TraceBuffer.event() leaves out the arguments that were not given", () => {
  const trace = new TraceBuffer();
  const row = trace.contextRow("task", 0, 10, "fio");
  trace.emit(EV.bio_endio, 0, row, 4);
  trace.emit(EV.bio_endio, 0, row, undefined, 2);
  assertEquals(Object.keys(trace.event(0)).slice(7), ["bio"]);
  assertEquals(Object.keys(trace.event(1)).slice(7), ["dio"]);
});

Deno.test("TraceBuffer.event() gives strings and directions as text", () => {
  const trace = new TraceBuffer();
  const row = trace.contextRow("task", 0, 10, "fio");
  trace.emit(EV.put_super, 0, row, trace.str("sda"));
  trace.emit(EV.submit_bio, 0, row, 1, 1, 0, 8, 4096, 0);
  trace.emit(EV.submit_bio, 0, row, 1, 1, 1, 8, 4096, 0);
  assertEquals(trace.event(0).sb, "sda");
  assertEquals([trace.event(1).rw, trace.event(2).rw], ["read", "write"]);
});

Deno.test("TraceBuffer.str() and contextRow() give equal things equal numbers", () => {
  const trace = new TraceBuffer();
  assertEquals(trace.str("a") === trace.str("b"), false);
  assertEquals(trace.str("a"), trace.str("a"));
  const row = trace.contextRow("task", 0, 10, "fio");
  assertEquals(trace.contextRow("task", 0, 10, "fio"), row);
  assertEquals(trace.contextRow("task", 1, 10, "fio") === row, false);
});

Deno.test("TraceBuffer keeps everything when it has no limit, however much", () => {
  const trace = numbered(5000);
  assertEquals([trace.count, trace.dropped], [5000, 0]);
  const all = [...trace.events()];
  assertEquals(all.length, 5000);
  assertEquals(all.every(({ seq, dio }) => seq === dio), true);
});

Deno.test(`TraceBuffer with a limit keeps the newest events (seed ${SEED})`, () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3000 }),
      fc.nat(4000),
      (limit, count) => {
        const trace = numbered(count, limit);
        const kept = [...trace.events()].map(({ dio }) => dio);
        assertEquals(trace.dropped, Math.max(0, count - limit));
        assertEquals(kept.length, Math.min(count, limit));
        assertEquals(kept[0], count === 0 ? undefined : trace.dropped);
        assertEquals(kept.at(-1), count === 0 ? undefined : count - 1);
      },
    ),
    { seed: SEED, numRuns: 40 },
  );
});

Deno.test("TraceBuffer.event() refuses an event that was dropped", () => {
  assertThrows(
    () => numbered(10, 4).event(5),
    RangeError,
    "Cannot read event 5: the trace holds 6 to 9",
  );
});

Deno.test("TraceBuffer.event() refuses an event that was never recorded", () => {
  assertThrows(() => numbered(3).event(3), RangeError, "Cannot read event 3");
  assertThrows(() => numbered(3).event(-1), RangeError, "Cannot read event -1");
});

Deno.test("TraceBuffer.list() gives what events() gives, whatever the last list was (seed 20134)", () => {
  const runs = fc.array(
    fc.array(fc.tuple(fc.nat(3), fc.nat(2)), { maxLength: 12 }),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(fc.constantFrom(undefined, 5), runs, (limit, runs) => {
      const trace = new TraceBuffer(limit);
      const row = trace.contextRow("task", 0, 10, "fio");
      for (const run of runs) {
        trace.reset();
        for (const [ts, dio] of run) trace.emit(EV.dio_free, ts, row, dio);
        assertEquals(trace.list(), [...trace.events()]);
      }
    }),
    { seed: SEED },
  );
});

Deno.test("TraceBuffer.list() leaves earlier lists as they are, and makes only the events anew that differ", () => {
  const trace = numbered(3);
  const before = trace.list();
  trace.reset();
  for (const dio of [0, 7]) trace.emit(EV.dio_free, dio * 100, 0, dio);
  const [first, second] = trace.list();
  assertEquals([first === before[0], second === before[1]], [true, false]);
  assertEquals(before.map((event) => event.dio), [0, 1, 2]);
});

Deno.test("EVENT_ARGS gives every event at most eight arguments of different names", () => {
  for (const [code, name] of EVENT_NAMES.entries()) {
    const names = (EVENT_ARGS[code] ?? []).map((arg) => arg.name);
    assertEquals(EV[name], code);
    assertEquals(new Set(names).size, names.length, name);
    assertEquals(names.length <= 8, true, name);
  }
});

Deno.test("isEventName() knows the vocabulary and nothing that objects inherit", () => {
  assertEquals(isEventName("aio_complete"), true);
  assertEquals(isEventName("toString"), false);
});

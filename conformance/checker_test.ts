import { assertEquals } from "@std/assert";
import type { TraceEvent } from "../core/mod.ts";
import { MODELS } from "../fs_models/mod.ts";
import { Checker, type CheckOptions, checkTrace } from "./checker.ts";
import { Requests } from "./requests.ts";
import { RULES } from "./rules/mod.ts";
import { runScenario } from "./run.ts";
import { scenarioById } from "./scenarios.ts";
import { BLKDEV_DAMAGES } from "./testdata/blkdev_damages.ts";
import { CACHE_DAMAGES } from "./testdata/cache_damages.ts";
import { COMPLETION_DAMAGES } from "./testdata/completion_damages.ts";
import {
  beforeEnd,
  find,
  type RuleDamage,
  swapped,
} from "./testdata/damage.ts";
import { OTHER_DAMAGES } from "./testdata/other_damages.ts";
import { Threads } from "./threads.ts";

const OOPS: TraceEvent = {
  seq: 0,
  ts: 0,
  cpu: 0,
  ctx: "task",
  tid: 10,
  comm: "writer",
  ev: "oops",
  obj: "dio 1",
  msg: "it",
};

/** Rules that the kernel, or a model, checks by itself while it runs. */
const OOPS_DAMAGES: readonly RuleDamage[] = RULES.filter((rule) =>
  checkTrace([{ ...OOPS, rule: rule.id }], { rules: [rule] })
    .violations.length > 0
).map(({ id }) => ({
  what: `the kernel stops with ${id}`,
  rule: id,
  damage: (t) => beforeEnd(t, { ...OOPS, rule: id }),
}));

const DAMAGES: readonly RuleDamage[] = [
  ...OOPS_DAMAGES,
  ...COMPLETION_DAMAGES,
  ...OTHER_DAMAGES,
  ...CACHE_DAMAGES,
  ...BLKDEV_DAMAGES,
];

/** A trace; one in which everything happens, unless another is asked for. */
function trace(
  scenario = "aio-write-unwritten",
  model = "ext4",
  options: CheckOptions = {},
): TraceEvent[] {
  const spec = MODELS.find(({ name }) => name === model)!;
  return [...runScenario(spec, scenarioById(scenario), options).events];
}

function renumbered(events: readonly TraceEvent[]): TraceEvent[] {
  return events.map((event, seq) => ({ ...event, seq }));
}

function rules(
  events: readonly TraceEvent[],
  options: CheckOptions = {},
): string[] {
  const { violations } = checkTrace(events, options);
  return [...new Set(violations.map(({ rule }) => rule))];
}

Deno.test("checkTrace() finds nothing in the trace of a model that conforms", () => {
  assertEquals(rules(trace("aio-write-unwritten-many")), []);
});

for (const { what, rule, scenario, model, profile, ...how } of DAMAGES) {
  Deno.test(`${rule}: checkTrace() finds it when ${what}`, () => {
    const options = profile ? { profile } : {};
    const damaged = how.damage(trace(scenario, model, options));
    const events = how.keepsSeq ? damaged : renumbered(damaged);
    const broken = rules(events, options);
    assertEquals(broken.includes(rule), true, `broken: ${broken.join(", ")}`);
  });
}

Deno.test("every rule is broken by a damaged trace", () => {
  const covered = new Set(DAMAGES.map(({ rule }) => rule));
  assertEquals(RULES.map(({ id }) => id).filter((id) => !covered.has(id)), []);
});

Deno.test("checkTrace() names the events of a violation by their positions", () => {
  const damaged = renumbered(
    swapped(trace("aio-write"), "aio_complete", "inode_dio_done"),
  );
  const violation = checkTrace(damaged).violations.find(({ rule }) =>
    rule === "completion-order/dio-done-before-aio-complete"
  );
  assertEquals(violation?.events, [
    find(damaged, "dio_complete"),
    find(damaged, "aio_complete"),
  ]);
  assertEquals(violation?.expected, "inode_dio_done before it");
});

Deno.test("checkTrace() says of what it misses that it may be in a gap of the trace", () => {
  const events = trace("aio-write");
  const gap = find(events, "inode_dio_done");
  const { violations } = checkTrace(events.toSpliced(gap, 1));
  const told = new Map(
    violations.map(({ rule, expected }) => [rule, expected]),
  );
  assertEquals(
    told.get("trace-well-formed/sequence"),
    `${gap} next, not ${gap + 1}: 1 missing`,
  );
  assertEquals(
    told.get("completion-order/dio-done-before-aio-complete"),
    `inode_dio_done before it; or it is among the 1 missing before ${gap + 1}`,
  );
});

Deno.test("checkTrace() does not judge requests whose beginning is missing from the trace", () => {
  for (const id of ["aio-write-many", "aio-write-unwritten", "sync-write"]) {
    const events = trace(id);
    for (let begin = 1; begin < events.length; begin++) {
      const { violations } = checkTrace(events.slice(begin));
      const told = violations.map(({ rule }) => rule);
      assertEquals([id, begin, told], [id, begin, [
        "trace-well-formed/sequence",
      ]]);
    }
  }
});

Deno.test("checkTrace() leaves out rules that need events which were not recorded", () => {
  const recorded = new Set(
    trace().map(({ ev }) => ev).filter((ev) => ev !== "wake_up_process"),
  );
  const events = renumbered(
    trace().filter(({ ev }) => recorded.has(ev)),
  );
  assertEquals(rules(events), ["liveness/woken"]);
  assertEquals(rules(events, { recorded }), []);
});

Deno.test("Checker.reset() makes it as good as new, whatever it has read", () => {
  const used = new Checker();
  for (const { scenario, model, damage, profile } of DAMAGES) {
    if (profile) continue;
    const events = damage(trace(scenario, model));
    used.reset();
    const fresh = new Checker();
    for (const event of events) {
      used.push(event);
      fresh.push(event);
    }
    assertEquals(used.finish(), fresh.finish());
  }
});

/** One trace again and again, each time of other requests. */
function* again(
  events: readonly TraceEvent[],
  times: number,
): Generator<TraceEvent> {
  const rest = events.filter(({ ev }) => ev !== "trace_end");
  const span = (rest.at(-1)?.ts ?? 0) + 1;
  let seq = 0;
  for (let i = 0; i < times; i++) {
    for (const event of rest) {
      const renamed = { ...event, seq: seq++, ts: event.ts + i * span };
      for (const id of ["dio", "iocb", "bio", "wq", "ino"] as const) {
        const value = event[id];
        if (value) renamed[id] = value + i * 100;
      }
      yield renamed;
    }
  }
}

for (const id of ["aio-write", "aio-write-unwritten-many", "sync-read-many"]) {
  Deno.test(`checkTrace() holds nothing of requests of ${id} that have ended`, () => {
    const events = trace(id);
    const { violations } = checkTrace(again(events, 500));
    assertEquals(violations, []);
    const requests = new Requests();
    const threads = new Threads();
    for (const event of again(events, 500)) {
      threads.enter(event);
      const { leaving } = threads.current;
      if (leaving && event.ev === "direct_IO") requests.leave(leaving);
      requests.update(event, threads.current);
      threads.update(event);
    }
    const { dios, iocbs, bios, reported, inodes } = requests;
    const held = [dios.size, bios.size, reported.size];
    assertEquals([...held, [...threads.all].length < 10], [0, 0, 0, true]);
    assertEquals([iocbs.size <= 1, inodes.size <= 1], [true, true]);
  });
}

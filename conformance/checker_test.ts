import { assertEquals } from "@std/assert";
import type { TraceEvent } from "../core/mod.ts";
import { MODELS } from "../fs_models/mod.ts";
import { checkTrace } from "./checker.ts";
import { RULES } from "./rules/mod.ts";
import { runScenario } from "./run.ts";
import { scenarioById } from "./scenarios.ts";

const ext4 = MODELS.find(({ name }) => name === "ext4")!;

/** A trace in which everything happens: deferral, end_io, several bios. */
function trace(scenario: string): TraceEvent[] {
  return [...runScenario(ext4, scenarioById(scenario)).events];
}

function rules(events: readonly TraceEvent[]): string[] {
  return [...new Set(checkTrace(events).violations.map(({ rule }) => rule))];
}

/**
 * The index of the n-th event of a name. Those that a filesystem makes by
 * itself, for no dio, do not count.
 */
function find(events: readonly TraceEvent[], ev: string, nth = 0): number {
  const at =
    events.flatMap((event, i) =>
      event.ev === ev && event.dio !== 0 ? [i] : []
    )[nth];
  if (at === undefined) throw new RangeError(`no ${ev} in the trace`);
  return at;
}

function swapped(
  events: readonly TraceEvent[],
  a: string,
  b: string,
): TraceEvent[] {
  const [i, j] = [find(events, a), find(events, b)];
  return events.with(i, events[j]!).with(j, events[i]!);
}

Deno.test("checkTrace() finds nothing in the trace of a model that conforms", () => {
  assertEquals(rules(trace("aio-write-unwritten-many")), []);
});

const DAMAGES: readonly {
  readonly what: string;
  readonly rule: string;
  readonly scenario?: string;
  readonly damage: (events: TraceEvent[]) => TraceEvent[];
}[] = [
  {
    what: "i_dio_count drops while end_io runs",
    rule: "completion-order/end-io-before-dio-done",
    damage: (t) => swapped(t, "inode_dio_done", "end_io_return"),
  },
  {
    what: "aio_complete comes while end_io runs",
    rule: "completion-order/end-io-before-aio-complete",
    damage: (t) => swapped(t, "aio_complete", "end_io_return"),
  },
  {
    what: "aio_complete comes before inode_dio_done",
    rule: "completion-order/dio-done-before-aio-complete",
    scenario: "aio-write",
    damage: (t) => swapped(t, "aio_complete", "inode_dio_done"),
  },
  {
    what: "dio_free comes before aio_complete",
    rule: "completion-order/free-last",
    damage: (t) => swapped(t, "aio_complete", "dio_free"),
  },
  {
    what: "a registered end_io is not called",
    rule: "completion-order/end-io-called",
    damage: (t) =>
      t.filter(({ ev }) => ev !== "end_io" && ev !== "end_io_return"),
  },
  {
    what: "aio_complete comes twice",
    rule: "one-completion/once",
    damage: (t) =>
      t.toSpliced(find(t, "aio_complete"), 0, t[find(t, "aio_complete")]!),
  },
  {
    what: "aio_complete never comes",
    rule: "one-completion/never-neither",
    damage: (t) => t.filter(({ ev }) => ev !== "aio_complete"),
  },
  {
    what: "a request that was reported is returned as well",
    rule: "one-completion/never-both",
    scenario: "aio-write-inline",
    damage: (t) => swapped(t, "direct_IO_return", "aio_complete"),
  },
  {
    what: "the dio completes before its last bio has ended",
    rule: "completion-after-last-bio/all-ended",
    scenario: "aio-write-many",
    damage: (t) => t.filter((_, i) => i !== find(t, "bio_endio", 1)),
  },
  {
    what: "the dio completes twice",
    rule: "completion-after-last-bio/once",
    damage: (t) =>
      t.toSpliced(find(t, "dio_complete"), 0, t[find(t, "dio_complete")]!),
  },
  {
    what: "the error of a bio is not reported",
    rule: "error-reported/every-bio",
    scenario: "aio-write-error",
    damage: (t) =>
      t.map((e) => e.ev === "aio_complete" ? { ...e, res: 12288 } : e),
  },
  {
    what: "another result than the expected one is reported",
    rule: "result-precedence/submit-page-bio-count",
    damage: (t) =>
      t.map((e) => e.ev === "aio_complete" ? { ...e, res: 512 } : e),
  },
  {
    what: "the write-sync comes before the drop of i_dio_count",
    rule: "completion-order/write-sync-between",
    scenario: "aio-write-dsync",
    damage: (t) => swapped(t, "generic_write_sync", "inode_dio_done"),
  },
  {
    what: "an O_DSYNC write is reported without a write-sync",
    rule: "completion-order/write-sync-between",
    scenario: "aio-write-dsync",
    damage: (t) => t.filter(({ ev }) => ev !== "generic_write_sync"),
  },
  {
    what: "a reader gets other bytes than were written",
    rule: "completion-order/reader-sees-data",
    damage: (t) => t.map((e) => e.ev === "user_read" ? { ...e, wrong: 1 } : e),
  },
  {
    what: "dio_free is missing",
    rule: "released-once/dio",
    damage: (t) => t.filter(({ ev }) => ev !== "dio_free"),
  },
  {
    what: "something is left allocated",
    rule: "released-once/no-leak",
    damage: (t) =>
      t.toSpliced(-1, 0, {
        ...t.at(-1)!,
        ev: "slab_leak",
        cache: "bio",
        obj: 1,
      }),
  },
  {
    what: "a bio ends for a dio that has been freed",
    rule: "no-use-after-release/dio",
    damage: (t) => t.toSpliced(-1, 0, t[find(t, "dio_bio_end_aio")]!),
  },
  {
    what: "i_dio_count drops twice for one request",
    rule: "dio-count-balanced/per-request",
    scenario: "aio-write",
    damage: (t) =>
      t.toSpliced(find(t, "inode_dio_done"), 0, t[find(t, "inode_dio_done")]!),
  },
  {
    what: "i_dio_count is not zero at the end",
    rule: "dio-count-balanced/zero-at-end",
    damage: (t) =>
      t.map((e) => e.ev === "inode_dio_done" ? { ...e, count: 1 } : e),
  },
  {
    what: "end_io sleeps in a softirq",
    rule: "no-sleep-in-interrupt/context",
    damage: (t) =>
      t.map((e) => e.ev === "might_sleep" ? { ...e, ctx: "softirq" } : e),
  },
  {
    what: "code sleeps under a spinlock",
    rule: "no-sleep-in-interrupt/context",
    damage: (t) =>
      t.map((e) => e.ev === "might_sleep" ? { ...e, atomic: 1 } : e),
  },
  {
    what: "end_io queues work",
    rule: "no-double-deferral/end-io-finishes",
    damage: (t) => {
      const at = find(t, "end_io");
      const { cpu, ctx, tid } = t[at]!;
      const work = { ...t[find(t, "queue_work")]!, cpu, ctx, tid, dio: 0 };
      return t.toSpliced(at + 1, 0, work);
    },
  },
  {
    what: "the completion is queued twice",
    rule: "no-double-deferral/queued-once",
    damage: (t) =>
      t.toSpliced(find(t, "queue_work"), 0, t[find(t, "queue_work")]!),
  },
  {
    what: "work runs on a workqueue that was destroyed",
    rule: "workqueue-life/alive-when-queued",
    damage: (t) => swapped(t, "queue_work", "destroy_workqueue"),
  },
  {
    what: "put_super comes before the workqueue is destroyed",
    rule: "workqueue-life/gone-before-put-super",
    damage: (t) => swapped(t, "put_super", "destroy_workqueue"),
  },
  {
    what: "somebody waits for ever",
    rule: "liveness/blocked-for-ever",
    damage: (t) =>
      t.toSpliced(-1, 0, { ...t.at(-1)!, ev: "hung_task", msg: "a waits" }),
  },
  ...RULES.filter(({ id }) =>
    [
      "released-once/double-free",
      "released-once/page-pin",
      "no-use-after-release/slab",
      "no-use-after-release/page-array",
      "workqueue-life/exists-when-queued",
      "completion-after-last-bio/submitter",
      "completion-after-last-bio/end-handler",
      "lock-handover/unlock-by-owner",
    ].includes(id)
  ).map(({ id }) => ({
    what: `the kernel stops with ${id}`,
    rule: id,
    damage: (t: TraceEvent[]) =>
      t.toSpliced(-1, 0, { ...t.at(-1)!, ev: "oops", rule: id, msg: "it" }),
  })),
];

for (const { what, rule, scenario, damage } of DAMAGES) {
  Deno.test(`${rule}: checkTrace() finds it when ${what}`, () => {
    const broken = rules(damage(trace(scenario ?? "aio-write-unwritten")));
    assertEquals(broken.includes(rule), true, `broken: ${broken.join(", ")}`);
  });
}

Deno.test("every rule is broken by a damaged trace", () => {
  const covered = new Set(DAMAGES.map(({ rule }) => rule));
  assertEquals(RULES.map(({ id }) => id).filter((id) => !covered.has(id)), []);
});

Deno.test("checkTrace() names the events of a violation by their positions", () => {
  const damaged = swapped(
    trace("aio-write"),
    "aio_complete",
    "inode_dio_done",
  ).map((event, seq) => ({ ...event, seq }));
  const violation = checkTrace(damaged).violations.find(({ rule }) =>
    rule === "completion-order/dio-done-before-aio-complete"
  );
  assertEquals(violation?.events, [
    find(damaged, "dio_complete"),
    find(damaged, "aio_complete"),
  ]);
  assertEquals(violation?.expected, "inode_dio_done before it");
});

Deno.test("checkTrace() holds nothing of requests that have ended", () => {
  const one = trace("aio-write").filter(({ ev }) => ev !== "trace_end");
  const ids = { dio: 0, iocb: 0, bio: 0 };
  function* many(): Generator<TraceEvent> {
    for (let i = 0; i < 2000; i++) {
      for (const event of one) {
        const renamed = { ...event };
        if (event.dio) renamed.dio = event.dio + ids.dio;
        if (event.iocb) renamed.iocb = event.iocb + ids.iocb;
        yield renamed;
      }
      ids.dio += 10;
      ids.iocb += 10;
    }
  }
  const { violations, events } = checkTrace(many());
  assertEquals([violations.length, events], [0, 2000 * one.length]);
});

/**
 * Every trace in which two events of one chain of causes stand the wrong way
 * round, or in which one event is missing, is noticed, unless a run could have
 * been like that.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { PROFILE_NAMES, type TraceEvent } from "../core/mod.ts";
import { MODELS, type ModelSpec } from "../fs_models/mod.ts";
import { checkTrace } from "./checker.ts";
import { formatEvent } from "./report.ts";
import { mountForQuestions, runScenario, whyNot } from "./run.ts";
import { scenarioById } from "./scenarios.ts";
import {
  type Damage,
  LEGAL,
  type Legal,
  MIGHT_SLEEP,
} from "./testdata/legal_damages.ts";

const SCENARIO_IDS: readonly string[] = [
  "sync-write",
  "sync-read-many",
  "sync-write-unwritten",
  "sync-read-error",
  "sync-write-dsync",
  "aio-write",
  "aio-read",
  "aio-write-many",
  "aio-write-inline",
  "aio-write-unwritten",
  "aio-write-unwritten-many",
  "aio-write-unwritten-error",
  "aio-write-unwritten-enomem",
  "aio-append",
  "aio-two-writes",
  "aio-write-error",
  "aio-write-fault",
  "aio-read-fault",
  "aio-write-dsync",
  "aio-write-dsync-inline",
  "aio-write-dsync-enomem",
  "aio-write-punch-reuse",
  "blkdev-aio-write-many",
  "blkdev-aio-write-inline",
  "blkdev-aio-read-many",
  "blkdev-sync-many",
  "blkdev-sync-error",
  "blkdev-fault",
  "blkdev-dsync",
  "blkdev-poll",
];

/** What an event of one thread is the cause of in another. */
const EFFECTS: readonly (readonly [string, string, keyof TraceEvent])[] = [
  ["submit_bio", "bio_endio", "bio"],
  ["queue_work", "workqueue_execute_start", "work"],
  ["workqueue_execute_end", "destroy_workqueue", "wq"],
  ["dio_bio_end_io", "dio_complete", "dio"],
  ["aio_complete", "io_getevents", "iocb"],
  ["inode_dio_done", "inode_dio_wait_return", "ino"],
];

function thread({ ctx, cpu, tid }: TraceEvent): string {
  return ctx === "softirq" || ctx === "hardirq" ? `${ctx} ${cpu}` : `${tid}`;
}

/** Whether one event comes before another because of it, or in one thread. */
function isChain(cause: TraceEvent, effect: TraceEvent): boolean {
  if (thread(cause) === thread(effect)) return true;
  if (cause.ev === "wake_up_process") return cause["pid"] === effect.tid;
  return EFFECTS.some(([ev, then, by]) =>
    cause.ev === ev && effect.ev === then && cause[by] === effect[by]
  );
}

/** The damaged trace, as if it had been recorded like that. */
function damaged({ trace, event, next }: Damage): TraceEvent[] {
  const at = trace.indexOf(event);
  const rest = next === undefined
    ? trace.toSpliced(at, 1)
    : trace.toSpliced(at, 2, { ...next, ts: event.ts }, {
      ...event,
      ts: next.ts,
    });
  return rest.map((event, seq) => ({ ...event, seq }));
}

/** The damaged trace, its lines numbered and timed as they were. */
function edited({ trace, event, next }: Damage): TraceEvent[] {
  const at = trace.indexOf(event);
  return next === undefined
    ? trace.toSpliced(at, 1)
    : trace.toSpliced(at, 2, next, event);
}

function* damages(trace: readonly TraceEvent[]): Generator<Damage> {
  for (const [i, event] of trace.entries()) {
    yield { trace, event };
    const next = trace[i + 1];
    if (next !== undefined && isChain(event, next)) {
      yield { trace, event, next };
    }
  }
}

function describe({ event, next }: Damage): string {
  return next === undefined
    ? `without ${formatEvent(event)}`
    : `${formatEvent(next)} before ${formatEvent(event)}`;
}

const used: Set<Legal> = new Set();
/** Damages that are not of `might_sleep`, which says next to nothing. */
let total = 0;
let noticed = 0;
let legal = 0;

/** Counts the damages to one trace; gives those that should be noticed. */
function unnoticed(
  model: ModelSpec,
  scenarioId: string,
  profile: (typeof PROFILE_NAMES)[number],
): string[] {
  const scenario = scenarioById(scenarioId);
  const trace = [...runScenario(model, scenario, { profile }).events];
  const found: string[] = [];
  for (const damage of damages(trace)) {
    const isNoticed =
      checkTrace(damaged(damage), { profile }).violations.length > 0;
    const reason = LEGAL.find(({ allows }) => allows(damage));
    if (!isNoticed && reason === undefined) found.push(describe(damage));
    if (!isNoticed && reason !== undefined) used.add(reason);
    if (reason === MIGHT_SLEEP) continue;
    total++;
    if (isNoticed) noticed++;
    else if (reason !== undefined) legal++;
  }
  return found;
}

for (const profile of PROFILE_NAMES) {
  for (const model of MODELS) {
    Deno.test(`trace-well-formed: checkTrace() notices every damage to traces of ${model.name}, profile ${profile}`, () => {
      const found: string[] = [];
      for (const id of SCENARIO_IDS) {
        const fs = mountForQuestions(model);
        if (whyNot(fs, scenarioById(id), profile) !== null) continue;
        for (const damage of unnoticed(model, id, profile)) {
          found.push(`${id}: ${damage}`);
        }
      }
      assertEquals(found, []);
    });
  }
}

Deno.test("every reason why a damage need not be noticed is needed", () => {
  const idle = LEGAL.filter((legal) => !used.has(legal));
  assertEquals(idle.map(({ why }) => why), []);
});

Deno.test("checkTrace() notices most damages, and the others are legal", async (t) => {
  await t.step(`${noticed} of ${total} noticed, ${legal} legal`, () => {
    assertEquals(noticed + legal, total);
    assertEquals(noticed > 0.75 * total, true);
  });
});

Deno.test("trace-well-formed/sequence: checkTrace() notices every edit that leaves the numbers as they were", () => {
  const model = MODELS.find(({ name }) => name === "ext4")!;
  const scenario = scenarioById("aio-write-unwritten-many");
  const trace = [...runScenario(model, scenario).events];
  const last = trace.at(-1);
  for (const damage of damages(trace)) {
    // Nothing says how long the trace was.
    if (damage.event === last) continue;
    const { violations } = checkTrace(edited(damage));
    const rules = violations.map(({ rule }) => rule);
    assertEquals(
      [describe(damage), rules.includes("trace-well-formed/sequence")],
      [describe(damage), true],
    );
  }
});

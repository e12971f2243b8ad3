import { assert, assertEquals } from "@std/assert";
import { fakeIo } from "../testdata/fake_io.ts";
import {
  measureQueues,
  type QueueMeasurement,
  workqueueBenchmark,
} from "./workqueue.ts";

const [firstPosted, boundOne, unbound, merged] = measureQueues() as [
  QueueMeasurement,
  QueueMeasurement,
  QueueMeasurement,
  QueueMeasurement,
];
const BLOCKED_NS = 10_000_000;

Deno.test("completion-concurrency: with max_active 1 most completions wait for the one that blocks", () => {
  assert(firstPosted.medianNs > BLOCKED_NS);
  assert(boundOne.lastNs > BLOCKED_NS);
});

Deno.test("completion-concurrency: with the default concurrency none does", () => {
  assert(unbound.lastNs < BLOCKED_NS / 10);
  assert(merged.lastNs < BLOCKED_NS / 10);
});

Deno.test("completion-concurrency: a bound queue completes where the transfer ended, an unbound one anywhere", () => {
  assert(merged.local > 0.75);
  assert(unbound.local < 0.5);
});

Deno.test("bench.ts workqueue prints a row for each queue", async () => {
  const io = fakeIo();
  assertEquals(await workqueueBenchmark([], io), 0);
  for (const { queue } of measureQueues()) assert(io.stdout().includes(queue));
  const json = fakeIo();
  assertEquals(await workqueueBenchmark(["--json"], json), 0);
  assertEquals(json.stdout().trimEnd().split("\n").length, 4);
});

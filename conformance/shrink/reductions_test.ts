import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Op, Scenario } from "../scenario.ts";
import { scenarioById, SCENARIOS } from "../scenarios.ts";
import { reduceScenario, reductions, splitReducedId } from "./reductions.ts";

/** How much there is in a scenario: every reduction has less. */
function sizeOf(scenario: Scenario): number {
  const { tasks, file, ...others } = scenario;
  const numbers = JSON.stringify([tasks, file]).match(/\d+/g) ?? [];
  return numbers.reduce((sum, number) => sum + Number(number), 0) * 1000 +
    JSON.stringify([tasks, file.extents.map(({ state }) => state), others])
      .length;
}

/** Events that a task waits for, less those that it has asked for. */
function waitsTooMuch(ops: readonly Op[]): boolean {
  let pending = 0;
  return ops.some((op) => {
    if (op.op.startsWith("aio_")) pending++;
    if (op.op === "getevents") pending -= op.min;
    return pending < 0;
  });
}

/** All reductions of all scenarios, down to where nothing is left to take. */
function* everyReduction(): Generator<
  readonly [before: Scenario, after: Scenario],
  void,
  void
> {
  const seen = new Set<string>();
  const pending = [...SCENARIOS];
  for (let i = 0; i < pending.length && i < 3000; i++) {
    const before = pending[i] as Scenario;
    for (const after of reductions(before)) {
      yield [before, after];
      const text = JSON.stringify(after);
      if (seen.has(text)) continue;
      seen.add(text);
      pending.push(after);
    }
  }
}

Deno.test("reductions() of every scenario are smaller, keep a task with a call, and wait for no event that never comes", () => {
  let count = 0;
  for (const [before, after] of everyReduction()) {
    count++;
    assert(sizeOf(after) < sizeOf(before), JSON.stringify([before, after]));
    assert(
      after.tasks.length > 0 && after.tasks.every(({ ops }) => ops.length > 0),
    );
    const isSound = !before.tasks.some(({ ops }) => waitsTooMuch(ops));
    if (isSound) assert(!after.tasks.some(({ ops }) => waitsTooMuch(ops)));
  }
  assert(count > 10_000, `${count}`);
});

Deno.test("reductions() begin with a task less and end with a call that transfers a sector", () => {
  const scenario = scenarioById("aio-write-many");
  const [first] = reductions(scenario);
  assertEquals(first?.tasks.map(({ comm }) => comm), ["truncater"]);
  const small = {
    ...scenario,
    tasks: [{
      comm: "a",
      ops: [{ op: "write", offset: 0, bytes: 4096 }],
    }],
  } as const;
  assertEquals(reductions(small).at(-1)?.tasks[0]?.ops, [
    { op: "write", offset: 0, bytes: 512 },
  ]);
});

Deno.test("reductions() take flags, faults, options of calls and the state of blocks away", () => {
  const full: Scenario = {
    id: "full",
    title: "",
    rules: [],
    dsync: true,
    completion: "hardirq",
    profiles: ["v3.12"],
    faults: [{ nth: 1, open: true }],
    allocFaults: [{ what: "dio", nth: 1 }],
    file: {
      size: 4096,
      extents: [{ offset: 0, bytes: 4096, state: "unwritten" }],
    },
    tasks: [{
      comm: "a",
      ownFile: true,
      ops: [{ op: "aio_write", offset: 0, bytes: 512, unmapped: [0] }],
    }],
  };
  let last = full;
  for (let next = reductions(full); next.length > 0; next = reductions(last)) {
    last = next[0] as Scenario;
  }
  assertEquals(last, {
    id: "full",
    title: "",
    rules: [],
    file: { size: 0, extents: [] },
    tasks: [{ comm: "a", ops: [{ op: "aio_write", offset: 0, bytes: 512 }] }],
  });
});

Deno.test("reduceScenario() follows a path, and names the scenario by it", () => {
  const base = scenarioById("aio-write-many");
  const { id, tasks, title } = reduceScenario(base, [1, 0]);
  assertEquals([id, title], [
    "aio-write-many~1.0",
    "Shrunk from aio-write-many",
  ]);
  const [step] = reductions(reductions(base)[1] as Scenario);
  assertEquals(tasks, step?.tasks);
});

Deno.test("reduceScenario() says so when a path leads nowhere", () => {
  assertThrows(
    () => reduceScenario(scenarioById("aio-write"), [0, 99]),
    RangeError,
    "Cannot reduce scenario aio-write to aio-write~0.99: it has no reduction 99",
  );
});

Deno.test.each([
  ["aio-write~1.0", { base: "aio-write", path: [1, 0] }],
  ["aio-write~1~2", { base: "aio-write~1", path: [2] }],
  ["aio-write", null],
  ["aio-write~", null],
  ["aio-write~x", null],
])("splitReducedId('%s')", (id, parts) => {
  assertEquals(splitReducedId(id), parts);
});

/**
 * Simpler scenarios: what a failing one is shrunk to, one step at a time.
 *
 * @module
 */

import type { ExtentLayout } from "../../fs_models/mod.ts";
import type { Op, Scenario, ScenarioTask, Transfer } from "../scenario.ts";

const BLOCK = 4096;
const SECTOR = 512;
/** Between the name of a scenario and the reductions that made another one. */
const MARK = "~";

/**
 * Every scenario that is a step simpler: a task, a call, a fault or a piece of
 * the file less, a flag that is not set, fewer bytes. The order is fixed, so
 * that a list of places in it says how a scenario was reduced.
 *
 * @param scenario The scenario.
 * @returns Simpler ones, those that take away most first.
 *
 * @example
 * ```ts
 * import { reductions, scenarioById } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * const [first] = reductions(scenarioById("aio-write-many"));
 * assertEquals(first?.tasks.map(({ comm }) => comm), ["truncater"]);
 * ```
 */
export function reductions(scenario: Scenario): Scenario[] {
  return [
    ...fewerTasks(scenario),
    ...fewerOps(scenario),
    ...fewerFaults(scenario),
    ...simplerTasks(scenario),
    ...withoutFlags(scenario),
    ...simplerFile(scenario),
    ...smallerOps(scenario),
  ];
}

/**
 * Reduces a scenario again and again.
 *
 * @param base The scenario.
 * @param path Which of {@linkcode reductions} to take, one after the other.
 * @returns The reduced scenario; its `id` tells `base` and `path`, as in
 * `aio-write-many~0.2`.
 * @throws {RangeError} If there is no such reduction.
 *
 * @example
 * ```ts
 * import { reduceScenario, scenarioById } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * const scenario = reduceScenario(scenarioById("aio-write-many"), [1]);
 * assertEquals(scenario.id, "aio-write-many~1");
 * assertEquals(scenario.tasks.length, 1);
 * ```
 */
export function reduceScenario(
  base: Scenario,
  path: readonly number[],
): Scenario {
  const id = `${base.id}${MARK}${path.join(".")}`;
  let scenario = base;
  for (const place of path) {
    const next = reductions(scenario)[place];
    if (next === undefined) {
      throw new RangeError(
        `Cannot reduce scenario ${base.id} to ${id}: it has no reduction ${place}; it was another scenario when it was shrunk`,
      );
    }
    scenario = next;
  }
  return { ...scenario, id, title: `Shrunk from ${base.id}` };
}

/**
 * Takes the name of a reduced scenario apart.
 *
 * @param id The name.
 * @returns The name of the scenario it was made from, and the path; null when
 * it is no such name.
 *
 * @example
 * ```ts
 * import { splitReducedId } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(splitReducedId("aio-write~0.2"), { base: "aio-write", path: [0, 2] });
 * assertEquals(splitReducedId("aio-write"), null);
 * ```
 */
export function splitReducedId(
  id: string,
): { readonly base: string; readonly path: readonly number[] } | null {
  const at = id.lastIndexOf(MARK);
  const places = id.slice(at + 1);
  if (at < 0 || !/^\d+(?:\.\d+)*$/.test(places)) return null;
  return { base: id.slice(0, at), path: places.split(".").map(Number) };
}

function fewerTasks(scenario: Scenario): Scenario[] {
  const { tasks } = scenario;
  if (tasks.length < 2) return [];
  return tasks.map((_, i) => ({ ...scenario, tasks: tasks.toSpliced(i, 1) }));
}

function fewerOps(scenario: Scenario): Scenario[] {
  return eachTask(
    scenario,
    ({ ops }) =>
      ops.length < 2 ? [] : ops.map((_, i) => repaired(ops.toSpliced(i, 1)))
        .filter((fewer) => fewer.length > 0),
  );
}

function fewerFaults(scenario: Scenario): Scenario[] {
  return [
    ...fewer(scenario, "faults"),
    ...fewer(scenario, "allocFaults"),
  ];
}

/** One element less; then one that is not open any more. */
function fewer(
  scenario: Scenario,
  key: "faults" | "allocFaults",
): Scenario[] {
  const list: readonly { readonly open?: boolean }[] = scenario[key] ?? [];
  const shorter = list.map((_, i) =>
    list.length === 1
      ? without(scenario, key)
      : { ...scenario, [key]: list.toSpliced(i, 1) }
  );
  const closed = list.flatMap((fault, i) =>
    fault.open === true
      ? [{ ...scenario, [key]: list.with(i, without(fault, "open")) }]
      : []
  );
  return [...shorter, ...closed];
}

function simplerTasks(scenario: Scenario): Scenario[] {
  const { tasks } = scenario;
  return tasks.flatMap((task, i) =>
    task.ownFile === true
      ? [{ ...scenario, tasks: tasks.with(i, without(task, "ownFile")) }]
      : []
  );
}

function withoutFlags(scenario: Scenario): Scenario[] {
  const flags = [
    "dsync",
    "completion",
    "device",
    "bioMaxPages",
    "profiles",
  ] as const;
  return flags.flatMap((flag) =>
    scenario[flag] === undefined ? [] : [without(scenario, flag)]
  );
}

function simplerFile(scenario: Scenario): Scenario[] {
  const { file } = scenario;
  const { extents, size } = file;
  const withExtents = (extents: readonly ExtentLayout[]): Scenario => ({
    ...scenario,
    file: { ...file, extents },
  });
  const last = extents.at(-1);
  const end = last === undefined ? 0 : last.offset + last.bytes;
  return [
    ...extents.map((_, i) =>
      withExtents(extents.toSpliced(extents.length - 1 - i, 1))
    ),
    ...extents.flatMap((extent, i) =>
      smaller(extent.bytes, BLOCK).map((bytes) =>
        withExtents(extents.with(i, { ...extent, bytes }))
      )
    ),
    ...extents.flatMap((extent, i) =>
      extent.state === "written"
        ? []
        : [withExtents(extents.with(i, { ...extent, state: "written" }))]
    ),
    // No file ends before its last extent.
    ...[0, end].filter((less) => less < size && less >= end)
      .map((size) => ({ ...scenario, file: { ...file, size } })),
  ];
}

function smallerOps(scenario: Scenario): Scenario[] {
  return eachTask(
    scenario,
    ({ ops }) =>
      ops.flatMap((op, i) =>
        smallerOp(op).map((simpler) => repaired(ops.with(i, simpler)))
      ),
  );
}

function smallerOp(op: Op): Op[] {
  const simpler: Op[] = [];
  if (op.op === "getevents") {
    if (op.min > 1) simpler.push({ ...op, min: op.min - 1 });
  } else if (op.op === "truncate") {
    if (op.size > 0) simpler.push({ ...op, size: 0 });
  }
  if (isTransfer(op)) {
    for (const key of ["pieces", "unmapped", "flags"] as const) {
      if (op[key] !== undefined) simpler.push(without(op, key));
    }
  }
  if ("bytes" in op) {
    for (const bytes of smaller(op.bytes, BLOCK)) {
      simpler.push({ ...op, bytes });
    }
    if (op.offset > 0) simpler.push({ ...op, offset: 0 });
    if (op.bytes > SECTOR && op.bytes <= BLOCK) {
      simpler.push({ ...op, bytes: SECTOR });
    }
  }
  return simpler;
}

function isTransfer(op: Op): op is Transfer {
  return /^(?:aio_)?(?:write|read)$/.test(op.op);
}

/** Smaller whole numbers of a unit: one, half as many, one less. */
function smaller(value: number, unit: number): number[] {
  const units = Math.ceil(value / unit);
  const candidates = [1, units >> 1, units - 1];
  return [...new Set(candidates)].filter((n) => n > 0 && n < units)
    .map((n) => n * unit);
}

/** The scenario with one task's calls replaced, in every way there is. */
function eachTask(
  scenario: Scenario,
  replace: (task: ScenarioTask) => readonly (readonly Op[])[],
): Scenario[] {
  const { tasks } = scenario;
  return tasks.flatMap((task, i) =>
    replace(task).map((ops) => ({
      ...scenario,
      tasks: tasks.with(i, { ...task, ops }),
    }))
  );
}

/** Nobody waits for more events than were asked for: that would never end. */
function repaired(ops: readonly Op[]): Op[] {
  let pending = 0;
  return ops.flatMap((op): Op[] => {
    if (op.op.startsWith("aio_")) pending++;
    if (op.op !== "getevents") return [op];
    const min = Math.min(op.min, pending);
    pending -= min;
    return min > 0 ? [{ ...op, min }] : [];
  });
}

function without<T extends object, K extends keyof T>(
  value: T,
  key: K,
): Omit<T, K> {
  const { [key]: _, ...rest } = value;
  return rest;
}

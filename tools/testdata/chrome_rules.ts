/**
 * What Perfetto's own importer wants of trace-event JSON, as rules: a trace
 * that breaks none of them is shown whole.
 *
 * @module
 */

/** A member of `traceEvents`, as it was read. */
type Item = Readonly<Record<string, unknown>>;

/** The members that each phase has to have, and their types. */
const NEEDED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  X: { name: "string", ts: "number", dur: "number" },
  i: { name: "string", ts: "number", s: "string" },
  b: { name: "string", ts: "number", cat: "string", id: "number" },
  e: { name: "string", ts: "number", cat: "string", id: "number" },
  s: { name: "string", ts: "number", cat: "string", id: "number" },
  f: { name: "string", ts: "number", cat: "string", id: "number" },
  M: { name: "string", args: "object" },
};
const METADATA: ReadonlySet<unknown> = new Set([
  "process_name",
  "thread_name",
  "process_sort_index",
  "thread_sort_index",
]);
/** Times are compared in thousandths of a nanosecond, to be exact. */
const EXACT = 1e6;

interface Slice {
  readonly begin: number;
  readonly end: number;
}

/**
 * What is wrong with a trace.
 *
 * @param text The JSON.
 * @returns Each problem in words.
 */
export function chromeProblems(text: string): string[] {
  const { traceEvents } = JSON.parse(text) as { traceEvents: Item[] };
  const problems = traceEvents.flatMap(problemsOf);
  problems.push(...namesMissing(traceEvents));
  problems.push(...nestingProblems(traceEvents));
  problems.push(...asyncProblems(traceEvents));
  problems.push(...flowProblems(traceEvents));
  return problems;
}

function problemsOf(item: Item, at: number): string[] {
  const needed = NEEDED[String(item["ph"])];
  if (needed === undefined) return [`${at}: phase ${item["ph"]}`];
  const problems = Object.entries(needed)
    .filter(([name, type]) => {
      const found = typeof item[name];
      return found !== type;
    })
    .map(([name]) => `${at}: ${item["ph"]} without ${name}`);
  if (!Number.isInteger(item["pid"])) problems.push(`${at}: no pid`);
  // A tid of 0 would be taken for the pid.
  const { tid, ph, ts, dur, s } = item;
  if (tid !== undefined && !(Number.isInteger(tid) && Number(tid) > 0)) {
    problems.push(`${at}: tid ${tid}`);
  }
  if (ph !== "M" && tid === undefined) problems.push(`${at}: no tid`);
  if (ph === "M" && !METADATA.has(item["name"])) {
    problems.push(`${at}: metadata ${item["name"]} is ignored`);
  }
  for (const time of [ts, dur]) {
    const value = Number(time ?? 0);
    if (!(value >= 0) || Math.abs(value * 1000 % 1 - 0.5) < 0.49) {
      problems.push(`${at}: time ${time} is no whole nanosecond`);
    }
  }
  if (ph === "i" && !["t", "p", "g"].includes(String(s))) {
    problems.push(`${at}: scope ${s}`);
  }
  return problems;
}

function threadOf({ pid, tid }: Item): string {
  return `${pid}/${tid}`;
}

/** Every thread that has events has a name. */
function namesMissing(items: readonly Item[]): string[] {
  const named = new Set(
    items.filter(({ name }) => name === "thread_name").map(threadOf),
  );
  const used = new Set(items.filter(({ ph }) => ph !== "M").map(threadOf));
  return [...used].filter((thread) => !named.has(thread))
    .map((thread) => `thread ${thread} has no name`);
}

function slicesOf(items: readonly Item[]): Map<string, Slice[]> {
  const slices = new Map<string, Slice[]>();
  for (const item of items) {
    if (item["ph"] !== "X") continue;
    const begin = Math.round(Number(item["ts"]) * EXACT);
    const end = begin + Math.round(Number(item["dur"]) * EXACT);
    const all = slices.get(threadOf(item)) ?? [];
    all.push({ begin, end });
    slices.set(threadOf(item), all);
  }
  return slices;
}

/** Slices of a thread lie inside each other or apart. */
function nestingProblems(items: readonly Item[]): string[] {
  const problems: string[] = [];
  for (const [thread, slices] of slicesOf(items)) {
    const open: Slice[] = [];
    const sorted = slices.toSorted((a, b) =>
      a.begin - b.begin || b.end - a.end
    );
    for (const slice of sorted) {
      while ((open.at(-1)?.end ?? Infinity) <= slice.begin) open.pop();
      if (slice.end > (open.at(-1)?.end ?? Infinity)) {
        problems.push(`slices of ${thread} overlap at ${slice.begin / EXACT}`);
      }
      open.push(slice);
    }
  }
  return problems;
}

/** An asynchronous slice that ends has begun, and not later. */
function asyncProblems(items: readonly Item[]): string[] {
  const problems: string[] = [];
  const open = new Map<string, number>();
  for (const { ph, cat, id, name, pid, ts } of items) {
    if (ph !== "b" && ph !== "e") continue;
    const key = `${pid} ${cat} ${id} ${name}`;
    if (ph === "b") {
      if (open.has(key)) problems.push(`${key} begins twice`);
      open.set(key, Number(ts));
      continue;
    }
    const begin = open.get(key);
    if (begin === undefined) problems.push(`${key} ends without beginning`);
    else if (begin > Number(ts)) problems.push(`${key} ends too early`);
    open.delete(key);
  }
  return problems;
}

/**
 * A flow begins and ends once, not backwards, each end in a slice that is open
 * on its thread, and that stands in the file before it.
 */
function flowProblems(items: readonly Item[]): string[] {
  const problems: string[] = [];
  const open = new Map<string, number>();
  const slices = slicesOf(items);
  const lastSlice = items.findLastIndex(({ ph }) => ph === "X");
  for (const [at, item] of items.entries()) {
    const { ph, cat, name, id, bp, ts } = item;
    if (ph !== "s" && ph !== "f") continue;
    const key = `flow ${cat} ${name} ${id}`;
    const time = Math.round(Number(ts) * EXACT);
    const isInside = slices.get(threadOf(item))
      ?.some(({ begin, end }) => begin <= time && time < end);
    if (!isInside) problems.push(`${key}: no slice around ${ts}`);
    if (at < lastSlice) problems.push(`${key} stands before its slice`);
    if (ph === "s") open.set(key, time);
    else {
      if (bp !== "e") problems.push(`${key} binds to the next slice`);
      if (!((open.get(key) ?? Infinity) <= time)) {
        problems.push(`${key} leads back`);
      }
      open.delete(key);
    }
  }
  return [...problems, ...[...open.keys()].map((key) => `${key} has no end`)];
}

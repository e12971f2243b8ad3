import {
  assert,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import {
  type CompletionStage,
  type Dio,
  DirectIo,
  random,
  SCHEDULE,
  SpinLock,
  type Task,
} from "../core/mod.ts";
import { MODELS } from "../fs_models/mod.ts";
import { checkScenario } from "./check_scenario.ts";
import { checkConformance } from "./conformance.ts";
import type { ConformanceOptions } from "./conformance_options.ts";
import { formatFailure, formatShrunk } from "./report.ts";
import { ruleById } from "./rules/mod.ts";
import { runScenario } from "./run.ts";
import { scenarioById } from "./scenarios.ts";
import { reduceScenario } from "./shrink/reductions.ts";
import { MirroredError, TWO_BIOS } from "./testdata/mirrored_error.ts";

type Variant = NonNullable<ConformanceOptions["directIo"]>;

const plain = MODELS.find(({ name }) => name === "plain")!;
const aioWrite = scenarioById("aio-write");
const many = scenarioById("aio-write-many");
/** Needs three preemptions in some 60 steps. */
const losesError: Variant = (kernel) =>
  new MirroredError(kernel, { quick: 1, thorough: 1 });

Deno.test("checkScenario() calls only that exhaustive which is", () => {
  const { coverage, runs, pruned } = checkScenario(plain, many);
  assertEquals(coverage, "exhaustive");
  assert(runs > 10);
  const needed = runs + pruned;
  const [less, enough] = [needed - 1, needed].map((exhaustive) =>
    checkScenario(plain, many, { exhaustive, runs: 7 })
  );
  assertEquals(enough?.coverage, "exhaustive");
  assertEquals([enough?.runs, enough?.pruned], [runs, pruned]);
  assertEquals(less?.coverage, "sampled");
  // And the default order, and seven random ones.
  assertEquals((less?.runs ?? 0) + (less?.pruned ?? 0), needed - 1 + 8);
});

Deno.test("checkScenario() runs for so many seconds, however many runs that are", () => {
  const timed = (seconds: number, options: ConformanceOptions) => {
    const start = performance.now();
    const { coverage, runs } = checkScenario(plain, many, {
      ...options,
      seconds,
    });
    assertEquals(coverage, "sampled");
    assert(performance.now() - start < (seconds + 20) * 1000);
    return runs;
  };
  // Neither the default number of runs nor that of an endless budget.
  assert(timed(1.5, { exhaustive: 0 }) > 51);
  assert(timed(0.001, { exhaustive: Infinity, runs: Infinity }) < 50);
  assertEquals(timed(20, { exhaustive: 0, runs: 3 }), 4);
});

Deno.test("error-reported: checkScenario() finds with three preemptions at most what it does not find with two, and calls neither exhaustive", () => {
  const [two, three] = [2, 3].map((preemptions) =>
    checkScenario(plain, reduceScenario(TWO_BIOS, [1, 0]), {
      directIo: losesError,
      preemptions,
      exhaustive: 50_000,
      shrink: 0,
    })
  );
  assertEquals([two?.coverage, two?.failure], ["bounded", null]);
  assertEquals(three?.failure?.violations[0]?.rule, "error-reported/every-bio");
  assertNotEquals(three?.coverage, "exhaustive");
});

Deno.test("checkScenario() calls exhaustive what no bound cuts short, and bounded what one does", () => {
  const coverages = [0, 99].map((preemptions) =>
    checkScenario(plain, aioWrite, { preemptions }).coverage
  );
  assertEquals(coverages, ["bounded", "exhaustive"]);
});

/** The names of the strategies that a scenario is run under. */
function strategiesOf(options: ConformanceOptions): string[] {
  const names: string[] = [];
  checkScenario(plain, aioWrite, {
    ...options,
    directIo: (kernel) => {
      names.push(kernel.strategy.name);
      return new DirectIo(kernel);
    },
  });
  return names;
}

Deno.test("checkScenario() runs one random schedule twice, then the default order, then random ones from the seed on", () => {
  const options = { exhaustive: 0, runs: 2, seed: 5 };
  assertEquals(strategiesOf(options), [
    "random-5",
    "random-5",
    "fifo",
    "random-5",
    "random-6",
  ]);
});

Deno.test("checkScenario() samples with pct() of a depth", () => {
  const options = { exhaustive: 0, runs: 2, depth: 4 };
  assertEquals(strategiesOf(options).slice(3), ["pct-1-4", "pct-2-4"]);
});

Deno.test("checkScenario() begins with the runs that failed before", () => {
  const options = { exhaustive: 0, runs: 0, directIo: losesError };
  assertEquals(checkScenario(plain, TWO_BIOS, options).failure, null);
  const found = checkScenario(plain, TWO_BIOS, { ...options, runs: 300 });
  const first = [found.failure?.token ?? "", found.shrunk?.report.token ?? ""];
  const again = checkScenario(plain, TWO_BIOS, { ...options, first });
  assertEquals(again.failure?.events, found.failure?.events);
  assertEquals(again.stale, []);
});

Deno.test("checkScenario() passes over a run that can no longer be repeated, and says why", () => {
  const found = checkScenario(plain, TWO_BIOS, {
    exhaustive: 0,
    runs: 300,
    directIo: losesError,
  });
  const first = [found.failure?.token ?? ""];
  const { failure, stale, runs } = checkScenario(plain, TWO_BIOS, {
    exhaustive: 0,
    runs: 1,
    first,
  });
  assertEquals([failure, stale.length, runs], [null, 1, 2]);
  assert(stale[0]?.startsWith("Cannot replay choice "), stale[0]);
});

Deno.test("checkScenario() leaves out of the first runs those of others", () => {
  const first = [
    runScenario(plain, many).token,
    runScenario(MODELS[1]!, aioWrite).token,
    runScenario(plain, aioWrite, { profile: "v6.1" }).token,
  ];
  const options = { exhaustive: 0, runs: 0, first };
  const { runs, stale } = checkScenario(plain, aioWrite, options);
  assertEquals([runs, stale], [1, []]);
});

/** Gives up for a reason that is no kernel's. */
class Crashes extends DirectIo {
  override dioFree(dio: Dio): void {
    if (dio.isAsync) throw new TypeError("dio.pages is undefined");
    super.dioFree(dio);
  }
}

Deno.test("checkScenario() says under which schedule the model threw, and keeps what it threw", () => {
  const error = assertThrows(
    () =>
      checkScenario(plain, aioWrite, {
        directIo: (kernel) => new Crashes(kernel),
      }),
    Error,
    "Cannot run scenario aio-write of plain under random-1: dio.pages is undefined",
  );
  assert(error.cause instanceof TypeError);
});

Deno.test("checkConformance() reports the profile of the token that it repeats", () => {
  const { token } = runScenario(plain, aioWrite, { profile: "v6.1" });
  assertEquals(checkConformance(plain, { replay: token }).profile, "v6.1");
});

/** Never drops `i_dio_count`. */
class KeepsCount extends DirectIo {
  override completionOrder(dio: Dio): readonly CompletionStage[] {
    return super.completionOrder(dio)
      .filter((stage) => stage !== "inode_dio_done");
  }
}

/** Looks at a flag that nobody sets, and lets others run meanwhile. */
class Polls extends DirectIo {
  override *dioAwaitCompletion(dio: Dio): Task<void> {
    while (dio.refcount > 1 || dio.bioList !== null) yield SCHEDULE;
    yield* super.dioAwaitCompletion(dio);
  }
}

/** Takes two locks in one order when it submits, in the other when it ends. */
class Crosses extends DirectIo {
  readonly #locks = ["a_lock", "b_lock"].map((name) =>
    new SpinLock(this.kernel, name)
  );
  override *dioAwaitCompletion(dio: Dio): Task<void> {
    yield* this.#both(0, 1);
    yield* super.dioAwaitCompletion(dio);
  }
  override *dioBioEndIo(
    bio: Parameters<DirectIo["dioBioEndIo"]>[0],
  ): Task<void> {
    yield* this.#both(1, 0);
    yield* super.dioBioEndIo(bio);
  }
  *#both(first: number, second: number): Task<void> {
    const [a, b] = [this.#locks[first]!, this.#locks[second]!];
    yield* a.lock(this.kernel);
    yield* b.lock(this.kernel);
    b.unlock(this.kernel);
    a.unlock(this.kernel);
  }
}

const HANGS: readonly {
  readonly rule: string;
  readonly what: string;
  readonly directIo: Variant;
  readonly scenario: string;
  readonly says: readonly RegExp[];
}[] = [
  {
    rule: "liveness/blocked-for-ever",
    what: "a truncate that waits for a count that never drops",
    directIo: (kernel) => new KeepsCount(kernel),
    scenario: "aio-write-many",
    says: [
      / {2}expected nobody to wait for ever: nobody is left to wake the one who waits;\n {4}task truncater/,
      /task truncater-\d+ waits since \d+ ns for i_dio_count of inode 12 to drop to 0 \(it is 1\), and nobody has ever woken that queue/,
    ],
  },
  {
    rule: "lock-handover/no-deadlock",
    what: "two locks in two orders",
    directIo: (kernel) => new Crosses(kernel),
    scenario: "sync-read-many",
    says: [
      /deadlock of task reader-10 and softirq on cpu \d/,
      /task reader-10 waits since \d+ ns for b_lock held by softirq on cpu \d/,
      /softirq on cpu \d waits since \d+ ns for a_lock held by task reader-10/,
    ],
  },
  {
    rule: "liveness/soft-lockup",
    what: "a spin that nobody ends",
    directIo: (kernel) => new Polls(kernel),
    scenario: "sync-write",
    says: [
      /the run does not end: the last 1000 of \d+ steps are of task writer-10/,
      /nobody else can run to end that/,
      /if it only takes long, raise maxSteps/,
    ],
  },
];

for (const { rule, what, directIo, scenario, says } of HANGS) {
  Deno.test(`${rule}: checkScenario() reports ${what}, and who waits for whom`, () => {
    const { failure, shrunk } = checkScenario(plain, scenarioById(scenario), {
      directIo,
      rules: [ruleById(rule)],
      shrink: 200,
    });
    const message = formatShrunk(failure!, shrunk!);
    assertEquals(message.split(": ")[0], rule);
    for (const text of says) {
      assertEquals([text, text.test(message)], [text, true], message);
    }
  });
}

Deno.test("formatShrunk() shows what is left of the scenario, how complicated the schedule is, and how to repeat it", () => {
  const { failure, shrunk } = checkScenario(plain, TWO_BIOS, {
    exhaustive: 0,
    runs: 300,
    directIo: losesError,
  });
  assert(failure !== null && shrunk !== null);
  const text = formatShrunk(failure, shrunk);
  const { token } = shrunk.report;
  for (
    const part of [
      `error-reported/every-bio: An error of any bio`,
      "In scenario two-bios-one-fails~1.0 of plain, profile v3.12:",
      "  file: 8192 bytes, 0+4096 written, 4096+4096 written",
      "  writer: aio_write 0+8192",
      `  faults: [{"sector":0}]`,
      " runs to 3 preemptions and 1 other choice, the least that fails;",
      `found as ${failure.token}`,
      `Replay: checkConformance(model, { replay: "${token}" })`,
      `    or: deno run tools/trace.ts record --schedule ${token}`,
      "const scenario: Scenario = {",
      `const run = "${token}";`,
    ]
  ) {
    assertEquals([part, text.includes(part)], [part, true], text);
  }
  assert(formatFailure(failure).includes(`replay: "${failure.token}"`));
  assert(
    failure.token.startsWith("endio1:v3.12:plain:two-bios-one-fails:random-"),
  );
});

Deno.test("checkScenario() with shrink: 0 does not shrink (seed 1)", () => {
  const { failure, shrunk } = checkScenario(plain, TWO_BIOS, {
    exhaustive: 0,
    runs: 300,
    directIo: losesError,
    shrink: 0,
  });
  assert(failure !== null);
  assertEquals(shrunk, null);
  const strategy = random(1);
  assertEquals(runScenario(plain, TWO_BIOS, { strategy }).violations, []);
});

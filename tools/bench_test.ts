import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { bench } from "./bench.ts";
import { Schedules } from "./bench/explore.ts";
import { PromiseOrders } from "./bench/explore_orders.ts";
import { PromiseSchedules } from "./bench/explore_promises.ts";
import type { Benchmark, Comparison, Subject } from "./bench/harness.ts";
import { SpinSearch } from "./bench/spin.ts";
import { UserError } from "./cli.ts";
import { fakeIo } from "./testdata/fake_io.ts";

/** Does nothing but spend time. */
function spends(
  name: string,
  ms: number,
  more: Partial<Subject> = {},
): Subject {
  return {
    name,
    run(n) {
      const end = performance.now() + n * ms;
      while (performance.now() < end);
    },
    ...more,
  };
}

function comparing(
  atMost: number,
  more: Partial<Comparison> = {},
): Benchmark {
  return {
    name: "work",
    about: "some work",
    units: 2,
    comparisons: [{
      subject: spends("ours", 1),
      peer: spends("theirs", 2),
      unit: "piece",
      atMost,
      rounds: 3,
      warmUp: 0,
      ...more,
    }],
  };
}

Deno.test("bench() ends with 0 when every claim holds, and with 1 when one does not", async () => {
  for (
    const [atMost, status, verdict] of [
      [1, 0, "claimed: holds"],
      [0.1, 1, "claimed: does not hold"],
    ] as const
  ) {
    const io = fakeIo();
    assertEquals(await bench(["work"], io, [comparing(atMost)]), status);
    assertStringIncludes(io.stdout(), verdict);
    assertStringIncludes(io.stdout(), "work: some work\n\n  ours: ");
  }
});

Deno.test("bench() --json writes one object a comparison", async () => {
  const io = fakeIo();
  const note = spends("ours", 1, { note: () => "3 of them" });
  await bench(["--json"], io, [comparing(1, { subject: note })]);
  const { subject, subjectNote, subjectNs, ratio, holds } = JSON.parse(
    io.stdout(),
  );
  assertEquals([subject, subjectNote, holds], ["ours", "3 of them", true]);
  assertEquals([subjectNs >= 1e6, ratio < 1], [true, true]);
});

Deno.test("bench() measures a peer that is not everywhere only when it is asked to, and goes on without it", async () => {
  let closed = 0;
  const peer = spends("far away", 1, {
    prepare: () => Promise.resolve("it is not installed"),
    close: () => Promise.resolve(void closed++),
  });
  const benchmark = comparing(1, { peer, onRequest: "far" });
  const silent = fakeIo();
  assertEquals(await bench([], silent, [benchmark]), 0);
  assertEquals([silent.stderr(), closed], ["", 0]);
  const asked = fakeIo();
  assertEquals(await bench(["--compare", "far"], asked, [benchmark]), 0);
  assertEquals(
    [asked.stderr(), closed],
    ["bench.ts: work goes on without far away: it is not installed\n", 1],
  );
  await assertRejects(
    () => bench(["--compare", "near"], fakeIo(), [benchmark]),
    UserError,
    "Unknown peer 'near'",
  );
});

Deno.test("PromiseSchedules runs the scenario to its end in random orders", async () => {
  for (const dios of [1, 2]) {
    for (const bios of [1, 3]) {
      const schedules = new PromiseSchedules({ dios, bios });
      await schedules.run(20);
      assert(/^\d+ steps each$/.test(schedules.note()));
    }
  }
});

Deno.test("PromiseOrders ends when every order has been run, or its time is over", async () => {
  const all = new PromiseOrders({ dios: 1, bios: 2 }, () => Infinity);
  await all.run();
  assertStringIncludes(all.note(), " runs, and 0.00 % of further runs");
  const some = new PromiseOrders({ dios: 2, bios: 3 }, () => 0);
  await some.run();
  assertStringIncludes(some.note(), " orders in 1000 runs, and ");
});

Deno.test("the benchmark explore runs its schedules to their end", () => {
  const schedules = new Schedules();
  schedules.run(20);
  assert(/^\d+ steps each$/.test(schedules.note()));
});

Deno.test({
  name: "SpinSearch says in one line which permissions it needs",
  permissions: { run: false, write: false },
  async fn() {
    const spin = new SpinSearch(1, 1);
    assertEquals(
      await spin.prepare(),
      "Deno may not run it; use deno run --allow-run --allow-write=/tmp tools/bench.ts explore --compare spin",
    );
    await spin.close();
  },
});

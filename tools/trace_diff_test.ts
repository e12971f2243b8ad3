import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { TraceEvent } from "../core/mod.ts";
import { runScenario, scenarioById } from "../conformance/mod.ts";
import { MODELS } from "../fs_models/mod.ts";
import { UserError } from "./cli.ts";
import { fakeIo } from "./testdata/fake_io.ts";
import { trace } from "./trace.ts";
import { encodeJsonl } from "./trace_jsonl.ts";

const EVENTS = runScenario(
  MODELS.find(({ name }) => name === "ext4")!,
  scenarioById("aio-two-writes"),
).events;

const reason =
  Deno.permissions.querySync({ name: "write", path: "/tmp" }).state ===
      "granted"
    ? ""
    : "needs --allow-read=/tmp --allow-write=/tmp";

interface Compared {
  readonly status: number;
  readonly stdout: string;
}

/** Compares two traces. */
async function diffOf(
  a: readonly TraceEvent[],
  b: readonly TraceEvent[],
  ...args: string[]
): Promise<Compared> {
  const file = await Deno.makeTempFile({ dir: "/tmp" });
  try {
    await Deno.writeTextFile(file, [...encodeJsonl({}, b)].join(""));
    const io = fakeIo([...encodeJsonl({}, a)].join(""));
    const status = await trace(["diff", ...args, "-", file], io);
    assertEquals(io.stderr(), "");
    return { status, stdout: io.stdout().replaceAll(file, "FILE") };
  } finally {
    await Deno.remove(file);
  }
}

function diffTest(name: string, fn: () => Promise<void>): void {
  const suffix = reason === "" ? "" : ` [ignored: ${reason}]`;
  Deno.test({ name: name + suffix, ignore: reason !== "", fn });
}

diffTest("diff finds no difference in a trace and itself", async () => {
  const { status, stdout } = await diffOf(EVENTS, EVENTS);
  assertEquals(status, 0);
  assertEquals(stdout, `no difference in ${EVENTS.length} events\n`);
});

diffTest("diff does not mind what things are called, or when", async () => {
  const renamed = EVENTS.map((event) => {
    const other: TraceEvent = {
      ...event,
      ts: event.ts * 3 + 7,
      cpu: event.cpu + 1,
    };
    for (const [id, by] of [["dio", 100], ["bio", 50], ["iocb", 7]] as const) {
      if (Number(event[id]) > 0) other[id] = Number(event[id]) + by;
    }
    return other;
  });
  assertEquals((await diffOf(EVENTS, renamed)).status, 0);
});

diffTest("diff sees that two bios were exchanged", async () => {
  const exchanged = EVENTS.map((event) =>
    event.ev === "bio_endio" ? { ...event, bio: 3 - Number(event.bio) } : event
  );
  const { status, stdout } = await diffOf(EVENTS, exchanged);
  assertEquals(status, 1);
  const at = EVENTS.findIndex(({ ev }) => ev === "bio_endio");
  assertStringIncludes(stdout, `: after ${at} events\n`);
  assertStringIncludes(stdout, `stdin:${at + 2}, FILE:${at + 2}`);
  assertStringIncludes(stdout, "\n- softirq");
  assertStringIncludes(stdout, "\n+ softirq");
});

diffTest("diff shows where one of two ends", async () => {
  const { status, stdout } = await diffOf(EVENTS, EVENTS.slice(0, 5));
  assertEquals(status, 1);
  assertStringIncludes(stdout, "after 5 events");
});

diffTest(
  "diff --ignore leaves fields out, filters leave events out",
  async () => {
    const smaller = EVENTS.map((event) =>
      event.ev === "submit_bio" ? { ...event, sector: 99 } : event
    );
    assertEquals((await diffOf(EVENTS, smaller)).status, 1);
    assertEquals(
      (await diffOf(EVENTS, smaller, "--ignore", "sector")).status,
      0,
    );
    assertEquals(
      (await diffOf(EVENTS, smaller, "--ev", "bio_endio")).status,
      0,
    );
  },
);

const MISTAKES: readonly (readonly [args: readonly string[], said: string])[] =
  [
    [["a"], "Two traces are needed: diff A B"],
    [["a", "b", "c"], "Unexpected 'c'"],
    [["-", "-"], "Cannot read standard input twice"],
    [["--ignore", "sectr", "a", "b"], "Cannot ignore 'sectr'"],
  ];

for (const [args, said] of MISTAKES) {
  Deno.test(`diff ${args.join(" ")} says what is wrong`, async () => {
    const error = await assertRejects(
      () => trace(["diff", ...args], fakeIo()),
      UserError,
    );
    assertStringIncludes(error.message, said);
  });
}

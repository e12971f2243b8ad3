import {
  assertEquals,
  assertGreater,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { DeviceError, DirectFileDevice } from "../../devices/mod.ts";
import { UserError } from "../cli.ts";
import { fakeIo } from "../testdata/fake_io.ts";
import { deviceBenchmark } from "./device.ts";
import { DioSubject, PromiseSubject } from "./device_dio.ts";
import { BLOCK, checkStamps, stamp, StampedFile } from "./device_file.ts";
import { ffiReads, nodeReads } from "./device_peers.ts";
import { growthOf, soak } from "./device_soak.ts";
import { claimsTable, judge, median, samplesTable } from "./device_table.ts";
import { Offsets, type Workload } from "./device_workload.ts";

const MIB = 1 << 20;
const READS: Workload = {
  title: "reads",
  rw: "read",
  isRandom: true,
  blockBytes: BLOCK,
  depth: 8,
};

Deno.test("checkStamps() finds a block that lies elsewhere", () => {
  const bytes = new Uint8Array(3 * BLOCK);
  stamp(bytes, 5 * BLOCK);
  checkStamps(bytes, 5 * BLOCK);
  checkStamps(bytes.subarray(BLOCK), 6 * BLOCK);
  assertThrows(() => checkStamps(bytes, 4 * BLOCK), UserError, "Cannot trust");
  bytes[3 * BLOCK - 1]!++;
  assertThrows(() => checkStamps(bytes, 5 * BLOCK), UserError, "Cannot trust");
});

Deno.test("Offsets stay inside the file, whole blocks, in order or not", () => {
  const inOrder = new Offsets({ ...READS, isRandom: false }, 3 * BLOCK + 1);
  assertEquals(
    Array.from({ length: 4 }, () => inOrder.next()),
    [0, BLOCK, 2 * BLOCK, 0],
  );
  const random = new Offsets(READS, 64 * BLOCK);
  const seen = new Set(Array.from({ length: 2000 }, () => random.next()));
  assertEquals(seen.size, 64);
  assertEquals([...seen].every((at) => at % BLOCK === 0), true);
  assertEquals(Math.max(...seen), 63 * BLOCK);
});

Deno.test("judge() takes the median of the rounds' ratios", () => {
  const sample = (requests: number, cpuSeconds: number) => ({
    requests,
    seconds: 2,
    cpuSeconds,
  });
  const measured = [
    { name: "a", samples: [sample(10, 1), sample(40, 1), sample(30, 3)] },
    { name: "b", samples: [sample(20, 1), sample(20, 1), sample(20, 1)] },
  ];
  const claim = { subject: "a", peer: "b", of: "rate", wanted: 1 } as const;
  assertEquals(judge(claim, measured), {
    ...claim,
    ratio: 1.5,
    least: 0.5,
    greatest: 2,
    limit: null,
    holds: true,
  });
  assertEquals(judge({ ...claim, wanted: 1.6 }, measured)?.holds, false);
  // 2, 0.5 and 2 of the time of the other.
  const cpu = judge({ ...claim, of: "cpu", wanted: 2 }, measured);
  assertEquals([cpu?.ratio, cpu?.holds], [2, true]);
  assertEquals(
    judge({ ...claim, of: "cpu", wanted: 1.9 }, measured)?.holds,
    false,
  );
  assertEquals(judge({ ...claim, peer: "c" }, measured), null);
  // About as fast as who shows the limit is fast enough; slower is not.
  const limits = [
    ...measured,
    { name: "disk", samples: [sample(30, 1), sample(30, 1), sample(30, 1)] },
    { name: "best", samples: [sample(40, 1), sample(40, 1), sample(40, 1)] },
  ];
  const limited = { ...claim, wanted: 3, orAs: "disk" };
  const outcome = judge(limited, limits);
  assertEquals([outcome?.limit, outcome?.holds], [1.5, true]);
  assertEquals(judge({ ...limited, orAs: "best" }, limits)?.holds, false);
  assertEquals(judge({ ...limited, orAs: "gone" }, limits)?.holds, false);
  assertMatch(
    claimsTable([outcome!]),
    /at least 3, or 0\.95 of fio's 1\.50, is claimed: holds/,
  );
  assertEquals(median([3, 1, 2]), 2);
  assertMatch(samplesTable(measured, MIB), /^ {2}a +15 +15 +100000\.0$/m);
  assertMatch(
    claimsTable([judge(claim, measured)!]),
    /rate of a : b +1\.50 +\(0\.50 to 2\.00\) +at least 1 is claimed: holds/,
  );
});

Deno.test("the benchmark says in one line what is wrong", async () => {
  for (
    const [args, message] of [
      [["core"], "device takes no names"],
      [["--compare", "dd"], "--compare fio"],
      [["--size", "0"], "--size 0"],
      [["--rounds", "x"], "--rounds x"],
      [["--dir", "/no/such/directory"], "/no/such/directory"],
    ] as const
  ) {
    const { message: text } = await assertRejects(
      () => deviceBenchmark(args, fakeIo()),
      UserError,
      message,
    );
    assertEquals(text.includes("\n"), false);
  }
});

/** Why nothing can be measured here; empty when it can. */
function skipReason(): string {
  for (const name of ["read", "write"] as const) {
    if (Deno.permissions.querySync({ name }).state !== "granted") {
      return `needs --allow-${name}`;
    }
  }
  try {
    using file = new StampedFile("/tmp", 1);
    using _ = DirectFileDevice.open(file.path, { engine: "io_uring" });
    return "";
  } catch (error) {
    if (error instanceof DeviceError || error instanceof UserError) {
      return error.message;
    }
    throw error;
  }
}

const reason = skipReason();

function fileTest(
  name: string,
  fn: (file: StampedFile) => Promise<void>,
): void {
  Deno.test({
    name: name + (reason === "" ? "" : ` [skipped: ${reason}]`),
    ignore: reason !== "",
    async fn() {
      using file = new StampedFile("/tmp", 1);
      await fn(file);
    },
  });
}

fileTest(
  "every subject reads what was stamped, and counts it",
  async (file) => {
    for (
      const make of [
        () => new DioSubject(READS, file, "io_uring"),
        () => new PromiseSubject(READS, file, "io_uring"),
        () => nodeReads(READS, file),
        () => ffiReads(READS, file),
      ]
    ) {
      using subject = make();
      for (let turn = 0; turn < 2; turn++) {
        let sample = await subject.run(0.02);
        // A machine that is busy with other tests may come to none.
        for (let i = 0; i < 50 && sample.requests === 0; i++) {
          sample = await subject.run(0.02);
        }
        assertGreater(sample.requests, 0, subject.name);
        assertGreater(sample.seconds, 0.019, subject.name);
      }
    }
  },
);

fileTest("a subject finds data that is not what was written", async (file) => {
  await Deno.writeFile(file.path, new Uint8Array(MIB).fill(1));
  using dio = new DioSubject(READS, file, "io_uring");
  assertThrows(() => dio.runRequests(100), UserError, "Cannot trust");
  using promises = new PromiseSubject(READS, file, "io_uring");
  await assertRejects(() => promises.run(0.02), UserError, "Cannot trust");
});

fileTest("writes are stamped, and go where they belong", async (file) => {
  const writes: Workload = {
    ...READS,
    rw: "write",
    isRandom: false,
    blockBytes: 4 * BLOCK,
  };
  await Deno.writeFile(file.path, new Uint8Array(MIB));
  using subject = new DioSubject(writes, file, "io_uring");
  subject.runRequests(64);
  const content = await Deno.readFile(file.path);
  for (let at = 0; at < MIB; at += BLOCK) {
    checkStamps(content.subarray(at, at + BLOCK), at);
  }
});

Deno.test("growthOf() sees what grows in any stage after the first ones", () => {
  const stages = (last: number) => [9, 5, 9, 7, ...Array(15).fill(8), last];
  assertEquals(growthOf(stages(8)), -1);
  assertEquals(growthOf(stages(30)), 21);
  assertEquals(growthOf(stages(30).toReversed()), -21);
});

/** Whether Deno may count descriptors, which takes --allow-all. */
function mayCount(): boolean {
  try {
    return Deno.readDirSync("/proc/self/fd").some(() => true);
  } catch {
    return false;
  }
}

fileTest("--soak sees descriptors that leak", async (file) => {
  const { runRequests } = DioSubject.prototype;
  using leaks = new DisposableStack();
  leaks.defer(() => DioSubject.prototype.runRequests = runRequests);
  DioSubject.prototype.runRequests = function (count) {
    leaks.use(Deno.openSync(file.path));
    return runRequests.call(this, count);
  };
  const io = fakeIo();
  const status = await soak(READS, file, "io_uring", 20, io);
  if (!mayCount()) return assertMatch(io.stdout(), /no descriptors counted/);
  assertEquals(status, 1);
  // Other tests may open and close some meanwhile.
  assertMatch(io.stdout(), /\d+ descriptors leaked: not flat/);
});

const BENCH = new URL("../bench.ts", import.meta.url);
const mayRun = Deno.permissions.querySync({ name: "run" }).state === "granted";

// In a process of its own: other tests have memory, too.
Deno.test({
  name: "--soak carries out requests, and says what they leave" +
    (mayRun ? "" : " [skipped: needs --allow-run]"),
  ignore: !mayRun,
  async fn() {
    const { code, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", BENCH.href, "device"]
        .concat(["--dir", "/tmp", "--size", "1", "--soak", "4000"]),
    }).output();
    const text = new TextDecoder().decode(stdout);
    assertEquals(code, 0, text);
    assertMatch(text, /^ +4,000 requests .* descriptors/m);
    assertMatch(text, /0 descriptors leaked: flat$/m);
  },
});

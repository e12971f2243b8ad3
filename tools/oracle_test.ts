import {
  assert,
  assertEquals,
  assertGreater,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { scenarioById, SCENARIOS } from "../conformance/mod.ts";
import { DeviceError, DirectFile, DirectFileDevice } from "../devices/mod.ts";
import { MODELS } from "../fs_models/mod.ts";
import { UserError } from "./cli.ts";
import { oracle } from "./oracle.ts";
import {
  BLOCK,
  caseOf,
  describeOp,
  fillPattern,
  layOut,
  type OracleCase,
  type OracleOp,
  type OracleRun,
  SUITE_CASES,
} from "./oracle_case.ts";
import { CASES } from "./oracle_cases.ts";
import { compare, EXPLANATIONS, type OracleSetting } from "./oracle_compare.ts";
import { runOnModel } from "./oracle_model.ts";
import { randomCase } from "./oracle_random.ts";
import { fakeIo } from "./testdata/fake_io.ts";

const SETTING: OracleSetting = {
  fs: "ext4",
  model: "ext4",
  profile: "v6.1",
  tellsAlignment: true,
};

/** A run of one call on a file of one block. */
function runOf(op: OracleOp, result: number, data: number[] = []): OracleRun {
  return {
    startSize: BLOCK,
    steps: [{ op, result, size: BLOCK, data: Uint8Array.from(data) }],
    content: Uint8Array.from([1, 2, 3]),
  };
}

/** The names of the explanations of what two results differ in. */
function explain(
  op: OracleOp,
  real: number,
  model: number,
  setting: OracleSetting = SETTING,
  data: number[] = [],
): (string | null)[] {
  const oracleCase = { id: "x", setUp: [], ops: [op] };
  const runs = [runOf(op, real, data), runOf(op, model)] as const;
  return compare(oracleCase, ...runs, setting).differences
    .map(({ explanation }) => explanation?.id ?? null);
}

Deno.test("compare() finds nothing where nothing differs", () => {
  const op: OracleOp = { op: "read", offset: 0, bytes: 3 };
  const oracleCase = { id: "x", setUp: [], ops: [op] };
  const run = runOf(op, 3, [1, 2, 3]);
  assertEquals(compare(oracleCase, run, run, SETTING), {
    caseId: "x",
    compared: 4,
    differences: [],
  });
});

Deno.test("compare() finds a result, a size, a byte, and the content", () => {
  const op: OracleOp = { op: "read", offset: 0, bytes: 3 };
  const oracleCase = { id: "x", setUp: [], ops: [op] };
  const run = runOf(op, 3, [1, 2, 3]);
  const [step] = run.steps;
  const others: [OracleRun, string, string][] = [
    [runOf(op, 2, [1, 2, 3]), "3", "2"],
    [
      { ...run, steps: [{ ...step!, size: 9 }] },
      `size ${BLOCK}`,
      "size 9",
    ],
    [runOf(op, 3, [1, 7, 3]), "byte 1 is 2", "byte 1 is 7"],
    [runOf(op, 3, [1, 2]), "byte 2 is 3", "ends at 2"],
    [{ ...run, content: Uint8Array.of(1, 2) }, "byte 2 is 3", "ends at 2"],
  ];
  for (const [other, real, model] of others) {
    const { differences } = compare(oracleCase, run, other, SETTING);
    assertEquals(differences.map((each) => [each.real, each.model]), [
      [real, model],
    ]);
    assertEquals(differences[0]?.explanation, null);
  }
});

Deno.test("compare() says no more after what it does not understand", () => {
  const ops: OracleOp[] = [{ op: "fsync" }, { op: "fsync" }];
  const oracleCase = { id: "x", setUp: [], ops };
  const step = { op: ops[0]!, size: 0, data: new Uint8Array() };
  const [real, model] = [0, -5].map((result): OracleRun => ({
    startSize: 0,
    steps: [{ ...step, result }, { ...step, result }],
    content: new Uint8Array(),
  }));
  const { differences, compared } = compare(oracleCase, real!, model!, SETTING);
  assertEquals([differences.length, compared], [1, 3]);
});

Deno.test("each explanation explains what it says, and not its neighbour", () => {
  const read = { op: "read", offset: 0, bytes: 100 } as const;
  const write = { op: "write", offset: 0, bytes: BLOCK } as const;
  const nowait = { ...write, nowait: true };
  assertEquals(explain(nowait, -11, BLOCK), ["nowait-is-a-choice"]);
  assertEquals(explain(nowait, BLOCK, -95), ["nowait-is-a-choice"]);
  assertEquals(explain(write, -11, BLOCK), [null]);
  assertEquals(explain(nowait, -5, BLOCK), [null]);

  const behind = { ...read, offset: BLOCK };
  assertEquals(explain(behind, 0, -22), ["end-of-file-first"]);
  assertEquals(explain({ ...read, bytes: 0 }, 0, -22), ["end-of-file-first"]);
  assertEquals(explain(read, 0, -22), [null]);
  assertEquals(explain(behind, -22, 0), [null]);

  assertEquals(
    explain(read, 2, -22, SETTING, [0, 0]),
    ["hole-without-alignment"],
  );
  assertEquals(explain(read, 2, -22, SETTING, [0, 1]), [null]);
  assertEquals(explain(write, BLOCK, -22), [null]);

  const misaligned = { ...write, misaligned: 4 };
  assertEquals(explain(misaligned, BLOCK, -22), ["dma-alignment"]);
  assertEquals(explain(misaligned, -22, BLOCK), [null]);

  const probed = { ...SETTING, tellsAlignment: false };
  assertEquals(explain(write, BLOCK, -22, probed), ["no-alignment"]);
  assertEquals(explain(write, -22, BLOCK, probed), [null]);
  assertEquals(EXPLANATIONS.length, 5);
});

Deno.test("caseOf() takes what a user can ask for, and nothing else", () => {
  assertEquals(caseOf(scenarioById("aio-write-error")), null);
  const found = caseOf(scenarioById("aio-write-unwritten"));
  assertEquals(found, {
    id: "suite/aio-write-unwritten",
    dsync: false,
    setUp: [
      { op: "fallocate", offset: 0, bytes: BLOCK },
      { op: "truncate", size: BLOCK },
    ],
    ops: [
      { op: "write", offset: 0, bytes: BLOCK, isAsync: true },
      { op: "read", offset: 0, bytes: BLOCK, isAsync: false },
    ],
  });
  assertGreater(SUITE_CASES.length, 15);
  assertGreater(SCENARIOS.length, SUITE_CASES.length);
});

Deno.test("every case has a name of its own, and calls that can be told", () => {
  const all = [...CASES, ...SUITE_CASES];
  assertEquals(new Set(all.map(({ id }) => id)).size, all.length);
  const told = new Set(all.flatMap(({ ops }) => ops.map(describeOp)));
  assertGreater(told.size, 60);
  for (const text of told) assertMatch(text, /^\w+\(.*\)$/);
});

Deno.test("randomCase() repeats with its seed", () => {
  assertEquals(randomCase(7), randomCase(7));
  assertNotEquals(randomCase(7).ops, randomCase(8).ops);
  assertEquals(randomCase(7).id, "random/7");
});

Deno.test("fillPattern() differs from write to write and sector to sector", () => {
  const [a, b, c] = [0, 0, 512].map((offset, i) => {
    const out = new Uint8Array(512);
    fillPattern(out, offset, i === 1 ? 1 : 0);
    return out;
  });
  assertNotEquals(a, b);
  assertNotEquals(a, c);
  assertEquals([...a!, ...b!, ...c!].includes(0), false);
});

Deno.test("runOnModel() lays out, runs and reads back", () => {
  const spec = MODELS.find(({ name }) => name === "xfs")!;
  const choice = { spec, profile: "v6.1", logicalBlockSize: 512 } as const;
  const extents = [
    { offset: 0, bytes: BLOCK, state: "written" },
    { offset: BLOCK, bytes: BLOCK, state: "unwritten" },
  ] as const;
  const oracleCase: OracleCase = {
    id: "x",
    setUp: layOut({ size: 3 * BLOCK, extents }),
    ops: [
      { op: "read", offset: 0, bytes: 4 * BLOCK },
      { op: "write", offset: 2 * BLOCK, bytes: BLOCK, isAsync: true },
      { op: "read", offset: 1, bytes: BLOCK },
      { op: "fsync" },
    ],
  };
  const run = runOnModel(choice, oracleCase)!;
  assertEquals(run.startSize, 3 * BLOCK);
  assertEquals(
    run.steps.map(({ result }) => result),
    [3 * BLOCK, BLOCK, -22, 0],
  );
  const first = new Uint8Array(BLOCK);
  fillPattern(first, 0, 0);
  assertEquals(run.content.subarray(0, BLOCK), first);
  assertEquals(new Set(run.content.subarray(BLOCK, 2 * BLOCK)), new Set([0]));
  assertEquals(run.content.length, 3 * BLOCK);
});

Deno.test("runOnModel() says when the model cannot", () => {
  const spec = MODELS.find(({ name }) => name === "plain")!;
  const choice = { spec, profile: "v6.1", logicalBlockSize: 512 } as const;
  const fallocate = { op: "fallocate", offset: 0, bytes: BLOCK } as const;
  assertEquals(
    runOnModel(choice, { id: "x", setUp: [fallocate], ops: [] }),
    null,
  );
  assertEquals(
    runOnModel(choice, { id: "x", setUp: [], ops: [fallocate] }),
    null,
  );
});

/** Why the oracle cannot be asked here; empty when it can. */
function skipReason(): string {
  for (const name of ["read", "write", "sys"] as const) {
    if (Deno.permissions.querySync({ name }).state !== "granted") {
      return `needs --allow-${name}`;
    }
  }
  const path = Deno.makeTempFileSync();
  try {
    Deno.truncateSync(path, 1 << 20);
    using _ = DirectFileDevice.open(path);
    return "";
  } catch (error) {
    if (error instanceof DeviceError) return error.message;
    throw error;
  } finally {
    Deno.removeSync(path);
  }
}

const reason = skipReason();

function realTest(name: string, fn: () => Promise<void>): void {
  const suffix = reason === "" ? "" : ` [skipped: ${reason}]`;
  Deno.test({ name: name + suffix, ignore: reason !== "", fn });
}

realTest("the oracle finds nothing unexplained in a directory", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const io = fakeIo();
    const groups = "alignment,end-of-file,holes,unwritten,dsync,nowait,suite";
    const args = ["--dir", directory, "--case", groups];
    const status = await oracle(args, io);
    assertEquals([status, io.stderr()], [0, ""], io.stdout());
    assertStringIncludes(io.stdout(), " 0 unexplained");
    assertEquals(await Array.fromAsync(Deno.readDir(directory)), []);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

realTest(
  "the oracle sees a kernel that is not what the model says",
  async () => {
    const directory = await Deno.makeTempDir();
    const { read } = DirectFile.prototype;
    try {
      DirectFile.prototype.read = async function (...args) {
        const result = await read.apply(this, args);
        return result === 4 * BLOCK ? result - 512 : result;
      };
      const io = fakeIo();
      const status = await oracle(["--dir", directory, "--case", "holes"], io);
      assertEquals(status, 1);
      assertStringIncludes(io.stdout(), "UNEXPLAINED");
      assertMatch(
        io.stdout(),
        /holes\/read +pread\(16384 at 0\) +15872 +16384/,
      );
    } finally {
      DirectFile.prototype.read = read;
      await Deno.remove(directory, { recursive: true });
    }
  },
);

const isRoot = reason === "" &&
  Deno.permissions.querySync({ name: "run" }).state === "granted" &&
  Deno.uid() === 0;

for (const fs of ["ext4", "xfs"]) {
  Deno.test({
    name: `the oracle finds nothing unexplained on a loop image of ${fs}` +
      (isRoot ? "" : " [skipped: needs root]"),
    ignore: !isRoot,
    async fn() {
      const directory = await Deno.makeTempDir();
      try {
        const io = fakeIo();
        const groups = "alignment,end-of-file,holes,unwritten,dsync,suite";
        const args = ["--dir", directory, "--loop", fs, "--case", groups];
        const status = await oracle(args, io).catch((error) => {
          // A machine without loop devices or without mkfs.
          if (error instanceof UserError) return error.message;
          throw error;
        });
        if (typeof status === "string") {
          assertMatch(status, /^Cannot make a loop mount of /);
          return;
        }
        assertEquals([status, io.stderr()], [0, ""], io.stdout());
        assertStringIncludes(io.stdout(), `${fs} of the running kernel`);
        assertEquals(await Array.fromAsync(Deno.readDir(directory)), []);
        const mounts = await Deno.readTextFile("/proc/self/mounts");
        assert(!mounts.includes(directory));
      } finally {
        await Deno.remove(directory, { recursive: true });
      }
    },
  });
}

Deno.test("the oracle says in one line what is wrong", async () => {
  for (
    const [args, message] of [
      [[], "--dir DIR"],
      [["--dir", "/no/such/directory"], "/no/such/directory"],
      [["--dir", ".", "--profile", "v2"], "profile"],
      [["--dir", ".", "--model", "fat"], "model"],
      [["--dir", ".", "--case", "nothing"], "case"],
      [["--dir", ".", "--seed", "x"], "has to be a number"],
      [["--dir", ".", "--loop", "zfs"], "ext4, xfs, btrfs"],
    ] as const
  ) {
    const error = await assertRejects(
      () => oracle(args, fakeIo()),
      UserError,
      message,
    );
    assertEquals(error.message.includes("\n"), false);
  }
});

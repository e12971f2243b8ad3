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
import {
  DeviceError,
  DirectFile,
  DirectFileDevice,
  type EngineKind,
} from "../devices/mod.ts";
import { MODELS } from "../fs_models/mod.ts";
import { UserError } from "./cli.ts";
import { oracle } from "./oracle.ts";
import { fillPattern } from "./oracle_buffer.ts";
import {
  BLOCK,
  caseOf,
  describeOp,
  layOut,
  type OracleCase,
  SUITE_CASES,
} from "./oracle_case.ts";
import { CASES } from "./oracle_cases.ts";
import { runOnModel } from "./oracle_model.ts";
import { randomCase } from "./oracle_random.ts";
import { fakeIo } from "./testdata/fake_io.ts";

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

Deno.test("runOnModel() says when the model cannot even lay the file out", () => {
  const spec = MODELS.find(({ name }) => name === "plain")!;
  const choice = { spec, profile: "v6.1", logicalBlockSize: 512 } as const;
  const fallocate = { op: "fallocate", offset: 0, bytes: BLOCK } as const;
  assertEquals(
    runOnModel(choice, { id: "x", setUp: [fallocate], ops: [] }),
    null,
  );
  const { steps } = runOnModel(choice, {
    id: "x",
    setUp: [],
    ops: [fallocate],
  })!;
  assertEquals(steps.map(({ result }) => result), [-95]);
});

/** Why the oracle cannot be asked by an engine here; empty when it can. */
function skipReason(engine: EngineKind | "auto"): string {
  for (const name of ["read", "write", "sys"] as const) {
    if (Deno.permissions.querySync({ name }).state !== "granted") {
      return `needs --allow-${name}`;
    }
  }
  const path = Deno.makeTempFileSync();
  try {
    Deno.truncateSync(path, 1 << 20);
    using _ = DirectFileDevice.open(path, { engine });
    return "";
  } catch (error) {
    if (error instanceof DeviceError) return error.message;
    throw error;
  } finally {
    Deno.removeSync(path);
  }
}

function realTest(
  name: string,
  fn: () => Promise<void>,
  engine: EngineKind | "auto" = "auto",
): void {
  const reason = skipReason(engine);
  const suffix = reason === "" ? "" : ` [skipped: ${reason}]`;
  Deno.test({ name: name + suffix, ignore: reason !== "", fn });
}

for (const engine of ["auto", "libaio", "psync"] as const) {
  realTest(
    `the oracle finds nothing unexplained in a directory, by ${engine}`,
    async () => {
      const directory = await Deno.makeTempDir();
      try {
        const io = fakeIo();
        const random = ["--seed", "1", "--random", "30"];
        const args = ["--dir", directory, "--engine", engine, ...random];
        const status = await oracle(args, io);
        assertEquals([status, io.stderr()], [0, ""], io.stdout());
        assertStringIncludes(io.stdout(), " 0 unexplained");
        assertEquals(await Array.fromAsync(Deno.readDir(directory)), []);
      } finally {
        await Deno.remove(directory, { recursive: true });
      }
    },
  );
}

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
      assertStringIncludes(io.stdout(), "alone: --case holes/read\n");
    } finally {
      DirectFile.prototype.read = read;
      await Deno.remove(directory, { recursive: true });
    }
  },
);

const isRoot = skipReason("auto") === "" &&
  Deno.permissions.querySync({ name: "run" }).state === "granted" &&
  Deno.uid() === 0;

for (
  const [fs, sector] of [["ext4", 512], ["xfs", 512], ["ext4", 4096]] as const
) {
  Deno.test({
    name:
      `the oracle finds nothing unexplained on a loop image of ${fs} with sectors of ${sector}` +
      (isRoot ? "" : " [skipped: needs root]"),
    ignore: !isRoot,
    async fn() {
      const directory = await Deno.makeTempDir();
      try {
        const io = fakeIo();
        const random = ["--seed", "1", "--random", "60"];
        const loop = ["--loop", fs, "--sector", `${sector}`];
        const args = ["--dir", directory, ...loop, ...random];
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
        assertMatch(io.stdout(), new RegExp(`^\n${fs} of Linux \\S+ in `));
        assertStringIncludes(io.stdout(), `blocks of ${sector}\n`);
        assertStringIncludes(io.stdout(), " 0 unexplained");
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
      [["--dir", ".", "--engine", "aio"], "engine"],
      [["--dir", ".", "--sector", "1024"], "choose 512, 4096"],
      [["--dir", ".", "--case", "nothing"], "case"],
      [["--dir", ".", "--seed", "x"], "has to be a number"],
      [["--dir", ".", "--loop", "zfs"], "did you mean xfs"],
      [["--dir", ".", "--loop", "ufs2"], "ext4, xfs, btrfs"],
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

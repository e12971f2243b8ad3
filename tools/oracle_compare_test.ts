import { assertEquals } from "@std/assert";
import { fillPattern } from "./oracle_buffer.ts";
import { BLOCK, type OracleOp, type OracleRun } from "./oracle_case.ts";
import { compare, EXPLANATIONS, type OracleSetting } from "./oracle_compare.ts";

const SETTING: OracleSetting = {
  fs: "ext4",
  model: "ext4",
  profile: "v6.1",
  logicalBlockSize: 512,
  memoryAlignment: 4,
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
  data: [real: number[], model: number[]] = [[], []],
): (string | null)[] {
  const oracleCase = { id: "x", setUp: [], ops: [op] };
  const runs = [runOf(op, real, data[0]), runOf(op, model, data[1])] as const;
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
    apartAt: null,
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

Deno.test("compare() stops where the files go different ways, and goes on behind that", () => {
  const write = {
    op: "write",
    offset: 0,
    bytes: BLOCK,
    misaligned: 4,
  } as const;
  const ops: OracleOp[] = [write, { op: "fsync" }, write];
  const oracleCase = { id: "x", setUp: [], ops };
  const runs = [BLOCK, -22].map((result): OracleRun => ({
    startSize: 0,
    steps: ops.map((op) => ({
      op,
      result: op === write ? result : 0,
      size: 0,
      data: new Uint8Array(),
    })),
    content: new Uint8Array(),
  }));
  const [real, model] = [runs[0]!, runs[1]!];
  const found = [0, 1, 3].map((from) => {
    const { apartAt, compared, differences } = compare(
      oracleCase,
      real,
      model,
      SETTING,
      from,
    );
    return [apartAt, compared, differences.length];
  });
  assertEquals(found, [[0, 3, 1], [2, 6, 1], [null, 1, 0]]);
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

  const found = (op: OracleOp, real: number[], model: number[] = real) =>
    explain(op, real.length, -22, SETTING, [real, model]);
  const isHole = ["hole-without-alignment"];
  assertEquals(found(read, [0, 0]), isHole);
  assertEquals(found(read, [0, 0], [0, 1]), [null]);
  // The hole has to lie where the read does not fit.
  assertEquals(found(read, [0, 7]), [null]);
  const before = { ...read, offset: BLOCK - 2, bytes: BLOCK + 2 };
  assertEquals(found(before, [0, 0, 7]), isHole);
  assertEquals(found(before, [0, 7, 7]), [null]);
  assertEquals(found({ ...before, misaligned: 1 }, [0, 0, 7]), [null]);
  const across = { ...read, bytes: BLOCK + 2 };
  const data = Array(BLOCK).fill(7);
  assertEquals(found(across, [...data, 0, 0]), isHole);
  assertEquals(found(across, [...data, 0, 7]), [null]);
  assertEquals(found(across, data), isHole);
  assertEquals(found(across, [7, 7]), isHole);
  assertEquals(explain(write, BLOCK, -22), [null]);

  const pattern = new Uint8Array(2);
  fillPattern(pattern, 0, 0);
  const left = (real: number[]) =>
    explain(write, -22, -22, SETTING, [real, [8, 8]]);
  assertEquals(left([pattern[0]!, 8]), ["written-in-part"]);
  assertEquals(left([pattern[0]! + 1, 8]), [null]);

  const misaligned = { ...write, misaligned: 4 };
  assertEquals(explain(misaligned, BLOCK, -22), ["dma-alignment"]);
  assertEquals(explain(misaligned, -22, BLOCK), [null]);
  assertEquals(explain({ ...write, misaligned: 2 }, BLOCK, -22), [null]);
  assertEquals(explain({ ...misaligned, offset: 4 }, BLOCK, -22), [null]);
  assertEquals(explain(misaligned, BLOCK - 512, -22), [null]);
  const pieces = (length: number) => ({
    ...write,
    pieces: [length, BLOCK - length],
  });
  assertEquals(explain(pieces(100), BLOCK, -22), ["dma-alignment"]);
  assertEquals(explain(pieces(99), BLOCK, -22), [null]);
  const zeros = { ...pieces(99), op: "read" } as const;
  assertEquals(found(zeros, [0, 0]), isHole);
  assertEquals(found(zeros, [0, 7]), [null]);

  const probed = { ...SETTING, tellsAlignment: false };
  assertEquals(explain(write, BLOCK, -22, probed), ["no-alignment"]);
  assertEquals(explain(write, -22, BLOCK, probed), [null]);

  const fallocate = { op: "fallocate", offset: 0, bytes: BLOCK } as const;
  assertEquals(explain(fallocate, -95, 0), ["fallocate-is-a-choice"]);
  assertEquals(explain(fallocate, 0, -95), ["fallocate-is-a-choice"]);
  assertEquals(explain(fallocate, -28, 0), [null]);

  const ocfs2 = { ...SETTING, model: "ocfs2" };
  assertEquals(explain(write, -22, BLOCK, ocfs2), ["cached-by-ocfs2"]);
  assertEquals(explain(write, -22, BLOCK - 1, ocfs2), [null]);
  const both = { ...ocfs2, fs: "ocfs2" };
  assertEquals(explain(write, -22, BLOCK, both), [null]);
  assertEquals(EXPLANATIONS.length, 8);
});

/**
 * A program in a sandbox: it forbids itself some system calls, opens a file,
 * reads a page of it, and says which engine has done that, and why:
 * `deno run … forbidden_calls.ts FILE ENGINE ERRNO NUMBER…`.
 *
 * @module
 */

import { DeviceError } from "../device_error.ts";
import { DirectFile } from "../direct_file.ts";
import type { EngineKind } from "../engine.ts";
import { Libc } from "../libc.ts";

const PAGE = 4096;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_SET_SECCOMP = 22;
const SECCOMP_MODE_FILTER = 2n;
const SECCOMP_RET_ERRNO = 0x50000;
const SECCOMP_RET_ALLOW = 0x7fff0000;
const BPF_LD_W_ABS = 0x20;
const BPF_JMP_JEQ_K = 0x15;
const BPF_RET_K = 0x06;
const FILTER_BYTES = 8;

const LIBC = {
  prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
  filter: {
    name: "prctl",
    parameters: ["i32", "u64", "buffer"],
    result: "i32",
  },
  addressOf: {
    name: "memcpy",
    parameters: ["buffer", "buffer", "usize"],
    result: "usize",
  },
} as const;

/** A filter of seccomp: the numbers give an errno, all others are allowed. */
function filterOf(numbers: readonly number[], errno: number): DataView {
  const steps = [
    [BPF_LD_W_ABS, 0, 0],
    ...numbers.map((nr, i) => [BPF_JMP_JEQ_K, numbers.length - i, nr]),
    [BPF_RET_K, 0, SECCOMP_RET_ALLOW],
    [BPF_RET_K, 0, SECCOMP_RET_ERRNO | errno],
  ] as const;
  const view = new DataView(new ArrayBuffer(steps.length * FILTER_BYTES));
  for (const [i, [code, jumpIfTrue, k]] of steps.entries()) {
    view.setUint16(i * FILTER_BYTES, code, true);
    view.setUint8(i * FILTER_BYTES + 2, jumpIfTrue);
    view.setUint32(i * FILTER_BYTES + 4, k, true);
  }
  return view;
}

/** Forbids them to this thread and to those that it makes from now on. */
function forbid(numbers: readonly number[], errno: number): void {
  using libc = Libc.open();
  const library = Deno.dlopen(libc.path, LIBC);
  const { addressOf, filter, prctl } = library.symbols;
  const bytes = new Uint8Array(filterOf(numbers, errno).buffer as ArrayBuffer);
  const program = new DataView(new ArrayBuffer(16));
  program.setUint16(0, bytes.length / FILTER_BYTES, true);
  program.setBigUint64(8, addressOf(bytes, bytes, 0n), true);
  const results = [
    prctl(PR_SET_NO_NEW_PRIVS, 1n, 0n, 0n, 0n),
    filter(
      PR_SET_SECCOMP,
      SECCOMP_MODE_FILTER,
      new Uint8Array(program.buffer as ArrayBuffer),
    ),
  ];
  library.close();
  if (results.some((result) => result !== 0)) throw new Error("no seccomp");
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

const [path = "", engine = "auto", errno = "1", ...numbers] = Deno.args;
forbid(numbers.map(Number), Number(errno));
try {
  await using file = DirectFile.open(path, {
    engine: engine as EngineKind | "auto",
  });
  const result = await file.read(0, file.allocate(PAGE));
  const reasons = file.engineVerdicts.map(({ engine, reason }) =>
    `${engine}: ${reason}`
  );
  print([`${file.engine} ${result}`, ...reasons].join("\n"));
} catch (error) {
  if (!(error instanceof DeviceError)) throw error;
  print(error.message);
}

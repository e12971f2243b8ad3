/**
 * Benchmark `device`: direct I/O on a real file, against fio and against what
 * a user of Deno would write otherwise.
 *
 * All subjects take turns on one file. A ratio is the median of the ratios of
 * the rounds, so that a machine that changes its speed changes both sides.
 *
 * @module
 */

import { DeviceError } from "../../devices/mod.ts";
import {
  EXIT_OK,
  EXIT_VIOLATED,
  type Io,
  readOptions,
  UserError,
} from "../cli.ts";
import { DioSubject, PromiseSubject } from "./device_dio.ts";
import { StampedFile } from "./device_file.ts";
import {
  checkFio,
  FFI_READS,
  ffiReads,
  FioSubject,
  NODE_READS,
  nodeReads,
} from "./device_peers.ts";
import { soak } from "./device_soak.ts";
import {
  type Claim,
  claimsTable,
  judge,
  type Measured,
  type Outcome,
  samplesTable,
} from "./device_table.ts";
import type { DeviceSubject, Workload } from "./device_workload.ts";

const RANDOM_READS: Workload = {
  title: "4 KiB random reads, 32 at once",
  rw: "read",
  isRandom: true,
  blockBytes: 4096,
  depth: 32,
};
const READS: Workload = {
  title: "1 MiB sequential reads, 8 at once",
  rw: "read",
  isRandom: false,
  blockBytes: 1 << 20,
  depth: 8,
};
const WRITES: Workload = {
  ...READS,
  title: "1 MiB sequential writes, 8 at once",
  rw: "write",
};

/** Engines that both sides have, and that are compared. */
const ENGINES = ["io_uring", "libaio"] as const;
/** What a subject is warmed up for, in seconds. */
const WARM_UP = 1;

const HELP = `Usage: deno run tools/bench.ts device [OPTIONS]

Measures direct I/O through the whole core on a file with O_DIRECT, a sample of
its data checked, against peers on the same file, in turns, in one run. Against
what a user would write otherwise, twice the rate is claimed, or 0.95 of fio's
where the disk gives no more, and half the processor time. The exit status is 1
when a claim does not hold.

Options:
  --compare fio   against fio as well, which has to be installed
  --dir DIR       where to make the file (default: the working directory)
  --size MIB      the size of the file (default: 256)
  --seconds N     how long a turn is (default: 2)
  --rounds N      how many rounds (default: 7)
  --json          one JSON object a claim
  --soak N        no comparison: N requests, and whether memory stays flat
  --engine NAME   the engine of --soak (default: io_uring)
  --help          this text

Permissions: --allow-read=DIR --allow-write=DIR and
--allow-ffi=/lib/x86_64-linux-gnu/libc.so.6 on Debian; elsewhere a message says
what it is. --compare fio also needs --allow-run=fio.

Example:
  deno run tools/bench.ts device --compare fio --dir /var/tmp
`;

/**
 * The benchmark as a command.
 *
 * @param args Its arguments.
 * @param io Its world.
 * @returns The exit status.
 */
export async function deviceBenchmark(
  args: readonly string[],
  io: Io,
): Promise<number> {
  const { values, flags, rest } = readOptions(args, {
    string: ["compare", "dir", "size", "seconds", "rounds", "soak", "engine"],
    boolean: ["json"],
  });
  if (flags.has("help")) {
    await io.out.write(HELP);
    return EXIT_OK;
  }
  if (rest.length > 0) {
    throw new UserError(`Cannot measure ${rest[0]}: device takes no names`);
  }
  const compare = values.get("compare");
  if (compare !== undefined && compare !== "fio") {
    throw new UserError(`Cannot compare with ${compare}: --compare fio`);
  }
  if (compare === "fio") await checkFio();
  const size = numberOf(values, "size", 256);
  const seconds = numberOf(values, "seconds", 2);
  const rounds = numberOf(values, "rounds", 7);
  try {
    using file = new StampedFile(values.get("dir") ?? ".", size);
    const soaked = values.get("soak");
    if (soaked !== undefined) {
      const engine = engineOf(values.get("engine") ?? "io_uring");
      return await soak(RANDOM_READS, file, engine, Number(soaked), io);
    }
    const run = { file, seconds, rounds, isFio: compare === "fio", io };
    let holds = true;
    for (const workload of [RANDOM_READS, READS, WRITES]) {
      if (!await compareOn(workload, run, flags.has("json"))) holds = false;
    }
    return holds ? EXIT_OK : EXIT_VIOLATED;
  } catch (error) {
    if (error instanceof DeviceError) throw new UserError(error.message);
    throw error;
  }
}

interface Run {
  readonly file: StampedFile;
  readonly seconds: number;
  readonly rounds: number;
  readonly isFio: boolean;
  readonly io: Io;
}

/** Measures a workload, and prints it; gives whether every claim holds. */
async function compareOn(
  workload: Workload,
  run: Run,
  isJson: boolean,
): Promise<boolean> {
  const { io, rounds, seconds } = run;
  const measured = await measureInTurns(workload, run);
  const outcomes = claimsOf(workload)
    .map((claim) => judge(claim, measured))
    .filter((outcome): outcome is Outcome => outcome !== null);
  const holds = outcomes.every((outcome) => outcome.holds);
  if (isJson) {
    for (const outcome of outcomes) {
      const line = {
        benchmark: "device",
        workload: workload.title,
        ...outcome,
      };
      await io.out.write(`${JSON.stringify(line)}\n`);
    }
    return holds;
  }
  await io.out.write(
    `\ndevice: ${workload.title}; medians of ${rounds} turns of ${seconds} s\n${
      samplesTable(measured, workload.blockBytes)
    }\n${claimsTable(outcomes)}`,
  );
  return holds;
}

async function measureInTurns(
  workload: Workload,
  { file, seconds, rounds, isFio }: Run,
): Promise<Measured[]> {
  using stack = new DisposableStack();
  const subjects: DeviceSubject[] = [];
  for (const subject of subjectsOf(workload, file, isFio)) {
    subjects.push(stack.use(subject));
  }
  const measured = subjects.map(({ name }): Measured => ({
    name,
    samples: [],
  }));
  for (const subject of subjects) await subject.run(WARM_UP);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < subjects.length; turn++) {
      // Nobody always follows the same one.
      const at = (turn + round) % subjects.length;
      const sample = await subjects[at]!.run(seconds);
      measured[at]!.samples.push(sample);
    }
  }
  return measured;
}

function* subjectsOf(
  workload: Workload,
  file: StampedFile,
  isFio: boolean,
): Generator<DeviceSubject> {
  for (const engine of ENGINES) yield new DioSubject(workload, file, engine);
  if (isFio) {
    for (const engine of ENGINES) yield new FioSubject(workload, file, engine);
  }
  if (workload.rw === "write") return;
  yield new PromiseSubject(workload, file, "io_uring");
  yield nodeReads(workload, file);
  yield ffiReads(workload, file);
}

function claimsOf(workload: Workload): Claim[] {
  const least = workload === RANDOM_READS ? 1 : 0.98;
  const pairs = [
    ["io_uring", "io_uring"],
    ["io_uring", "libaio"],
    ["libaio", "libaio"],
  ] as const;
  const claims = pairs.flatMap(([engine, other]): Claim[] => {
    const subject = `dio, ${engine}`;
    const peer = `fio, ${other}`;
    return [
      { subject, peer, of: "rate", wanted: least },
      { subject, peer, of: "cpu", wanted: 2 },
    ];
  });
  if (workload.rw === "write") return claims;
  // Nobody can be faster than the disk, which fio shows the speed of; but the
  // processor time tells who gets by with less.
  const orAs = "fio, io_uring";
  const others = ["dio, io_uring", "promises, io_uring"].flatMap((subject) =>
    [NODE_READS, FFI_READS].flatMap((peer): Claim[] => [
      { subject, peer, of: "rate", wanted: 2, orAs },
      { subject, peer, of: "cpu", wanted: 0.5 },
    ])
  );
  return [...claims, ...others];
}

function numberOf(
  values: ReadonlyMap<string, string>,
  name: string,
  standard: number,
): number {
  const value = Number(values.get(name) ?? standard);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new UserError(
    `Cannot use --${name} ${values.get(name)}: it has to be a number above 0`,
  );
}

function engineOf(name: string): "io_uring" | "libaio" | "psync" {
  if (name === "io_uring" || name === "libaio" || name === "psync") return name;
  throw new UserError(
    `Cannot use --engine ${name}: choose io_uring, libaio or psync`,
  );
}

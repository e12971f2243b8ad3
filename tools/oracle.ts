/**
 * The running kernel as an oracle: the user-visible half of the suite's
 * scenarios, and cases of its own, run on a real filesystem and on a model,
 * and compared row by row.
 *
 * Exit status 1 if something differs that is not explained.
 *
 * @module
 */

import fs from "node:fs";
import type { ProfileName } from "../core/mod.ts";
import { DeviceError, type EngineKind } from "../devices/mod.ts";
import { MODELS, type ModelSpec } from "../fs_models/mod.ts";
import {
  EXIT_OK,
  EXIT_VIOLATED,
  fileError,
  type Io,
  lookUp,
  readOptions,
  runTool,
  UserError,
} from "./cli.ts";
import { type OracleCase, SUITE_CASES } from "./oracle_case.ts";
import { CASES } from "./oracle_cases.ts";
import {
  compare,
  type Comparison,
  type OracleSetting,
} from "./oracle_compare.ts";
import { checkLoops, LoopMount } from "./oracle_loop.ts";
import { type ModelChoice, runOnModel } from "./oracle_model.ts";
import { randomCase } from "./oracle_random.ts";
import { RealOracle, SetUpError } from "./oracle_real.ts";
import { groupOf, oracleReport, unexplained } from "./oracle_report.ts";

const HELP = `Usage: deno run [PERMISSIONS] tools/oracle.ts --dir DIR [OPTIONS]

Runs the user-visible half of the suite's scenarios, and cases of its own, on
the filesystem that DIR lies in and on a model, and compares results, sizes
and bytes. What differs is explained, or makes the exit status 1.

Options:
  --dir DIR         where to make a file; with --loop, the images
  --loop FS,…       on loop images instead: ext4, xfs, btrfs (needs root)
  --sector N        logical blocks of that many bytes there: 512 (default), 4096
  --model NAME      the model (default: that of the same name, else plain)
  --profile P       whose semantics the model has (default: v6.1)
  --engine NAME     how aio_ calls go to the kernel: auto (default), io_uring,
                    libaio, psync
  --case NAME,…     only the cases, or groups of cases, of these names
  --random N        so many cases that a seed chooses (default: 20)
  --seed N          the seed of the first one (default: by chance)
  --verbose         a row for every case and every difference
  --help            this text

Permissions: --allow-read=DIR --allow-write=DIR --allow-sys=statfs,osRelease
--allow-ffi=/lib/x86_64-linux-gnu/libc.so.6 on Debian; elsewhere a message says
what it is. --loop also needs --allow-run=losetup,mount,umount,mkfs.ext4 (or
mkfs.xfs, mkfs.btrfs).

Examples:
  deno run -A tools/oracle.ts --dir .
  sudo deno run -A tools/oracle.ts --dir /var/tmp --loop ext4,xfs
`;

/** What the magic numbers of `statfs()` mean. */
const FS_NAMES: ReadonlyMap<number, string> = new Map([
  [0xef53, "ext4"],
  [0x58465342, "xfs"],
  [0x9123683e, "btrfs"],
  [0xf2f52010, "f2fs"],
  [0x01021994, "tmpfs"],
  [0x794c7630, "overlay"],
  [0x65735546, "fuse"],
  [0x6969, "nfs"],
]);

const PROFILES: ReadonlyMap<string, ProfileName> = new Map([
  ["v3.12", "v3.12"],
  ["v4.10", "v4.10"],
  ["v6.1", "v6.1"],
]);

const SECTOR_SIZES: ReadonlyMap<string, number> = new Map([
  ["512", 512],
  ["4096", 4096],
]);

const ENGINES: ReadonlyMap<string, EngineKind | "auto"> = new Map([
  ["auto", "auto"],
  ["io_uring", "io_uring"],
  ["libaio", "libaio"],
  ["psync", "psync"],
]);

/** The models that have files. */
const FILE_MODELS: ReadonlyMap<string, ModelSpec> = new Map(
  MODELS.filter(({ name }) => name !== "blkdev")
    .map((spec) => [spec.name, spec]),
);
const PLAIN: ModelSpec = lookUp("model", "plain", FILE_MODELS);

/** What is compared, wherever that is. */
interface Plan {
  readonly cases: readonly OracleCase[];
  readonly profile: ProfileName;
  /** The model, or null for the one of the filesystem. */
  readonly model: ModelSpec | null;
  readonly engine: EngineKind | "auto";
  readonly isVerbose: boolean;
}

/**
 * The tool.
 *
 * @param args Its arguments.
 * @param io Its world.
 * @returns The exit status.
 */
export async function oracle(
  args: readonly string[],
  io: Io,
): Promise<number> {
  const { values, flags, rest } = readOptions(args, {
    string: [
      "dir",
      "loop",
      "sector",
      "model",
      "profile",
      "engine",
      "case",
      "random",
      "seed",
    ],
    boolean: ["verbose"],
  });
  if (flags.has("help")) {
    await io.out.write(HELP);
    return EXIT_OK;
  }
  const dir = values.get("dir");
  if (rest.length > 0) {
    throw new UserError(`Unexpected ${rest[0]}: the place is --dir DIR`);
  }
  if (dir === undefined) {
    throw new UserError("Cannot ask the oracle without a place: --dir DIR");
  }
  const plan: Plan = {
    cases: chosenCases(values),
    profile: lookUp("profile", values.get("profile") ?? "v6.1", PROFILES),
    model: modelOf(values.get("model")),
    engine: lookUp("engine", values.get("engine") ?? "auto", ENGINES),
    isVerbose: flags.has("verbose"),
  };
  const loops = values.get("loop")?.split(",");
  checkLoops(loops ?? []);
  const sector = values.get("sector") ?? "512";
  const sectorSize = lookUp("sector size", sector, SECTOR_SIZES);
  let total = 0;
  if (loops === undefined) total = await ask(dir, plan, io);
  for (const name of loops ?? []) {
    using mount = new LoopMount(name, dir, sectorSize);
    total += await ask(mount.directory, plan, io);
  }
  return total === 0 ? EXIT_OK : EXIT_VIOLATED;
}

function modelOf(name: string | undefined): ModelSpec | null {
  return name === undefined ? null : lookUp("model", name, FILE_MODELS);
}

function chosenCases(values: ReadonlyMap<string, string>): OracleCase[] {
  const all = [...CASES, ...SUITE_CASES, ...randomCases(values)];
  const names = values.get("case")?.split(",");
  if (names === undefined) return all;
  const known = new Map(all.flatMap(({ id }) => [[id, id], [groupOf(id), id]]));
  const groups = [...new Set(all.map(({ id }) => groupOf(id)))].join(", ");
  const hint = `choose a group, ${groups}; --verbose shows every case`;
  for (const name of names) lookUp("case", name, known, hint);
  return all.filter(({ id }) =>
    names.includes(id) || names.includes(groupOf(id))
  );
}

function randomCases(values: ReadonlyMap<string, string>): OracleCase[] {
  const count = integerOf(values, "random") ?? 20;
  const first = integerOf(values, "seed") ??
    (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) % 1_000_000;
  return Array.from({ length: count }, (_, i) => randomCase(first + i));
}

function integerOf(
  values: ReadonlyMap<string, string>,
  name: string,
): number | undefined {
  const text = values.get(name);
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UserError(`Cannot use --${name} ${text}: it has to be a number`);
}

/** Compares in one directory; gives how many differences are unexplained. */
async function ask(directory: string, plan: Plan, io: Io): Promise<number> {
  const fsName = nameOfFilesystem(directory);
  const spec = plan.model ?? FILE_MODELS.get(fsName) ?? PLAIN;
  const { profile, isVerbose } = plan;
  try {
    using real = new RealOracle(directory, plan.engine);
    const { engine, logicalBlockSize, memoryAlignment, tellsAlignment } = real;
    await io.out.write(
      `\n${fsName} of ${runningKernel()} in ${directory}, against the model ${spec.name} with profile ${profile};\npreadv2(), pwritev2() and ${engine}, blocks of ${logicalBlockSize}\n\n`,
    );
    const { name: model } = spec;
    const setting = {
      fs: fsName,
      model,
      profile,
      logicalBlockSize,
      memoryAlignment,
      tellsAlignment,
    };
    const { comparisons, skipped } = await compareAll(
      real,
      spec,
      setting,
      plan,
    );
    const { columns } = io;
    await io.out.write(
      oracleReport(comparisons, skipped, { isVerbose, columns }),
    );
    return unexplained(comparisons).length;
  } catch (error) {
    if (error instanceof DeviceError) throw new UserError(error.message);
    if (error instanceof SetUpError) {
      throw new UserError(
        `Cannot ask the oracle in ${directory}: ${error.message}`,
      );
    }
    throw fileError("write", directory, error);
  }
}

/** The kernel, with its release when Deno may know it. */
function runningKernel(): string {
  const query = { name: "sys", kind: "osRelease" } as const;
  const { state } = Deno.permissions.querySync(query);
  return state === "granted" ? `Linux ${Deno.osRelease()}` : "this Linux";
}

function nameOfFilesystem(directory: string): string {
  try {
    // What node:fs throws says less.
    Deno.statSync(directory);
    const { type } = fs.statfsSync(directory);
    return FS_NAMES.get(type) ?? `filesystem 0x${type.toString(16)}`;
  } catch (error) {
    const isSys = error instanceof Deno.errors.NotCapable &&
      error.message.includes("sys access");
    if (!isSys) throw fileError("read", directory, error);
    throw new UserError(
      `Cannot tell which filesystem ${directory} lies in: Deno may not; add --allow-sys=statfs`,
    );
  }
}

/** Compares every case that can be laid out on both sides. */
async function compareAll(
  real: RealOracle,
  spec: ModelSpec,
  setting: OracleSetting,
  { cases, profile }: Plan,
): Promise<{ comparisons: Comparison[]; skipped: string[] }> {
  const logicalBlockSize = real.logicalBlockSize === 4096 ? 4096 : 512;
  const choice = { spec, profile, logicalBlockSize } as const;
  const comparisons: Comparison[] = [];
  const skipped: string[] = [];
  for (const each of cases) {
    const comparison = await compareCase(real, choice, each, setting);
    if (comparison === null) skipped.push(each.id);
    else comparisons.push(comparison);
  }
  return { comparisons, skipped };
}

/**
 * Compares a case. When a call has changed only one of both files, the case is
 * run again without it, so that what follows is compared, too.
 */
async function compareCase(
  real: RealOracle,
  choice: ModelChoice,
  oracleCase: OracleCase,
  setting: OracleSetting,
): Promise<Comparison | null> {
  const parts: Comparison[] = [];
  let ops = oracleCase.ops;
  for (let from: number | null = 0; from !== null;) {
    const rest: OracleCase = { ...oracleCase, ops };
    const model = runOnModel(choice, rest);
    const run = await real.run(rest);
    if (model === null || run === null) return null;
    const part: Comparison = compare(rest, run, model, setting, from);
    parts.push(part);
    from = part.apartAt;
    if (from !== null) ops = ops.toSpliced(from, 1);
  }
  return {
    caseId: oracleCase.id,
    compared: parts.reduce((sum, each) => sum + each.compared, 0),
    differences: parts.flatMap(({ differences }) => differences),
    apartAt: null,
  };
}

if (import.meta.main) await runTool("oracle.ts", oracle);

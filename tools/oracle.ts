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
import { DeviceError } from "../devices/mod.ts";
import { MODELS, type ModelSpec } from "../fs_models/mod.ts";
import {
  alignColumns,
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
  describeDifference,
  type Difference,
  EXPLANATIONS,
  type OracleSetting,
} from "./oracle_compare.ts";
import { LoopMount } from "./oracle_loop.ts";
import { runOnModel } from "./oracle_model.ts";
import { randomCase } from "./oracle_random.ts";
import { RealOracle, SetUpError } from "./oracle_real.ts";

const HELP = `Usage: deno run tools/oracle.ts --dir DIR [OPTIONS]

Runs the user-visible half of the suite's scenarios, and cases of its own, on
the filesystem that DIR lies in and on a model, and compares results, sizes
and bytes. What differs is explained, or makes the exit status 1.

Options:
  --dir DIR         where to make a file; with --loop, the images
  --loop FS,…       on loop images instead: ext4, xfs, btrfs (needs root)
  --model NAME      the model (default: that of the same name, else plain)
  --profile P       whose semantics the model has (default: v6.1)
  --case NAME,…     only the cases, or groups of cases, of these names
  --random N        so many cases that a seed chooses (default: 20)
  --seed N          the seed of the first one (default: by chance)
  --verbose         every case in the table, not only what differs
  --help            this text

Examples:
  deno run -A tools/oracle.ts --dir .
  sudo deno run -A tools/oracle.ts --dir /var/tmp --loop ext4,xfs
`;

/** What the magic numbers of `statfs()` mean. */
const FS_NAMES: ReadonlyMap<number, string> = new Map([
  [0xef53, "ext4"],
  [0x58465342, "xfs"],
  [0x9123683e, "btrfs"],
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
    string: ["dir", "loop", "model", "profile", "case", "random", "seed"],
    boolean: ["verbose"],
  });
  if (flags.has("help")) {
    await io.out.write(HELP);
    return EXIT_OK;
  }
  const dir = values.get("dir");
  if (dir === undefined || rest.length > 0) {
    throw new UserError("Cannot ask the oracle without a place: --dir DIR");
  }
  const plan: Plan = {
    cases: chosenCases(values),
    profile: lookUp("profile", values.get("profile") ?? "v6.1", PROFILES),
    model: modelOf(values.get("model")),
    isVerbose: flags.has("verbose"),
  };
  const loops = values.get("loop")?.split(",");
  let unexplained = 0;
  if (loops === undefined) unexplained = await ask(dir, plan, io);
  for (const name of loops ?? []) {
    using mount = new LoopMount(name, dir);
    unexplained += await ask(mount.directory, plan, io);
  }
  return unexplained === 0 ? EXIT_OK : EXIT_VIOLATED;
}

function modelOf(name: string | undefined): ModelSpec | null {
  return name === undefined ? null : lookUp("model", name, FILE_MODELS);
}

function chosenCases(values: ReadonlyMap<string, string>): OracleCase[] {
  const all = [...CASES, ...SUITE_CASES, ...randomCases(values)];
  const names = values.get("case")?.split(",");
  if (names === undefined) return all;
  const known = new Map(all.flatMap(({ id }) => [[id, id], [groupOf(id), id]]));
  for (const name of names) lookUp("case", name, known);
  return all.filter(({ id }) =>
    names.includes(id) || names.includes(groupOf(id))
  );
}

/** The group of a case: what stands before the slash. */
function groupOf(caseId: string): string {
  return caseId.replace(/\/.*/s, "");
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
  try {
    using real = new RealOracle(directory);
    const setting: OracleSetting = {
      fs: fsName,
      model: spec.name,
      profile: plan.profile,
      tellsAlignment: real.tellsAlignment,
    };
    await io.out.write(
      `\n${fsName} of the running kernel in ${directory}, against the model ${spec.name} with profile ${plan.profile}; preadv2(), pwritev2() and ${real.engine}, blocks of ${real.logicalBlockSize}\n\n`,
    );
    return await report(await compareAll(real, spec, setting, plan), plan, io);
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

/** Compares every case; null where the model cannot do what is asked. */
async function compareAll(
  real: RealOracle,
  spec: ModelSpec,
  setting: OracleSetting,
  { cases, profile }: Plan,
): Promise<Map<string, Comparison | null>> {
  const logicalBlockSize = real.logicalBlockSize === 4096 ? 4096 : 512;
  const choice = { spec, profile, logicalBlockSize } as const;
  const found = new Map<string, Comparison | null>();
  for (const each of cases) {
    const model = runOnModel(choice, each);
    const comparison = model === null
      ? null
      : compare(each, await real.run(each), model, setting);
    found.set(each.id, comparison);
  }
  return found;
}

async function report(
  found: ReadonlyMap<string, Comparison | null>,
  { isVerbose }: Plan,
  io: Io,
): Promise<number> {
  const comparisons = [...found.values()].filter((each) => each !== null);
  const differences = comparisons.flatMap(({ differences }) => differences);
  const unexplained = differences.filter((each) => each.explanation === null);
  const skipped = [...found].filter(([, each]) => each === null);
  await io.out.write(casesTable(comparisons, isVerbose));
  if (skipped.length > 0) {
    const names = skipped.map(([id]) => id).join(", ");
    await io.out.write(`\n  not asked, because the model cannot: ${names}\n`);
  }
  if (differences.length > 0) {
    await io.out.write(`\n${differencesTable(differences)}`);
  }
  for (const explanation of EXPLANATIONS) {
    const count = differences.filter((each) => each.explanation === explanation)
      .length;
    if (count === 0) continue;
    await io.out.write(`\n  ${explanation.id}: ${explanation.sentence}\n`);
  }
  const compared = comparisons.reduce((sum, each) => sum + each.compared, 0);
  await io.out.write(
    `\n  ${comparisons.length} cases, ${compared} results, sizes and buffers compared: ${
      differences.length - unexplained.length
    } differences explained, ${unexplained.length} unexplained\n`,
  );
  return unexplained.length;
}

function casesTable(
  comparisons: readonly Comparison[],
  isVerbose: boolean,
): string {
  const rows = [["case", "compared", "same", "explained", "unexplained"]];
  const groups = new Map<string, Comparison[]>();
  for (const each of comparisons) {
    const group = isVerbose ? each.caseId : groupOf(each.caseId);
    groups.set(group, [...groups.get(group) ?? [], each]);
  }
  for (const [name, members] of groups) {
    const compared = members.reduce((sum, each) => sum + each.compared, 0);
    const all = members.flatMap(({ differences }) => differences);
    const unexplained = all.filter((each) => each.explanation === null).length;
    const explained = all.length - unexplained;
    rows.push([
      name,
      ...[compared, compared - all.length, explained, unexplained]
        .map(String),
    ]);
  }
  return alignColumns(rows);
}

function differencesTable(differences: readonly Difference[]): string {
  return alignColumns([
    ["case", "call", "kernel", "model", "because"],
    ...differences.map((each) => [
      each.caseId,
      describeDifference(each),
      each.real,
      each.model,
      each.explanation?.id ?? "UNEXPLAINED",
    ]),
  ]);
}

if (import.meta.main) await runTool("oracle.ts", oracle);

/**
 * `trace.ts record`: runs one scenario and writes its trace.
 *
 * @module
 */

import {
  fifo,
  PROFILE_NAMES,
  type ProfileName,
  random,
  ReplayError,
  type Strategy,
} from "../core/mod.ts";
import {
  formatFailure,
  mountForQuestions,
  parseToken,
  replayRun,
  type RunReport,
  runScenario,
  type RunToken,
  type Scenario,
  scenarioOfToken,
  SCENARIOS,
  seedOfToken,
  whyNot,
} from "../conformance/mod.ts";
import { ALL_MODELS, type ModelSpec } from "../fs_models/mod.ts";
import {
  EXIT_OK,
  EXIT_VIOLATED,
  fileError,
  type Io,
  lookUp,
  type Options,
  readOptions,
  UserError,
} from "./cli.ts";
import { queuesOf } from "./trace_args.ts";
import { openRealDevice, SCENARIO_BYTES, whyNotReal } from "./trace_device.ts";
import type { Broken } from "./trace_collect.ts";
import { FORMATS } from "./trace_formats.ts";
import type { TraceHeader } from "./trace_jsonl.ts";

/** How to use it. */
export const RECORD_HELP = `Runs one scenario and writes its trace.

Usage: deno run tools/trace.ts record --fs FS --scenario S [OPTIONS]
       deno run tools/trace.ts record --schedule TOKEN [OPTIONS]

  --fs FS           the filesystem model ('list fs')
  --scenario S      the workload ('list scenarios')
  --profile P       whose semantics: v3.12 (default), v4.10, v6.1
  --seed N          a random schedule; without it first come, first served
  --schedule TOKEN  the run that TOKEN names; it says fs, scenario, profile
  --device D        memory (default), or a file or block device, opened with
                    O_DIRECT. Its first MiB is OVERWRITTEN; one that holds
                    data there is refused without --force. Needs --allow-ffi
  --format F        jsonl (default, also on a terminal), text, html, svg,
                    or another one ('list formats')
  --color WHEN      of text: auto (default), always, never
  -o, --output OUT  a file, instead of standard output. Needs --allow-write

Exit status: 0 fine, 1 a rule was violated (the trace is written all the
same), 2 it could not be run.

Example: deno run tools/trace.ts record --fs ext4 \\
           --scenario aio-write-unwritten --format text
`;

const NAMES = {
  string: [
    "fs",
    "scenario",
    "profile",
    "seed",
    "schedule",
    "device",
    "format",
    "color",
    "output",
  ],
  boolean: ["force"],
  alias: { o: "output" },
};

/** What is to be run. */
interface Plan {
  readonly model: ModelSpec;
  readonly scenario: Scenario;
  readonly profile: ProfileName;
  readonly seed: number | null;
  readonly token: RunToken | null;
}

/**
 * The command.
 *
 * @param args What follows `record`.
 * @param io Its world.
 * @param models The filesystem models there are.
 * @returns The exit status.
 */
export async function record(
  args: readonly string[],
  io: Io,
  models: readonly ModelSpec[] = ALL_MODELS,
): Promise<number> {
  const options = readOptions(args, NAMES);
  if (options.flags.has("help")) {
    await io.out.write(RECORD_HELP);
    return EXIT_OK;
  }
  const [extra] = options.rest;
  if (extra !== undefined) {
    throw new UserError(
      `Unexpected '${extra}': record takes options only, see record --help`,
    );
  }
  const plan = planOf(options, models);
  const format = lookUp(
    "format",
    options.values.get("format") ?? "jsonl",
    FORMATS,
  );
  const color = choice(options, "color", ["auto", "always", "never"]);
  const device = options.values.get("device") ?? "memory";
  const force = options.flags.has("force");
  const report = device === "memory"
    ? runPlan(plan, {})
    : runOnReal(plan, device, force);
  const header = headerOf(plan, report, device === "memory");
  const output = options.values.get("output") ?? "-";
  const trace = {
    events: report.events,
    broken: brokenOf(report),
    error: null,
    queues: queuesOf(report.events),
  };
  const lines = format.write(header, trace, {
    name: header.scenario ?? "",
    width: io.columns,
    color: color === "always" ||
      color === "auto" && io.color && output === "-",
  });
  await writeLines(output, lines, io);
  if (report.violations.length === 0) return EXIT_OK;
  await io.err.write(`${formatFailure(report)}\n`);
  return EXIT_VIOLATED;
}

function planOf(options: Options, models: readonly ModelSpec[]): Plan {
  const schedule = options.values.get("schedule");
  const plan = schedule === undefined
    ? planOfNames(options, models)
    : planOfToken(schedule, options, models);
  const { model, scenario, profile } = plan;
  const reason = whyNot(mountForQuestions(model), scenario, profile);
  if (reason !== null) {
    throw new UserError(
      `Cannot run ${scenario.id} on ${model.name}, profile ${profile}: ${reason}`,
    );
  }
  return plan;
}

function planOfNames(options: Options, models: readonly ModelSpec[]): Plan {
  const { values } = options;
  const fs = values.get("fs");
  const scenario = values.get("scenario");
  if (fs === undefined || scenario === undefined) {
    throw new UserError(
      `Option --${
        fs === undefined ? "fs" : "scenario"
      } is missing: name --fs and --scenario, or a --schedule; 'trace.ts list' shows all`,
    );
  }
  const seed = values.get("seed");
  if (seed !== undefined && !/^\d{1,15}$/.test(seed)) {
    throw new UserError(
      `Cannot use --seed ${seed}: it is not an integer from 0`,
    );
  }
  return {
    model: findModel(fs, models),
    scenario: findScenario(scenario),
    profile: lookUp("profile", values.get("profile") ?? "v3.12", PROFILES),
    seed: seed === undefined ? null : Number(seed),
    token: null,
  };
}

function planOfToken(
  text: string,
  { values }: Options,
  models: readonly ModelSpec[],
): Plan {
  const token = readToken(text);
  if (token.then?.strategy === "exhaustive") {
    throw new UserError(
      `Cannot record schedule ${text}: it stands for many runs, 'explore.ts --replay' makes them`,
    );
  }
  const says: readonly (readonly [string, string])[] = [
    ["fs", token.model],
    ["scenario", token.scenario],
    ["profile", token.profile],
  ];
  for (const [name, said] of says) {
    const given = values.get(name);
    if (given !== undefined && given !== said) {
      throw new UserError(
        `Cannot use --${name} ${given} with this schedule, which is of ${said}: leave out --${name}`,
      );
    }
  }
  if (values.has("seed")) {
    throw new UserError(
      "Cannot use --seed with --schedule, which says every choice: leave out --seed",
    );
  }
  return {
    model: findModel(token.model, models),
    scenario: scenarioOfRun(token),
    profile: token.profile,
    seed: seedOfToken(token),
    token,
  };
}

function readToken(text: string): RunToken {
  return asUserError(SyntaxError, () => parseToken(text));
}

/** The scenario of a token, also one that another was shrunk to. */
function scenarioOfRun(token: RunToken): Scenario {
  return token.scenario.includes("~")
    ? asUserError(RangeError, () => scenarioOfToken(token))
    : findScenario(token.scenario);
}

/** Turns an error about what the user gave into one that is told him. */
function asUserError<T>(
  what: ErrorConstructor | typeof ReplayError,
  action: () => T,
): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof what) throw new UserError(error.message);
    throw error;
  }
}

const PROFILES: ReadonlyMap<string, ProfileName> = new Map(
  PROFILE_NAMES.map((name) => [name, name]),
);

function findModel(name: string, models: readonly ModelSpec[]): ModelSpec {
  const all = new Map(models.map((model) => [model.name, model]));
  return lookUp("filesystem", name, all);
}

function findScenario(id: string): Scenario {
  const scenarios = new Map(SCENARIOS.map((one) => [one.id, one]));
  return lookUp(
    "scenario",
    id,
    scenarios,
    "'trace.ts list scenarios' shows all",
  );
}

function choice(
  { values }: Options,
  name: string,
  choices: readonly [string, ...string[]],
): string {
  const all = new Map(choices.map((choice) => [choice, choice]));
  return lookUp(name, values.get(name) ?? choices[0], all);
}

function strategyOf({ seed }: Plan): Strategy {
  return seed === null ? fifo() : random(seed);
}

type Where = Pick<
  NonNullable<Parameters<typeof runScenario>[2]>,
  "device" | "memory" | "clock"
>;

function runPlan(plan: Plan, where: Where): RunReport {
  const { model, scenario, profile, token } = plan;
  if (token !== null) {
    return asUserError(
      ReplayError,
      () => replayRun(model, scenario, token, where),
    );
  }
  const strategy = strategyOf(plan);
  return runScenario(model, scenario, { profile, strategy, ...where });
}

function runOnReal(plan: Plan, path: string, force: boolean): RunReport {
  const { scenario, token } = plan;
  const reason = token === null
    ? whyNotReal(scenario)
    : "the order of its completions is not ours to choose";
  if (reason !== null) {
    const what = token === null ? scenario.id : "a schedule";
    throw new UserError(
      `Cannot run ${what} on a real device: ${reason}; leave out --device`,
    );
  }
  using device = openRealDevice(path, force);
  const memory = device.memory(SCENARIO_BYTES);
  return runPlan(plan, { device, memory, clock: stopwatch() });
}

/** Monotonic nanoseconds from now on. */
function stopwatch(): () => number {
  const start = performance.now();
  return () => Math.round((performance.now() - start) * 1e6);
}

function headerOf(
  { model, scenario, profile, seed }: Plan,
  report: RunReport,
  isVirtual: boolean,
): TraceHeader {
  return {
    profile,
    fs: model.name,
    scenario: scenario.id,
    ...(seed !== null && { seed }),
    clock: isVirtual ? "virtual" : "monotonic",
    ...(isVirtual && { schedule: report.token }),
  };
}

/** What a run has broken, with the events that it was. */
function brokenOf({ violations, events }: RunReport): Broken[] {
  const bySeq = new Map(events.map((event) => [event.seq, event]));
  return violations.map((violation) => ({
    ...violation,
    events: violation.events.map((seq) => bySeq.get(seq))
      .filter((event) => event !== undefined),
  }));
}

async function writeLines(
  output: string,
  lines: Iterable<string>,
  { out }: Io,
): Promise<void> {
  const text = [...lines].join("");
  if (output === "-") return await out.write(text);
  try {
    await Deno.writeTextFile(output, text);
  } catch (error) {
    throw fileError("write", output, error);
  }
}

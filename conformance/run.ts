/**
 * Runs a scenario on a filesystem model, and checks the trace.
 *
 * @module
 */

import {
  type BlockDevice,
  type DirectIo,
  genericShutdownSuper,
  Kernel,
  type KernelBug,
  type ProfileName,
  type Strategy,
  TraceBuffer,
  type TraceEvent,
  UserMemory,
} from "../core/mod.ts";
import { MemoryDevice, type MemoryDeviceOptions } from "../devices/mod.ts";
import type {
  FileLayout,
  FilesystemModel,
  ModelSpec,
} from "../fs_models/mod.ts";
import { type CheckOptions, type CheckResult, checkTrace } from "./checker.ts";
import type { Violation } from "./rule.ts";
import { type Scenario, unmounts } from "./scenario.ts";
import { formatToken } from "./token.ts";
import { STALE, UserFile } from "./user_file.ts";
import { type SharedFile, UserTask } from "./user_task.ts";

const DEVICE_BYTES = 1 << 20;
const MEMORY_BYTES = 1 << 20;
/** Many times what the longest scenario takes. */
const MAX_STEPS = 50_000;
/** Writes of one task that are told apart from those of others. */
const MOST_WRITES = 16;

/** How a scenario is run. */
export interface RunOptions extends CheckOptions {
  /**
   * Who decides what runs next; for this run only.
   *
   * @default {fifo()}
   */
  readonly strategy?: Strategy;
  /** How many processors there are; without it, enough. */
  readonly nrCpus?: number;
  /**
   * How many steps the run may take before it is called endless.
   *
   * @default {50_000}
   */
  readonly maxSteps?: number;
  /** A variant of the direct-I/O core, to put in place of the real one. */
  readonly directIo?: (kernel: Kernel) => DirectIo;
  /**
   * The device; its faults and completion context are its own then.
   *
   * @default {a memory device as the scenario describes it}
   */
  readonly device?: BlockDevice;
  /** The memory of user buffers, for a device that needs its own. */
  readonly memory?: UserMemory;
  /**
   * Gives the `ts` of events in nanoseconds, for a device in real time.
   *
   * @default {virtual time}
   */
  readonly clock?: () => number;
  /**
   * What is used again in the next run, when there are many. The report's
   * events are good until then.
   */
  readonly arena?: RunArena;
}

/**
 * What many runs of one scenario use again: memory, device, trace.
 *
 * @example
 * ```ts
 * import { RunArena, runScenario, scenarioById } from "@endio/dio/conformance";
 * import { MODELS } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const scenario = scenarioById("aio-write");
 * const arena = new RunArena(scenario);
 * for (let i = 0; i < 3; i++) {
 *   const { violations } = runScenario(MODELS[0]!, scenario, { arena });
 *   assertEquals(violations, []);
 * }
 * ```
 */
export class RunArena {
  /** The device. */
  readonly device: MemoryDevice;
  /** The memory of user buffers. */
  readonly memory: UserMemory = new UserMemory(MEMORY_BYTES);
  /** The trace. */
  readonly trace: TraceBuffer = new TraceBuffer();

  /**
   * Makes what the runs of a scenario use.
   *
   * @param scenario The scenario.
   * @param Device What the device is made of: one with a mistake, say.
   */
  constructor(
    scenario: Scenario,
    Device: new (options: MemoryDeviceOptions) => MemoryDevice = MemoryDevice,
  ) {
    this.device = new Device(deviceOptions(scenario));
  }

  /** Makes everything as good as new. */
  reset(): void {
    this.device.reset();
    this.memory.reset();
    this.trace.reset();
  }
}

/** What a run came to. */
export interface RunReport {
  /** The model's name. */
  readonly model: string;
  /** The scenario. */
  readonly scenario: Scenario;
  /** Whose semantics were in force. */
  readonly profile: ProfileName;
  /** What was broken. */
  readonly violations: readonly Violation[];
  /** How often each rule had something to say, by id. */
  readonly exercised: ReadonlyMap<string, number>;
  /** The trace. */
  readonly events: readonly TraceEvent[];
  /** The word that repeats the run. */
  readonly token: string;
  /** What the system calls returned, a list for each task. */
  readonly results: readonly (readonly number[])[];
  /** The bug that stopped the run, or null. */
  readonly bug: KernelBug | null;
}

/**
 * Why a model cannot run a scenario.
 *
 * @param fs The mounted model.
 * @param scenario The scenario.
 * @param profile Whose semantics are in force.
 * @returns The reason, or null when it can.
 *
 * @example
 * ```ts
 * import { scenarioById, whyNot } from "@endio/dio/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   whyNot({ features: [] }, scenarioById("aio-write-unwritten"), "v3.12"),
 *   "the model lacks unwritten",
 * );
 * ```
 */
export function whyNot(
  fs: Pick<FilesystemModel, "features">,
  scenario: Scenario,
  profile: ProfileName,
): string | null {
  const lacking = (scenario.needs ?? []).filter((need) =>
    !fs.features?.includes(need)
  );
  if (lacking.length > 0) return `the model lacks ${lacking.join(", ")}`;
  return scenario.profiles?.includes(profile) ?? true
    ? null
    : `it is about ${scenario.profiles?.join(", ")}`;
}

/**
 * Mounts a model for a moment, to ask what it is able to do.
 *
 * @param spec The model.
 * @returns The mounted model.
 *
 * @example
 * ```ts
 * import { mountForQuestions } from "@endio/dio/conformance";
 * import { MODELS } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(mountForQuestions(MODELS[0]!).name, "plain");
 * ```
 */
export function mountForQuestions(spec: ModelSpec): FilesystemModel {
  const kernel = new Kernel({ tracing: false });
  const device = new MemoryDevice({ sizeBytes: DEVICE_BYTES });
  device.attach(kernel);
  return spec.mount(kernel, device);
}

/**
 * Runs a scenario once: mounts the model, runs the tasks, unmounts, and checks
 * the trace.
 *
 * @param spec The model.
 * @param scenario The scenario; the model must be able to run it.
 * @param options Profile, strategy, rules.
 * @returns What it came to.
 *
 * @example
 * ```ts
 * import { runScenario, scenarioById } from "@endio/dio/conformance";
 * import { MODELS } from "@endio/dio/fs-models";
 * import { assertEquals } from "@std/assert";
 *
 * const { violations, results } = runScenario(
 *   MODELS[0]!,
 *   scenarioById("aio-write"),
 * );
 * assertEquals(violations, []);
 * assertEquals(results, [[4096, 4096]]);
 * ```
 */
export function runScenario(
  spec: ModelSpec,
  scenario: Scenario,
  options: RunOptions = {},
): RunReport {
  const arena = options.arena ?? new RunArena(scenario);
  arena.reset();
  const kernel = bootKernel(spec, scenario, arena, options);
  const device = options.device ?? arena.device;
  device.attach(kernel);
  const fs = spec.mount(kernel, device);
  const tasks = spawnTasks(kernel, fs, scenario);
  let result = kernel.run();
  const isThrough = result.bug === null && result.hung === null &&
    !kernel.stopped;
  if (isThrough && !unmounts(scenario)) {
    kernel.spawn("umount", genericShutdownSuper(fs.sb));
    result = kernel.run();
  }
  if (result.bug === null && !kernel.stopped) kernel.shutdown();
  kernel.strategy.finish?.();
  return new FinishedRun(kernel, spec.name, scenario, tasks, options);
}

/** What a check without rules comes to. */
const UNCHECKED: Pick<CheckResult, "violations" | "exercised"> = {
  violations: [],
  exercised: new Map(),
};

/** What a run came to; what few ask for is made when they ask. */
class FinishedRun implements RunReport {
  readonly model: string;
  readonly scenario: Scenario;
  readonly profile: ProfileName;
  readonly violations: readonly Violation[];
  readonly exercised: ReadonlyMap<string, number>;
  readonly results: readonly (readonly number[])[];
  readonly bug: KernelBug | null;
  readonly #kernel: Kernel;
  #events: readonly TraceEvent[] | null = null;
  #token: string | null = null;

  constructor(
    kernel: Kernel,
    model: string,
    scenario: Scenario,
    tasks: readonly UserTask[],
    options: CheckOptions,
  ) {
    this.#kernel = kernel;
    this.model = model;
    this.scenario = scenario;
    this.profile = kernel.profile.name;
    this.results = tasks.map((task) => task.results);
    this.bug = kernel.bug;
    const { violations, exercised } = options.rules?.length === 0
      ? UNCHECKED
      : checkTrace(this.events, { ...options, profile: this.profile });
    this.violations = violations;
    this.exercised = exercised;
  }

  get events(): readonly TraceEvent[] {
    return this.#events ??= this.#kernel.trace.list();
  }

  get token(): string {
    return this.#token ??= formatToken({
      profile: this.profile,
      model: this.model,
      scenario: this.scenario.id,
      strategy: this.#kernel.strategy.name,
      choices: this.#kernel.choices,
      print: this.#kernel.print,
    });
  }
}

function bootKernel(
  spec: ModelSpec,
  scenario: Scenario,
  arena: RunArena,
  options: RunOptions,
): Kernel {
  const { profile, strategy, nrCpus, clock, maxSteps = MAX_STEPS } = options;
  const { allocFaults, bioMaxPages } = scenario;
  const directIo = options.directIo ?? spec.directIo;
  return new Kernel({
    memory: options.memory ?? arena.memory,
    trace: arena.trace,
    maxSteps,
    ...(profile && { profile }),
    ...(strategy && { strategy }),
    ...(nrCpus && { nrCpus }),
    ...(directIo && { directIo }),
    ...(clock && { clock }),
    ...(allocFaults && { allocFaults }),
    ...(bioMaxPages && { bioMaxPages }),
  });
}

function deviceOptions(
  { completion, faults, device }: Scenario,
): MemoryDeviceOptions {
  return {
    sizeBytes: DEVICE_BYTES,
    fill: STALE,
    ...device,
    ...(completion && { completion }),
    ...(faults && { faults }),
  };
}

function spawnTasks(
  kernel: Kernel,
  fs: FilesystemModel,
  scenario: Scenario,
): UserTask[] {
  const { dsync = false } = scenario;
  const isUnmounted = unmounts(scenario);
  const layout = layoutOn(fs, scenario.file);
  const open = (host: Kernel | null): SharedFile => ({
    inode: fs.createFile(scenario.file),
    content: new UserFile({ layout, mayFail: mayFail(scenario), host }),
  });
  const shared = open(isReadByOthers(scenario) ? kernel : null);
  return scenario.tasks.map(({ comm, ops, ownFile }, i) => {
    const file = ownFile ? open(null) : shared;
    // Who unmounts has no file open.
    const closes = ops.some(({ op }) => op === "close") ||
      (isUnmounted && ops.every(({ op }) => op !== "umount"));
    const task = new UserTask(kernel, file, {
      dsync,
      closes,
      writes: i * MOST_WRITES,
    });
    kernel.spawn(comm, task.run(ops));
    return task;
  });
}

/** How a file lies on a filesystem: a block device has no holes. */
function layoutOn({ features }: FilesystemModel, file: FileLayout): FileLayout {
  if (!features?.includes("block-device")) return file;
  const { size } = file;
  return { size, extents: [{ offset: 0, bytes: size, state: "written" }] };
}

/** Whether a write of a scenario may fail when it has done a part. */
function mayFail({ faults, allocFaults, device, tasks }: Scenario): boolean {
  return faults !== undefined || allocFaults !== undefined ||
    device?.sizeBytes !== undefined ||
    tasks.some(({ ops }) => ops.some((op) => "unmapped" in op));
}

/** Whether one of several tasks that share a file reads it. */
function isReadByOthers({ tasks }: Scenario): boolean {
  const sharing = tasks.filter(({ ownFile }) => !ownFile);
  return sharing.length > 1 &&
    sharing.some(({ ops }) => ops.some(({ op }) => op.endsWith("read")));
}

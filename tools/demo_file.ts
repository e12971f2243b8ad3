/**
 * The demo's third part: a scenario on a real temporary file, whose bytes are
 * then read back the ordinary way.
 *
 * @module
 */

import {
  type Bio,
  type BlockDevice,
  type Kernel,
  type Page,
  SECTOR_SHIFT,
  type Task,
  type TraceEvent,
  WRITE,
} from "../core/mod.ts";
import {
  type RunReport,
  runScenario,
  type Scenario,
} from "../conformance/mod.ts";
import { DeviceError, DirectFileDevice } from "../devices/mod.ts";
import type { ModelSpec } from "../fs_models/mod.ts";
import { fileError, UserError } from "./cli.ts";

const DEVICE_BYTES = 1 << 20;

/** A piece of the device that was written. */
export interface Written {
  /** First byte on the device. */
  readonly at: number;
  /** What was to be there from then on. */
  readonly bytes: Uint8Array;
}

/** What came of it. */
export interface FileResult {
  /** The run, its trace checked. */
  readonly report: RunReport;
  /** What the kernel gave the device to write, in order. */
  readonly written: readonly Written[];
  /** The file as ordinary reads see it. */
  readonly content: Uint8Array;
}

/** Bytes of writes that the file does not hold. */
export function countWrong({ written, content }: FileResult): number {
  // A later write of the same place is what has to be there.
  const expected = new Map<number, number>();
  for (const { at, bytes } of written) {
    bytes.forEach((byte, i) => expected.set(at + i, byte));
  }
  return [...expected].filter(([at, byte]) => content[at] !== byte).length;
}

/** Bytes that the scenario read back itself, and how many were wrong. */
export function readBack(
  events: readonly TraceEvent[],
): { bytes: number; wrong: number } {
  const sum = (name: string): number =>
    events.filter(({ ev }) => ev === "user_read")
      .reduce((total, event) => total + Number(event[name]), 0);
  return { bytes: sum("bytes"), wrong: sum("wrong") };
}

/** Passes bios on, and keeps a copy of what is written. */
class Tap implements BlockDevice {
  readonly written: Written[] = [];
  readonly name: string;
  readonly logicalBlockSize: number;
  readonly sizeBytes: number;
  readonly #device: BlockDevice;

  constructor(device: BlockDevice) {
    this.name = device.name;
    this.logicalBlockSize = device.logicalBlockSize;
    this.sizeBytes = device.sizeBytes;
    this.#device = device;
  }

  attach(kernel: Kernel): void {
    this.#device.attach(kernel);
  }

  submitBio(bio: Bio): Task<unknown> | null {
    if (bio.biRw === WRITE) {
      let at = bio.biSector << SECTOR_SHIFT;
      for (let i = 0; i < bio.biVcnt; i++) {
        const start = bio.offsets[i] as number;
        const length = bio.lengths[i] as number;
        const page = bio.pages[i] as Page;
        this.written.push({
          at,
          bytes: page.bytes.slice(start, start + length),
        });
        at += length;
      }
    }
    return this.#device.submitBio(bio);
  }

  flush(): ReturnType<BlockDevice["flush"]> {
    return this.#device.flush();
  }
}

/**
 * Runs a scenario on a temporary file, which is removed in any case.
 *
 * @param model The filesystem model.
 * @param scenario The scenario.
 * @param directory Where to make the file.
 * @returns What came of it, or why it could not be done, in one line.
 */
export function runOnFile(
  model: ModelSpec,
  scenario: Scenario,
  directory: string,
): FileResult | string {
  for (const name of ["write", "read"] as const) {
    const { state } = Deno.permissions.querySync({ name, path: directory });
    if (state !== "granted") {
      return `Deno may not ${name} there; add --allow-${name}=${directory}`;
    }
  }
  let home: string;
  try {
    home = Deno.makeTempDirSync({ dir: directory, prefix: "endio-" });
  } catch (error) {
    return messageOf(error, directory);
  }
  try {
    return runOnPath(model, scenario, `${home}/disk.img`);
  } catch (error) {
    return messageOf(error, home);
  } finally {
    Deno.removeSync(home, { recursive: true });
  }
}

/** One line about what this machine lacks; anything else is a defect. */
function messageOf(error: unknown, path: string): string {
  if (error instanceof DeviceError) return error.message;
  const told = fileError("write", path, error);
  if (told instanceof UserError) return told.message;
  throw told;
}

function runOnPath(
  model: ModelSpec,
  scenario: Scenario,
  path: string,
): FileResult {
  Deno.writeFileSync(path, new Uint8Array(DEVICE_BYTES));
  using device = DirectFileDevice.open(path);
  const tap = new Tap(device);
  const memory = device.memory(DEVICE_BYTES);
  const report = runScenario(model, scenario, { device: tap, memory });
  return { report, written: tap.written, content: Deno.readFileSync(path) };
}

/**
 * A real file or block device to record a scenario on.
 *
 * @module
 */

import {
  ENOSPC,
  errnoName,
  finish,
  Kernel,
  type Page,
  PAGE_SIZE,
  READ,
  type Rw,
  submitBio,
  WRITE,
} from "../core/mod.ts";
import type { Scenario } from "../conformance/mod.ts";
import { DeviceError, DirectFileDevice } from "../devices/mod.ts";
import { UserError } from "./cli.ts";

/** Bytes at the beginning that a scenario's files lie in. */
export const SCENARIO_BYTES: number = 1 << 20;

/**
 * Why a scenario cannot run on a real device.
 *
 * @param scenario The scenario.
 * @returns The reason, or null when it can.
 */
export function whyNotReal(scenario: Scenario): string | null {
  if (scenario.faults?.length) {
    return "its transfers fail on purpose, which only a memory device does";
  }
  return scenario.completion === "inline"
    ? "its bios end inside their submission, which only a memory device does"
    : null;
}

/**
 * Opens a file or block device and makes its first MiB zeros, as the models
 * expect of a fresh device.
 *
 * @param path The file or block device.
 * @param force Whether to overwrite what is there.
 * @returns The device; close it in the end.
 * @throws {UserError} If it cannot be opened, is too small, or holds data
 * that is not to be overwritten.
 */
export function openRealDevice(path: string, force: boolean): DirectFileDevice {
  const device = openDevice(path);
  try {
    if (device.sizeBytes < SCENARIO_BYTES) {
      throw new UserError(
        `Cannot use ${path}: it has ${device.sizeBytes} bytes; give it ${SCENARIO_BYTES} or more, for example with "truncate -s 1M"`,
      );
    }
    const used = transferAll(device, READ).some((byte) => byte !== 0);
    if (used && !force) {
      throw new UserError(
        `Cannot use ${path}: it holds data, and its first MiB would be overwritten; name another file, or add --force`,
      );
    }
    // A hole gets its blocks now, or a full disk is found out now.
    transferAll(device, WRITE);
    return device;
  } catch (error) {
    device.close();
    throw error;
  }
}

function openDevice(path: string): DirectFileDevice {
  try {
    return DirectFileDevice.open(path);
  } catch (error) {
    if (error instanceof DeviceError) throw new UserError(error.message);
    throw error;
  }
}

/** Reads what a scenario may use of a device, or fills it with zeros. */
function transferAll(device: DirectFileDevice, rw: Rw): Uint8Array {
  const memory = device.memory(SCENARIO_BYTES);
  const kernel = new Kernel({ memory, tracing: false });
  device.attach(kernel);
  const buffer = memory.alloc(SCENARIO_BYTES);
  const bio = kernel.bios.alloc(rw, device, 0);
  for (let at = 0; at < SCENARIO_BYTES; at += PAGE_SIZE) {
    bio.addPage(memory.pin(buffer + at) as Page, 0, PAGE_SIZE);
  }
  let error = 0;
  bio.biEndIo = (bio) => {
    error = bio.biError;
    return finish(undefined);
  };
  submitBio(bio);
  kernel.run();
  if (error !== 0) {
    const advice = error === -ENOSPC
      ? "its disk is full; make room for a MiB"
      : `a first ${rw === READ ? "read" : "write"} failed with ${
        errnoName(error)
      }; look into the system's log`;
    throw new UserError(`Cannot use ${device.path}: ${advice}`);
  }
  return memory.bytes(buffer, SCENARIO_BYTES);
}

/**
 * Many requests, and whether anything is left of them: memory or descriptors.
 *
 * @module
 */

import { EXIT_OK, EXIT_VIOLATED, type Io, UserError } from "../cli.ts";
import { DioSubject } from "./device_dio.ts";
import type { StampedFile } from "./device_file.ts";
import type { Workload } from "./device_workload.ts";

const STAGES = 20;
/** Stages after which memory has to stay what it is. */
const WARM_UP = 4;
/** What the garbage collector may make of it. */
const SLACK_BYTES = 16 << 20;

/**
 * Carries out requests in stages and prints what the process holds after each.
 *
 * @param workload What to do.
 * @param file The file.
 * @param engine The engine.
 * @param count How many requests.
 * @param io Where to print.
 * @returns The exit status: 1 if something grew.
 */
export async function soak(
  workload: Workload,
  file: StampedFile,
  engine: "io_uring" | "libaio" | "psync",
  count: number,
  io: Io,
): Promise<number> {
  if (!Number.isSafeInteger(count) || count < STAGES) {
    throw new UserError(
      `Cannot soak: --soak needs a number of requests, at least ${STAGES}`,
    );
  }
  const perStage = Math.ceil(count / STAGES);
  const descriptors = countDescriptors(file.path);
  const resident: number[] = [];
  {
    using subject = new DioSubject(workload, file, engine);
    for (let stage = 1; stage <= STAGES; stage++) {
      const sample = subject.runRequests(perStage);
      const { rss, heapUsed } = Deno.memoryUsage();
      resident.push(rss);
      await io.out.write(
        `${
          (perStage * stage).toLocaleString("en-US").padStart(12)
        } requests  ` +
          `${Math.round(sample.requests / sample.seconds)}/s  ` +
          `rss ${mib(rss)} MiB  heap ${mib(heapUsed)} MiB  ` +
          `descriptors ${
            countDescriptors(file.path) ?? "(needs --allow-all)"
          }\n`,
      );
    }
  }
  const growth = growthOf(resident);
  const left = countDescriptors(file.path);
  const leaked = (left ?? 0) - (descriptors ?? 0);
  const isFlat = growth <= SLACK_BYTES && leaked === 0;
  await io.out.write(
    `memory grew by ${mib(growth)} MiB after the first fifth, ` +
      `${left === undefined ? "no" : leaked} descriptors ` +
      `${left === undefined ? "counted (needs --allow-all)" : "leaked"}: ` +
      `${isFlat ? "flat" : "not flat"}\n`,
  );
  return isFlat ? EXIT_OK : EXIT_VIOLATED;
}

/**
 * How much the greatest of some figures has grown since the first fifth.
 *
 * @param figures One after each stage.
 * @returns The growth; negative when they have become less.
 */
export function growthOf(figures: readonly number[]): number {
  const most = Math.max(...figures.slice(WARM_UP));
  return most - Math.max(...figures.slice(0, WARM_UP));
}

function mib(bytes: number): string {
  return (bytes / (1 << 20)).toFixed(1);
}

/**
 * How many descriptors are open on a file and on rings, if Deno may know. Deno
 * itself opens others when it likes.
 */
function countDescriptors(path: string): number | undefined {
  try {
    return [...Deno.readDirSync("/proc/self/fd")]
      .filter(({ name }) => isOurs(name, path)).length;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}

function isOurs(descriptor: string, path: string): boolean {
  try {
    const link = Deno.readLinkSync(`/proc/self/fd/${descriptor}`);
    return link === path || link === "anon_inode:[io_uring]";
  } catch (error) {
    // The one that the directory was read with is gone.
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
